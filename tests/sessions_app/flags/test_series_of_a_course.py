"""A course over several forms: counted as rated, compared within one form, and shown as such."""

import re
from datetime import timedelta

import plotly.graph_objects as go
import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.process import Share
from clients.models import Episode
from sessions_app.courses import wordings
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import caseload, charts, course_picture, work_list
from sessions_app.flags import course, process_measures
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Flag
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.intake.paper_entry import enter_rating
from tests import cast
from tests.sessions_app.dashboards.test_charts import tokens_and_figure

pytestmark = pytest.mark.django_db
OURS = instruments.get("session-rating")


@pytest.fixture
def change(clinic):
    """From now on the SRS of this edition is given."""

    def to(edition, language="en"):
        cast.choose(clinic.adam, instrument="srs")
        cast.wording(clinic.adam, edition=edition, language=language)

    return to


def give(episode, *totals):
    rows = []
    for total in totals:
        rows.append(cast.therapy_session(episode))
        cast.rating(rows[-1], total)
    return rows


def rules(session):
    return sorted(session.flags.standing().values_list("rule", flat=True))


def read(episode):
    return course.read(episode, timezone.now())


class TestComparing:
    def test_the_first_rating_on_another_form_falls_from_nothing(self, clinic, change):
        give(clinic.olgas, 400, 400, 400, 400)
        change("2026")
        first, second = give(clinic.olgas, 365, 320)
        assert rules(first) == []
        assert rules(second) == ["A", "C"]

    def test_control_on_one_form_it_does(self, clinic):
        *_, last = give(clinic.olgas, 400, 400, 400, 400, 360)
        assert rules(last) == ["C", "E", "J"]

    def test_another_edition_is_another_form_and_a_translation_is_not(self, clinic, change):
        change("2024")
        give(clinic.olgas, 400)
        change("2026")
        (other,) = give(clinic.olgas, 360)
        change("2026", "de")
        type(clinic.olgas.client).objects.update(language="de")
        clinic.olgas = Episode.objects.get(pk=clinic.olgas.pk)
        (translated,) = give(clinic.olgas, 315)
        assert [one.rating.wording.language for one in read(clinic.olgas)] == ["en", "en", "de"]
        assert (rules(other), rules(translated)) == ([], ["A", "C"])

    def test_going_back_goes_on_where_the_form_was_left(self, clinic, change):
        give(clinic.olgas, 400)
        change("2026")
        give(clinic.olgas, 400)
        cast.choose(clinic.adam)
        (back,) = give(clinic.olgas, 360)
        assert rules(back) == ["C"]

    def test_paper_goes_on_with_the_edition_that_is_in_use(self, clinic, change):
        change("2026")
        give(clinic.olgas, 400)
        session = cast.therapy_session(clinic.olgas)
        enter_rating(session=session, answers=cast.answers(360), channel=Channel.PAPER, by=clinic.olga)
        assert rules(session) == ["C"]

    def test_marks_of_the_earlier_edition_of_our_own_form_are_read_in_its_words_and_not_compared(
        self, clinic, monkeypatch
    ):
        first = instruments.get("session-rating", "1")
        with monkeypatch.context() as before_the_release:
            before_the_release.setattr(instruments, "all_instruments", lambda: (first,))
            (old,) = give(clinic.olgas, 400)
        (later,) = give(clinic.olgas, 350)
        assert rules(later) == ["A"], "a fall from marks in other words would be C too"
        assert [one.changes_form for one in read(clinic.olgas)] == [False, True]
        ratings = [session.ratings.get() for session in (old, later)]
        assert [wordings.name_of(rating) for rating in ratings] == [
            "Session rating, version 1",
            "Session rating",
        ]
        assert [wordings.read_by_the_client(rating).title for rating in ratings] == [
            "How was today?",
            "How was this session?",
        ]


