"""Packs of instruments that are free under terms: which lie on this server, and which somebody has switched on."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.pack_file import MOST_FILES, TEXTS, Pack, read_pack
from alliance.measurement.wording_file import MOST_BYTES
from alliance.measurement.wording_texts import WordingError
from sessions_app.instruments.clinic_wording import both_or_neither


class PackQuerySet(models.QuerySet["InstrumentPack"]):
    def standing(self) -> Self:
        return self.filter(ended_at__isnull=True)


@append_only(may_change=("ended_at", "ended_by"))
class InstrumentPack(models.Model):
    """That the clinic uses the pack of an owner: what somebody read and confirmed. Its terms never change afterwards.

    The words themselves are kept as `ClinicWording`, so that they stay readable when the folder is gone.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    instrument = models.CharField(max_length=TEXTS["instrument"])
    name = models.CharField(max_length=TEXTS["name"])
    owner = models.CharField(max_length=TEXTS["owner"])
    licence = models.CharField(max_length=TEXTS["licence"])
    terms = models.TextField(max_length=TEXTS["terms"])
    source = models.CharField(max_length=TEXTS["source"])
    dated = models.DateField("text taken on")
    line = models.CharField("the owner’s line", max_length=TEXTS["line"])
    sha256 = models.CharField(max_length=64)
    accepted_at = models.DateTimeField(default=timezone.now)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = PackQuerySet.as_manager()

    class Meta:
        ordering = ("-accepted_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=both_or_neither("ended"), name="pack_ended_at_and_by"),
            models.UniqueConstraint(
                fields=["instrument"], condition=Q(ended_at__isnull=True), name="one_pack_an_instrument"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}, {instruments.get(self.instrument).name}"

    @property
    def stands(self) -> bool:
        return self.ended_at is None


@dataclass(frozen=True)
class Folder:
    """One folder on the server. pack: what it is; None where `faults` say what is wrong with it."""

    name: str
    pack: Pack | None
    faults: tuple[str, ...] = ()


def folders() -> list[Folder]:
    """Every pack that lies on the server, by the name of its folder."""
    return [_read(path) for path in _paths()]


def folder(name: str) -> Folder | None:
    """The one of this name; the name is compared with those there are and is never a path."""
    return next((_read(path) for path in _paths() if path.name == name), None)


def _paths() -> Iterator[Path]:
    home = Path(settings.INSTRUMENT_PACKS)
    if home.is_dir():
        yield from (path for path in sorted(home.iterdir()) if path.is_dir() and not path.is_symlink())


def _read(path: Path) -> Folder:
    """Only what lies in the folder itself: a link could lead to anything on the server."""
    found = sorted(one for one in path.iterdir() if one.suffix == ".toml" and one.is_file())
    try:
        files = {}
        for one in found[: MOST_FILES + 1]:
            if not one.is_symlink():
                with one.open("rb") as file:
                    files[one.name] = file.read(MOST_BYTES + 1)
        return Folder(path.name, read_pack(files, [tag for tag, _name in settings.LANGUAGES]))
    except WordingError as error:
        return Folder(path.name, None, error.sentences)
    except OSError:
        return Folder(path.name, None, ("This folder cannot be read by the site.",))


def is_on(instrument: Instrument) -> bool:
    return InstrumentPack.objects.standing().filter(instrument=instrument.id).exists()
