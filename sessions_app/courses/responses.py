"""What somebody answered to a questionnaire: any form but the alliance rating of a session."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from alliance import triggers
from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField, EncryptedTextField, Unreadable
from alliance.label_field import EncryptedLabelField
from alliance.labels import search_key
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from sessions_app.courses.answer_range import response_in_range
from sessions_app.courses.models import EpisodeRows, Mode, TherapySession
from sessions_app.courses.raters import RATER_LABEL, Rater, said_by
from sessions_app.courses.scales import series_of
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.instruments.promises import Door, kept, promise_field

WHY = 300  # characters


class Held(models.TextChoices):
    """Why answers that arrived do not count by themselves: somebody has to look at them."""

    DISPUTED = "disputed", "Other answers to the same form arrived before"
    WITHDRAWN = "withdrawn", "The form had been taken back"
    LATE = "late", "They arrived after the last day on which answers are taken"
    INVALID = "invalid", "What arrived cannot be read as answers"


class QuestionnaireResponseQuerySet(EpisodeRows):
    def with_decision(self) -> Self:
        """Each with `decided`: what the newest decision about it says; None where nobody decided."""
        decisions = ResponseDecision.objects.filter(response=OuterRef("pk")).order_by("-pk")
        return self.annotate(decided=Subquery(decisions.values("counts")[:1]))

    def standing(self) -> Self:
        """Those that count: by a decision, or because nothing was held against them. Of sessions not voided."""
        live = self.filter(session__voided_at__isnull=True).with_decision()
        return live.filter(Q(decided=True) | Q(decided__isnull=True, held=""))

    def through(self, door: Door) -> Self:
        """Those that may go through this door, by what was promised when they were answered."""
        return self.filter(kept(door))

    def to_settle(self) -> Self:
        """Those that were held, and that nobody has decided about."""
        return self.with_decision().filter(decided__isnull=True).exclude(held="")


@append_only(
    erased_along="session__episode__client",
    emptied={
        "answers": "'{}'",
        "total": "NULL",
        "comment": "''",
        "rater_label": "''",
        "raw": "NULL",
        "sha256": "'erased ' || OLD.id",
    },
)
class QuestionnaireResponse(models.Model):
    """The answers to one questionnaire, by one rater, given at one session. A fact: rows are added, never changed.

    `answers` holds {item: tenths, or null for "not answered"}; `total` is in tenths, null where the instrument has
    none or an answer is missing. Subscales are worked out when they are read. `held`: empty where the answers count;
    else why they wait for a decision. Nothing that arrives is lost: a second delivery is a second row.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    grant = models.ForeignKey("sessions_app.RatingGrant", models.PROTECT, related_name="responses")
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="responses")
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    wording = models.ForeignKey(
        ClinicWording, models.PROTECT, related_name="+", null=True, help_text="As the grant's."
    )
    rater = models.CharField(max_length=20, choices=Rater.choices)
    rater_label = EncryptedLabelField(
        max_length=RATER_LABEL, blank=True, default="", help_text="Which of several, such as “mother”."
    )
    promise = promise_field()
    answers = models.JSONField()
    total = models.SmallIntegerField(null=True)
    comment = EncryptedTextField(blank=True, default="", max_length=2000)
    share_comment = models.BooleanField(
        default=False, help_text="The rater agreed that the supervisor reads it too."
    )
    language = models.CharField(max_length=10)
    mode = models.CharField(max_length=20, choices=Mode.choices)
    received_at = models.DateTimeField(default=timezone.now)
    sha256 = models.CharField(max_length=64, help_text="Of the canonical answers.")
    held = models.CharField(max_length=20, choices=Held.choices, blank=True, default="")
    raw = EncryptedTextField(null=True, help_text="What came, where no answers can be read.")
    delivery = models.UUIDField(null=True, help_text="Made by the page that delivered it, if one did.")
    claimed_at = models.DateTimeField(null=True, help_text="When, by the device's clock. Never trusted.")

    came_before = False  # True on what the recorder found stored already

    objects = QuestionnaireResponseQuerySet.as_manager()

    class Meta:
        ordering = ("session", "received_at")
        indexes = (
            # The lists ask at each opening whether there are any at all.
            models.Index(fields=["instrument"], name="response_by_instrument"),
            models.Index(fields=["session"], condition=~Q(held=""), name="response_held"),
        )
        constraints = (
            # Never doubled: the same answers through the same grant are one row, and only one row counts by itself.
            models.UniqueConstraint(fields=["grant", "sha256"], name="response_once"),
            models.UniqueConstraint(fields=["grant"], condition=Q(held=""), name="one_response_a_grant"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="response_known_mode"),
            models.CheckConstraint(condition=Q(rater__in=Rater.values), name="response_known_rater"),
            models.CheckConstraint(condition=Q(held__in=["", *Held.values]), name="response_known_hold"),
            models.CheckConstraint(
                condition=Q(raw__isnull=True) | Q(held=Held.INVALID), name="response_raw_is_unreadable"
            ),
        )

    def __str__(self) -> str:
        return f"{instruments.get(self.instrument).name} at {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code

    @property
    def scored_by(self) -> Instrument:
        """The instrument by which these answers are scored and shown: with what the clinic's wording states of it."""
        if self.wording is not None:
            return self.wording.scored
        return instruments.get(self.instrument, self.instrument_version)

    @property
    def series(self) -> str:
        """What it may be compared with: the same instrument, version, edition of the wording, and person who rates."""
        edition = self.wording.edition if self.wording else None
        series = f"{series_of(self.instrument, self.instrument_version, edition)}/{self.rater}"
        label = self.rater_label
        if isinstance(label, Unreadable):
            return f"{series}/{label.stored}"  # whose nobody knows, so it is compared with nothing
        return f"{series}/{search_key(label)}" if label else series

    @property
    def said_by(self) -> str:
        """Who filled it in, as pages say it."""
        return said_by(self.rater, self.rater_label)

    @property
    def marks(self) -> dict[str, int | None]:
        """The answers in the instrument's order, in tenths: PostgreSQL keeps no order of its own."""
        return {item.id: self.answers.get(item.id) for item in self.scored_by.items}


triggers.declare(QuestionnaireResponse, response_in_range)


@append_only(erased_along="response__session__episode__client")
class ResponseDecision(models.Model):
    """That answers count, or do not, and why. The newest one holds, so that each decision has a way back."""

    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="decisions")
    counts = models.BooleanField()
    why = EncryptedCharField(max_length=WHY)
    decided_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (models.CheckConstraint(condition=~Q(why=""), name="response_decision_says_why"),)

    def __str__(self) -> str:
        return "Counts" if self.counts else "Does not count"
