"""Columns of a questionnaire, whose items and points are those of its instrument: for files, and in words to read."""

from collections.abc import Mapping
from typing import Any

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument, Wording
from alliance.measurement.scoring import figure, scale_end
from alliance.measurement.stated_parts import as_stated, from_stored
from alliance.measurement.wording_file import as_wording
from sessions_app.instruments.offers import wording_of

# What is needed of a row to say an answer in words, in the order of the parameters below.
OF = ("answers", "instrument", "instrument_version", "language", "wording__items", "wording__form")
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


def subscales(answers: Answers, instrument: str, version: str, form: Mapping[str, Any] | None) -> str | None:
    """Each with its value in points, a dash where an answer is missing; None where it has none."""
    scored = _scored(instrument, version, form)
    if not scored.subscales or not answers:
        return None
    found = scoring.score(scored, answers).subscales
    return "; ".join(
        f"{one} {'–' if value is None else figure(scored, value)}" for one, value in found.items()
    )


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
