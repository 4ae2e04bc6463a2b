"""The months of the access log that were moved to files, and the permission to take their lines out of the table.

What moves them is `alliance.log_archiving`. The seals over the lines stay in the database, so that the files are
compared as the table is.
"""

from datetime import date, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import Erasable, append_only

# No month that is younger is moved (`log_archiving.KEEP_AT_LEAST`, in days).
AT_LEAST = timedelta(days=330)


@append_only()
class AuditArchive(models.Model):
    """One file with the lines above `after` up to `upto`: those under the seals of a month."""

    name = models.CharField(max_length=60, unique=True, help_text="Of the file.")
    sha256 = models.CharField(max_length=64, help_text="Of the file's bytes.")
    first_seal = models.PositiveBigIntegerField()
    last_seal = models.PositiveBigIntegerField(unique=True)
    after = models.BigIntegerField()
    upto = models.BigIntegerField(unique=True)
    count = models.PositiveIntegerField(help_text="How many lines are in it.")
    last_at = models.DateTimeField(help_text="The time of its last line.")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-last_seal",)

    def __str__(self) -> str:
        return self.name


class ArchivePermit(models.Model):
    """Inside one transaction: the lines of this archive may be taken out of the table.

    No transaction can leave it behind, as with `erasures.ErasurePermit`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    archive = models.OneToOneField(AuditArchive, models.PROTECT, related_name="permit")
    never = models.ForeignKey("self", models.DO_NOTHING, related_name="+", default=2)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="one_archive_permit_at_a_time"),
            models.CheckConstraint(condition=Q(never=2), name="archive_permit_never_stays"),
        )

    def __str__(self) -> str:
        return f"Permit for {self.archive_id}"


def reached(day: date | None) -> AuditArchive | None:
    """The newest archive, where lines since `day`, or all, are asked for that are in it; without a query lately."""
    if day and day > timezone.localdate() - AT_LEAST:
        return None
    newest = AuditArchive.objects.first()
    return newest if newest and (day is None or day <= timezone.localdate(newest.last_at)) else None


TAKEN_OUT = Erasable(
    "EXISTS (SELECT 1 FROM alliance_auditarchive AS archive"
    " JOIN alliance_archivepermit AS permit ON permit.archive_id = archive.id"
    " WHERE OLD.id > archive.after AND OLD.id <= archive.upto)",
    reads=("alliance_auditarchive", "alliance_archivepermit"),
)
