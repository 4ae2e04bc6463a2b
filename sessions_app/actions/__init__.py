"""The writes about sessions: keyword-only, one transaction each, scores, flags and log inside.

A rating comes in through `record_rating` alone, whatever brought it: tablet, paper or voice.
Refusals are `Refused`; the text is a sentence for the person at the screen.

Every write about an episode first queues for the episode's row (`queue`). One order for all: with two
orders, a rating that arrives while the therapist changes a session could be the victim of a deadlock.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from alliance import audit
from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from clients.actions import Refused
from clients.models import Episode
from sessions_app import wordings
from sessions_app.actions.flags import discuss, queue, refresh_flags, withdraw_discussion
from sessions_app.actions.ratings import (
    NotStored,
    TooManySetAside,
    hash_of_answers,
    keep_invalid,
    record_rating,
)
from sessions_app.models import (
    SESSION_LENGTH,
    SESSION_SCALES,
    Attendance,
    Channel,
    ClinicSettings,
    ClinicWording,
    Modality,
    Mode,
    Rating,
    RatingGrant,
    TherapySession,
    hash_of_token,
    new_token,
)

__all__ = [
    "NotStored",
    "TooManySetAside",
    "add_session",
    "change_session",
    "decline",
    "discuss",
    "enter_rating",
    "hand_over",
    "hand_over_now",
    "hash_of_answers",
    "keep_invalid",
    "queue",
    "record_rating",
    "refresh_flags",
    "session_now",
    "session_to_rate",
    "take_back",
    "withdraw_discussion",
    "withdraw_what_is_out",
]

OPEN_FOR = timedelta(minutes=30)
ACCEPT_FOR = timedelta(days=7)
LANGUAGE_CHOSEN = "language chosen"
LANGUAGE_CHANGES_A_GRANT = 20


# --- Sessions ------------------------------------------------------------------------------------


@transaction.atomic
def add_session(
    *,
    episode: Episode,
    held_at: datetime,
    by: User,
    modality: str = Modality.IN_PERSON,
    attendance: str = Attendance.PLANNED,
    length: timedelta = SESSION_LENGTH,
) -> TherapySession:
    """A session, numbered by its date. Whoever adds one to a closed episode is told so."""
    locked = queue(episode.pk)
    if not locked.is_open:
        raise Refused("This episode is closed. Reopen it to add a session.")
    last = locked.sessions.aggregate(last=Max("number"))["last"] or 0
    session = TherapySession.objects.create(
        episode=episode,
        number=last + 1,
        held_at=held_at,
        ends_at=held_at + length,
        modality=modality,
        attendance=attendance,
    )
    _number_by_date(locked)
    session.refresh_from_db(fields=["number"])
    audit.record("session added", session, by=by, client=episode.client_code)
    refresh_flags(episode=episode)
    return session


@transaction.atomic
def change_session(
    *, session: TherapySession, held_at: datetime, modality: str, attendance: str, by: User
) -> TherapySession:
    episode = queue(session.episode_id)
    if not episode.is_open:
        raise Refused("This episode is closed. Reopen it to change a session.")
    if attendance != Attendance.ATTENDED:
        if session.ratings.exists():
            raise Refused("This session has a rating, so it took place.")
        if RatingGrant.objects.awaiting(timezone.now()).filter(session=session).exists():
            raise Refused("The tablet is handed over for this session. Take that back first.")
    session.ends_at = held_at + (session.ends_at - session.held_at)
    session.held_at, session.modality, session.attendance = held_at, modality, attendance
    session.save(update_fields=["held_at", "ends_at", "modality", "attendance"])
    _number_by_date(episode)
    audit.record("session changed", session, by=by, client=session.client_code, attendance=attendance)
    refresh_flags(episode=session.episode)
    return session


def _number_by_date(episode: Episode) -> None:
    """Number the sessions as they follow each other in time: one added late belongs between the others.

    Ratings and flags hang on the row, not on the number. In two steps, past the highest number, because
    two sessions may never share one, not even for the length of a statement.
    """
    rows = list(episode.sessions.order_by("held_at", "number").values_list("pk", "number"))
    wrong = [(pk, place) for place, (pk, number) in enumerate(rows, start=1) if number != place]
    for start in (max((number for _pk, number in rows), default=0), 0):
        for pk, place in wrong:
            TherapySession.objects.filter(pk=pk).update(number=place + start)


# --- Hand-over and rating --------------------------------------------------------------------------


@transaction.atomic
def hand_over(*, session: TherapySession, by: User) -> tuple[RatingGrant, str]:
    """One permission to write this session's rating on this browser. Returns the grant and its token."""
    grant, token = ask(session=session, channel=Channel.TABLET, by=by)
    audit.record("handed over", grant, by=by, client=grant.client_code)
    return grant, token


