"""What happened in an episode, and what the client marked."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format

from alliance import triggers
from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField, EncryptedTextField, has_words
from alliance.measurement import instruments
from alliance.measurement.overdue import OVERDUE_AFTER, not_rated_from, overdue_from
from alliance.measurement.session_times import Times
from alliance.models import User
from clients.models import Episode, own_keys, visible_keys
from clients.plausible_days import FIRST_DAY
from sessions_app.courses.answer_range import answers_in_range
from sessions_app.courses.scales import series_of
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.instruments.promises import Door, Promise, kept, promise_field

SESSION_LENGTH = timedelta(minutes=50)
FIRST_MOMENT = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time(), UTC)  # in any zone
VOID_REASON = 200  # characters


class EpisodeRows(models.QuerySet[Any]):
    """Rows that hang on an episode. Their doors all lead to `Episode`'s; `to_episode` is the way there."""

    to_episode = "session__episode"

    def visible_to(self, user: User) -> Self:
        keys = visible_keys(user)
        return self.none() if keys is None else self.filter(**{f"{self.to_episode}__in": keys})

    def own(self, user: User) -> Self:
        keys = own_keys(user)
        return self.none() if keys is None else self.filter(**{f"{self.to_episode}__in": keys})


class Modality(models.TextChoices):
    IN_PERSON = "in_person", "In person"
    VIDEO = "video", "Video"
    PHONE = "phone", "Phone"


class Attendance(models.TextChoices):
    PLANNED = "planned", "Planned"
    ATTENDED = "attended", "Attended"
    CANCELLED = "cancelled", "Cancelled"
    DID_NOT_ATTEND = "did_not_attend", "Did not attend"


class TherapySessionQuerySet(EpisodeRows):
    to_episode = "episode"

    def voided(self) -> Self:
        return self.filter(voided_at__isnull=False)

    def attended(self) -> Self:
        return self.filter(attendance=Attendance.ATTENDED)

    def rated(self) -> Self:
        """Sessions with a complete rating; a partial one counts as none (rule G)."""
        return self.filter(Exists(Rating.objects.complete().filter(session=OuterRef("pk"))))

    def unrated(self) -> Self:
        return self.filter(~Exists(Rating.objects.complete().filter(session=OuterRef("pk"))))

    def overdue(self, now: datetime) -> Self:
        """Attended, over for a day, and no complete rating."""
        return self.attended().unrated().filter(ends_at__lte=now - OVERDUE_AFTER)


SessionManager = models.Manager.from_queryset(TherapySessionQuerySet)


class LiveSessions(SessionManager["TherapySession"]):
    """The sessions that count: without those that were voided."""

    def get_queryset(self) -> TherapySessionQuerySet:
        return TherapySessionQuerySet(self.model, using=self._db).filter(voided_at__isnull=True)


