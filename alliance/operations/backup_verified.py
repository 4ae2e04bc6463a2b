"""The row of a backup that was restored to see whether it can be."""

from django.db import models
from django.utils import timezone

from alliance.append_only import append_only


class WhichKey(models.TextChoices):
    """With which key it was opened: that of a moment shows the file; only the clinic's own shows that it is there."""

    NONE = "none", "not encrypted"
    MOMENT = "moment", "the key of the moment in which it was made"
    CLINIC = "clinic", "the private key of the clinic"


@append_only()
class BackupVerified(models.Model):
    """What was found when a backup was restored, beside the site or in its place."""

    file = models.CharField(max_length=80, help_text="Its name, in BACKUP_FOLDER or elsewhere.")
    made_at = models.DateTimeField(help_text="The moment it shows.")
    verified_at = models.DateTimeField(default=timezone.now, db_index=True)
    seconds = models.FloatField()
    key = models.CharField(max_length=10, choices=WhichKey.choices)
    is_whole = models.BooleanField()
    found = models.JSONField(default=list, help_text="What is wrong with it, in sentences.")

    class Meta:
        ordering = ("-verified_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(key__in=WhichKey.values), name="backup_verified_known_key"
            ),
        )

    def __str__(self) -> str:
        return f"{self.file}: {'whole' if self.is_whole else 'not whole'}"
