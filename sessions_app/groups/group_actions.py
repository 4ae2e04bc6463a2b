"""The writes about groups: made, changed, led by others, joined and left.

One order of locks for all: the leaders, the group, the episodes by their number, the clients.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.form_keys import key_of_press
from alliance.labels import search_key
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from alliance.undo import refuse_if_late
from clients.actions import open_episode
from clients.lock import lock_episode, lock_episodes, lock_staff
from clients.models import Client, Ending, Episode
from sessions_app.groups.models import MOST_MEMBERS, Group, GroupMember, Kind
from sessions_app.groups.numbers import new_number

OVER = "This group has ended. Take it up again to change it."


def lock_group(group: Group) -> Group:
    """The group as it is now; no other write about it is under way until the end of the transaction."""
    return Group.objects.select_for_update(no_key=True).get(pk=group.pk)


def lock_standing_group(group: Group) -> Group:
    locked = lock_group(group)
    if locked.is_over:
        raise Refused(OVER)
    return locked


@transaction.atomic
def make_group(
    *,
    name: str,
    kind: str,
    leader: User,
    co_leader: User | None,
    by: User,
    form_key: UUID | None = None,
) -> Group:
    """A group without members yet. form_key: sent again with the same one, the group that it made."""
    code = key_of_press(form_key, "therapy group", by.pk) or uuid4()
    if made := Group.objects.filter(code=code).first():
        return made
    _refuse_unless_they_can_lead(leader, co_leader)
    try:
        with transaction.atomic():
            group = Group.objects.create(code=code, name=name, kind=kind, leader=leader, co_leader=co_leader)
    except IntegrityError:  # the other of two presses at once was first
        return Group.objects.get(code=code)
    audit.record(LogEvent.GROUP_MADE, group, by=by)
    return group


def _refuse_unless_they_can_lead(leader: User, co_leader: User | None) -> None:
    if co_leader is not None and co_leader.pk == leader.pk:
        raise Refused("Choose two different people, or one leader alone.")
    people = [person for person in (leader, co_leader) if person is not None]
    stored = lock_staff(*people)
    for person in people:
        if not (person.pk in stored and stored[person.pk].has_any_role(frozenset({Role.THERAPIST}))):
            raise Refused(f"{person} is not a therapist who may sign in.")


@transaction.atomic
def change_group(*, group: Group, name: str, kind: str, by: User, opened_with: Opened | None = None) -> Group:
    """Another name or kind. The kind decides which form is given, so it stays once a session was held."""
    stored = lock_standing_group(group)
    typed = {"name": name, "kind": kind}
    new = changed(opened_with, stored={one: getattr(stored, one) for one in typed}, typed=typed)
    if not new:
        return group
    if "kind" in new and stored.sessions.live().exists():
        raise Refused(
            f"Sessions were held, on the form for a {Kind(stored.kind).label.lower()}. "
            "Make another group, so that no two forms are mixed."
        )
    for one, value in new.items():
        setattr(group, one, value)
    group.save(update_fields=new)
    audit.record(LogEvent.GROUP_CHANGED, group, by=by)
    return group


@dataclass(frozen=True)
class Led:
    """The group with its leaders, and whose membership went on in a course with another of them."""

    group: Group
    went_on: list[GroupMember] = field(default_factory=list)


@transaction.atomic
def change_leaders(
    *, group: Group, leader: User, co_leader: User | None, by: User, opened_with: Opened | None = None
) -> Led:
    """Name other leaders. Members whose course is with none of them go on in one with `leader`.

    That course is opened where there is none: the alliance belongs to the pair, so levels and flags begin anew.
    """
    _refuse_unless_they_can_lead(leader, co_leader)
    stored = lock_standing_group(group)
    typed: dict[str, Any] = {"leader": leader.pk, "co_leader": co_leader.pk if co_leader else None}
    stands = {"leader": stored.leader_id, "co_leader": stored.co_leader_id}
    changed(opened_with, stored=stands, typed=typed)
    if typed == stands and not list(_to_go_on(stored)):
        return Led(stored)
    stored.leader, stored.co_leader = leader, co_leader
    stored.save(update_fields=["leader", "co_leader"])
    audit.record(LogEvent.GROUP_LEADERS_CHANGED, stored, by=by)
    members = list(_to_go_on(stored))
    lock_episodes([member.episode_id for member in members])
    went_on = [_go_on(member, leader, by) for member in members]
    return Led(stored, [one for one in went_on if one is not None])


def _to_go_on(group: Group) -> Any:
    """Those nobody took out, whose course is with none of the leaders, or was transferred to somebody else."""
    rows = GroupMember.objects.filter(group=group, left_on__isnull=True)
    elsewhere = rows.exclude(episode__therapist__in=group.leader_pks).filter(episode__closed_on__isnull=True)
    transferred = rows.filter(episode__ending=Ending.TRANSFERRED)
    return (elsewhere | transferred).select_related("episode__client").order_by("episode")


def _go_on(member: GroupMember, leader: User, by: User) -> GroupMember | None:
    _leave(member, by)
    client = member.episode.client
    episode = _course_with_a_leader(client, member.group)
    if episode is None:
        episode = open_episode(client=client, therapist=leader, opened_on=timezone.localdate(), by=by)
    if GroupMember.objects.filter(group=member.group, episode=episode, left_on__isnull=True).exists():
        return None
    return _join(member.group, episode, by, number=member.number)


# --- Members -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Joined:
    """The membership, and whether an episode was opened for it."""

    member: GroupMember
    opened: bool


@transaction.atomic
def add_member(*, group: Group, client: Client, by: User) -> Joined:
    """Take a client into the group: in their open course with a leader, which is opened where there is none.

    Pressed twice, they are in it once.
    """
    lock_staff(*group.leaders)
    group = lock_standing_group(group)
    present = list(GroupMember.objects.present_now().filter(group=group).select_related("episode"))
    for member in present:
        if member.episode.client_id == client.pk:
            return Joined(member, opened=False)
    if len(present) >= MOST_MEMBERS:
        raise Refused(f"A group has at most {MOST_MEMBERS} members.")
    episode = _course_with_a_leader(client, group)
    opened = episode is None
    if episode is None:
        leader = by if by.pk in group.leader_pks else group.leader
        episode = open_episode(client=client, therapist=leader, opened_on=timezone.localdate(), by=by)
    elif not lock_episode(episode.pk).is_open:
        raise Refused(f"The course of {client} with {episode.therapist} was closed meanwhile.")
    return Joined(_join(group, episode, by), opened)


def _course_with_a_leader(client: Client, group: Group) -> Episode | None:
    """The client's open course with the leader, else with the other one."""
    rows = Episode.objects.open().filter(client=client, therapist__in=group.leader_pks)
    found = {episode.therapist_id: episode for episode in rows.select_related("client", "therapist")}
    return next((found[pk] for pk in group.leader_pks if pk in found), None)