class TherapySession(models.Model):
    """One therapy session. Its number orders the course: device clocks and hand-in times never do.

    One that was voided keeps all that hangs on it, and counts nowhere: neither `objects` nor `episode.sessions`
    has it, so that no reader can forget to leave it out. `every` has it, for the pages that show what was voided.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="sessions")
    number = models.PositiveSmallIntegerField(help_text="Of a voided one: the number that it had.")
    held_at = models.DateTimeField("starts")
    ends_at = models.DateTimeField("ends")
    modality = models.CharField(max_length=20, choices=Modality.choices, default=Modality.IN_PERSON)
    attendance = models.CharField(max_length=20, choices=Attendance.choices, default=Attendance.PLANNED)
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the form that added it (`FormKeyField`)."
    )
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    void_reason = EncryptedCharField(max_length=VOID_REASON, blank=True, default="")

    standing_ratings: "list[Rating]"  # where `course` fetched them along
    # Where it came through `rating_state.with_waits`:
    awaits_channel: str | None
    awaits_opened_at: datetime | None
    is_declined: bool
    # When the client was given the first form for it in the room, where that was read along.
    given_at: datetime | None = None

    objects = LiveSessions()  # the first one: it is the one of `episode.sessions` too
    every = TherapySessionQuerySet.as_manager()

    class Meta:
        ordering = ("episode", "number")
        indexes = (models.Index(fields=["held_at"], name="session_by_day"),)
        constraints = (
            models.UniqueConstraint(
                fields=["episode", "number"],
                condition=Q(voided_at__isnull=True),
                name="one_session_a_number",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="session_voided_at_by_and_why",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("held_at")), name="session_ends_after_start"),
            models.CheckConstraint(condition=Q(number__gte=1), name="session_number_from_one"),
            models.CheckConstraint(condition=Q(held_at__gte=FIRST_MOMENT), name="session_day_is_plausible"),
        )

    def __str__(self) -> str:
        return f"Session {self.number}" if self.voided_at is None else f"Voided session {self.number}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code

    def is_overdue(self, now: datetime) -> bool:
        """Whether a rating should have been there by now; the caller knows whether there is one."""
        return self.attendance == Attendance.ATTENDED and self.overdue_from <= now

    @property
    def overdue_from(self) -> datetime:
        return overdue_from(self.ends_at)

    @property
    def not_rated_from(self) -> datetime:
        return not_rated_from(self.ends_at)

    @property
    def times(self) -> Times:
        return Times(self.held_at, self.ends_at, self.given_at)

    @property
    def is_voided(self) -> bool:
        return self.voided_at is not None


class Mode(models.TextChoices):
    """How the marks were made; the most recent way where a client used several."""

    LINE = "line", "On the lines"
    NUMBER = "number", "By choosing numbers"
    PAPER = "paper", "On paper"
    VERBAL = "verbal", "Said aloud"
    IMPORTED = "imported", "In another system"
    NONE = "none", "No marks: what stood was set aside"


# Somebody of the staff typed them, and may have mistyped them.
TYPED = frozenset({Mode.PAPER, Mode.VERBAL})


class RatingQuerySet(EpisodeRows):
    def standing(self) -> Self:
        """The ratings that count: those no later row replaces, of sessions that were not voided.

        A session whose marks were set aside has none, and is as unrated as if nobody had marked anything.
        """
        live = self.filter(session__voided_at__isnull=True)
        return live.filter(replaced_by__isnull=True).exclude(mode=Mode.NONE)

    def last_of(self, session: TherapySession) -> "Rating | None":
        """The row that the next one of this session has to replace, even where it holds no marks."""
        found: Rating | None = self.filter(session=session, replaced_by__isnull=True).first()
        return found

    def with_edition(self) -> Self:
        """With what `Rating.series` needs of the wording, and no more; and with what was promised."""
        return self.select_related("wording", "promise").defer("wording__items", "wording__introduction")

    def through(self, door: Door) -> Self:
        """Those that may go through this door, by what was promised when they were marked."""
        return self.filter(kept(door))

    def of_the_same(self, marks: "Rating") -> Self:
        """What the constraints let stand only once: a rating of this grant, delivery, or place in the session."""
        rivals = self.filter(session=marks.session, replaces=marks.replaces_id)
        delivered = Q(delivery=marks.delivery, delivery__isnull=False)
        return rivals | self.filter(Q(grant=marks.grant) | delivered)

    def complete(self) -> Self:
        return self.standing().filter(total__isnull=False)


# Marks of another person that were found in this record: what is left of them when that person is erased.
EMPTIED = {"answers": "'{}'", "total": "NULL", "comment": "''", "mode": "'none'", "sha256": "'erased'"}


@append_only(erased_along="session__episode__client", emptied=EMPTIED)
class Rating(models.Model):
    """How a client rated the alliance at the end of one session. A fact: rows are added, never changed.

    A session has one, on whichever session scale was given.
    Any other form is a questionnaire (`QuestionnaireResponse`).

    `answers` holds {item: tenths 0 to 100, or null for "not answered"}; `total` tenths 0 to 400, null
    where a line is missing. A correction is a new row that names the one it replaces. See `is_total_only`.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    grant = models.OneToOneField("sessions_app.RatingGrant", models.PROTECT, related_name="rating")
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="ratings")
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    answers = models.JSONField()
    total = models.PositiveSmallIntegerField(null=True)
    comment = EncryptedTextField(blank=True, default="", max_length=2000)
    share_comment = models.BooleanField(
        default=False, help_text="The client agreed that the supervisor reads it too."
    )
    language = models.CharField(max_length=10)
    mode = models.CharField(max_length=20, choices=Mode.choices)
    received_at = models.DateTimeField(default=timezone.now)
    sha256 = models.CharField(
        max_length=64, help_text="Of the canonical answers; tells a repeated delivery from another."
    )
    replaces = models.OneToOneField("self", models.PROTECT, related_name="replaced_by", null=True)
    wording = models.ForeignKey(
        ClinicWording, models.PROTECT, related_name="+", null=True, help_text="As the grant's."
    )
    promise = promise_field()
    delivery = models.UUIDField(null=True, help_text="Made by the page that delivered it, if one did.")
    claimed_at = models.DateTimeField(null=True, help_text="When, by the device's clock. Never trusted.")

    came_before = False  # True on what `actions.record_rating` found stored already

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ("session", "received_at")
        constraints = (
            # Never doubled, nor two on different scales: a hand-over of the one may be under way when the clinic
            # changes to the other. A correction names what it replaces.
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(replaces__isnull=True),
                name="one_first_rating_a_session",
            ),
            models.CheckConstraint(
                condition=Q(total__isnull=True) | Q(total__lte=400), name="rating_total_in_range"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="rating_known_mode"),
            models.CheckConstraint(
                # Or what is left of marks of somebody else who was erased (`EMPTIED`).
                condition=~Q(mode=Mode.NONE)
                | Q(total__isnull=True, comment="") & (Q(replaces__isnull=False) | Q(sha256="erased")),
                name="rating_taken_out_has_no_marks",
            ),
            models.UniqueConstraint(
                fields=["delivery"], condition=Q(delivery__isnull=False), name="one_rating_a_delivery"
            ),
        )

    def __str__(self) -> str:
        return f"Rating of {self.session}"

    @property
    def series(self) -> str:
        """What it may be compared with: ratings of the same instrument, version and edition of the wording.

        A translation is the same series. `with_edition` fetches what this needs.
        """
        edition = self.wording.edition if self.wording else None
        return series_of(self.instrument, self.instrument_version, edition)

    @property
    def is_blank(self) -> bool:
        """Nothing marked and nothing said."""
        return self.total is None and not has_words(self, "comment") and not self.given

    @property
    def is_imported(self) -> bool:
        """The client marked it in another system: nobody here saw the form."""
        return self.mode == Mode.IMPORTED

    @property
    def is_total_only(self) -> bool:
        """Imported from a system that kept no lines. None are made up: they are not known, nor "not answered"."""
        return self.total is not None and not self.given

    @property
    def is_partial(self) -> bool:
        """A line is missing, and something was marked or said."""
        return self.total is None and not self.is_blank

    @property
    def given(self) -> dict[str, int]:
        """The lines that were answered."""
        return {item: answer for item, answer in self.marks.items() if answer is not None}

    @property
    def came(self) -> str:
        """When, as in "the marks came at 10:52", with the day where that is not today."""
        local = timezone.localtime(self.received_at)
        day = "" if local.date() == timezone.localdate() else f"on {date_format(local, 'j F Y')} "
        return f"{day}at {date_format(local, 'H:i')}"

    @property
    def is_taken_out(self) -> bool:
        """The row that stands where marks were set aside or taken out: it holds none, and does not count."""
        return self.mode == Mode.NONE

    @property
    def marks(self) -> dict[str, int | None]:
        """The answers in the instrument's order, in tenths: PostgreSQL keeps no order of its own."""
        items = instruments.get(self.instrument, self.instrument_version).items
        return {item.id: self.answers.get(item.id) for item in items}

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code


