"""What a therapist guesses that the client will mark, before seeing it: for learning, and for this therapist alone."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from alliance import triggers
from alliance.append_only import append_only
from alliance.measurement import instruments
from alliance.models import User
from sessions_app.courses.answer_range import guess_in_range
from sessions_app.courses.models import EpisodeRows, TherapySession


class GuessQuerySet(EpisodeRows):
    """There is no door for anybody else: not for who supervises, who covers, or who treats the client later."""

    def visible_to(self, user: User) -> Self:
        return self.filter(therapist=user) if user.is_active else self.none()

    def own(self, user: User) -> Self:
        """Those of a course that this person still reads."""
        return super().own(user).filter(therapist=user)


@append_only(erased_along="session__episode__client")
class Guess(models.Model):
    """One guess at the rating of one session, by one therapist, before the client marked it. Never changed.

    `answers` holds {item: tenths, or null where nothing was guessed}; `total` tenths, null where a line is missing.
    No flag rule reads it, and no file holds it.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(TherapySession, models.PROTECT, related_name="guesses")
    therapist = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="guesses")
    instrument = models.CharField(max_length=40)
    instrument_version = models.CharField(max_length=20)
    answers = models.JSONField()
    total = models.PositiveSmallIntegerField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    objects = GuessQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-pk")
        verbose_name_plural = "guesses"
        constraints = (
            models.UniqueConstraint(
                fields=["session", "therapist"], name="one_guess_a_session_and_therapist"
            ),
        )

    def __str__(self) -> str:
        return f"Guess at {self.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.session.client_code

    @property
    def marks(self) -> dict[str, int | None]:
        """The answers in the instrument's order, in tenths."""
        items = instruments.get(self.instrument, self.instrument_version).items
        return {item.id: self.answers.get(item.id) for item in items}


triggers.declare(Guess, guess_in_range)


def in_use() -> bool:
    """Whether anybody guesses here, or did: whoever switched it off finds their guesses again."""
    return User.objects.filter(guesses_first=True).exists() or Guess.objects.exists()


def has_guessed(session: TherapySession, user: User) -> bool:
    """Whether `user` has guessed this session. No query for whoever does not guess."""
    return user.guesses_first and Guess.objects.visible_to(user).filter(session=session).exists()
