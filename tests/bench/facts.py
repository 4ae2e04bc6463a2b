"""The facts of an invented clinic: people, long courses, and one rating for nearly every session.

Models are asked for by name and fields that a revision lacks are left out, so that an older revision can be
filled as well.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from alliance.measurement import instruments

SEED = 2026
TEAM = 10  # therapists of the supervisor whose caseload is measured
CLIENTS = 20  # open courses of each therapist, and as many closed ones where there is a history
# Sessions of a therapist's clients: 50 ratings on average. Short and very long courses are pages of their own.
SHORT, USUAL, LONG = 16, 56, 200
LENGTHS = (*[SHORT] * 6, *[USUAL] * 13, LONG)
FIRST_LABEL = 100_001
# The last therapist is in no team: their clients take the ratings that are handed in, 25 for each client.
TO_RATE = 25
LENGTH = timedelta(minutes=50)
FALL, FALLS = 0.06, (25, 60, 110)  # chance in each session, and tenths lower in the total


def made(name: str, /, **values: Any) -> Any:
    """An unsaved row; what this revision has no field for is left out."""
    model = apps.get_model(name)
    fields = {field.name for field in model._meta.get_fields()}
    return model(**{key: value for key, value in values.items() if key in fields})


def stored(rows: list[Any]) -> list[Any]:
    return type(rows[0]).objects.bulk_create(rows, batch_size=1000) if rows else rows


def write(now: datetime, *, history: bool) -> None:
    """About 10,000 ratings of the open courses; with `history` as many of closed ones."""
    rng = Random(SEED)
    therapists = [_person(f"Therapist {number}", is_therapist=True) for number in range(TEAM + 1)]
    others = [_person("Supervisor", is_supervisor=True), _person("Administrator", is_administrator=True)]
    people = stored(therapists + others)
    stored(
        [made("mfa.Authenticator", user=person, type="totp", data={"secret": "none"}) for person in people]
    )
    stored(
        [
            made("clients.Supervision", supervisor=others[0], therapist=one, starts_on=_day(now, 900))
            for one in therapists[:TEAM]
        ]
    )
    _courses(rng, now, therapists, ended=0)
    if history:
        _courses(rng, now, therapists, ended=400)


def _person(name: str, **roles: bool) -> Any:
    email = f"{name.replace(' ', '')}@bench.example".lower()
    return made("alliance.User", email=email, name=name, password=make_password(None), **roles)


def _day(now: datetime, days: int) -> Any:
    return timezone.localdate(now - timedelta(days=days))


def _courses(rng: Random, now: datetime, therapists: list[Any], *, ended: int) -> None:
    """`ended`: days since the last session of a closed course; 0: the courses are open."""
    first = FIRST_LABEL + (len(therapists) * CLIENTS if ended else 0)
    planned = [(one, LENGTHS[place]) for one in therapists for place in range(CLIENTS)]
    clients = stored(
        [
            made("clients.Client", label=f"K-{first + place}", registered_at=now)
            for place in range(len(planned))
        ]
    )
    episodes = stored(
        [
            made(
                "clients.Episode",
                client=client,
                therapist=therapist,
                opened_on=_day(now, ended + 7 * length + 7),
                closed_on=_day(now, ended) if ended else None,
                ending="planned" if ended else "",
            )
            for client, (therapist, length) in zip(clients, planned, strict=True)
        ]
    )
    sessions: list[Any] = []
    for place, (episode, (therapist, length)) in enumerate(zip(episodes, planned, strict=True)):
        sessions += _sessions(rng, now - timedelta(days=ended), episode, length, place)
        if not ended:
            sessions += _ahead(now, episode, length, place, to_rate=therapist is therapists[-1])
    _ratings(rng, [one for one in stored(sessions) if hasattr(one, "marks")], now)


def _sessions(rng: Random, now: datetime, episode: Any, length: int, place: int) -> Iterator[Any]:
    """One each week, the last one in the last six days; one in thirty missed, one in sixty without a rating."""
    level = {item.id: rng.randint(78, 97) for item in instruments.get(instruments.SESSION_RATING).items}
    last = now - timedelta(days=1 + place % 6, hours=place % 5)
    for number in range(1, length + 1):
        missed = rng.random() < 1 / 30 and number > 1
        session = _session(
            episode,
            number,
            last - timedelta(weeks=length - number),
            "did_not_attend" if missed else "attended",
        )
        if not missed and rng.random() > 1 / 60:
            session.marks = _marks(rng, level)
        yield session


def _ahead(now: datetime, episode: Any, length: int, place: int, *, to_rate: bool) -> Iterator[Any]:
    """What is still to come: today for every seventh client. Or, for one therapist, sessions of the last hours."""
    if to_rate:
        for more in range(1, TO_RATE + 1):
            yield _session(
                episode, length + more, now - timedelta(hours=3 * (TO_RATE - more) / TO_RATE, minutes=55)
            )
    else:
        days = 0 if place % 7 == 0 else 1 + place % 6
        yield _session(episode, length + 1, now + timedelta(days=days, minutes=1), "planned")


def _session(episode: Any, number: int, at: datetime, attendance: str = "attended") -> Any:
    return made(
        "sessions_app.TherapySession",
        episode=episode,
        number=number,
        held_at=at,
        ends_at=at + LENGTH,
        attendance=attendance,
    )


def _marks(rng: Random, level: dict[str, int]) -> dict[str, int]:
    fall = rng.choice(FALLS) if rng.random() < FALL else 0
    hit = rng.choice(sorted(level))
    lower = {item: fall // 2 if item == hit else fall // 6 for item in level}
    return {item: min(100, max(0, round(rng.gauss(mean, 2.5)) - lower[item])) for item, mean in level.items()}


def _ratings(rng: Random, sessions: list[Any], now: datetime) -> None:
    instrument = instruments.get(instruments.SESSION_RATING)
    form = {"instrument": instrument.id, "instrument_version": instrument.version}
    grants = stored(
        [
            made(
                "sessions_app.RatingGrant",
                session=session,
                token_hash=rng.randbytes(32).hex(),
                channel="tablet",
                made_at=session.ends_at - timedelta(minutes=6),
                made_by=session.episode.therapist,
                open_until=session.ends_at + timedelta(minutes=24),
                accept_until=session.ends_at + timedelta(days=7),
                **form,
            )
            for session in sessions
        ]
    )
    stored(
        [
            made(
                "sessions_app.Rating",
                grant=grant,
                session=session,
                answers=session.marks,
                total=sum(session.marks.values()),
                comment="It was good to have time for that." if rng.random() < 0.1 else "",
                language="en",
                mode="line",
                received_at=session.ends_at - timedelta(minutes=3),
                sha256=rng.randbytes(32).hex(),
                **form,
            )
            for session, grant in zip(sessions, grants, strict=True)
        ]
    )
