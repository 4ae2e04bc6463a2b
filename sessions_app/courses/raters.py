"""Who fills a form in."""

from django.db import models


class Rater(models.TextChoices):
    """Never pooled: each rater's answers are a course of their own."""

    CLIENT = "client", "Client"
    THERAPIST = "therapist", "Therapist"
    CAREGIVER = "caregiver", "Caregiver"
    OBSERVER = "observer", "Observer"


RATER_LABEL = 30  # characters


def said_by(rater: str, label: str) -> str:
    """Who filled a form in, as pages say it: "Caregiver (mother)"."""
    name = str(Rater(rater).label)
    return f"{name} ({label})" if label else name
