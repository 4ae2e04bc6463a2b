"""The writes about what was said and agreed."""

from collections.abc import Iterable
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.undo import refuse_if_late
from clients.lock import lock_open_episode
from sessions_app.courses.models import TherapySession
from sessions_app.flags import low_points
from sessions_app.flags.conclude import conclude
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion, Flag

CHANGED = "This note was changed meanwhile. Nothing of yours is saved yet; your words are still here."
TAKEN_BACK = "This note was taken back meanwhile. Put it back first. Your words are still here."
HELPED = (
    "It was noted whether this agreement helped, so it cannot be left empty. Change that answer first, "
    "or say what was agreed."
)
UNDONE = "Undone right after it was noted."
INSTEAD = "Use Take back, which stands beside the note."
NO_LONGER_LOW = "The ratings are no longer low, or a talk about them was noted meanwhile."
RATED_SINCE = "Another rating has come meanwhile. Look at it first."
TWICE = "The same words stand already at this session. There is nothing to put back."


@transaction.atomic
def discuss(*, flags: Iterable[Flag], said: str, agreed: str, by: User) -> Discussion:
    """Note the conversation about flags of one session. They are *discussed* from now on.

    The same words about the same flags once more are one press too many: the note that stands is returned.
    """
    talked_about = list(flags)
    if not talked_about:
        raise Refused("Choose what you talked about.")
    if len({flag.session_id for flag in talked_about}) > 1:
        raise Refused("Note the conversation about one session at a time.")
    session = talked_about[0].session
    lock_open_episode(session.episode_id)
    return _note(session, talked_about, said=said, agreed=agreed, by=by)


@transaction.atomic
def discuss_low_point(*, session: TherapySession, said: str, agreed: str, by: User) -> Discussion:
    """Note another conversation about a low point that stays low; session: the one that was rated last.

    The ratings since may have raised no flag of their own. The talk is then about the flags with which it began: every
    talk is about a flag, for the course is concluded from both (`facts`).
    """
    lock_open_episode(session.episode_id)
    session.refresh_from_db()
    course = EpisodeStanding.objects.get(episode=session.episode_id).course
    low = low_points.read(course)
    began = low and Flag.objects.standing().filter(
        session__episode=session.episode_id, session__number=low.began, on_work_list=True
    )
    flags = list(began or ())
    if stands := _noted_already(session, flags, said=said, agreed=agreed, discussed_by=by):
        return stands
    if low is None or not low.stays_low_after_talk or not flags:
        raise Refused(NO_LONGER_LOW)
    if course["rated"][0] != session.number:
        raise Refused(RATED_SINCE)
    return _note(session, flags, said=said, agreed=agreed, by=by)


def _note(
    session: TherapySession, talked_about: list[Flag], *, said: str, agreed: str, by: User
) -> Discussion:
    if stands := _noted_already(session, talked_about, said=said, agreed=agreed, discussed_by=by):
        return stands
    discussion = Discussion.objects.create(session=session, said=said, agreed=agreed, discussed_by=by)
    discussion.flags.set(talked_about)
    conclude(episode=session.episode)
    audit.record(
        LogEvent.DISCUSSED,
        discussion,
        by=by,
        client=session.client_code,
        rules=[flag.rule for flag in talked_about],
    )
    return discussion


def _noted_already(
    session: TherapySession, flags: list[Flag], *, said: str, agreed: str, **by: User
) -> Discussion | None:
    asked = {flag.pk for flag in flags}
    rows = Discussion.objects.standing().filter(session=session, **by).prefetch_related("flags")
    same = (one for one in rows if {flag.pk for flag in one.flags.all()} == asked)
    return next((one for one in same if (one.said, one.agreed) == (said, agreed)), None)


