"""How feedback is collected and used, counted by therapist and day."""

from django.conf import settings
from django.db import models

COUNTED = (
    *("attended", "rated", "missed", "to_talk", "talked", "not_needed", "low_points", "back"),
    *("to_see", "seen"),
)


class ProcessDay(models.Model):
    """The counts of one therapist on one day (`alliance.measurement.process.DayCounts`), over all episodes.

    A conclusion: the sum of `process` over the standings of the therapist's episodes. It is kept in the transaction
    that writes a standing; `checks.rebuild_days` sums up anew.
    """

    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    day = models.DateField()
    attended = models.IntegerField(default=0)
    rated = models.IntegerField(default=0)
    missed = models.IntegerField(default=0)
    to_talk = models.IntegerField(default=0)
    talked = models.IntegerField(default=0)
    not_needed = models.IntegerField(default=0)
    low_points = models.IntegerField(default=0)
    back = models.IntegerField(default=0)
    to_see = models.IntegerField(default=0)
    seen = models.IntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["therapist", "day"], name="one_process_day_a_therapist"),
        )

    def __str__(self) -> str:
        return f"{self.therapist_id}, {self.day}"
