"""Charts: Plotly figures as plain dicts.

A dict costs 0.06 ms where `plotly.graph_objects` costs 15.7 ms (measured); the tests validate the
same dict against Plotly's own schema. Colours are names of custom properties of theme.css, put in
by the page's script, so that light, dark and print each show their own.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import RepairState, Rupture
from alliance.measurement.scoring import points
from alliance.measurement.trends import usual_range
from sessions_app.conversations.repairs import WORDS
from sessions_app.courses.wordings import name_of
from sessions_app.flags.course import RatedSession

LINE_STYLES = ("solid", "dash", "dot", "dashdot")
LINE_SYMBOLS = ("circle", "square", "diamond", "triangle-up")


# How a rupture is drawn: what it is called in the legend, the colour inside, the line around it. Not by colour alone.
_BACK = ("Low point, back", "--chart-back", "solid")
_NOT_BACK = ("Low point, not back", "--chart-fall", "dot")
_ARE_BACK = (RepairState.BACK_ONCE, RepairState.RECOVERED)


def in_points(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10


# --- The course of one client ---------------------------------------------------------------------


def course_figure(
    course: Sequence[RatedSession],
    parameters: Parameters,
    instrument: Instrument,
    discussed: frozenset[int] = frozenset(),
    ruptures: Sequence[Rupture] = (),
) -> dict[str, Any]:
    """The total by session: points and line, cutoff, usual range, flagged points, ruptures, discussion marks.

    `discussed` holds the numbers of the sessions that were talked about. Totals are shown in points.
    """
    traces = [*_usual_range(course), _cutoff(course, parameters), _totals(course)]
    traces += [_flagged(course), _discussions(course, discussed, instrument)]
    layout = {**_layout(course, instrument.total_maximum), **_other_forms(course)}
    if stretches := _stretches(course, ruptures):
        layout["shapes"] = [*stretches, *layout.get("shapes", [])]
    return {"data": [trace for trace in traces if trace], "layout": layout}


def lines_figure(course: Sequence[RatedSession], instrument: Instrument) -> dict[str, Any]:
    """Each line of the instrument by session, in points, told apart by symbol and dash as well as colour."""
    rated = [one for one in course if one.rating and not one.rating.is_total_only]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": item.label[:1].upper() + item.label[1:],
            **_in_series(rated, [in_points(one.rating.marks[item.id]) for one in rated if one.rating]),
            "connectgaps": False,
            "line": {"color": f"--chart-{place + 1}", "width": 2, "dash": LINE_STYLES[place % 4]},
            "marker": {"size": 7, "symbol": LINE_SYMBOLS[place % 4]},
            "hovertemplate": "%{y:.1f} of 10<extra>%{fullData.name}</extra>",
        }
        for place, item in enumerate(instrument.items)
    ]
    layout = _layout(course, instrument.items[0].maximum)
    return {
        "data": traces,
        "layout": {**layout, **_other_forms(course), "showlegend": True, "hovermode": "x unified"},
    }


def in_words(course: Sequence[RatedSession], parameters: Parameters, ruptures: Iterable[Rupture] = ()) -> str:
    """The chart in a few sentences, for those who do not see it."""
    rated = [one for one in course if one.rating and one.rating.total is not None]
    totals = [one.rating.total for one in rated if one.rating and one.rating.total is not None]
    if not totals:
        return "No complete rating yet."
    words = f"{_count(len(totals), 'complete rating')} in {_count(len(course), 'attended session')}, "
    if len(totals) > 1 and min(totals) == max(totals):
        words += f"each {points(totals[-1])}."
    else:
        words += f"the last one {points(totals[-1])}"
        words += f", between {points(min(totals))} and {points(max(totals))}." if len(totals) > 1 else "."
    for one in course:
        if one.changes_form and one.rating:
            words += f" From session {one.session.number} on another form: {name_of(one.rating)}."
    last = [total for one, total in zip(rated, totals, strict=True) if _series(one) == _series(rated[-1])]
    usual = usual_range(last[:-1], parameters)
    if usual:
        words += f" Usual range before it: {points(usual.lowest)} to {points(usual.highest)}."
    if parameters.cutoff is not None:
        words += f" Cutoff: {points(parameters.cutoff)}."
    return words + _low_points(ruptures)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _low_points(ruptures: Iterable[Rupture]) -> str:
    lows = [f"session {one.began} ({WORDS[one.state]}{_until(one)})" for one in ruptures]
    return f" Low points: {', '.join(lows)}." if lows else ""


def _until(rupture: Rupture) -> str:
    recovered = rupture.state == RepairState.RECOVERED
    return f" in session {rupture.ended}" if recovered else ""


def _totals(course: Sequence[RatedSession]) -> dict[str, Any]:
    rated = [one for one in course if one.rating and one.rating.total is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "Total",
        **_in_series(rated, [in_points(one.rating.total) for one in rated if one.rating]),
        "customdata": _with_breaks(
            rated, [date_format(timezone.localtime(one.session.held_at), "j M Y") for one in rated]
        ),
        "connectgaps": False,
        "line": {"color": "--chart-line", "width": 2.5},
        "marker": {"size": 8, "color": "--chart-line"},
        "hovertemplate": "Session %{x}, %{customdata}<br>Total %{y:.1f}<extra></extra>",
    }


def _series(one: RatedSession) -> str:
    return one.rating.series if one.rating else ""


def _in_series(rated: Sequence[RatedSession], values: Sequence[Any]) -> dict[str, list[Any]]:
    """x and y of a line that is not drawn from one form to another."""
    return {
        "x": _with_breaks(rated, [one.session.number for one in rated]),
        "y": _with_breaks(rated, values),
    }


def _with_breaks(rated: Sequence[RatedSession], values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for place, (one, value) in enumerate(zip(rated, values, strict=True)):
        if place and _series(one) != _series(rated[place - 1]):
            found.append(None)
        found.append(value)
    return found


def _other_forms(course: Sequence[RatedSession]) -> dict[str, Any]:
    """A thin line before each session from which another form was used, with its name."""
    changed = [one for one in course if one.changes_form]
    if not changed:
        return {}
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    stroke = {"color": "--text-light", "width": 1, "dash": "dot"}
    word = {"yref": "paper", "y": 0, "yanchor": "bottom", "showarrow": False}
    font = {"size": 12, "color": "--text-light"}
    places = [one.session.number - 0.5 for one in changed]
    return {
        "shapes": [{**line, "x0": x, "x1": x, "line": stroke} for x in places],
        "annotations": [
            {**word, **_beside(x, _span(course), name_of(one.rating)), "x": x, "font": font}
            for x, one in zip(places, changed, strict=True)
            if one.rating
        ],
    }


def _beside(x: float, span: tuple[float, float], name: str) -> dict[str, str]:
    """The name on the side of the line that has room for it; an arrow says that it is of what comes after."""
    has_room = x < sum(span) / 2
    return {"text": f"{name} →", "xanchor": "left" if has_room else "right"}


def _stretches(course: Sequence[RatedSession], ruptures: Sequence[Rupture]) -> list[dict[str, Any]]:
    """A shaded stretch for each rupture: from where it began to where it ended, or on beyond the last session."""
    shapes: list[dict[str, Any]] = []
    for rupture in ruptures:
        name, colour, dash = _BACK if rupture.state in _ARE_BACK else _NOT_BACK
        shapes.append(
            {
                "type": "rect",
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "x0": rupture.began - 0.25,
                "x1": _span(course)[1] if rupture.ended is None else rupture.ended + 0.25,
                "layer": "below",
                "fillcolor": colour,
                "line": {"color": "--line", "width": 1, "dash": dash},
                "name": name,
                "showlegend": all(one["name"] != name for one in shapes),
            }
        )
    return shapes


def _cutoff(course: Sequence[RatedSession], parameters: Parameters) -> dict[str, Any] | None:
    if parameters.cutoff is None:
        return None
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"Cutoff {points(parameters.cutoff)}",
        "x": list(_span(course)),
        "y": [in_points(parameters.cutoff)] * 2,
        "line": {"color": "--chart-cutoff", "width": 1.5, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _usual_range(course: Sequence[RatedSession]) -> list[dict[str, Any]]:
    """The range expected at each session from the ratings of its form before it: for each form a band."""
    totals: dict[str, list[int]] = defaultdict(list)
    bands: list[list[tuple[int, float, float]]] = [[]]
    series, parameters = "", None
    for one in course:
        # A session without a rating has the range of the form that was used last.
        series, parameters = (_series(one), one.parameters) if one.rating else (series, parameters)
        if one.changes_form:
            bands.append([])
        usual = usual_range(totals[series], parameters) if parameters else None
        if usual:
            bands[-1].append((one.session.number, usual.lower / 10, usual.upper / 10))
        if one.rating and one.rating.total is not None:
            totals[series].append(one.rating.total)
    drawn = [band for band in bands if band]
    return [trace for place, band in enumerate(drawn) for trace in _band(band, named=place == 0)]


def _band(band: list[tuple[int, float, float]], *, named: bool) -> list[dict[str, Any]]:
    places, lows, highs = (list(part) for part in zip(*band, strict=True))
    border = {"type": "scatter", "mode": "lines", "x": places, "line": {"width": 0}, "hoverinfo": "skip"}
    fill = {"fill": "tonexty", "fillcolor": "--chart-band", "name": "Usual range", "showlegend": named}
    return [
        {**border, "y": [round(low, 2) for low in lows], "showlegend": False},
        {**border, "y": [round(high, 2) for high in highs], **fill},
    ]


def _flagged(course: Sequence[RatedSession]) -> dict[str, Any] | None:
    flagged = [
        one
        for one in course
        if one.rating and one.rating.total is not None and any(f.on_work_list for f in one.findings)
    ]
    if not flagged:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Flag",
        "x": [one.session.number for one in flagged],
        "y": [in_points(one.rating.total) for one in flagged if one.rating],
        "marker": {"size": 15, "symbol": "diamond-open", "color": "--chart-flag", "line": {"width": 2.5}},
        "hoverinfo": "skip",
    }


def _discussions(
    course: Sequence[RatedSession], discussed: frozenset[int], instrument: Instrument
) -> dict[str, Any] | None:
    places = [one.session.number for one in course if one.session.number in discussed]
    if not places:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "Talked about",
        "x": places,
        "y": [_floor(course, instrument.total_maximum)] * len(places),
        "cliponaxis": False,
        "marker": {"size": 12, "symbol": "triangle-up", "color": "--chart-discussion"},
        "hovertemplate": "Session %{x}: talked about<extra></extra>",
    }


def _span(course: Sequence[RatedSession]) -> tuple[float, float]:
    numbers = [one.session.number for one in course] or [1]
    return min(numbers) - 0.5, max(*numbers, min(numbers) + 3) + 0.5


def _floor(course: Sequence[RatedSession], maximum: int) -> float:
    """Where the axis starts, in points: at half of the scale, or lower where a total is lower."""
    totals = [one.rating.total for one in course if one.rating and one.rating.total is not None]
    return min([*totals, maximum // 2]) // 50 * 5.0


def _layout(course: Sequence[RatedSession], maximum: int) -> dict[str, Any]:
    whole_scale = maximum <= 100
    axis = {
        "color": "--text-light",
        "gridcolor": "--border",
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 14, "color": "--text"},
        "margin": {"l": 44, "r": 16, "t": 8, "b": 44},
        "height": 360,
        "xaxis": {
            **axis,
            "title": {"text": "Session"},
            "range": list(_span(course)),
            "showgrid": False,
            "tickformat": "d",
            "dtick": 1 if len(course) <= 20 else 5,
        },
        "yaxis": {
            **axis,
            "title": {"text": f"Points of {maximum // 10}"},
            "range": [0 if whole_scale else _floor(course, maximum), maximum / 10 * 1.02],
        },
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 13}},
        "hoverlabel": {"bgcolor": "--bg", "bordercolor": "--line", "font": {"color": "--text"}},
        "showlegend": True,
        "dragmode": False,
    }
