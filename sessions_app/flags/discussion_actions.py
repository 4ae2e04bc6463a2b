"""The writes about what was said and agreed."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from sessions_app.courses.lock import lock_open_episode
from sessions_app.courses.models import TherapySession
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Discussion, Flag


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


def _noted_already(session: TherapySession, flags: list[Flag], **words: Any) -> Discussion | None:
    asked = {flag.pk for flag in flags}
    same = Discussion.objects.standing().filter(session=session, **words).prefetch_related("flags")
    return next((one for one in same if {flag.pk for flag in one.flags.all()} == asked), None)


@transaction.atomic
def withdraw_discussion(*, discussion: Discussion, by: User) -> None:
    """Undo of `discuss`: the words are kept, the flags are open again. Pressed twice, it is undone once."""
    lock_open_episode(discussion.session.episode_id)
    standing = Discussion.objects.standing().filter(pk=discussion.pk)
    if standing.update(withdrawn_at=timezone.now(), withdrawn_by=by):
        conclude(episode=discussion.session.episode)
        audit.record(LogEvent.DISCUSSION_WITHDRAWN, discussion, by=by, client=discussion.client_code)