def ask(*, session: TherapySession, channel: Channel, by: User, **sent: Any) -> tuple[RatingGrant, str]:
    """A grant for this session's rating, inside the caller's transaction; `sent`: how it reaches its device.

    An earlier grant that is still open is withdrawn: two devices must not wait for one session.
    """
    queue(session.episode_id)
    form = ClinicSettings.objects.in_force().form
    _refuse_unless_ratable(session, form.id)
    offer = wordings.offer(form, session.episode.client.language, timezone.localdate())
    withdraw_what_is_out(session, by)
    grant, token = _new_grant(session, form, offer.wording, channel, by, **sent)
    if session.attendance == Attendance.PLANNED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
    return grant, token


def withdraw_what_is_out(session: TherapySession, by: User) -> None:
    """No device waits any more for this session's rating: it has one, or another device is about to ask.

    A form that stayed on a screen could be filled in by whoever sits there next.
    """
    now = timezone.now()
    out = RatingGrant.objects.awaiting(now).filter(session=session, instrument__in=SESSION_SCALES)
    out.update(withdrawn_at=now, withdrawn_by=by)


def session_to_rate(episode: Episode, now: datetime) -> TherapySession | None:
    """Today's earliest session that took place and has no rating yet; None where there is none.

    One that began before midnight and ended after it is today's: a hand-over at ten past twelve, pressed
    twice, must find the session that the first press added.
    """
    day = timezone.localdate(now)
    today = episode.sessions.filter(Q(held_at__date=day) | Q(ends_at__date=day), ratings__isnull=True)
    took_place = today.exclude(attendance__in=[Attendance.CANCELLED, Attendance.DID_NOT_ATTEND])
    return took_place.order_by("held_at").first()


@transaction.atomic
def hand_over_now(
    *, episode: Episode, by: User, session: TherapySession | None = None
) -> tuple[RatingGrant, str]:
    """Hand over for `session`, else for today's, else for a new one that ends now."""
    return hand_over(session=session_now(episode=episode, session=session, by=by), by=by)


@transaction.atomic
def session_now(*, episode: Episode, by: User, session: TherapySession | None = None) -> TherapySession:
    """`session`, else today's to rate, else a new one that ends now."""
    queue(episode.pk)  # first: two presses at once must find the same session
    now = timezone.now()
    session = session or session_to_rate(episode, now)
    return session or add_session(
        episode=episode, held_at=now - SESSION_LENGTH, attendance=Attendance.ATTENDED, by=by
    )


@transaction.atomic
def take_back(*, grant: RatingGrant, by: User) -> None:
    """Undo of a hand-over that came to nothing. Marks that arrive later are kept aside."""
    if _withdraw(grant, by):
        audit.record("hand-over taken back", grant, by=by, client=grant.client_code)


