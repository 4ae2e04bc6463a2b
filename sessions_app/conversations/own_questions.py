"""Questions that the clinic added to ours, for therapists to ask at a flag."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.languages import own_name
from alliance.measurement import instruments
from alliance.measurement.questions import LONGEST

QUESTION_LENGTH = LONGEST


class OwnQuestionQuerySet(models.QuerySet["OwnQuestion"]):
    def in_use(self) -> Self:
        return self.filter(removed_at__isnull=True)

    def taken_out(self) -> Self:
        return self.filter(removed_at__isnull=False)

    def in_language(self, language: str) -> Mapping[tuple[str, str], Sequence[str]]:
        """{(rule, line): texts} of those in use, oldest first; one query."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        rows = self.in_use().filter(language=language).order_by("added_at", "pk")
        for rule, item, text in rows.values_list("rule", "item", "text"):
            found[rule, item].append(text)
        return found


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
            at_and_by("removed", name="own_question_removed_at_and_by"),
            models.UniqueConstraint(
                fields=["rule", "item", "language", "text"],
                condition=models.Q(removed_at__isnull=True),
                name="own_question_in_use_once",
            ),
        )

    def __str__(self) -> str:
        return self.text

    @property
    def language_name(self) -> str:
        return own_name(self.language)

    @property
    def line_label(self) -> str:
        """The line it is about, in lower case; in words where it is about whichever fell."""
        if not self.item:
            return "whichever line fell"
        return instruments.get(instruments.SESSION_RATING).item(self.item).label
