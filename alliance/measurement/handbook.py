"""The flag rules as handbook and pages print them: definition, source, rates, what they do not mean."""

from collections.abc import Mapping
from dataclasses import dataclass

from alliance.measurement.false_alarms import IN_TEN, PER_SESSION


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the handbook prints it.

    per_session and in_ten: shares (0..1) of a stable client's sessions with this flag, and of stable clients
    with at least one in the first ten sessions; by our simulation, see false_alarms.
    """

    letter: str
    slug: str
    name: str
    definition: str
    source: str
    calls_for_talk: bool
    not_meaning: str

    @property
    def per_session(self) -> float:
        return PER_SESSION["standard"][self.letter]

    @property
    def in_ten(self) -> float:
        return IN_TEN["standard"][self.letter]


RULES: Mapping[str, Rule] = {
    rule.letter: rule
    for rule in (
        Rule(
            "A",
            "below-cutoff",
            "Below cutoff",
            "The total is below the cutoff, 36.0. It is new when the previous rating was not, and on the "
            "first rating of an episode. It calls for a talk when new, and again when the total is 2.0 lower "
            "than when it last did.",
            "Manuals and vendors of four-line scales; our cutoff is provisional, borrowed by analogy. "
            "Samples elsewhere use lower cutoffs, so it is a setting.",
            True,
            "It does not mean that the alliance is weak: a third of a stable caseload is below. A low first "
            "rating is a sign that the client dares to tell.",
        ),
        Rule(
            "B",
            "low-line",
            "Low line",
            "At least one answered line is below 9.0, also of a partial rating. Silent where A is raised.",
            "Manuals and vendors of four-line scales.",
            False,
            "It does not mean that something is wrong: it says which line to look at together first.",
        ),
        Rule(
            "C",
            "sudden-fall",
            "Sudden fall",
            "The total is at least 4.0 lower than the previous complete rating.",
            "Adapted from the Jacobson-Truax reliable change index (alpha .88 makes it about 4); the "
            "literature has no agreed rule (Eubanks-Carter 2012, Lipner 2022).",
            True,
            "It does not mean a rupture: one stable client in two has such a fall within ten sessions.",
        ),
        Rule(
            "D",
            "decline",
            "Decline",
            "Over the last five complete ratings the Mann-Kendall S is -8 or less, or each of the last four "
            "is lower than the one before (S = -6); and the first is at least 2.0 above the last.",
            "Ours; the Mann-Kendall test, exact one-sided p .042 for either window.",
            True,
            "It does not mean that the alliance will go on falling, nor why it fell: it may be the "
            "ending or a challenge.",
        ),
        Rule(
            "E",
            "below-own-range",
            "Below own range",
            "The total is below the 95 % range expected from this client's own last 4 to 8 complete ratings, "
            "with a prior spread of 2.0 points that weighs as much as 4 ratings.",
            "Adapted from control charts and the Jacobson-Truax index; the literature has no agreed rule "
            "(Eubanks-Carter 2012, Lipner 2022); weights and spread are ours.",
            True,
            "It does not mean a low total: where ratings are usually at the top, 36 may be unusual.",
        ),
        Rule(
            "F",
            "flat-top",
            "Flat at the top",
            "The last four complete ratings are all 39.8 or more.",
            "Ours.",
            False,
            "It does not mean that the client is not honest. It carries little information, that is all.",
        ),
        Rule(
            "G",
            "missing",
            "Missing",
            "An attended session without a complete rating 24 hours after its end is overdue; raised there "
            "when 2 of the last 3 attended sessions are.",
            "Ours.",
            False,
            "It does not mean a low score: a gap often says more about the day than about the alliance.",
        ),
        Rule(
            "H",
            "slow-drift",
            "Slow drift",
            "The weighted mean of the last three complete ratings (EWMA, lambda .3), begun at the mean of the "
            "4 to 8 before them, is more than 2.7 of its standard deviations below that mean; the spread is "
            "that of the client's own range.",
            "A control chart for small, lasting changes (Roberts 1959), adapted: window, weights and limit "
            "are ours.",
            True,
            "It does not mean that anything happened on one day, nor that it will go on: slow changes "
            "outside therapy look the same.",
        ),
    )
}
