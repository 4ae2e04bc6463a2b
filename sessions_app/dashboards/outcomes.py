"""How the clients of a list are doing, where the clinic uses an outcome scale; a few queries for all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alliance.measurement import instruments
from alliance.measurement.alliance_and_outcome import alliance_of, is_not_improving_with_a_low_alliance
from alliance.measurement.outcome import Reading
from alliance.measurement.scoring import figure, scale_end
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.instruments import rule_settings
from sessions_app.instruments.promises import Door
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.questionnaires import series as responses
from sessions_app.questionnaires.series import Series

SCALE = instruments.get(instruments.SESSION_RATING)


@dataclass(frozen=True)
class OutcomeCell:
    """One client in the outcome column, as text. is_reason: not improving by session 4, with a low alliance."""

    scale: str
    total: str
    of: str
    arrow: str
    word: str
    reliable: str
    where: str
    prorated: str
    is_reason: bool

    @property
    def reason(self) -> str:
        """Why this client is looked at, as a sentence; empty where this is no reason."""
        if not self.is_reason:
            return ""
        return (
            f"Not improving by session 4 ({self.scale}), and the alliance is low: look at the alliance first."
        )


def read(
    courses: Sequence[CourseStanding], now: datetime, door: Door = Door.THERAPIST
) -> dict[int, OutcomeCell]:
    """{episode: its cell}; as many queries for one as for all. door: on which way they are shown."""
    episodes = [course.episode.pk for course in courses]
    rows = QuestionnaireResponse.objects.standing().filter(session__episode__in=episodes).through(door)
    found = responses.companions(rows)
    if not found:
        return {}
    rules = rule_settings.in_force()
    return {
        course.episode.pk: _cell(course, found[course.episode.pk], rules)
        for course in courses
        if course.episode.pk in found
    }


def _cell(course: CourseStanding, series: Series, rules: RuleSettings) -> OutcomeCell:
    reading, last = series.reading, series.last
    assert last is not None
    step = reading.since_first
    return OutcomeCell(
        scale=series.instrument.name,
        total="–" if reading.total is None else figure(series.instrument, reading.total),
        of=scale_end(series.instrument.total_maximum),
        arrow=step.arrow if step else "",
        word=step.word if step else "",
        reliable=step.reliable_in_words if step else "",
        where=f"session {last.number}",
        prorated=series.last_total_is,
        is_reason=_is_reason(course, reading, last.number, rules),
    )


def _is_reason(course: CourseStanding, reading: Reading, session: int, rules: RuleSettings) -> bool:
    """The alliance is low by the stored standing, which holds the cutoff of the form that was used last."""
    language = course.episode.client.language
    cutoffs = course.row.course["cutoff"]
    parameters = replace(rules.parameters(SCALE, language), cutoff=cutoffs.get(language, cutoffs[""]))
    alliance = alliance_of(course.last_total, parameters, rules=frozenset())
    return is_not_improving_with_a_low_alliance(reading.outcome, alliance, session=session)
