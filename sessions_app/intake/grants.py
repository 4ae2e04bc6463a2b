"""A new grant: its token, its clocks, and the day before which none is made."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from alliance.days import day
from alliance.form_keys import secret_of
from alliance.measurement import instruments
from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.instruments.promises import Promise

OPEN_FOR = timedelta(minutes=30)
ACCEPT_FOR = timedelta(days=7)


def refuse_before_its_day(episode: Episode) -> None:
    """Nobody is asked for marks in an episode that begins on a day to come: a slip in that day, or in the client."""
    if timezone.localdate() < episode.opened_on:
        raise Refused(
            f"This episode opens on {day(episode.opened_on, 'j F')}, a day to come. Until then no rating is asked for. "
            "If that day is wrong, correct it under Client and episodes."
        )


def new_grant(
    session: TherapySession,
    form: instruments.Instrument,
    wording: ClinicWording | None,
    channel: Channel,
    by: User,
    **sent: Any,
) -> tuple[RatingGrant, str]:
    """promise: what its rater reads about who sees it; where nothing is said, what is promised now."""
    token, now = token_of(sent.get("form_key") if channel == Channel.TABLET else None), timezone.now()
    if "promise" not in sent:
        sent["promise"] = Promise.objects.in_force(sent.get("rater", Rater.CLIENT))
    usual = {
        "language": session.episode.client.language,
        "open_until": now + OPEN_FOR,
        "accept_until": now + ACCEPT_FOR,
    }
    grant = RatingGrant.objects.create(
        session=session,
        instrument=form.id,
        instrument_version=form.version,
        wording=wording,
        token_hash=hash_of_token(token),
        channel=channel,
        made_by=by,
        **{**usual, **sent},
    )
    return grant, token


def promise_on_paper(session: TherapySession, rater: Rater) -> Promise | None:
    """What was read on the day of the session about who sees the marks, as far as anybody can know."""
    return Promise.objects.in_force_on(rater, timezone.localdate(session.held_at))


def token_of(press: UUID | None) -> str:
    """The token of the grant that this press makes; for the same press always the same one."""
    return secret_of(press, "token of a grant") if press else new_token()
