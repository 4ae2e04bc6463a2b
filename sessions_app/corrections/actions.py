"""The writes about marks that do not count, and about marks that were mistyped.

Ratings are facts: what is to count instead becomes a new row, and what stood before stays readable. Each
write looks, under the lock of the episode, at what stands *now*, and refuses where that is not what the
person at the screen decided about.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import instruments, scoring
from alliance.models import User
from alliance.refused import Refused
from sessions_app.courses import wordings
from sessions_app.courses.decisions import Correction, Settlement
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.lock import lock_for_decision, lock_open_episode
from sessions_app.courses.models import Attendance, Mode, Rating, SetAsideRating, TherapySession
from sessions_app.courses.tokens import hash_of_token, new_token
from sessions_app.flags.conclude import conclude
from sessions_app.intake.hand_over_actions import withdraw_what_is_out
from sessions_app.intake.record_rating import hash_of_answers

MEANWHILE = "Other marks stand for this session than when you looked. Look at both again, then decide."
SETTLED = "Somebody decided about these marks already, perhaps you in another tab."
UNREADABLE = (
    "These marks cannot be read, so they cannot count. Ask the client and enter the rating from paper."
)
THEIRS = "The client made these marks on a device. They are the client's own, and nobody corrects them."
TYPED = frozenset({Mode.PAPER, Mode.VERBAL})
# What a rating takes over from marks that count again, or after all.
CARRIED = ("session", "comment", "share_comment", "language", "mode", "sha256", "received_at", "claimed_at")


# --- Marks that were set aside -------------------------------------------------------------------


@transaction.atomic
def use(*, aside: SetAsideRating, seen: UUID | None, by: User, why: str = "") -> Rating:
    """Let these marks count: as the rating of their session, or in place of the one that stands.

    `seen` is the code of the rating that stood when the person decided, None where there was none.
    """
    lock_for_decision(aside.session.episode_id)
    _refuse_if_settled(aside)
    if not aside.answers:
        raise Refused(UNREADABLE)
    stands = standing(aside.session, aside.grant.instrument)
    if seen != (stands.code if stands else None):
        raise Refused(MEANWHILE)
    rating = _count(aside, aside.answers, aside.grant, by=by, instead_of=stands)
    Settlement.objects.create(
        set_aside=aside, outcome=Settlement.Outcome.USED, rating=rating, why=why, settled_by=by
    )
    if stands:
        _explain(rating, why or "Marks that had been set aside were used.", by)
    _it_took_place(aside.session)
    withdraw_what_is_out(aside.session, by)
    audit.record(LogEvent.SET_ASIDE_MARKS_USED, aside, by=by, client=aside.client_code)
    conclude(episode=aside.session.episode)
    return rating


@transaction.atomic
def leave(*, aside: SetAsideRating, by: User, why: str = "") -> Settlement:
    """Keep these marks aside for good. `take_up_again` is the undo."""
    lock_for_decision(aside.session.episode_id)
    _refuse_if_settled(aside)
    settlement = Settlement.objects.create(
        set_aside=aside, outcome=Settlement.Outcome.LEFT, why=why, settled_by=by
    )
    audit.record(LogEvent.SET_ASIDE_MARKS_LEFT, aside, by=by, client=aside.client_code)
    return settlement


@transaction.atomic
def take_up_again(*, aside: SetAsideRating, by: User) -> None:
    """Undo of `leave`: the marks wait for a decision again."""
    lock_for_decision(aside.session.episode_id)
    left = Settlement.objects.standing().filter(set_aside=aside, outcome=Settlement.Outcome.LEFT)
    if not left.update(undone_at=timezone.now(), undone_by=by):
        raise Refused("These marks are not left aside any more.")
    audit.record(LogEvent.SET_ASIDE_MARKS_TAKEN_UP, aside, by=by, client=aside.client_code)


def standing(session: TherapySession, instrument_id: str) -> Rating | None:
    """The rating that counts for the session: of this instrument, or of any scale that stands in its way."""
    rivals = Rating.objects.of_the_session(session, instrument_id)
    found: Rating | None = rivals.filter(replaced_by__isnull=True).first()
    return found


def _refuse_if_settled(aside: SetAsideRating) -> None:
    if Settlement.objects.standing().filter(set_aside=aside).exists():
        raise Refused(SETTLED)


def _it_took_place(session: TherapySession) -> None:
    """A session with a rating took place, whatever somebody said before the marks were looked at."""
    unsaid = TherapySession.objects.filter(pk=session.pk).exclude(attendance=Attendance.ATTENDED)
    unsaid.update(attendance=Attendance.ATTENDED)


# --- Corrections ---------------------------------------------------------------------------------


@transaction.atomic
def correct(
    *,
    rating: Rating,
    answers: Mapping[str, int | None],
    channel: Channel,
    why: str,
    by: User,
    comment: str = "",
) -> Rating:
    """What the client really marked on paper or said, in place of what was mistyped.

    Raises `scoring.AnswerError` where an answer is not a whole number of tenths in its range.
    """
    lock_open_episode(rating.session.episode_id)
    if rating.mode not in TYPED:
        raise Refused(THEIRS)
    _refuse_unless_standing(rating)
    score = scoring.score(instruments.get(rating.instrument, rating.instrument_version), answers)
    sha256 = hash_of_answers(score.answers, comment, share_comment=rating.share_comment)
    typed: dict[str, Any] = {"comment": comment, "mode": Mode(channel), "sha256": sha256}
    typed |= {"received_at": timezone.now(), "claimed_at": None}
    like = _grant_like(rating.grant, by=by, channel=channel)
    new = _count(rating, score.answers, like, by=by, instead_of=rating, **typed)
    _explain(new, why, by)
    audit.record(LogEvent.RATING_CORRECTED, new, by=by, client=rating.client_code)
    conclude(episode=rating.session.episode)
    return new


@transaction.atomic
def put_back(*, rating: Rating, by: User) -> Rating:
    """Undo of `correct` and of `use`: the marks that `rating` replaced count again, or none where none did.

    Marks that had been set aside wait for a decision again.
    """
    lock_for_decision(rating.session.episode_id)
    _refuse_unless_standing(rating)
    used = Settlement.objects.standing().filter(rating=rating)
    earlier = rating.replaces
    if earlier is not None:
        event, why = LogEvent.EARLIER_MARKS_USED_AGAIN, "The earlier marks were used again."
        again = _count(earlier, earlier.answers, earlier.grant, by=by, instead_of=rating)
    elif used.exists():
        event, why = LogEvent.SET_ASIDE_MARKS_TAKEN_OUT, "The marks were taken out again."
        again = _no_marks(rating, by=by)
    else:
        raise Refused("No earlier marks are known for this session.")
    _explain(again, why, by)
    used.update(undone_at=timezone.now(), undone_by=by)
    audit.record(event, again, by=by, client=rating.client_code)
    conclude(episode=rating.session.episode)
    return again


def _no_marks(rating: Rating, *, by: User) -> Rating:
    """In place of `rating`, a row with no answer on any line, since a fact cannot be deleted.

    As if on paper, so that what the client really marked can still be entered as its correction.
    """
    sha256 = hash_of_answers(dict.fromkeys(rating.answers), "")
    nothing = {
        "comment": "",
        "share_comment": False,
        "mode": Mode.PAPER,
        "sha256": sha256,
        "claimed_at": None,
    }
    like = _grant_like(rating.grant, by=by, channel=Channel.PAPER)
    return _count(rating, {}, like, by=by, instead_of=rating, **nothing, received_at=timezone.now())


def _refuse_unless_standing(rating: Rating) -> None:
    if Rating.objects.filter(replaces=rating).exists():
        raise Refused(MEANWHILE)


def _explain(rating: Rating, why: str, by: User) -> None:
    Correction.objects.create(rating=rating, why=why, corrected_by=by)


# --- Both ----------------------------------------------------------------------------------------


def _count(
    marks: Rating | SetAsideRating,
    answers: Mapping[str, int | None],
    grant: RatingGrant,
    *,
    by: User,
    instead_of: Rating | None,
    **changed: Any,
) -> Rating:
    """A new row with these marks, through `grant` where it has no rating yet, else through one like it."""
    score = scoring.score(instruments.get(grant.instrument, grant.instrument_version), answers)
    if Rating.objects.filter(grant=grant).exists():
        grant = _grant_like(grant, by=by)
    return Rating.objects.create(
        grant=grant,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        wording=wordings.translated(grant, marks.language),
        answers=score.answers,
        total=score.total,
        replaces=instead_of,
        **{**{name: getattr(marks, name) for name in CARRIED}, **changed},
    )


def _grant_like(grant: RatingGrant, *, by: User, channel: str = "") -> RatingGrant:
    """A grant has one rating, so a further row needs a further grant. This one opens nothing: it is past."""
    now, channel = timezone.now(), channel or grant.channel
    return RatingGrant.objects.create(
        session=grant.session,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        wording=grant.wording,
        token_hash=hash_of_token(new_token()),
        channel=channel,
        paired_tablet=grant.paired_tablet if channel == Channel.PAIRED else None,
        language=grant.language,
        made_by=by,
        open_until=now,
        accept_until=now,
    )
