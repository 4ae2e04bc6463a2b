"""What is said in supervision about one client, as it stands beside the course."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from alliance.models import User
from clients.models import Episode, Supervision
from sessions_app.supervision.forms import AnswerForm
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.rows import supervises
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange


@dataclass(frozen=True)
class Line:
    """A question or a note, with what stood before it. is_mine: the reader wrote it, so they may change it."""

    row: Any
    earlier: Sequence[Any]
    is_mine: bool


class Rights(NamedTuple):
    """What the reader of a course may do about supervision; reads: whether they read of it at all."""

    reads: bool = False
    asks: bool = False
    answers: bool = False
    notes: bool = False


def rights(episode: Episode, reader: User) -> Rights:
    """Of somebody who may see the course; one query.

    A colleague who covers reads nothing of it. A course that is over is read and not written.
    """
    if episode.therapist_id == reader.pk:
        is_supervised = Supervision.objects.today().filter(therapist=reader).exists()
        return Rights(reads=True, answers=episode.is_open, notes=is_supervised and episode.is_open)
    if supervises(reader, episode):
        return Rights(reads=True, asks=episode.is_open, notes=episode.is_open)
    return Rights()


@dataclass(frozen=True)
class BesideCourse:
    """What the reader reads: questions and talks, the newest first, and what was taken back."""

    may: Rights = field(default_factory=Rights)
    open: list[Line] = field(default_factory=list)
    answered: list[Line] = field(default_factory=list)
    talks: list[Line] = field(default_factory=list)
    taken_back: list[Line] = field(default_factory=list)

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to read or to do below the course."""
        return bool(self.may.asks or self.may.notes or self.answered or self.talks or self.taken_back)

    @property
    def people(self) -> Iterator[User]:
        """The staff who are named."""
        for line in (*self.open, *self.answered, *self.talks, *self.taken_back):
            names = ("asked_by", "answered_by", "noted_by", "withdrawn_by")
            yield from (person for name in names if (person := getattr(line.row, name, None)))
            yield from (change.changed_by for change in line.earlier)


def read(episode: Episode, reader: User, may: Rights) -> BesideCourse:
    """What `reader` reads of this course; two queries, and two more where something was said."""
    if not may.reads:
        return BesideCourse()
    questions = _lines(
        SupervisionQuestion.objects.select_related("asked_by", "answered_by", "withdrawn_by"),
        SupervisionQuestionChange.objects.all(),
        "question",
        episode,
        reader,
    )
    talks = _lines(
        SupervisionTalk.objects.select_related("noted_by", "withdrawn_by"),
        SupervisionTalkChange.objects.all(),
        "talk",
        episode,
        reader,
    )
    open_ones = [one for one in questions if one.row.is_open]
    if may.answers:
        for one in open_ones:
            one.row.form = AnswerForm(question=one.row, auto_id=f"answer-{one.row.code}-%s")
    return BesideCourse(
        may,
        open=open_ones,
        answered=[one for one in questions if one.row.answered_at and not one.row.withdrawn_at],
        talks=[one for one in talks if not one.row.withdrawn_at],
        taken_back=[one for one in (*questions, *talks) if one.row.withdrawn_at],
    )


def _lines(rows: Any, changes: Any, of: str, episode: Episode, reader: User) -> list[Line]:
    found = list(rows.visible_to(reader).filter(episode=episode))[::-1]
    if not found:
        return []
    earlier = defaultdict(list)
    for change in changes.filter(**{f"{of}__in": [row.pk for row in found]}).select_related("changed_by"):
        earlier[getattr(change, f"{of}_id")].append(change)
    return [Line(row, earlier[row.pk], _author(row) == reader.pk) for row in found]


def _author(row: Any) -> UUID:
    author: UUID = row.asked_by_id if isinstance(row, SupervisionQuestion) else row.noted_by_id
    return author
