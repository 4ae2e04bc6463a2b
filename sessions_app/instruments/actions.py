"""The writes about what the clinic brings and chooses: wording, licences, settings. All by an administrator."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.wording_file import WordingFile
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, refuse_if_changed
from sessions_app.instruments.clinic_wording import ClinicWording, Licence

# --- Wording -------------------------------------------------------------------------------------


@transaction.atomic
def load_wording(*, read: WordingFile, by: User) -> ClinicWording:
    """Keep the text of a file, switched off. Its content never changes after this."""
    wording = read.wording
    items = {
        item: {"question": line.question, "low_end": line.low_end, "high_end": line.high_end}
        for item, line in wording.items.items()
    }
    try:
        with transaction.atomic():
            loaded = ClinicWording.objects.create(
                instrument=read.instrument.id,
                instrument_version=read.instrument.version,
                language=wording.language,
                edition=read.edition,
                title=wording.title,
                introduction=wording.introduction,
                items=items,
                loaded_by=by,
            )
    except IntegrityError as error:
        raise Refused(
            f"Edition {read.edition} of {read.instrument.name} is loaded in this language already. If the text "
            "is another, give it an edition of its own: ratings of the two are then never mixed."
        ) from error
    _note(LogEvent.WORDING_LOADED, loaded, by)
    return loaded


@transaction.atomic
def switch_on(*, wording: ClinicWording, by: User, opened_with: Opened | None = None) -> ClinicWording:
    """Give this text from now on. Every other edition of the instrument is switched off with it.

    Two editions at once would start a client's usual range anew with each change of language.
    """
    locked = _locked(wording)
    if not Licence.objects.filter(instrument=wording.instrument).electronic().standing(_today()).exists():
        raise Refused("Record a licence to use it on screens first.")
    if not locked.is_on:  # pressed twice, it is on already
        refuse_if_changed(opened_with, switched_off_by(wording))
    for other in others_switched_off_by(wording):
        _switch_off(other, by)
    if not locked.is_on:
        locked.switched_on_at, locked.switched_on_by = timezone.now(), by
        locked.save(update_fields=["switched_on_at", "switched_on_by"])
        _note(LogEvent.WORDING_SWITCHED_ON, locked, by)
    return locked


@transaction.atomic
def switch_off(*, wording: ClinicWording, by: User) -> ClinicWording:
    """New forms no longer use this text; those that are handed over keep it."""
    locked = _locked(wording)
    if locked.is_on:
        _switch_off(locked, by)
    return locked


def others_switched_off_by(wording: ClinicWording) -> list[ClinicWording]:
    rows = ClinicWording.objects.switched_on().filter(instrument=wording.instrument)
    same = ClinicWording.objects.of_the_edition(wording)
    return list(rows.exclude(pk__in=same.values("pk")))


def switched_off_by(wording: ClinicWording) -> dict[str, str]:
    """What the page says that goes off as this one goes on."""
    others = (f"{one} in {one.language_name}" for one in others_switched_off_by(wording))
    return {"Switched off by this": ", ".join(sorted(others)) or "nothing"}


def _locked(wording: ClinicWording) -> ClinicWording:
    """The row as it is now; whoever switches another text of the instrument waits."""
    rows = ClinicWording.objects.select_for_update().filter(instrument=wording.instrument).order_by("pk")
    return {row.pk: row for row in rows}[wording.pk]


def _switch_off(wording: ClinicWording, by: User) -> None:
    wording.switched_on_at = wording.switched_on_by = None
    wording.save(update_fields=["switched_on_at", "switched_on_by"])
    _note(LogEvent.WORDING_SWITCHED_OFF, wording, by)


def _note(event: LogEvent, wording: ClinicWording, by: User) -> None:
    of = {name: getattr(wording, name) for name in ("instrument", "language", "edition")}
    audit.record(event, wording, by=by, **of)


# --- Licences ------------------------------------------------------------------------------------


@transaction.atomic
def record_licence(
    *, instrument: str, holder: str, kind: str, number: str, medium: str, valid_to: date | None, by: User
) -> Licence:
    """Somebody read the terms and accepted them for the clinic; that is what the row says, and no more.

    Recorded again word for word while it has not ended, the row that is there.
    """
    said = {"holder": holder, "kind": kind, "number": number, "medium": medium, "valid_to": valid_to}
    if recorded := Licence.objects.filter(instrument=instrument, ended_at=None, **said).first():
        return recorded
    licence = Licence.objects.create(instrument=instrument, accepted_by=by, **said)
    audit.record(LogEvent.LICENCE_RECORDED, licence, by=by, instrument=instrument, medium=medium)
    return licence


@transaction.atomic
def end_licence(*, licence: Licence, by: User) -> Licence:
    """No new form is given under it, from now on."""
    locked = Licence.objects.select_for_update().get(pk=licence.pk)
    if locked.ended_at is not None:
        raise Refused("This licence was ended already.")
    locked.ended_at, locked.ended_by = timezone.now(), by
    locked.save(update_fields=["ended_at", "ended_by"])
    audit.record(LogEvent.LICENCE_ENDED, locked, by=by, instrument=locked.instrument)
    return locked


def _today() -> date:
    return timezone.localdate()
