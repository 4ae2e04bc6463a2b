"""Who: clients, their episodes of therapy, and who supervises whom."""

import uuid
from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from alliance.models import User
from clients.plausible_days import FIRST_DAY

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


class SupervisionQuerySet(models.QuerySet["Supervision"]):
    def today(self) -> Self:
        """The supervisions in force today, in the clinic's time zone."""
        today = timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today)


class Supervision(models.Model):
    """Who supervises whom, from when to when. It is what lets a supervisor see a caseload."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    supervisor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="supervisions_given"
    )
    therapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="supervisions_received"
    )
    starts_on = models.DateField("from", default=timezone.localdate)
    ends_on = models.DateField("to and including", null=True, blank=True)

    objects = SupervisionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(supervisor=F("therapist")), name="supervision_of_another_person"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="supervision_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__gte=FIRST_DAY), name="supervision_day_is_plausible"
            ),
            models.UniqueConstraint(
                fields=["supervisor", "therapist"],
                condition=Q(ends_on__isnull=True),
                name="one_open_supervision_a_pair",
            ),
        )

    def __str__(self) -> str:
        return f"{self.supervisor} supervises {self.therapist}"


class ClientQuerySet(models.QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        """The clients whose *label* this person may see: all of them for an administrator, else one's own.

        A label is not a rating: an administrator manages people and reaches no clinical row.
        """
        if user.is_active and user.is_administrator:
            return self
        return self.filter(episodes__in=Episode.objects.visible_to(user)).distinct()


class Client(models.Model):
    """A label the clinic chooses, a language and an age band. This is not a medical record."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    label = models.CharField(
        max_length=40, help_text="Initials, or a code from your record system. Never the client's full name."
    )
    language = models.CharField(
        "language of the form", max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    age_band = models.CharField("age", max_length=20, choices=AgeBand.choices, default=AgeBand.ADULT)
    registered_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        ordering = ("label",)
        # The order of the client list: a page of it is read from here, and not out of all clients.
        indexes = (models.Index(fields=["label", "registered_at"], name="client_by_label"),)

    def __str__(self) -> str:
        return self.label

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
        if not (user.is_active and user.is_therapist):
            return self.none()
        again = Episode.objects.open().filter(client=OuterRef("client"), therapist=OuterRef("therapist"))
        readable = Q(closed_on__isnull=True) | Q(closed_on__gte=timezone.localdate() - READABLE_FOR)
        treated = Episode.objects.treated_by(user).filter(readable | Exists(again)).order_by()
        covered = Cover.objects.today().filter(colleague=user)
        # A union: PostgreSQL finds neither half by an index where they are two conditions with OR.
        return self.filter(pk__in=treated.values("pk").union(covered.values("episode"), all=True))

    def supervised_by(self, user: User) -> Self:
        """The episodes of the therapists whom this person supervises today."""
        if not (user.is_active and user.is_supervisor):
            return self.none()
        return self.filter(
            therapist__in=Supervision.objects.today().filter(supervisor=user).values("therapist")
        )

    def visible_to(self, user: User) -> Self:
        """The one door to clinical rows: one's own episodes (`own`), and those of today's supervisees.

        There is no branch for an all-powerful user, and none for administrators.
        """
        rows = self.none()
        if user.is_active and (user.is_therapist or user.is_supervisor):
            rows = self.filter(
                Q(pk__in=Episode.objects.own(user).values("pk"))
                | Q(pk__in=Episode.objects.supervised_by(user).values("pk"))
            )
        return rows

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
        ordering = ("client__label", "opened_on")
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

    @property
    def readable_until(self) -> date | None:
        """The last day on which its therapist reads it without a cover; None where it is open."""
        return self.closed_on + READABLE_FOR if self.closed_on else None


# --- What happens to an episode --------------------------------------------------------------------


class EpisodeClosing(models.Model):
    """One end of an episode, and what became of what was still out. One that was taken back is kept."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="closings")
    closed_at = models.DateTimeField(default=timezone.now)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    cancelled = models.JSONField(default=list, help_text="Codes of the planned sessions that it cancelled.")
    forms_taken_back = models.PositiveSmallIntegerField(default=0)
    forms_left_out = models.PositiveSmallIntegerField(default=0)
    accepted_until = models.DateTimeField(null=True, help_text="Until when marks of those still count.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="closing_undone_at_and_by",
            ),
            models.UniqueConstraint(
                fields=["episode"], condition=Q(undone_at__isnull=True), name="one_closing_an_episode"
            ),
        )

    def __str__(self) -> str:
        return f"End of {self.episode}"


class DayCorrection(models.Model):
    """A day that was written down wrong and put right: what stood, what stands, and why."""

    class Of(models.TextChoices):
        OPENED = "opened", "Opening day"
        CLOSED = "closed", "Closing day"
        STARTS = "starts", "First day of supervision"
        ENDS = "ends", "Last day of supervision"

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="day_corrections", null=True)
    supervision = models.ForeignKey(Supervision, models.PROTECT, related_name="day_corrections", null=True)
    of = models.CharField(max_length=20, choices=Of.choices)
    was = models.DateField(null=True)
    becomes = models.DateField(null=True)
    why = models.CharField(max_length=200)
    corrected_at = models.DateTimeField(default=timezone.now)
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("corrected_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(episode__isnull=False, supervision__isnull=True)
                | Q(episode__isnull=True, supervision__isnull=False),
                name="day_correction_of_one_thing",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_of_display()}: {self.becomes} instead of {self.was}"


class CaseloadTransfer(models.Model):
    """Clients who were given to other therapists in one step."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    on = models.DateField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="transfer_undone_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"Transfer of {self.on}"


class EpisodeTransfer(models.Model):
    """One client in a transfer: the episode that ended, and the one that began.

    `to` is null once the transfer was taken back: that episode, in which nothing had been written, is gone.
    """

    transfer = models.ForeignKey(CaseloadTransfer, models.PROTECT, related_name="episodes")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="transfers")
    to = models.OneToOneField(Episode, models.SET_NULL, related_name="came_by", null=True)
    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("episode__client__label", "pk")
        constraints = (models.UniqueConstraint(fields=["transfer", "episode"], name="once_in_a_transfer"),)

    def __str__(self) -> str:
        return f"{self.episode} to {self.therapist}"