@transaction.atomic
def edit_discussion(
    *, discussion: Discussion, version: int, said: str, agreed: str, why: str, by: User
) -> Discussion:
    """Say it in other words; `version`: of the words that one saw. It stays at the moment it was noted first."""
    stands = _locked(discussion)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    if (stands.said, stands.agreed) == (said, agreed):
        return stands  # one press too many, or nothing was changed
    if stands.version != version:
        raise Refused(CHANGED)
    if stands.agreed and not agreed and stands.follow_ups.filter(undone_at__isnull=True).exists():
        raise Refused(HELPED)
    _keep(stands, DiscussionChange.Kind.EDITED, why, by)
    stands.said, stands.agreed = said, agreed
    stands.save(update_fields=["said", "agreed", "version"])
    conclude(episode=stands.session.episode)
    # Lists show the words and keep what they drew by this revision; the rules need not see any difference.
    EpisodeStanding.objects.filter(episode=stands.session.episode).update(revision=uuid4())
    audit.record(LogEvent.DISCUSSION_CHANGED, stands, by=by, client=stands.client_code)
    return stands


@transaction.atomic
def withdraw_discussion(
    *, discussion: Discussion, by: User, why: str = "", version: int | None = None
) -> Discussion:
    """Take the note back: the words are kept, the flags are open again. Pressed twice, it is taken back once.

    version: of the words that one saw; without it, whichever stand.
    """
    stands = _locked(discussion)
    if stands.withdrawn_at:
        return stands
    if version not in (None, stands.version):
        raise Refused(CHANGED)
    return _withdrawn(stands, why, by)


@transaction.atomic
def undo_discussion(*, discussion: Discussion, by: User) -> Discussion:
    """Undo of `discuss`, right after it; later, and after a change, the note is taken back instead."""
    stands = _locked(discussion)
    if stands.withdrawn_at:
        return stands
    refuse_if_late(stands.discussed_at, INSTEAD)
    if stands.version != 1:
        raise Refused(f"This note was changed since. {INSTEAD}")
    return _withdrawn(stands, UNDONE, by)


def _withdrawn(stands: Discussion, why: str, by: User) -> Discussion:
    _keep(stands, DiscussionChange.Kind.TAKEN_BACK, why, by)
    stands.withdrawn_at, stands.withdrawn_by = timezone.now(), by
    stands.save(update_fields=["withdrawn_at", "withdrawn_by", "version"])
    conclude(episode=stands.session.episode)
    audit.record(LogEvent.DISCUSSION_WITHDRAWN, stands, by=by, client=stands.client_code)
    return stands


@transaction.atomic
def put_back_discussion(*, discussion: Discussion, by: User) -> Discussion:
    """The way back of a note that was taken back. Pressed twice, it is put back once."""
    stands = _locked(discussion)
    if not stands.withdrawn_at:
        return stands
    if _noted_already(stands.session, list(stands.flags.all()), said=stands.said, agreed=stands.agreed):
        raise Refused(TWICE)
    _keep(stands, DiscussionChange.Kind.PUT_BACK, "", by)
    stands.withdrawn_at = stands.withdrawn_by = None
    stands.save(update_fields=["withdrawn_at", "withdrawn_by", "version"])
    conclude(episode=stands.session.episode)
    audit.record(LogEvent.DISCUSSION_PUT_BACK, stands, by=by, client=stands.client_code)
    return stands


def _locked(discussion: Discussion) -> Discussion:
    """As it stands once nobody else can change it."""
    lock_open_episode(discussion.session.episode_id)
    stands: Discussion = Discussion.objects.select_related("session__episode__client").get(pk=discussion.pk)
    return stands


def _keep(stands: Discussion, kind: DiscussionChange.Kind, why: str, by: User) -> None:
    """Before a change: what it changes, and why. The next version begins."""
    DiscussionChange.objects.create(
        discussion=stands,
        version=stands.version,
        kind=kind,
        said=stands.said,
        agreed=stands.agreed,
        why=why,
        changed_by=by,
    )
    stands.version += 1
