"""The settings of the flag rules, with the defaults for our four-line session rating."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

ALL_RULES = frozenset("ABCDEFGJL")

# What calls for a talk. As shipped a low start, a lasting fall, or a large sudden one. Before, every new sign did:
# below cutoff, a sudden fall, a decline, below the own range; it called twice as often and found as much.
LASTING_FALLS: Final = "lasting falls"
ANY_CHANGE: Final = "any change"
WorkList = Literal["lasting falls", "any change"]

# Student's t, .975 quantile, by degrees of freedom. Source: NIST/SEMATECH e-Handbook of Statistical Methods,
# 1.3.6.7.2, gives three decimals; six are needed for the limit 36.003 and come from the exact distribution
# (the tests solve it again). Whole millionths, so that rule E never compares floats.
# fmt: off
T_975_MILLIONTHS = {
    2: 4302653, 3: 3182446, 4: 2776445, 5: 2570582, 6: 2446912, 7: 2364624,
    8: 2306004, 9: 2262157, 10: 2228139, 11: 2200985, 12: 2178813, 13: 2160369,
    14: 2144787, 15: 2131450, 16: 2119905, 17: 2109816, 18: 2100922, 19: 2093024,
    20: 2085963, 21: 2079614, 22: 2073873, 23: 2068658, 24: 2063899, 25: 2059539,
    26: 2055529, 27: 2051831, 28: 2048407, 29: 2045230, 30: 2042272, 31: 2039513,
    32: 2036933, 33: 2034515, 34: 2032245, 35: 2030108, 36: 2028094, 37: 2026192,
    38: 2024394, 39: 2022691, 40: 2021075,
}
# fmt: on


@dataclass(frozen=True)
class Parameters:
    """Everything a clinic may set about the flag rules. Totals and falls are in tenths of a point.

    Defaults are those of the session rating (total 0..400). Raises ValueError with a sentence for settings
    under which a rule would have no meaning.
    """

    # Cutoff 36.0: borrowed by analogy from the four-line scale's manual, provisional. Sources write "<36" and
    # "at or below 36"; strict is the default (0.7 % of sessions differ, our simulation).
    cutoff: int | None = 360
    cutoff_operator: Literal["<", "<="] = "<"
    item_cutoff: int | None = 90  # 9.0 on a line: same manual
    sudden_fall: int = 40  # about the reliable change (Jacobson-Truax) at alpha .88
    decline_fall: int = 20  # ours
    # A continuing A stays a quiet badge until the total has fallen this much further than where A last called
    # for a talk (ours).
    badge_fall: int = 20
    # A low point is back within one point of the client's median before it (ours).
    recovered_within: int = 10
    nu0: int = 4  # weight of the prior spread, in degrees of freedom (ours)
    s0: int = 20  # prior within-client standard deviation, 2.0 points (ours)
    own_range_minimum: int = 4
    own_range_window: int = 8
    # Earlier ratings count as no lower than this below their median, in rules E and J and in the drawn range: else
    # one bad session would blind them to the next.
    hold_within: int = 40
    # A lasting fall: the mean of the last ratings is at least `lasting_fall` lower than that of those before, and
    # further than `lasting_limit` hundredths of its standard deviation (more before the sixth rating). A sudden fall
    # calls from `calls_from_fall`. What was called for calls again where the total is `badge_fall` lower still, or lay
    # `quiet_rise` higher meanwhile. All from our simulation.
    lasting_fall: int = 10
    lasting_limit: int = 60
    quiet_rise: int = 40
    calls_from_fall: int = 60
    flat_top: int | None = 398
    flat_top_sessions: int = 4
    missing_of: int = 3
    missing_flag: int = 2
    enabled: frozenset[str] = ALL_RULES
    work_list: WorkList = LASTING_FALLS
    total_minimum: int = 0
    total_maximum: int = 400
    # Whether a lower answer is worse on every line, on one range: else no line is named in a finding.
    compare_lines: bool = True

    @property
    def clear_rise(self) -> int:
        """By how much a rating must lie above the lowest one to be called recovering: 2.0 of 40 points (ours)."""
        return _share(self.total_maximum - self.total_minimum, 50)

    def __post_init__(self) -> None:
        for complaint in _complaints(self):
            raise ValueError(complaint)


def _complaints(p: Parameters) -> list[str]:
    checks = (
        (p.cutoff_operator in ("<", "<="), "The cutoff is compared with < or <=."),
        (p.work_list in get_args(WorkList), "The work list goes by lasting falls or by any change."),
        (p.enabled <= ALL_RULES, "The rules are named A to G, J and L."),
        (min(p.sudden_fall, p.decline_fall, p.badge_fall) > 0, "A fall is more than nothing."),
        (p.recovered_within >= 0, "A return is within nothing or more of the median."),
        (p.s0 > 0 and p.nu0 >= 0, "The prior spread is more than nothing and its weight not negative."),
        (2 <= p.own_range_minimum <= p.own_range_window, "A usual range needs two to window ratings."),
        (p.own_range_minimum + p.nu0 - 1 >= min(T_975_MILLIONTHS), "The usual range rests on too little."),
        (p.own_range_window + p.nu0 - 1 <= max(T_975_MILLIONTHS), "The usual range has too long a memory."),
        (
            min(p.hold_within, p.lasting_fall, p.quiet_rise, p.calls_from_fall) > 0,
            "A fall is more than nothing.",
        ),
        (p.lasting_limit > 0, "A lasting fall is more than nothing."),
        (p.flat_top_sessions >= 1, "Flat at the top needs at least one rating."),
        (1 <= p.missing_flag <= p.missing_of, "Missing ratings are counted within the sessions looked at."),
        (p.total_minimum < p.total_maximum, "The range of the total is empty."),
    )
    return [sentence for holds, sentence in checks if not holds]


def statistical_parameters(minimum: int, maximum: int) -> Parameters:
    """Parameters for an instrument without a published cutoff, from the range of its total in tenths.

    A and B are off; falls, return, spread and top are shares of the range (10, 5, 2.5, 5 and 0.5 %; ours).
    To be labelled "statistical, not validated" wherever shown.
    """
    span = maximum - minimum
    return Parameters(
        cutoff=None,
        item_cutoff=None,
        sudden_fall=_share(span, 100),
        decline_fall=_share(span, 50),
        badge_fall=_share(span, 50),
        recovered_within=_share(span, 25),
        s0=_share(span, 50),
        hold_within=_share(span, 100),
        lasting_fall=_share(span, 25),
        quiet_rise=_share(span, 100),
        calls_from_fall=_share(span, 150),
        flat_top=maximum - span * 5 // 1000,
        enabled=ALL_RULES - {"A", "B"},
        total_minimum=minimum,
        total_maximum=maximum,
        compare_lines=False,
    )


def _share(span: int, thousandths: int) -> int:
    return max(1, (span * thousandths + 500) // 1000)
