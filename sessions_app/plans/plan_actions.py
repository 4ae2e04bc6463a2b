"""The writes about the plan of the clinic, by an administrator: rows that are added and ended."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.form_plan import Moment
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from alliance.undo import refuse_if_late
from clients.models import Episode
from sessions_app.plans.models import PlannedForm, key_of
from sessions_app.questionnaires import risk_confirmations

TWICE = "The plan has this entry already."
SCALE_TWICE = "For these clients another session scale is planned already. Change that entry."
INSTEAD = "Look at the plan as it is now, and change it there."
WHEN = ("instrument", "moment", "frequency", "every", "numbers")
OVER = "This entry was changed or ended meanwhile. Look at the plan as it is now."


@transaction.atomic
def plan_form(*, by: User, form_key: UUID | None = None, **says: Any) -> PlannedForm:
    """One more sentence of the plan. form_key: sent again with the same one, the row that it made."""
    if made := made_by(form_key):
        return made
    planned = add(says, by=by, form_key=form_key)
    _note(LogEvent.FORM_PLANNED, planned, by)
    return planned


def made_by(form_key: UUID | None) -> PlannedForm | None:
    """What this form made when it was sent before."""
    found: PlannedForm | None = PlannedForm.objects.filter(form_key=form_key).first() if form_key else None
    return found


@transaction.atomic
def change_planned(
    *, planned: PlannedForm, by: User, opened_with: Opened | None = None, **says: Any
) -> PlannedForm:
    """The row ends, and one with the new words takes its place. What is given out already stays given."""
    locked = _lock(planned)
    new = changed(opened_with, stored=locked.says, typed=says)
    if not new:
        return locked
    end(locked, by)
    is_as_before = new.keys().isdisjoint(WHEN)
    made = add({**locked.says, **new}, by=by, replaces=locked, since=locked.since if is_as_before else None)
    _note(LogEvent.PLANNED_FORM_CHANGED, made, by)
    return made


@transaction.atomic
def end_planned(*, planned: PlannedForm, by: User) -> PlannedForm:
    """The form is not asked for any more. What is given out already stays given, and is stored when it comes.

    Pressed twice, it is done once.
    """
    locked = _lock(planned, again=True)
    if locked.ended_at is None:
        end(locked, by)
        _note(LogEvent.PLANNED_FORM_ENDED, locked, by)
    elif successor(locked) is not None:
        raise Refused(OVER)
    return locked


@transaction.atomic
def undo(*, planned: PlannedForm, by: User) -> PlannedForm:
    """Undo of `plan_form` and `change_planned`: the row ends, and the one before it stands again, as a new row.

    Pressed twice, it is done once.
    """
    locked = _lock(planned, again=True)
    if locked.ended_at is None:
        refuse_if_late(locked.added_at, INSTEAD)
        end(locked, by)
        if locked.replaces is not None:
            _put_again(locked.replaces, locked, by)
        else:
            _note(LogEvent.PLANNED_FORM_ENDED, locked, by)
    return locked


@transaction.atomic
def put_back(*, planned: PlannedForm, by: User) -> PlannedForm:
    """Undo of `end_planned`, as a new row: the old one keeps until when it stood. Pressed twice, it is done once."""
    locked = _lock(planned, again=True)
    if locked.ended_at is not None and successor(locked) is None:
        refuse_if_late(locked.ended_at, INSTEAD)
        _put_again(locked, locked, by)
    return locked


def _put_again(former: PlannedForm, ended: PlannedForm, by: User) -> None:
    made = add(former.says, by=by, replaces=ended, since=former.since)
    _note(LogEvent.FORM_PLANNED, made, by)


def successor(planned: PlannedForm) -> PlannedForm | None:
    """The row that took its place."""
    found: PlannedForm | None = PlannedForm.objects.filter(replaces=planned).first()
    return found


def as_it_stands_now(planned: PlannedForm) -> PlannedForm:
    """The last row that took its place, or itself: what a page that is older than a change is about."""
    while planned.ended_at is not None and (after := successor(planned)) is not None:
        planned = after
    return planned


# --- Rows, for the plan of the clinic and for that of a course -----------------------------------


def not_stored(
    says: Mapping[str, Any], *, by: User, episode: Episode | None = None, **more: Any
) -> PlannedForm:
    """The row that these words would make."""
    instrument = instruments.get(says["instrument"])
    if says["moment"] == Moment.RATING and instrument.use != "session_alliance":
        raise ValueError(f"{instrument.name} does not rate a session.")
    return PlannedForm(
        instrument=instrument.id,
        rater=instrument.raters[0],
        for_whom=says["for_whom"],
        age_band=says["age_band"],
        therapists=sorted(says["therapists"]),
        supervisor_id=says["supervisor"] or None,
        episode=episode,
        moment=says["moment"],
        frequency=says["frequency"],
        every=says["every"] or 0,
        numbers=says["numbers"],
        since=timezone.localdate(),
        same_as=key_of(says, episode),
        added_by=by,
        **more,
    )


def add(
    says: Mapping[str, Any],
    *,
    by: User,
    replaces: PlannedForm | None = None,
    since: date | None = None,
    **more: Any,
) -> PlannedForm:
    """Inside the caller's transaction. since: from when on it counts what fell due; else from today."""
    planned = not_stored(says, by=by, replaces=replaces, **more)
    if since is not None:
        planned.since = since
    if refusal := risk_confirmations.not_confirmed(planned.form):
        raise Refused(refusal)
    try:
        with transaction.atomic():
            planned.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(SCALE_TWICE if planned.is_rating else TWICE) from error
    return planned


def end(planned: PlannedForm, by: User) -> None:
    planned.ended_at, planned.ended_by = timezone.now(), by
    planned.save(update_fields=["ended_at", "ended_by"])


def _lock(planned: PlannedForm, *, again: bool = False) -> PlannedForm:
    """The row as it is now. again: also where it is over, for an act that may come twice."""
    rows = PlannedForm.objects.of_the_clinic().select_for_update()
    locked: PlannedForm = rows.get(pk=planned.pk)
    if locked.ended_at is not None and not again:
        raise Refused(OVER)
    return locked


def _note(event: LogEvent, planned: PlannedForm, by: User) -> None:
    audit.record(event, planned, by=by, instrument=planned.instrument)
