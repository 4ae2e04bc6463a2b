"""The tablets that stay in a room, each with a key of its own and no staff sign-in."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.label_field import LabelField, Labelled, LabelledQuerySet, LookAlikeKeyField, SearchKeyField
from sessions_app.courses.tokens import hash_of_token

SEEN_LATELY = timedelta(minutes=2)


class PairedTabletQuerySet(LabelledQuerySet["PairedTablet"]):
    def with_key(self, key: str) -> Self:
        return self.filter(key_hash=hash_of_token(key))

    def in_use(self) -> Self:
        return self.filter(paired_at__isnull=False, revoked_at__isnull=True)

    def asking(self, now: datetime) -> Self:
        """Those that show a pairing code nobody has entered yet."""
        return self.filter(paired_at__isnull=True, pairing_until__gt=now)


class PairedTablet(Labelled):
    """A tablet in a room. Its key can wait for a form and write the rating it was sent, and nothing else.

    A row begins when a tablet asks to be paired: it has a key then and no name, and its key opens nothing.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = LabelField(max_length=40, blank=True, default="")
    name_key = SearchKeyField("name")
    name_look = LookAlikeKeyField("name")
    key_hash = models.CharField(max_length=64, unique=True)
    pairing_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - null: unique
    pairing_until = models.DateTimeField()
    paired_at = models.DateTimeField(null=True)
    paired_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    last_seen_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = PairedTabletQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(paired_at__isnull=True, paired_by__isnull=True, name="")
                | (
                    Q(paired_at__isnull=False, paired_by__isnull=False, pairing_hash__isnull=True)
                    & ~Q(name="")
                ),
                name="tablet_paired_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False, paired_at__isnull=False),
                name="tablet_revoked_at_and_by",
            ),
            models.UniqueConstraint(
                fields=["name_key"],
                condition=Q(paired_at__isnull=False, revoked_at__isnull=True),
                name="one_tablet_in_use_a_name",
            ),
            models.UniqueConstraint(
                fields=["name_look"],
                condition=Q(paired_at__isnull=False, revoked_at__isnull=True),
                name="one_tablet_in_use_a_look",
            ),
        )

    def __str__(self) -> str:
        return self.name or "A tablet that is not paired yet"

    @property
    def is_in_use(self) -> bool:
        return self.paired_at is not None and self.revoked_at is None

    def is_asking(self, now: datetime) -> bool:
        return self.paired_at is None and now < self.pairing_until

    @property
    def is_awake(self) -> bool:
        """Whether it asked for a form lately: it is switched on and in the network."""
        return self.last_seen_at is not None and timezone.now() - self.last_seen_at < SEEN_LATELY
