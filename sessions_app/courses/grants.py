"""One permission to fill in one form, and how it reaches the device in the client's hands."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.label_field import EncryptedLabelField
from alliance.measurement import instruments
from sessions_app.courses.models import EpisodeRows, Rating, SetAsideRating, TherapySession
from sessions_app.courses.raters import RATER_LABEL, Rater, said_by
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tablets import PairedTablet
from sessions_app.courses.tokens import hash_of_token
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.instruments.promises import promise_field

# Whoever began in the last minute in which the form could be opened has time to finish: three times what it takes.
TIME_TO_FINISH = timedelta(minutes=10)
TIMES_ITS_LENGTH = 3


def time_to_finish(instrument: str) -> timedelta:
    return max(TIME_TO_FINISH, timedelta(minutes=TIMES_ITS_LENGTH * instruments.get(instrument).minutes))


def _may_be_on_a_screen(now: datetime) -> Q:
    """Of forms that were opened in time: those that somebody can still be filling in."""
    times = {one.id: time_to_finish(one.id) for one in instruments.newest()}
    may = Q(open_until__gt=now - TIME_TO_FINISH)
    for time in sorted(set(times.values()) - {TIME_TO_FINISH}):
        long_ones = [name for name, of_it in times.items() if of_it == time]
        may |= Q(instrument__in=long_ones, open_until__gt=now - time)
    return may


class Channel(models.TextChoices):
    TABLET = "tablet", "Tablet"
    PHONE = "phone", "The client's own phone"
    PAIRED = "paired", "Tablet of a room"
    PAPER = "paper", "On paper"
    VERBAL = "verbal", "Said aloud"
    SCREEN = "screen", "On the screen of whoever filled it in"
    IMPORTED = "imported", "Imported from another system"


class Purpose(models.TextChoices):
    """The two ideas of a form: the rating that the flag rules read, and everything else."""

    ALLIANCE = "alliance", "The alliance rating of the session"
    QUESTIONNAIRE = "questionnaire", "A questionnaire"


# Of these there may be several for one client, who are told apart by a label.
LABELLED = frozenset({Rater.CAREGIVER, Rater.OBSERVER})
# Sent to another device than the one it was made on: nobody has the form before that device opens it.
SENT = (Channel.PHONE, Channel.PAIRED)


class RatingGrantQuerySet(EpisodeRows):
    def with_token(self, token: str) -> Self:
        return self.filter(token_hash=hash_of_token(token))

    def awaiting(self, now: datetime) -> Self:
        """Handed over or sent, not withdrawn, not rated, and still accepted."""
        standing = self.filter(
            rating__isnull=True, answered_at__isnull=True, withdrawn_at__isnull=True, accept_until__gt=now
        )
        # A link that nobody opened in time can bring nothing any more.
        return standing.exclude(channel__in=SENT, opened_at__isnull=True, open_until__lte=now)

    def in_rooms(self, now: datetime) -> Self:
        """Forms that the tablet of a room shows now, or would if it asked.

        The later forms of a set are none of them: they open where the one before was handed in.
        """
        sent = self.awaiting(now).filter(paired_tablet__isnull=False, open_until__gt=now)
        return sent.filter(place_in_set=0)

    def on_a_screen(self, now: datetime) -> Self:
        """Forms somebody may still be marking. Marks for an older one were handed in and are on their way."""
        return self.awaiting(now).filter(_may_be_on_a_screen(now))

    def with_deliveries(self) -> Self:
        """With what came in through each: whether a rating, and whether marks that were kept aside."""
        rating = Rating.objects.filter(grant=OuterRef("pk"))
        aside = SetAsideRating.objects.filter(grant=OuterRef("pk"))
        response = QuestionnaireResponse.objects.filter(grant=OuterRef("pk"))
        return self.annotate(
            had_rating=Exists(rating), had_marks_set_aside=Exists(aside), had_response=Exists(response)
        )

    def with_what_it_shows(self) -> Self:
        """With what stands on its page beside the wording: whose therapist's name, and which of how many it is."""
        together = RatingGrant.every.still_given().filter(form_set=OuterRef("form_set")).order_by()
        count = together.values("form_set").annotate(count=models.Count("pk")).values("count")
        before = together.filter(place_in_set__lte=OuterRef("place_in_set"))
        place = before.values("form_set").annotate(count=models.Count("pk")).values("count")
        return self.annotate(
            name_of_therapist=F("session__episode__therapist__name"),
            given_together=Coalesce(Subquery(count), 1),
            place_together=Coalesce(Subquery(place), 1),
        )

    def still_given(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)

    def places(self) -> list[int]:
        return list(self.values_list("place_in_set", flat=True))

    def given_in_the_room(self) -> Self:
        """To the client, on a tablet put into their hands. What was sent to a phone does not say where it is."""
        in_hand = Q(channel__in=(Channel.TABLET, Channel.PAIRED), rater=Rater.CLIENT)
        return self.still_given().filter(in_hand)

    def first_of_sessions(self) -> Subquery:
        """Beside each session: when the first of these was made for it."""
        of_session = self.filter(session=OuterRef("pk")).order_by()
        return Subquery(of_session.values("session").annotate(first=Min("made_at")).values("first"))

    def of_the_set(self, grant: "RatingGrant") -> Self:
        """All forms that were given together with this one, and itself."""
        return self.filter(form_set=grant.form_set)

    def next_in_set(self, grant: "RatingGrant", now: datetime) -> "RatingGrant | None":
        """The form that opens on the same device after this one; None after the last."""
        later = self.awaiting(now).of_the_set(grant).filter(place_in_set__gt=grant.place_in_set)
        found: RatingGrant | None = (
            later.filter(open_until__gt=now).select_related("session").order_by("place_in_set").first()
        )
        return found

    def sent_to(self, tablet: PairedTablet, now: datetime) -> "RatingGrant | None":
        newest: RatingGrant | None = (
            self.in_rooms(now).filter(paired_tablet=tablet).select_related("session").order_by("-pk").first()
        )
        return newest


