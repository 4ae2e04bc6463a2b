"""What the marks mean, and what was said about it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from alliance.measurement import flag_rules, instruments
from alliance.measurement.handbook import Rule
from alliance.measurement.questions import Way, ways_to_ask
from alliance.measurement.scoring import points
from sessions_app.courses.models import EpisodeRows, Rating, TherapySession
from sessions_app.flags.deferrals import Deferral


class FlagQuerySet(EpisodeRows):
    """`at`: a moment in the past, to see what was open then; None is now."""

    def standing(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)

    def with_discussed(self) -> Self:
        """Each flag with `is_discussed`: somebody noted a conversation about it, and it was not taken back."""
        return self.annotate(is_discussed=Exists(Discussion.objects.standing().filter(flags=OuterRef("pk"))))

    def with_turn(self) -> Self:
        """Each flag with `turn`: how many of its rule and line were raised before it in the episode.

        Withdrawn ones count too: what was asked then was asked.
        """
        line = Coalesce(KT("evidence__line"), Value(""), output_field=TextField())
        before = (
            Flag.objects.annotate(line=line)
            .filter(
                session__episode=OuterRef("session__episode"),
                session__number__lt=OuterRef("session__number"),
                rule=OuterRef("rule"),
                line=OuterRef("line"),
            )
            .order_by()
            .values("rule")
            .annotate(count=Count("pk"))
        )
        return self.annotate(line=line, turn=Coalesce(Subquery(before.values("count")), 0))

    def with_calls(self, at: datetime | None = None) -> Self:
        """Each flag with what keeps it from calling for a talk: a deferral, or a talk about the same fall."""
        about = _by(at, "deferred_at") & Q(flags=OuterRef("pk"))
        return self.alias(**{name: _limit(name) for name in LIMITS}).annotate(
            is_not_needed=Exists(Deferral.objects.not_needed().filter(about)),
            is_put_off=Exists(Deferral.objects.put_off(at or timezone.now()).filter(about)),
            is_same_fall=Case(
                When(rule__in=SAME_FALL, on_work_list=True, then=Exists(_talked_about_before())),
                default=Value(value=False),
            ),
        )

    def discussed(self) -> Self:
        return self.standing().with_discussed().filter(is_discussed=True)

    def undiscussed(self, at: datetime | None = None) -> Self:
        """Standing, and no conversation was noted about it, about its rating before it came, or about a later session.

        Under other rules more may be said of a rating that was talked about. A correction was not talked about.
        """
        talks = Discussion.objects.standing().filter(_by(at, "discussed_at"))
        since = talks.filter(
            session__episode=OuterRef("session__episode"), session__number__gt=OuterRef("session__number")
        )
        before_it_came = talks.filter(
            session=OuterRef("session"),
            flags__instrument=OuterRef("instrument"),
            discussed_at__gte=OuterRef("rating__received_at"),
            discussed_at__lt=OuterRef("raised_at"),
        )
        rows = self.standing().filter(_by(at, "raised_at")).with_discussed()
        return rows.filter(
            ~Exists(since),
            ~Exists(talks.filter(flags=OuterRef("pk"))),
            Q(rating__replaces__isnull=False) | ~Exists(before_it_came),
        )

    def open(self, at: datetime | None = None) -> Self:
        """Undiscussed, and nobody decided that no talk is needed. What is put off is open."""
        return self.undiscussed(at).with_calls(at).filter(is_not_needed=False)

    def for_work_list(self, at: datetime | None = None) -> Self:
        """What calls for a talk: open, raised as a reason to talk, not put off, and no fall talked about before."""
        return self.open(at).filter(on_work_list=True, is_put_off=False, is_same_fall=False)


def _by(at: datetime | None, name: str) -> Q:
    return Q() if at is None else Q(**{f"{name}__lte": at})


# What says again that a total is low. C says that it fell again, and always calls.
SAME_FALL = ("A", "D", "E", "H")
SAME_FALL_WITHIN = 4  # sessions: as many as a usual range needs
# The parameters that tell one fall from another. A flag keeps those that raised it where they are not as shipped
# (`course.evidence_of`); the shipped ones are the same on every alliance scale.
LIMITS = ("badge_fall", "sudden_fall")


def _limit(name: str) -> Combinable:
    shipped = getattr(instruments.get(instruments.SESSION_RATING).parameters, name)
    return Coalesce(Cast(KT(f"evidence__{name}"), IntegerField()), Value(shipped))


def _talked_about_before() -> FlagQuerySet:
    """Earlier flags that make the outer one the same fall once more; docs/adr/0014 says why.

    One of the last four sessions was talked about (or decided to need no talk) before this flag came, the
    total is not `badge_fall` (2.0) lower than then, and it has not been up by `sudden_fall` (4.0) in between.
    """
    settled = Q(
        discussions__withdrawn_at__isnull=True, discussions__discussed_at__lte=OuterRef("raised_at")
    ) | Q(
        deferrals__kind=Deferral.Kind.NOT_NEEDED,
        deferrals__undone_at__isnull=True,
        deferrals__deferred_at__lte=OuterRef("raised_at"),
    )
    was_up = Rating.objects.complete().filter(
        session__episode=OuterRef("session__episode"),
        session__number__gt=OuterRef("session__number"),
        session__number__lt=OuterRef(OuterRef("session__number")),
        total__gte=OuterRef("rating__total") + OuterRef(OuterRef("sudden_fall")),
    )
    rows: FlagQuerySet = Flag.objects.standing()
    return rows.filter(
        settled,
        ~Exists(was_up),
        rule__in=(*SAME_FALL, "C"),
        instrument=OuterRef("instrument"),
        session__episode=OuterRef("session__episode"),
        session__number__lt=OuterRef("session__number"),
        session__number__gte=OuterRef("session__number") - SAME_FALL_WITHIN,
        rating__total__lt=OuterRef("rating__total") + OuterRef("badge_fall"),
    )


class Flag(models.Model):
    """A conclusion: it can be computed again from the ratings and the settings of the day.

    What people did about it hangs on the row, so a flag that no longer stands is withdrawn, never
    deleted. Rule G belongs to a session without a rating.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="flags")
    rating = models.ForeignKey(Rating, models.PROTECT, related_name="flags", null=True)
    instrument = models.CharField(max_length=40)
    rule = models.CharField(max_length=2)
    is_new = models.BooleanField(default=True)
    on_work_list = models.BooleanField(default=False)
    evidence = models.JSONField(default=dict)
    settings_version = models.CharField(max_length=40)
    raised_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True)

    is_discussed: bool  # where the row came through `with_discussed`
    turn: int = 0  # where the row came through `with_turn`
    ways: tuple[Way, ...] = ()  # where `asking.prepare` knows who reads it
    is_not_needed = is_put_off = is_same_fall = False  # where it came through `with_calls`

    objects = FlagQuerySet.as_manager()

    class Meta:
        ordering = ("session", "rule")
        constraints = (
            models.UniqueConstraint(
                fields=["session", "instrument", "rule"], name="one_flag_a_rule_and_session"
            ),
            models.CheckConstraint(
                condition=Q(rule="G") | Q(rating__isnull=False), name="flag_rests_on_a_rating"
            ),
        )
        indexes = (
            models.Index(
                fields=["session"],
                condition=Q(withdrawn_at__isnull=True, on_work_list=True),
                name="flag_work_list",
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule} at {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code

    @property
    def calls(self) -> bool:
        """As `for_work_list`, of an open flag that came through `with_calls`."""
        return self.on_work_list and not (self.is_not_needed or self.is_put_off or self.is_same_fall)

    @property
    def finding(self) -> flag_rules.Finding:
        return flag_rules.Finding(self.rule, self.is_new, self.on_work_list, self.evidence)

    @property
    def word(self) -> str:
        """The rule's name; where it is not the first time, how far the total has fallen since."""
        name = flag_rules.RULES[self.rule].name
        if self.is_same_fall:
            return f"{name}, as before"
        if self.rule != "A" or self.is_new:
            return name
        fall = self.evidence.get("fall_since_new", 0)
        shipped = instruments.get(self.instrument).parameters.badge_fall
        further = fall >= self.evidence.get("badge_fall", shipped)
        return f"{name}, {points(fall)} lower since" if further else f"{name}, as before"

    @property
    def sentence(self) -> str:
        """For the therapist; never shown to clients."""
        today = timezone.localdate(self.session.held_at) == timezone.localdate()
        return flag_rules.sentence(self.finding, instruments.get(self.instrument), today=today)

    @property
    def about(self) -> Rule:
        """The rule as the handbook prints it."""
        return flag_rules.RULES[self.rule]

    def ways_to_ask(self, language: str, own: Sequence[str] = ()) -> tuple[Way, ...]:
        """What one could ask, matched to the line that fell, from the question whose turn it is.

        Each episode starts at another one, else every first flag of a rule would ask the same.
        """
        line = self.evidence.get("line")
        turn = self.session.episode_id + self.turn
        return ways_to_ask(self.rule, line, turn=turn, language=language, own=own)

    @property
    def question(self) -> str:
        """The first thing one could ask; in English, unless it is known who reads it."""
        return (self.ways or self.ways_to_ask("en"))[0].text

    @property
    def strength(self) -> int:
        """A sort key: 0 for the strongest reason to talk."""
        return flag_rules.strength(self.finding)


class DiscussionQuerySet(EpisodeRows):
    def standing(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


class Discussion(models.Model):
    """The conversation about one or more flags: what the client said, what was agreed to change."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(
        TherapySession,
        models.PROTECT,
        related_name="discussions",
        help_text="The session whose rating was talked about.",
    )
    flags = models.ManyToManyField(Flag, related_name="discussions")
    said = models.CharField("what the client said", max_length=500)
    agreed = models.CharField("what we change", max_length=500, blank=True, default="")
    discussed_at = models.DateTimeField(default=timezone.now)
    discussed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = DiscussionQuerySet.as_manager()

    class Meta:
        ordering = ("discussed_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="discussion_withdrawn_at_and_by",
            ),
        )

    def __str__(self) -> str:
        return f"Discussion of {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
