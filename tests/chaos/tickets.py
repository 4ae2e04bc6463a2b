"""What arrives while a fault strikes: a form on a tablet for each of many clients, and forms that staff fill in."""

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

SEED = 2026
SEALED, FORM, STAFF = "sealed", "form", "staff"


@dataclass(frozen=True)
class Ticket:
    """One thing that somebody hands in. `door`: marks by script, marks without scripts, or a new client by staff."""

    door: str
    cookie: tuple[str, str]  # of the session that the browser holds
    grant: str = ""  # the code of the grant, of marks
    marks: dict[str, int] = field(default_factory=dict)  # in tenths
    label: str = ""  # of the new client

    @property
    def name(self) -> str:
        return self.grant or self.label


def read(rows: list[dict[str, Any]]) -> list[Ticket]:
    return [Ticket(**{**row, "cookie": tuple(row["cookie"])}) for row in rows]


def make(ratings: int, registrations: int) -> list[dict[str, Any]]:
    """Written to the database that is configured, in the order in which they come. Django has to be set up."""
    from tests import cast

    rng = Random(SEED)
    _adam, olga = cast.people(("Adam", cast.Role.ADMINISTRATOR), ("Olga", cast.Role.THERAPIST))
    made = [_rating(rng, olga, place) for place in range(ratings)]
    made += [
        Ticket(STAFF, cookie=_signed_in(olga), label=f"Chaos {place:04d}") for place in range(registrations)
    ]
    rng.shuffle(made)
    return [asdict(one) for one in made]


def _rating(rng: Random, therapist: Any, place: int) -> Ticket:
    from django.conf import settings

    from alliance import device_lock
    from alliance.session_store import SessionStore
    from sessions_app.intake import hand_over_actions
    from tests import cast

    opened_on = cast.timezone.localdate() - timedelta(days=90)
    episode = cast.episode(therapist, f"K-{place + 1}", opened_on)
    held_at = cast.timezone.now() - timedelta(hours=1)
    grant, token = hand_over_actions.hand_over(
        session=cast.therapy_session(episode, held_at=held_at), by=therapist
    )
    store = SessionStore()
    store[device_lock._LOCK] = {"token": token, "return_to": ""}
    store.create()
    marks = {item: rng.randint(0, 100) for item in cast.ITEMS}
    cookie = (settings.SESSION_COOKIE_NAME, str(store.session_key))
    return Ticket(rng.choice((SEALED, FORM)), cookie, grant=str(grant.code), marks=marks)


def _signed_in(person: Any) -> tuple[str, str]:
    from django.conf import settings
    from django.test import Client

    browser = Client()
    browser.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    name = settings.SESSION_COOKIE_NAME
    return name, str(browser.cookies[name].value)
