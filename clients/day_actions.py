"""The writes that put a wrong day right: with a reason, as a row that keeps what stood before."""

from datetime import date
from typing import Any

from django.db import transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from clients.closing import courses, held_after
from clients.lock import lock_episode
from clients.models import DayCorrection, Ending, Episode, Supervision
from clients.plausible_days import NOT_AHEAD, refuse_implausible, said
from clients.supervision_actions import TAKEN_BACK

UNCHANGED = "Nothing is changed: both days are as they were."
Of = DayCorrection.Of


@transaction.atomic
def correct_days(
    *,
    episode: Episode,
    opened_on: date,
    why: str,
    by: User,
    closed_on: date | None = None,
    opened_with: Opened | None = None,
) -> list[DayCorrection]:
    """Other days for an episode; `closed_on` is asked for where it is over. Its sessions stay within them."""
    stored = lock_episode(episode.pk)
    if (closed_on is None) != stored.is_open:
        raise Refused("This episode was closed or reopened meanwhile. Look at it again.")
    typed = {"opened_on": opened_on} if stored.is_open else {"opened_on": opened_on, "closed_on": closed_on}
    changed(opened_with, stored=days_of(stored), typed=typed)
    if stored.ending == Ending.TRANSFERRED and not by.is_administrator:
        raise Refused(f"{episode.client} was transferred. An administrator corrects the days.")
    refuse_implausible(opened_on)
    if closed_on is not None:
        refuse_implausible(closed_on, ahead=NOT_AHEAD)
        if closed_on < opened_on:
            raise Refused("An episode cannot close before it was opened.")
        out = courses().still_out({episode.pk: closed_on})[episode.pk]
        if out.held_after:
            raise Refused(held_after(str(episode.client), closed_on, out))
    first = courses().days([episode.pk])[episode.pk].first
    if first is not None and opened_on > first and opened_on > stored.opened_on:
        raise Refused(
            f"The first session was on {said(first)}. An episode opens on that day or before; "
            "where the session was entered wrongly, change or cancel it first."
        )
    made = _corrected(
        [(Of.OPENED, stored.opened_on, opened_on), (Of.CLOSED, stored.closed_on, closed_on)],
        why,
        by,
        episode=stored,
    )
    episode.opened_on, episode.closed_on = opened_on, closed_on
    episode.save(update_fields=["opened_on", "closed_on"])
    audit.record(LogEvent.EPISODE_DAYS_CORRECTED, episode, by=by, client=episode.client_code, **_days(made))
    return made


def days_of(episode: Episode) -> dict[str, date | None]:
    """What the page says before one of them is put right."""
    opened: dict[str, date | None] = {"opened_on": episode.opened_on}
    return opened if episode.is_open else {**opened, "closed_on": episode.closed_on}


@transaction.atomic
def move_opening_day(*, episode: Episode, to: date, why: str, by: User) -> DayCorrection:
    """An earlier opening day, for a session that lies before it. The caller holds the lock of the episode."""
    (made,) = correct_days(episode=episode, opened_on=to, closed_on=episode.closed_on, why=why, by=by)
    return made


@transaction.atomic
def correct_supervision(
    *,
    supervision: Supervision,
    starts_on: date,
    why: str,
    by: User,
    ends_on: date | None = None,
    opened_with: Opened | None = None,
) -> list[DayCorrection]:
    """Other days for a supervision; without a last day it goes on."""
    stored = Supervision.objects.select_for_update().filter(pk=supervision.pk).first()
    if stored is None:
        raise Refused(TAKEN_BACK)
    typed = {"starts_on": starts_on, "ends_on": ends_on}
    changed(opened_with, stored=days_of_supervision(stored), typed=typed)
    refuse_implausible(starts_on)
    if ends_on is not None:
        refuse_implausible(ends_on)
        if ends_on < starts_on:
            raise Refused("A supervision cannot end before it starts.")
    others = Supervision.objects.filter(supervisor=stored.supervisor_id, therapist=stored.therapist_id)
    if ends_on is None and others.filter(ends_on__isnull=True).exclude(pk=stored.pk).exists():
        raise Refused(
            f"{supervision.supervisor} supervises {supervision.therapist} already. Give this one a last day."
        )
    made = _corrected(
        [(Of.STARTS, stored.starts_on, starts_on), (Of.ENDS, stored.ends_on, ends_on)],
        why,
        by,
        supervision=stored,
    )
    supervision.starts_on, supervision.ends_on = starts_on, ends_on
    supervision.save(update_fields=["starts_on", "ends_on"])
    pair: dict[str, Any] = {"supervisor": str(stored.supervisor_id), "therapist": str(stored.therapist_id)}
    audit.record(LogEvent.SUPERVISION_DAYS_CORRECTED, supervision, by=by, **pair, **_days(made))
    return made


def days_of_supervision(supervision: Supervision) -> dict[str, date | None]:
    return {"starts_on": supervision.starts_on, "ends_on": supervision.ends_on}


def _corrected(
    changes: list[tuple[Of, date | None, date | None]], why: str, by: User, **of: Any
) -> list[DayCorrection]:
    made = [
        DayCorrection.objects.create(of=which, was=was, becomes=becomes, why=why, corrected_by=by, **of)
        for which, was, becomes in changes
        if was != becomes
    ]
    if not made:
        raise Refused(UNCHANGED)
    return made


def _days(made: list[DayCorrection]) -> dict[str, Any]:
    return {"days": {one.of: [str(one.was or ""), str(one.becomes or "")] for one in made}}
