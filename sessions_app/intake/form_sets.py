"""Several forms in one hand-over, link or room form: a set, of which each opens once the one before was handed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.labels import search_key
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.grants import Channel, Purpose, RatingGrant, RatingGrantQuerySet
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.courses.voided import refuse_if_voided
from sessions_app.instruments import offers
from sessions_app.intake.grants import new_grant, refuse_before_its_day
from sessions_app.questionnaires import risk_confirmations


@dataclass(frozen=True)
class ToFillIn:
    """A questionnaire, and who fills it in.

    label: which of several caregivers or observers. language: chosen for this form; else that of the client.
    """

    instrument: Instrument
    rater: Rater = Rater.CLIENT
    label: str = ""
    language: str = ""


@dataclass(frozen=True)
class Forms:
    """What is given together: the rating of the session, or not, and then these questionnaires, each once."""

    rating: bool = True
    questionnaires: tuple[ToFillIn, ...] = ()

    def __post_init__(self) -> None:
        given = [(form.instrument.id, form.rater, search_key(form.label)) for form in self.questionnaires]
        if len(given) != len(set(given)):
            raise ValueError("A form stands in one set twice for the same rater.")

    @property
    def press(self) -> tuple[str, ...]:
        """What tells the press that asks for these from one that asks for others; nothing for the rating alone."""
        said = [
            part
            for form in self.questionnaires
            for part in (form.instrument.id, form.rater, search_key(form.label), form.language)
        ]
        return () if self == RATING else (str(self.rating), *said)


RATING = Forms()


def ask_for(
    *,
    session: TherapySession,
    forms: Sequence[ToFillIn],
    channel: Channel,
    by: User,
    form_key: UUID | None = None,
    **sent: Any,
) -> tuple[RatingGrant, str]:
    """The first grant of a set of questionnaires, and its token; inside the caller's transaction.

    `sent`: how it reaches its device. One that was asked for before and is still open is withdrawn.
    """
    if not forms:
        raise Refused("Choose at least one form.")
    session.episode = lock_episode(session.episode_id)
    refuse_unless_open(session)
    first, *others = forms
    grant, token = _ask(session, first, channel, by, form_key=form_key, **sent)
    add_to_set(grant, others, by)
    return grant, token


def add_to_set(first: RatingGrant, forms: Sequence[ToFillIn], by: User) -> None:
    """Give these questionnaires along with `first`, in this order; the caller holds the lock of the episode.

    Each can be opened for as long as the one before can be finished: whoever is slow reaches the next one too.
    """
    together = {
        "form_set": first.form_set,
        "accept_until": first.accept_until,
        "paired_tablet": first.paired_tablet,
    }
    until = first.finish_until
    for place, form in enumerate(forms, first.place_in_set + 1):
        of_form = {"place_in_set": place, "open_until": min(until, first.accept_until)}
        grant, _nobodys = _ask(first.session, form, Channel(first.channel), by, **together, **of_form)
        until = grant.finish_until


def _ask(
    session: TherapySession, form: ToFillIn, channel: Channel, by: User, **sent: Any
) -> tuple[RatingGrant, str]:
    risk_confirmations.refuse_unless_confirmed(form.instrument)
    language = form.language or session.episode.client.language
    offer = offers.offer(form.instrument, language, timezone.localdate())
    out = RatingGrant.every.awaiting(timezone.now()).filter(
        session=session, instrument=form.instrument.id, rater=form.rater, purpose=Purpose.QUESTIONNAIRE
    )
    # Of several caregivers each has a form of their own: a new one takes the place of theirs alone.
    label = search_key(form.label)
    theirs = [pk for pk, other in out.values_list("pk", "rater_label") if search_key(str(other)) == label]
    withdraw_what_it_replaces(RatingGrant.every.filter(pk__in=theirs), by)
    return new_grant(
        session,
        form.instrument,
        offer.wording,
        channel,
        by,
        purpose=Purpose.QUESTIONNAIRE,
        rater=form.rater,
        rater_label=form.label,
        # Where the language of the client is switched off, the form is in another from the beginning.
        language=language if offer.wording else offer.language,
        **sent,
    )


def withdraw_what_it_replaces(same: RatingGrantQuerySet, by: User) -> None:
    """With what could only have opened after it: nobody reaches the rest of a set whose next form is withdrawn."""
    now = timezone.now()
    replaced = list(same.values_list("form_set", "place_in_set"))
    same.update(withdrawn_at=now, withdrawn_by=by)
    for form_set, place in replaced:
        rest = RatingGrant.every.awaiting(now).filter(form_set=form_set)
        if not rest.filter(place_in_set__lt=place).exists():
            rest.update(withdrawn_at=now, withdrawn_by=by)


def refuse_unless_open(session: TherapySession) -> None:
    """A questionnaire can be given before its session and after it; not where there is none."""
    session.refresh_from_db(fields=["number", "held_at", "ends_at", "attendance", "voided_at"])
    refuse_if_voided(session)
    if not session.episode.is_open:
        raise Refused("This episode is closed. Reopen it before you give a form.")
    refuse_before_its_day(session.episode)
    if session.attendance in {Attendance.CANCELLED, Attendance.DID_NOT_ATTEND}:
        raise Refused(f"Session {session.number} did not take place. Change its attendance first.")


def instruments_of(grant: RatingGrant) -> list[Instrument]:
    """The forms that were given together with this one, and its own, in their order."""
    rows = RatingGrant.every.of_the_set(grant).order_by("place_in_set")
    return [instruments.get(*row) for row in rows.values_list("instrument", "instrument_version")]


def out_together(grants: RatingGrantQuerySet) -> RatingGrantQuerySet:
    """These, and all that were given together with them and are still out: a set is taken back as one."""
    sets = list(grants.values_list("form_set", flat=True))
    return RatingGrant.every.awaiting(timezone.now()).filter(form_set__in=sets)


@transaction.atomic
def open_next(*, grant: RatingGrant) -> str | None:
    """The token of the form that comes after this one, for the device it was handed in on; None after the last."""
    if not RatingGrant.every.of_the_set(grant).filter(place_in_set__gt=grant.place_in_set).exists():
        return None
    episode: Episode = lock_episode(grant.session.episode_id)
    now = timezone.now()
    following = RatingGrant.every.next_in_set(grant, now)
    if following is None or not episode.is_open:
        return None
    token = new_token()
    is_first_time = following.opened_at is None
    following.token_hash, following.opened_at = hash_of_token(token), following.opened_at or now
    following.save(update_fields=["token_hash", "opened_at"])
    if is_first_time:
        audit.record(LogEvent.FORM_OPENED, following, by=None, client=following.client_code)
    return token
