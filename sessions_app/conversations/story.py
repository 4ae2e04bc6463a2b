"""A rupture and its repair as a story: what fell, what was said and agreed, whether it helped, what came of it.

Figures are text in points. Whoever reads a repair reads beside it how many come by chance (`repairs.by_chance`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from django.utils import timezone

from alliance import days
from alliance.measurement.repairs import RepairState, Rupture
from alliance.measurement.scoring import points
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.conversations.repairs import ended_back, word
from sessions_app.courses.models import Rating
from sessions_app.flags.course import RatedSession
from sessions_app.flags.models import Discussion


class Kind(IntEnum):
    """What a moment tells; of two at the same time the lower comes first."""

    FALL = 0
    RATING = 1
    TALK = 2
    HELPED = 3
    SUPERVISION = 4


@dataclass(frozen=True)
class Moment:
    """One line of a story. `text` is a whole sentence; of a talk it is empty, for the words are the people's."""

    at: datetime
    day: str
    kind: Kind
    text: str = ""
    discussion: Discussion | None = None
    rating: Rating | None = None  # whose comment stands below, where the reader may read it
    comment: str = ""
    agreed: str = ""  # of a talk in supervision, where the reader may read it

    @property
    def is_of_supervision(self) -> bool:
        return self.kind == Kind.SUPERVISION


@dataclass(frozen=True)
class Chapter:
    """One rupture, from the fall to what came of it; the moments in the order of time."""

    rupture: Rupture
    state: RepairState
    word: str
    headline: str
    moments: list[Moment]
    outcome: str  # how it stands, as a sentence; empty where the last moment says it
    sign: str = ""  # what three ratings without a return say, with the base rates; empty in every other state


@dataclass
class Notes:
    """What people said about the sessions of one episode, as far as the reader may read it."""

    discussions: Sequence[Discussion]
    follow_ups: Mapping[int, FollowUp]  # by the discussion
    comments: Mapping[int, str] = field(default_factory=dict)  # by the number of the session


def tell(
    ruptures: Iterable[Rupture],
    rated: Sequence[RatedSession],
    notes: Notes,
    now: datetime,
    *,
    not_back: str = "",
) -> list[Chapter]:
    """The stories of an episode, the newest first; not_back: `repairs.not_back`, said where it applies."""
    by_number = {one.session.number: one for one in rated}
    chapters = [_chapter(rupture, by_number, notes, now, not_back) for rupture in ruptures]
    return chapters[::-1]


def _chapter(
    rupture: Rupture, by_number: Mapping[int, RatedSession], notes: Notes, now: datetime, not_back: str
) -> Chapter:
    last = rupture.ended or max(by_number)
    within = [one for number, one in by_number.items() if rupture.began < number <= last]
    talks = [one for one in notes.discussions if one.session.number in rupture.talked]
    moments = [
        *_falls(rupture, by_number[rupture.began], notes, now),
        *_ratings(rupture, within, talks, notes, now),
        *_talks(talks, notes, now),
    ]
    return Chapter(
        rupture=rupture,
        state=rupture.state,
        word=_capitalized(word(rupture)),
        headline=_headline(rupture),
        moments=sorted(moments, key=lambda one: (one.kind != Kind.FALL, one.at, one.kind)),
        outcome=_outcome(rupture),
        sign=not_back if rupture.state == RepairState.NOT_BACK else "",
    )


def _headline(rupture: Rupture) -> str:
    if rupture.ended is None:
        said = f"Since session {rupture.began}"
    elif rupture.ended == rupture.began:
        said = f"Session {rupture.began}"
    else:
        said = f"Sessions {rupture.began} to {rupture.ended}"
    return f"Low start. {said}" if rupture.is_low_start else said


def _capitalized(words: str) -> str:
    return words[:1].upper() + words[1:]


def _falls(rupture: Rupture, one: RatedSession, notes: Notes, now: datetime) -> Iterable[Moment]:
    yield _moment(Kind.FALL, one, f"Session {rupture.began}: {_fall(rupture, one)}.", notes, now)


def _fall(rupture: Rupture, one: RatedSession) -> str:
    said = points(rupture.total)
    fell = rupture.previous is not None and rupture.total < rupture.previous
    said += " at the first rating" if rupture.previous is None else f" after {points(rupture.previous)}"
    strongest = next((f for f in one.findings if f.rule == rupture.rules[0]), None)
    line = strongest.evidence.get("line") if strongest else None
    if isinstance(line, str):
        said += f"; {'largest fall' if fell else 'lowest line'}: {one.instrument.item(line).label}"
    return said


def _ratings(
    rupture: Rupture, within: list[RatedSession], talks: list[Discussion], notes: Notes, now: datetime
) -> Iterable[Moment]:
    """Not every rating: the lowest, each new fall, the first after each talk, the first that is back, the recovery."""
    complete = [one for one in within if _total(one) is not None]
    for one in complete:
        text = _rating(rupture, one, complete, talks)
        if text:
            yield _moment(Kind.RATING, one, f"Session {one.session.number}: {text}.", notes, now)


def _rating(
    rupture: Rupture, one: RatedSession, complete: list[RatedSession], talks: list[Discussion]
) -> str:
    total = _total(one)
    assert total is not None
    if rupture.state == RepairState.RECOVERED and one.session.number == rupture.ended:
        return f"{points(total)}, the second rating in a row {_near(rupture)}"
    if one.session.number == rupture.back_at:
        return f"{points(total)}, back once {_near(rupture)}"
    said = points(total)
    before = _before(one, complete) or rupture.total
    fell = total < before and any(finding.on_work_list for finding in one.findings)
    if fell:
        said += f" after {points(before)}"
    if total == rupture.lowest < rupture.total and one is next(
        other for other in complete if _total(other) == total
    ):
        return f"{said}, the lowest"
    if any(one is _next_after(talk, complete) for talk in talks):
        return f"{said}, the first rating after the talk"
    return said if fell else ""


