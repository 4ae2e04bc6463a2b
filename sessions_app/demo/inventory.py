"""An inventory of twelve items in invented words, which say so wherever they are shown; loaded from a file."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from alliance.log_events import LogEvent
from alliance.measurement.wording_file import read_wording, stored_form, stored_items
from alliance.models import AuditEvent, User
from sessions_app.demo.lines import line
from sessions_app.instruments.clinic_wording import ClinicWording, Licence, Medium

FILE = Path(__file__).with_name("invented-inventory.toml")
BEFORE = timedelta(days=1)  # it is planned
HOLDER = "Nobody: invented for the demo"


def load(by: User, at: datetime) -> ClinicWording:
    """Switched on, with a record that there is no licence behind it: the words are nobody's."""
    read = read_wording(FILE.read_text("utf-8"), [tag for tag, _name in settings.LANGUAGES])
    Licence.objects.create(
        instrument=read.instrument.id,
        holder=HOLDER,
        kind="No licence: the words are invented",
        medium=Medium.BOTH,
        accepted_at=at,
        accepted_by=by,
    )
    return ClinicWording.objects.create(
        instrument=read.instrument.id,
        instrument_version=read.instrument.version,
        language=read.wording.language,
        edition=read.edition,
        title=read.wording.title,
        introduction=read.wording.introduction,
        items=stored_items(read.wording),
        form=stored_form(read.wording, read.stated),
        loaded_at=at,
        loaded_by=by,
        switched_on_at=at,
        switched_on_by=by,
    )


def log_lines(wording: ClinicWording) -> Iterator[AuditEvent]:
    at, by = wording.loaded_at, wording.loaded_by
    licence = Licence.objects.get(instrument=wording.instrument)
    of = {name: getattr(wording, name) for name in ("instrument", "language", "edition")}
    yield line(
        LogEvent.LICENCE_RECORDED, licence, at, by=by, instrument=licence.instrument, medium=licence.medium
    )
    yield line(LogEvent.WORDING_LOADED, wording, at + timedelta(minutes=1), by=by, **of)
    yield line(LogEvent.WORDING_SWITCHED_ON, wording, at + timedelta(minutes=2), by=by, **of)
