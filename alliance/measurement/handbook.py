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
    not_meaning: str

    @property
    def is_simulated(self) -> bool:
        """Nobody in the model leaves out a line."""
        return self.letter in PER_SESSION["standard"]

    @property
    def per_session(self) -> float:
        return PER_SESSION["standard"].get(self.letter, 0.0)

    @property
    def in_ten(self) -> float:
        return IN_TEN["standard"].get(self.letter, 0.0)


RULES: Mapping[str, Rule] = {
    rule.letter: rule
    for rule in (
        Rule(
            "A",
            "below-cutoff",
            "Below cutoff",
            "The total is below the cutoff, 36.0. It is new when the previous rating was not, and on the "
            "first rating of an episode, where it is called a low start. Of a partial rating it is raised where the "
            "total is below whatever was left out.",
            "Manuals and vendors of four-line scales; our cutoff is provisional, borrowed by analogy. "
            "Samples elsewhere use lower cutoffs, so it is a setting.",
            "It does not mean that the alliance is weak: a third of a stable caseload is below. A low first "
            "rating may mean that the client dares to tell; a weak alliance also goes with dropout (d = .55; "
            "Sharf and others 2010). Only asking tells which.",
        ),
        Rule(
            "B",
            "low-line",
            "Low line",
            "At least one answered line is below 9.0, also of a partial rating. Silent where A is raised.",
            "Manuals and vendors of four-line scales.",
            "It does not mean that something is wrong: it says which line to look at together first.",
        ),
        Rule(
            "C",
            "sudden-fall",
            "Sudden fall",
            "The total is at least 4.0 points lower than the previous complete rating; of a partial rating, where "
            "it is whatever was left out.",
            "Adapted from the Jacobson-Truax reliable change index (alpha .88 makes it about 4); the "
            "literature has no agreed rule (Eubanks-Carter 2012, Lipner 2022).",
            "It does not mean a rupture: one stable client in two has such a fall within ten sessions.",
        ),
        Rule(
            "D",
            "decline",
            "Decline",
            "Over the last five complete ratings the Mann-Kendall S is -8 or less, or each of the last four "
            "is lower than the one before (S = -6); and the first is at least 2.0 points above the last.",
            "Ours; the Mann-Kendall test, exact one-sided p .042 for either window.",
            "It does not mean that the alliance will go on falling, nor why it fell: it may be the "
            "ending or a challenge.",
        ),
        Rule(
            "E",
            "below-own-range",
            "Below own range",
            "The total is below the 95 % range expected from this client's own last 4 to 8 complete ratings, none "
            "of them counted as more than 4.0 points below their median, with a prior spread of 2.0 points that weighs "
            "as much as 4 ratings.",
            "Adapted from control charts and the Jacobson-Truax index; the literature has no agreed rule "
            "(Eubanks-Carter 2012, Lipner 2022); weights and spread are ours.",
            "It does not mean a low total: where ratings are usually at the top, 36 may be unusual.",
        ),
        Rule(
            "F",
            "flat-top",
            "Flat at the top",
            "The last four complete ratings are all 39.8 or more.",
            "Ours.",
            "It does not mean that the client is not honest. It carries little information, that is all.",
        ),
        Rule(
            "G",
            "missing",
            "Missing",
            "An attended session without a complete rating 24 hours after its end is overdue; raised there "
            "when 2 of the last 3 attended sessions are.",
            "Ours.",
            "It does not mean a low score: a gap often says more about the day than about the alliance.",
        ),
        Rule(
            "J",
            "lasting-fall",
            "Lasting fall",
            "The mean of the last three complete ratings, the latest counting most, is at least 1.0 points below that "
            "of the up to eight before them, and by more than chance explains; from the third rating on. It calls for "
            "a talk unless one of the four ratings before did and the total has not fallen 2.0 points further.",
            "Ours. Several ratings are taken together, as in control charts for small, lasting changes (Roberts 1959); "
            "weights and limits come from our simulation, near the best that any rule can do in it.",
            "It does not mean that anything happened on one day, nor that it will go on: slow changes "
            "outside therapy look the same.",
        ),
        Rule(
            "L",
            "line-left-out",
            "Line left out",
            "A line was left out at this rating and at the one before it.",
            "Ours.",
            "It does not mean a low mark: the line may not fit, or may be hard to answer.",
        ),
    )
}
