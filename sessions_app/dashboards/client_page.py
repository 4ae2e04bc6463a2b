"""One client's course as a page shows it: figures, table rows, flags, conversations."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.html import json_script
from django.utils.safestring import SafeString, mark_safe

from alliance.measurement import instruments
from alliance.measurement.instruments import Item
from alliance.measurement.repairs import RepairState
from alliance.measurement.scoring import points
from alliance.models import User
from clients.models import Ending, Episode
from sessions_app.conversations import asking, earlier, last_time, repairs, story
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.conversations.story import Chapter
from sessions_app.corrections import set_aside
from sessions_app.courses import wordings
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.rating_state import RatingState, awaited, begun_early, marks_state, state_of
from sessions_app.dashboards import (
    change_stamp,
    charts,
    course_drawing,
    course_picture,
    course_reading,
    on_paper,
    supervised_story,
    to_talk_about,
    voided_sessions,
)
from sessions_app.dashboards.course_reading import CourseReading, by_session
from sessions_app.dashboards.on_paper import OnPaper
from sessions_app.dashboards.talk_words import LineLevels
from sessions_app.dashboards.to_talk_about import Talk
from sessions_app.dashboards.voided_sessions import VoidedSession
from sessions_app.flags import chance_returns, course
from sessions_app.flags.chance_returns import Chance
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.discussion_form import DiscussionForm
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments import promises, rule_settings
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.questionnaires import waiting
from sessions_app.questionnaires.risk_answers import RiskAnswer
from sessions_app.supervision import beside as beside_course

# Of a long course, what is shown at once; the rest on request.
SESSIONS_AT_ONCE, LOW_POINTS_AT_ONCE = 30, 3


@dataclass
class SessionRow:
    """One session in the table of the client's page; figures as text, in points."""

    session: TherapySession
    rating: Rating | None = None
    total: str = ""
    answers: list[tuple[str, str]] = field(default_factory=list)  # heading of the line, answer
    state: RatingState = RatingState.PLANNED
    can_be_handed_over: bool = False
    awaits: bool = False  # a hand-over that can be taken back
    flags: list[Flag] = field(default_factory=list)
    discussions: list[Discussion] = field(default_factory=list)
    deferrals: list[Deferral] = field(default_factory=list)
    talks_taken_back: list[Discussion] = field(default_factory=list)
    deferrals_taken_back: list[Deferral] = field(default_factory=list)
    repairs: list[tuple[RepairState, str]] = field(default_factory=list)  # what begins or ends here, in words
    comment: str = ""
    beside: set_aside.OfSession = field(default_factory=set_aside.OfSession)
    can_be_corrected: bool = False
    shows_marks: bool = False  # whether the client left any; a form that came back empty has none
    is_withheld: bool = False  # it is the therapist's alone, by what was promised, and the reader is another
    other_form: str = ""  # from this session on another form was used: its name


