"""Ratings given on paper or aloud, entered by the therapist."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance.form_keys import key_of_press
from alliance.measurement import instruments
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episode
from clients.models import Episode
from sessions_app.courses.decisions import Correction
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import (
    Attendance,
    Mode,
    Rating,
    TherapySession,
)
from sessions_app.courses.raters import Rater
from sessions_app.instruments import offers
from sessions_app.intake.grants import new_grant, promise_on_paper, refuse_before_its_day
from sessions_app.intake.hand_over_actions import made_by, refuse_unless_ratable, withdraw_what_is_out
from sessions_app.intake.record_rating import (
    record_rating,
)
from sessions_app.intake.replacements import explain
from sessions_app.intake.session_actions import session_now
from sessions_app.plans import forms_of_sessions

MEANWHILE = "Other marks stand for this session than when you looked. Look at them below, then decide."


@transaction.atomic
def enter_rating(
    *,
    session: TherapySession,
    answers: Mapping[str, int | None],
    channel: Channel,
    comment: str = "",
    seen: UUID | None = None,
    by: User,
    form_key: UUID | None = None,
) -> Rating:
    """A rating given on paper or aloud, entered by the therapist. The same door as the client's own marks.

    A form that is out for this session is withdrawn. Marks of it that are on their way are kept aside.

    Where the client left lines out, the lines they marked stay as they are and the others are added: `seen` is
    the code of the marks that the person at the screen completed.
    form_key: sent again with the same one, the rating that is stored already.
    """
    lock_episode(session.episode_id)
    press = key_of_press(form_key, "paper", session.pk)
    if (made := made_by(press)) and made.is_rated:
        return made.rating
    form = forms_of_sessions.alliance_form(session, timezone.localdate(session.held_at))
    instead_of = refuse_unless_ratable(session)
    marked = instead_of if instead_of and instead_of.is_partial else None
    if seen != (marked.code if marked else None):
        raise Refused(MEANWHILE)
    share_comment = False
    if marked:
        form = instruments.get(marked.instrument, marked.instrument_version)
        answers = {**answers, **marked.given}
        comment, share_comment = marked.comment or comment, marked.share_comment
        if answers == marked.marks and comment == marked.comment:
            raise Refused("Nothing was added to what the client marked.")
    wording = marked.wording if marked else offers.on_paper(form, session.episode.client.language)
    withdraw_what_is_out(session, by)
    grant, _nobodys = new_grant(
        session,
        form,
        wording,
        channel,
        by,
        instead_of=instead_of,
        form_key=press,
        promise=marked.promise if marked else promise_on_paper(session, Rater.CLIENT),
    )
    if session.attendance != Attendance.ATTENDED:
        session.attendance = Attendance.ATTENDED
        session.save(update_fields=["attendance"])
    rating = record_rating(
        grant=grant,
        answers=answers,
        comment=comment,
        share_comment=share_comment,
        language=marked.language if marked else "",
        mode=Mode(channel),
        by=by,
    )
    if marked:
        explain(rating, Correction.Kind.COMPLETED, "What the client left out was added.", by)
    return rating


@transaction.atomic
def enter_rating_of_new_session(*, episode: Episode, by: User, form_key: UUID | None, **marks: Any) -> Rating:
    """The same for a session that nobody has entered, and that ends now. Nothing is left of it where it is refused."""
    refuse_before_its_day(lock_episode(episode.pk))
    session = session_now(episode=episode, by=by, new=True, form_key=form_key)
    return enter_rating(session=session, by=by, form_key=form_key, **marks)
