"""What people decided about marks: those set aside on arrival, those mistyped, and those in the wrong record."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from sessions_app.courses.models import EpisodeRows, Rating, SetAsideRating

LINE = 200  # characters of "in one line"


class SettlementQuerySet(EpisodeRows):
    to_episode = "set_aside__session__episode"

    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)


class Settlement(models.Model):
    """What was decided about marks that were set aside. The marks themselves are never changed.

    Taken up again, the decision is undone and kept; the next one is a new row.
    """

    class Outcome(models.TextChoices):
        USED = "used", "Used: they became the rating of the session"
        LEFT = "left", "Left aside"
        MISFILED = "misfiled", "Not of this session: set aside, or moved to the right one"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    set_aside = models.ForeignKey(SetAsideRating, models.PROTECT, related_name="settlements")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    rating = models.OneToOneField(
        Rating, models.PROTECT, related_name="settlement", null=True, help_text="What the marks became."
    )
    why = EncryptedCharField(max_length=LINE, blank=True, default="")
    settled_at = models.DateTimeField(default=timezone.now)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = SettlementQuerySet.as_manager()

    class Meta:
        ordering = ("settled_at",)
        constraints = (
            # Two tabs that both press "Use these marks" must not make two ratings of them.
            models.UniqueConstraint(
                fields=["set_aside"], condition=Q(undone_at__isnull=True), name="settled_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(outcome="used", rating__isnull=False)
                | Q(outcome="left", rating__isnull=True)
                | Q(outcome="misfiled"),
                name="settlement_used_as_a_rating",
            ),
            at_and_by("undone", name="settlement_undone_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.set_aside}: {self.get_outcome_display()}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.set_aside.client_code


class CorrectionQuerySet(EpisodeRows):
    to_episode = "rating__session__episode"


@append_only(erased_along="rating__session__episode__client", emptied={"why": "''"})
class Correction(models.Model):
    """Why a rating replaces another, and who said so. A fact like the rating itself: never changed.

    A rating that the client gave when asked again has none: the client said so.
    """

    class Kind(models.TextChoices):
        CORRECTED = "corrected", "Typed again"
        COMPLETED = "completed", "Lines added that were missing"
        USED = "used", "Marks that had been set aside on arrival"
        RESTORED = "restored", "Earlier marks again"
        TAKEN_OUT = "taken_out", "Taken out again"
        MISFILED = "misfiled", "Set aside: they were not of this session"
        MOVED_HERE = "moved_here", "Moved here from another session"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rating = models.OneToOneField(Rating, models.PROTECT, related_name="correction")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    why = EncryptedCharField(max_length=LINE)
    restores = models.ForeignKey(
        Rating, models.PROTECT, related_name="restored_by", null=True, help_text="Whose marks count again."
    )
    corrected_at = models.DateTimeField(default=timezone.now)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        constraints = (
            # Not by the class above: a name of its body is not known inside the next.
            models.CheckConstraint(
                condition=Q(
                    kind__in=(
                        "corrected",
                        "completed",
                        "used",
                        "restored",
                        "taken_out",
                        "misfiled",
                        "moved_here",
                    )
                ),
                name="correction_known_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="restored", restores__isnull=False)
                | (~Q(kind="restored") & Q(restores__isnull=True)),
                name="correction_restores_a_row",
            ),
        )

    def __str__(self) -> str:
        return f"Correction of {self.rating.session}"


# The new row holds the marks of the same person as the one it replaces, or those it restores.
SAME_MARKS = frozenset({Correction.Kind.CORRECTED, Correction.Kind.COMPLETED})


class MisfilingQuerySet(EpisodeRows):
    to_episode = "rating__session__episode"

    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)


class Misfiling(models.Model):
    """Marks in the record of a person or session that they are not of: set aside there, or moved to the right one.

    While it stands, no page of the record they left shows them or the sentence that came with them. Undone, it
    is kept; the next one is a new row.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rating = models.ForeignKey(Rating, models.PROTECT, related_name="misfilings")
    left = models.OneToOneField(
        Rating,
        models.PROTECT,
        related_name="left_by",
        null=True,
        help_text="The row that stands in their place; none where other marks stood already.",
    )
    moved_to = models.OneToOneField(
        Rating,
        models.PROTECT,
        related_name="moved_here",
        null=True,
        help_text="The row in the right session.",
    )
    why = EncryptedCharField(max_length=LINE)
    set_aside_at = models.DateTimeField(default=timezone.now)
    set_aside_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = MisfilingQuerySet.as_manager()

    class Meta:
        ordering = ("set_aside_at",)
        constraints = (
            # Two tabs that both move a rating must not make two of it.
            models.UniqueConstraint(
                fields=["rating"], condition=Q(undone_at__isnull=True), name="misfiled_once_at_a_time"
            ),
            at_and_by("undone", name="misfiling_undone_at_and_by"),
        )

    def __str__(self) -> str:
        return f"Misfiled: {self.rating}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.rating.client_code