@dataclass
class ClientPage:
    episode: Episode
    is_own: bool  # read as its therapist does: their own, or covered today
    may_write: bool  # the same, as long as it is open
    is_therapist: bool  # the reader's own, and not covered
    stamp: str
    item_labels: list[str]
    rows: list[SessionRow]  # newest first
    voided: list[VoidedSession]  # the sessions that count nowhere, newest first
    talks: list[Talk]
    calls: bool  # whether anything calls for a talk
    deferral: Deferral | None  # the one that holds
    latest: SessionRow | None
    last_time: last_time.LastTime | None
    answers: list[tuple[str, str]]  # to "did it help?": value, words
    story: list[Chapter]  # newest first
    by_chance: str  # the comparator of every repair
    to_settle: list[set_aside.SetAside]  # marks that do not count, and nobody decided about
    answer: str  # to "is it falling?", in a sentence
    in_words: str  # the figures behind it
    figure: dict[str, Any]  # for the page's script
    drawing: SafeString  # the same picture, for paper and where no script runs
    put_off_until: list[datetime]  # when what is put off comes back, or came
    supervision: beside_course.BesideCourse
    has_responses: bool = (
        False  # whether a questionnaire was ever answered: then the page asks for the panels
    )
    risk_answers: list[RiskAnswer] = field(default_factory=list)  # about which nobody has written anything
    withholds: bool = False  # marks were promised to be the therapist's alone, and the reader is another
    shows_all: bool = False  # of a long course also what comes on request

    @property
    def rates_now(self) -> bool:
        """Whether the moment asks for a rating: a session is on, or over since today, and its rating has not come."""
        return any(
            row.can_be_handed_over and row.state in {RatingState.ON_NOW, RatingState.TO_RATE}
            for row in self.rows
        )

    @property
    def main_talk(self) -> Talk | None:
        """The talk whose button is the main one of the page; without it, *Hand over* is."""
        return self.talks[0] if self.talks and self.may_write and not self.rates_now else None

    @property
    def figure_data(self) -> SafeString:
        """In an element that is not a script: htmx takes none out of an answer into the page."""
        script = json_script(self.figure, encoder=charts.WithoutSpaces)
        return mark_safe(  # noqa: S308 - of json_script, which leaves no sign of HTML in it
            script.replace('<script type="application/json">', '<div id="figure" hidden>').replace(
                "</script>", "</div>"
            )
        )

    @cached_property
    def on_paper(self) -> OnPaper:
        """Who asked for the whole of a long course gets it on paper too."""
        return OnPaper(len(self.story), len(self.rows)) if self.shows_all else on_paper.that_fits(self)

    @property
    def only_in_the_picture(self) -> int:
        """How many sessions are not in the table on paper."""
        return len(self.rows) - self.on_paper.rows

    @property
    def late_rows(self) -> list[SessionRow]:
        return self.rows[:SESSIONS_AT_ONCE]

    @property
    def early_rows(self) -> list[SessionRow]:
        return self.rows[SESSIONS_AT_ONCE:]

    @property
    def talks_at_once(self) -> list[Talk]:
        """Those on which somebody's words wait are always among them."""
        early = self.early_talks
        return [talk for talk in self.talks if talk not in early]

    @property
    def early_talks(self) -> list[Talk]:
        return [talk for talk in self.talks[LOW_POINTS_AT_ONCE:] if not talk.form.is_bound]

    @property
    def late_chapters(self) -> list[Chapter]:
        return self.story[:LOW_POINTS_AT_ONCE]

    @property
    def early_chapters(self) -> list[Chapter]:
        return self.story[LOW_POINTS_AT_ONCE:]

    @property
    def may_settle(self) -> bool:
        """Whether the reader decides about marks that arrived: also after the end, never after a transfer."""
        return self.is_own and self.episode.ending != Ending.TRANSFERRED

    @property
    def sessions_to_settle(self) -> list[str]:
        sessions = {one.row.session_id: one.row.session for one in self.to_settle}
        in_order = sorted(sessions.values(), key=lambda one: (one.is_voided, one.number))
        return [f"{one.number}{' (voided)' if one.is_voided else ''}" for one in in_order]


def build(
    episode: Episode,
    viewer: User,
    now: datetime,
    form: DiscussionForm | None = None,
    *,
    rules: RuleSettings | None = None,
    chance: Chance | None = None,
    questions: asking.Asking | None = None,
    stamp: str = "",
    is_own: bool | None = None,
    shows_all: bool = False,
    rights: beside_course.Rights | None = None,
) -> ClientPage:
    """Everything the client's page shows to `viewer`, who must be allowed to see `episode`.

    A supervisor reads the client's own words only where the client agreed to it, and of the marks what was promised
    to the client. rules, chance, questions, stamp,
    is_own, rights: where the caller has read them.
    """
    rules = rules or rule_settings.in_force()
    supervision = beside_course.read(episode, viewer, rights or beside_course.rights(episode, viewer))
    chance = chance or chance_returns.under(rules.name)
    stamp = stamp or change_stamp.stamp(Episode.objects.filter(pk=episode.pk))
    is_own = episode.is_worked_by(viewer) if is_own is None else is_own
    reading = course_reading.read(episode, now)
    if not is_own:
        reading = reading.in_supervision()
    rated = reading.rated(rules)
    # Each form has the same lines on the same range (`instruments.session_scales`); the last one names the cutoff.
    last = next((one.rating for one in reversed(rated) if one.rating), None)
    instrument, parameters = course.instrument_of(last), course.parameters_of(last, rules)
    beside = set_aside.of_episode(episode, reads_comments=is_own)
    rows = _rows(reading, rated, beside, reads_comments=is_own)
    voided = voided_sessions.read(episode, beside, reads_comments=is_own)
    discussions = [one for row in rows for one in row.discussions]
    discussed = frozenset(row.session.number for row in rows if row.discussions)
    questions = questions or asking.of(viewer)
    for number, talk in enumerate(reading.talks, start=1):
        talk.tick = number
    ruptures = repairs.of_course(rated, parameters, discussed, is_closed=not episode.is_open, now=now)
    held = [course.as_course_session(one.session, one.rating, now) for one in rated]
    goes_on = ruptures[-1] if ruptures and ruptures[-1].goes_on else None
    levels = LineLevels([one for one in held if one.total is not None], goes_on, parameters)
    talks = to_talk_about.read(rows, ruptures, form, questions, levels)
    _mark_repairs(rows, story.table_words(ruptures))
    picture = course_picture.picture(
        rated, parameters, instrument, reading.talks, ruptures, now=now, is_open=episode.is_open
    )
    follow_ups = reading.follow_ups
    has_responses = waiting.has_responses(episode)
    notes = story.Notes(discussions, follow_ups, {row.session.number: row.comment for row in rows})
    return ClientPage(
        episode=episode,
        is_own=is_own,
        is_therapist=is_own and episode.therapist_id == viewer.pk,
        may_write=is_own and episode.is_open,
        stamp=stamp,
        item_labels=[_heading(item) for item in instrument.items],
        rows=rows,
        voided=voided,
        talks=talks,
        calls=any(flag.calls for talk in talks if not talk.as_well for flag in talk.flags),
        deferral=_put_off(rows, talks),
        latest=next((row for row in rows if row.rating), None),
        last_time=last_time.read(discussions, follow_ups, rated, [row.session for row in rows], now),
        answers=FollowUp.Answer.choices,
        story=supervised_story.with_supervision(
            story.tell(ruptures, rated, notes, now, not_back=repairs.not_back(chance.table)),
            supervision.talks,
            [row.session for row in rows],
            now,
        ),
        by_chance=repairs.by_chance(chance.table),
        to_settle=[
            one
            for of_session in (*(row.beside for row in rows), *(one.beside for one in voided))
            for one in of_session.to_settle
        ],
        answer=picture.answer.sentence,
        in_words=course_picture.in_words(picture, ruptures),
        figure=charts.page_data(picture),
        drawing=course_drawing.drawing(picture),
        put_off_until=reading.put_off_until,
        withholds=bool(reading.withheld),
        shows_all=shows_all,
        supervision=supervision,
        has_responses=has_responses,
        risk_answers=waiting.risk_answers_of(episode, viewer) if has_responses else [],
    )


