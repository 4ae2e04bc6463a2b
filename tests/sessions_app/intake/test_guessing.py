"""Wrong codes on purpose keep nobody else out, and guessing finds nothing. Lock-outs were a weapon.

100 wrong codes from five addresses blocked every short code for ten minutes, 20 from a clinic's Wi-Fi that house,
and 60 requests from six addresses the pairing of tablets.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alliance import known_browsers, rate_limits
from alliance.operations import clock_tasks
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import short_codes
from tests import cast

pytestmark = pytest.mark.django_db
GO, ROOM = reverse("go:start"), reverse("room:home")
WRONG = {"code": "2" * short_codes.SHORT_CODE_LENGTH}


@pytest.fixture
def link(clinic):
    return cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)


def guess(times, **at):
    return {Client(**at).post(GO, WRONG).status_code for _ in range(times)}


def opens(link, browser=None):
    return (browser or Client()).post(GO, {"code": link.short_code}).status_code == 303


def test_twenty_wrong_codes_from_the_clinics_wifi_keep_nobody_of_the_house_out(link):
    assert guess(20) == {422}
    assert opens(link)


def test_a_hundred_wrong_codes_from_five_addresses_keep_nobody_out(link):
    for place in range(5):
        assert guess(20, REMOTE_ADDR=f"192.0.2.{place}") == {422}
    assert opens(link)


def test_sixty_requests_to_be_paired_keep_no_tablet_from_being_paired(clinic):
    for place in range(6):
        answers = {Client(REMOTE_ADDR=f"192.0.2.{place}").post(ROOM).status_code for _ in range(10)}
        assert answers == {303}
    assert {Client().post(ROOM).status_code for _ in range(20)} == {303}


def known(person, **at):
    """A browser on which this person has signed in, and signed out again."""
    browser = Client(**at)
    browser.post(reverse("account_login"), {"login": person.email, "password": cast.PASSWORD})
    assert known_browsers.COOKIE in browser.cookies
    browser.post(reverse("account_logout"))
    return browser


def test_a_known_browser_has_tries_of_its_own_where_its_house_has_used_them_up(clinic, link, monkeypatch):
    browser = known(clinic.olga)
    monkeypatch.setitem(rate_limits.LIMITS, "short_code", "2/10m/ip")
    monkeypatch.setitem(rate_limits.OF_KNOWN_BROWSERS, "short_code", "2/10m/key")
    assert guess(2) == {422}
    assert guess(1) == {429}
    forged = Client()
    forged.cookies[known_browsers.COOKIE] = "somebody.else"
    assert not opens(link, forged)
    assert [browser.post(GO, WRONG).status_code for _ in range(3)] == [422, 422, 429]
    other = known(clinic.carl)
    assert opens(link, other)


def test_a_known_browser_is_paired_where_its_house_has_used_up_the_tries(clinic, monkeypatch):
    browser = known(clinic.adam)
    monkeypatch.setitem(rate_limits.LIMITS, "pairing_shown", "1/10m/ip")
    assert [Client().post(ROOM).status_code for _ in range(2)] == [303, 429]
    assert browser.post(ROOM).status_code == 303
    assert PairedTablet.objects.count() == 2


def test_over_the_whole_site_a_right_code_counts_for_nothing(clinic, link, monkeypatch):
    monkeypatch.setitem(rate_limits.OF_ALL, "short_code", 2)
    others = [cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga) for _ in range(3)]
    assert all(opens(other) for other in others)
    assert guess(2) == {422}
    assert guess(1) == {429}
    assert not opens(link)


def rows_of_the_cache():
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM cache")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("what", "address", "sent"), [("short_code", GO, WRONG), ("pairing_shown", ROOM, {})]
)
def test_a_thousand_addresses_leave_no_row_each_once_the_whole_site_refuses(
    clinic, monkeypatch, what, address, sent
):
    monkeypatch.setitem(rate_limits.OF_ALL, what, 2)

    def tries(place):
        return Client(REMOTE_ADDR=f"192.0.2.{place}").post(address, sent).status_code

    assert 429 not in {tries(place) for place in range(2)}
    before = rows_of_the_cache()
    assert {tries(place) for place in range(2, 8)} == {429}
    assert rows_of_the_cache() == before


def test_tries_of_a_time_that_is_over_are_removed_by_the_clock(time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    assert guess(1, REMOTE_ADDR="192.0.2.1") == {422}
    kept = rows_of_the_cache()
    task = clock_tasks.named("expired_cache")
    task.work(None)
    assert rows_of_the_cache() == kept >= 2, "what still counts stays"
    time_machine.move_to(now + timedelta(minutes=11), tick=False)
    assert task.work(None) == f"{kept} expired rows of the cache removed"
    assert rows_of_the_cache() == 0


def test_whoever_guesses_all_year_finds_a_code_with_a_chance_of_two_in_a_hundred():
    """As many wrong codes as the site takes, day and night, with 200 codes open at each moment.

    Even where only one of four at once were counted, as the cache may do, it is one year in twelve.
    """
    a_year = rate_limits.OF_ALL["short_code"] * 6 * 24 * 365
    chance = a_year * 200 / len(short_codes.ALPHABET) ** short_codes.SHORT_CODE_LENGTH
    assert chance < 0.02
    assert 4 * chance < 1 / 12


def test_to_keep_the_whole_site_waiting_takes_twelve_thousand_guesses_from_two_dozen_addresses():
    amount = int(rate_limits.LIMITS["short_code"].split("/")[0])
    assert rate_limits.OF_ALL["short_code"] == 24 * amount
