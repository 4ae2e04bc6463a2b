"""What is said in supervision about one client, as it stands beside the course."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from alliance.models import User
from clients.models import Episode, Supervision
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange


@dataclass(frozen=True)
class Line:
    """A question or a note, with what stood before it. is_mine: the reader wrote it, so they may change it."""

    row: Any
    earlier: Sequence[Any]
    is_mine: bool


@dataclass(frozen=True)
class BesideCourse:
    """What the reader reads: questions, the open ones first, and talks, the newest first; then what was taken back."""

    open: list[Line] = field(default_factory=list)
    answered: list[Line] = field(default_factory=list)
    talks: list[Line] = field(default_factory=list)
    taken_back: list[Line] = field(default_factory=list)
    may_ask: bool = False
    may_answer: bool = False
    may_note: bool = False

    @property
    def is_shown(self) -> bool:
        return bool(
            self.may_ask or self.may_note or self.open or self.answered or self.talks or self.taken_back
        )

    @property
    def people(self) -> Iterator[User]:
        """The staff who are named."""
        for line in (*self.open, *self.answered, *self.talks, *self.taken_back):
            names = ("asked_by", "answered_by", "noted_by", "withdrawn_by")
            yield from (person for name in names if (person := getattr(line.row, name, None)))
            yield from (change.changed_by for change in line.earlier)


def read(episode: Episode, reader: User) -> BesideCourse:
    """What `reader`, who may see the course, reads of it; four queries, and five for the course's therapist.

    Nothing where they neither treat the client nor supervise who does.
    """
    is_therapist = episode.therapist_id == reader.pk
    supervises = Episode.objects.supervised_by(reader).filter(pk=episode.pk).exists()
    if not (is_therapist or supervises):
        return BesideCourse()
    questions = _lines(
        SupervisionQuestion.objects.select_related("asked_by", "answered_by", "withdrawn_by"),
        SupervisionQuestionChange,
        episode,
        reader,
    )
    talks = _lines(
        SupervisionTalk.objects.select_related("noted_by", "withdrawn_by"),
        SupervisionTalkChange,
        episode,
        reader,
    )
    is_supervised = is_therapist and Supervision.objects.today().filter(therapist=reader).exists()
    return BesideCourse(
        open=[one for one in questions if one.row.is_open],
        answered=[one for one in questions if one.row.answered_at and not one.row.withdrawn_at],
        talks=[one for one in talks if not one.row.withdrawn_at],
        taken_back=[one for one in (*questions, *talks) if one.row.withdrawn_at],
        may_ask=supervises and episode.is_open,
        may_answer=is_therapist and episode.is_open,
        may_note=(supervises or is_supervised) and episode.is_open,
    )


def _lines(rows: Any, changes: Any, episode: Episode, reader: User) -> list[Line]:
    found = list(rows.visible_to(reader).filter(episode=episode))[::-1]
    if not found:
        return []
    by = "question" if changes is SupervisionQuestionChange else "talk"
    author = "asked_by_id" if by == "question" else "noted_by_id"
    earlier = defaultdict(list)
    kept = changes.objects.filter(**{f"{by}__in": [row.pk for row in found]}).select_related("changed_by")
    for change in kept:
        earlier[getattr(change, f"{by}_id")].append(change)
    return [Line(row, earlier[row.pk], getattr(row, author) == reader.pk) for row in found]
