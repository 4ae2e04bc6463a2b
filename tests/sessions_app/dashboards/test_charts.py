"""The picture of a course: Plotly and the drawing for paper understand it, and it shows what the page promises."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go
import pytest
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.flag_rules import Finding
from alliance.measurement.scoring import points
from sessions_app.dashboards import charts, course_drawing, course_picture
from sessions_app.dashboards.course_frame import talk_groups
from sessions_app.dashboards.sparkline import SPARK_HEIGHT, sparkline
from sessions_app.flags import course, discussion_actions
from sessions_app.flags.models import Discussion
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


def picture(episode, **settings):
    return of(read(episode), **settings)


def of(rows, parameters=INSTRUMENT.parameters, **settings):
    return course_picture.picture(
        rows, parameters, INSTRUMENT, Discussion.objects.standing(), now=timezone.now(), **settings
    )


def traces(shown):
    return {trace["name"]: trace for trace in charts.figure(shown)["data"]}


@pytest.mark.django_db
class TestFigures:
    @pytest.mark.parametrize(
        "totals", [[], [None], [380], [380, 330], [380, 375, None, 385, 380, 330, 376], [400] * 30]
    )
    def test_plotly_understands_every_figure_and_the_style_sheet_every_colour(self, clinic, totals, settings):
        cast.rated_course(clinic.olgas, totals)
        shown = picture(clinic.olgas)
        tokens: set[str] = set()
        go.Figure(tokens_and_figure(charts.figure(shown), tokens))
        sheet = (settings.BASE_DIR / "static/alliance/theme.css").read_text()
        assert {token for token in tokens if f"{token}:" not in sheet} == set()
        json.dumps(charts.page_data(shown), cls=charts.WithoutSpaces)
        drawn = course_drawing.drawing(shown)
        sheet = (settings.BASE_DIR / "static/dashboard/chart.css").read_text()
        names = {name for names in re.findall(r' class="([^"]+)"', drawn) for name in names.split()}
        assert {name for name in names if f".{name}" not in sheet} == {"axis"}
        assert "nan" not in drawn

    def test_each_session_stands_at_its_date_and_no_line_is_drawn_over_one_without_a_rating(self, clinic):
        rows = cast.rated_course(clinic.olgas, [380, None, 330])
        shown = picture(clinic.olgas)
        total, unrated = traces(shown)["Total"], traces(shown)["No complete rating"]
        held = [f"{timezone.localtime(row.held_at):%Y-%m-%dT%H:%M}" for row in rows]
        assert (total["x"], total["y"], total["connectgaps"]) == (held, [38.0, None, 33.0], False)
        assert unrated["x"] == held[1:2]
        assert unrated["marker"]["symbol"] == ["circle-open"]
        assert [[stop.number for stop, _ in run] for run in shown.runs()] == [[1], [3]]

    def test_a_partial_rating_is_a_hollow_mark_whose_lines_are_drawn(self, clinic):
        cast.rated_course(clinic.olgas, [380])
        cast.rating(
            cast.therapy_session(clinic.olgas), None, relationship=90, goals=None, approach=80, overall=70
        )
        found = traces(picture(clinic.olgas))
        assert (found["Total"]["y"], found["Relationship"]["y"]) == ([38.0, None], [9.5, 9.0])
        assert found["Goals and topics"]["y"][1] is None
        assert len(found["No complete rating"]["x"]) == 1

    def test_the_scale_is_the_whole_one_whatever_was_rated(self, clinic):
        cast.rated_course(clinic.olgas, [400])
        cast.rated_course(clinic.carls, [60, 50, 40])
        axes = [
            charts.figure(picture(one))["layout"]["yaxis"]["range"] for one in (clinic.olgas, clinic.carls)
        ]
        assert axes[0] == axes[1]
        assert axes[0][0] < 0
        assert axes[0][1] > 40

    def test_the_lines_stand_beneath_on_the_same_axis(self, clinic):
        cast.rated_course(clinic.olgas, [380, 370])
        layout = charts.figure(picture(clinic.olgas))["layout"]
        domains = [layout[f"yaxis{place}"]["domain"] for place in (2, 3, 4, 5)]
        assert all(low < high for low, high in domains)
        assert [one[0] for one in domains] == sorted((one[0] for one in domains), reverse=True)
        assert layout["yaxis"]["domain"][0] >= domains[0][1]
        assert layout["xaxis"]["anchor"] == "y5"
        assert layout["xaxis"]["tickformatstops"][0]["value"] == "%-d %b\n%Y"
        assert {one["text"] for one in layout["annotations"] if one["name"] == "line"} == {
            *("Relationship", "Goals and topics", "Approach", "Overall")
        }

    def test_each_reason_has_its_own_shape_and_the_newest_its_word(self, clinic):
        cast.rated_course(clinic.olgas, [380, 375, 385, 380, 378, 330])
        rows = read(clinic.olgas)
        for place, rule in ((2, "J"), (3, "L"), (5, "C")):
            found = Finding(rule, is_new=True, on_work_list=True, evidence={})
            rows[place] = replace(rows[place], findings=(found,))
        shown = of(rows)
        found = traces(shown)
        assert found["Lasting fall"]["marker"]["symbol"] != found["Sudden fall"]["marker"]["symbol"]
        assert (found["Lasting fall"]["y"], found["Sudden fall"]["y"]) == ([38.5], [33.0])
        assert "Line left out" not in found
        words = [
            one["text"] for one in charts.figure(shown)["layout"]["annotations"] if one["name"] == "reason"
        ]
        assert words == ["Sudden fall", "Lasting fall"]
        assert len({shape.symbol for shape in course_picture.SHAPES.values()}) == len(course_picture.SHAPES)
        data = charts.page_data(shown)
        assert data["words"][data["reasons"][2]] == "▽ Lasting fall"

    def test_the_own_level_is_drawn_where_its_ratings_are_and_says_how_far_the_last_ones_lie_below(
        self, clinic
    ):
        rows = cast.rated_course(clinic.olgas, [380] * 5)
        cast.rated_course(clinic.carls, [380] * 5 + [250, 250, 250])
        steady, fallen = picture(clinic.olgas), picture(clinic.carls)
        level = traces(steady)["Own level"]
        assert level["y"] == [38.0, 38.0]
        assert level["x"][0] == f"{timezone.localtime(rows[0].held_at):%Y-%m-%dT%H:%M}"
        assert steady.level.words.startswith("this client's level of ")
        assert steady.level.words.endswith(": 38.0")
        assert fallen.level.words.startswith("13.0 points below this client's level of ")
        assert fallen.level.words in course_drawing.drawing(fallen).replace("&#x27;", "'")

    def test_a_form_without_a_cutoff_draws_none_and_says_none(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        without = of(read(clinic.olgas), parameters=replace(INSTRUMENT.parameters, cutoff=None))
        for shown, has in ((picture(clinic.olgas), True), (without, False)):
            layout = charts.figure(shown)["layout"]
            assert ("Cutoff" in {one.get("name") for one in layout["shapes"]}) is has
            assert ("cutoff 36.0" in layout["yaxis"]["ticktext"]) is has
            assert ("Cutoff: 36.0" in course_picture.in_words(shown)) is has
            assert ('class="cutoff"' in course_drawing.drawing(shown)) is has

    def test_the_day_is_that_of_the_clinic(self, clinic, settings):
        settings.TIME_ZONE = "America/Los_Angeles"
        held_at = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
        cast.rating(cast.therapy_session(clinic.olgas, held_at=held_at), 380)
        assert traces(picture(clinic.olgas))["Total"]["x"] == ["2026-03-03T19:00"]

    def test_a_course_that_goes_on_ends_today(self, clinic):
        cast.rated_course(clinic.olgas, [380, 375], last_ago=timedelta(weeks=10))
        today = timezone.localtime().replace(tzinfo=None)
        assert (
            picture(clinic.olgas).last
            < today - timedelta(weeks=9)
            < today
            < picture(clinic.olgas, is_open=True).last
        )

    def test_the_usual_range_is_that_of_the_rule(self, clinic):
        """History 38, 37.5, 38.5, 38, 37: limit 34.085 (clinical.md)."""
        cast.rated_course(clinic.olgas, [380, 375, 385, 380, 370, 380])
        low = traces(picture(clinic.olgas))["Usual range, lower end"]
        assert low["y"][:4] == [None] * 4
        assert low["y"][5] == pytest.approx(34.085, abs=0.05)
        assert "Usual range, upper end" not in traces(picture(clinic.olgas))

    def test_talks_are_numbered_in_their_order_and_those_of_one_day_are_drawn_as_one(self, clinic):
        rows = cast.rated_course(clinic.olgas, [380, 330, 380, 320])
        for row in (rows[1], rows[3]):
            discussion_actions.discuss(
                flags=row.flags.all(), said="Too much.", agreed="Less.", by=clinic.olga
            )
        shown = picture(clinic.olgas)
        assert [(tick.number, tick.session) for tick in shown.ticks] == [(1, 2), (2, 4)]
        assert [text for _, text in talk_groups(shown, 650, apart=28)] == ["1–2"]
        assert [(number, session) for number, _, session in charts.page_data(shown)["talks"]] == [
            (1, 2),
            (2, 4),
        ]

    def test_words_say_what_the_picture_shows(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        shown = picture(clinic.olgas)
        words = course_picture.in_words(shown)
        assert (
            words
            == "2 complete ratings in 2 attended sessions: the last one 33.0, all between 33.0 and 38.0. Cutoff: 36.0."
        )
        assert shown.answer.sentence.startswith("Lower at the last rating: 5.0 points below the one before.")

    def test_the_words_and_the_flag_name_the_same_usual_range(self, clinic):
        """Its upper end is 37.06: no total of 37.1 lies inside."""
        rows = cast.rated_course(clinic.olgas, [278, 344, 46, 265, 159])
        evidence = rows[-1].flags.get(rule="E").evidence
        ends = (points(evidence["lower"]), points(evidence["upper"]))
        words = course_picture.in_words(picture(clinic.olgas))
        assert ends == re.search(r"Usual range before the last one: (\S+) to (\S+)\. ", words).groups()

    def test_words_do_not_name_a_span_that_is_none(self, clinic):
        cast.rated_course(clinic.olgas, [400, 400, None])
        words = course_picture.in_words(picture(clinic.olgas))
        assert words == "2 complete ratings in 3 attended sessions: each 40.0. Cutoff: 36.0."


@pytest.mark.parametrize(
    ("days", "first", "most"),
    [
        (2, "4 Mar 2026", 2),
        (20, "4 Mar 2026", 9),
        (200, "Apr 2026", 9),
        (4000, "Jan 2028", 9),
        (9000, "Jan 2030", 9),
    ],
)
def test_the_drawn_axis_has_few_ticks_with_their_year(days, first, most):
    begins = datetime(2026, 3, 3, 12)
    ticks = course_drawing.time_ticks(begins, begins + timedelta(days=days))
    assert ticks[0][1] == first
    assert 1 <= len(ticks) <= most
    assert all(begins < at < begins + timedelta(days=days) for at, _ in ticks)


class TestSparkline:
    def test_says_its_figures_and_draws_no_line_over_a_gap(self):
        svg = sparkline([380, None, 355, 360], cutoff=360, maximum=400)
        assert 'aria-label="Totals: 38.0, not rated, 35.5, 36.0"' in svg
        d = re.search(r'class="line" d="([^"]+)"', svg).group(1)
        assert (d.count("M"), d.count("L"), d.count("h0")) == (2, 1, 1)

    def test_has_the_same_scale_whatever_was_rated(self):
        heights = [
            re.search(r'class="cutoff" d="M0 ([\d.]+)', sparkline(totals, cutoff=360, maximum=400)).group(1)
            for totals in ([400], [20, 30])
        ]
        assert heights[0] == heights[1]

    @pytest.mark.parametrize("totals", [[], [None, None]])
    def test_nothing_to_draw_is_nothing(self, totals):
        assert sparkline(totals, cutoff=360, maximum=400) == ""

    @pytest.mark.parametrize("total", [0, 200, 400])
    def test_stays_inside_its_frame(self, total):
        svg = sparkline([total, 400], cutoff=360, maximum=400)
        heights = [float(h) for h in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
        assert heights
        assert all(0 <= h <= SPARK_HEIGHT for h in heights)
