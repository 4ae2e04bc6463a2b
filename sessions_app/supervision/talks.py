"""That a client was talked about in supervision, on which day, and what was agreed."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from clients.models import Episode
from clients.plausible_days import FIRST_DAY
from sessions_app.supervision.rows import WORDS, BetweenTwo


class SupervisionTalkQuerySet(BetweenTwo):
    def standing(self) -> Self:
        """Those that were not taken back."""
        return self.filter(withdrawn_at__isnull=True)


class SupervisionTalk(models.Model):
    """A client was talked about between therapist and supervisor. The words are those that stand now."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="supervision_talks")
    held_on = models.DateField("day")
    agreed = EncryptedCharField("what was agreed", max_length=WORDS)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change.")
    noted_at = models.DateTimeField(default=timezone.now)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the form that noted it (`FormKeyField`)."
    )

    objects = SupervisionTalkQuerySet.as_manager()

    class Meta:
        ordering = ("held_on", "noted_at")
        constraints = (
            at_and_by("withdrawn", name="supervision_talk_withdrawn_at_and_by"),
            models.CheckConstraint(
                condition=Q(held_on__gte=FIRST_DAY), name="supervision_talk_day_is_plausible"
            ),
            models.CheckConstraint(condition=~Q(agreed=""), name="supervision_talk_in_words"),
        )

    def __str__(self) -> str:
        return f"Talked about in supervision: {self.episode}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code


@append_only(erased_along="talk__episode__client")
class SupervisionTalkChange(models.Model):
    """One change of such a note, with what stood before it."""

    class Kind(models.TextChoices):
        EDITED = "edited", "Changed"
        TAKEN_BACK = "taken back", "Taken back"
        PUT_BACK = "put back", "Put back"

    KEEPS = ("held_on", "agreed")

    talk = models.ForeignKey(SupervisionTalk, models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField(help_text="`SupervisionTalk.version` before this change.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    held_on = models.DateField()
    agreed = EncryptedCharField(max_length=WORDS)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("version",)
        constraints = (
            models.UniqueConstraint(fields=["talk", "version"], name="one_change_a_supervision_talk_version"),
            models.CheckConstraint(
                condition=Q(kind__in=["edited", "taken back", "put back"]),
                name="supervision_talk_change_known_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.talk}: {self.get_kind_display()}"
