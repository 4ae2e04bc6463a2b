"""What there is to talk about with one client: each session with the form that notes the conversation about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from alliance.measurement.questions import Way
from alliance.measurement.repairs import Rupture
from sessions_app.conversations import repairs
from sessions_app.conversations.asking import Asking
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.dashboards import talk_words
from sessions_app.dashboards.talk_words import LineLevels, LineMark, Words
from sessions_app.flags.discussion_form import DiscussionForm
from sessions_app.flags.models import Flag

if TYPE_CHECKING:
    from sessions_app.dashboards.client_page import SessionRow


@dataclass
class Talk:
    """The open flags of one session, with the form that notes the conversation about them.

    `as_well`: the flags were talked about already, and somebody's words wait for a decision. low_point: the one that
    stays low after a talk, where no flag is open; ways: of asking about it.
    """

    session: TherapySession
    flags: list[Flag]  # strongest first
    form: DiscussionForm
    as_well: bool = False
    since: SessionRow | None = None  # the newest complete rating, where it is a later one
    words: list[Words] = field(default_factory=list)  # what the client wrote, the newest first
    marks: list[LineMark] = field(default_factory=list)
    low_point: Rupture | None = None
    ways: Sequence[Way] = ()

    @property
    def low_point_word(self) -> str:
        said = repairs.word(self.low_point) if self.low_point else ""
        return said[:1].upper() + said[1:]

    @property
    def strongest(self) -> Flag | None:
        return self.flags[0] if self.flags else None

    @property
    def others(self) -> list[Flag]:
        return self.flags[1:]

    @property
    def note(self) -> str:
        """The questions are worded for the end of the session itself, when the talk is best."""
        if timezone.localdate(self.session.held_at) == timezone.localdate():
            return ""
        says_today = any(way.says_today for way in (self.strongest.ways if self.strongest else self.ways))
        return "Where a question says “today”, say “last time”, or name the day." if says_today else ""


def read(
    rows: list[SessionRow],
    ruptures: Sequence[Rupture],
    form: DiscussionForm | None,
    questions: Asking,
    levels: LineLevels,
) -> list[Talk]:
    """rows: newest first. form: bound, where somebody's words are to be mended. Newest first, what calls before it."""
    talks = _about_flags(rows, form)
    if all(talk.as_well for talk in talks):
        low = _about_the_low_point(rows, ruptures, form, questions)
        talks = low + [talk for talk in talks if not low or talk.session != low[0].session]
    questions.prepare([flag for talk in talks for flag in talk.flags])
    by_session = {row.session: row for row in rows}
    for talk in talks:
        row = by_session[talk.session]
        talk.words, talk.marks = talk_words.words_of(rows, row), talk_words.marks_of(row, levels)
    return talks


def _about_flags(rows: list[SessionRow], form: DiscussionForm | None) -> list[Talk]:
    """Newest first: all that calls for it, the quiet flags of the last session only."""
    newest = next((row.session.pk for row in rows if row.flags or row.rating), None)
    talks: list[Talk] = []
    talked_since = False  # a conversation settles what came before its session
    for row in rows:
        is_open = [flag for flag in row.flags if not (flag.is_discussed or flag.is_not_needed)]
        bound = form if form is not None and form.prefix == _prefix(row.session) else None
        calls = any(flag.calls or flag.is_put_off for flag in is_open) or (
            is_open and row.session.pk == newest
        )
        if calls and not talked_since:
            talks.append(Talk(row.session, is_open, bound or discussion_form(row.session)))
        elif bound is not None:
            talks.append(Talk(row.session, row.flags, bound, as_well=True))
        talked_since = talked_since or bool(row.discussions)
    rated = next((row for row in rows if row.total), None)
    for talk in talks:
        talk.since = rated if rated and rated.session.number > talk.session.number else None
    # What calls for a talk stands before what is only worth a look.
    return sorted(talks, key=lambda talk: not any(flag.calls for flag in talk.flags))


def _about_the_low_point(
    rows: list[SessionRow], ruptures: Sequence[Rupture], form: DiscussionForm | None, questions: Asking
) -> list[Talk]:
    """The way to note another talk where the ratings stay low after one, and no flag is open."""
    last = next((row for row in rows if row.total), None)
    if last is None or last.rating is None or not ruptures or not ruptures[-1].stays_low_after_talk:
        return []
    bound = form if form is not None and form.prefix == _prefix(last.session) else None
    talk = Talk(last.session, [], bound or discussion_form(last.session))
    talk.low_point = ruptures[-1]
    turn = last.session.episode_id + last.session.number
    talk.ways = questions.ways("A", _lowest_line(last.rating), turn=turn)
    return [talk]


def _lowest_line(rating: Rating) -> str | None:
    """Where one alone is lowest: else no question may be about one."""
    marks = {line: mark for line, mark in rating.marks.items() if mark is not None}
    lowest = [line for line, mark in marks.items() if mark == min(marks.values())]
    return lowest[0] if len(lowest) == 1 else None


def discussion_form(session: TherapySession, data: Any = None) -> DiscussionForm:
    """The form about one session; its fields carry the session's code, for there may be several on a page."""
    return DiscussionForm(data, prefix=_prefix(session))


def _prefix(session: TherapySession) -> str:
    return f"talk-{session.code}"
