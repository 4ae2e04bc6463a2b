"""The rows that take the place of others. Ratings are facts: what is to count instead becomes a new row.

Each function runs in the transaction of its caller, who holds the lock of the episode.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from alliance.measurement import instruments, scoring
from alliance.models import User
from sessions_app.courses import wordings
from sessions_app.courses.decisions import Correction
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.courses.tokens import hash_of_token, new_token

# What a rating takes over from marks that count again, or after all.
CARRIED = ("comment", "share_comment", "language", "mode", "sha256", "received_at", "claimed_at", "promise")


def counted(
    marks: Rating | SetAsideRating,
    answers: Mapping[str, int | None],
    grant: RatingGrant,
    *,
    by: User,
    instead_of: Rating | None,
    session: TherapySession | None = None,
    **changed: Any,
) -> Rating:
    """A new row with these marks, through `grant` where it has no rating yet, else through one like it.

    session: where they count, if not where they came in.
    """
    score = scoring.score(instruments.get(grant.instrument, grant.instrument_version), answers)
    carried = {**{name: getattr(marks, name) for name in CARRIED}, **changed}
    # A total that was imported without lines counts again as it came.
    total = marks.total if isinstance(marks, Rating) and carried["mode"] == Mode.IMPORTED else score.total
    if session is not None or Rating.objects.filter(grant=grant).exists():
        grant = grant_like(grant, by=by, session=session)
    return Rating.objects.create(
        grant=grant,
        session=session or marks.session,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        wording=wordings.translated(grant, marks.language),
        answers=score.answers,
        total=total,
        replaces=instead_of,
        **carried,
    )


def counted_again(rating: Rating, *, by: User, instead_of: Rating, why: str) -> Rating:
    """The marks of an earlier row of the same session count again."""
    again = counted(rating, rating.answers, rating.grant, by=by, instead_of=instead_of)
    explain(again, Correction.Kind.RESTORED, why, by, restores=rating)
    return again


def no_marks(rating: Rating, *, by: User, kind: str, why: str) -> Rating:
    """In place of `rating`, a row with no answer on any line, since a fact cannot be deleted."""
    sha256 = hash_of_answers(dict.fromkeys(rating.answers), "")
    nothing: dict[str, Any] = {
        "comment": "",
        "share_comment": False,
        "mode": Mode.NONE,
        "sha256": sha256,
        "claimed_at": None,
        "received_at": timezone.now(),
    }
    like = grant_like(rating.grant, by=by, channel=Channel.PAPER)
    row = counted(rating, {}, like, by=by, instead_of=rating, **nothing)
    explain(row, kind, why, by)
    return row


def explain(rating: Rating, kind: str, why: str, by: User, *, restores: Rating | None = None) -> None:
    Correction.objects.create(rating=rating, kind=kind, why=why, corrected_by=by, restores=restores)


def grant_like(
    grant: RatingGrant, *, by: User, channel: str = "", session: TherapySession | None = None
) -> RatingGrant:
    """A grant has one rating, so a further row needs a further grant. This one opens nothing: it is past."""
    now, channel = timezone.now(), channel or grant.channel
    return RatingGrant.objects.create(
        session=session or grant.session,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        wording=grant.wording,
        promise=grant.promise,
        token_hash=hash_of_token(new_token()),
        channel=channel,
        paired_tablet=grant.paired_tablet if channel == Channel.PAIRED else None,
        language=grant.language,
        made_by=by,
        open_until=now,
        accept_until=now,
    )
