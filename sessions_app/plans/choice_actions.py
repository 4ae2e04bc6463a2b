"""The writes about the forms of one course, by its therapist: given otherwise than planned, or not at all; and back."""

from typing import Any
from uuid import UUID

from django.db import transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.form_plan import Moment
from alliance.measurement.instruments import Instrument
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from clients.lock import lock_open_episode
from clients.models import Episode
from sessions_app.plans import plan_actions, plan_words
from sessions_app.plans.models import ForWhom, PlannedForm, key_of

MEANWHILE = "The forms of this client were changed meanwhile. Look at them as they are now."
IN_THIS_COURSE = {"for_whom": ForWhom.COURSE, "age_band": "", "therapists": [], "supervisor": ""}
NOT_GIVEN = {"moment": "", "frequency": "", "every": None, "numbers": ""}


@transaction.atomic
def give_in_course(
    *,
    episode: Episode,
    instrument: str,
    why: str,
    by: User,
    form_key: UUID | None = None,
    opened_with: Opened | None = None,
    **timing: Any,
) -> PlannedForm:
    """This client is given the form at that time, whatever the clinic plans of it.

    Of a session scale: all sessions from now on are rated on it. What stood before in this course ends.
    """
    locked = lock_open_episode(episode.pk)
    if made := plan_actions.made_by(form_key):
        return made
    says = {"instrument": instrument, **IN_THIS_COURSE, **timing}
    former = standing(locked, says)
    if says["moment"] == Moment.RATING:
        stored, typed = scale_and_why(former), {"instrument": instrument, "why": why}
    else:
        stored, typed = when_and_why(former), {**timing, "why": why}
    if former is not None and not changed(opened_with, stored=stored, typed=typed):
        return former
    if former is None:
        changed(opened_with, stored=stored, typed=typed)
    return _put(locked, says, former, why=why, by=by, form_key=form_key)


@transaction.atomic
def switch_off(
    *, episode: Episode, named: Instrument, why: str, by: User, opened_with: Opened | None = None
) -> PlannedForm:
    """This client is not given the form any more, whatever the clinic plans of it."""
    locked = lock_open_episode(episode.pk)
    says = {"instrument": named.id, **IN_THIS_COURSE, **NOT_GIVEN}
    former = standing(locked, says)
    if former is not None and former.is_off and former.why == why:
        return former  # pressed twice
    refuse_if_changed(opened_with, in_words(former))
    return _put(locked, says, former, why=why, by=by)


def _put(
    episode: Episode,
    says: dict[str, Any],
    former: PlannedForm | None,
    *,
    why: str,
    by: User,
    form_key: UUID | None = None,
) -> PlannedForm:
    if former is not None:
        plan_actions.end(former, by)
    is_off = not says["moment"]
    made = plan_actions.add(
        says, by=by, replaces=former, episode=episode, is_off=is_off, why=why, form_key=form_key
    )
    _note(made, by)
    return made


@transaction.atomic
def by_the_plan(*, chosen: PlannedForm, by: User) -> PlannedForm:
    """The way back: for this form the plan of the clinic holds again. Pressed twice, it is done once."""
    lock_open_episode(chosen.episode_id or 0)
    chosen.refresh_from_db(fields=["ended_at", "ended_by"])
    if chosen.ended_at is None:
        plan_actions.end(chosen, by)
        _note(chosen, by)
    elif plan_actions.successor(chosen) is not None:
        raise Refused(MEANWHILE)
    return chosen


def standing(episode: Episode, says: dict[str, Any]) -> PlannedForm | None:
    """What is chosen in this course for the same form."""
    key = key_of(says, episode)
    found: PlannedForm | None = PlannedForm.objects.standing().filter(same_as=key).first()
    return found


def when_and_why(chosen: PlannedForm | None) -> dict[str, Any]:
    """What stands, by the names of the form's fields; nothing chosen: nothing in any of them."""
    if chosen is None:
        return {**NOT_GIVEN, "why": ""}
    return {name: chosen.says[name] for name in NOT_GIVEN} | {"why": chosen.why}


def scale_and_why(chosen: PlannedForm | None) -> dict[str, Any]:
    return {"instrument": chosen.instrument if chosen else "", "why": chosen.why if chosen else ""}


def in_words(chosen: PlannedForm | None) -> dict[str, str]:
    """What a page with a button says of how this client is given a form."""
    if chosen is None:
        return {"It is given": "by the plan of the clinic"}
    return {
        "It is given": "not at all" if chosen.is_off else f"{plan_words.when(chosen.timing)}: {chosen.why}"
    }


def _note(chosen: PlannedForm, by: User) -> None:
    audit.record(
        LogEvent.FORMS_OF_CLIENT_CHANGED,
        chosen,
        by=by,
        client=chosen.client_code,
        instrument=chosen.instrument,
    )
