"""The work list of the clinic: the other one is looked at, taken in one press, and taken back."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from alliance.measurement import instruments
from alliance.measurement.false_alarms import LISTS
from alliance.measurement.parameters import ANY_CHANGE, LASTING_FALLS
from alliance.models import AuditEvent
from sessions_app.flags import checks, recompute
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.rulebook import impact_preview, list_words
from tests import cast
from tests.opened import opened
from tests.sessions_app import answered

pytestmark = pytest.mark.django_db
SETTINGS, LIST, EFFECT, RUN, VERSIONS, RULES = (
    reverse(f"settings:{name}")
    for name in ("change", "work_list", "work_list_effect", "recomputation", "versions", "rules")
)


@pytest.fixture
def adam(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def said(answer) -> str:
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def press(browser, to):
    return browser.post(LIST, {**opened(browser, LIST), "work_list": to})


def calling() -> int:
    return answered.calling().values("session__episode").distinct().count()


class TestTheSwitch:
    def test_to_the_former_list_and_back_in_one_press_each(self, adam, clinic):
        cast.rated_course(clinic.olgas, [390, 352, 352])
        assert calling() == 1  # a lasting fall
        cast.rated_course(clinic.carls, [390, 352])
        assert calling() == 1
        assert press(adam, ANY_CHANGE).url == RUN
        list(recompute.go_on())
        assert calling() == 2
        assert press(adam, LASTING_FALLS).url == RUN
        list(recompute.go_on())
        assert calling() == 1
        assert ClinicSettings.objects.in_force().rules == {}
        assert list(checks.differing([clinic.olgas.pk, clinic.carls.pk])) == []

    def test_it_holds_for_every_form_and_every_language(self, adam, clinic):
        cast.choose_rules(clinic.adam, language="de", cutoff=330)
        press(adam, ANY_CHANGE)
        rules = rule_settings.in_force()
        assert {
            rules.parameters(scale, tag).work_list
            for scale in instruments.session_scales()
            for tag in ("", "de")
        } == {ANY_CHANGE}
        assert rules.parameters(instruments.get("session-rating"), "de").cutoff == 330

    def test_both_sides_stand_there_before_it_saves(self, adam):
        page = said(adam.get(LIST))
        assert page.index("not counting first ratings.") < page.index("<table>")
        for name in ("as shipped", "former"):
            with_first, later, *_ = LISTS["standard"][name]
            assert f">{with_first:.1f}</td>" in page
            assert f">{later:.1f}</td>" in page
        assert "Use the former list" in page
        assert not ClinicSettings.objects.exists()
        assert f'hx-get="{EFFECT}"' in page

    def test_where_the_rules_are_others_both_sides_are_simulated_with_them(self, adam, clinic, monkeypatch):
        cast.choose_rules(clinic.adam, calls_from_fall=120)
        shown = list_words.two_sides(rule_settings.in_force().parameters(instruments.get("session-rating")))
        assert [row.what for row in shown[0].rows] == [row.what for row in shown[1].rows]
        page = said(adam.get(LIST))
        assert f">{LISTS['standard']['as shipped'][1]:.1f}</td>" not in page
        assert "Among 20 invented clients" in page
        assert "right to about" in page, "a figure of few clients says how sure it is"

    def test_the_printed_figures_say_of_how_many_they_are(self, adam):
        page = said(adam.get(LIST))
        assert "Among 20,000 invented clients" in page
        assert "right to about" not in page

    def test_pressed_twice_or_on_an_old_page_nothing_is_lost(self, adam, clinic):
        form = {**opened(adam, LIST), "work_list": ANY_CHANGE}
        adam.post(LIST, form)
        adam.post(LIST, form)
        assert ClinicSettings.objects.in_force().version == 1
        form = {**opened(adam, LIST), "work_list": LASTING_FALLS}
        cast.choose_rules(clinic.adam, cutoff=340, work_list=ANY_CHANGE)
        refused = adam.post(LIST, form)
        assert (refused.status_code, ClinicSettings.objects.in_force().version) == (409, 2)
        assert rule_settings.in_force().work_list == ANY_CHANGE

    def test_a_list_that_is_none_is_not_there(self, adam):
        assert adam.post(LIST, {**opened(adam, LIST), "work_list": "x"}).status_code == 404

    def test_settings_and_versions_say_it_once(self, adam, clinic):
        assert "Switch to the former list" in said(adam.get(SETTINGS))
        press(adam, ANY_CHANGE)
        assert "Switch to the list as shipped" in said(adam.get(SETTINGS))
        assert said(adam.get(VERSIONS)).count("Work list: any change (was lasting falls)") == 1
        log = said(adam.get(reverse("clinic:log")))
        assert "Adam saved version 1 of the settings: work list by any change" in log

    def test_a_change_of_a_rule_leaves_the_list_alone(self, adam, clinic):
        press(adam, ANY_CHANGE)
        cast.choose_rules(clinic.adam, cutoff=340, work_list=ANY_CHANGE)
        assert rule_settings.in_force().work_list == ANY_CHANGE


class TestInThisClinic:
    @pytest.fixture
    def clients(self, clinic):
        for number in range(12):
            episode = cast.episode(clinic.olga, f"L-{number}")
            cast.rated_course(episode, [390, 352, 355, 390], last_ago=timedelta(days=40))

    def test_the_effect_begins_with_one_plain_sentence_like_with_like(self, adam, clients):
        page = said(adam.get(EFFECT, headers={"HX-Request": "true"}))
        assert re.search(
            r'<div> <p class="lede lede--strong">\d+ of 100 rated sessions would call for a talk, '
            "not counting first ratings; now hardly any do.</p>",
            page,
        )
        assert AuditEvent.objects.filter(action="rules tried").count() == 1
        assert "L-1" not in page
        assert "<title>What this would do" in said(adam.get(EFFECT))

    def test_first_ratings_are_counted_on_both_sides_or_on_none(self, clinic, clients):
        for number in range(12):
            cast.rated_course(
                cast.episode(clinic.carl, f"S-{number}"), [340, 350, 350], last_ago=timedelta(days=40)
            )
        rules = rule_settings.in_force()
        ours = instruments.get("session-rating")
        now = cast.timezone.now() + timedelta(days=32)
        found = impact_preview.look(ours, rules, rules.with_work_list(ANY_CHANGE), now)
        # 84 rated sessions: twelve low starts on either side, and on the former list twelve falls, of 60.
        assert found.calling == "12 of 100 now, 30 of 100 after"
        assert found.calling_later == "few now, 17 of 100 after"
        assert found.sentence == (
            "17 of 100 rated sessions would call for a talk, not counting first ratings; now hardly any do."
        )


def test_only_the_administrator_opens_it(clinic, sign_in):
    for person in (clinic.olga, clinic.sina):
        assert sign_in(person).get(LIST).status_code == 403
        assert sign_in(person).get(EFFECT).status_code == 403
    assert sign_in(clinic.adam).get(LIST).status_code == 200
