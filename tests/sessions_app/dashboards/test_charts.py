"""Figures hold what Plotly understands and what the page promises."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import plotly.graph_objects as go
import pytest
from django.utils import timezone

from alliance.measurement import instruments
from sessions_app.dashboards import charts
from sessions_app.dashboards.sparkline import SPARK_HEIGHT, sparkline
from sessions_app.flags import course
from tests import cast

INSTRUMENT = instruments.get("session-rating")
TOKEN = re.compile(r"^--[a-z0-9-]+$")


def tokens_and_figure(value, tokens):
    """The figure with every named colour replaced by one that Plotly's schema knows."""
    if isinstance(value, dict):
        return {key: tokens_and_figure(one, tokens) for key, one in value.items()}
    if isinstance(value, list):
        return [tokens_and_figure(one, tokens) for one in value]
    if isinstance(value, str) and TOKEN.match(value):
        tokens.add(value)
        return "#123456"
    return value


def read(episode):
    return course.read(episode, timezone.now())


@pytest.mark.django_db
class TestFigures:
    @pytest.mark.parametrize(
        "totals", [[], [None], [380], [380, 330], [380, 375, None, 385, 380, 330, 376], [400] * 30]
    )
    def test_plotly_understands_every_figure_and_the_style_sheet_every_colour(self, clinic, totals, settings):
        cast.rated_course(clinic.olgas, totals)
        rows = read(clinic.olgas)
        figures = [
            charts.course_figure(rows, INSTRUMENT.parameters, INSTRUMENT, frozenset({2})),
            charts.lines_figure(rows, INSTRUMENT),
        ]
        tokens: set[str] = set()
        for figure in figures:
            go.Figure(tokens_and_figure(figure, tokens))
        sheet = (settings.BASE_DIR / "static/alliance/theme.css").read_text()
        assert {token for token in tokens if f"{token}:" not in sheet} == set()

    def test_total_in_points_gaps_left_out_flagged_points_marked(self, clinic):
        cast.rated_course(clinic.olgas, [380, None, 330])
        figure = charts.course_figure(read(clinic.olgas), INSTRUMENT.parameters, INSTRUMENT, frozenset({3}))
        by_name = {trace["name"]: trace for trace in figure["data"]}
        assert (by_name["Total"]["x"], by_name["Total"]["y"]) == ([1, 3], [38.0, 33.0])
        assert by_name["Flag"]["x"] == [3]
        assert by_name["Talked about"]["x"] == [3]
        assert by_name["Cutoff 36"]["y"] == [36.0, 36.0]

    def test_a_form_without_a_cutoff_draws_none_and_says_none(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        rows, without = read(clinic.olgas), replace(INSTRUMENT.parameters, cutoff=None)
        names = [trace["name"] for trace in charts.course_figure(rows, without, INSTRUMENT)["data"]]
        assert "Total" in names
        assert not any(name.startswith("Cutoff") for name in names)
        assert "Cutoff: 36" in charts.in_words(rows, INSTRUMENT.parameters)
        assert "Cutoff" not in charts.in_words(rows, without)

    def test_the_day_is_that_of_the_clinic(self, clinic, settings):
        settings.TIME_ZONE = "America/Los_Angeles"
        held_at = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
        cast.rating(cast.therapy_session(clinic.olgas, held_at=held_at), 380)
        figure = charts.course_figure(read(clinic.olgas), INSTRUMENT.parameters, INSTRUMENT)
        assert next(t for t in figure["data"] if t["name"] == "Total")["customdata"] == ["3 Mar 2026"]

    def test_the_usual_range_is_that_of_the_rule(self, clinic):
        """History 38, 37.5, 38.5, 38, 37: limit 34.085 (clinical.md)."""
        cast.rated_course(clinic.olgas, [380, 375, 385, 380, 370, 380])
        figure = charts.course_figure(read(clinic.olgas), INSTRUMENT.parameters, INSTRUMENT)
        low = figure["data"][0]
        assert low["x"] == [5, 6]
        assert low["y"][1] == pytest.approx(34.085, abs=0.01)

    def test_words_say_what_the_chart_shows(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        words = charts.in_words(read(clinic.olgas), INSTRUMENT.parameters)
        assert (
            words
            == "2 complete ratings in 2 attended sessions, the last one 33, between 33 and 38. Cutoff: 36."
        )

    def test_words_do_not_name_a_span_that_is_none(self, clinic):
        cast.rated_course(clinic.olgas, [400, 400, None])
        words = charts.in_words(read(clinic.olgas), INSTRUMENT.parameters)
        assert words == "2 complete ratings in 3 attended sessions, each 40. Cutoff: 36."


class TestSparkline:
    def test_says_its_figures_and_leaves_gaps_out(self):
        svg = sparkline([380, None, 355], cutoff=360, maximum=400)
        assert 'aria-label="Totals: 38, not rated, 35.5"' in svg
        assert svg.count(" L") == 1

    @pytest.mark.parametrize("totals", [[], [None, None]])
    def test_nothing_to_draw_is_nothing(self, totals):
        assert sparkline(totals, cutoff=360, maximum=400) == ""

    @pytest.mark.parametrize("total", [0, 200, 400])
    def test_stays_inside_its_frame(self, total):
        svg = sparkline([total, 400], cutoff=360, maximum=400)
        heights = [float(h) for h in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
        assert heights
        assert all(0 <= h <= SPARK_HEIGHT for h in heights)
