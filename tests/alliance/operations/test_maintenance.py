"""The site is closed for a while: staff read a sentence, devices keep their marks, probes are answered."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client as Browser

from alliance.operations import maintenance
from alliance.operations.maintenance import MaintenanceNotice, Switch
from tests import cast

pytestmark = pytest.mark.django_db
SENTENCE = "Back at 14:00. <Ada> looks after it."


@pytest.fixture(autouse=True)
def looks_each_time(monkeypatch):
    """As a server whose last look is some seconds ago."""
    switch = Switch()
    monkeypatch.setattr(switch, "LOOKS_EVERY", 0.0)
    monkeypatch.setattr(maintenance, "switch", switch)
    return switch


def switched(capsys, *command):
    call_command("maintenance", *command)
    return capsys.readouterr().out


def test_the_switch_says_how_it_stands(capsys):
    assert switched(capsys) == "Open.\n"
    assert SENTENCE in switched(capsys, "on", SENTENCE)
    assert SENTENCE in switched(capsys)
    assert maintenance.NOTICE in switched(capsys, "on")
    assert MaintenanceNotice.objects.count() == 1
    assert switched(capsys, "off") == "Open.\n"
    assert switched(capsys, "off") == "Open.\n"
    with pytest.raises(CommandError, match="at most 300"):
        call_command("maintenance", "on", "x" * 301)


@pytest.mark.parametrize(
    ("method", "address"), [("get", "/dashboard/"), ("post", "/clients/new/"), ("get", "/")]
)
def test_staff_read_the_sentence_and_nothing_is_written(clinic, sign_in, method, address):
    browser = sign_in(clinic.olga)
    maintenance.close(SENTENCE)
    answer = getattr(browser, method)(address)
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "60", "no-store")
    assert "Back at 14:00. &lt;Ada&gt; looks after it." in answer.text
    assert "Content-Security-Policy" in answer
    maintenance.open_again()
    assert browser.get("/dashboard/").status_code == 200


def test_a_device_keeps_its_marks_and_the_client_reads_their_language(clinic):
    """To its worker and to what delivers, 502 to 504 is a site that is away: nothing is forgotten."""
    maintenance.close(SENTENCE)
    form = Browser().get("/rate/", headers={"Accept-Language": "de"})
    assert form.status_code == 503
    assert "Das hat nicht geklappt." in form.text
    assert "Ada" not in form.text
    sent = Browser().post("/rate/upload/", json.dumps({"sealed": "x"}), content_type="application/json")
    assert sent.status_code == 503
    assert '"stored": true' not in sent.text
    maintenance.open_again()
    assert Browser().post("/rate/upload/", "{}", content_type="application/json").status_code != 503


def test_probes_are_answered_or_the_container_would_be_started_anew():
    maintenance.close(SENTENCE)
    assert Browser().get("/healthz").status_code == 200


def test_while_the_database_is_away_the_last_known_state_stands(looks_each_time, monkeypatch):
    def away():
        raise DatabaseError("server closed the connection unexpectedly")

    maintenance.close(SENTENCE)
    assert looks_each_time.state().sentence == SENTENCE
    monkeypatch.setattr(maintenance, "closed", away)
    assert looks_each_time.state().sentence == SENTENCE
    looks_each_time.forget()
    assert looks_each_time.state() is None


def test_a_page_asks_the_database_once_in_some_seconds(django_assert_num_queries, clinic):
    assert cast.therapy_session(clinic.olgas)
    switch = Switch()
    switch.state()
    with django_assert_num_queries(0):
        switch.state()
