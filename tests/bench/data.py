"""A large invented clinic, and browsers that are signed in or locked for a rating."""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from random import Random

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance import device_lock
from alliance.measurement import instruments
from alliance.models import User
from alliance.session_store import SessionStore
from clients.models import Episode, Supervision
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import SESSION_LENGTH, Rating, TherapySession
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.demo import courses, rows
from sessions_app.demo.staff import Team
from sessions_app.intake import hand_over_actions, sealed_upload
from tests.bench.sealed import parcel

SEED = 2026
TEAM_SIZE = 10  # supervisees of each supervisor
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass(frozen=True)
class Request:
    """One request of the benchmark, ready to be sent."""

    path: str
    cookies: str = ""
    delivery: str = ""  # sealed marks, as a device sends them


@transaction.atomic
def fill(therapists: int, now: datetime) -> dict[str, int]:
    people = [_person(f"Therapist {number}", is_therapist=True) for number in range(therapists)]
    supervisors = [
        _person(f"Supervisor {number}", is_supervisor=True) for number in range(-(-therapists // TEAM_SIZE))
    ]
    User.objects.bulk_create(people + supervisors)
    Supervision.objects.bulk_create(
        Supervision(supervisor=supervisors[place // TEAM_SIZE], therapist=one, starts_on=now.date())
        for place, one in enumerate(people)
    )
    rows.write(courses.plan(now, SEED, therapists), Team(tuple(people), supervisors[0]), now, SEED)
    return {
        "therapists": therapists,
        "clients": Episode.objects.values("client").distinct().count(),
        "ratings": Rating.objects.count(),
    }


def _person(name: str, **roles: bool) -> User:
    email = f"{name.replace(' ', '')}@bench.example".lower()
    return User(email=email, name=name, password=make_password(None), **roles)


def analyze() -> None:
    """What a running PostgreSQL does by itself within minutes: without it the first plans are guesses."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _signed_in(person: User) -> str:
    browser = Browser()
    browser.force_login(person, backend=BACKEND)
    # The middleware writes this once a minute; the benchmark is about the other times.
    session = browser.session
    session["seen_at"] = timezone.now().isoformat()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={browser.session.session_key}"


def work_lists(count: int) -> list[Request]:
    return [Request("/dashboard/", _signed_in(one)) for one in User.objects.filter(is_therapist=True)[:count]]


def client_pages(count: int) -> list[Request]:
    found = []
    for person in User.objects.filter(is_therapist=True)[:count]:
        cookies = _signed_in(person)
        found += [
            Request(f"/dashboard/clients/{episode.code}/", cookies)
            for episode in Episode.objects.own(person).open()[:10]
        ]
    return found


def caseloads(count: int) -> list[Request]:
    return [Request("/caseload/", _signed_in(one)) for one in User.objects.filter(is_supervisor=True)[:count]]


def rating_forms(count: int, *, hand_in: bool) -> list[Request]:
    """One locked tablet each, for sessions that are still to be rated."""
    rng = Random(SEED)
    unrated = TherapySession.objects.filter(episode__closed_on=None, ratings=None).select_related(
        "episode__therapist"
    )
    tokens = [new_token() for _ in range(count)]
    sessions = _as_many_sessions(list(unrated), count) if hand_in else list(islice(cycle(unrated), count))
    made_at = timezone.now()
    grants = RatingGrant.objects.bulk_create(
        RatingGrant(
            session=session,
            instrument=instruments.SESSION_RATING,
            instrument_version=instruments.get(instruments.SESSION_RATING).version,
            token_hash=hash_of_token(token),
            channel=Channel.TABLET,
            made_at=made_at,
            made_by=session.episode.therapist,
            open_until=made_at + hand_over_actions.ACCEPT_FOR,
            accept_until=made_at + hand_over_actions.ACCEPT_FOR,
        )
        for session, token in zip(sessions, tokens, strict=True)
    )
    if hand_in:
        return [Request(reverse("rate:upload"), delivery=_delivery(grant, rng)) for grant in grants]
    return [Request(reverse("rate:form"), _locked(token)) for token in tokens]


def _as_many_sessions(sessions: list[TherapySession], count: int) -> list[TherapySession]:
    """Each session takes one rating, so the open episodes get as many more sessions as are needed."""
    episodes = {session.episode_id: session.episode for session in sessions}
    last = {episode.pk: episode.sessions.count() for episode in episodes.values()}
    more = []
    for episode in islice(cycle(episodes.values()), count):
        last[episode.pk] += 1
        held_at = timezone.now()
        more.append(
            TherapySession(
                episode=episode,
                number=last[episode.pk],
                held_at=held_at,
                ends_at=held_at + SESSION_LENGTH,
            )
        )
    return TherapySession.objects.bulk_create(more)


def _locked(token: str) -> str:
    session = SessionStore()
    session[device_lock._LOCK] = {"token": token, "return_to": ""}
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def _delivery(grant: RatingGrant, rng: Random) -> str:
    items = instruments.get(instruments.SESSION_RATING).items
    marks = {item.id: str(rng.randint(70, 100)) for item in items}
    return json.dumps(parcel(sealed_upload.token_for(grant), {**marks, "mode": "line", "comment": ""}))