triggers.declare(Rating, answers_in_range)


class SetAsideQuerySet(EpisodeRows):
    def to_settle(self) -> Self:
        """Those nobody has decided about yet, or whose decision was undone."""
        standing = FilteredRelation("settlements", condition=Q(settlements__undone_at__isnull=True))
        return self.annotate(decision=standing).filter(decision__isnull=True)


@append_only(
    erased_along="session__episode__client",
    # A grant can have several, and no two with one hash.
    emptied={"answers": "'{}'", "comment": "''", "raw": "NULL", "sha256": "'erased ' || OLD.id"},
)
class SetAsideRating(models.Model):
    """Marks that arrived and could not stand as the rating. Kept for the therapist; nothing disappears."""

    class Reason(models.TextChoices):
        DISPUTED = "disputed", "Other marks arrived for the same session"
        WITHDRAWN = "withdrawn", "The hand-over had been taken back"
        LATE = "late", "It arrived after the last day on which ratings are taken"
        INVALID = "invalid", "What arrived cannot be read as marks"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    grant = models.ForeignKey("sessions_app.RatingGrant", models.PROTECT, related_name="set_aside")
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="set_aside")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    answers = models.JSONField()
    comment = EncryptedTextField(blank=True, default="")
    share_comment = models.BooleanField(default=False)
    language = models.CharField(max_length=10)
    mode = models.CharField(max_length=20, choices=Mode.choices)
    sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(default=timezone.now)
    raw = EncryptedTextField(null=True, help_text="What came, where no marks can be read.")
    delivery = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)

    objects = SetAsideQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["grant", "sha256"], name="set_aside_once"),)

    def __str__(self) -> str:
        return f"Set aside: {self.get_reason_display()}"

    @property
    def promise(self) -> Promise | None:
        """What was read when they were marked. Fetch `grant__promise` along."""
        found: Promise | None = self.grant.promise
        return found

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
