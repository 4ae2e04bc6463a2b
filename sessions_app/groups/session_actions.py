"""The writes about the sessions of a group: begun, who was there, voided.

Each member's part is a session in their own course, written by `intake.session_actions` as every session is: so its
number, its standing and its line of the log are right there. Locks: the group, then the episodes by their number.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.days import day
from alliance.log_events import LogEvent
from alliance.measurement.session_times import still_to_come
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, refuse_if_changed
from clients.lock import lock_episodes
from sessions_app.courses.models import Attendance, Modality, Rating, TherapySession
from sessions_app.groups.group_actions import lock_group, lock_standing_group
from sessions_app.groups.models import (
    GROUP_SESSION_LENGTH,
    Group,
    GroupAttendance,
    GroupMember,
    GroupSession,
)
from sessions_app.intake import session_actions, which_session

VOIDED = "This session of the group was voided. Put it back first."


@transaction.atomic
def begin_session(
    *,
    group: Group,
    held_at: datetime,
    present: Collection[str],
    by: User,
    length: timedelta = GROUP_SESSION_LENGTH,
    modality: str = Modality.IN_PERSON,
    form_key: UUID | None = None,
) -> GroupSession:
    """One session of the group, and one in the course of each member who is there (`present`: their codes).

    Two leaders who begin it at once have begun one: the second is given that of the first (`was_there`).
    """
    group = lock_standing_group(group)
    sent_before: GroupSession | None = (
        GroupSession.objects.filter(group=group, form_key=form_key).first() if form_key else None
    )
    if sent_before is not None:
        return sent_before
    if still_to_come(held_at, timezone.now()):
        raise Refused(
            "A session of a group is begun when its members are there, and this one is still to come."
        )
    ends_at = held_at + length
    there: GroupSession | None = GroupSession.objects.at_once_with(group, held_at, ends_at).first()
    if there is not None:
        there.was_there = True
        return there
    members = _who_is_there(group, present)
    lock_episodes([member.episode_id for member in members])
    made = GroupSession.objects.create(
        group=group, held_at=held_at, ends_at=ends_at, modality=modality, begun_by=by, form_key=form_key
    )
    audit.record(LogEvent.GROUP_SESSION_BEGUN, made, by=by)
    for member in members:
        _take_part(made, member, by)
    return made


def _who_is_there(group: Group, present: Collection[str]) -> list[GroupMember]:
    """The members with these codes, in the order of the locks; refused where one is none any more."""
    rows = GroupMember.objects.present_now().filter(group=group).select_related("episode__client")
    members = [member for member in rows.order_by("episode") if str(member.code) in present]
    if len(members) != len(set(present)):
        raise Refused("Somebody you chose is no longer in this group. Look at the list again.")
    if not members:
        raise Refused("Choose who is there: a session of a group has at least one person.")
    return members


def _take_part(group_session: GroupSession, member: GroupMember, by: User) -> None:
    """The member's own session; one that was planned for this very minute is it."""
    episode, length = member.episode, group_session.ends_at - group_session.held_at
    planned = which_session.at_the_same_time(episode, group_session.held_at)
    try:
        if planned is not None and _can_be_it(planned):
            session = session_actions.change_session(
                session=planned,
                held_at=planned.held_at,
                modality=group_session.modality,
                attendance=Attendance.ATTENDED,
                length=length,
                by=by,
            )
        else:
            session = session_actions.add_session(
                episode=episode,
                held_at=group_session.held_at,
                modality=group_session.modality,
                attendance=Attendance.ATTENDED,
                length=length,
                another=True,
                by=by,
            )
    except Refused as refusal:
        raise Refused(f"{episode.client}: {refusal}") from refusal
    GroupAttendance.objects.create(group_session=group_session, member=member, session=session)


def _can_be_it(session: TherapySession) -> bool:
    """Whether a session of the same minute was planned as this one: nothing was marked on another form."""
    is_of_a_group = GroupAttendance.objects.filter(session=session).exists()
    return not is_of_a_group and Rating.objects.last_of(session) is None


# --- Who was there -------------------------------------------------------------------------------


