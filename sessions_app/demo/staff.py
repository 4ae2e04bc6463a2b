"""Who works in the invented clinic. Two teams that do not see each other's clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, Role, User
from clients.models import Supervision

PASSWORD = "lantern-river-maple-27"  # noqa: S105 - printed at every start, and good on this machine only


@dataclass(frozen=True)
class Person:
    name: str
    role: Role
    supervisor: str = ""
    shows: str = ""  # what the others have not

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@demo.example"


STAFF = (
    Person("Mara Lindholm", Role.THERAPIST, "Ruth Adler"),
    Person("Jonas Feld", Role.THERAPIST, "Ruth Adler", "how life is going, an inventory"),
    Person("Aisha Rahman", Role.THERAPIST, "Ruth Adler", "a group, a child, guesses"),
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


def since(now: datetime) -> datetime:
    """When the clinic began."""
    return now - timedelta(days=400)


def hire(now: datetime) -> Team:
    """Make the staff and who supervises whom, since a year and more; `log_lines` are the lines that leaves."""
    office = _add(next(one for one in STAFF if one.role == Role.ADMINISTRATOR))
    hired = {one.name: _add(one) for one in STAFF if one.role != Role.ADMINISTRATOR}
    for person in STAFF:
        if person.supervisor:
            Supervision.objects.create(
                supervisor=hired[person.supervisor],
                therapist=hired[person.name],
                starts_on=timezone.localdate(since(now)),
            )
    # One hash for all: nine slow ones would take four seconds.
    User.objects.update(password=make_password(PASSWORD), joined_at=since(now))
    return Team(
        therapists=tuple(hired[one.name] for one in STAFF if one.role == Role.THERAPIST),
        administrator=office,
    )


def _add(person: Person) -> User:
    """As `actions.add_person` does, but for its line in the log: that would be of today, before those of a year ago."""
    held: dict[str, Any] = {f"is_{person.role.value}": True}
    user = User.objects.create_user(email=person.email, name=person.name, **held)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def log_lines(team: Team, now: datetime) -> Iterator[AuditEvent]:
    """What hiring them would have left in the access log."""
    office = team.administrator
    for person in User.objects.order_by("-is_administrator", "name"):
        yield AuditEvent(
            at=since(now),
            action=LogEvent.PERSON_ADDED.value,
            entity="user",
            entity_code=person.pk,
            actor=None if person == office else office.pk,
            detail={"roles": person.roles},
        )
    for supervision in Supervision.objects.order_by("pk"):
        yield AuditEvent(
            at=since(now),
            action=LogEvent.SUPERVISION_STARTED.value,
            entity="supervision",
            entity_code=supervision.code,
            actor=office.pk,
            detail={
                "supervisor": str(supervision.supervisor_id),
                "therapist": str(supervision.therapist_id),
            },
        )
