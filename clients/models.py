"""Who: clients, their episodes of therapy, and who supervises whom."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from alliance.label_field import LabelField, Labelled, LabelledQuerySet, LookAlikeKeyField, SearchKeyField
from alliance.labels import key_asked_for
from alliance.models import User
from alliance.prepared import PreparedKeys
from clients.consents import EarlierCourseConsent
from clients.covers import Cover
from clients.episode_changes import CaseloadTransfer, DayCorrection, EpisodeClosing, EpisodeTransfer
from clients.plausible_days import FIRST_DAY
from clients.supervisions import Supervision, SupervisionQuerySet, supervisees_on

# Django asks here for the rows that have files of their own.
__all__ = [
    "READABLE_FOR",
    "AgeBand",
    "CaseloadTransfer",
    "Client",
    "ClientMerge",
    "ClientQuerySet",
    "Cover",
    "DayCorrection",
    "DifferentClients",
    "EarlierCourseConsent",
    "Ending",
    "Episode",
    "EpisodeClosing",
    "EpisodeMove",
    "EpisodeQuerySet",
    "EpisodeTransfer",
    "Supervision",
    "SupervisionQuerySet",
]

# A course that is over stays readable for its therapist as long as that: half a year is how long clients come back,
# letters are written and a supervision looks back. Then a supervisor or an administrator opens it by a cover.
READABLE_FOR = timedelta(days=180)


class AgeBand(models.TextChoices):
    ADULT = "adult", "18 and over"
    ADOLESCENT = "adolescent", "13 to 17"
    CHILD = "child", "6 to 12"
    YOUNG_CHILD = "young_child", "up to 5"


class Ending(models.TextChoices):
    PLANNED = "planned", "Planned ending"
    UNPLANNED = "unplanned", "Unplanned ending"
    TRANSFERRED = "transferred", "Transferred to another therapist"


class ClientQuerySet(LabelledQuerySet["Client"]):
    def with_label_like(self, asked: str) -> Self:
        """The clients whose label has what was asked for in it, whatever the case, the accents and the database."""
        return self.filter(label_key__contains=key_asked_for(asked))

    def visible_to(self, user: User) -> Self:
        """The clients whose *label* this person may see: all of them for an administrator, else one's own.

        A label is not a rating: an administrator manages people and reaches no clinical row.
        """
        if user.is_active and user.is_administrator:
            return self
        return self.filter(episodes__in=Episode.objects.visible_to(user)).distinct()

    def managed_by(self, user: User) -> Self:
        """The clients of whom this person manages an episode; to see a supervisee's client is not to manage them.

        An administrator manages all records that stand, also those without an episode: imported so, or moved away.
        """
        if user.is_active and user.is_administrator:
            return self.filter(merged_into__isnull=True)
        return self.filter(episodes__in=Episode.objects.managed_by(user)).distinct()


class Client(Labelled):
    """A label the clinic chooses, a language and an age band. This is not a medical record."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    label = LabelField(
        max_length=40, help_text="Initials, or a code from your record system. Never the client's full name."
    )
    label_key = SearchKeyField("label")
    label_look = LookAlikeKeyField("label")
    language = models.CharField(
        "language of the form", max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    age_band = models.CharField("age", max_length=20, choices=AgeBand.choices, default=AgeBand.ADULT)
    registered_at = models.DateTimeField(default=timezone.now, editable=False)
    # A record that was merged has no episode and stands in no list; what leads to it leads on to the other.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="merged_records", db_index=False
    )

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ("label_key", "registered_at")
        indexes = (
            # The order of the client list: a page of it is read from here, and not out of all clients.
            models.Index(fields=["label_key", "registered_at"], name="client_by_label"),
            models.Index(fields=["label_look"], name="client_by_look_alike"),
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="client_by_merged_into"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="client_merged_into_another"),
        )

    def __str__(self) -> str:
        return str(self.label)

    @property
    def client_code(self) -> uuid.UUID:
        return self.code


