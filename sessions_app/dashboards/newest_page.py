"""The page with the newest rating that somebody may see: what a restored backup is tried on."""

from django.urls import reverse

from alliance.models import User
from clients.models import Episode
from sessions_app.courses.models import Rating


def newest_page(person: User) -> str | None:
    own = Episode.objects.own(person)
    newest = Rating.objects.filter(session__episode__in=own).order_by("-received_at").first()
    return reverse("dashboard:client", args=[newest.session.episode.code]) if newest else None
