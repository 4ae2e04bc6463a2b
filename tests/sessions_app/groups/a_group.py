"""A group of five: Olga leads with Cora. Three courses are Olga's, one is Cora's; the fifth client is Carl's.

Carl's client was added by Adam, so an episode with Olga was opened for the group. Chris supervises Cora.
"""

from datetime import timedelta

from django.utils import timezone

from alliance.models import Role
from clients.models import Supervision
from sessions_app.groups import group_actions, session_actions
from sessions_app.groups.models import GroupMember
from tests import cast

LABELS = ["K-1", "K-11", "K-12", "K-21", "K-31"]


def led_by_two(clinic, name="Thursday group", kind="group"):
    """Olga's and Cora's, without members."""
    if not hasattr(clinic, "cora"):
        clinic.cora = cast.person("Cora", Role.THERAPIST)
        clinic.chris = cast.person("Chris", Role.SUPERVISOR)
        Supervision.objects.create(supervisor=clinic.chris, therapist=clinic.cora, starts_on=cast.STARTED)
    return group_actions.make_group(
        name=name, kind=kind, leader=clinic.olga, co_leader=clinic.cora, by=clinic.olga
    )


def of_five(clinic, **about):
    """The group; its members by label are in `clinic.members`."""
    group = led_by_two(clinic, **about)
    courses = [
        *(clinic.olgas, cast.episode(clinic.olga, "K-11"), cast.episode(clinic.olga, "K-12")),
        *(cast.episode(clinic.cora, "K-21"), cast.episode(clinic.carl, "K-31")),
    ]
    for course in courses:
        by = clinic.adam if course.therapist == clinic.carl else course.therapist
        group_actions.add_member(group=group, client=course.client, by=by)
    clinic.members = {one.episode.client.label: one for one in members_of(group)}
    return group


def members_of(group):
    rows = GroupMember.objects.present_now().filter(group=group)
    return list(rows.select_related("group", "episode__client", "episode__therapist").order_by("pk"))


def codes_of(members):
    return [str(member.code) for member in members]


def begun(group, *, by=None, ago=timedelta(minutes=30), without=(), **fields):
    """A session of the group, with everybody but those `without` there."""
    there = [member for member in members_of(group) if member.episode.client.label not in without]
    return session_actions.begin_session(
        group=group,
        held_at=timezone.now() - ago,
        present=codes_of(there),
        by=by or group.leader,
        **fields,
    )


def part_of(group_session, label):
    """The session in the course of this member."""
    return group_session.attendances.get(member__episode__client__label=label).session


def many(clinic, count, **about):
    group = led_by_two(clinic, **about)
    for place in range(count):
        client = cast.episode(clinic.olga, f"M-{count}-{place}").client
        group_actions.add_member(group=group, client=client, by=clinic.olga)
    return group
