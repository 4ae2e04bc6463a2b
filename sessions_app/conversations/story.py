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
from sessions_app.conversations.repairs import WORDS
from sessions_app.courses.models import Rating
from sessions_app.flags.course import RatedSession
from sessions_app.flags.models import Discussion


class Kind(IntEnum):
    """What a moment tells; of two at the same time the lower comes first."""

    FALL = 0
    RATING = 1
    TALK = 2
    HELPED = 3


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


@dataclass(frozen=True)
class Chapter:
    """One rupture, from the fall to what came of it; the moments in the order of time."""

    rupture: Rupture
    state: RepairState
    word: str
    headline: str
    moments: list[Moment]
    outcome: str  # how it stands, as a sentence; empty where the last moment says it


@dataclass
class Notes:
    """What people said about the sessions of one episode, as far as the reader may read it."""

    discussions: Sequence[Discussion]
    follow_ups: Mapping[int, FollowUp]  # by the discussion
    comments: Mapping[int, str] = field(default_factory=dict)  # by the number of the session


def tell(
    ruptures: Iterable[Rupture], rated: Sequence[RatedSession], notes: Notes, now: datetime
) -> list[Chapter]:
    """The stories of an episode, the newest first."""
    by_number = {one.session.number: one for one in rated}
    chapters = [_chapter(rupture, by_number, notes, now) for rupture in ruptures]
    return chapters[::-1]


def _chapter(rupture: Rupture, by_number: Mapping[int, RatedSession], notes: Notes, now: datetime) -> Chapter:
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
        word=WORDS[rupture.state].capitalize(),
        headline=_headline(rupture),
        moments=sorted(moments, key=lambda one: (one.kind != Kind.FALL, one.at, one.kind)),
        outcome=_outcome(rupture, [one for one in within if _total(one) is not None]),
    )


def _headline(rupture: Rupture) -> str:
    if rupture.ended is None:
        return f"Since session {rupture.began}"
    if rupture.ended == rupture.began:
        return f"Session {rupture.began}"
    return f"Sessions {rupture.began} to {rupture.ended}"


def _falls(rupture: Rupture, one: RatedSession, notes: Notes, now: datetime) -> Iterable[Moment]:
    yield _moment(Kind.FALL, one, f"Session {rupture.began}: {_fall(rupture, one)}.", notes, now)


def _fall(rupture: Rupture, one: RatedSession) -> str:
    said = points(rupture.total)
    fell = rupture.previous is not None and rupture.total < rupture.previous
    said += " at the first rating" if rupture.previous is None else f" after {points(rupture.previous)}"
    strongest = next((f for f in one.findings if f.rule == rupture.rules[0]), None)
    line = strongest.evidence.get("line") if strongest else None
    if isinstance(line, str):
        said += f", {'mostly' if fell else 'lowest on'} {one.instrument.item(line).label}"
    return said


def _ratings(
    rupture: Rupture, within: list[RatedSession], talks: list[Discussion], notes: Notes, now: datetime
) -> Iterable[Moment]:
    """Not every rating: the lowest, each new fall, the first after each talk, and the one that is back."""
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
        return f"{points(total)}, back {_near(rupture)}"
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


def _outcome(rupture: Rupture, later: list[RatedSession]) -> str:
    if rupture.state == RepairState.OPEN:
        return "Not talked about yet."
    if rupture.state == RepairState.DISCUSSED:
        return _after_the_talk(rupture, later)
    last = points(_total(later[-1]) or 0) if later else points(rupture.total)
    if rupture.state == RepairState.RECOVERING:
        low = points(rupture.lowest)
        return f"Higher than at its lowest ({low}): {last} at the last rating, not yet {_near(rupture)}."
    if rupture.state == RepairState.UNREPAIRED:
        return f"Ended before it was back {_near(rupture)}. The last rating was {last}."
    return ""


def _after_the_talk(rupture: Rupture, later: list[RatedSession]) -> str:
    if not later or later[-1].session.number <= rupture.talked[-1]:
        return "The next rating shows whether it helped."
    last = _total(later[-1])
    if last == rupture.lowest:
        return "No higher rating yet."
    return f"{points(last or 0)} at the last rating, after another sudden fall."


def _near(rupture: Rupture) -> str:
    """What counts as back; before a first rating there is no usual level, but the cutoff."""
    level = "near the usual level" if rupture.before is not None else "at the level of the cutoff"
    return f"{level} ({points(rupture.goal)} or higher)"


def _total(one: RatedSession) -> int | None:
    return one.rating.total if one.rating else None


def _when(one: RatedSession) -> datetime:
    """When the marks were made: a paper form is typed in later, and an offline one arrives later."""
    return min(one.session.ends_at, one.rating.received_at) if one.rating else one.session.ends_at


def day_of(moment: datetime, now: datetime) -> str:
    return days.day(moment, today=timezone.localdate(now))


def table_words(ruptures: Iterable[Rupture]) -> dict[int, list[tuple[RepairState, str]]]:
    """{session: what the table says of the ruptures that begin or end there}."""
    said: dict[int, list[tuple[RepairState, str]]] = {}
    for rupture in ruptures:
        said.setdefault(rupture.began, []).append((rupture.state, f"Low point: {WORDS[rupture.state]}"))
        if rupture.state == RepairState.RECOVERED and rupture.ended is not None:
            back = (rupture.state, f"Back after session {rupture.began}")
            said.setdefault(rupture.ended, []).append(back)
    return said
