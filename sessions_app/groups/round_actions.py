"""The writes about one tablet that goes from hand to hand: begun by a leader, and opened by each person's number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from alliance import audit
from alliance.form_keys import key_of_press
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode, lock_episodes
from sessions_app.courses.grants import SENT, Channel, RatingGrant
from sessions_app.courses.models import Attendance, Rating, TherapySession, TherapySessionQuerySet
from sessions_app.courses.rating_state import declined
from sessions_app.groups.group_actions import lock_group
from sessions_app.groups.models import GroupSession, TabletRound
from sessions_app.groups.session_actions import VOIDED
from sessions_app.intake import hand_over_actions
from sessions_app.intake.grants import token_of

# Thirty people with one tablet take an hour.
ROUND_FOR = timedelta(minutes=90)
NOBODY = (
    "Nobody is waiting for this tablet: whoever is noted as present has rated, chose not to, or has the form "
    "elsewhere. To ask one person again, use the buttons beside them."
)


@dataclass(frozen=True)
class Begun:
    """The round, and how many forms it has."""

    round: TabletRound
    forms: int


@transaction.atomic
def begin_round(*, group_session: GroupSession, by: User, form_key: UUID | None = None) -> Begun:
    """A form for each who is there and has not rated; who has a form on a phone or in a room keeps it.

    Each opens by its member's number alone, on the browser that holds the round. form_key: pressed again with the
    same one, the same round.
    """
    lock_group(group_session.group)
    code = key_of_press(form_key, "tablet round", group_session.pk) or uuid4()
    if made := TabletRound.objects.filter(code=code, group_session=group_session).first():
        return Begun(made, forms=0)
    group_session.refresh_from_db(fields=["voided_at"])
    if group_session.is_voided:
        raise Refused(VOIDED)
    now = timezone.now()
    sessions = TherapySession.objects.filter(in_group__group_session=group_session)
    lock_episodes(list(sessions.values_list("episode", flat=True)))
    waiting = list(_waiting(sessions, now))
    if not waiting:
        raise Refused(NOBODY)
    made = TabletRound.objects.create(
        code=code, group_session=group_session, begun_by=by, open_until=now + ROUND_FOR
    )
    audit.record(LogEvent.TABLET_PASSED_ROUND, made, by=by)
    for session in waiting:
        try:
            grant, _token = hand_over_actions.ask(
                session=session,
                channel=Channel.TABLET,
                by=by,
                form_key=_press(made, session),
                open_until=made.open_until,
            )
        except Refused as refusal:
            raise Refused(f"{session.episode.client}: {refusal}") from refusal
        audit.record(LogEvent.HANDED_OVER, grant, by=by, client=session.client_code)
    return Begun(made, len(waiting))


def _waiting(sessions: TherapySessionQuerySet, now: datetime) -> TherapySessionQuerySet:
    """Those whose client was there, did not rate nor choose not to, and has no form on another device."""
    grants = RatingGrant.objects.filter(session=OuterRef("pk"))
    marked = Rating.objects.standing().filter(session=OuterRef("pk"))
    rows: TherapySessionQuerySet = sessions.filter(
        ~Exists(marked),
        ~Exists(grants.awaiting(now).filter(channel__in=SENT)),
        ~Exists(declined(grants)),
        attendance=Attendance.ATTENDED,
        episode__closed_on__isnull=True,
        ends_at__gt=now - timedelta(days=7),
    )
    return rows.select_related("episode__client").order_by("episode")


def _press(of: TabletRound, session: TherapySession) -> UUID:
    press = key_of_press(of.code, Channel.TABLET, session.pk)
    assert press is not None  # there is a code
    return press


@transaction.atomic
def open_form(*, of: TabletRound, number: int) -> str | None:
    """The token of the form that waits for this number on this tablet; None where none does, whatever the reason."""
    rows = TherapySession.objects.filter(
        in_group__group_session=of.group_session_id, in_group__member__number=number
    )
    session = rows.first()
    if session is None:
        return None
    press, now = _press(of, session), timezone.now()
    lock_episode(session.episode_id)
    grant = hand_over_actions.made_by(press)
    if grant is None or not grant.is_open(now):
        return None
    if grant.opened_at is None:
        RatingGrant.every.filter(pk=grant.pk).update(opened_at=now)
        audit.record(LogEvent.FORM_OPENED, grant, by=None, client=grant.client_code)
    return token_of(press)
