"""The writes about the clinic's settings: versions that are added. All by an administrator."""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters, WorkList
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed, refuse_if_changed
from sessions_app.flags import recompute
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.rulebook import client_form_fields
from sessions_app.rulebook.rule_fields import values_of

CHANGED_MEANWHILE = "Somebody else is changing the settings just now. Look at them again, then save."
TRIES = 3


# --- Settings ------------------------------------------------------------------------------------


@transaction.atomic
def change_settings(
    *, instrument: str, closing: str, by: User, opened_with: Opened | None = None, **of_the_form: Any
) -> ClinicSettings:
    """The next version of the clinic's settings.

    of_the_form: `languages`, `prorated`, and `urgent_help_<language>` for each text; what is not given stays as it is.
    """
    typed = {"instrument": instrument, "closing": closing, **of_the_form}

    def write(now: ClinicSettings) -> ClinicSettings:
        stored = client_form_fields.stored(now)
        new = changed(opened_with, stored={name: stored.get(name, "") for name in typed}, typed=typed)
        if not new:
            return now
        made = _next_version(now, by, **client_form_fields.as_columns(now, new))
        event = LogEvent.SETTINGS_CHANGED
        audit.record(event, made, by=by, version=made.version, instrument=instrument, closing=closing)
        return made

    return _on_what_is_in_force(write)


@transaction.atomic
def change_rules(
    *,
    instrument: Instrument,
    language: str,
    parameters: Parameters,
    by: User,
    opened_with: Opened | None = None,
) -> ClinicSettings:
    """The next version, with these parameters for ratings on this instrument (in one language, or all: "").

    Where that changes anything, every flag is computed again from now on (`recompute`).
    """

    def write(now: ClinicSettings) -> ClinicSettings:
        before = rule_settings.of(now)
        refuse_unless_seen(before, instrument, language, parameters, opened_with)
        after = before.with_values(instrument, language, parameters)
        if after.rules == before.rules:
            return now
        made = _next_version(now, by, rules=after.rules)
        event, version = LogEvent.RULES_CHANGED, made.version
        audit.record(event, made, by=by, version=version, instrument=instrument.id, language=language)
        return made

    return _on_what_is_in_force(write)


@transaction.atomic
def change_work_list(*, work_list: WorkList, by: User, opened_with: Opened | None = None) -> ClinicSettings:
    """The next version, with this work list for every form. Every flag is computed again from now on."""

    def write(now: ClinicSettings) -> ClinicSettings:
        before = rule_settings.of(now)
        after = before.with_work_list(work_list)
        if after.rules == before.rules:
            return now
        refuse_if_changed(opened_with, version_in_force(now))
        made = _next_version(now, by, rules=after.rules)
        audit.record(LogEvent.WORK_LIST_CHANGED, made, by=by, version=made.version, work_list=work_list)
        return made

    return _on_what_is_in_force(write)


def refuse_unless_seen(
    rules: RuleSettings,
    instrument: Instrument,
    language: str,
    parameters: Parameters,
    opened_with: Opened | None,
) -> None:
    now, typed = (
        values_of(one, instrument, language) for one in (rules.parameters(instrument, language), parameters)
    )
    changed(opened_with, stored=now, typed=typed)


@transaction.atomic
def use_again(*, earlier: ClinicSettings, by: User, opened_with: Opened | None = None) -> ClinicSettings:
    """A new version that says what an earlier one said."""

    def write(now: ClinicSettings) -> ClinicSettings:
        if earlier.says == now.says:
            return now
        refuse_if_changed(opened_with, version_in_force(now))
        made = _next_version(now, by, **earlier.says)
        audit.record(LogEvent.SETTINGS_USED_AGAIN, made, by=by, version=made.version, earlier=earlier.version)
        return made

    return _on_what_is_in_force(write)


def version_in_force(now: ClinicSettings) -> dict[str, int]:
    """What a page says that compares an earlier version with it."""
    return {"Version in force": now.version}


@transaction.atomic
def note_try_out(*, instrument: str, language: str, by: User) -> None:
    """Somebody looked at what settings would do. Counts alone are shown; the log shows who tries a hundred of them."""
    now = ClinicSettings.objects.in_force()
    audit.record(LogEvent.RULES_TRIED, now, by=by, instrument=instrument, language=language)


def _on_what_is_in_force(write: Callable[[ClinicSettings], ClinicSettings]) -> ClinicSettings:
    """What `write` makes of the newest version: once more where somebody else made the next one meanwhile.

    Versions are only added, so there is no row to lock; their number is unique.
    """
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return write(ClinicSettings.objects.in_force())
        except IntegrityError:
            continue
    raise Refused(CHANGED_MEANWHILE)


def _next_version(now: ClinicSettings, by: User, **new: Any) -> ClinicSettings:
    made = ClinicSettings.objects.create(version=now.version + 1, made_by=by, **{**now.says, **new})
    if (made.rules or {}) != (now.rules or {}):
        recompute.begin(by=by)
    return made
