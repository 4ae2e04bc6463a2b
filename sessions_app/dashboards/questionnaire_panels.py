"""The questionnaires on the client's page: a panel for each series, what waits for a decision, and risk answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.safestring import SafeString

from alliance.measurement.instruments import Instrument
from alliance.measurement.outcome import Step
from alliance.measurement.scoring import figure, scale_end
from clients.models import Ending, Episode
from sessions_app.courses.responses import Held, QuestionnaireResponse
from sessions_app.dashboards import outcome_drawing
from sessions_app.dashboards.outcome_drawing import Frame, Line
from sessions_app.instruments import missing_answers, promises
from sessions_app.instruments.promises import Door, kept
from sessions_app.questionnaires import series as responses
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote
from sessions_app.questionnaires.series import Answered, Series

WHY_HELD = {
    Held.DISPUTED: "Other answers to the same form had arrived before.",
    Held.WITHDRAWN: "The form had been taken back when they came.",
    Held.LATE: "They came after the last day on which answers are taken.",
    Held.INVALID: "They could not be read as answers. What arrived stays as it came.",
}


@dataclass(frozen=True)
class Cell:
    """One subscale of one set of answers, as text."""

    name: str
    value: str
    prorated: str  # “pro-rated from 3 of 4”; empty where all of it was answered


@dataclass(frozen=True)
class Row:
    """One set of answers in the table of a panel."""

    answered: Answered
    total: str
    step: Step | None
    cells: tuple[Cell, ...]
    missing: int  # how many questions have no answer
    comment: str  # as far as the reader may read it


@dataclass(frozen=True)
class Other:
    """Answers that do not count, with the reason."""

    answered: Answered
    total: str
    why: str
    comment: str

    @property
    def can_count(self) -> bool:
        return self.answered.is_readable and not self.answered.response.session.is_voided


@dataclass(frozen=True)
class Panel:
    """One series. place: for the ids of the page."""

    series: Series
    rows: tuple[Row, ...]  # the newest first
    others: tuple[Other, ...]
    drawing: SafeString
    place: str

    @property
    def title(self) -> str:
        edition = f", edition {self.series.edition}" if self.series.edition else ""
        return f"{self.series.instrument.name}{edition}"

    @property
    def who(self) -> str:
        return self.series.said_by

    @property
    def range(self) -> str:
        """What a total can be, from the definition; empty where there is none."""
        one = self.series.instrument
        if not one.has_total or one.total_minimum >= one.total_maximum:
            return ""
        return f"{scale_end(one.total_minimum)} to {scale_end(one.total_maximum)}"

    @property
    def good_end(self) -> str:
        return {"higher_is_better": "higher is better", "higher_is_worse": "lower is better"}.get(
            self.series.instrument.direction, "neither end is the good one"
        )

    @property
    def about(self) -> str:
        """What it asks about: "the last two weeks"."""
        return self.series.instrument.recall or "this session"

    @property
    def subscales(self) -> Sequence[str]:
        return tuple(self.series.instrument.subscales)

    @property
    def is_provisional(self) -> bool:
        one = self.series.instrument
        return one.licence == "ours" and not one.cutoffs and one.reliable_change is None


@dataclass(frozen=True)
class Group:
    """The raters and editions of one instrument, side by side and never pooled."""

    name: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class RiskEntry:
    answer: RiskAnswer
    notes: Sequence[RiskNote]


@dataclass(frozen=True)
class Questionnaires:
    """may_settle: whether the reader decides about answers; may_note: whether they look at risk answers."""

    episode: Episode
    groups: tuple[Group, ...]
    is_own: bool
    may_settle: bool
    noted: tuple[RiskEntry, ...]  # risk answers about which somebody wrote, the newest first
    has_companion: bool

    @property
    def waits(self) -> list[Other]:
        return [
            one
            for group in self.groups
            for panel in group.panels
            for one in panel.others
            if one.answered.waits
        ]

    @property
    def panels(self) -> list[Panel]:
        return [panel for group in self.groups for panel in group.panels]


def read(episode: Episode, *, is_own: bool) -> Questionnaires:
    """All that the reader is shown of this episode, which they must be allowed to see; five queries."""
    door = Door.THERAPIST if is_own else Door.SUPERVISOR
    found = responses.of_episode(episode, door)
    panels = [_panel(one, str(place), reads_comments=is_own) for place, one in enumerate(found)]
    groups = [
        Group(same[0].title, tuple(same))
        for _, of in groupby(panels, key=lambda one: one.series.instrument.form_of)
        if (same := list(of))
    ]
    return Questionnaires(
        episode=episode,
        groups=tuple(groups),
        is_own=is_own,
        may_settle=is_own and episode.ending != Ending.TRANSFERRED,
        noted=tuple(_noted(episode, door)),
        has_companion=any(one.is_companion and one.counting for one in found),
    )


def _noted(episode: Episode, door: Door) -> list[RiskEntry]:
    notes: dict[int, list[RiskNote]] = {}
    of_episode = RiskNote.objects.filter(answer__response__session__episode=episode)
    rows = of_episode.filter(kept(door, "answer__response__promise"))
    answers = {}
    related = ("noted_by", "answer__response__session", "answer__response__wording")
    for note in rows.select_related(*related).order_by("pk"):
        notes.setdefault(note.answer_id, []).append(note)
        answers[note.answer_id] = note.answer
    entries = [RiskEntry(answers[pk], of) for pk, of in notes.items()]
    return sorted(entries, key=lambda one: one.answer.raised_at, reverse=True)


def _panel(series: Series, place: str, *, reads_comments: bool) -> Panel:
    return Panel(
        series=series,
        rows=tuple(_row(series, one, reads_comments=reads_comments) for one in reversed(series.counting)),
        others=tuple(_other(one, reads_comments=reads_comments) for one in series.others),
        drawing=_drawn(series, place),
        place=place,
    )


def _row(series: Series, one: Answered, *, reads_comments: bool) -> Row:
    return Row(
        answered=one,
        total=_figure(one.instrument, one.total),
        step=series.step_to(one),
        cells=tuple(
            Cell(
                name,
                _figure(one.instrument, value),
                missing_answers.of_subscale(name, one.score, one.instrument),
            )
            for name, value in one.score.subscales.items()
        ),
        missing=sum(value is None for value in one.score.answers.values()),
        comment=_comment(one, reads_comments=reads_comments),
    )


def _other(one: Answered, *, reads_comments: bool) -> Other:
    if one.response.session.is_voided:
        why = "The session was voided."
    elif one.decision is not None:
        why = f"{one.decision.decided_by}: “{one.decision.why}”"
    else:
        why = WHY_HELD[Held(one.response.held)]
    return Other(
        one, _total(one) if one.is_readable else "", why, _comment(one, reads_comments=reads_comments)
    )


def _comment(one: Answered, *, reads_comments: bool) -> str:
    """The rater's own words: for the therapist, and for others where the rater agreed."""
    return promises.comment_for(one.response, reads_all=reads_comments)


