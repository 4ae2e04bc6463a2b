"""What was said before: earlier words of a note, what was taken back, earlier answers. Nothing is ever lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alliance.models import User
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.models import Discussion


@dataclass(frozen=True)
class Earlier:
    """One change. `said`, `agreed`, `answer`: what stood until then, where it is not what stands now."""

    kind: str  # of `DiscussionChange.Kind`, or "answer"
    word: str
    at: datetime
    by: User
    why: str = ""
    said: str = ""
    agreed: str = ""
    answer: str = ""


def of_note(discussion: Discussion, answers: Iterable[FollowUp]) -> list[Earlier]:
    """The changes of a note and of the answers about it that do not stand, oldest first."""
    changes = [_of_change(one) for one in discussion.changes.all()]
    return sorted([*changes, *(_of_answer(one) for one in answers)], key=lambda one: one.at)


def _of_change(one: DiscussionChange) -> Earlier:
    words = {"said": one.said, "agreed": one.agreed} if one.kind == DiscussionChange.Kind.EDITED else {}
    return Earlier(one.kind, one.get_kind_display(), one.changed_at, one.changed_by, one.why, **words)


def _of_answer(one: FollowUp) -> Earlier:
    assert one.undone_at is not None
    assert one.undone_by is not None
    return Earlier("answer", "Changed", one.undone_at, one.undone_by, answer=one.get_answer_display())
