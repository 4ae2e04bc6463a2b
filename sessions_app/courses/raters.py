"""Who fills a form in."""

from django.db import models


class Rater(models.TextChoices):
    """Never pooled: each rater's answers are a course of their own."""

    CLIENT = "client", "Client"
    THERAPIST = "therapist", "Therapist"
    CAREGIVER = "caregiver", "Caregiver"
    OBSERVER = "observer", "Observer"
