"""Writes the planned courses as the clinic would have, each row with the time it would have had.

The actions all write "now", so the rows are made here, many at a time; a test compares the flags with
those the actions would raise.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.overdue import OVERDUE_AFTER
from alliance.models import AuditEvent, User
from clients.models import AgeBand, Client, Episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import (
    SESSION_LENGTH,
    Attendance,
    Mode,
    Rating,
    SetAsideRating,
    TherapySession,
)
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.demo import deferrals, follow_ups, given, set_aside, statistics, words
from sessions_app.demo.courses import (
    DISPUTED_LABEL,
    STORY_FALL,
    WITHDRAWN_LABEL,
    Course,
    Visit,
)
from sessions_app.demo.staff import Team
from sessions_app.flags import course
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments import rule_settings

SEED_OF_LOOKS = 59  # of their own, so that courses stay as they are
# Share of the ratings a client gave otherwise than on the lines of the tablet.
MODES = ((0.04, Mode.NUMBER), (0.07, Mode.PAPER), (0.085, Mode.VERBAL), (1.0, Mode.LINE))


def write(courses: list[Course], team: Team, now: datetime, seed: int) -> None:
    rng = Random(seed)
    episodes = _episodes(courses, team, rng)
    sessions = _sessions(courses, episodes)
    _ratings(sessions, rng, now)
    _set_aside(courses, episodes)
    flags(episodes, now)
    statistics.renew()
    _discussions(courses, episodes, rng, now, deferrals.Decisions(seed, now))
    follow_ups.write(rng, now)


def _episodes(courses: list[Course], team: Team, rng: Random) -> list[Episode]:
    clients = {
        planned.label: Client(
            label=planned.label,
            age_band=AgeBand.ADOLESCENT if rng.random() < 0.08 else AgeBand.ADULT,
            registered_at=planned.visits[0].held_at - timedelta(days=6),
        )
        for planned in courses
        if not planned.continues
    }
    Client.objects.bulk_create(clients.values())
    return Episode.objects.bulk_create(
        Episode(
            client=clients[planned.label],
            therapist=team.therapists[planned.therapist],
            opened_on=timezone.localdate(planned.visits[0].held_at),
            closed_on=planned.closed_on,
            ending=planned.ending,
        )
        for planned in courses
    )


Held = list[tuple[TherapySession, Visit]]


def _sessions(courses: list[Course], episodes: list[Episode]) -> Held:
    held = [
        (
            TherapySession(
                episode=episode,
                number=number,
                held_at=visit.held_at,
                ends_at=visit.held_at + SESSION_LENGTH,
                modality=planned.modality,
                attendance=visit.attendance,
            ),
            visit,
        )
        for planned, episode in zip(courses, episodes, strict=True)
        for number, visit in enumerate(planned.visits, start=1)
    ]
    TherapySession.objects.bulk_create([session for session, _ in held], batch_size=500)
    return held


def _ratings(held: Held, rng: Random, now: datetime) -> None:
    instrument = instruments.get(instruments.SESSION_RATING)
    grants: list[RatingGrant] = []
    ratings: list[Rating] = []
    for session, visit in held:
        if visit.handed_over:
            grants.append(given.grant(session, instrument, rng, now - timedelta(minutes=1)))
        if visit.answers is None:
            continue
        share = rng.random()
        mode = next(mode for limit, mode in MODES if share < limit)
        received_at = session.ends_at - timedelta(minutes=rng.randint(1, 6))
        channel = Channel.TABLET if mode in {Mode.LINE, Mode.NUMBER} else Channel(mode.value)
        grants.append(
            given.grant(session, instrument, rng, received_at - timedelta(minutes=2), channel=channel)
        )
        share_comment = bool(visit.comment) and rng.random() < 0.5
        ratings.append(
            given.rating(
                grants[-1],
                visit.answers,
                received_at,
                mode=mode,
                comment=visit.comment,
                share_comment=share_comment,
            )
        )
    RatingGrant.objects.bulk_create(grants, batch_size=500)
    Rating.objects.bulk_create(ratings, batch_size=500)


def _set_aside(courses: list[Course], episodes: list[Episode]) -> None:
    for planned, episode in zip(courses, episodes, strict=True):
        if planned.label == DISPUTED_LABEL and planned.closed_on is None:
            set_aside.disputed(episode)
        if planned.label == WITHDRAWN_LABEL and planned.closed_on is None:
            set_aside.withdrawn(episode)


def flags(episodes: list[Episode], now: datetime) -> None:
    """Every flag the rules raise, dated when its rating came, or a day after a session without one."""
    rules = rule_settings.in_force()
    Flag.objects.bulk_create(
        (
            Flag(
                session=one.session,
                rating=one.rating if finding.rule != "G" else None,
                instrument=course.instrument_of_flag(one.instrument, finding.rule),
                rule=finding.rule,
                is_new=finding.is_new,
                on_work_list=finding.on_work_list,
                evidence=course.evidence_of(finding, one.instrument, one.parameters),
                settings_version=rules.name,
                raised_at=one.rating.received_at
                if one.rating and finding.rule != "G"
                else one.session.ends_at + OVERDUE_AFTER,
            )
            for episode in episodes
            for one in course.read(episode, now, rules)
            for finding in one.findings
        ),
        batch_size=500,
    )


# --- Conversations -------------------------------------------------------------------------------


def _discussions(
    courses: list[Course],
    episodes: list[Episode],
    rng: Random,
    now: datetime,
    decisions: deferrals.Decisions,
) -> None:
    for planned, episode in zip(courses, episodes, strict=True):
        sessions = list(episode.sessions.order_by("number").prefetch_related("flags"))
        for place, session in enumerate(sessions):
            flags = list(session.flags.all())
            if not flags:
                continue
            if planned.is_story:
                if place == STORY_FALL:
                    at = sessions[place + 1].held_at + timedelta(minutes=8)
                    _discuss(session, flags, (words.STORY_SAID, words.STORY_AGREED), at, episode.therapist)
                continue
            if decisions.waits(session, flags, sessions[place + 1 :]):
                continue
            at = _when(rng, session, sessions[place + 1 :])
            chance = planned.talks if any(flag.on_work_list for flag in flags) else 0.15
            if rng.random() < _fresh(chance, session.held_at, now) and at < now:
                _discuss(session, flags, _said(rng, flags), at, episode.therapist)
            else:
                decisions.leaves(session, flags)


def _fresh(chance: float, held_at: datetime, now: datetime) -> float:
    """What was raised in the last days has mostly not been talked about yet."""
    return chance * 0.4 if now - held_at < timedelta(days=8) else chance


def _when(rng: Random, session: TherapySession, following: Iterable[TherapySession]) -> datetime:
    """At once, or at the start of the next session that took place."""
    attended = [one for one in following if one.attendance == Attendance.ATTENDED]
    if attended and rng.random() < 0.4:
        return attended[0].held_at + timedelta(minutes=6)
    return session.ends_at + timedelta(minutes=rng.randint(0, 4))


def _said(rng: Random, flags: list[Flag]) -> tuple[str, str]:
    rules = {flag.rule for flag in flags}
    if rules == {"F"}:
        return rng.choice(words.FLAT_TOP)
    if rules == {"G"}:
        return rng.choice(words.MISSING)
    lines = [flag.evidence["line"] for flag in flags if flag.evidence.get("line")]
    return rng.choice(words.TALKS[lines[0] if lines else "overall"])


def _discuss(
    session: TherapySession, flags: list[Flag], said: tuple[str, str], at: datetime, by: User
) -> None:
    discussion = Discussion.objects.create(
        session=session, said=said[0], agreed=said[1], discussed_at=at, discussed_by=by
    )
    discussion.flags.set(flags)


# --- The access log ------------------------------------------------------------------------------


def log(now: datetime, beside: list[AuditEvent]) -> None:
    """The lines that hand-overs, ratings and conversations would have left, in the order of their times."""
    taken_back = RatingGrant.every.filter(withdrawn_at__isnull=False)
    first_of_sets = RatingGrant.every.filter(place_in_set=0)
    for_others = first_of_sets.exclude(rater=Rater.CLIENT)
    lines = [
        *beside,
        *_lines(LogEvent.HANDED_OVER, first_of_sets.filter(rater=Rater.CLIENT), "made"),
        *_lines(LogEvent.LINK_MADE_FOR_ANOTHER, for_others, "made", "rater"),
        *_lines(LogEvent.RATED, Rating.objects.all(), "received", "mode"),
        *_lines(LogEvent.QUESTIONNAIRE_ANSWERED, QuestionnaireResponse.objects.all(), "received", "rater"),
        *_lines(LogEvent.DISCUSSED, Discussion.objects.all(), "discussed"),
        *_lines(LogEvent.DEFERRED, Deferral.objects.all(), "deferred"),
        *_lines(LogEvent.HAND_OVER_TAKEN_BACK, taken_back, "withdrawn"),
        *_lines(LogEvent.RATING_SET_ASIDE, SetAsideRating.objects.all(), "received"),
        *_lines(LogEvent.FOLLOW_UP_NOTED, FollowUp.objects.all(), "noted"),
    ]
    AuditEvent.objects.bulk_create(sorted([*lines, *_looks(now)], key=lambda line: line.at), batch_size=500)


def _looks(now: datetime) -> Iterator[AuditEvent]:
    """Before about three of four sessions the therapist opened the client's page."""
    rng = Random(SEED_OF_LOOKS)
    held = TherapySession.objects.attended().filter(held_at__lte=now).select_related("episode__client")
    for session in held.order_by("held_at", "number", "pk"):
        if rng.random() < 0.75:
            yield AuditEvent(
                at=session.held_at - timedelta(minutes=rng.randint(2, 90)),
                action=LogEvent.VIEWED.value,
                entity="episode",
                entity_code=session.episode.code,
                client=session.episode.client_code,
                actor=session.episode.therapist_id,
            )


def _lines(event: LogEvent, rows: QuerySet[Any], done: str, *detail: str) -> Iterator[AuditEvent]:
    """done: the rows have `<done>_at`, and `<done>_by` unless it is the client who did it."""
    entity, by = rows.model._meta.model_name, f"{done}_by"
    has_actor = any(field.name == by for field in rows.model._meta.get_fields())
    for row in rows.select_related("session__episode__client"):
        yield AuditEvent(
            at=getattr(row, f"{done}_at"),
            action=event.value,
            entity=entity,
            entity_code=row.code,
            client=row.session.episode.client.code,
            actor=getattr(row, f"{by}_id") if has_actor else None,
            detail={name: getattr(row, name) for name in detail},
        )
