"""How a course ends in the tests, and who looks at it then."""

from datetime import timedelta

from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from clients import actions
from clients.models import Ending, Episode
from sessions_app.courses.models import Mode
from sessions_app.intake.record_rating import record_rating
from tests import cast

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
TODAY = timezone.localdate
WORK_LIST = reverse("dashboard:work_list")


def browser_of(person):
    browser = Browser()
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return browser


def said(day):
    return f"{day:%-d %B %Y}"


def close(clinic, on=None, **more):
    of = {"episode": clinic.olgas, "ending": Ending.PLANNED, "by": clinic.olga, **more}
    return actions.close_episode(closed_on=on or TODAY(), **of)


def transfer(clinic, on=None):
    of = {"episode": clinic.olgas, "therapist": clinic.carl, "by": clinic.adam}
    return cast.transfer(on=on or TODAY(), **of)


def page(name, code):
    return reverse(f"clients:{name}", args=[code])


def hand_in(grant, total=380):
    return record_rating(grant=grant, answers=cast.answers(total), mode=Mode.LINE)


def over_for(episode, days):
    """As if it had ended that many days ago."""
    Episode.objects.filter(pk=episode.pk).update(closed_on=TODAY() - timedelta(days=days))
    episode.refresh_from_db()
