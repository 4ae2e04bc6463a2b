"""What a supervisor and a therapist mean to talk about at one meeting."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from alliance.models import User
from clients.models import Episode, Supervision
from clients.plausible_days import FIRST_DAY
from sessions_app.courses.decisions import LINE


class AgendaQuerySet(models.QuerySet["Agenda"]):
    def visible_to(self, user: User) -> "AgendaQuerySet":
        """Those of meetings with this person: as the supervisor as long as they supervise, as the therapist always."""
        rows = self.none()
        if user.is_active and (user.is_supervisor or user.is_therapist):
            today = Supervision.objects.today().filter(supervisor=user)
            as_supervisor = Q(supervisor=user, therapist__in=today.values("therapist"))
            as_therapist = Q(therapist=user)
            rows = self.filter(
                (as_supervisor if user.is_supervisor else Q(pk__in=[]))
                | (as_therapist if user.is_therapist else Q(pk__in=[]))
            )
        return rows


class Agenda(models.Model):
    """The agenda of one meeting: one for each pair and day. From the day after, it is only read."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supervisor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    held_on = models.DateField("day of the meeting")
    made_at = models.DateTimeField(default=timezone.now)

    objects = AgendaQuerySet.as_manager()

    class Meta:
        ordering = ("-held_on",)
        constraints = (
            models.UniqueConstraint(
                fields=["supervisor", "therapist", "held_on"], name="one_agenda_a_pair_and_day"
            ),
            models.CheckConstraint(condition=~Q(supervisor=F("therapist")), name="agenda_of_two_people"),
            models.CheckConstraint(condition=Q(held_on__gte=FIRST_DAY), name="agenda_day_is_plausible"),
        )

    def __str__(self) -> str:
        return f"{self.supervisor} and {self.therapist}, {self.held_on}"

    @property
    def is_over(self) -> bool:
        return self.held_on < timezone.localdate()


class AgendaItemQuerySet(models.QuerySet["AgendaItem"]):
    def standing(self) -> "AgendaItemQuerySet":
        return self.filter(removed_at__isnull=True)

    def visible_to(self, user: User) -> "AgendaItemQuerySet":
        return self.filter(agenda__in=Agenda.objects.visible_to(user))


class AgendaItem(models.Model):
    """One thing to talk about: a client, and why they stand here, or a line that somebody added.

    It holds no marks: what they say is read from the course whenever it is shown, and never as it was once.
    """

    class Why(models.TextChoices):
        TALK = "talk", "Talk"
        LOW = "low", "Stays low although you talked"
        BACK = "back", "Back without a talk: ask briefly"
        QUESTION = "question", "A question is open"
        AGREED = "agreed", "Agreed last time"
        LEFT = "left", "Left from last time"
        ADDED = "added", "Added"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    agenda = models.ForeignKey(Agenda, models.PROTECT, related_name="items")
    place = models.IntegerField(help_text="The lowest comes first.")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="+", null=True)
    why = models.CharField(max_length=20, choices=Why.choices)
    text = EncryptedCharField(max_length=LINE, blank=True, default="")
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the form that added it (`FormKeyField`)."
    )
    ticked_at = models.DateTimeField(null=True)
    ticked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects: Any = AgendaItemQuerySet.as_manager()

    class Meta:
        ordering = ("place", "pk")
        constraints = (
            at_and_by("ticked", name="agenda_item_ticked_at_and_by"),
            at_and_by("removed", name="agenda_item_removed_at_and_by"),
            models.UniqueConstraint(
                fields=["agenda", "episode"],
                condition=Q(text=""),
                name="one_agenda_item_a_client",
            ),
            models.CheckConstraint(
                condition=Q(why__in=["talk", "low", "back", "question", "agreed", "left", "added"]),
                name="agenda_item_known_why",
            ),
            models.CheckConstraint(
                condition=Q(episode__isnull=False) | ~Q(text=""), name="agenda_item_says_something"
            ),
        )

    def __str__(self) -> str:
        return f"Item {self.place} of {self.agenda}"