class CoverQuerySet(models.QuerySet["Cover"]):
    def standing(self) -> Self:
        """Those that nobody ended before their time."""
        return self.filter(ended_at__isnull=True)

    def today(self) -> Self:
        """Those in force today, in the clinic's time zone."""
        today = timezone.localdate()
        return self.standing().filter(starts_on__lte=today, ends_on__gte=today)

    def not_over(self) -> Self:
        return self.standing().filter(ends_on__gte=timezone.localdate())


class Cover(models.Model):
    """A colleague sees one episode from a day to a day, both included, as its therapist does.

    Of an episode that is over it opens the reading alone.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    made_together = models.UUIDField(help_text="The same for all clients who were named in one step.")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="covers")
    colleague = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="covers")
    starts_on = models.DateField("from")
    ends_on = models.DateField("to and including")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    objects = CoverQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(starts_on__gte=FIRST_DAY), name="cover_day_is_plausible"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="cover_ends_after_start"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="cover_ended_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"{self.colleague} covers {self.episode}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code


class EarlierCourseConsentQuerySet(models.QuerySet["EarlierCourseConsent"]):
    def standing(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


class EarlierCourseConsent(models.Model):
    """The client agreed that the therapist of `episode` shows the page for two of an earlier course."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    earlier = models.ForeignKey(Episode, models.PROTECT, related_name="consents")
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="consents_to_earlier")
    given_on = models.DateField()
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, default=None
    )

    objects = EarlierCourseConsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(given_on__gte=FIRST_DAY), name="consent_day_is_plausible"),
            models.CheckConstraint(condition=~Q(earlier=F("episode")), name="consent_to_another_course"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="consent_withdrawn_at_and_by",
            ),
            models.UniqueConstraint(
                fields=["earlier", "episode"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_consent_a_pair_of_courses",
            ),
        )

    def __str__(self) -> str:
        return f"Consent to show {self.earlier}"
