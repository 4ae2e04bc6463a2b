"""Other leaders of a group, with a second person where they would read marks (docs/adr/0068).

Who leads a group reads what its members marked in its sessions (`who_reads`).
"""

from functools import partial
from typing import Any

from alliance.approvals import ApprovalRequest
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened
from clients import approval_kinds, sight
from clients.approval_actions import do_or_ask
from clients.approval_kinds import ApprovalKind, What, name_of, person_of, stored
from clients.models import Client, Episode, EpisodeQuerySet
from sessions_app.groups import group_actions
from sessions_app.groups.group_actions import Joined, Led
from sessions_app.groups.models import Group


def _of_group(what: What, person: User | None) -> EpisodeQuerySet:
    return Episode.objects.filter(memberships__group__code=what["group"])


def _lead(what: What, person: User | None, *, by: User, until: Any = None) -> Led:
    return group_actions.change_leaders(
        group=stored(Group.objects, code=what["group"]),
        leader=person_of(what["leader"]),
        co_leader=person_of(what["co_leader"]) if what["co_leader"] else None,
        by=by,
    )


def _said(what: What, person: User | None) -> str:
    leaders = [name_of(pk) for pk in (what["leader"], what["co_leader"]) if pk]
    return (
        f"{' and '.join(leaders)} would lead a therapy group, and see what its members mark in its sessions"
    )


LEADERS = approval_kinds.register(
    ApprovalKind(
        code="leaders", named="who leads a therapy group", said=_said, carry_out=_lead, opens=_of_group
    )
)


def change_leaders(
    *, group: Group, leader: User, co_leader: User | None, by: User, opened_with: Opened | None = None
) -> Led | ApprovalRequest:
    """At once by those who lead it or supervise who does: they see the marks already."""
    what = {
        "group": str(group.code),
        "leader": str(leader.pk),
        "co_leader": str(co_leader.pk) if co_leader else None,
    }
    new = [one for one in (leader, co_leader) if one is not None and one.pk not in group.leader_pks]
    manages_only = not Group.objects.visible_to(by).filter(pk=group.pk).exists()
    made: Led | ApprovalRequest = do_or_ask(
        kind=LEADERS,
        what=what,
        person=new[0] if len(new) == 1 else None,
        by=by,
        opens=bool(new) and manages_only and bool(sight.whose(_of_group(what, None), but=[by])),
        act=partial(
            group_actions.change_leaders,
            group=group,
            leader=leader,
            co_leader=co_leader,
            by=by,
            opened_with=opened_with,
        ),
    )
    return made


def add_member(*, group: Group, client: Client, by: User) -> Joined:
    """Not by an administrator alone where it would open a course beside one with marks of somebody else's."""
    has_course = Episode.objects.open().filter(client=client, therapist__in=group.leader_pks).exists()
    if by.is_administrator and not has_course:
        others = Episode.objects.filter(client=client).exclude(therapist__in=group.leader_pks)
        if sight.whose(others, but=[by]):
            raise Refused(
                f"{client} was in therapy with somebody else here. Open an episode with {group.leader} on the "
                "client’s page first: a second person confirms that."
            )
    return group_actions.add_member(group=group, client=client, by=by)
