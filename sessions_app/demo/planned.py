"""Sentences of the plan of forms, as they were written some time ago."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.measurement.form_plan import Frequency, Moment
from alliance.models import AuditEvent, User
from clients.models import Episode
from sessions_app.demo.lines import line
from sessions_app.plans import plan_actions
from sessions_app.plans.models import ForWhom, PlannedForm


def plan(
    instrument: str,
    moment: Moment,
    at: datetime,
    *,
    by: User,
    frequency: Frequency = Frequency.EACH,
    every: int | None = None,
    therapist: User | None = None,
    age_band: str = "",
    episode: Episode | None = None,
    why: str = "",
) -> tuple[PlannedForm, AuditEvent]:
    """The row, stored, and its line of the log. therapist: for whose clients; episode: for this course alone."""
    whom = ForWhom.CLINIC if therapist is None else ForWhom.THERAPISTS
    says: dict[str, Any] = {
        "instrument": instrument,
        "for_whom": whom if episode is None else ForWhom.COURSE,
        "age_band": age_band,
        "therapists": [] if therapist is None else [str(therapist.pk)],
        "supervisor": "",
        "moment": moment,
        "frequency": frequency,
        "every": every,
        "numbers": "",
    }
    row = plan_actions.not_stored(says, by=by, episode=episode, why=why)
    row.added_at, row.since = at, timezone.localdate(at)
    row.save(force_insert=True)
    if episode is None:
        return row, line(LogEvent.FORM_PLANNED, row, at, by=by, instrument=instrument)
    return row, line(LogEvent.FORMS_OF_CLIENT_CHANGED, row, at, by=by, instrument=instrument)
