"""The rows of the plan of forms: which form for whom and when. Rows are added and ended, never changed."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from alliance.measurement import instruments
from alliance.measurement.form_plan import EVERY_AT_MOST, Frequency, Moment, Timing, Whose
from alliance.measurement.instruments import Instrument
from clients.models import AgeBand, Episode
from sessions_app.courses.models import EpisodeRows
from sessions_app.courses.raters import Rater

WHY = 200  # characters


class ForWhom(models.TextChoices):
    CLINIC = "clinic", "The whole clinic"
    THERAPISTS = "therapists", "The clients of these therapists"
    TEAM = "team", "The clients of those who are supervised by"
    COURSE = "course", "One client"


class PlannedFormQuerySet(EpisodeRows):
    to_episode = "episode"

    def standing(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def standing_on(self, day: date) -> Self:
        """As the plan was at the end of that day."""
        not_over = Q(ended_at__isnull=True) | Q(ended_at__date__gt=day)
        return self.filter(not_over, added_at__date__lte=day)

    def of_the_clinic(self) -> Self:
        return self.filter(episode__isnull=True)

    def about(self, episodes: Any) -> Self:
        """Those of the clinic, and what is chosen for these courses."""
        return self.filter(Q(episode__isnull=True) | Q(episode__in=episodes))


@append_only(may_change=("ended_at", "ended_by"), erased_along="episode__client")
class PlannedForm(models.Model):
    """One sentence of the plan: this form, for these clients, at that time; who said so, and until when.

    An administrator plans for the clinic. For one course its therapist adds a form, gives it at another time (then the
    row stands in the place of all that the clinic plans of this form), or switches it off, with a reason.
    A change ends the row and adds the next one, which `replaces` it.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    instrument = models.CharField(max_length=40)
    rater = models.CharField(max_length=20, choices=Rater.choices)
    for_whom = models.CharField(max_length=20, choices=ForWhom.choices)
    age_band = models.CharField(
        max_length=20, choices=AgeBand.choices, blank=True, default="", help_text="Empty: any age."
    )
    therapists = models.JSONField(default=list, help_text="Codes of the therapists who are named.")
    supervisor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    episode = models.ForeignKey(Episode, models.PROTECT, null=True, related_name="planned_forms")
    is_off = models.BooleanField(default=False, help_text="Not given in this course.")
    moment = models.CharField(
        max_length=20, choices=[(one.value, one.value) for one in Moment], blank=True, default=""
    )
    frequency = models.CharField(
        max_length=20, choices=[(one.value, one.value) for one in Frequency], blank=True, default=""
    )
    every = models.PositiveSmallIntegerField(default=0)
    numbers = models.CharField(max_length=100, blank=True, default="", help_text="Chosen sessions, as “3,9”.")
    why = EncryptedCharField("reason", max_length=WHY, blank=True, default="")
    same_as = models.CharField(max_length=64, help_text="Alike for two rows that may not stand together.")
    form_key = models.UUIDField(null=True, unique=True, help_text="Of the form that added it.")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    since = models.DateField(help_text="What fell due before is not asked for.")
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = PlannedFormQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["same_as"], condition=Q(ended_at__isnull=True), name="one_standing_entry_of_the_plan"
            ),
            models.CheckConstraint(condition=Q(rater__in=Rater.values), name="planned_known_rater"),
            models.CheckConstraint(
                condition=Q(age_band__in=["", *AgeBand.values]), name="planned_known_age_band"
            ),
            models.CheckConstraint(
                condition=Q(for_whom__in=[ForWhom.CLINIC, ForWhom.THERAPISTS], supervisor__isnull=True)
                & Q(episode__isnull=True, why="", is_off=False)
                | Q(for_whom=ForWhom.TEAM, supervisor__isnull=False, episode__isnull=True, why="")
                & Q(is_off=False)
                | Q(for_whom=ForWhom.COURSE, episode__isnull=False, supervisor__isnull=True, age_band="")
                & ~Q(why=""),
                name="planned_for_whom",
            ),
            models.CheckConstraint(
                condition=Q(is_off=True, moment="", frequency="")
                | Q(is_off=False, moment__in=list(Moment), frequency__in=list(Frequency)),
                name="planned_when_unless_off",
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=[Frequency.SESSIONS, Frequency.WEEKS], every__gte=1)
                & Q(every__lte=EVERY_AT_MOST)
                | ~Q(frequency__in=[Frequency.SESSIONS, Frequency.WEEKS]) & Q(every=0),
                name="planned_every_how_many",
            ),
            models.CheckConstraint(
                condition=Q(frequency=Frequency.CHOSEN) & ~Q(numbers="")
                | ~Q(frequency=Frequency.CHOSEN) & Q(numbers=""),
                name="planned_chosen_sessions",
            ),
            at_and_by("ended", name="planned_ended_at_and_by"),
        )

    def __str__(self) -> str:
        return f"Plan: {instruments.get(self.instrument).name}"

    @property
    def client_code(self) -> uuid.UUID | None:
        return self.episode.client_code if self.episode else None

    @property
    def form(self) -> Instrument:
        return instruments.get(self.instrument)

    @property
    def is_rating(self) -> bool:
        """Whether it says on which scale sessions are rated, and not that a questionnaire is given."""
        return self.moment == Moment.RATING

    @property
    def timing(self) -> Timing:
        numbers = tuple(int(one) for one in self.numbers.split(",") if one)
        return Timing(Moment(self.moment), Frequency(self.frequency), self.every, numbers)

    @property
    def whose(self) -> Whose:
        team = str(self.supervisor_id) if self.supervisor_id else None
        return Whose(self.episode_id, frozenset(self.therapists), team, self.age_band)

    @property
    def says(self) -> dict[str, Any]:
        """What was chosen, without who and when."""
        return {
            "instrument": self.instrument,
            "for_whom": self.for_whom,
            "age_band": self.age_band,
            "therapists": list(self.therapists),
            "supervisor": str(self.supervisor_id or ""),
            "moment": self.moment,
            "frequency": self.frequency,
            "every": self.every or None,
            "numbers": self.numbers,
        }


def key_of(says: Mapping[str, Any], episode: Episode | None = None) -> str:
    """What only one standing row may have: in a course one a form, in the plan one of each sentence.

    Of the scales on which sessions are rated, one for the same people, whichever it is.
    """
    is_rating = says["moment"] == Moment.RATING
    form = "rating" if is_rating else says["instrument"]
    if episode is not None:
        parts = ["course", str(episode.code), form]
    else:
        whom = [says["for_whom"], says["age_band"], *sorted(says["therapists"]), says["supervisor"]]
        when = [] if is_rating else [says["moment"], says["frequency"], says["every"] or 0, says["numbers"]]
        parts = [form, *map(str, whom), *map(str, when)]
    return hashlib.sha256("/".join(parts).encode()).hexdigest()