def _rows(
    reading: CourseReading,
    rated: list[course.RatedSession],
    beside: Mapping[int, set_aside.OfSession],
    *,
    reads_comments: bool,
) -> list[SessionRow]:
    """The sessions as the table shows them, newest first."""
    other_forms = {one.session.pk for one in rated if one.changes_form}
    flags, talks = by_session(reading.flags), by_session(_with_earlier(reading))
    deferrals = by_session(reading.all_deferrals)
    early = begun_early(reading.sessions, reading.now)
    rows = []
    for session in reversed(reading.sessions):
        rating = reading.ratings.get(session.pk)
        row = SessionRow(session, rating)
        withheld = reading.withheld.get(session.pk)
        row.is_withheld = withheld is not None
        row.discussions = [talk for talk in talks[session.pk] if talk.withdrawn_at is None]
        row.talks_taken_back = [talk for talk in talks[session.pk] if talk.withdrawn_at]
        row.deferrals = [one for one in deferrals[session.pk] if one.undone_at is None]
        row.deferrals_taken_back = [one for one in deferrals[session.pk] if one.undone_at]
        row.flags = sorted(flags[session.pk], key=lambda flag: flag.strength)
        row.beside = beside[session.pk]
        row.can_be_corrected = set_aside.can_be_corrected(rating)
        awaits = awaited(session)
        row.awaits = awaits is not None
        row.state = state_of(
            session,
            marks=marks_state(known) if (known := rating or withheld) else None,
            awaits=awaits,
            is_declined=session.is_declined,
            now=reading.now,
            given=early.get(session.pk),
        )
        row.can_be_handed_over = row.state.can_be_handed_over(session, reading.now)
        if rating:
            row.shows_marks = not rating.is_blank
            row.total = "" if rating.total is None else points(rating.total)
            row.answers = [
                (_heading(item), _answer(rating.marks[item.id]))
                for item in instruments.get(rating.instrument, rating.instrument_version).items
            ]
            row.other_form = wordings.name_of(rating) if session.pk in other_forms else ""
            row.comment = promises.comment_for(rating, reads_all=reads_comments)
        rows.append(row)
    return rows


def _with_earlier(reading: CourseReading) -> list[Discussion]:
    """All notes of conversations, each with what it said before and the answer to "did it help?"."""
    gone = defaultdict(list)
    for answer in reading.all_follow_ups:
        if answer.undone_at:
            gone[answer.discussion_id].append(answer)
    for talk in reading.all_talks:
        talk.earlier = earlier.of_note(talk, gone[talk.pk])
        talk.answer = reading.follow_ups.get(talk.pk)
    return reading.all_talks


def _heading(item: Item) -> str:
    return item.label[:1].upper() + item.label[1:]


def _answer(tenths: int | None) -> str:
    return "–" if tenths is None else points(tenths)


def _put_off(rows: list[SessionRow], talks: list[Talk]) -> Deferral | None:
    """The deferral that keeps what is shown from calling."""
    if not any(flag.is_put_off for talk in talks for flag in talk.flags):
        return None
    return next((one for row in rows for one in reversed(row.deferrals) if one.holds), None)


def _mark_repairs(rows: Iterable[SessionRow], said: dict[int, list[tuple[RepairState, str]]]) -> None:
    for row in rows:
        row.repairs = said.get(row.session.number, [])
