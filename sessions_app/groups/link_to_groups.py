"""The way to the groups from the lists of people: a clinic without groups is offered to make one, and no more."""

from django.urls import reverse

from alliance.models import User
from clients.more_pages import Link
from sessions_app.groups.models import Group


def link_for(user: User) -> Link | None:
    if Group.objects.managed_by(user).exists():
        return Link("Groups", reverse("groups:list"))
    if user.is_therapist or user.is_administrator:
        return Link("New group", reverse("groups:new"))
    return None
