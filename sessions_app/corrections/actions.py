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
from clients.lock import lock_for_decision, lock_open_episode
from sessions_app.corrections import families
from sessions_app.courses.decisions import Correction, Settlement
from sessions_app.courses.grants import Channel
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import TYPED, Attendance, Mode, Rating, SetAsideRating, TherapySession
from sessions_app.courses.voided import refuse_if_voided
from sessions_app.flags.conclude import conclude
from sessions_app.intake.hand_over_actions import withdraw_what_is_out
from sessions_app.intake.replacements import counted, counted_again, explain, grant_like, no_marks

MEANWHILE = "Other marks stand for this session than when you looked. Look at both again, then decide."
SETTLED = "Somebody decided about these marks already, perhaps you in another tab."
UNREADABLE = (
    "These marks cannot be read, so they cannot count. Ask the client and enter the rating from paper."
)
THEIRS = "The client made these marks on a device. They are the client's own, and nobody corrects them."
Kind = Correction.Kind


# --- Marks that were set aside -------------------------------------------------------------------


@transaction.atomic
def use(*, aside: SetAsideRating, seen: UUID | None, by: User, why: str = "") -> Rating:
    """Let these marks count: as the rating of their session, or in place of the one that stands.

    `seen` is the code of the rating that stood when the person decided, None where there was none.
    """
    lock_for_decision(aside.session.episode_id)
    refuse_if_voided(aside.session)
    refuse_if_settled(aside)
    if not aside.answers:
        raise Refused(UNREADABLE)
    stands = Rating.objects.last_of(aside.session)
    if seen != (stands.code if stands else None):
        raise Refused(MEANWHILE)
    rating = counted(aside, aside.answers, aside.grant, by=by, instead_of=stands)
    Settlement.objects.create(
        set_aside=aside, outcome=Settlement.Outcome.USED, rating=rating, why=why, settled_by=by
    )
    if stands:
        explain(rating, Kind.USED, why or "Marks that had been set aside were used.", by)
    it_took_place(aside.session)
    withdraw_what_is_out(aside.session, by)
    audit.record(LogEvent.SET_ASIDE_MARKS_USED, aside, by=by, client=aside.client_code)
    conclude(episode=aside.session.episode)
    return rating


@transaction.atomic
def leave(*, aside: SetAsideRating, by: User, why: str = "") -> Settlement:
    """Keep these marks aside for good. `take_up_again` is the undo."""
    lock_for_decision(aside.session.episode_id)
    refuse_if_settled(aside)
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


def refuse_if_settled(aside: SetAsideRating) -> None:
    if Settlement.objects.standing().filter(set_aside=aside).exists():
        raise Refused(SETTLED)


def it_took_place(session: TherapySession) -> None:
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
    refuse_if_voided(rating.session)
    if rating.mode not in TYPED:
        raise Refused(THEIRS)
    _refuse_unless_standing(rating)
    if any(answers.get(item) != answer for item, answer in families.marked_by_the_client(rating).items()):
        raise Refused(THEIRS)
    score = scoring.score(instruments.get(rating.instrument, rating.instrument_version), answers)
    sha256 = hash_of_answers(score.answers, comment, share_comment=rating.share_comment)
    typed: dict[str, Any] = {"comment": comment, "mode": Mode(channel), "sha256": sha256}
    typed |= {"received_at": timezone.now(), "claimed_at": None}
    withdraw_what_is_out(rating.session, by)
    like = grant_like(rating.grant, by=by, channel=channel)
    new = counted(rating, score.answers, like, by=by, instead_of=rating, **typed)
    explain(new, Kind.CORRECTED, why, by)
    audit.record(LogEvent.RATING_CORRECTED, new, by=by, client=rating.client_code)
    conclude(episode=rating.session.episode)
    return new


@transaction.atomic
def put_back(*, rating: Rating, by: User) -> Rating:
    """Undo of `correct`, of `use` and of lines that were added: the marks that `rating` replaced count again.

    Marks that had been set aside on arrival wait for a decision again; where none stood before them, none do now.
    """
    lock_for_decision(rating.session.episode_id)
    refuse_if_voided(rating.session)
    _refuse_unless_standing(rating)
    earlier = families.replaced_by_decision(rating)
    if earlier is None and not families.use_of(rating).exists():
        raise Refused("No earlier marks are known for this session.")
    withdraw_what_is_out(rating.session, by)
    if earlier is not None:
        event = LogEvent.EARLIER_MARKS_USED_AGAIN
        again = counted_again(earlier, by=by, instead_of=rating, why="The earlier marks were used again.")
    else:
        event = LogEvent.SET_ASIDE_MARKS_TAKEN_OUT
        again = no_marks(rating, by=by, kind=Kind.TAKEN_OUT, why="The marks were taken out again.")
    families.use_of(rating).update(undone_at=timezone.now(), undone_by=by)
    audit.record(event, again, by=by, client=rating.client_code)
    conclude(episode=rating.session.episode)
    return again


def _refuse_unless_standing(rating: Rating) -> None:
    if Rating.objects.filter(replaces=rating).exists():
        raise Refused(MEANWHILE)