class TestCounting:
    @pytest.fixture
    def mixed(self, clinic, change):
        give(clinic.olgas, 400)
        change("2026")
        give(clinic.olgas, 380)
        return clinic.olgas

    def test_every_session_counts_as_rated_whatever_form_was_used(self, clinic, mixed):
        now = timezone.now()
        TherapySession.objects.update(held_at=now - timedelta(days=4), ends_at=now - timedelta(days=3))
        assert TherapySession.objects.rated().count() == 2
        assert not TherapySession.objects.overdue(timezone.now()).exists()
        conclude(episode=mixed)
        assert process_measures.read([clinic.olga], timezone.now())[clinic.olga.pk].rated == Share(2, 2)
        assert not Flag.objects.filter(rule="G", withdrawn_at=None).exists()

    def test_lists_show_the_last_total_of_any_form(self, clinic, mixed):
        (row,) = work_list.build(clinic.olga, timezone.now()).rows
        assert row.says.now == "38.0"
        shown = caseload.read(clinic.sina, timezone.now())
        assert "38.0" in [one.last_total for one in (*shown.others, *shown.needs_a_talk)]

    def test_a_flag_carries_the_instrument_of_its_rating_and_a_gap_ours(self, clinic, mixed):
        (low,) = give(mixed, 300)
        assert set(low.flags.values_list("instrument", flat=True)) == {"srs"}
        assert "30" in low.flags.get(rule="A").sentence

    def test_refreshing_twice_changes_nothing(self, mixed):
        give(mixed, 300)
        before = list(Flag.objects.order_by("pk").values())
        conclude(episode=mixed)
        assert list(Flag.objects.order_by("pk").values()) == before

    def test_a_course_asks_the_same_two_queries_with_one_form_and_with_three(
        self, clinic, change, django_assert_num_queries
    ):
        for edition in (None, "2024", "2026"):
            if edition:
                change(edition)
            give(clinic.olgas, 380, 381)
            with django_assert_num_queries(2):
                course.read(clinic.olgas, timezone.now(), RuleSettings())


class TestShowing:
    @pytest.fixture
    def mixed(self, clinic, change):
        give(clinic.olgas, 400, 390, 400, 390, 400)
        change("2026")
        give(clinic.olgas, 380, 370, 380, 370, 380)
        return clinic.olgas

    def picture(self, episode):
        return course_picture.picture(read(episode), OURS.parameters, OURS, now=timezone.now())

    def test_the_chart_has_a_line_with_a_word_where_the_form_changes(self, mixed):
        figure = charts.figure(self.picture(mixed))
        layout = figure["layout"]
        dates = next(trace for trace in figure["data"] if trace["name"] == "Total")["x"]
        (where,) = [one["x0"] for one in layout["shapes"] if one.get("name") == "Other form"]
        assert dates[4] <= where <= dates[6]
        assert [one["text"] for one in layout["annotations"] if one["name"] == "form"] == [
            "SRS, edition 2026 →"
        ]
        go.Figure(tokens_and_figure(figure, set()))

    def test_no_line_is_drawn_from_one_form_to_the_other(self, mixed):
        shown = self.picture(mixed)
        lines = [
            trace for trace in charts.figure(shown)["data"] if trace["name"] == "Total" or "yaxis" in trace
        ]
        assert len(lines) == 5
        for trace in lines:
            assert [place for place, at in enumerate(trace["x"]) if at is None] == [5]
            assert trace["y"][5] is None
        assert [[stop.number for stop, _ in run] for run in shown.runs()] == [
            [1, 2, 3, 4, 5],
            [6, 7, 8, 9, 10],
        ]

    def test_each_form_has_its_own_usual_range_and_own_level(self, mixed):
        shown = self.picture(mixed)
        assert [stop.number for stop in shown.stops if stop.usual] == [5, 10]
        assert shown.level.first == shown.stops[5].at

    def test_one_form_draws_nothing_more(self, clinic):
        give(clinic.olgas, 400, 390)
        layout = charts.figure(self.picture(clinic.olgas))["layout"]
        assert "form" not in {one["name"] for one in layout["annotations"]}

    def test_the_words_say_it_and_speak_of_the_last_form_only(self, mixed):
        words = course_picture.in_words(self.picture(mixed))
        assert "From session 6 on another form: SRS, edition 2026." in words
        usual = re.search(r"Usual range before the last one: ([\d.]+) to", words).group(1)
        assert float(usual) < 36

    def test_the_table_has_a_row_below_the_first_session_on_the_new_form(self, clinic, mixed, sign_in):
        page = sign_in(clinic.olga).get(reverse("dashboard:client", args=[mixed.code])).content.decode()
        assert page.count("From session 6 on: SRS, edition 2026.") == 1
        sixth, divider, fifth = (
            page.index(text)
            for text in (
                'data-label="Session">6<',
                "From session 6 on: SRS",
                'data-label="Session">5<',
            )
        )
        assert sixth < divider < fifth

    def test_a_supervisor_sees_it_too(self, clinic, mixed, sign_in):
        page = sign_in(clinic.sina).get(reverse("caseload:client", args=[mixed.code])).content.decode()
        assert "From session 6 on: SRS, edition 2026." in page