class EpisodeQuerySet(models.QuerySet["Episode"]):
    def treated_by(self, user: User) -> Self:
        """The episodes of which this person is the therapist, however long they are over. Opens no clinical row."""
        if not (user.is_active and user.is_therapist):
            return self.none()
        return self.filter(therapist=user)

    def own(self, user: User) -> Self:
        """The episodes whose courses this person works with as the therapist: their own, and those they cover today.

        One that is over is in here for `READABLE_FOR`, and as long as the same client is in therapy with them again;
        then by a cover alone. It is read and not written: every write refuses where the episode is closed.
        """
        keys = own_keys(user)
        return self.none() if keys is None else self.filter(pk__in=keys)

    def supervised_by(self, user: User) -> Self:
        """The episodes of the therapists whom this person supervises today."""
        if not (user.is_active and user.is_supervisor):
            return self.none()
        return self.filter(
            therapist__in=_SUPERVISEES.of(user=user.pk, today=timezone.localdate(), now=timezone.now())
        )

    def visible_to(self, user: User) -> Self:
        """The one door to clinical rows: one's own episodes (`own`), and those of today's supervisees.

        There is no branch for an all-powerful user, and none for administrators.
        """
        keys = visible_keys(user)
        return self.none() if keys is None else self.filter(pk__in=keys)

    def managed_by(self, user: User) -> Self:
        """The episodes whose *dates and therapist* this person may manage: an administrator all, else one's own."""
        return self if user.is_active and user.is_administrator else self.treated_by(user)

    def looked_at_together_by(self, user: User) -> Self:
        """The episodes whose page for two this person may show: their own, and earlier ones by the client's consent."""
        agreed = EarlierCourseConsent.objects.standing().filter(episode__in=Episode.objects.own(user).open())
        return self.filter(
            Q(pk__in=Episode.objects.own(user).values("pk")) | Q(pk__in=agreed.values("earlier"))
        )

    def unseen(self) -> Self:
        """Open, with a therapist who cannot see them: who may not sign in, or is no therapist any more."""
        return self.open().exclude(therapist__is_active=True, therapist__is_therapist=True)

    def open(self) -> Self:
        return self.filter(closed_on__isnull=True)


def own_courses(
    *, user: uuid.UUID, readable_from: date, today: date, now: datetime
) -> "models.QuerySet[Any, Any]":
    """The keys of what `EpisodeQuerySet.own` opens, for a query that is put together once (`alliance.prepared`)."""
    again = Episode.objects.open().filter(client=OuterRef("client"), therapist=OuterRef("therapist"))
    readable = Q(closed_on__isnull=True) | Q(closed_on__gte=readable_from)
    treated = Episode.objects.filter(readable | Exists(again), therapist=user).order_by()
    covered = Cover.objects.on(today, now).filter(colleague=user)
    # A union: PostgreSQL finds neither half by an index where they are two conditions with OR.
    return treated.values("pk").union(covered.values("episode"), all=True)


def _supervised(*, user: uuid.UUID, today: date, now: datetime) -> "models.QuerySet[Any, Any]":
    return (
        Episode.objects.filter(therapist__in=supervisees_on(user=user, today=today, now=now))
        .order_by()
        .values("pk")
    )


def _own_or_supervised(
    *, user: uuid.UUID, readable_from: date, today: date, now: datetime
) -> "models.QuerySet[Any, Any]":
    own = own_courses(user=user, readable_from=readable_from, today=today, now=now)
    return own.union(_supervised(user=user, today=today, now=now), all=True)


# Every page of staff asks these, some of them ten times.
_SUPERVISEES = PreparedKeys(supervisees_on, user=uuid.UUID, today=date, now=datetime)
_OWN = PreparedKeys(own_courses, user=uuid.UUID, readable_from=date, today=date, now=datetime)
_SUPERVISED = PreparedKeys(_supervised, user=uuid.UUID, today=date, now=datetime)
_OWN_OR_SUPERVISED = PreparedKeys(
    _own_or_supervised, user=uuid.UUID, readable_from=date, today=date, now=datetime
)


def own_keys(user: User) -> RawSQL | None:
    """The query of the keys of what `EpisodeQuerySet.own` opens; None where this person opens none."""
    if not (user.is_active and user.is_therapist):
        return None
    today = timezone.localdate()
    return _OWN.of(user=user.pk, readable_from=today - READABLE_FOR, today=today, now=timezone.now())


def visible_keys(user: User) -> RawSQL | None:
    """The query of the keys of what `EpisodeQuerySet.visible_to` opens; None where this person opens none."""
    if not (user.is_active and user.is_supervisor):
        return own_keys(user)
    today = timezone.localdate()
    if not user.is_therapist:
        return _SUPERVISED.of(user=user.pk, today=today, now=timezone.now())
    return _OWN_OR_SUPERVISED.of(
        user=user.pk, readable_from=today - READABLE_FOR, today=today, now=timezone.now()
    )


