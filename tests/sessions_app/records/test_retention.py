"""Who is due by the clinic's rule, and that a rule erases nobody: two people do, in one batch."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from alliance.erasures import Erasure
from alliance.models import AuditEvent
from alliance.refused import Refused
from alliance.stale_forms import NAME, Stale
from clients import actions
from clients.models import Client
from sessions_app.records import erasure_actions, retention
from sessions_app.records.forms import RetentionForm
from sessions_app.records.retention import due, years_before
from sessions_app.records.retention_rule import RetentionRule, RetentionRuleQuerySet
from tests import cast

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)


def rule(by, years=10, young=None):
    return erasure_actions.change_rule(years=years, years_young=young, by=by)


def ended(therapist, label, on, **fields):
    episode = cast.episode(therapist, label, opened_on=date(2010, 1, 1), closed_on=on, ending="planned")
    if fields:
        Client.objects.filter(pk=episode.client_id).update(**fields)
    return episode


def labels(rows):
    return [client.label for client in rows]


@pytest.fixture
def agnes(clinic):
    return cast.person("Agnes", "administrator")


def test_as_it_comes_nobody_is_ever_due(clinic):
    ended(clinic.olga, "Old", date(2012, 1, 1))
    assert not due(today=TODAY).exists()
    with pytest.raises(Refused, match="Nobody is due"):
        erasure_actions.ask_for_all_due(seen=0, by=clinic.adam)


def test_due_is_whose_last_episode_ended_so_many_years_ago(clinic):
    rule(clinic.adam, years=10)
    for label, on in (("On the day", date(2016, 11, 28)), ("A day later", date(2016, 11, 29))):
        ended(clinic.olga, label, on)
    again = ended(clinic.olga, "Came back", date(2012, 5, 1))
    cast.Episode.objects.create(
        client=again.client, therapist=clinic.carl, opened_on=TODAY - timedelta(days=9)
    )
    twice = ended(clinic.olga, "Twice", date(2012, 5, 1))
    cast.Episode.objects.create(
        client=twice.client,
        therapist=clinic.carl,
        opened_on=date(2013, 1, 1),
        closed_on=date(2020, 1, 1),
        ending="planned",
    )
    assert labels(due(today=TODAY)) == ["On the day"]


def test_those_under_18_are_kept_longer_where_the_clinic_says_so(clinic):
    for band in ("adult", "adolescent", "child", "young_child"):
        ended(clinic.olga, band, date(2015, 1, 1), age_band=band)
    rule(clinic.adam, years=10)
    assert set(labels(due(today=TODAY))) == {"adult", "adolescent", "child", "young_child"}
    rule(clinic.adam, years=10, young=28)
    assert labels(due(today=TODAY)) == ["adult"]


@pytest.mark.parametrize(
    ("day", "years", "before"),
    [
        (date(2028, 2, 29), 10, date(2018, 2, 28)),
        (date(2028, 2, 29), 4, date(2024, 2, 29)),
        (TODAY, 1, date(2025, 11, 28)),
    ],
)
def test_years_are_calendar_years(day, years, before):
    assert years_before(day, years) == before


def test_two_administrators_erase_who_is_due_and_the_log_names_each(clinic, agnes):
    rule(clinic.adam)
    old = [ended(clinic.olga, f"Old {n}", date(2012, 1, 1)) for n in range(3)]
    with pytest.raises(Refused, match="3 clients are due now, and the page showed 2"):
        erasure_actions.ask_for_all_due(seen=2, by=clinic.adam)
    batch = erasure_actions.ask_for_all_due(seen=3, by=clinic.adam)
    assert not retention.not_asked_for().exists()
    with pytest.raises(Refused, match="Another person"):
        erasure_actions.confirm_batch(batch=batch, by=clinic.adam, seconds=9)
    assert Client.objects.filter(label__startswith="Old").count() == 3
    assert erasure_actions.confirm_batch(batch=batch, by=agnes, seconds=9) == 3
    assert not Client.objects.filter(label__startswith="Old").exists()
    erased = AuditEvent.objects.filter(action="client erased").values_list("client", flat=True)
    assert set(erased) == {episode.client.code for episode in old}


def test_who_comes_back_meanwhile_is_left_out(clinic, agnes):
    rule(clinic.adam)
    back = ended(clinic.olga, "Back", date(2012, 1, 1))
    ended(clinic.olga, "Gone", date(2012, 1, 1))
    batch = erasure_actions.ask_for_all_due(seen=2, by=clinic.adam)
    actions.open_episode(
        client=back.client, therapist=clinic.olga, opened_on=timezone.localdate(), by=clinic.adam
    )
    assert erasure_actions.confirm_batch(batch=batch, by=agnes, seconds=9) == 1
    assert set(Client.objects.values_list("label", flat=True)) == {"K-1", "K-2", "Back"}
    assert Erasure.objects.get(client=back.client.code).called_off_by == agnes.pk


def test_a_long_batch_goes_on_step_by_step(clinic, agnes):
    rule(clinic.adam)
    for n in range(3):
        ended(clinic.olga, f"Old {n}", date(2012, 1, 1))
    batch = erasure_actions.ask_for_all_due(seen=3, by=clinic.adam)
    steps = [erasure_actions.confirm_batch(batch=batch, by=agnes, seconds=0) for _ in range(4)]
    assert steps == [1, 1, 1, 0]


def test_a_batch_can_be_called_off(clinic, agnes):
    rule(clinic.adam)
    ended(clinic.olga, "Old", date(2012, 1, 1))
    batch = erasure_actions.ask_for_all_due(seen=1, by=clinic.adam)
    assert erasure_actions.call_off_batch(batch=batch, by=clinic.adam) == 1
    assert erasure_actions.confirm_batch(batch=batch, by=agnes, seconds=9) == 0
    assert labels(retention.not_asked_for()) == ["Old"]


def test_what_was_confirmed_meanwhile_is_not_among_those_called_off(clinic, agnes, monkeypatch):
    rule(clinic.adam)
    for n in range(2):
        ended(clinic.olga, f"Old {n}", date(2012, 1, 1))
    batch = erasure_actions.ask_for_all_due(seen=2, by=clinic.adam)
    call_off = erasure_actions.call_off

    def confirmed_first(*, erasure, by):
        monkeypatch.setattr(erasure_actions, "call_off", call_off)
        erasure_actions.confirm(erasure=erasure, by=agnes)
        return call_off(erasure=erasure, by=by)

    monkeypatch.setattr(erasure_actions, "call_off", confirmed_first)
    assert erasure_actions.call_off_batch(batch=batch, by=clinic.adam) == 1
    assert labels(Client.objects.filter(label__startswith="Old")) == ["Old 1"]


def test_two_administrators_who_save_a_rule_at_once_make_one_version(clinic, monkeypatch):
    """Both read what was in force before either wrote the next version."""
    first, in_force = rule(clinic.adam, years=12), RetentionRuleQuerySet.in_force
    reads = iter([RetentionRule(version=0)])
    monkeypatch.setattr(RetentionRuleQuerySet, "in_force", lambda self: next(reads, None) or in_force(self))
    with pytest.raises(Refused, match="Somebody changed this meanwhile"):
        rule(clinic.adam, years=10)
    assert RetentionRule.objects.get() == first
    assert (first.years, str(first)) == (12, "Retention, version 1")


def test_of_two_administrators_who_change_the_rule_the_second_looks_again(clinic):
    form = RetentionForm(now=RetentionRule.objects.in_force())
    seen = form.fields[NAME].clean(form[NAME].value())
    first = rule(clinic.adam)
    with pytest.raises(Stale):
        erasure_actions.change_rule(years=5, years_young=None, by=clinic.adam, opened_with=seen)
    same = erasure_actions.change_rule(years=10, years_young=None, by=clinic.adam, opened_with=seen)
    assert (same.pk, RetentionRule.objects.count()) == (first.pk, 1)
