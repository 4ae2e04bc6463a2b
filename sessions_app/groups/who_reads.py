"""Whose marks of a group's sessions somebody reads: what its form promised, and no more.

The form of a group says that the therapists of the session see the marks, and whoever supervises them
(`Instrument.together`, `promise_words`). Members whose course is with somebody who leads no more, and
former ones, are read as their course is: by its own therapist, who covers, and who supervises.
"""

from collections.abc import Collection

from alliance.models import User
from clients.models import Episode
from sessions_app.groups.models import Group, GroupMember
from sessions_app.instruments.promises import Door


def courses_with_open_marks(user: User, group: Group, members: Collection[GroupMember]) -> set[int]:
    """The courses, by row number, whose marks of this group's sessions `user` reads. One query, or two."""
    visible = Episode.objects.visible_to(user).filter(pk__in=[member.episode_id for member in members])
    found = set(visible.values_list("pk", flat=True))
    if Group.objects.visible_to(user).filter(pk=group.pk).exists():
        found |= {
            member.episode_id
            for member in members
            if member.is_present and member.episode.therapist_id in group.leader_pks
        }
    return found


def door_of(user: User, group: Group) -> Door:
    """The way on which marks reach them here: a promise may keep marks from whoever supervises."""
    leads = user.is_therapist and user.pk in group.leader_pks
    return Door.THERAPIST if leads else Door.SUPERVISOR
