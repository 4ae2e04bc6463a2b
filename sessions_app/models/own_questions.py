"""Questions that the clinic added to ours, for therapists to ask at a flag."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

QUESTION_LENGTH = 300


class OwnQuestionQuerySet(models.QuerySet["OwnQuestion"]):
    def in_use(self) -> Self:
        return self.filter(removed_at__isnull=True)


class OwnQuestion(models.Model):
    """One question of the clinic, shown in turn with ours. Taken out of use, the row is kept."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rule = models.CharField(max_length=2, help_text="The letter of the flag rule it belongs to.")
    item = models.CharField(
        "line", max_length=40, blank=True, default="", help_text="Empty: about the session as a whole."
    )
    language = models.CharField(max_length=10)
    text = models.CharField("question", max_length=QUESTION_LENGTH)
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = OwnQuestionQuerySet.as_manager()

    class Meta:
        ordering = ("rule", "item", "language", "added_at")
        constraints = (
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True)
                | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="own_question_removed_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return self.text
