"""A session that lies before the day on which its episode was opened: named, and moved in the same step if wanted."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from alliance.models import User
from alliance.refused import Refused
from clients.day_actions import move_opening_day
from clients.models import Episode
from clients.plausible_days import refuse_implausible, said

WHY = "A session before it was entered."


def keep_or_move(episode: Episode, held_at: datetime, length: timedelta, *, move: bool, by: User) -> None:
    """For actions, behind the lock: no session lies before its episode was opened.

    One that began before midnight and ends after it is of the day that it ends on.
    """
    day = timezone.localdate(held_at)
    refuse_implausible(day)
    if timezone.localdate(held_at + length) >= episode.opened_on:
        return
    if not move:
        raise Refused(_before(episode))
    move_opening_day(episode=episode, to=day, why=WHY, by=by)


def ask(form: forms.Form, episode: Episode, held_at: datetime | None) -> None:
    """For the form of a session: name the day, and offer to move it. The field is `move_opening`."""
    if held_at is None or timezone.localdate(held_at) >= episode.opened_on:
        return
    form.fields["move_opening"].widget = forms.CheckboxInput()
    form["move_opening"].label = f"Move the opening day to {said(timezone.localdate(held_at))}"
    if not form.cleaned_data.get("move_opening"):
        form.add_error("held_at", f"{_before(episode)} Move the opening day below, or choose another date.")


def _before(episode: Episode) -> str:
    return f"This is before the episode was opened, on {said(episode.opened_on)}."
