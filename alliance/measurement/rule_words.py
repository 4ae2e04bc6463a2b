"""Each rule in words, with the settings of the day. Figures in points."""

from collections.abc import Callable, Mapping

from alliance.measurement.handbook import Rule
from alliance.measurement.parameters import LASTING_FALLS, Parameters
from alliance.measurement.scoring import points, points_apart

NO_LEVEL = "It needs a published level, and this form has none. It is off."

# The settings that move each rule: the rates of false_alarms hold for their defaults.
SETTINGS_OF: Mapping[str, tuple[str, ...]] = {
    "A": ("cutoff", "cutoff_operator"),
    "B": ("item_cutoff",),
    "C": ("sudden_fall",),
    "D": ("decline_fall",),
    "E": ("nu0", "s0", "own_range_minimum", "own_range_window", "hold_within"),
    "F": ("flat_top", "flat_top_sessions"),
    "G": ("missing_of", "missing_flag"),
    "J": ("lasting_fall", "lasting_limit", "nu0", "s0", "own_range_window", "hold_within"),
}


def definition(rule: Rule, p: Parameters) -> str:
    """When the rule is raised under these settings."""
    return _WORDS[rule.letter](p)


def calls(letter: str, p: Parameters) -> str:
    """When it puts the client on the work list under these settings; empty where it never does."""
    by_level = "and again when it has fallen further" if letter == "A" else ""
    former = {"A": f"when it is new, {by_level}", "C": ALWAYS, "D": ALWAYS, "E": ALWAYS}
    return (_as_shipped(p) if p.work_list == LASTING_FALLS else former).get(letter, "")


ALWAYS = "whenever it is raised"


def _as_shipped(p: Parameters) -> Mapping[str, str]:
    from_points = f"from a fall of {points_apart(p.calls_from_fall)} on"
    quiet = (
        "unless one of the four ratings before did, and the total has since neither fallen "
        f"{points_apart(p.badge_fall)} further nor been {points_apart(p.quiet_rise)} higher. So a fall that goes on "
        "calls again at the fifth rating after a call, and begins another low point there"
    )
    return {
        "A": "at the first rating, as a low start",
        "C": from_points if p.calls_from_fall > p.sudden_fall else ALWAYS,
        "J": f"{ALWAYS}, {quiet}",
    }


def is_on(letter: str, p: Parameters) -> bool:
    level = {"A": p.cutoff, "B": p.item_cutoff, "F": p.flat_top}
    return letter in p.enabled and level.get(letter, 0) is not None


def is_as_simulated(letter: str, p: Parameters) -> bool:
    """Whether the printed rates hold: they were simulated with the settings as shipped."""
    shipped = Parameters()
    return all(getattr(p, name) == getattr(shipped, name) for name in SETTINGS_OF.get(letter, ()))


def _below_cutoff(p: Parameters) -> str:
    if p.cutoff is None:
        return NO_LEVEL
    where = "at or below" if p.cutoff_operator == "<=" else "below"
    return (
        f"The total is {where} {points(p.cutoff)}; of a rating with lines left out, where it is so whatever was left "
        "out. It is new when the rating before was not, and on the first rating of an episode: a low start."
    )


def _low_line(p: Parameters) -> str:
    if p.item_cutoff is None:
        return NO_LEVEL
    said = f"At least one answered line is below {points(p.item_cutoff)}, even where others were left out."
    return f"{said} It is silent where the total is below cutoff already." if is_on("A", p) else said


def _sudden_fall(p: Parameters) -> str:
    return (
        f"The total is at least {points_apart(p.sudden_fall)} lower than at the rating before; of a rating with lines "
        "left out, where it is so whatever was left out."
    )


def _decline(p: Parameters) -> str:
    return (
        "Each of the last four ratings is lower than the one before, or the last five have fallen in nearly "
        "every pair (Mann-Kendall S of -8 or less); and from the first to the last of them the total fell by "
        f"at least {points_apart(p.decline_fall)}."
    )


def _below_own_range(p: Parameters) -> str:
    return (
        "The total is below the range in which 95 of 100 ratings of this client would be expected, from this "
        f"client’s own last {p.own_range_minimum} to {p.own_range_window} ratings. None of them counts as more than "
        f"{points_apart(p.hold_within)} below their median, so that one bad session does not hide the next. So that "
        "a few equal ratings "
        f"do not make it too narrow, a usual spread of {points_apart(p.s0)} counts as much as {p.nu0} ratings."
    )


def _flat_top(p: Parameters) -> str:
    if p.flat_top is None:
        return NO_LEVEL
    return f"The last {p.flat_top_sessions} ratings are all {points(p.flat_top)} or more."


def _missing(p: Parameters) -> str:
    return (
        f"This session and at least {p.missing_flag - 1} of the {p.missing_of - 1} attended sessions before it "
        "have no complete rating. A rating is overdue 24 hours after the session’s end."
    )


def _lasting_fall(p: Parameters) -> str:
    return (
        "The last three ratings taken together, the latest counting most, are lower than this client’s own up to "
        f"{p.own_range_window} ratings before them: by {points_apart(p.lasting_fall)} or more, and by more than chance "
        f"explains ({p.lasting_limit / 100:.2f} standard deviations; more before the sixth rating). None of those "
        f"before counts as more than {points_apart(p.hold_within)} below their median. It needs three ratings."
    )


def _left_out(_: Parameters) -> str:
    return "The same line was left out at this rating and at the one before it."


_WORDS: Mapping[str, Callable[[Parameters], str]] = {
    "A": _below_cutoff,
    "B": _low_line,
    "C": _sudden_fall,
    "D": _decline,
    "E": _below_own_range,
    "F": _flat_top,
    "G": _missing,
    "J": _lasting_fall,
    "L": _left_out,
}
