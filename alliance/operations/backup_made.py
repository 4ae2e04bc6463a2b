"""The row of a backup that was made."""

from django.db import models

from alliance.append_only import append_only


@append_only()
class BackupMade(models.Model):
    """That a backup was made, of which moment, and what it holds. The file itself may be gone: see `retention`."""

    file = models.CharField(max_length=80, help_text="Its name in BACKUP_FOLDER.")
    made_at = models.DateTimeField(db_index=True, help_text="The moment it shows.")
    seconds = models.FloatField()
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    encrypted = models.BooleanField()
    version = models.CharField(max_length=40, help_text="Of the program.")
    rows = models.PositiveBigIntegerField(help_text="In all tables.")
    log_head = models.CharField(
        max_length=64, help_text="Of the seals over the access log; blank: none was there."
    )

    class Meta:
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return self.file