def _figure(instrument: Instrument, tenths: int | None) -> str:
    return "–" if tenths is None else figure(instrument, tenths)


def _total(one: Answered) -> str:
    """With how it came about, where that was by the owner's rule about missing answers."""
    said = _figure(one.instrument, one.total)
    return f"{said} ({one.prorated})" if one.prorated else said


# --- The picture -----------------------------------------------------------------------------------


def line_of(series: Series) -> Line:
    """The course of a series on its own scale."""
    one = series.instrument
    return Line(
        totals=[(answered.at, answered.total) for answered in series.counting],
        low=one.total_minimum,
        high=one.total_maximum,
        levels=[(cutoff.tenths, cutoff.name) for cutoff in one.cutoffs],
    )


def _drawn(series: Series, place: str) -> SafeString:
    """Nothing where there is no total to draw."""
    if not series.totals:
        return SafeString("")
    within: Frame = outcome_drawing.frame([one.at for one in series.counting])
    return outcome_drawing.drawing(line_of(series), within, labelled_by=f"panel-{place} panel-words-{place}")


# --- One set of answers, before a decision -----------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One set of answers and the one that counts now, question by question."""

    answered: Answered
    stands: Answered | None
    lines: tuple[tuple[str, str, str], ...]  # the question, its answer here, and in the set that counts
    total: str
    why: str
    language: str  # of the questions
    stem: str  # what each of them finishes; empty where they are whole


def of_response(response: QuestionnaireResponse) -> Shown:
    """`response` with what its page compares it with: the answers of the same form that count, if others do."""
    same = responses.of_grant(response)
    one = next(answered for answered in same if answered.response.pk == response.pk)
    stands = next((other for other in same if other.counts and other is not one), None)
    there = stands.score.answers if stands else {}
    # As it was read: the name of a question is "item 7" where its words are the owner's.
    read = responses.read_words(response)
    words = read.items if read else {}
    lines = [
        (
            words[item.id].question if item.id in words else item.label[:1].upper() + item.label[1:],
            _figure(one.instrument, one.score.answers[item.id]),
            _figure(one.instrument, there.get(item.id)),
        )
        for item in one.instrument.items
    ]
    why = WHY_HELD[Held(response.held)] if response.held else ""
    return Shown(
        one,
        stands,
        tuple(lines) if one.is_readable else (),
        _total(one),
        why,
        read.language if read else "en",
        read.stem if read else "",
    )