class Episode(models.Model):
    """A course of therapy of one client with one therapist.

    The alliance belongs to the pair: usual range and trend start anew with each episode.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(Client, models.PROTECT, related_name="episodes")
    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="episodes")
    opened_on = models.DateField("opened on", default=timezone.localdate)
    closed_on = models.DateField("closed on", null=True, blank=True)
    ending = models.CharField("kind of ending", max_length=20, choices=Ending.choices, blank=True, default="")

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        ordering = ("client__label_key", "opened_on")
        constraints = (
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True, ending="") | (Q(closed_on__isnull=False) & ~Q(ending="")),
                name="episode_closed_with_an_ending",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="episode_closes_after_opening",
            ),
            models.CheckConstraint(condition=Q(opened_on__gte=FIRST_DAY), name="episode_day_is_plausible"),
            models.CheckConstraint(condition=Q(ending__in=["", *Ending.values]), name="episode_known_ending"),
            models.UniqueConstraint(
                fields=["client", "therapist"],
                condition=Q(closed_on__isnull=True),
                name="one_open_episode_a_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.client} with {self.therapist}"

    @property
    def is_open(self) -> bool:
        return self.closed_on is None

    @property
    def client_code(self) -> uuid.UUID:
        return self.client.code

    def is_worked_by(self, user: User) -> bool:
        """Whether this person, who may see it, is its therapist or covers it today; a query where it is another's."""
        if self.therapist_id == user.pk or not user.is_therapist:
            return self.therapist_id == user.pk and user.is_therapist
        return Cover.objects.today().filter(episode=self, colleague=user).exists()

    @property
    def readable_until(self) -> date | None:
        """The last day on which its therapist reads it without a cover; None where it is open."""
        return self.closed_on + READABLE_FOR if self.closed_on else None


# --- One person, one record ----------------------------------------------------------------------


class ClientMergeQuerySet(models.QuerySet["ClientMerge"]):
    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)


class ClientMerge(models.Model):
    """Two records were of one person: the episodes of `merged` moved to `kept`, whose details stay."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kept = models.ForeignKey(Client, models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    merged_at = models.DateTimeField(default=timezone.now)
    merged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )

    objects = ClientMergeQuerySet.as_manager()

    class Meta:
        ordering = ("-merged_at",)
        constraints = (
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="merge_of_two_records"),
            at_and_by("undone", name="merge_undone_at_and_by"),
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_at__isnull=True), name="one_standing_merge_a_record"
            ),
        )

    def __str__(self) -> str:
        return f"{self.merged} into {self.kept}"


class EpisodeMoveQuerySet(models.QuerySet["EpisodeMove"]):
    def standing(self) -> Self:
        return self.filter(undone_at__isnull=True)


class EpisodeMove(models.Model):
    """An episode was put under another record: alone, with a reason, or with all others in a merge."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="moves")
    from_client = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    to_client = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    merge = models.ForeignKey(ClientMerge, models.PROTECT, related_name="moves", null=True)
    why = EncryptedCharField(max_length=200, blank=True, default="")
    moved_at = models.DateTimeField(default=timezone.now)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )

    objects = EpisodeMoveQuerySet.as_manager()

    class Meta:
        ordering = ("-moved_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=~Q(from_client=F("to_client")), name="episode_moved_to_another_record"
            ),
            models.CheckConstraint(
                condition=Q(merge__isnull=False) | ~Q(why=""), name="episode_moved_with_a_reason"
            ),
            at_and_by("undone", name="move_undone_at_and_by"),
        )

    def __str__(self) -> str:
        return f"{self.episode} from {self.from_client}"


class DifferentClients(models.Model):
    """An administrator looked at two records that read alike: they are of two people."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    first = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    noted_at = models.DateTimeField(default=timezone.now)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ("-noted_at",)
        constraints = (
            # In the order of their numbers: a pair has one row, whoever names which of the two first.
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="different_clients_in_order"),
            models.UniqueConstraint(fields=["first", "second"], name="different_clients_once"),
        )

    def __str__(self) -> str:
        return f"{self.first} is not {self.second}"
