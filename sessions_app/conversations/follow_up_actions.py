"""The writes about whether what was agreed helped."""

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.undo import refuse_if_late
from clients.lock import lock_open_episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.models import Discussion

MEANWHILE = (
    "This was answered already, perhaps by you in another tab. Change that answer to give another one."
)
INSTEAD = "Use Change, which stands beside the answer."
CHANGED = "This answer was changed meanwhile. Look at it as it is now, then choose again."
TAKEN_BACK = "This conversation was taken back meanwhile."
TOO_EARLY = "No rating has come since this was agreed. It can be answered after the next one."


@transaction.atomic
def note(*, discussion: Discussion, answer: str, by: User) -> FollowUp:
    """Whether what this conversation agreed helped. The same answer twice is one; another one is refused."""
    lock_open_episode(discussion.session.episode_id)
    if not Discussion.objects.standing().filter(pk=discussion.pk).exists():
        raise Refused(TAKEN_BACK)
    earlier: FollowUp | None = FollowUp.objects.standing().filter(discussion=discussion).first()
    if earlier and earlier.answer != answer:
        raise Refused(MEANWHILE)
    if earlier:
        return earlier
    session = rated_since(discussion)
    if session is None:
        raise Refused(TOO_EARLY)
    follow_up = FollowUp.objects.create(
        discussion=discussion, session=session, answer=FollowUp.Answer(answer), noted_by=by
    )
    audit.record(LogEvent.FOLLOW_UP_NOTED, follow_up, by=by, client=follow_up.client_code)
    return follow_up


@transaction.atomic
def undo(*, follow_up: FollowUp, by: User) -> None:
    """Undo of `note`, right after it; later the answer is changed instead."""
    refuse_if_late(follow_up.noted_at, INSTEAD)
    take_back_follow_up(follow_up=follow_up, by=by)


@transaction.atomic
def change_follow_up(*, follow_up: FollowUp, answer: str, by: User) -> FollowUp:
    """Another answer, or none where `answer` is empty. The earlier one is kept; twice is once.

    It stays at the moment and the session of the first answer: it is put right, not given anew.
    """
    lock_open_episode(follow_up.session.episode_id)
    stands = FollowUp.objects.standing().filter(discussion=follow_up.discussion).first()
    if (stands.answer if stands else "") == answer:
        return stands or follow_up
    if stands != follow_up:
        raise Refused(CHANGED)
    if not answer:
        return take_back_follow_up(follow_up=follow_up, by=by)
    FollowUp.objects.filter(pk=follow_up.pk).update(undone_at=timezone.now(), undone_by=by)
    changed = FollowUp.objects.create(
        discussion=follow_up.discussion,
        session=follow_up.session,
        answer=FollowUp.Answer(answer),
        noted_at=follow_up.noted_at,
        noted_by=by,
    )
    audit.record(LogEvent.FOLLOW_UP_CHANGED, changed, by=by, client=changed.client_code)
    return changed


@transaction.atomic
def take_back_follow_up(*, follow_up: FollowUp, by: User) -> FollowUp:
    """The answer is kept, and the question is open again. Twice is once."""
    lock_open_episode(follow_up.session.episode_id)
    standing = FollowUp.objects.standing().filter(pk=follow_up.pk)
    if standing.update(undone_at=timezone.now(), undone_by=by):
        audit.record(LogEvent.FOLLOW_UP_UNDONE, follow_up, by=by, client=follow_up.client_code)
    return follow_up


def rated_since(discussion: Discussion) -> TherapySession | None:
    """The latest session with a complete rating that came after this conversation; None where none came yet."""
    since = Rating.objects.complete().filter(
        session__episode=discussion.session.episode_id,
        session__number__gt=discussion.session.number,
        received_at__gt=discussion.discussed_at,
    )
    rating = since.select_related("session__episode__client").order_by("session__number").last()
    return rating.session if rating else None
