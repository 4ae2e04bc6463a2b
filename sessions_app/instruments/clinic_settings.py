"""What the clinic has chosen for everybody: versions that are added, never changed."""

import uuid
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument

# What a new clinic gives: the language that the form was written in. The others wait for an administrator, who reads
# beside the switch whether a clinician has signed them off.
AT_FIRST = ("en",)


def languages_at_first() -> list[str]:
    return list(AT_FIRST)


class Closing(models.TextChoices):
    """What a client sees once the marks have arrived."""

    THANKS = "thanks", "Only thanks"
    MARKS = "marks", "Thanks, and the marks of today, to look at together"


class ClinicSettingsQuerySet(models.QuerySet["ClinicSettings"]):
    def in_force(self) -> "ClinicSettings":
        """The newest version; before anybody chose anything, the defaults, as a row that is not stored."""
        return self.order_by("-version").first() or ClinicSettings(version=0)

    def in_force_on(self, day: date) -> "ClinicSettings":
        """What was chosen last on that day: the paper form of an older session is the form of its day."""
        return self.filter(made_at__date__lte=day).in_force()


@append_only()
class ClinicSettings(models.Model):
    """One version of the clinic's settings: whole, with who chose it and when. The highest is in force.

    A change is a new row, so that what was in force on a given day stays known; triggers refuse anything
    else. `version` is unique: of two people who change settings at once, the second one looks again.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(unique=True)
    instrument = models.CharField("form", max_length=40, default=instruments.SESSION_RATING)
    closing = models.CharField(
        "after a rating", max_length=20, choices=Closing.choices, default=Closing.THANKS
    )
    languages = models.JSONField(
        "languages of our own form", default=languages_at_first, help_text="Tags of LANGUAGES."
    )
    urgent_help = models.JSONField(
        "where to find help now", default=dict, help_text="{language: the clinic's own words}; plain text."
    )
    prorated = models.JSONField(
        "pro-rated where an answer is missing",
        default=list,
        help_text="Instruments whose owner’s rule about missing answers is switched on.",
    )
    rules = models.JSONField(
        null=True,
        help_text="{instrument: {language, or empty for all: {parameter: value}}}; the rest is as shipped.",
    )
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ClinicSettingsQuerySet.as_manager()

    class Meta:
        ordering = ("-version",)
        verbose_name_plural = "clinic settings"
        constraints = (
            models.CheckConstraint(condition=Q(version__gte=1), name="settings_version_from_one"),
            models.CheckConstraint(condition=Q(closing__in=Closing.values), name="settings_known_closing"),
        )

    def __str__(self) -> str:
        return f"Settings, version {self.version}"

    @property
    def form(self) -> Instrument:
        """The instrument of every new form."""
        return instruments.get(self.instrument)

    @property
    def says(self) -> dict[str, Any]:
        """What was chosen, without who and when."""
        return {
            "instrument": self.instrument,
            "closing": self.closing,
            "languages": self.languages,
            "urgent_help": self.urgent_help,
            "prorated": self.prorated,
            "rules": self.rules or None,
        }