@transaction.atomic
def note_attendance(
    *, group_session: GroupSession, member: GroupMember, present: bool, by: User
) -> GroupAttendance | None:
    """Whether this member was there; the same again is nothing. None: absent, and never noted otherwise.

    Who is noted present after all gets their session now. Refused for somebody who has rated: they were there.
    """
    lock_group(group_session.group)
    lock_episodes([member.episode_id])
    _refuse_if_voided(group_session)
    member.refresh_from_db(fields=["left_on"])
    found = _attendance_of(group_session, member)
    if found is None:
        if present:
            if not GroupMember.objects.present_now().filter(pk=member.pk).exists():
                raise Refused(f"{member.episode.client} is no longer in this group.")
            _take_part(group_session, member, by)
            found = _attendance_of(group_session, member)
        return found
    session = found.session
    if session.is_voided:
        if not present:
            return found
        session = session_actions.put_session_back(session=session, by=by)
    wanted = Attendance.ATTENDED if present else Attendance.DID_NOT_ATTEND
    if session.attendance != wanted:
        session_actions.change_session(
            session=session, held_at=session.held_at, modality=session.modality, attendance=wanted, by=by
        )
    return found


def _attendance_of(group_session: GroupSession, member: GroupMember) -> GroupAttendance | None:
    # Through the foreign key: it leads to voided sessions too.
    rows = GroupAttendance.objects.select_related("session__episode__client")
    found: GroupAttendance | None = rows.filter(group_session=group_session, member=member).first()
    return found


def _refuse_if_voided(group_session: GroupSession) -> None:
    group_session.refresh_from_db(fields=["voided_at"])
    if group_session.is_voided:
        raise Refused(VOIDED)


# --- Voided --------------------------------------------------------------------------------------


@transaction.atomic
def void_session(
    *, group_session: GroupSession, why: str, by: User, opened_with: Opened | None = None
) -> GroupSession:
    """It counts nowhere any more, in the group and in the course of each member. `put_back` is the way back."""
    lock_group(group_session.group)
    attendances = _locked(group_session)
    group_session.refresh_from_db(fields=["voided_at"])
    if group_session.is_voided:
        return group_session
    refuse_if_changed(opened_with, would_count_nowhere(group_session))
    for attendance in attendances:
        session = attendance.session
        if session.is_voided:
            continue
        try:
            session_actions.void_session(session=session, why=why, by=by)
        except Refused as refusal:
            raise Refused(f"{session.episode.client}: {refusal}") from refusal
        attendance.voided_along = True
        attendance.save(update_fields=["voided_along"])
    group_session.voided_at, group_session.voided_by = timezone.now(), by
    group_session.void_reason = why
    group_session.save(update_fields=["voided_at", "voided_by", "void_reason"])
    audit.record(LogEvent.GROUP_SESSION_VOIDED, group_session, by=by)
    return group_session


@transaction.atomic
def put_back(*, group_session: GroupSession, by: User) -> GroupSession:
    """Undo of `void_session`: the sessions that it voided count again. Those voided singly before stay so."""
    group = lock_group(group_session.group)
    attendances = _locked(group_session)
    group_session.refresh_from_db(fields=["voided_at", "voided_by", "void_reason"])
    if not group_session.is_voided:
        return group_session
    there = GroupSession.objects.at_once_with(group, group_session.held_at, group_session.ends_at).first()
    if there is not None:
        raise Refused(f"The group has another session at this time, of {day(there.held_at, 'j F, H:i')}.")
    for attendance in attendances:
        if attendance.voided_along:
            session_actions.put_session_back(session=attendance.session, by=by)
            attendance.voided_along = False
            attendance.save(update_fields=["voided_along"])
    group_session.voided_at, group_session.voided_by, group_session.void_reason = None, None, ""
    group_session.save(update_fields=["voided_at", "voided_by", "void_reason"])
    audit.record(LogEvent.GROUP_SESSION_PUT_BACK, group_session, by=by)
    return group_session


def _locked(group_session: GroupSession) -> list[GroupAttendance]:
    """Those who took part, in the order of the locks, which are held from here on."""
    rows = GroupAttendance.objects.filter(group_session=group_session)
    lock_episodes(list(rows.values_list("member__episode", flat=True)))
    return list(rows.select_related("session__episode__client").order_by("member__episode"))


def would_count_nowhere(group_session: GroupSession) -> dict[str, str]:
    """What the page says that voids a session of a group: how many were there, and how many have rated."""
    sessions = TherapySession.objects.filter(in_group__group_session=group_session)
    rated = Rating.objects.standing().filter(session__in_group__group_session=group_session).count()
    there = sessions.filter(attendance=Attendance.ATTENDED).count()
    return {"Were there": str(there), "Ratings": str(rated)}
