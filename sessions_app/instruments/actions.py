"""The writes about what the clinic brings and chooses: wording, licences, settings. All by an administrator."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.pack_file import Pack
from alliance.measurement.stated_parts import in_words
from alliance.measurement.wording_file import WordingFile, stored_form, stored_items
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, refuse_if_changed
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.packs import InstrumentPack

# --- Wording -------------------------------------------------------------------------------------


@transaction.atomic
def load_wording(*, read: WordingFile, by: User) -> ClinicWording:
    """Keep the text of a file, switched off. Its content never changes after this."""
    _refuse_other_statements(read)
    wording = read.wording
    try:
        with transaction.atomic():
            loaded = ClinicWording.objects.create(
                instrument=read.instrument.id,
                instrument_version=read.instrument.version,
                language=wording.language,
                edition=read.edition,
                title=wording.title,
                introduction=wording.introduction,
                items=stored_items(wording),
                form=stored_form(wording, read.stated),
                loaded_by=by,
            )
    except IntegrityError as error:
        raise Refused(
            f"Edition {read.edition} of {read.instrument.name} is loaded in this language already. If the text "
            "is another, give it an edition of its own: ratings of the two are then never mixed."
        ) from error
    _note(LogEvent.WORDING_LOADED, loaded, by)
    return loaded


def _refuse_other_statements(read: WordingFile) -> None:
    """One edition is one form in several languages: it cannot be scored in two ways."""
    others = ClinicWording.objects.of(read.instrument).filter(edition__iexact=read.edition)
    for other in others.exclude(language=read.wording.language):
        if other.scored != read.scored:
            ours, theirs = in_words(read.scored), in_words(other.scored)
            differing = [pair for pair in ours if pair not in theirs] or ours
            said = "; ".join(f"{name.lower()} {value}" for name, value in differing)
            there = "; ".join(
                f"{name.lower()} {value}" for name, value in theirs if (name, value) not in ours
            )
            raise Refused(
                f"Edition {read.edition} is loaded in {other.language_name} with {there or 'fewer parts'}. "
                f"This file states {said}. One edition is scored in one way: "
                "put right what is wrong, or give this text another edition."
            )


@transaction.atomic
def switch_on(*, wording: ClinicWording, by: User, opened_with: Opened | None = None) -> ClinicWording:
    """Give this text from now on. Every other edition of the instrument is switched off with it.

    Two editions at once would start a client's usual range anew with each change of language.
    """
    locked = _locked(wording)
    instrument = instruments.get(locked.instrument, locked.instrument_version)
    if offers.not_permitted(instrument, _today()):
        raise Refused(
            "Switch on its pack first."
            if instrument.licence == "pack"
            else "Record a licence to use it on screens first."
        )
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
    same = Licence.objects.filter(instrument=instrument, ended_at=None, **said)
    if recorded := same.first():
        return recorded
    try:
        with transaction.atomic():
            licence = Licence.objects.create(instrument=instrument, accepted_by=by, **said)
    except IntegrityError:  # the other of two presses at once was first
        return same.get()
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


# --- Packs ---------------------------------------------------------------------------------------


@transaction.atomic
def switch_on_pack(*, pack: Pack, read_sha256: str, by: User) -> InstrumentPack:
    """Somebody read the terms of the owner and confirmed them; from now on its words are given.

    read_sha256: of the pack whose terms were read; the folder may have been changed meanwhile.
    Pressed twice, the row that is there.
    """
    if read_sha256 != pack.sha256:
        raise Refused("The pack was changed on the server since you opened this page. Read its terms again.")
    before = (
        InstrumentPack.objects.standing().select_for_update().filter(instrument=pack.instrument.id).first()
    )
    if before is not None and before.sha256 == pack.sha256:
        return before
    if before is not None:
        _end_pack(before, by)
    parts = ("name", "owner", "licence", "terms", "source", "dated", "line", "sha256")
    try:
        with transaction.atomic():
            made = InstrumentPack.objects.create(
                instrument=pack.instrument.id, accepted_by=by, **{one: getattr(pack, one) for one in parts}
            )
    except IntegrityError as error:
        raise Refused("Somebody else switched on a pack of this instrument meanwhile.") from error
    audit.record(LogEvent.PACK_SWITCHED_ON, made, by=by, instrument=made.instrument)
    for read in pack.wordings:
        switch_on(wording=_loaded(read, by), by=by)
    return made


def _loaded(read: WordingFile, by: User) -> ClinicWording:
    """The same text loaded already, or as it is loaded now; another text under its edition is refused."""
    rows = ClinicWording.objects.of(read.instrument)
    there = rows.filter(edition__iexact=read.edition, language=read.wording.language).first()
    same = there is not None and there.wording == read.wording and there.stated == read.stated
    return there if there is not None and same else load_wording(read=read, by=by)


@transaction.atomic
def switch_off_pack(*, pack: InstrumentPack, by: User) -> InstrumentPack:
    """No new form is given from it, from now on; what is handed over keeps its words."""
    locked = InstrumentPack.objects.select_for_update().get(pk=pack.pk)
    if locked.ended_at is not None:
        raise Refused("This pack was switched off already.")
    return _end_pack(locked, by)


def _end_pack(pack: InstrumentPack, by: User) -> InstrumentPack:
    pack.ended_at, pack.ended_by = timezone.now(), by
    pack.save(update_fields=["ended_at", "ended_by"])
    audit.record(LogEvent.PACK_SWITCHED_OFF, pack, by=by, instrument=pack.instrument)
    return pack


def _today() -> date:
    return timezone.localdate()
