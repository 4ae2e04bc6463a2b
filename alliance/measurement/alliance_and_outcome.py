"""Alliance and outcome read together: the four cases, as a sentence what to look at first.

The cases are those of docs/alliance-and-outcome.md. What "up", "flat", "low" and "falling" mean is stated with its
source below, and where no published figure tells, the answer is "cannot tell". It is a way to read two courses; no flag
rule reads it, and nothing of it is a forecast.
"""

from dataclasses import dataclass
from enum import StrEnum

from alliance.measurement.flag_rules import is_below
from alliance.measurement.instruments import Instrument
from alliance.measurement.outcome import Outcome
from alliance.measurement.parameters import Parameters
from alliance.measurement.scoring import figure, points

# "By session 3 to 4": from the third on the page says it, from the fourth the caseload does.
FLAT_FROM, REASON_FROM = 3, 4
# Rules that speak of a change: a sudden fall, a decline, below the own range, a lasting fall.
FALLING_BY = frozenset("CDEJ")
NOT_IMPROVING = frozenset({Outcome.FLAT, Outcome.FALLING})


class Alliance(StrEnum):
    """The alliance at the last complete rating."""

    FINE = "fine"
    LOW = "low"
    FALLING = "falling"
    CANNOT_TELL = "cannot tell"


class Case(StrEnum):
    """What to look at first."""

    CARRY_ON = "carry on"
    ALLIANCE_FIRST = "alliance first"
    METHOD_OR_GOALS = "candour, then method or goals"
    ASK = "ask"
    TOO_EARLY = "too early"
    CANNOT_TELL = "cannot tell"


def alliance_of(total: int | None, parameters: Parameters, *, rules: frozenset[str]) -> Alliance:
    """total: of the last complete rating, in tenths; rules: those that were raised at it.

    Low is below the cutoff in force; falling is what the flag rules call a change. A low one that falls is low.
    """
    if total is None:
        return Alliance.CANNOT_TELL
    if parameters.cutoff is not None and is_below(total, parameters):
        return Alliance.LOW
    if rules & FALLING_BY:
        return Alliance.FALLING
    return Alliance.CANNOT_TELL if parameters.cutoff is None else Alliance.FINE


@dataclass(frozen=True, slots=True)
class Together:
    """case, the sentence for it, and how each half was read, with its source."""

    case: Case
    sentence: str
    of_the_outcome: str
    of_the_alliance: str
    why_not: str = ""  # why it cannot be told, where it cannot


def read_together(
    outcome: Outcome, alliance: Alliance, *, session: int, scale: Instrument, parameters: Parameters
) -> Together:
    """session: the number of that at which the outcome was last marked; scale: by which."""
    case = case_of(outcome, alliance, session=session)
    of_the_outcome, of_the_alliance = _outcome_words(outcome, scale), _alliance_words(alliance, parameters)
    why_not = [
        words
        for half, words in ((outcome, of_the_outcome), (alliance, of_the_alliance))
        if half in (Outcome.CANNOT_TELL, Alliance.CANNOT_TELL)
    ]
    return Together(
        case, _sentence(case, outcome, alliance), of_the_outcome, of_the_alliance, " ".join(why_not)
    )


def case_of(outcome: Outcome, alliance: Alliance, *, session: int) -> Case:
    if outcome == Outcome.CANNOT_TELL or alliance == Alliance.CANNOT_TELL:
        return Case.CANNOT_TELL
    if outcome not in NOT_IMPROVING:
        return Case.CARRY_ON if alliance == Alliance.FINE else Case.ASK
    if outcome == Outcome.FLAT and session < FLAT_FROM:
        return Case.TOO_EARLY
    return Case.METHOD_OR_GOALS if alliance == Alliance.FINE else Case.ALLIANCE_FIRST


def is_not_improving_with_a_low_alliance(outcome: Outcome, alliance: Alliance, *, session: int) -> bool:
    """The reason of its own on a caseload."""
    return outcome in NOT_IMPROVING and alliance == Alliance.LOW and session >= REASON_FROM


def _sentence(case: Case, outcome: Outcome, alliance: Alliance) -> str:
    said = {
        Outcome.UP: "The client is doing better",
        Outcome.WELL: "The client has been doing well since the first time",
        Outcome.FLAT: "No reliable change in how the client is doing",
        Outcome.FALLING: "The client is doing worse",
    }.get(outcome, "")
    match case:
        case Case.CARRY_ON:
            return f"{said}, and the alliance is fine: carry on."
        case Case.ASK:
            return f"{said}, and the alliance is {alliance}: ask. It may be the ending, or a challenge."
        case Case.ALLIANCE_FIRST:
            return f"{said}, and the alliance is {alliance}: look at the alliance first."
        case Case.METHOD_OR_GOALS:
            return (
                f"{said}, while the alliance is rated high: consider whether the ratings are candid, and a change of "
                "method or goals."
            )
        case Case.TOO_EARLY:
            return f"{said} yet. From session {FLAT_FROM} on the two are read together."
    return "Cannot tell what to look at first: look at both courses."


def _outcome_words(outcome: Outcome, scale: Instrument) -> str:
    if scale.direction == "none":
        return f"{scale.name}: cannot tell, for neither end of it is the good one."
    if scale.reliable_change is None:
        return f"{scale.name}: cannot tell, for no reliable change is published. Read the plain course."
    source = scale.reliable_change_source.strip().rstrip(".")
    by = f"{figure(scale, scale.reliable_change)} points or more are a reliable change ({source})"
    if outcome == Outcome.CANNOT_TELL:
        return f"{scale.name}: cannot tell, for there are fewer than two totals; {by}."
    return f"{scale.name}: {outcome}, the last total against the first; {by}."


def _alliance_words(alliance: Alliance, parameters: Parameters) -> str:
    if parameters.cutoff is None:
        level = "no cutoff is in force"
    else:
        where = "at or below" if parameters.cutoff_operator == "<=" else "below"
        level = f"low is {where} {points(parameters.cutoff)}, the cutoff in force"
    if alliance == Alliance.CANNOT_TELL and parameters.cutoff is not None:
        return f"Alliance: cannot tell, for there is no complete rating; {level}."
    return f"Alliance: {alliance} at the last complete rating; {level}; falling is what the flag rules call a change."