def _join(group: Group, episode: Episode, by: User, number: int | None = None) -> GroupMember:
    # Also those whose course has ended keep theirs: it may be opened again.
    taken = GroupMember.objects.filter(group=group, left_on__isnull=True).values_list("number", flat=True)
    member = GroupMember.objects.create(group=group, episode=episode, number=number or new_number(taken))
    audit.record(LogEvent.GROUP_JOINED, member, by=by, client=episode.client_code)
    return member


@transaction.atomic
def take_out(*, member: GroupMember, by: User) -> GroupMember:
    """The member leaves the group today. Their course goes on, and what was held stays in it. Twice is once."""
    lock_group(member.group)
    lock_episode(member.episode_id)
    member.refresh_from_db(fields=["left_on", "left_at", "left_by", "joined_on"])
    if member.left_on is None:
        _leave(member, by)
    return member


def _leave(member: GroupMember, by: User) -> None:
    # One who is taken in and out by mistake in the first minutes of a day in another time zone.
    member.left_on = max(timezone.localdate(), member.joined_on)
    member.left_at, member.left_by = timezone.now(), by
    member.save(update_fields=["left_on", "left_at", "left_by"])
    audit.record(LogEvent.GROUP_LEFT, member, by=by, client=member.client_code)


@transaction.atomic
def put_back(*, member: GroupMember, by: User) -> GroupMember:
    """Undo of `take_out`: the same membership, with the same number."""
    group = lock_standing_group(member.group)
    episode = lock_episode(member.episode_id)
    member.refresh_from_db(fields=["left_on", "left_at", "left_by"])
    if member.left_at is None:
        return member
    refuse_if_late(member.left_at, "Add the client to the group again.")
    if not episode.is_open:
        raise Refused("This course has ended meanwhile.")
    others = GroupMember.objects.filter(group=group, left_on__isnull=True)
    if others.filter(episode__client=episode.client_id, episode__closed_on__isnull=True).exists():
        raise Refused("This client was added to the group again meanwhile.")
    member.left_on, member.left_at, member.left_by = None, None, None
    if others.filter(number=member.number).exists():
        member.number = new_number(others.values_list("number", flat=True))
    member.save(update_fields=["left_on", "left_at", "left_by", "number"])
    audit.record(LogEvent.GROUP_JOINED, member, by=by, client=episode.client_code)
    return member


# --- The end of a group --------------------------------------------------------------------------


@transaction.atomic
def end_group(*, group: Group, by: User) -> Group:
    """No session is begun any more. The courses of its members go on as they are. Twice is once."""
    locked = lock_group(group)
    if not locked.is_over:
        locked.ended_at, locked.ended_by = timezone.now(), by
        locked.save(update_fields=["ended_at", "ended_by"])
        audit.record(LogEvent.GROUP_ENDED, locked, by=by)
    return locked


@transaction.atomic
def take_up_group(*, group: Group, by: User) -> Group:
    """Undo of `end_group`."""
    locked = lock_group(group)
    if locked.is_over:
        locked.ended_at, locked.ended_by = None, None
        locked.save(update_fields=["ended_at", "ended_by"])
        audit.record(LogEvent.GROUP_TAKEN_UP, locked, by=by)
    return locked


def forget(labels: Collection[str]) -> None:
    """Before clients are erased: a name in which one of them stands becomes that of its kind.

    A couple is often called after its two.
    """
    words = [re.compile(rf"(?<!\w){re.escape(search_key(label))}(?!\w)") for label in labels]
    for pk, key, kind in Group.objects.order_by().values_list("pk", "name_key", "kind"):
        if any(word.search(key) for word in words):
            Group.objects.filter(pk=pk).update(name=Kind(kind).label)
