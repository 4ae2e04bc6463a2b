"""What a supervisor asks a therapist about a client, and what the therapist answers."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from alliance.append_only import append_only
from alliance.at_and_by import at_and_by
from alliance.encrypted_field import EncryptedCharField
from clients.models import Episode
from sessions_app.supervision.rows import WORDS, BetweenTwo


class SupervisionQuestionQuerySet(BetweenTwo):
    def standing(self) -> Self:
        """Those that were not taken back."""
        return self.filter(withdrawn_at__isnull=True)

    def open(self) -> Self:
        return self.standing().filter(answered_at__isnull=True)


def count_of_open(episode: OuterRef) -> Subquery:
    """How many questions about an episode wait for an answer, for a list of episodes; null where none does.

    For readers who may read them: the therapist's own list, and the caseload of whoever supervises them.
    """
    rows = SupervisionQuestion.objects.open().filter(episode=episode).order_by()
    return Subquery(rows.values("episode").annotate(count=Count("pk")).values("count"))


class SupervisionQuestion(models.Model):
    """One question about a course, with its answer once there is one. The words are those that stand now.

    It stays in its words once it is answered: an answer belongs to what was asked.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    episode = models.ForeignKey(Episode, models.PROTECT, related_name="supervision_questions")
    words = EncryptedCharField("question", max_length=WORDS)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every change.")
    asked_at = models.DateTimeField(default=timezone.now)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answer = EncryptedCharField(max_length=WORDS, blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    form_key = models.UUIDField(null=True, unique=True, help_text="Of the form that asked (`FormKeyField`).")

    objects = SupervisionQuestionQuerySet.as_manager()

    class Meta:
        ordering = ("asked_at",)
        constraints = (
            at_and_by("answered", name="supervision_question_answered_at_and_by"),
            at_and_by("withdrawn", name="supervision_question_withdrawn_at_and_by"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="supervision_question_answered_in_words",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="supervision_question_in_words"),
        )

    def __str__(self) -> str:
        return f"Question about {self.episode}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.episode.client_code

    @property
    def is_open(self) -> bool:
        return self.answered_at is None and self.withdrawn_at is None


@append_only(erased_along="question__episode__client")
class SupervisionQuestionChange(models.Model):
    """One change of a question or its answer, with the words that stood before it."""

    class Kind(models.TextChoices):
        ASKED_OTHERWISE = "asked otherwise", "Asked in other words"
        ANSWERED_OTHERWISE = "answered otherwise", "Answered in other words"
        ANSWER_TAKEN_BACK = "answer taken back", "The answer was taken back"
        TAKEN_BACK = "taken back", "Taken back"
        PUT_BACK = "put back", "Put back"

    KEEPS = ("words", "answer")

    question = models.ForeignKey(SupervisionQuestion, models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField(help_text="`SupervisionQuestion.version` before this change.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    words = EncryptedCharField(max_length=WORDS)
    answer = EncryptedCharField(max_length=WORDS, blank=True, default="")
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("version",)
        constraints = (
            models.UniqueConstraint(
                fields=["question", "version"], name="one_change_a_supervision_question_version"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("asked otherwise", "answered otherwise", "answer taken back"),
                        *("taken back", "put back"),
                    ]
                ),
                name="supervision_question_change_known_kind",
            ),
        )

    def __str__(self) -> str:
        return f"{self.question}: {self.get_kind_display()}"
