"""Answers about self-harm at or above the limit of their question: who looks at them, and what was written about each.

Raised with the answers themselves, also where those are held: whether they count is another question. No deferral knows
of them, so that none can put one off.
"""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.utils import timezone

from alliance import audit
from alliance.append_only import append_only
from alliance.encrypted_field import EncryptedCharField
from alliance.log_events import LogEvent
from alliance.measurement import scoring
from alliance.measurement.instruments import Instrument, Wording
from alliance.measurement.scoring import scale_end
from alliance.models import User
from clients.models import Episode
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.offers import wording_of
from sessions_app.instruments.promises import Door, kept
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation

NOTE = 1000  # characters
# After this long without a note somebody else looks too: the therapist may be away, whatever any calendar says (ours).
A_DAY = timedelta(days=1)


class RiskAnswerQuerySet(models.QuerySet["RiskAnswer"]):
    def open(self) -> Self:
        """Those about which nobody has written anything."""
        return self.filter(~Exists(RiskNote.objects.filter(answer=OuterRef("pk"))))

    def concerns_others(self) -> Self:
        """Those at which somebody beside the therapist looks: the therapist is gone, or nobody wrote for a day.

        For a day after the first note too: whoever was writing meanwhile loses neither the page nor their words.
        """
        now, treats = timezone.now(), "response__session__episode__therapist"
        is_gone = Q(**{f"{treats}__is_active": False}) | Q(**{f"{treats}__is_therapist": False})
        notes = RiskNote.objects.filter(answer=OuterRef("pk"))
        in_time = notes.filter(noted_at__lt=ExpressionWrapper(OuterRef("raised_at") + A_DAY, DateTimeField()))
        late = Q(raised_at__lte=now - A_DAY) & ~Exists(in_time)
        goes_on = ~Exists(notes) | Exists(notes.filter(noted_at__gt=now - A_DAY))
        return self.filter(is_gone | late).filter(goes_on)

    def looked_at_by(self, user: User) -> Self:
        """Those of this person: of their own clients and of those they cover, and others' that wait for them.

        For others looks whoever an administrator named for the instrument, and whoever supervises the therapist.
        """
        if not user.is_active or not (user.is_therapist or user.is_supervisor):
            return self.none()
        episode = "response__session__episode__in"
        newest = RiskConfirmation.objects.filter(instrument=OuterRef("response__instrument")).order_by("-pk")
        named = RiskAnswer.objects.annotate(looks=Subquery(newest.values("looks_when_away")[:1]))
        others = named.concerns_others().filter(
            Q(looks=user.pk) | Q(**{episode: Episode.objects.supervised_by(user)})
        )
        return self.filter(Q(**{episode: Episode.objects.own(user)}) | Q(pk__in=others.values("pk")))

    def own(self, user: User) -> Self:
        return self.looked_at_by(user)

    def visible_to(self, user: User) -> Self:
        """Those that this person looks at, whatever was promised: the form says that somebody does (`help_now`).

        Whoever supervises reads the others as far as it was promised.
        """
        seen = Q(response__session__episode__in=Episode.objects.supervised_by(user))
        seen &= kept(Door.SUPERVISOR, "response__promise")
        return self.filter(seen | Q(pk__in=RiskAnswer.objects.looked_at_by(user).values("pk")))


@append_only(erased_along="response__session__episode__client")
class RiskAnswer(models.Model):
    """One answer at which somebody has to look. limit: of the definition, when it arrived."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    response = models.ForeignKey(QuestionnaireResponse, models.PROTECT, related_name="risk_answers")
    item = models.CharField(max_length=40)
    answer = models.PositiveSmallIntegerField(help_text="In tenths.")
    limit = models.PositiveSmallIntegerField(help_text="In tenths.")
    raised_at = models.DateTimeField(default=timezone.now)

    objects = RiskAnswerQuerySet.as_manager()

    class Meta:
        ordering = ("raised_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=["response", "item"], name="one_risk_answer_an_item"),
            models.CheckConstraint(condition=Q(answer__gte=F("limit")), name="risk_answer_reaches_its_limit"),
        )

    def __str__(self) -> str:
        return f"Answer to {self.item} at {self.response.session}"

    @property
    def client_code(self) -> uuid.UUID:
        return self.response.client_code

    @property
    def episode(self) -> Episode:
        found: Episode = self.response.session.episode
        return found

    @property
    def instrument(self) -> Instrument:
        return self.response.scored_by

    @property
    def question(self) -> str:
        """As it was read; the therapist's name is not in it."""
        return self._wording.items[self.item].question

    @property
    def said(self) -> str:
        """ "2 of 3", with the words of the answer where the form has any: "2 of 3, more than half the days"."""
        item = self.instrument.item(self.item)
        labels = {one.value_tenths: one.label for one in self._wording.points_of(self.item)}
        label = labels.get(self.answer, "")
        return f"{scale_end(self.answer)} of {scale_end(item.maximum)}" + (f", “{label}”" if label else "")

    @property
    def _wording(self) -> Wording:
        response = self.response
        if response.wording is not None:
            read: Wording = response.wording.wording
            return read
        return wording_of(self.instrument, response.language)


@append_only(erased_along="answer__response__session__episode__client")
class RiskNote(models.Model):
    """What somebody wrote about such an answer. The first one acknowledges it; none is ever changed."""

    answer = models.ForeignKey(RiskAnswer, models.PROTECT, related_name="notes")
    note = EncryptedCharField(max_length=NOTE)
    noted_at = models.DateTimeField(default=timezone.now)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    form_key = models.UUIDField(
        null=True, unique=True, help_text="Of the form that added it (`FormKeyField`)."
    )

    class Meta:
        ordering = ("pk",)
        constraints = (models.CheckConstraint(condition=~Q(note=""), name="risk_note_says_something"),)

    def __str__(self) -> str:
        return f"Note about {self.answer}"


def raise_of(response: QuestionnaireResponse) -> list[RiskAnswer]:
    """The rows of the answers that reach their limit, inside the transaction that stores them."""
    instrument = response.scored_by
    raised = []
    for item, answer in scoring.risk_answers(instrument, response.answers).items():
        limit = instrument.risk_items[item].lowest
        row = RiskAnswer.objects.create(response=response, item=item, answer=answer, limit=limit)
        audit.record(LogEvent.RISK_ANSWER_RAISED, row, by=None, client=row.client_code)
        raised.append(row)
    return raised
