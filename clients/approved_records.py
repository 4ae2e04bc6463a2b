"""Clients who change hands, and episodes that change records, with a second person where it would open ratings.

The new therapist of a client may be shown the earlier course, once the client's consent is written down. So what
brings a client with marks to another therapist, or marks under another record, is not done by one hand (docs/adr/0068).
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q

from alliance.approvals import ApprovalRequest
from alliance.models import User
from alliance.stale_forms import Opened
from clients import actions, approval_kinds, caseload_transfer, merge_actions, sight
from clients.approval_actions import do_or_ask
from clients.approval_kinds import ApprovalKind, What, name_of, person_of, stored
from clients.caseload_transfer import Move
from clients.models import CaseloadTransfer, Client, ClientMerge, Episode, EpisodeMove, EpisodeQuerySet


def _some(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


# --- A transfer -----------------------------------------------------------------------------------


def _of_transfer(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(code__in=[code for code, _ in what["moves"]])


def _transfer(what: What, person: User | None, *, by: User, until: datetime | None = None) -> Any:
    rows = Episode.objects.select_related("client", "therapist")
    moves = [Move(stored(rows, code=code), person_of(pk)) for code, pk in what["moves"]]
    return caseload_transfer.transfer(moves=moves, on=date.fromisoformat(what["on"]), by=by)


def _said_transfer(what: What, person: User | None) -> str:
    to = {name_of(pk) for _, pk in what["moves"]}
    of = User.objects.filter(episodes__in=_of_transfer(what, None).values("pk")).distinct().order_by("name")
    former = " and ".join(str(one) for one in of)
    return f"{_some(len(what['moves']))} of {former} go on with {' and '.join(sorted(to))}"


TRANSFER = approval_kinds.register(
    ApprovalKind(
        code="transfer", named="a transfer", said=_said_transfer, carry_out=_transfer, opens=_of_transfer
    )
)


def transfer(*, moves: Sequence[Move], on: date, by: User) -> CaseloadTransfer | ApprovalRequest:
    what = {"moves": sorted([str(one.episode.code), str(one.therapist.pk)] for one in moves), "on": f"{on}"}
    to = {one.therapist for one in moves}
    return do_or_ask(
        kind=TRANSFER,
        what=what,
        person=to.pop() if len(to) == 1 else None,
        by=by,
        opens=bool(sight.whose(_of_transfer(what, None), but=[by])),
        act=partial(caseload_transfer.transfer, moves=moves, on=on, by=by),
    )


# --- Another episode ------------------------------------------------------------------------------


def _of_client(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(client__code=what["client"])


def _open(what: What, person: User | None, *, by: User, until: datetime | None = None) -> Any:
    return actions.open_episode(
        client=stored(Client.objects, code=what["client"]),
        therapist=person_of(what["therapist"]),
        opened_on=date.fromisoformat(what["opened_on"]),
        by=by,
    )


EPISODE = approval_kinds.register(
    ApprovalKind(
        code="episode",
        named="an episode of a client who was here before",
        said=lambda what, person: (
            f"A client who was here before begins with {name_of(what['therapist'])}, who may be shown the earlier "
            "course once the client agrees"
        ),
        carry_out=_open,
        opens=_of_client,
    )
)


def open_episode(*, client: Client, therapist: User, opened_on: date, by: User) -> Episode | ApprovalRequest:
    """At once for the client's own therapist, and where nobody else has marks of the client."""
    what = {"client": str(client.code), "therapist": str(therapist.pk), "opened_on": f"{opened_on}"}
    return do_or_ask(
        kind=EPISODE,
        what=what,
        person=therapist,
        by=by,
        opens=by.is_administrator and bool(sight.whose(_of_client(what, None), but=[by, therapist])),
        act=partial(actions.open_episode, client=client, therapist=therapist, opened_on=opened_on, by=by),
    )


# --- Records --------------------------------------------------------------------------------------


def _crosses(episodes: EpisodeQuerySet, by: User) -> bool:
    """Whether marks of one therapist come beside an episode of another one."""
    therapists = set(episodes.order_by().values_list("therapist", flat=True))
    return len(therapists) > 1 and bool(sight.whose(episodes, but=[by]))


def _of_merge(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(client__code__in=[what["kept"], what["merged"]])


def _merge(what: What, person: User | None, *, by: User, until: datetime | None = None) -> Any:
    return merge_actions.merge_clients(
        kept=stored(Client.objects, code=what["kept"]),
        merged=stored(Client.objects, code=what["merged"]),
        seen=[UUID(code) for code in what["seen"]],
        by=by,
    )


MERGE = approval_kinds.register(
    ApprovalKind(
        code="merge",
        named="a merge of two records",
        said=lambda what, person: "Two records of clients become one, with the episodes of both",
        carry_out=_merge,
        opens=_of_merge,
    )
)


def merge_clients(
    *, kept: Client, merged: Client, seen: Collection[UUID], by: User
) -> ClientMerge | ApprovalRequest:
    what = {"kept": str(kept.code), "merged": str(merged.code), "seen": sorted(str(code) for code in seen)}
    return do_or_ask(
        kind=MERGE,
        what=what,
        person=None,
        by=by,
        opens=_crosses(_of_merge(what, None), by),
        act=partial(merge_actions.merge_clients, kept=kept, merged=merged, seen=seen, by=by),
    )


def _of_move(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(Q(code=what["episode"]) | Q(client__code=what["to"]))


def _move(what: What, person: User | None, *, by: User, until: datetime | None = None) -> Any:
    return merge_actions.move_episode(
        episode=stored(Episode.objects.select_related("client", "therapist"), code=what["episode"]),
        to=stored(Client.objects, code=what["to"]),
        why=what["note"],
        by=by,
    )


MOVE = approval_kinds.register(
    ApprovalKind(
        code="move",
        named="a move of an episode to another record",
        said=lambda what, person: "An episode is put under another client’s record",
        carry_out=_move,
        opens=_of_move,
    )
)


def move_episode(
    *, episode: Episode, to: Client, why: str, by: User, opened_with: Opened | None = None
) -> EpisodeMove | ApprovalRequest:
    what = {"episode": str(episode.code), "to": str(to.code)}
    return do_or_ask(
        kind=MOVE,
        what=what,
        person=None,
        by=by,
        opens=_crosses(_of_move(what, None), by),
        note=why,
        act=partial(
            merge_actions.move_episode, episode=episode, to=to, why=why, by=by, opened_with=opened_with
        ),
    )
