"""The picture of a course as a Plotly figure: a plain dict.

A dict costs 0.06 ms where `plotly.graph_objects` costs 15.7 ms (measured); the tests validate the
same dict against Plotly's own schema. Colours are names of custom properties of theme.css, put in
by the page's script, so that light, dark and print each show their own.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from alliance.measurement.handbook import RULES
from alliance.measurement.scoring import points
from sessions_app.dashboards.course_frame import (
    CEILING,
    FLOOR,
    LOW_POINTS,
    MANY,
    NOT_RATED,
    TALKS,
    TOTAL_FROM,
    WORDS_AT,
    changes,
    domain,
    last_values,
    side,
    ticks_of_totals,
    usual_label,
)
from sessions_app.dashboards.course_picture import SHAPES, CoursePicture, Stop


class WithoutSpaces(DjangoJSONEncoder):
    """A sixth of the figures of a long course would be spaces."""

    item_separator, key_separator = ",", ":"


def figure(course: CoursePicture) -> dict[str, Any]:
    """All of the picture: total, levels and reasons above, the lines beneath on the same axis."""
    traces = [*_level(course), *_usual(course), _total(course), *_reasons(course)]
    traces += [*_low_points(course), *_not_rated(course), *_talks(course), *_lines(course)]
    return {"data": traces, "layout": _layout(course)}


def page_data(course: CoursePicture) -> dict[str, Any]:
    """What the page's script reads: the figure, in which "@dates" stands for the list of dates, and what points tell.

    talks: number, moment and session of each; the figure has none of them, for the script puts those that would lie
    over each other together.
    minutes: at which each date is, from `begins` on. numbers: of the session at each. reasons: {place in the list:
    letters}. The list is written once, and short: a course of 500 sessions would carry 80 KB of dates.
    """
    dates = _dates(course)
    shown = figure(course)
    places = [(place, stop) for place, stop in enumerate(_with_breaks(course)) if stop]
    begins = places[0][1].at if places else course.first
    for trace in shown["data"]:
        if trace["x"] == dates:
            trace["x"] = "@dates"
        if trace["name"] == "Talks":
            trace |= {"x": [], "y": trace["y"][:1], "text": []}
    raised = {place: "".join(stop.reasons) for place, stop in places if stop.reasons}
    letters = {letter for reasons in raised.values() for letter in reasons}
    return {
        "figure": shown,
        "begins": _at(begins),
        "minutes": [stop and (stop.at - begins) // timedelta(minutes=1) for stop in _with_breaks(course)],
        "numbers": [stop.number if stop else None for stop in _with_breaks(course)],
        "reasons": raised,
        "words": {letter: _said(letter) for letter in sorted(letters)},
        "talks": [[tick.number, _at(tick.at), tick.session] for tick in course.ticks],
        "range": [_at(course.first), _at(course.last)],
        "top": course.instrument.total_maximum // 10,
    }


def _said(letter: str) -> str:
    return f"{SHAPES[letter].sign} {RULES[letter].name}" if letter in SHAPES else RULES[letter].name


# --- The total ------------------------------------------------------------------------------------


def _total(course: CoursePicture) -> dict[str, Any]:
    size = 4 if len(course.rated) > MANY else 8
    values = [None if stop is None else _in_points(stop.total) for stop in _with_breaks(course)]
    return {
        **_line("Total", _dates(course), values, "--chart-line", 2.25),
        "mode": "lines+markers",
        "connectgaps": False,
        "marker": {"size": size, "color": "--chart-line"},
    }


def _usual(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """Both ends of the usual range as thin lines; the upper one only where it is below the top of the scale."""
    top = course.instrument.total_maximum
    stops = _with_breaks(course)
    ranges = [stop.usual if stop else None for stop in stops]
    lower = [None if one is None else round(one.lower / 10, 1) for one in ranges]
    upper = [None if one is None or one.upper >= top else round(one.upper / 10, 1) for one in ranges]
    for name, values in (("Usual range, lower end", lower), ("Usual range, upper end", upper)):
        if any(value is not None for value in values):
            yield {**_line(name, _dates(course), values, "--chart-range", 1), "connectgaps": False}


def _level(course: CoursePicture) -> Iterator[dict[str, Any]]:
    level = course.level
    if level is None:
        return
    first, last = level.ends(course)
    yield _line("Own level", [_at(first), _at(last)], [round(level.mean / 10, 2)] * 2, "--chart-level", 5)


def _reasons(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """Each reason in its own shape; what calls for a talk larger and in the colour of change."""
    drawn = sorted((stop for stop in course.stops if stop.drawn), key=_kind)
    shrunk = 0.65 if len(course.rated) > MANY else 1
    for (letter, calls), stops in groupby(drawn, key=_kind):
        found = list(stops)
        yield {
            **_marks(RULES[letter].name, found, [_in_points(stop.total) for stop in found]),
            "marker": {
                "symbol": SHAPES[letter].symbol,
                "size": (17 if calls else 12) * shrunk,
                "color": "--chart-flag" if calls else "--text-light",
                "line": {"width": (2.5 if calls else 1.25) * shrunk},
            },
        }


def _kind(stop: Stop) -> tuple[str, bool]:
    return stop.drawn, stop.calls


def _low_points(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """Each low point as a bar under the scale, dotted where the ratings did not come back."""
    for is_back, name, dash in ((True, "Low point, back", "solid"), (False, "Low point, not back", "dot")):
        bars = [one for one in course.stretches if one.is_back == is_back]
        if bars:
            x = [at for one in bars for at in (_at(one.first), _at(one.last), None)]
            y = [LOW_POINTS * course.scale, LOW_POINTS * course.scale, None] * len(bars)
            yield {
                **_line(name, x, y, "--chart-flag", 4),
                "connectgaps": False,
                "line": {"color": "--chart-flag", "width": 4, "dash": dash},
            }


def _not_rated(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """A hollow mark for each session without a complete rating, crossed where the gap is a reason of its own."""
    unrated = [stop for stop in course.stops if stop.total is None]
    if not unrated:
        return
    yield {
        **_marks("No complete rating", unrated, [NOT_RATED * course.scale] * len(unrated)),
        "marker": {
            "symbol": ["circle-x-open" if "G" in stop.reasons else "circle-open" for stop in unrated],
            "size": 9 if len(unrated) < MANY else 6,
            "color": "--text-light",
            "line": {"width": 1.5},
        },
    }


def _talks(course: CoursePicture) -> Iterator[dict[str, Any]]:
    if not course.ticks:
        return
    yield {
        "type": "scatter",
        "mode": "markers+text",
        "name": "Talks",
        "x": [_at(tick.at) for tick in course.ticks],
        "y": [TALKS * course.scale] * len(course.ticks),
        "text": [str(tick.number) for tick in course.ticks],
        "textfont": {"size": 11, "color": "--text"},
        "marker": {
            "symbol": "circle-open",
            "size": 18,
            "color": "--chart-discussion",
            "line": {"width": 1.5},
        },
        "cliponaxis": False,
    }


# --- The lines beneath ----------------------------------------------------------------------------


def _lines(course: CoursePicture) -> Iterator[dict[str, Any]]:
    size = 2.5 if len(course.rated) > MANY else 4.5
    for place, (line, heading) in enumerate(course.lines, start=2):
        values = [None if stop is None else _in_points(stop.marks.get(line)) for stop in _with_breaks(course)]
        yield {
            **_line(heading, _dates(course), values, "--chart-line", 1.5),
            "mode": "lines+markers",
            "connectgaps": False,
            "marker": {"size": size, "color": "--chart-line"},
            "yaxis": f"y{place}",
        }


# --- The frame ------------------------------------------------------------------------------------


def _layout(course: CoursePicture) -> dict[str, Any]:
    lines = len(course.lines)
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "--text"},
        "margin": {"l": 70, "r": 38, "t": 4, "b": 36},
        "showlegend": False,
        "hovermode": False,
        "dragmode": False,
        "xaxis": {
            "type": "date",
            "range": [_at(course.first), _at(course.last)],
            "anchor": f"y{lines + 1}",
            "tickformat": "%b\n%Y",
            # Days as on all pages; Plotly’s own are "Nov 28".
            "tickformatstops": [{"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"}],
            "color": "--text-light",
            "gridcolor": "--border",
            "fixedrange": True,
            "zeroline": False,
        },
        "yaxis": _scale_of_totals(course),
        "shapes": [*_gap(course), *_frame(course), *_other_forms(course)],
        "annotations": [*_words(course), *_names(course), *_last_values(course)],
    }
    for place in range(lines):
        layout[f"yaxis{place + 2}"] = {
            "domain": list(domain(place, lines)),
            "anchor": "x",
            "range": [-0.8, course.instrument.items[place].maximum / 10 + 0.8],
            "tickvals": [0, course.instrument.items[place].maximum / 10],
            "color": "--text-light",
            "gridcolor": "--border",
            "fixedrange": True,
            "zeroline": False,
            "tickfont": {"size": 11},
        }
    return layout


def _scale_of_totals(course: CoursePicture) -> dict[str, Any]:
    """The whole scale, always; the names of the rows beside it, and of the cutoff."""
    ticks, scale = ticks_of_totals(course), course.scale
    return {
        "domain": [TOTAL_FROM, 1],
        "anchor": "x",
        "range": [FLOOR * scale, CEILING * scale],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "color": "--text-light",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 12},
    }


def _frame(course: CoursePicture) -> Iterator[dict[str, Any]]:
    top = course.instrument.total_maximum / 10
    for part in range(5):
        yield _across(top * part / 4, "--border", 1)
    if course.cutoff is not None:
        yield {**_across(course.cutoff / 10, "--chart-cutoff", 2, "dash"), "name": "Cutoff"}


def _across(at: float, colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    stroke = {"color": colour, "width": width, "dash": dash}
    return {
        **{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at},
        "line": stroke,
        "layer": "below",
    }


def _gap(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """How sure the own level is, and from it to where the last ratings lie."""
    level, rated = course.level, course.rated
    if level is None:
        return
    first, last = level.ends(course)
    mean, recent, end = round(level.mean / 10, 2), round(level.recent / 10, 2), _at(rated[-1].at)
    yield {
        **{"type": "rect", "x0": _at(first), "x1": _at(last), "layer": "below", "line": {"width": 0}},
        **{"y0": round(level.lower / 10, 2), "y1": round(level.upper / 10, 2), "fillcolor": "--chart-band"},
        "name": "Own level, 95 %",
    }
    stroke = {"color": "--chart-level", "width": 1.5, "dash": "dot"}
    yield {"type": "line", "x0": _at(last), "x1": end, "y0": mean, "y1": mean, "line": stroke}
    if level.shows_gap:
        yield {
            **{"type": "line", "x0": end, "x1": end, "y0": mean, "y1": recent},
            "line": {"color": "--chart-level", "width": 1.5},
        }


def _other_forms(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """A thin line before each session from which another form was used."""
    for at, _ in changes(course):
        yield {
            **{"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": _at(at), "x1": _at(at)},
            **{"layer": "below", "line": {"color": "--text-light", "width": 1, "dash": "dot"}},
            "name": "Other form",
        }


def _words(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """What stands beside what it names: the own level, the usual range, the newest of each reason, another form."""
    scale = course.scale
    if course.level:
        yield {
            **_text(course.rated[-1].at, WORDS_AT * scale, course.level.words, "--text", 13),
            **{"xanchor": "right", "yanchor": "bottom", "name": "level"},
        }
    first = usual_label(course)
    if first and first.usual:
        yield {
            **_text(first.at, first.usual.lower / 10, "usual range", "--text-light", 11),
            **{"xanchor": "left", "yanchor": "top", "name": "usual"},
        }
    for stop in course.labelled():
        assert stop.total is not None
        yield {
            **_text(stop.at, stop.total / 10, RULES[stop.drawn].name, "--chart-flag", 12),
            **{"xanchor": side(course, stop.at), "yanchor": "top", "yshift": -9, "name": "reason"},
        }
    for at, name in changes(course):
        where = "right" if side(course, at) == "right" else "left"
        yield {
            **_text(at, 1 * scale, f"{name} →", "--text-light", 12),
            **{"xanchor": where, "yanchor": "bottom", "name": "form"},
        }


def _names(course: CoursePicture) -> Iterator[dict[str, Any]]:
    for place, (_, heading) in enumerate(course.lines):
        yield {
            **{"xref": "paper", "yref": "paper", "x": 0, "y": domain(place, len(course.lines))[1]},
            **{"xanchor": "left", "yanchor": "bottom", "yshift": -2, "showarrow": False, "name": "line"},
            **{"text": heading, "font": {"size": 12, "color": "--text"}},
        }


def _last_values(course: CoursePicture) -> Iterator[dict[str, Any]]:
    """The last value at the end of each line; text in the margin, so that it hides nothing."""
    for place, value in last_values(course):
        axis, size, weight = (f"y{place}", 12, 400) if place > 1 else ("y", 13, 700)
        yield {
            **{"xref": "paper", "yref": axis, "x": 1, "y": value / 10, "xanchor": "left", "showarrow": False},
            **{"text": points(value), "xshift": 2, "name": "last"},
            "font": {"size": size, "color": "--text", "weight": weight},
        }


# --- Small things ---------------------------------------------------------------------------------


def _in_points(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def _with_breaks(course: CoursePicture) -> list[Stop | None]:
    """The sessions, and None before each from which another form was used: no line is drawn from one to the other."""
    found: list[Stop | None] = []
    for stop in course.stops:
        found += [None, stop] if stop.begins_form else [stop]
    return found


def _dates(course: CoursePicture) -> list[str | None]:
    return [_at(stop.at) if stop else None for stop in _with_breaks(course)]


def _line(name: str, x: Sequence[Any], y: Sequence[Any], colour: str, width: float) -> dict[str, Any]:
    return {
        **{"type": "scatter", "mode": "lines", "name": name, "x": list(x), "y": list(y)},
        "line": {"color": colour, "width": width},
    }


def _marks(name: str, stops: Sequence[Stop], values: Sequence[Any]) -> dict[str, Any]:
    x = [_at(stop.at) for stop in stops]
    return {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": list(values)}


def _text(x: datetime, y: float, text: str, colour: str, size: int) -> dict[str, Any]:
    return {"x": _at(x), "y": y, "text": text, "showarrow": False, "font": {"size": size, "color": colour}}
