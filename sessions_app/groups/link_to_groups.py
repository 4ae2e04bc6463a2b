"""The way to the groups from the lists of people. A clinic without groups finds it in the settings alone."""

from django.db.models import QuerySet
from django.urls import reverse

from alliance.models import User
from alliance.prepared import Prepared
from clients.models import Episode
from clients.more_pages import Link
from sessions_app.groups.models import Group, GroupMember


def link_for(user: User) -> Link | None:
    if not Group.objects.exists():
        return None  # most clinics; the question below takes ten times as long to put together
    # An administrator manages all of them (`managed_by`), and there is one.
    if (user.is_active and user.is_administrator) or Group.objects.managed_by(user).exists():
        return Link("Groups", reverse("groups:list"))
    if user.is_therapist:
        return Link("New group", reverse("groups:new"))
    return None


def _written_memberships(episode: int) -> QuerySet[GroupMember]:
    return GroupMember.objects.present_now().filter(episode=episode)


_MEMBERSHIPS = Prepared(_written_memberships, episode=int)


def links_of_course(user: User, episode: Episode) -> list[Link]:
    """The groups to which this course belongs, for their leaders alone. One query where it belongs to none."""
    members = _MEMBERSHIPS.rows(episode=episode.pk)
    if not members:
        return []
    groups = Group.objects.led_by(user).filter(pk__in={member.group_id for member in members})
    return [Link(str(group), reverse("groups:group", args=[group.code])) for group in groups]
