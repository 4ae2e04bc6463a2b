"""Erasures as pages show them: names beside codes, as far as there is still a name."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from alliance.erasures import Erasure
from alliance.models import Role, User
from clients.models import Client, Episode


@dataclass(frozen=True)
class Waiting:
    """What waits for a second person: one client, or a batch."""

    erasure: Erasure
    what: str
    asked_by: str


@dataclass(frozen=True)
class Done:
    erasure: Erasure
    asked_by: str
    confirmed_by: str

    @property
    def code(self) -> str:
        """Enough to find it in the access log's file."""
        return str(self.erasure.client)


def name_of(code: UUID) -> str:
    return str(User.objects.filter(pk=code).first() or "somebody no longer listed")


def waiting() -> list[Waiting]:
    found = list(Erasure.objects.open())
    labels = dict(Client.objects.filter(code__in=[one.client for one in found]).values_list("code", "label"))
    names = _names(one.asked_by for one in found)
    batches: dict[UUID, list[Erasure]] = {}
    for one in found:
        batches.setdefault(one.batch or one.code, []).append(one)
    return [
        Waiting(
            rows[0],
            f"{len(rows)} clients who are due" if rows[0].batch else labels.get(rows[0].client, ""),
            name,
        )
        for rows in batches.values()
        for name in [names.get(rows[0].asked_by, "")]
    ]


def done(found: Iterable[Erasure]) -> list[Done]:
    rows = list(found)
    names = _names(person for one in rows for person in (one.asked_by, one.confirmed_by) if person)
    gone = "somebody no longer listed"
    return [Done(one, names.get(one.asked_by, gone), names.get(one.confirmed_by, gone)) for one in rows]  # type: ignore[arg-type]


def who_may_confirm(erasure: Erasure) -> list[User]:
    """Those who can be asked to, without who asked."""
    treating = Episode.objects.filter(client__code=erasure.client).values_list("therapist", flat=True)
    offices = User.objects.with_role(Role.ADMINISTRATOR)
    therapists = User.objects.with_role(Role.THERAPIST).filter(pk__in=treating)
    return list((offices | therapists).exclude(pk=erasure.asked_by).distinct())


def _names(people: Iterable[UUID]) -> dict[UUID, str]:
    return {person.pk: str(person) for person in User.objects.filter(pk__in=set(people))}
