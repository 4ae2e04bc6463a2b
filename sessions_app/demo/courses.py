"""Plans the invented clients' courses of sessions, from the generative model; writes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from alliance.measurement.simulate import DEMO, LINES, SimulatedCourse, simulate_course, therapist_effect
from clients.models import Ending
from sessions_app.courses.models import Attendance, Modality
from sessions_app.demo import words

Answers = Mapping[str, int | None]
OPEN_EACH, CLOSED_EACH = 11, 9  # courses of each therapist
FIRST_LABEL = 101
STORY_LABEL = f"K-{FIRST_LABEL}"
# The story: a fall on one line, a talk, and the way back. Tenths, in the order of LINES.
STORY = (
    (93, 92, 92, 95),
    (95, 93, 94, 96),
    (96, 94, 94, 97),
    (96, 95, 93, 96),
    (97, 95, 95, 97),
    (89, 88, 64, 91),
    (93, 90, 85, 91),
    (95, 93, 93, 95),
    (97, 95, 94, 97),
    (98, 95, 96, 97),
)
STORY_FALL = 5  # place of the session with the fall
FALL = (10, 30, 15, 20)  # of a last rating that calls for a talk, in the same order
# A fall that lasts although somebody talked: the client whom no single session shows.
LOW_LABEL = f"K-{FIRST_LABEL + 4}"
LOW = (
    (90, 94, 92, 93),
    (92, 93, 93, 94),
    (91, 95, 93, 93),
    (93, 94, 94, 95),
    (90, 95, 92, 94),
    (74, 90, 88, 86),
    (70, 88, 86, 84),
    (72, 87, 84, 83),
    (68, 88, 85, 82),
    (71, 86, 84, 84),
)


@dataclass(frozen=True)
class Visit:
    """One session, and what the client marked at its end, if they did."""

    held_at: datetime
    attendance: Attendance = Attendance.ATTENDED
    answers: Answers | None = None
    comment: str = ""
    handed_over: bool = False  # the tablet is with the client now


@dataclass(frozen=True)
class Course:
    label: str
    therapist: int
    visits: tuple[Visit, ...]
    modality: Modality
    ending: str = ""
    closed_on: date | None = None
    # How likely a flag is talked about.
    talks: float = 0.85
    continues: bool = False  # the client comes from another therapist

    @property
    def is_story(self) -> bool:
        return self.label == STORY_LABEL


def plan(now: datetime, seed: int, therapists: int) -> list[Course]:
    """Every course of the clinic; what is drawn depends on `seed` alone, the dates on `now`."""
    rng = Random(seed)
    planned: list[Course] = []
    for therapist in range(therapists):
        effect = therapist_effect(rng)
        for place in range(OPEN_EACH + CLOSED_EACH):
            label = f"K-{FIRST_LABEL + len(planned)}"
            if label == STORY_LABEL:
                planned.append(_story(now))
            elif label == LOW_LABEL:
                planned.append(_stays_low(now, place))
            elif place < OPEN_EACH:
                planned.append(_open(rng, now, label, therapist, place, effect))
            else:
                planned.append(_closed(rng, now, label, therapist, place, effect))
    planned += _transfers(rng, now, planned, therapists)
    return planned


def _story(now: datetime) -> Course:
    marks = [dict(zip(LINES, answers, strict=True)) for answers in STORY]
    last = timezone.localdate(now) - timedelta(weeks=1)
    visits = [Visit(at, answers=one) for at, one in zip(_times(last, len(marks), 7, 0), marks, strict=True)]
    visits[STORY_FALL] = replace(visits[STORY_FALL], comment=words.STORY_COMMENT)
    visits[STORY_FALL + 1] = replace(visits[STORY_FALL + 1], comment=words.STORY_COMMENT_AFTER)
    return Course(STORY_LABEL, 0, (*visits, *_ahead(now, 0, last, 7)), Modality.IN_PERSON)


def _stays_low(now: datetime, place: int) -> Course:
    marks = [dict(zip(LINES, answers, strict=True)) for answers in LOW]
    last = timezone.localdate(now) - timedelta(days=_days_since(place, 7))
    dated = zip(_times(last, len(marks), 7, place), marks, strict=True)
    visits = [Visit(at, answers=one) for at, one in dated]
    return Course(LOW_LABEL, 0, (*visits, *_ahead(now, place, last, 7)), Modality.IN_PERSON, talks=1.0)


def _open(rng: Random, now: datetime, label: str, therapist: int, place: int, effect: float) -> Course:
    course = simulate_course(rng, DEMO, sessions=rng.randint(5, 18), with_events=True, therapist=effect)
    every = 14 if rng.random() < 0.2 else 7
    drawn = list(_drawn(rng, course))
    today = timezone.localdate(now)
    last = today - timedelta(days=_days_since(place, every))
    times = _times(last, len(drawn), every, place)
    visits = [replace(visit, held_at=at) for visit, at in zip(drawn, times, strict=True)]
    if place == _RATED_TODAY:
        visits[-1] = replace(visits[-1], held_at=_rounded(now - timedelta(hours=3)))
    if place == _STOPPED_RATING:
        attended = [visit for visit in visits if visit.attendance == Attendance.ATTENDED][-2:]
        visits = [
            replace(visit, answers=None, comment="") if visit in attended else visit for visit in visits
        ]
    if place in _FELL_LAST:
        visits = _with_a_fall(visits)
    if place == _LEAVES_A_LINE_OUT:
        rated = [visit for visit in visits if visit.answers][-2:]
        visits = [
            replace(one, answers={**(one.answers or {}), "approach": None}) if one in rated else one
            for one in visits
        ]
    return Course(
        label,
        therapist,
        (*visits, *_ahead(now, place, last, every)),
        _modality(rng),
        talks=_chance_of_a_talk(course),
    )


def _closed(rng: Random, now: datetime, label: str, therapist: int, place: int, effect: float) -> Course:
    course = simulate_course(rng, DEMO, with_events=True, therapist=effect)
    drawn = list(_drawn(rng, course))
    ago = rng.randint(15, max(16, 360 - 7 * len(drawn)))
    last = timezone.localdate(now) - timedelta(days=ago)
    times = _times(last, len(drawn), 7, place)
    return Course(
        label,
        therapist,
        tuple(replace(visit, held_at=at) for visit, at in zip(drawn, times, strict=True)),
        _modality(rng),
        ending=Ending.UNPLANNED if course.dropped_out else Ending.PLANNED,
        closed_on=last + timedelta(days=rng.randint(0, 12)),
        talks=_chance_of_a_talk(course),
    )


def _transfers(rng: Random, now: datetime, planned: list[Course], therapists: int) -> list[Course]:
    """Two clients go on with somebody else: the course starts anew with the other person."""
    some_time_ago = timezone.localdate(now) - timedelta(days=90)
    ended = [
        course
        for course in planned
        if course.closed_on and course.closed_on < some_time_ago and len(course.visits) >= 4
    ]
    return [_transfer(rng, now, planned, course, therapists) for course in ended[:2]]


def _transfer(rng: Random, now: datetime, planned: list[Course], course: Course, therapists: int) -> Course:
    planned[planned.index(course)] = replace(course, ending=Ending.TRANSFERRED)
    other = (course.therapist + 1) % therapists
    following = _open(rng, now, course.label, other, OPEN_EACH, effect=0.0)
    after = tuple(
        one for one in following.visits if course.closed_on and one.held_at.date() > course.closed_on
    )
    return replace(following, visits=after, continues=True)


# --- Marks ---------------------------------------------------------------------------------------


def _drawn(rng: Random, course: SimulatedCourse) -> Iterator[Visit]:
    """The sessions of a simulated course, and between them those that did not take place; dates follow."""
    undated = datetime.min
    for session in course.sessions:
        share = rng.random()
        if session.number > 1 and share < 0.09:
            missed = Attendance.DID_NOT_ATTEND if share < 0.06 else Attendance.CANCELLED
            yield Visit(undated, missed)
        answers = session.answers
        if answers and rng.random() < 0.02:
            answers = {**answers, rng.choice(LINES): None}
        comment = rng.choice(words.COMMENTS) if answers and rng.random() < 0.1 else ""
        yield Visit(undated, answers=answers, comment=comment)


def _with_a_fall(visits: list[Visit]) -> list[Visit]:
    """The same, the last rating 7.5 points below the one before: nobody has talked about it yet."""
    attended = [visit for visit in visits if visit.attendance == Attendance.ATTENDED]
    rated = [one.answers for one in attended[:-1] if one.answers and None not in one.answers.values()]
    if not rated:
        return visits
    fallen = {line: max(0, (rated[-1][line] or 0) - fall) for line, fall in zip(LINES, FALL, strict=True)}
    return [replace(one, answers=fallen) if one is attended[-1] else one for one in visits]


def _chance_of_a_talk(course: SimulatedCourse) -> float:
    """What was repaired had mostly been talked about."""
    if course.event is None or course.event.repaired is None:
        return 0.85
    return 0.97 if course.event.repaired else 0.6


def _modality(rng: Random) -> Modality:
    share = rng.random()
    if share < 0.18:
        return Modality.VIDEO if share < 0.15 else Modality.PHONE
    return Modality.IN_PERSON


# --- Dates ---------------------------------------------------------------------------------------

_PLANNED_TODAY, _WITH_THE_CLIENT, _RATED_TODAY, _LATER_TODAY = range(4)  # places of a therapist's clients
_FELL_LAST = (
    6,
    8,
)  # clients of each therapist whose last rating is far lower: one waits for a talk, one is put off
_STOPPED_RATING = 7  # a client of each therapist whose last two sessions are without a rating
_LEAVES_A_LINE_OUT = 9  # a client of each therapist who left the same line out twice
# Two of the first therapist's clients, with marks that do not count.
DISPUTED_LABEL, WITHDRAWN_LABEL = (f"K-{FIRST_LABEL + place}" for place in (_RATED_TODAY, _STOPPED_RATING))


def _days_since(place: int, every: int) -> int:
    """How long ago the last session was that is over and done."""
    if place == _RATED_TODAY:
        return 0
    if place in {_PLANNED_TODAY, _WITH_THE_CLIENT, _LATER_TODAY}:
        return every
    return 1 + place % 6


def _ahead(now: datetime, place: int, last: date, every: int) -> Iterator[Visit]:
    """What is still to come, and what is happening right now."""
    if place == _PLANNED_TODAY:
        yield Visit(_later(now, 60), Attendance.PLANNED)
    elif place == _LATER_TODAY:
        yield Visit(_later(now, 135), Attendance.PLANNED)
    elif place == _WITH_THE_CLIENT:
        yield Visit(_rounded(now - timedelta(minutes=45)), handed_over=True)
    else:
        yield Visit(_at(last + timedelta(days=every), place), Attendance.PLANNED)


def _later(now: datetime, minutes: int) -> datetime:
    """Later today, or the last quarter of the day where a demo is started that late."""
    end_of_day = timezone.make_aware(datetime.combine(timezone.localdate(now), time(23, 45)))
    return max(now, min(_rounded(now + timedelta(minutes=minutes)), end_of_day))


def _rounded(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)


def _times(last: date, count: int, every: int, place: int) -> list[datetime]:
    """`count` sessions up to `last`, one every `every` days, never at the weekend."""
    days = [last - timedelta(days=every * back) for back in range(count - 1, -1, -1)]
    return [_at(_working_day(day), place) for day in days]


def _at(day: date, place: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(8 + place % 9)))


def _working_day(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))
