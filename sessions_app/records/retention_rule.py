"""How long the clinic keeps records after therapy has ended: versions that are added, never changed."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.append_only import append_only

LEAST, MOST = 1, 50
YEARS = (MinValueValidator(LEAST), MaxValueValidator(MOST))


class RetentionRuleQuerySet(models.QuerySet["RetentionRule"]):
    def in_force(self) -> "RetentionRule":
        """The newest; before anybody chose anything, one that is not stored and keeps everything."""
        return self.order_by("-version").first() or RetentionRule(version=0)


@append_only()
class RetentionRule(models.Model):
    """One version of the rule. Without `years` it is off: nobody is ever due."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(unique=True)
    years = models.PositiveSmallIntegerField(null=True, validators=YEARS)
    years_young = models.PositiveSmallIntegerField(
        null=True, validators=YEARS, help_text="For those under 18; null: as everybody."
    )
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = RetentionRuleQuerySet.as_manager()

    class Meta:
        ordering = ("-version",)
        constraints = (
            models.CheckConstraint(condition=Q(version__gte=1), name="retention_version_from_one"),
            models.CheckConstraint(
                condition=Q(years__isnull=True) | Q(years__gte=LEAST, years__lte=MOST), name="retention_years"
            ),
            models.CheckConstraint(
                condition=Q(years_young__isnull=True)
                | Q(years__isnull=False, years_young__gte=F("years"), years_young__lte=MOST),
                name="retention_years_young_not_shorter",
            ),
        )

    def __str__(self) -> str:
        return f"Retention, version {self.version}"

    @property
    def says(self) -> dict[str, int | None]:
        return {"years": self.years, "years_young": self.years_young}
