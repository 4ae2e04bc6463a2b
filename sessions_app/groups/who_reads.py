"""Whose marks of a group's sessions somebody reads: what its form promised, and no more.

The form of a group says that the therapists of the session see the marks, and whoever supervises them
(`Instrument.together`, `promise_words`). Members whose course is with somebody who leads no more, and
former ones, are read as their course is: by its own therapist, who covers, and who supervises.
"""

from collections.abc import Collection

from alliance.models import Role, User
from clients.models import Episode, EpisodeQuerySet
from sessions_app.groups.models import Group, GroupMember


def courses_with_open_marks(user: User, group: Group, members: Collection[GroupMember]) -> set[int]:
    """The courses, by row number, whose marks of this group's sessions `user` reads. Two queries, or four.

    Whoever treats nobody of them and leads nothing supervises: a course with marks that were promised to be the
    therapist's alone is not theirs to read here, as on their other lists (`EpisodeStanding`: withheld).
    """
    courses = Episode.objects.filter(pk__in=[member.episode_id for member in members])
    found = _keys(courses & Episode.objects.own(user))
    of_leaders = {
        member.episode_id
        for member in members
        if member.is_present and member.episode.therapist_id in group.leader_pks
    }
    if user.pk in group.leader_pks and user.has_any_role(frozenset({Role.THERAPIST})):
        return found | of_leaders
    supervised = _keys(courses & Episode.objects.supervised_by(user))
    if Group.objects.supervised_by(user).filter(pk=group.pk).exists():
        supervised |= of_leaders
    if not supervised - found:
        return found
    withheld = _keys(courses.filter(standing__course__withheld=True))
    return found | (supervised - withheld)


def may_write(user: User, group: Group, member: GroupMember) -> bool:
    """Whether a leader of this group gives a form to this member, or says that they were there.

    A former leader may have taken a member's course along: what is written there is for whoever works with it.
    """
    if member.episode.therapist_id in group.leader_pks:
        return user.pk in group.leader_pks
    return Episode.objects.own(user).filter(pk=member.episode_id).exists()


def _keys(courses: EpisodeQuerySet) -> set[int]:
    return set(courses.values_list("pk", flat=True))
