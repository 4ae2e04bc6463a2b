"""Ratings given on paper or aloud, entered by the therapist."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.form_keys import key_of_press
from alliance.models import User
from clients.models import Episode
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
from sessions_app.intake.hand_over_actions import (
    _new_grant,
    _refuse_unless_ratable,
    made_by,
    withdraw_what_is_out,
)
from sessions_app.intake.record_rating import (
    record_rating,
)
from sessions_app.intake.session_actions import session_now


@transaction.atomic
def enter_rating(
    *,
    session: TherapySession,
    answers: Mapping[str, int | None],
    channel: Channel,
    comment: str = "",
    by: User,
    form_key: UUID | None = None,
) -> Rating:
    """A rating given on paper or aloud, entered by the therapist. The same door as the client's own marks.

    A form that is out for this session is withdrawn. Marks of it that are on their way are kept aside.
    form_key: sent again with the same one, the rating that is stored already.
    """
    lock_episode(session.episode_id)
    press = key_of_press(form_key, "paper", session.pk)
    if (made := made_by(press)) and made.is_rated:
        return made.rating
    form = ClinicSettings.objects.in_force_on(timezone.localdate(session.held_at)).form
    _refuse_unless_ratable(session, form.id)
    wording = offers.on_paper(form, session.episode.client.language)
    withdraw_what_is_out(session, by)
    grant, _nobodys = _new_grant(session, form, wording, channel, by, form_key=press)
    if session.attendance != Attendance.ATTENDED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
    return record_rating(grant=grant, answers=answers, comment=comment, mode=Mode(channel), by=by)


@transaction.atomic
def enter_rating_of_new_session(*, episode: Episode, by: User, form_key: UUID | None, **marks: Any) -> Rating:
    """The same for a session that nobody has entered, and that ends now. Nothing is left of it where it is refused."""
    session = session_now(episode=episode, by=by, new=True, form_key=form_key)
    return enter_rating(session=session, by=by, form_key=form_key, **marks)
