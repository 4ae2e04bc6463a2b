"""Ratings given on paper or aloud, entered by the therapist."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from alliance.models import User
from sessions_app.courses.grants import Channel
from sessions_app.courses.lock import lock_episode
from sessions_app.courses.models import (
    Attendance,
    Mode,
    Rating,
    TherapySession,
)
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.intake.hand_over_actions import _new_grant, _refuse_unless_ratable, withdraw_what_is_out
from sessions_app.intake.record_rating import (
    record_rating,
)


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
    lock_episode(session.episode_id)
    form = ClinicSettings.objects.in_force_on(timezone.localdate(session.held_at)).form
    _refuse_unless_ratable(session, form.id)
    wording = offers.on_paper(form, session.episode.client.language)
    withdraw_what_is_out(session, by)
    grant, _nobodys = _new_grant(session, form, wording, channel, by)
    if session.attendance != Attendance.ATTENDED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
    return record_rating(grant=grant, answers=answers, comment=comment, mode=Mode(channel), by=by)
