"""The writes about the clinic's settings: versions that are added. All by an administrator."""

from typing import Any

from django.db import IntegrityError, transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.models import User
from alliance.refused import Refused
from sessions_app.flags import recompute
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings

CHANGED_MEANWHILE = "Somebody changed the settings meanwhile. Look at them again, then save."


# --- Settings ------------------------------------------------------------------------------------


@transaction.atomic
def change_settings(*, based_on: int, instrument: str, closing: str, by: User) -> ClinicSettings:
    """The next version of the clinic's settings. `based_on`: the version that the person was looking at."""
    now = _settings_as_seen(based_on)
    if (now.instrument, now.closing) == (instrument, closing):
        return now
    made = _next_version(now, by, instrument=instrument, closing=closing)
    audit.record(
        LogEvent.SETTINGS_CHANGED, made, by=by, version=made.version, instrument=instrument, closing=closing
    )
    return made


@transaction.atomic
def change_rules(
    *, based_on: int, instrument: Instrument, language: str, parameters: Parameters, by: User
) -> ClinicSettings:
    """The next version, with these parameters for ratings on this instrument (in one language, or all: "").

    Where that changes anything, every flag is computed again from now on (`recompute`).
    """
    now = _settings_as_seen(based_on)
    before = rule_settings.of(now)
    after = before.with_values(instrument, language, parameters)
    if after.rules == before.rules:
        return now
    made = _next_version(now, by, rules=after.rules)
    audit.record(
        LogEvent.RULES_CHANGED, made, by=by, version=made.version, instrument=instrument.id, language=language
    )
    return made


@transaction.atomic
def use_again(*, based_on: int, earlier: ClinicSettings, by: User) -> ClinicSettings:
    """A new version that says what an earlier one said."""
    now = _settings_as_seen(based_on)
    if earlier.says == now.says:
        return now
    made = _next_version(now, by, **earlier.says)
    audit.record(LogEvent.SETTINGS_USED_AGAIN, made, by=by, version=made.version, earlier=earlier.version)
    return made


@transaction.atomic
def note_try_out(*, instrument: str, language: str, by: User) -> None:
    """Somebody looked at what settings would do. Counts alone are shown; the log shows who tries a hundred of them."""
    now = ClinicSettings.objects.in_force()
    audit.record(LogEvent.RULES_TRIED, now, by=by, instrument=instrument, language=language)


def _settings_as_seen(based_on: int) -> ClinicSettings:
    now = ClinicSettings.objects.in_force()
    if now.version != based_on:
        raise Refused(CHANGED_MEANWHILE)
    return now


def _next_version(now: ClinicSettings, by: User, **changed: Any) -> ClinicSettings:
    says = {**now.says, **changed}
    try:
        with transaction.atomic():
            made = ClinicSettings.objects.create(version=now.version + 1, made_by=by, **says)
    except IntegrityError as error:
        raise Refused(CHANGED_MEANWHILE) from error
    if (made.rules or {}) != (now.rules or {}):
        recompute.begin(by=by)
    return made
