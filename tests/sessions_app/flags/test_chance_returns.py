"""The comparator beside repairs follows the clinic's own rules and population, and no page computes it."""

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.urls import reverse

from alliance.measurement import instruments
from alliance.measurement.returns import as_data, from_data
from alliance.measurement.shipped_returns import SHIPPED
from sessions_app.flags import chance_returns, recompute
from sessions_app.flags.chance_returns import ChanceReturns, under
from sessions_app.instruments import rule_settings
from sessions_app.rulebook import settings_actions
from tests import cast

pytestmark = pytest.mark.django_db
OURS = instruments.get(instruments.SESSION_RATING)


@pytest.fixture
def few_clients(monkeypatch):
    monkeypatch.setattr(chance_returns, "SIMULATED_CLIENTS", 150)


@pytest.fixture
def few_ratings(monkeypatch):
    monkeypatch.setattr(chance_returns, "RATINGS_NEEDED", 4)


def change(clinic, **chosen):
    parameters = replace(OURS.parameters, **chosen)
    settings_actions.change_rules(instrument=OURS, language="", parameters=parameters, by=clinic.adam)
    return list(recompute.go_on())


def of_now():
    return under(rule_settings.in_force().name)


def test_as_shipped_nothing_is_computed(clinic, monkeypatch):
    monkeypatch.setattr(chance_returns, "returns_table", None)
    assert as_data(of_now().table) == SHIPPED["standard"]
    call_command("recompute_flags")
    assert as_data(of_now().table) == SHIPPED["standard"]


def test_another_level_of_recovery_is_compared_with_its_own_chance(clinic, few_clients):
    before = of_now()
    change(clinic, recovered_within=40)
    after = of_now()
    assert after.table["stable"].back > before.table["stable"].back
    assert after.key != before.key
    change(clinic)
    assert as_data(of_now().table) == SHIPPED["standard"]


def test_until_it_is_computed_the_page_says_the_figures_as_shipped(clinic, sign_in):
    cast.rated_course(clinic.olgas, [380, 300, 305])
    ChanceReturns.objects.all().delete()
    text = sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text
    assert "87 are back once" in text


def test_the_clients_page_says_the_new_figure_though_it_was_drawn_before(clinic, sign_in):
    cast.rated_course(clinic.olgas, [380, 300, 305])
    browser, address = sign_in(clinic.olga), reverse("dashboard:client", args=[clinic.olgas.code])
    assert "87 are back once" in browser.get(address).text
    ChanceReturns.objects.create(settings_version="defaults-1", population="low", figures=SHIPPED["low"])
    assert "84 are back once" in browser.get(address).text
    overview = sign_in(clinic.sina).get(reverse("caseload:overview")).text
    assert "stable clients reach 84 of 100" in overview


@pytest.mark.parametrize(
    ("totals", "population"),
    [
        ((350, 330, 332, 328, 331), "low"),
        ((350, 362, 361, 363, 362), "standard"),
        ((350, 390, 391, 389, 390), "high"),
    ],
)
def test_a_clinic_whose_clients_rate_otherwise_has_their_figures(clinic, few_ratings, totals, population):
    cast.rated_course(clinic.olgas, list(totals))
    call_command("check_standings")
    assert of_now().population == population
    assert of_now().table == from_data(SHIPPED[population])


def test_with_few_ratings_a_clinic_has_the_standard_ones(clinic):
    cast.rated_course(clinic.olgas, [300] * 6)
    call_command("check_standings")
    assert of_now().population == "standard"


def test_every_night_it_is_looked_at_and_computed_only_where_something_changed(
    clinic, few_clients, monkeypatch
):
    change(clinic, recovered_within=30)
    monkeypatch.setattr(chance_returns, "returns_table", None)
    call_command("check_standings")


def test_the_row_in_words(db):
    assert (
        str(ChanceReturns(settings_version="version-3", population="low"))
        == "Returns by chance under version-3, low"
    )
