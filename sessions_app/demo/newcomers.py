"""Clients whose forms are other ones than those of the clinic: a child with a caregiver, and a group of five."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from random import Random

from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.form_plan import Frequency, Moment
from alliance.measurement.simulate import LINES
from alliance.models import AuditEvent, User
from clients.models import AgeBand, Client, Episode
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import SESSION_LENGTH, Attendance, Rating, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tokens import hash_of_token
from sessions_app.demo import given, planned, rows
from sessions_app.demo.given import MINUTE
from sessions_app.demo.lines import line
from sessions_app.demo.staff import Team
from sessions_app.groups.models import GROUP_SESSION_LENGTH, Group, GroupAttendance, GroupMember, GroupSession

GROUP_NAME = "Evening group"
# Totals in points, one a week; None: not there. The others stay where they are, and one falls away from them.
MEMBERS: Mapping[str, tuple[float | None, ...]] = {
    "K-221": (33.5, 34.0, 34.8, 34.2, 35.0, 35.4, 35.1, 35.8),
    "K-222": (36.2, 35.8, 36.5, 36.9, 36.4, 37.0, 36.8, 37.1),
    "K-223": (35.1, 35.9, None, 36.2, 35.6, 36.4, 36.0, 36.3),
    "K-224": (36.0, 36.8, 36.4, 36.9, 36.6, 32.0, 29.4, 27.9),
    "K-225": (31.8, 32.5, 32.2, None, 33.4, 33.0, 33.9, 34.2),
}
NUMBERS = (214, 358, 472, 691, 836)  # none of them a slip of another
CHILD = "K-226"
CHILD_TOTALS = (29.0, 31.2, 30.4, 32.8, 33.5, 33.1, 34.6, 34.0, 35.2)
MOTHER = "mother"
# What the mother marks, on relationship, goals, approach and overall.
MOTHERS = ((62, 48, 55, 54), (70, 61, 66, 65), (78, 70, 73, 75))
EVERY_WEEKS = 4


def write(team: Team, now: datetime) -> list[AuditEvent]:
    """All of them are with one therapist, who leads the group with another one; the lines of the log."""
    therapist, other = team.therapists[2], team.therapists[1]
    rng = Random("newcomers")
    return [*_child(team, therapist, now, rng), *_group(therapist, other, now, rng)]


# --- A child, and who brings it up -------------------------------------------------------------------


def _child(team: Team, therapist: User, now: datetime, rng: Random) -> Iterator[AuditEvent]:
    form, of_mother = (instruments.get(f"{name}-session-rating") for name in ("child", "caregiver"))
    days = _weekly(now, len(CHILD_TOTALS), days_ago=2, hour=15)
    before = days[0] - timedelta(days=5)
    band, office = AgeBand.CHILD, team.administrator
    _, scale = planned.plan(form.id, Moment.RATING, before, by=office, age_band=band)
    _, asked = planned.plan(
        of_mother.id,
        Moment.END,
        before + MINUTE,
        by=office,
        frequency=Frequency.WEEKS,
        every=EVERY_WEEKS,
        age_band=band,
    )
    yield from (scale, asked)
    episode = _episode(CHILD, therapist, days[0], band)
    sessions = _held(episode, list(enumerate(days, start=1)), SESSION_LENGTH)
    ratings = [_rating(one, form.id, total, rng) for one, total in zip(sessions, CHILD_TOTALS, strict=True)]
    given.store(ratings)
    given.store(list(_of_the_mother(sessions[::EVERY_WEEKS], rng)))
    _held(episode, [(len(days) + 1, days[-1] + timedelta(weeks=1))], SESSION_LENGTH, Attendance.PLANNED)
    rows.flags([episode], now)


def _of_the_mother(sessions: list[TherapySession], rng: Random) -> Iterator[QuestionnaireResponse]:
    """By a link on her own phone, which she opens in the evening."""
    form = instruments.get("caregiver-session-rating")
    for session, marks in zip(sessions, MOTHERS, strict=True):
        made_at = session.ends_at + 3 * MINUTE
        opened_at = made_at + rng.randint(12, 60) * MINUTE
        grant = given.grant(session, form, rng, made_at, channel=Channel.PHONE)
        grant.rater, grant.rater_label = Rater.CAREGIVER, MOTHER
        grant.link_hash, grant.opened_at = hash_of_token(rng.randbytes(32).hex()), opened_at
        grant.open_until = made_at + timedelta(days=1)
        answers = dict(zip(LINES, marks, strict=True))
        yield given.response(grant, form, answers, opened_at + 2 * MINUTE)


# --- A group -----------------------------------------------------------------------------------------


def _group(leader: User, co_leader: User, now: datetime, rng: Random) -> Iterator[AuditEvent]:
    days = _weekly(now, len(next(iter(MEMBERS.values()))), days_ago=3, hour=18)
    made_at = days[0] - timedelta(days=4)
    group = Group.objects.create(name=GROUP_NAME, leader=leader, co_leader=co_leader, made_at=made_at)
    yield line(LogEvent.GROUP_MADE, group, made_at, by=leader)
    held = [_group_session(group, day, leader) for day in days]
    yield from (line(LogEvent.GROUP_SESSION_BEGUN, one, one.begun_at, by=leader) for one in held)
    ratings: list[Rating] = []
    episodes: list[Episode] = []
    for number, (label, totals) in zip(NUMBERS, MEMBERS.items(), strict=True):
        episode = _episode(label, leader, days[0], AgeBand.ADULT)
        member = GroupMember.objects.create(
            group=group, episode=episode, number=number, joined_on=timezone.localdate(made_at)
        )
        yield line(LogEvent.GROUP_JOINED, member, made_at + (len(episodes) + 1) * MINUTE, by=leader)
        there = [
            (day, one, total) for day, one, total in zip(days, held, totals, strict=True) if total is not None
        ]
        numbered = [(place, day) for place, (day, _one, _total) in enumerate(there, start=1)]
        sessions = _held(episode, numbered, GROUP_SESSION_LENGTH)
        GroupAttendance.objects.bulk_create(
            GroupAttendance(group_session=one, member=member, session=session)
            for session, (_day, one, _total) in zip(sessions, there, strict=True)
        )
        ratings += [
            _rating(session, group.form.id, total, rng)
            for session, (_day, _one, total) in zip(sessions, there, strict=True)
        ]
        episodes.append(episode)
    given.store(ratings)
    rows.flags(episodes, now)


def _group_session(group: Group, day: datetime, by: User) -> GroupSession:
    return GroupSession.objects.create(
        group=group, held_at=day, ends_at=day + GROUP_SESSION_LENGTH, begun_at=day + 4 * MINUTE, begun_by=by
    )


# --- Rows ---------------------------------------------------------------------------------------------


def _weekly(now: datetime, count: int, *, days_ago: int, hour: int) -> list[datetime]:
    last = timezone.localdate(now) - timedelta(days=days_ago)
    dates = [last - timedelta(weeks=back) for back in range(count - 1, -1, -1)]
    return [timezone.make_aware(datetime.combine(day, time(hour))) for day in dates]


def _episode(label: str, therapist: User, first: datetime, age_band: AgeBand) -> Episode:
    client = Client.objects.create(label=label, age_band=age_band, registered_at=first - timedelta(days=6))
    return Episode.objects.create(client=client, therapist=therapist, opened_on=timezone.localdate(first))


def _held(
    episode: Episode,
    numbered: list[tuple[int, datetime]],
    length: timedelta,
    attendance: Attendance = Attendance.ATTENDED,
) -> list[TherapySession]:
    return TherapySession.objects.bulk_create(
        TherapySession(
            episode=episode, number=number, held_at=day, ends_at=day + length, attendance=attendance
        )
        for number, day in numbered
    )


def _rating(session: TherapySession, form: str, total: float, rng: Random) -> Rating:
    """Lines that add up to this total, in points."""
    left, answers = round(10 * total), dict[str, int | None]()
    for place, name in enumerate(LINES):
        others = len(LINES) - place - 1
        mark = (
            max(left - 100 * others, min(100, round(left / (others + 1)) + rng.randint(-5, 5)))
            if others
            else left
        )
        answers[name] = mark
        left -= mark
    at = session.ends_at - rng.randint(1, 5) * MINUTE
    grant: RatingGrant = given.grant(session, instruments.get(form), rng, at - 2 * MINUTE)
    return given.rating(grant, answers, at)
