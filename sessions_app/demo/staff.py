"""Who works in the invented clinic. Two teams that do not see each other's clients."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from alliance.models import Role, User
from clients.actions import add_person, start_supervision

PASSWORD = "lantern-river-maple-27"  # noqa: S105 - printed at every start, and good on this machine only


@dataclass(frozen=True)
class Person:
    name: str
    role: Role
    supervisor: str = ""

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@demo.example"


STAFF = (
    Person("Mara Lindholm", Role.THERAPIST, "Ruth Adler"),
    Person("Jonas Feld", Role.THERAPIST, "Ruth Adler"),
    Person("Aisha Rahman", Role.THERAPIST, "Ruth Adler"),
    Person("Tomasz Nowak", Role.THERAPIST, "Hugo Brandt"),
    Person("Clara Moreau", Role.THERAPIST, "Hugo Brandt"),
    Person("Daniel Okafor", Role.THERAPIST, "Hugo Brandt"),
    Person("Ruth Adler", Role.SUPERVISOR),
    Person("Hugo Brandt", Role.SUPERVISOR),
    Person("Nina Petrova", Role.ADMINISTRATOR),
)


@dataclass(frozen=True)
class Team:
    therapists: tuple[User, ...]
    administrator: User


def hire(now: datetime) -> Team:
    """Make the staff and who supervises whom, since a year and more."""
    since = now - timedelta(days=400)
    office = _add(next(one for one in STAFF if one.role == Role.ADMINISTRATOR), by=None)
    hired = {one.name: _add(one, by=office) for one in STAFF if one.role != Role.ADMINISTRATOR}
    for person in STAFF:
        if person.supervisor:
            start_supervision(
                supervisor=hired[person.supervisor],
                therapist=hired[person.name],
                starts_on=timezone.localdate(since),
                by=office,
            )
    # One hash for all: nine slow ones would take four seconds.
    User.objects.update(password=make_password(PASSWORD), joined_at=since)
    return Team(
        therapists=tuple(hired[one.name] for one in STAFF if one.role == Role.THERAPIST),
        administrator=office,
    )


def _add(person: Person, by: User | None) -> User:
    return add_person(email=person.email, name=person.name, roles={person.role}, by=by)