def _before(one: RatedSession, complete: list[RatedSession]) -> int | None:
    place = complete.index(one)
    return _total(complete[place - 1]) if place else None


def _next_after(talk: Discussion, complete: list[RatedSession]) -> RatedSession | None:
    later = (one for one in complete if one.session.number > talk.session.number)
    return next((one for one in later if _when(one) > talk.discussed_at), None)


def _talks(talks: list[Discussion], notes: Notes, now: datetime) -> Iterable[Moment]:
    for talk in talks:
        day = day_of(talk.discussed_at, now)
        yield Moment(talk.discussed_at, day, Kind.TALK, discussion=talk)
        answer = notes.follow_ups.get(talk.pk)
        if answer:
            text = f"{_asked(talk, answer, talks, now)} {answer.get_answer_display()}."
            yield Moment(answer.noted_at, day_of(answer.noted_at, now), Kind.HELPED, text)


def _asked(talk: Discussion, answer: FollowUp, talks: list[Discussion], now: datetime) -> str:
    """Where another talk lies between, the answer says which it is about."""
    if any(talk.discussed_at < one.discussed_at <= answer.noted_at for one in talks):
        return f"Did it help, what was agreed on {day_of(talk.discussed_at, now)}?"
    return "Did it help?"


def _moment(kind: Kind, one: RatedSession, text: str, notes: Notes, now: datetime) -> Moment:
    comment = notes.comments.get(one.session.number, "")
    day = day_of(one.session.held_at, now)
    return Moment(_when(one), day, kind, text, rating=one.rating, comment=comment)


def _outcome(rupture: Rupture) -> str:
    last, near = points(rupture.latest), _near(rupture)
    match rupture.state:
        case RepairState.OPEN:
            return "Not talked about yet."
        case RepairState.DISCUSSED:
            return "The next rating shows whether it helped."
        case RepairState.STILL_LOW:
            return f"{last} at the last rating, not yet {near}, nor halfway there. {_of_the_talk(rupture)}"
        case RepairState.RECOVERING:
            return (
                f"At least halfway back: {last} at the last rating, not yet {near}. {_of_the_talk(rupture)}"
            )
        case RepairState.NOT_BACK:
            came = f"None of the {rupture.ratings} ratings since was back {near}; the last was {last}."
            return f"{came} {_of_the_talk(rupture)}"
        case RepairState.BACK_ONCE:
            return f"One rating may be chance: the next one shows whether it stays. {_of_the_talk(rupture)}"
        case RepairState.FELL_AGAIN if rupture.back_at is not None:
            return "It fell again after it had been back once."
        case RepairState.FELL_AGAIN if rupture.is_low_start:
            return f"It fell before a rating was {near}."
        case RepairState.FELL_AGAIN:
            return f"It fell again before it was back {near}."
        case RepairState.UNREPAIRED if ended_back(rupture):
            return f"Ended when it had been back once. The last rating was {last}."
        case RepairState.UNREPAIRED:
            return f"Ended before it was back {near}. The last rating was {last}."
    return ""


def _of_the_talk(rupture: Rupture) -> str:
    if not rupture.talked:
        return "Not talked about yet."
    if rupture.after_talk == 0:
        return "The next rating shows whether the talk helped."
    came = "One rating has come" if rupture.after_talk == 1 else f"{rupture.after_talk} ratings have come"
    return f"{came} since the {'last ' if len(rupture.talked) > 1 else ''}talk."


def _near(rupture: Rupture) -> str:
    """What counts as back; before the fifth rating a low start has no own level, but the cutoff."""
    if rupture.before is None:
        level = "at the level of the cutoff"
    else:
        level = "near the client’s own level" if rupture.is_low_start else "near the earlier level"
    return f"{level} ({points(rupture.goal)} or higher)"


def _total(one: RatedSession) -> int | None:
    return one.rating.total if one.rating else None


def _when(one: RatedSession) -> datetime:
    """When the marks were made: a paper form is typed in later, and an offline one arrives later."""
    return min(one.session.ends_at, one.rating.received_at) if one.rating else one.session.ends_at


def day_of(moment: datetime, now: datetime) -> str:
    return days.day(moment, today=timezone.localdate(now))


def table_words(ruptures: Iterable[Rupture]) -> dict[int, list[tuple[RepairState, str]]]:
    """{session: what the table says of the low points that begin, are back once or end there}."""
    said: dict[int, list[tuple[RepairState, str]]] = {}
    for rupture in ruptures:
        what = "Low start" if rupture.is_low_start else "Low point"
        said.setdefault(rupture.began, []).append((rupture.state, f"{what}: {word(rupture)}"))
        recovered = rupture.ended if rupture.state == RepairState.RECOVERED else None
        if rupture.back_at is not None and rupture.back_at != recovered:
            back = (RepairState.BACK_ONCE, f"Back once after session {rupture.began}")
            said.setdefault(rupture.back_at, []).append(back)
        if recovered is not None:
            told = (rupture.state, f"Recovered after session {rupture.began}")
            said.setdefault(recovered, []).append(told)
    return said
