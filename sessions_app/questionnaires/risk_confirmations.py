"""That an administrator has read what the site does about questions on self-harm, and what it does not.

Without it a form with such a question is given to nobody: it can be neither handed over, sent, entered nor planned.
Answers that arrive are taken and shown all the same: nothing that a client marked may be lost or kept from sight.
"""

import uuid
from collections.abc import Mapping
from typing import Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from alliance import audit
from alliance.append_only import append_only
from alliance.at_and_by import at_and_by
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from sessions_app.instruments import client_form
from sessions_app.instruments.client_form import UrgentHelp
from sessions_app.instruments.nearest_language import nearest

SENTENCE = 500  # characters
# Grows when `WHAT_IT_DOES` or `WHAT_IT_DOES_NOT` changes what it says: a confirmation keeps which one was read.
TEXT_VERSION = 1
WHAT_IT_DOES = (
    "An answer at or above the limit of its question stands first on the therapist’s work list as soon as it has "
    "arrived here, with the question and the answer, until somebody writes down what they did.",
    "Whoever covers for the therapist sees it in the same place. Where the therapist cannot sign in any more, or "
    "nobody has written anything for a day, the person you name below sees it too, and so does whoever supervises the "
    "therapist.",
    "The client reads your own sentence on the form, and again under the thanks after such an answer.",
    "It cannot be put off. It stays in the client’s course, with what was written.",
)
WHAT_IT_DOES_NOT = (
    "It sends nothing by itself: no message, no mail, no call. It is seen when somebody opens the work list.",
    "It is not an emergency service. Nobody watches at night, on weekends and in holidays. From a tablet without a "
    "connection an answer may arrive days later.",
    "It does not judge how serious an answer is. An answer below the limit, and no answer, do not mean that there is "
    "nothing.",
)


class RiskConfirmationQuerySet(models.QuerySet["RiskConfirmation"]):
    def standing(self) -> Self:
        return self.filter(ended_at__isnull=True)


@append_only(may_change=("ended_at", "ended_by"))
class RiskConfirmation(models.Model):
    """What was read and confirmed for one instrument, the clinic's own sentence, and who looks.

    It never changes: another sentence or another person is another confirmation, and the one before is ended.
    """

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    instrument = models.CharField(max_length=40)
    text_version = models.PositiveSmallIntegerField(help_text="Of the text that was read.")
    sentences = models.JSONField(help_text="{language: the clinic’s sentence for the client}")
    looks_when_away = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    objects = RiskConfirmationQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = (
            at_and_by("ended", name="risk_confirmation_ended_at_and_by"),
            models.UniqueConstraint(
                fields=["instrument"],
                condition=Q(ended_at__isnull=True),
                name="one_risk_confirmation_an_instrument",
            ),
        )

    def __str__(self) -> str:
        return f"Questions about self-harm in {instruments.get(self.instrument).name}"

    @property
    def stands(self) -> bool:
        return self.ended_at is None

    @property
    def is_looked_at(self) -> bool:
        """Whether the person who was named may still look."""
        return may_look(self.looks_when_away)

    @property
    def helps(self) -> list[UrgentHelp]:
        """The sentence in each language that has one."""
        return [
            UrgentHelp(tag, str(self.sentences[tag]), is_about_risk=True)
            for tag in client_form.TAGS
            if self.sentences.get(tag)
        ]


def may_look(person: User) -> bool:
    """Clinical staff who may sign in; an administrator as such reads no answer."""
    return person.has_any_role(frozenset({Role.THERAPIST, Role.SUPERVISOR}))


def who_may_look() -> "models.QuerySet[User]":
    return User.objects.filter(Q(is_therapist=True) | Q(is_supervisor=True), is_active=True).order_by(
        "name_key", "email"
    )


# --- Whether a form may be given -------------------------------------------------------------------


def with_risk_items() -> list[Instrument]:
    """The instruments that hold a question on self-harm, newest versions."""
    return [one for one in instruments.newest() if one.risk_items]


def standing_of(instrument: Instrument) -> RiskConfirmation | None:
    found = RiskConfirmation.objects.standing().filter(instrument=instrument.id)
    return found.select_related("looks_when_away", "confirmed_by").first()


def is_confirmed(instrument: Instrument) -> bool:
    return not not_confirmed(instrument)


