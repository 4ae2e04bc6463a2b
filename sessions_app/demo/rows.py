"""Writes the planned courses as the clinic would have, each row with the time it would have had.

The actions all write "now", so the rows are made here, many at a time; the flags come from the one
place that raises flags.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from alliance.measurement import instruments, scoring
from alliance.models import AuditEvent, User
from clients.models import AgeBand, Client, Episode
from sessions_app import actions
from sessions_app.demo import words
from sessions_app.demo.courses import STORY_FALL, Course, Visit
from sessions_app.demo.staff import Team
from sessions_app.models import (
    OVERDUE_AFTER,
    SESSION_LENGTH,
    Attendance,
    Channel,
    Discussion,
    Flag,
    Mode,
    Rating,
    RatingGrant,
    TherapySession,
    hash_of_token,
)

# Share of the ratings a client gave otherwise than on the lines of the tablet.
MODES = ((0.04, Mode.NUMBER), (0.07, Mode.PAPER), (0.085, Mode.VERBAL), (1.0, Mode.LINE))


def write(courses: list[Course], team: Team, now: datetime, seed: int) -> None:
    rng = Random(seed)
    episodes = _episodes(courses, team, rng)
    sessions = _sessions(courses, episodes)
    _ratings(sessions, rng, now)
    for episode in episodes:
        actions.refresh_flags(episode=episode, now=now)
    _date_flags()
    _discussions(courses, episodes, rng, now)
    _log(now)


def _episodes(courses: list[Course], team: Team, rng: Random) -> list[Episode]:
    clients = {
        course.label: Client(
            label=course.label,
            age_band=AgeBand.ADOLESCENT if rng.random() < 0.08 else AgeBand.ADULT,
            registered_at=course.visits[0].held_at - timedelta(days=6),
        )
        for course in courses
        if not course.continues
    }
    Client.objects.bulk_create(clients.values())
    return Episode.objects.bulk_create(
        Episode(
            client=clients[course.label],
            therapist=team.therapists[course.therapist],
            opened_on=timezone.localdate(course.visits[0].held_at),
            closed_on=course.closed_on,
            ending=course.ending,
        )
        for course in courses
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
                modality=course.modality,
                attendance=visit.attendance,
            ),
            visit,
        )
        for course, episode in zip(courses, episodes, strict=True)
        for number, visit in enumerate(course.visits, start=1)
    ]
    TherapySession.objects.bulk_create([session for session, _ in held], batch_size=500)
    return held


def _ratings(held: Held, rng: Random, now: datetime) -> None:
    instrument = instruments.get(instruments.SESSION_RATING)
    grants: list[RatingGrant] = []
    ratings: list[Rating] = []
    for session, visit in held:
        if visit.handed_over:
            grants.append(_grant(session, rng, now - timedelta(minutes=1), Channel.TABLET))
        if visit.answers is None:
            continue
        share = rng.random()
        mode = next(mode for limit, mode in MODES if share < limit)
        received_at = session.ends_at - timedelta(minutes=rng.randint(1, 6))
        channel = Channel.TABLET if mode in {Mode.LINE, Mode.NUMBER} else Channel(mode.value)
        grants.append(_grant(session, rng, received_at - timedelta(minutes=2), channel))
        score = scoring.score(instrument, visit.answers)
        ratings.append(
            Rating(
                grant=grants[-1],
                session=session,
                instrument=instrument.id,
                instrument_version=instrument.version,
                answers=score.answers,
                total=score.total,
                comment=visit.comment,
                share_comment=bool(visit.comment) and rng.random() < 0.5,
                language="en",
                mode=mode,
                received_at=received_at,
                sha256=actions.hash_of_answers(score.answers, visit.comment),
            )
        )
    RatingGrant.objects.bulk_create(grants, batch_size=500)
    Rating.objects.bulk_create(ratings, batch_size=500)


def _grant(session: TherapySession, rng: Random, made_at: datetime, channel: Channel) -> RatingGrant:
    return RatingGrant(
        session=session,
        instrument=instruments.SESSION_RATING,
        instrument_version=instruments.get(instruments.SESSION_RATING).version,
        token_hash=hash_of_token(rng.randbytes(32).hex()),
        channel=channel,
        made_at=made_at,
        made_by=session.episode.therapist,
        open_until=made_at + actions.OPEN_FOR,
        accept_until=made_at + actions.ACCEPT_FOR,
    )


def _date_flags() -> None:
    """Each flag was raised when its rating came; a missing rating a day after the session's end."""
    received_at = Rating.objects.filter(pk=OuterRef("rating")).values("received_at")
    Flag.objects.filter(rating__isnull=False).update(raised_at=Subquery(received_at))
    ended_at = TherapySession.objects.filter(pk=OuterRef("session")).values("ends_at")
    gaps = Flag.objects.filter(rating__isnull=True)
    gaps.update(raised_at=Subquery(ended_at))
    gaps.update(raised_at=F("raised_at") + OVERDUE_AFTER)


# --- Conversations -------------------------------------------------------------------------------


def _discussions(courses: list[Course], episodes: list[Episode], rng: Random, now: datetime) -> None:
    for course, episode in zip(courses, episodes, strict=True):
        sessions = list(episode.sessions.order_by("number").prefetch_related("flags"))
        for place, session in enumerate(sessions):
            flags = list(session.flags.all())
            if not flags:
                continue
            if course.is_story:
                if place == STORY_FALL:
                    at = sessions[place + 1].held_at + timedelta(minutes=8)
                    _discuss(session, flags, (words.STORY_SAID, words.STORY_AGREED), at, episode.therapist)
                continue
            at = _when(rng, session, sessions[place + 1 :])
            chance = course.talks if any(flag.on_work_list for flag in flags) else 0.15
            if rng.random() < _fresh(chance, session.held_at, now) and at < now:
                _discuss(session, flags, _said(rng, flags), at, episode.therapist)


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


def _log(now: datetime) -> None:
    """The lines that hand-overs, ratings and discussions would have left, in the order of their times."""
    to_client = ("session__episode__client__code", "code")
    lines = [
        AuditEvent(
            at=at, action="handed over", entity="ratinggrant", actor=actor, client=client, entity_code=code
        )
        for at, actor, client, code in RatingGrant.objects.values_list("made_at", "made_by", *to_client)
    ]
    lines += [
        AuditEvent(
            at=at, action="rated", entity="rating", client=client, entity_code=code, detail={"mode": mode}
        )
        for at, mode, client, code in Rating.objects.values_list("received_at", "mode", *to_client)
    ]
    lines += [
        AuditEvent(
            at=at, action="discussed", entity="discussion", actor=actor, client=client, entity_code=code
        )
        for at, actor, client, code in Discussion.objects.values_list(
            "discussed_at", "discussed_by", *to_client
        )
    ]
    AuditEvent.objects.bulk_create(sorted(lines, key=lambda line: line.at), batch_size=500)
