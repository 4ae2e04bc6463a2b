"""The client list's rows: each holds all that it shows, so that it is drawn once and kept (`alliance.kept_pieces`)."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.utils.safestring import SafeString

from alliance.kept_pieces import drawn
from alliance.models import User
from clients.models import Client, Episode


class Treating(NamedTuple):
    """A therapist of a client. is_gone: they may not sign in, or treat nobody any more."""

    name: str
    is_gone: bool


class ClientRow(NamedTuple):
    """One client, by the episode that stands first: an open one, if there is any.

    own: the code of this episode, where the reader treats the client.
    """

    code: UUID
    label: str
    own: UUID | None
    has_episode: bool
    is_open: bool
    opened_on: date | None
    therapists: tuple[Treating, ...]
    for_administrator: bool
    for_therapist: bool


def drawn_rows(clients: Iterable[Client], reader: User) -> list[SafeString]:
    """clients: each with `managed`, the episodes that the reader manages, the open ones first."""
    return drawn("clients/_row.html", [_row(client, client.managed, reader) for client in clients])  # type: ignore[attr-defined]


def _row(client: Client, managed: list[Episode], reader: User) -> ClientRow:
    current = managed[0] if managed else None
    is_own = current is not None and reader.is_therapist and current.therapist_id == reader.pk
    return ClientRow(
        code=client.code,
        label=str(client),
        own=current.code if current and is_own else None,
        has_episode=current is not None,
        is_open=current is not None and current.is_open,
        opened_on=current.opened_on if current else None,
        therapists=_treating(managed) if reader.is_administrator else (),
        for_administrator=reader.is_administrator,
        for_therapist=reader.is_therapist,
    )


def _treating(managed: list[Episode]) -> tuple[Treating, ...]:
    """Of each open episode, and of the one that stands first."""
    shown = [episode for place, episode in enumerate(managed) if episode.is_open or place == 0]
    people = [episode.therapist for episode in shown]
    return tuple(Treating(str(one), not (one.is_active and one.is_therapist)) for one in people)