GrantManager = models.Manager.from_queryset(RatingGrantQuerySet)


class AllianceGrants(GrantManager["RatingGrant"]):
    """The permissions to rate the alliance: without those for questionnaires."""

    def get_queryset(self) -> RatingGrantQuerySet:
        return RatingGrantQuerySet(self.model, using=self._db).filter(purpose=Purpose.ALLIANCE)


class RatingGrant(models.Model):
    """One permission to fill in one form: to rate the alliance of a session, or a questionnaire. It reads nothing.

    Two clocks: until `open_until` the form may be opened, until `accept_until` a rating is taken,
    for a tablet that was off the network. The state is read from the clocks and the rating.

    A grant that is sent waits to be fetched: by a link or a short code on the client's phone, once, or
    by the tablet of a room. Whoever fetches it gets a token of its own; the link is none.

    Forms that are given together are a set: link, short code and room belong to the first, and each opens on the
    same device once the one before it was handed in.

    `objects` has the permissions to rate the alliance only, so that no reader of it can forget to leave the others
    out. `every` has all, for what concerns devices, links, rooms, erasure, and what is still out.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="grants")
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.ALLIANCE)
    rater = models.CharField(max_length=20, choices=Rater.choices, default=Rater.CLIENT)
    rater_label = EncryptedLabelField(
        max_length=RATER_LABEL, blank=True, default="", help_text="Which of several, such as “mother”."
    )
    form_set = models.UUIDField(default=uuid.uuid4, help_text="The same for forms that are given together.")
    place_in_set = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, help_text="When a questionnaire's answers came that count.")
    token_hash = models.CharField(max_length=64, unique=True)
    channel = models.CharField(max_length=20, choices=Channel.choices)
    language = models.CharField(max_length=10, default="en")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    open_until = models.DateTimeField()
    accept_until = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    declined = models.BooleanField(default=False, help_text="The client chose not to rate.")
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the press that made it (`FormKeyField`)."
    )
    opened_at = models.DateTimeField(null=True, help_text="When the device it was sent to fetched it.")
    link_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - null: unique
    short_code_hash = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - null: unique
    short_code_until = models.DateTimeField(null=True)
    paired_tablet = models.ForeignKey(
        PairedTablet, models.PROTECT, related_name="grants", null=True, db_index=False
    )
    # The row that the rating will replace: nothing marked, a line missing, or set aside. Null for a first one.
    instead_of = models.ForeignKey(Rating, models.PROTECT, related_name="asked_again", null=True)
    # What the client is given to read; null where the wording is our own, or the marks were made on paper
    # of an edition nobody knows.
    wording = models.ForeignKey(ClinicWording, models.PROTECT, related_name="+", null=True)
    promise = promise_field()

    objects = AllianceGrants()  # the first one: it is the one of `session.grants` too
    every = RatingGrantQuerySet.as_manager()

    class Meta:
        indexes = (
            # A tablet asks again and again, for years.
            models.Index(
                fields=["paired_tablet", "open_until"],
                condition=Q(paired_tablet__isnull=False),
                name="grant_by_tablet",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(channel=Channel.PAIRED, paired_tablet__isnull=False)
                | (~Q(channel=Channel.PAIRED) & Q(paired_tablet__isnull=True)),
                name="grant_sent_to_a_tablet",
            ),
            models.CheckConstraint(
                condition=Q(link_hash__isnull=True, short_code_hash__isnull=True)
                | Q(channel=Channel.PHONE, link_hash__isnull=False),
                name="grant_link_is_for_a_phone",
            ),
            models.CheckConstraint(
                condition=Q(short_code_hash__isnull=True, short_code_until__isnull=True)
                | Q(short_code_hash__isnull=False, short_code_until__isnull=False),
                name="grant_short_code_with_its_time",
            ),
            models.CheckConstraint(
                condition=Q(accept_until__gte=F("open_until")), name="grant_accepts_while_open"
            ),
            at_and_by("withdrawn", name="grant_withdrawn_at_and_by"),
            models.UniqueConstraint(fields=["form_set", "place_in_set"], name="one_form_a_place_in_its_set"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="grant_known_purpose"),
            models.CheckConstraint(condition=Q(rater__in=Rater.values), name="grant_known_rater"),
            models.CheckConstraint(
                condition=~Q(purpose=Purpose.ALLIANCE) | Q(rater=Rater.CLIENT, answered_at__isnull=True),
                name="grant_client_rates_the_alliance",
            ),
            models.CheckConstraint(
                condition=Q(rater_label="") | Q(rater__in=sorted(LABELLED)),
                name="grant_label_of_one_of_several",
            ),
        )

    def __str__(self) -> str:
        return f"Grant for {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code

    @property
    def is_for_the_client(self) -> bool:
        return self.rater == Rater.CLIENT

    @property
    def said_by(self) -> str:
        """Who fills it in, as pages say it."""
        return said_by(self.rater, self.rater_label)

    @property
    def finish_until(self) -> datetime:
        return self.open_until + time_to_finish(self.instrument)

    @property
    def is_of_the_alliance(self) -> bool:
        return self.purpose == Purpose.ALLIANCE

    @property
    def is_rated(self) -> bool:
        """Whether the form is filled in. As it was when the grant was read `with_deliveries`; else as it is now."""
        if not self.is_of_the_alliance:
            return self.answered_at is not None
        known: bool | None = getattr(self, "had_rating", None)
        return hasattr(self, "rating") if known is None else known

    @property
    def has_delivered(self) -> bool:
        """Whether marks came in through this grant: so that they count, or kept aside. Known as `is_rated` is."""
        kept = (
            ("had_marks_set_aside", "set_aside") if self.is_of_the_alliance else ("had_response", "responses")
        )
        known: bool | None = getattr(self, kept[0], None)
        return self.is_rated or bool(getattr(self, kept[1]).exists() if known is None else known)

    def is_open(self, now: datetime) -> bool:
        return self.withdrawn_at is None and now < self.open_until and not self.is_rated

    def can_be_finished(self, now: datetime) -> bool:
        """Whether somebody who opened the form in time may still be marking it."""
        return self.withdrawn_at is None and now < self.finish_until and not self.is_rated
