"""Columns of a questionnaire, whose items and points are those of its instrument: for files, and in words to read."""

from collections.abc import Mapping
from typing import Any

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument, Wording
from alliance.measurement.scoring import figure, scale_end
from alliance.measurement.stated_parts import as_stated, from_stored
from alliance.measurement.wording_file import as_wording
from sessions_app.instruments import missing_answers
from sessions_app.instruments.offers import wording_of

# What is needed of a row to say an answer in words, in the order of the parameters below.
OF = ("answers", "instrument", "instrument_version", "language", "wording__items", "wording__form")
# What is needed of a row to score it; the last comes with the query, so that no row costs one of its own.
SCORED = ("answers", "instrument", "instrument_version", "wording__form", missing_answers.IN_FORCE)
Answers = Mapping[str, int | None]


def answers_in_words(
    answers: Answers,
    instrument: str,
    version: str,
    language: str,
    items: Mapping[str, Any] | None,
    form: Mapping[str, Any] | None,
) -> str:
    """A line for each question, as it was read: the question, its answer, and what that answer is called."""
    if not answers:
        return ""
    scored = _scored(instrument, version, form)
    wording = _wording(scored, language, items, form)
    lines = []
    for item in scored.items:
        question = wording.items[item.id].question if wording else _heading(item.label)
        answer = answers.get(item.id)
        if answer is None:
            lines.append(f"{question}: not answered")
            continue
        labels = {one.value_tenths: one.label for one in wording.points_of(item.id)} if wording else {}
        label = f" ({labels[answer]})" if labels.get(answer) else ""
        lines.append(f"{question}: {figure(scored, answer)} of {scale_end(item.maximum)}{label}")
    return "\n".join(lines)


def name(instrument: str, version: str) -> str:
    found = instruments.get(instrument, version)
    return found.name if found == instruments.get(instrument) else f"{found.name}, version {version}"


def subscales(
    answers: Answers, instrument: str, version: str, form: Mapping[str, Any] | None, rules: Any
) -> str | None:
    """Each with its value in points, a dash where an answer is missing; None where it has none."""
    scored = _scored(instrument, version, form)
    if not scored.subscales or not answers:
        return None
    score = missing_answers.came_with(rules).score(scored, answers)
    said = {one: "–" if value is None else figure(scored, value) for one, value in score.subscales.items()}
    how = {one: missing_answers.of_subscale(one, score, scored) for one in said}
    return "; ".join(f"{one} {value}{f' ({how[one]})' if how[one] else ''}" for one, value in said.items())


def prorated_total(
    answers: Answers, instrument: str, version: str, form: Mapping[str, Any] | None, rules: Any
) -> str | None:
    """The total where it is pro-rated, in points and with how; None where all is answered, and where no rule holds."""
    scored = _scored(instrument, version, form)
    if scored.missing is None or not answers:
        return None
    # An item that is not in the row was not answered either.
    given = {item.id: answers.get(item.id) for item in scored.items}
    score = missing_answers.came_with(rules).score(scored, given)
    how = missing_answers.in_words(score, scored)
    return f"{figure(scored, score.total)} ({how})" if how and score.total is not None else None


def range_of_total(instrument: str, version: str, form: Mapping[str, Any] | None) -> str | None:
    scored = _scored(instrument, version, form)
    if not scored.has_total:
        return None
    return f"{scale_end(scored.total_minimum)} to {scale_end(scored.total_maximum)}"


def _scored(instrument: str, version: str, form: Mapping[str, Any] | None) -> Instrument:
    defined = instruments.get(instrument, version)
    return as_stated(defined, from_stored(form.get("stated", {}))) if form else defined


def _wording(
    scored: Instrument, language: str, items: Mapping[str, Any] | None, form: Mapping[str, Any] | None
) -> Wording | None:
    if items is not None:
        asked = {item.id: items[item.id] for item in scored.items}
        return as_wording(language=language, title="", introduction="", items=asked, form=form or {})
    return wording_of(scored, language) if scored.wordings else None


def _heading(label: str) -> str:
    return label[:1].upper() + label[1:]
