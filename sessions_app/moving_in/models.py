"""One import: who brought which file when, how it is read, and what came of it; and the numbers it brought along."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client, Episode
from sessions_app.courses.models import TherapySession
from sessions_app.moving_in.columns import SHEETS, Kind, Sheet
from sessions_app.moving_in.csv_file import Layout

# A file that nobody imported is removed then; one that was imported, at once.
KEPT_FOR = timedelta(days=1)
KINDS = [(kind.value, SHEETS[kind].title) for kind in Kind]


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def with_file(self) -> Self:
        return self.filter(removed_at__isnull=True)

    def past(self) -> Self:
        """Those whose file nobody imported within its time."""
        return self.with_file().filter(made_at__lte=timezone.now() - KEPT_FOR)


class ImportRun(models.Model):
    """One file. Its content is sealed (`ImportPart`) and removed with the import; what stands here says what it was.

    remarks: the first ones of the last check, as [row, column, sentence]; emptied with the file.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=20, choices=KINDS)
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    lines = models.PositiveIntegerField(default=0, help_text="About as many rows, for the bar.")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    columns = models.JSONField(default=dict, help_text="{column: its place in the file}")
    options = models.JSONField(default=dict, help_text="`Options`")
    checked_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict, help_text="{new, same, changed, wrong: rows}")
    remarks = models.JSONField(default=list)
    episodes = models.JSONField(
        default=list, help_text="Row numbers of those it writes to; emptied with the file."
    )
    imported_at = models.DateTimeField(null=True)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    removed_at = models.DateTimeField(null=True, help_text="When its content was removed.")

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]), name="import_known_kind"
            ),
            models.CheckConstraint(
                condition=Q(imported_at__isnull=True) | Q(checked_at__isnull=False, removed_at__isnull=False),
                name="import_checked_and_removed",
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    @property
    def sheet(self) -> Sheet:
        return SHEETS[Kind(self.kind)]

    @property
    def layout(self) -> Layout:
        return Layout(self.encoding, self.delimiter)

    @property
    def is_imported(self) -> bool:
        return self.imported_at is not None

    @property
    def has_file(self) -> bool:
        return self.removed_at is None

    @property
    def is_checked(self) -> bool:
        return self.checked_at is not None and self.has_file

    @property
    def is_ready(self) -> bool:
        """Whether it can be imported: checked, and nothing wrong in it."""
        return self.is_checked and not self.count("wrong")

    @property
    def removed_on(self) -> Any:
        """When its file goes, where nobody imports it."""
        return self.made_at + KEPT_FOR

    def count(self, name: str) -> int:
        return int(self.counts.get(name, 0))


class ImportPart(models.Model):
    """A piece of the file, sealed with the site's key (`sealed_file`)."""

    run = models.ForeignKey(ImportRun, models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["run", "number"], name="one_part_a_number"),)

    def __str__(self) -> str:
        return f"Part {self.number} of {self.run_id}"


class ImportedNumber(models.Model):
    """The number under which another system knows a row: what is imported twice is found by it, and made once."""

    class Of(models.TextChoices):
        CLIENT = "client", "Client"
        EPISODE = "episode", "Episode"
        SESSION = "session", "Session"

    kind = models.CharField(max_length=10, choices=Of.choices)
    number = models.CharField(max_length=80)
    client = models.ForeignKey(Client, models.PROTECT, related_name="imported_numbers", null=True)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="imported_numbers", null=True)
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="imported_numbers", null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "number"], name="one_row_a_number"),
            models.CheckConstraint(
                condition=Q(kind="client", client__isnull=False, episode__isnull=True, session__isnull=True)
                | Q(kind="episode", client__isnull=True, episode__isnull=False, session__isnull=True)
                | Q(kind="session", client__isnull=True, episode__isnull=True, session__isnull=False),
                name="number_of_its_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
