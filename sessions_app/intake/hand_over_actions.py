"""The writes about hand-overs: keyword-only, one transaction each, scores, flags and log inside.

A rating comes in through `record_rating` alone, whatever brought it: tablet, paper or voice.
Refusals are `Refused`; the text is a sentence for the person at the screen.

Every write about an episode takes the lock of the episode's row first (`lock_episode`). One order for all: with two
orders, a rating that arrives while the therapist changes a session could be the victim of a deadlock.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alliance import audit
from alliance.days import day
from alliance.form_keys import key_of_press
from alliance.log_events import LogEvent
from alliance.measurement.session_times import still_to_come
from alliance.models import AuditEvent, User
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses import wordings
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Attendance, Rating, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.voided import refuse_if_voided
from sessions_app.flags.conclude import conclude
from sessions_app.instruments import offers
from sessions_app.intake import form_sets
from sessions_app.intake.form_sets import RATING, Forms
from sessions_app.intake.grants import new_grant, refuse_before_its_day, token_of
from sessions_app.intake.session_actions import session_now
from sessions_app.intake.session_facts import given_at
from sessions_app.plans import forms_of_sessions

LANGUAGE_CHANGES_A_GRANT = 20
LANGUAGE_CHANGES = (LogEvent.LANGUAGE_CHOSEN, LogEvent.FORM_LANGUAGE_CHOSEN)
DONE_BEFORE = (
    "This page was sent before: its form was handed in or taken back meanwhile. Look at the client's page; to ask "
    "again, open this page anew from there."
)


# --- Hand-over and rating --------------------------------------------------------------------------


@transaction.atomic
def hand_over(
    *, session: TherapySession, by: User, form_key: UUID | None = None, forms: Forms = RATING
) -> tuple[RatingGrant, str]:
    """One permission to write this session's rating on this browser. Returns the grant and its token.

    forms: what is given; the grant is the one of the first form.
    form_key: pressed again with the same one, the same permission with the same token.
    """
    lock_episode(session.episode_id)
    press = key_of_press(form_key, Channel.TABLET, session.pk, *forms.press)
    if grant := made_by(press):
        if not grant.is_open(timezone.now()):
            raise Refused(DONE_BEFORE)
        return grant, token_of(press)
    grant, token = ask(session=session, channel=Channel.TABLET, by=by, form_key=press, forms=forms)
    to_client, to_another = LogEvent.HANDED_OVER, LogEvent.HANDED_OVER_TO_ANOTHER
    event = to_client if grant.is_for_the_client else to_another
    audit.record(event, grant, by=by, client=grant.client_code, rater=grant.rater)
    return grant, token


def made_by(press: UUID | None) -> RatingGrant | None:
    """The grant that this press made when it came before."""
    return RatingGrant.every.filter(form_key=press).select_related("session").first() if press else None


def ask(
    *,
    session: TherapySession,
    channel: Channel,
    by: User,
    form_key: UUID | None = None,
    forms: Forms = RATING,
    **sent: Any,
) -> tuple[RatingGrant, str]:
    """A grant for the first of `forms`, inside the caller's transaction; `sent`: how it reaches its device.

    An earlier grant that is still open is withdrawn: two devices must not wait for one session. form_key: of the
    press that makes it, which the caller knows to be the first.
    """
    if not forms.rating:
        questionnaires = forms.questionnaires
        return form_sets.ask_for(
            session=session, forms=questionnaires, channel=channel, by=by, form_key=form_key, **sent
        )
    # As it is now: the client's record may have been merged with another one while this waited.
    session.episode = lock_episode(session.episode_id)
    form = forms_of_sessions.alliance_form(session)
    instead_of = refuse_unless_ratable(session)
    offer = offers.offer(form, session.episode.client.language, timezone.localdate())
    withdraw_what_is_out(session, by)
    grant, token = new_grant(
        session,
        form,
        offer.wording,
        channel,
        by,
        # Where the language of the client is switched off, the form is in another from the beginning.
        language=session.episode.client.language if offer.wording else offer.language,
        instead_of=instead_of,
        form_key=form_key,
        **sent,
    )
    form_sets.add_to_set(grant, forms.questionnaires, by)
    if session.attendance == Attendance.PLANNED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
        conclude(episode=session.episode)
    return grant, token


def withdraw_what_is_out(session: TherapySession, by: User) -> None:
    """No device waits any more for this session's rating: it has one, or another device is about to ask.

    A form that stayed on a screen could be filled in by whoever sits there next. What was given together with it
    goes too.
    """
    now = timezone.now()
    out = form_sets.out_together(RatingGrant.objects.awaiting(now).filter(session=session))
    out.update(withdrawn_at=now, withdrawn_by=by)


@transaction.atomic
def hand_over_now(
    *, episode: Episode, by: User, form_key: UUID | None = None, forms: Forms = RATING, **which: Any
) -> tuple[RatingGrant, str]:
    """Hand over for a session of this episode; `which`: as for `session_now`."""
    session = session_now(episode=episode, by=by, form_key=form_key, **which)
    return hand_over(session=session, by=by, form_key=form_key, forms=forms)


@transaction.atomic
def take_back(*, grant: RatingGrant, by: User) -> bool:
    """Undo of a hand-over that came to nothing. Marks that arrive later are kept aside. False: it was over."""
    withdrawn = _withdraw(grant, by)
    if withdrawn:
        audit.record(LogEvent.HAND_OVER_TAKEN_BACK, grant, by=by, client=grant.client_code)
    return withdrawn


@dataclass(frozen=True)
class TakenBack:
    """What became of a wish to take a hand-over back. stands: the marks that count, where nothing was out any more."""

    was_out: bool
    stands: Rating | None = None
    declined: bool = False


@transaction.atomic
def take_back_of(*, session: TherapySession, by: User) -> TakenBack:
    """Take back whatever the client has of this session, and say what is true now: a page may be older than the marks.

    A caregiver's form, which was given for itself, stays out: it is taken back for itself.
    """
    lock_episode(session.episode_id)
    of_session = RatingGrant.every.filter(session=session)
    of_others = of_session.filter(place_in_set=0).exclude(rater=Rater.CLIENT)
    out = list(
        of_session.awaiting(timezone.now()).exclude(
            form_set__in=list(of_others.values_list("form_set", flat=True))
        )
    )
    if [grant for grant in out if take_back(grant=grant, by=by)]:
        return TakenBack(was_out=True)
    stands = Rating.objects.standing().filter(session=session).first()
    newest = RatingGrant.every.filter(session=session, rater=Rater.CLIENT).order_by("-pk").first()
    return TakenBack(was_out=False, stands=stands, declined=newest is not None and newest.declined)


@transaction.atomic
def decline(*, grant: RatingGrant) -> None:
    """The client gives the tablet back without a rating, so that the session waits for none.

    Withdrawn in the name of whoever handed it over, since a client is no user; the log has no actor.
    """
    if _withdraw(grant, grant.made_by):
        RatingGrant.every.filter(pk=grant.pk).update(declined=True)
        of_client, of_another = LogEvent.RATING_DECLINED, LogEvent.FORM_GIVEN_BACK
        event = of_client if grant.is_for_the_client else of_another
        audit.record(event, grant, by=None, client=grant.client_code, rater=grant.rater)


def _withdraw(grant: RatingGrant, by: User) -> bool:
    """Whether there was something to withdraw: a rating that came first stays. The rest of its set goes with it."""
    lock_episode(grant.session.episode_id)
    now = timezone.now()
    waiting = RatingGrant.every.awaiting(now)
    withdrawn = bool(waiting.filter(pk=grant.pk).update(withdrawn_at=now, withdrawn_by=by))
    waiting.of_the_set(grant).update(withdrawn_at=now, withdrawn_by=by)
    grant.refresh_from_db(fields=["withdrawn_at", "withdrawn_by"])
    return withdrawn


@transaction.atomic
def choose_language(*, grant: RatingGrant, language: str) -> bool:
    """The client reads on in another language, and is given it the next time too. False where it is over.

    Of somebody else, such as a caregiver, this form alone changes: the client reads on in their own language.
    Each change is a line of the access log for ever and wakes the therapist's page, so they are counted.
    """
    lock_episode(grant.session.episode_id)
    if not RatingGrant.every.on_a_screen(timezone.now()).filter(pk=grant.pk).exists():
        return False
    client = grant.session.episode.client
    is_for_the_client = grant.is_for_the_client
    if language != grant.language or (is_for_the_client and language != client.language):
        changes = AuditEvent.objects.filter(
            client=client.code, action__in=LANGUAGE_CHANGES, at__gte=grant.made_at
        )
        if changes.count() >= LANGUAGE_CHANGES_A_GRANT:
            raise Refused(_("The language cannot be changed just now. Your marks are still here."))
        grant.language, grant.wording = language, wordings.translated(grant, language)
        grant.save(update_fields=["language", "wording"])
        if is_for_the_client:
            client.language = language
            client.save(update_fields=["language"])
            audit.record(LogEvent.LANGUAGE_CHOSEN, client, by=None, client=client.code, language=language)
        else:
            event = LogEvent.FORM_LANGUAGE_CHOSEN
            audit.record(event, grant, by=None, client=client.code, language=language, rater=grant.rater)
    return True


def refuse_unless_ratable(session: TherapySession) -> Rating | None:
    """What a new rating of this session replaces: None, or a row on which a line is missing, or none was left.

    The caller holds the lock: the session is looked at as it is now.
    """
    session.refresh_from_db(fields=["number", "held_at", "ends_at", "attendance", "voided_at"])
    refuse_if_voided(session)
    if not session.episode.is_open:
        raise Refused("This episode is closed. Reopen it before you ask for a rating.")
    refuse_before_its_day(session.episode)
    last = Rating.objects.last_of(session)
    if last is not None and last.total is not None:
        raise Refused(
            f"Session {session.number} has its rating already: it came {last.came}. "
            "If those marks are not of this client and session, set them aside first."
        )
    if session.attendance in {Attendance.CANCELLED, Attendance.DID_NOT_ATTEND}:
        raise Refused(f"Session {session.number} did not take place. Change its attendance first.")
    if still_to_come(session.held_at, timezone.now(), given_at(session)):
        begins = day(session.held_at, "j F, H:i")
        raise Refused(
            f"Session {session.number} is still to come: it begins on {begins}. If it is on now, change its time."
        )
    return last