@transaction.atomic
def decline(*, grant: RatingGrant) -> None:
    """The client gives the tablet back without a rating, so that the session waits for none.

    Withdrawn in the name of whoever handed it over, since a client is no user; the log has no actor.
    """
    if _withdraw(grant, grant.made_by):
        RatingGrant.objects.filter(pk=grant.pk).update(declined=True)
        audit.record("rating declined", grant, by=None, client=grant.client_code)


def _withdraw(grant: RatingGrant, by: User) -> bool:
    """Whether there was something to withdraw: a rating that came first stays."""
    queue(grant.session.episode_id)
    now = timezone.now()
    waiting = RatingGrant.objects.awaiting(now).filter(pk=grant.pk)
    withdrawn = bool(waiting.update(withdrawn_at=now, withdrawn_by=by))
    grant.refresh_from_db(fields=["withdrawn_at", "withdrawn_by"])
    return withdrawn


@transaction.atomic
def choose_language(*, grant: RatingGrant, language: str) -> bool:
    """The client reads on in another language, and is given it the next time too. False where it is over.

    Each change is a line of the access log for ever and wakes the therapist's page, so they are counted.
    """
    queue(grant.session.episode_id)
    if not RatingGrant.objects.on_a_screen(timezone.now()).filter(pk=grant.pk).exists():
        return False
    client = grant.session.episode.client
    if not language == grant.language == client.language:
        changes = AuditEvent.objects.filter(client=client.code, action=LANGUAGE_CHOSEN, at__gte=grant.made_at)
        if changes.count() >= LANGUAGE_CHANGES_A_GRANT:
            raise Refused(_("The language cannot be changed just now. Your marks are still here."))
        grant.language = client.language = language
        grant.wording = wordings.translated(grant, language)
        grant.save(update_fields=["language", "wording"])
        client.save(update_fields=["language"])
        audit.record(LANGUAGE_CHOSEN, client, by=None, client=client.code, language=language)
    return True


@transaction.atomic
def enter_rating(
    *,
    session: TherapySession,
    answers: Mapping[str, int | None],
    channel: Channel,
    comment: str = "",
    by: User,
) -> Rating:
    """A rating given on paper or aloud, entered by the therapist. The same door as the client's own marks.

    A form that is out for this session is withdrawn. Marks of it that are on their way are kept aside.
    """
    queue(session.episode_id)
    form = ClinicSettings.objects.in_force_on(timezone.localdate(session.held_at)).form
    _refuse_unless_ratable(session, form.id)
    wording = wordings.on_paper(form, session.episode.client.language)
    withdraw_what_is_out(session, by)
    grant, _nobodys = _new_grant(session, form, wording, channel, by)
    if session.attendance != Attendance.ATTENDED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
    return record_rating(grant=grant, answers=answers, comment=comment, mode=Mode(channel), by=by)


def _refuse_unless_ratable(session: TherapySession, instrument_id: str) -> None:
    if not session.episode.is_open:
        raise Refused("This episode is closed. Reopen it before you ask for a rating.")
    if Rating.objects.of_the_session(session, instrument_id).exists():
        raise Refused(f"Session {session.number} has its rating already.")
    if session.attendance in {Attendance.CANCELLED, Attendance.DID_NOT_ATTEND}:
        raise Refused(f"Session {session.number} did not take place. Change its attendance first.")
    if timezone.localdate(session.held_at) > timezone.localdate():
        raise Refused(f"Session {session.number} is still to come.")


def _new_grant(
    session: TherapySession,
    form: instruments.Instrument,
    wording: ClinicWording | None,
    channel: Channel,
    by: User,
    **sent: Any,
) -> tuple[RatingGrant, str]:
    token, now = new_token(), timezone.now()
    grant = RatingGrant.objects.create(
        session=session,
        instrument=form.id,
        instrument_version=form.version,
        wording=wording,
        token_hash=hash_of_token(token),
        channel=channel,
        language=session.episode.client.language,
        made_by=by,
        **{"open_until": now + OPEN_FOR, "accept_until": now + ACCEPT_FOR, **sent},
    )
    return grant, token
