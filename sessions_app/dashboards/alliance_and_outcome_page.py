"""Alliance and outcome of one client under each other, on one axis of time, each on its own scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alliance.measurement.alliance_and_outcome import Together, alliance_of, read_together
from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import figure, points
from clients.models import Episode
from sessions_app.dashboards import outcome_drawing, questionnaire_panels
from sessions_app.dashboards.outcome_drawing import Line
from sessions_app.flags import course
from sessions_app.flags.course import RatedSession
from sessions_app.instruments import promises, rule_settings
from sessions_app.instruments.promises import Door
from sessions_app.questionnaires import series as responses
from sessions_app.questionnaires.series import Series


@dataclass(frozen=True)
class Both:
    """One session in the table: what was marked at it, as text; empty where nothing was."""

    number: int
    held_at: datetime
    outcome: str
    alliance: str


@dataclass(frozen=True)
class Choice:
    """An outcome scale that can be read beside the alliance; its key stands in the address."""

    key: str
    name: str
    is_shown: bool


@dataclass(frozen=True)
class AllianceAndOutcome:
    """series: None where no outcome scale was marked."""

    episode: Episode
    series: Series | None
    choices: tuple[Choice, ...] = ()
    said: Together | None = None
    outcome_drawing: str = ""
    alliance_drawing: str = ""
    alliance_scale: Instrument | None = None
    alliance_words: str = ""
    rows: tuple[Both, ...] = ()

    @property
    def outcome_name(self) -> str:
        assert self.series is not None
        return _name(self.series)


def read(episode: Episode, now: datetime, chosen: str = "", *, is_own: bool) -> AllianceAndOutcome:
    """chosen: which outcome scale, by its key; where it names none of them, the one that was marked last.

    is_own: whether the reader treats the client; else they supervise, and read what was promised.
    """
    door = Door.THERAPIST if is_own else Door.SUPERVISOR
    series_of_episode = responses.of_episode(episode, door)
    companions = [one for one in series_of_episode if one.is_companion and one.counting]
    if not companions:
        return AllianceAndOutcome(episode, None)
    by_key = {_key(one): one for one in companions}
    series = by_key.get(chosen) or max(companions, key=lambda one: one.counting[-1].at)
    rules = rule_settings.in_force()
    whole = [one for one in course.read(episode, now, rules) if _total(one) is not None]
    shown = [one for one in whole if one.rating and promises.allows(one.rating, door)]
    rated = _of_one_form(shown)
    last = rated[-1] if rated else None
    parameters = course.parameters_of(last.rating if last else None, rules)
    # What a rule found may compare with marks that are not shown.
    is_whole = len(shown) == len(whole)
    raised = frozenset(finding.rule for finding in last.findings) if last and is_whole else frozenset()
    alliance = alliance_of(_total(last) if last else None, parameters, rules=raised)
    assert series.last is not None
    said = read_together(
        series.reading.outcome,
        alliance,
        session=series.last.number,
        scale=series.instrument,
        parameters=parameters,
    )
    moments = [one.at for one in series.counting] + [one.session.held_at for one in rated]
    within = outcome_drawing.frame(moments)
    scale = course.instrument_of(last.rating if last else None)
    levels = [] if parameters.cutoff is None else [(parameters.cutoff, "cutoff")]
    alliance_line = Line(
        [(one.session.held_at, _total(one)) for one in rated],
        scale.total_minimum,
        scale.total_maximum,
        levels,
    )
    return AllianceAndOutcome(
        episode=episode,
        series=series,
        choices=tuple(Choice(key, _name(one), one is series) for key, one in by_key.items()),
        said=said,
        outcome_drawing=outcome_drawing.drawing(
            questionnaire_panels.line_of(series), within, labelled_by="outcome-title outcome-words"
        ),
        alliance_drawing=outcome_drawing.drawing(
            alliance_line, within, labelled_by="alliance-title alliance-words"
        )
        if rated
        else "",
        alliance_scale=scale,
        alliance_words=_alliance_words(rated),
        rows=tuple(_rows(series, rated)),
    )


def _of_one_form(rated: list[RatedSession]) -> list[RatedSession]:
    """Those of the form that was used last: two forms are never on one scale."""
    if not rated or rated[-1].rating is None:
        return []
    last = rated[-1].rating.series
    return [one for one in rated if one.rating is not None and one.rating.series == last]


def _total(one: RatedSession) -> int | None:
    return one.rating.total if one.rating else None


def _key(series: Series) -> str:
    """In an address: no row number, nothing about the client."""
    return "-".join((series.instrument.id, series.instrument.version, series.edition)).strip("-")


def _name(series: Series) -> str:
    return series.instrument.name + (f", edition {series.edition}" if series.edition else "")


def _alliance_words(rated: Sequence[RatedSession]) -> str:
    if not rated:
        return "No complete rating yet."
    first, last = _total(rated[0]), _total(rated[-1])
    assert first is not None
    assert last is not None
    said = f"{points(last)} at the last complete rating, session {rated[-1].session.number}"
    return f"{said}; {points(first)} at the first." if len(rated) > 1 else f"{said}."


def _rows(series: Series, rated: Sequence[RatedSession]) -> list[Both]:
    """The newest first."""
    found: dict[int, dict[str, object]] = {}
    for answered in series.counting:
        row = found.setdefault(answered.number, {"held_at": answered.at})
        said = "–" if answered.total is None else figure(answered.instrument, answered.total)
        row["outcome"] = f"{said}, {answered.prorated}" if answered.prorated else said
    for one in rated:
        row = found.setdefault(one.session.number, {"held_at": one.session.held_at})
        total = _total(one)
        row["alliance"] = "" if total is None else points(total)
    return [
        Both(number, row["held_at"], str(row.get("outcome", "")), str(row.get("alliance", "")))  # type: ignore[arg-type]
        for number, row in sorted(found.items(), reverse=True)
    ]
