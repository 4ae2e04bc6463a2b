"""The writes about who supervises whom: keyword-only, one transaction each, the log inside."""

from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from clients.models import Supervision
from clients.plausible_days import refuse_implausible

TAKEN_BACK = "This supervision was taken back meanwhile, as if it had never been. There is nothing to change."


@transaction.atomic
def start_supervision(*, supervisor: User, therapist: User, starts_on: date, by: User | None) -> Supervision:
    if supervisor == therapist:
        raise Refused("Nobody supervises themselves.")
    if not supervisor.has_any_role(frozenset({Role.SUPERVISOR})):
        raise Refused(f"{supervisor} is not a supervisor who may sign in.")
    if not therapist.is_therapist:
        raise Refused(f"{therapist} is not a therapist.")
    refuse_implausible(starts_on)
    try:
        with transaction.atomic():
            supervision = Supervision.objects.create(
                supervisor=supervisor, therapist=therapist, starts_on=starts_on
            )
    except IntegrityError as error:
        raise Refused(f"{supervisor} supervises {therapist} already.") from error
    audit.record(LogEvent.SUPERVISION_STARTED, supervision, by=by, **_pair(supervision))
    return supervision


@transaction.atomic
def end_supervision(
    *, supervision: Supervision, last_day: date, by: User, opened_with: Opened | None = None
) -> Supervision:
    """`last_day` is the last day on which the supervisor sees the caseload.

    The day before the first takes back what was a mistake: it ends at once.
    """
    refuse_implausible(last_day)
    stands = Supervision.objects.select_for_update().filter(pk=supervision.pk).first()
    if stands is None:
        raise Refused(TAKEN_BACK)
    supervision.starts_on, supervision.ends_on = stands.starts_on, stands.ends_on
    if not changed(opened_with, stored={"last_day": stands.ends_on}, typed={"last_day": last_day}):
        return supervision
    if last_day < supervision.starts_on - timedelta(days=1):
        raise Refused("A supervision cannot end before it starts.")
    if last_day < supervision.starts_on:
        audit.record(
            LogEvent.SUPERVISION_ENDED, supervision, by=by, last_day="never in force", **_pair(supervision)
        )
        supervision.delete()
        return supervision
    if supervision.ends_on and supervision.ends_on < timezone.localdate():
        raise Refused("This supervision is over already. Start a new one instead.")
    supervision.ends_on = last_day
    supervision.save(update_fields=["ends_on"])
    audit.record(
        LogEvent.SUPERVISION_ENDED, supervision, by=by, last_day=last_day.isoformat(), **_pair(supervision)
    )
    return supervision


def _pair(supervision: Supervision) -> dict[str, Any]:
    return {"supervisor": str(supervision.supervisor_id), "therapist": str(supervision.therapist_id)}