def not_confirmed(instrument: Instrument) -> str:
    """Why this form may not be given to anybody, as a sentence; empty where it may. No query for most forms."""
    if not instrument.risk_items:
        return ""
    stands = standing_of(instrument)
    if stands is None:
        return (
            f"{instrument.name} asks about self-harm. An administrator first has to read and confirm what the site "
            "does with such an answer, under Instruments."
        )
    if not stands.is_looked_at:
        return (
            f"{instrument.name} asks about self-harm, and {stands.looks_when_away}, who looks at such answers when the "
            "therapist is away, cannot do so any more. An administrator has to name somebody else, under Instruments."
        )
    return ""


def refuse_unless_confirmed(instrument: Instrument) -> None:
    """For whatever gives a form or plans it: hand-over, link, room, paper, plan."""
    if said := not_confirmed(instrument):
        raise Refused(said)


def sentence_for(instrument: Instrument, language: str) -> UrgentHelp | None:
    """The clinic's sentence for a client who reads `language`; None for a form without such a question.

    That of the last confirmation, ended or not: the form may be out still.
    """
    if not instrument.risk_items:
        return None
    newest = RiskConfirmation.objects.filter(instrument=instrument.id).first()
    helps = {one.language: one for one in newest.helps} if newest else {}
    return helps[nearest(helps, language)] if helps else None


# --- Confirming ------------------------------------------------------------------------------------


@transaction.atomic
def confirm(
    *,
    instrument: Instrument,
    text_version: int,
    sentences: Mapping[str, str],
    looks_when_away: User,
    opened_with: Opened | None = None,
    by: User,
) -> RiskConfirmation:
    """text_version: of the text that was read; the site may have been upgraded while the page was open."""
    if not instrument.risk_items:
        raise Refused(f"{instrument.name} has no such question, so there is nothing to confirm.")
    if text_version != TEXT_VERSION:
        raise Refused("What this page says was changed since you opened it. Read it again, then confirm it.")
    looks_when_away = User.objects.get(pk=looks_when_away.pk)
    if not may_look(looks_when_away):
        raise Refused(f"{looks_when_away} is no therapist or supervisor who may sign in. Name somebody else.")
    sentences = {tag: text for tag, text in sentences.items() if text}
    if not sentences:
        raise Refused("Write the clinic’s sentence for the client in at least one language.")
    before = RiskConfirmation.objects.standing().select_for_update().filter(instrument=instrument.id).first()
    new = changed(opened_with, stored=says(before), typed=_said(sentences, looks_when_away))
    if before is not None and not new and before.text_version == TEXT_VERSION:
        raise Refused("Nothing is different from what is confirmed already.")
    if before is not None:
        _end(before, by)
    try:
        with transaction.atomic():
            made = RiskConfirmation.objects.create(
                instrument=instrument.id,
                text_version=text_version,
                sentences=sentences,
                looks_when_away=looks_when_away,
                confirmed_by=by,
            )
    except IntegrityError as error:
        raise Refused("Somebody else confirmed it meanwhile. Look at what they wrote.") from error
    audit.record(LogEvent.RISK_ITEMS_CONFIRMED, made, by=by, instrument=made.instrument)
    return made


@transaction.atomic
def end(*, confirmation: RiskConfirmation, by: User) -> RiskConfirmation:
    """No form of this instrument is given any more; those that are out are still taken."""
    locked = RiskConfirmation.objects.select_for_update().get(pk=confirmation.pk)
    if not locked.stands:
        raise Refused("This was ended already.")
    _end(locked, by)
    audit.record(LogEvent.RISK_ITEMS_ENDED, locked, by=by, instrument=locked.instrument)
    return locked


def _end(confirmation: RiskConfirmation, by: User) -> None:
    confirmation.ended_at, confirmation.ended_by = timezone.now(), by
    confirmation.save(update_fields=["ended_at", "ended_by"])


def says(confirmation: RiskConfirmation | None) -> dict[str, object]:
    """What a page shows of it, by the names of the form's fields."""
    if confirmation is None:
        return _said({}, None)
    return _said(confirmation.sentences, confirmation.looks_when_away)


def _said(sentences: Mapping[str, str], looks: User | None) -> dict[str, object]:
    said: dict[str, object] = {f"sentence_{tag}": sentences.get(tag, "") for tag in client_form.TAGS}
    return {**said, "looks_when_away": looks}
