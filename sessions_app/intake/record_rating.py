"""The one door for alliance ratings: stored, scored, flagged and logged once, or kept aside. Nothing disappears."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement import instruments, scoring
from alliance.models import User
from alliance.operations import metrics
from clients.lock import lock_episode
from sessions_app.courses import wordings
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import note_if_over
from sessions_app.courses.marks_hash import hash_of_answers
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.flags import standing
from sessions_app.flags.conclude import conclude_locked

SET_ASIDE_A_GRANT = 10


class NotStored(Exception):
    """The marks could not stand as the rating. They are kept aside for the therapist, under `sha256`."""

    def __init__(self, reason: SetAsideRating.Reason, sha256: str) -> None:
        super().__init__(reason.label)
        self.reason, self.sha256 = reason, sha256


class TooManySetAside(Exception):
    """Not even kept aside: somebody plays with the form. What came before is kept, and the device keeps this."""


def record_rating(
    *,
    grant: RatingGrant,
    answers: Mapping[str, int | None],
    mode: Mode,
    comment: str = "",
    share_comment: bool = False,
    language: str = "",
    by: User | None = None,
    delivery: UUID | None = None,
    claimed_at: datetime | None = None,
    until: datetime | None = None,
) -> Rating:
    """Store, score, flag and log one rating: one transaction, and once only, whatever races.

    The same marks sent again return the rating that is stored. Marks that cannot stand (others are
    stored, the grant was withdrawn, its last day is past) are kept aside and raise `NotStored`.
    `until`: an earlier end than that day, for marks that come straight from a form that is open.
    `delivery` and `claimed_at` are what the device said of its delivery; no decision hangs on them.
    Raises `scoring.AnswerError` where an answer is not a whole number of tenths in its range.
    """
    if not grant.is_of_the_alliance:
        raise ValueError("This grant is one for a questionnaire.")
    instrument = instruments.get(grant.instrument, grant.instrument_version)
    marks = Rating(
        grant=grant,
        session=grant.session,
        replaces_id=grant.instead_of_id,
        instrument=grant.instrument,
        instrument_version=grant.instrument_version,
        comment=comment,
        share_comment=share_comment,
        language=language or grant.language,
        wording=wordings.translated(grant, language or grant.language),
        promise_id=grant.promise_id,
        mode=mode,
        delivery=delivery,
        claimed_at=claimed_at,
    )
    score = scoring.score(instrument, answers)
    marks.answers, marks.total = score.answers, score.total
    marks.sha256 = hash_of_answers(score.answers, comment, share_comment=share_comment)
    try:
        return _stored(marks, by, until)
    except NotStored as refusal:
        reason = refusal.reason
    except IntegrityError:
        # Caught outside the transaction, which the error has ended on PostgreSQL. Another error of ours
        # must not pass for a dispute.
        if not Rating.objects.of_the_same(marks).exists():
            raise
        reason = SetAsideRating.Reason.DISPUTED
    stands: Rating | None = Rating.objects.filter(grant=grant, sha256=marks.sha256).first()
    if stands is None:
        _set_aside(marks, reason)
        raise NotStored(reason, marks.sha256)
    if not _is_known(stands, marks) and _has_enough_aside(grant):
        metrics.marks_refused()
        raise TooManySetAside
    stands.came_before = True
    return stands


def keep_invalid(*, grant: RatingGrant, raw: str, delivery: UUID, claimed_at: datetime | None) -> NoReturn:
    """Keep what arrived sealed and cannot be read as marks. Raises `NotStored`; a person has to look at it.

    NUL, which PostgreSQL stores in no text, becomes its sign: refused, it would wait on its device for ever.
    """
    unread = Rating(
        grant=grant,
        session=grant.session,
        language=grant.language,
        mode=Mode.LINE,
        answers={},
        sha256=hashlib.sha256(raw.encode()).hexdigest(),
        delivery=delivery,
        claimed_at=claimed_at,
    )
    _set_aside(unread, SetAsideRating.Reason.INVALID, raw=raw.replace("\0", "\u2400"))
    raise NotStored(SetAsideRating.Reason.INVALID, unread.sha256)


@transaction.atomic
def _stored(marks: Rating, by: User | None, until: datetime | None) -> Rating:
    """The rating with everything that hangs on it, all or nothing; `NotStored` where it cannot stand."""
    grant = marks.grant
    before = standing.lock_of_grant(grant)
    if reason := _reason_to_set_aside(grant, until or grant.accept_until):
        raise NotStored(reason, marks.sha256)
    # Constraint and not check-then-insert: that doubled 35 of 40 rows in a ten-way race.
    marks.save(force_insert=True)
    note_if_over(marks.session, before[grant.session.episode_id].episode)
    rated = audit.line(
        LogEvent.RATED, marks, by=by, client=grant.client_code, channel=grant.channel, mode=marks.mode
    )
    conclude_locked(before, log=[rated])
    metrics.marks_accepted(claimed_at=marks.claimed_at)
    return marks


def _reason_to_set_aside(grant: RatingGrant, until: datetime) -> SetAsideRating.Reason | None:
    if grant.withdrawn_at is not None:
        return SetAsideRating.Reason.WITHDRAWN
    return SetAsideRating.Reason.LATE if timezone.now() >= min(until, grant.accept_until) else None


@transaction.atomic
def _set_aside(marks: Rating, reason: SetAsideRating.Reason, raw: str | None = None) -> None:
    # Nothing is kept of a client who is being erased.
    episode = lock_episode(marks.session.episode_id)
    before = SetAsideRating.objects.filter(grant=marks.grant, sha256=marks.sha256).first()
    if not _is_known(before, marks) and _has_enough_aside(marks.grant):
        metrics.marks_refused()
        raise TooManySetAside
    same = ("session", "answers", "comment", "share_comment", "language", "mode", "delivery", "claimed_at")
    aside, created = SetAsideRating.objects.get_or_create(
        grant=marks.grant,
        sha256=marks.sha256,
        defaults={"reason": reason, "raw": raw, **{name: getattr(marks, name) for name in same}},
    )
    if created:
        note_if_over(marks.session, episode)
        metrics.marks_set_aside()
        audit.record(LogEvent.RATING_SET_ASIDE, aside, by=None, client=marks.client_code, reason=reason)


def _is_known(stands: Rating | SetAsideRating | None, marks: Rating) -> bool:
    """Whether this very delivery is stored: its page asks again because the answer was lost."""
    return stands is not None and marks.delivery is not None and stands.delivery == marks.delivery


def _has_enough_aside(grant: RatingGrant) -> bool:
    """From here on only a delivery that is stored hears so: any other copy could be a guess at the marks."""
    return SetAsideRating.objects.filter(grant=grant).count() >= SET_ASIDE_A_GRANT
