"""What the marks mean, and what was said about it."""

import uuid
from collections.abc import Sequence
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from alliance.measurement import flag_rules, instruments
from alliance.measurement.handbook import Rule
from alliance.measurement.questions import Way, ways_to_ask
from alliance.measurement.scoring import points_apart
from sessions_app.courses.models import EpisodeRows, Rating, TherapySession


class FlagQuerySet(EpisodeRows):
    """What became of flags is concluded from the whole course: `flags.answered_flags`, not here."""

    def standing(self) -> Self:
        return self.filter(withdrawn_at__isnull=True)


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

    ways: tuple[Way, ...] = ()  # where `asking.prepare` knows who reads it
    # Where the row came from `answered_flags` or `standing`: how many of its rule and line were raised before it,
    # and what became of it (`alliance.measurement.standing.FlagStanding`).
    turn: int = 0
    is_discussed = is_settled = is_not_needed = is_put_off = is_same_fall = False

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
    def is_open(self) -> bool:
        """Not talked about, and nobody decided that no talk is needed. What is put off is open."""
        return not (self.is_settled or self.is_not_needed)

    @property
    def calls(self) -> bool:
        """Whether it calls for a talk: open, raised as a reason to talk, not put off, no fall talked about before."""
        return self.is_open and self.on_work_list and not (self.is_put_off or self.is_same_fall)

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
        return f"{name} ({points_apart(fall)} further down)" if further else f"{name}, as before"

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
        """Those that were not taken back, of sessions that were not voided."""
        return self.filter(withdrawn_at__isnull=True, session__voided_at__isnull=True)


class Discussion(models.Model):
    """The conversation about one or more flags: what the client said, what was agreed to change.

    The words are those that stand now; the earlier ones are in `DiscussionChange`. `discussed_at` stays the moment
    at which the conversation was noted first.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(
        TherapySession,
        models.PROTECT,
        related_name="discussions",
        help_text="The session whose rating was talked about.",
    )
    flags = models.ManyToManyField(Flag, related_name="discussions")
    said = EncryptedCharField("what the client said", max_length=500)
    agreed = EncryptedCharField("what we change", max_length=500, blank=True, default="")
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change of the note.")
    discussed_at = models.DateTimeField(default=timezone.now)
    discussed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    earlier: Sequence[Any] = ()  # where a page reads it: `conversations.earlier`
    answer: Any = None  # the `FollowUp` about it that stands, likewise
    tick: int = 0  # its number in the picture of the course, where a page shows one

    objects = DiscussionQuerySet.as_manager()

    class Meta:
        ordering = ("discussed_at",)
        constraints = (at_and_by("withdrawn", name="discussion_withdrawn_at_and_by"),)

    def __str__(self) -> str:
        return f"Discussion of {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code
