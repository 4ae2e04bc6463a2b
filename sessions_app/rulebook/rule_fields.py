"""What a clinic may set about each rule: how it is called, its unit and range, and how a change reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alliance.measurement.handbook import RULES
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import ALL_RULES, Parameters
from alliance.measurement.scoring import points
from sessions_app.instruments.rule_settings import OPTIONAL

OPERATORS = {"<": "below the cutoff", "<=": "at or below the cutoff"}


@dataclass(frozen=True, slots=True)
class RuleField:
    """One parameter. kind: "points" (tenths), "hundredths", "count", "operator"; all but points have a range."""

    name: str
    label: str
    kind: str = "points"
    lowest: int = 1
    highest: int | None = None  # tenths; None: as far as the total goes
    help: str = ""

    @property
    def is_optional(self) -> bool:
        return self.name in OPTIONAL

    def range(self, instrument: Instrument) -> tuple[int, int]:
        if self.name in ("cutoff", "flat_top"):
            return instrument.total_minimum, instrument.total_maximum
        if self.name == "item_cutoff":
            return min(i.minimum for i in instrument.items), max(i.maximum for i in instrument.items)
        span = instrument.total_maximum - instrument.total_minimum
        return self.lowest, span if self.highest is None else self.highest

    def in_words(self, value: Any) -> str:
        if value is None:
            return "none"
        if self.kind == "operator":
            return OPERATORS[value]
        if self.kind == "hundredths":
            return f"{value / 100:.2f}"
        return points(value) if self.kind == "points" else str(value)


REPAIR = "repair"  # no rule, but it stands beside them
# Each parameter stands at the rule it belongs to.
FIELDS: dict[str, tuple[RuleField, ...]] = {
    "A": (
        RuleField("cutoff", "Cutoff", lowest=0, help="Of the total, in points."),
        RuleField("cutoff_operator", "Raised when the total is", "operator"),
        RuleField(
            "badge_fall",
            "Worth a word again after a further fall of",
            help="What was called for or talked about stays quiet until the total has fallen so many points more.",
        ),
    ),
    "B": (RuleField("item_cutoff", "Line cutoff", lowest=0, help="Raised when a line is below, in points."),),
    "C": (
        RuleField("sudden_fall", "Smallest fall", help="Since the last rating, in points."),
        RuleField(
            "calls_from_fall",
            "Calls for a talk from a fall of",
            help="A smaller one is a quiet mark. On the former list each calls.",
        ),
    ),
    "D": (
        RuleField(
            "decline_fall", "Smallest fall", help="From the first to the last of the window, in points."
        ),
    ),
    "E": (
        RuleField("own_range_minimum", "Earlier ratings needed", "count", 2, 20),
        RuleField(
            "own_range_window",
            "Earlier ratings remembered",
            "count",
            2,
            20,
            help="At most so many of the last ones make the usual range.",
        ),
        RuleField(
            "s0",
            "Prior spread",
            help="How much one client’s totals usually vary, in points, before much is known of this client.",
        ),
        RuleField("nu0", "Weight of the prior spread", "count", 1, 20, help="It counts as so many ratings."),
        RuleField(
            "hold_within",
            "Earlier ratings count as no lower than",
            help="So many points below their median: one bad session must not hide the next.",
        ),
    ),
    "F": (
        RuleField("flat_top", "Top of the scale", lowest=0, help="From this total on, in points."),
        RuleField("flat_top_sessions", "Ratings in a row", "count", 2, 20),
    ),
    "G": (
        RuleField("missing_flag", "Sessions without a rating", "count", 1, 10),
        RuleField("missing_of", "Of the last attended sessions", "count", 1, 10),
    ),
    "J": (
        RuleField("lasting_fall", "Smallest fall", help="Of the mean of the last ratings, in points."),
        RuleField(
            "lasting_limit",
            "Limit",
            "hundredths",
            5,
            500,
            help="In standard deviations, from the sixth rating on; before, more is asked.",
        ),
        RuleField(
            "quiet_rise",
            "Calls again after a rise of",
            help="What was called for stays quiet for four ratings, unless the total was so much higher meanwhile.",
        ),
    ),
    REPAIR: (
        RuleField(
            "recovered_within",
            "Recovered within",
            lowest=0,
            help="Of the client’s median before the fall, in points. It raises no flag.",
        ),
    ),
}
BY_NAME = {one.name: one for fields in FIELDS.values() for one in fields}
# What a rule looks at beside its own: B keeps silent where A speaks, J has the spread of E.
ALSO_READS = {"B": "A", "J": "E"}


def letters_of(instrument: Instrument, language: str) -> list[str]:
    """The rules that are set for this instrument, as the handbook orders them.

    G counts ratings on any form and in any language: it stands with our own form, for all languages.
    """
    of_any_form = {"G"} if language or instrument.licensed else set()
    return [letter for letter in RULES if letter in ALL_RULES - of_any_form]


def groups_of(instrument: Instrument, language: str) -> list[str]:
    """The keys of FIELDS that are asked for: the rules, and for all languages together the repair."""
    return [*letters_of(instrument, language), *([] if language else [REPAIR])]


def values_of(parameters: Parameters, instrument: Instrument, language: str) -> dict[str, Any]:
    """What can be set for this instrument, by the names of the fields on the page."""
    switches = {f"rule_{one}": one in parameters.enabled for one in letters_of(instrument, language)}
    asked = [one for group in groups_of(instrument, language) for one in FIELDS.get(group, ())]
    return switches | {one.name: getattr(parameters, one.name) for one in asked}


def labels_of(instrument: Instrument, language: str) -> dict[str, str]:
    """{field: its label with the rule it belongs to}: away from its rule, "Smallest fall" could be of two."""
    switches = {f"rule_{one}": f"{name_of(one)}: in use" for one in letters_of(instrument, language)}
    groups = groups_of(instrument, language)
    asked = {one.name: f"{name_of(group)}: {one.label}" for group in groups for one in FIELDS.get(group, ())}
    return switches | asked


def name_of(group: str) -> str:
    return "Repair" if group == REPAIR else RULES[group].name


def changes(before: Parameters, after: Parameters) -> list[str]:
    """What differs, one sentence each, in the order of the rules; figures in points."""
    listed = [] if before.work_list == after.work_list else [list_change(before, after)]
    return [*listed, *(one for group in (*RULES, REPAIR) for one in _changes_of(group, before, after))]


def list_change(before: Parameters, after: Parameters) -> str:
    return f"Work list: {after.work_list} (was {before.work_list})"


def _changes_of(letter: str, before: Parameters, after: Parameters) -> Iterator[str]:
    name = name_of(letter)
    if (letter in before.enabled) != (letter in after.enabled):
        yield f"{name}: {_switch(letter, after)} (was {_switch(letter, before)})"
    for one in FIELDS.get(letter, ()):
        was, is_now = getattr(before, one.name), getattr(after, one.name)
        if was != is_now:
            yield f"{name}: {one.label[:1].lower()}{one.label[1:]} {one.in_words(is_now)} (was {one.in_words(was)})"


def _switch(letter: str, parameters: Parameters) -> str:
    return "on" if letter in parameters.enabled else "off"


def is_touched(letter: str, before: Parameters, after: Parameters) -> bool:
    """Whether these settings could change what the rule says, whatever the ratings are."""
    others = ALSO_READS.get(letter)
    return any(_changes_of(letter, before, after)) or bool(others and any(_changes_of(others, before, after)))
