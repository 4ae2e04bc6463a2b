"""Nobody else's wrong tries keep a person out of a browser on which they have signed in before."""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from alliance import known_browsers
from tests import cast
from tests.alliance.sign_in import (
    SECURITY,
    SOMEWHERE_ELSE,
    code,
    enter,
    fail,
    give_an_app,
    known_browser,
    sign_in,
)

pytestmark = pytest.mark.django_db


def value(browser: Browser) -> str:
    return browser.cookies[known_browsers.COOKIE].value


class TestWhoIsKeptOut:
    def test_not_the_therapist_back_at_the_tablet_whose_address_somebody_knows(self, clinic):
        tablet = Browser()
        assert sign_in(tablet, clinic.olga.email)
        tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        fail(clinic.olga.email, 6, REMOTE_ADDR=SOMEWHERE_ELSE)
        assert not sign_in(Browser(), clinic.olga.email), "control: a new browser is kept out"
        back = tablet.post(
            reverse("account_login"), {"login": "OLGA@clinic.example", "password": cast.PASSWORD}
        )
        assert back.headers["Location"] == reverse("dashboard:client", args=[clinic.olgas.code])

    def test_nor_one_who_shares_a_network_with_somebody_who_tries_all_the_time(self, clinic):
        tablet = known_browser(clinic.olga)
        for number in range(40):
            fail(f"nobody{number}@clinic.example", 1)
        assert not sign_in(Browser(), clinic.carl.email), "control: a new browser there is kept out"
        assert sign_in(Browser(), clinic.carl.email, REMOTE_ADDR=SOMEWHERE_ELSE)
        assert sign_in(tablet, clinic.olga.email)

    def test_nor_at_the_second_factor(self, clinic):
        tablet = known_browser(clinic.olga)
        give_an_app(clinic.olga)
        assert not sign_in(tablet, clinic.olga.email)
        for number in range(12):
            fail(f"nobody{number}@clinic.example", 1)
        assert enter(tablet, code())

    def test_nor_one_who_shows_once_more_that_it_is_they(self, clinic):
        laptop = Browser()
        assert sign_in(laptop, clinic.adam.email)
        fail(clinic.adam.email, 6)
        laptop.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
        assert laptop.get(reverse("clinic:add_person")).status_code == 200

    def test_several_people_share_a_tablet(self, clinic):
        tablet = known_browser(clinic.olga, clinic.carl, clinic.olga)
        for person in (clinic.olga, clinic.carl):
            fail(person.email, 5)
            assert sign_in(tablet, person.email)
            tablet.post(reverse("account_logout"))


class TestHowOftenOneMayTry:
    def test_five_times_on_a_known_browser_and_nobody_else_is_kept_out(self, clinic):
        tablet, laptop = known_browser(clinic.olga, clinic.carl), known_browser(clinic.olga)
        fail(clinic.olga.email, 5, tablet)
        assert not sign_in(tablet, clinic.olga.email)
        assert sign_in(tablet, clinic.carl.email)
        assert sign_in(laptop, clinic.olga.email)
        assert sign_in(Browser(), clinic.olga.email)

    def test_again_after_five_minutes(self, clinic, time_machine):
        time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
        tablet = known_browser(clinic.olga)
        fail(clinic.olga.email, 5, tablet)
        time_machine.move_to("2026-03-02 09:04:59+00:00", tick=False)
        assert not sign_in(tablet, clinic.olga.email)
        time_machine.move_to("2026-03-02 09:05:01+00:00", tick=False)
        assert sign_in(tablet, clinic.olga.email)

    def test_tries_that_were_right_do_not_count(self, clinic):
        for _ in range(12):
            assert sign_in(Browser(), clinic.olga.email)

    def test_a_password_chosen_by_a_link_clears_them(self, clinic, mailoutbox):
        tablet = known_browser(clinic.olga)
        fail(clinic.olga.email, 5, tablet)
        tablet.post(reverse("account_reset_password"), {"email": clinic.olga.email})
        link = next(word for word in mailoutbox[0].body.split() if "/reset/key/" in word)
        chosen = "a heron over quiet water"
        tablet.post(tablet.get(link).url, {"password1": chosen, "password2": chosen})
        assert sign_in(tablet, clinic.olga.email, chosen)

    @pytest.mark.parametrize("forged", ["carls", "moved", "another key", "made up", "empty", "long"])
    def test_a_mark_that_is_not_theirs_gives_nobody_tries(self, clinic, forged, settings):
        carls, olgas = known_browser(clinic.carl), known_browser(clinic.olga)
        browser, mark = value(olgas).split(".")
        if forged == "another key":
            settings.SECRET_KEY = "x" * 60
        values = {
            "carls": value(carls),
            "moved": f"{value(carls).split('.')[0]}.{mark}",
            "another key": value(olgas),
            "made up": f"{browser}.{'x' * 43}",
            "empty": "",
            "long": ".".join([browser, *["x" * 43] * 40, mark]),
        }
        stranger = Browser()
        stranger.cookies[known_browsers.COOKIE] = values[forged]
        fail(clinic.olga.email, 5)
        assert not sign_in(stranger, clinic.olga.email)

    def test_a_change_of_the_sites_key_forgets_nobody(self, clinic, settings):
        tablet = known_browser(clinic.olga)
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "x" * 60
        fail(clinic.olga.email, 5)
        assert sign_in(tablet, clinic.olga.email)
        assert value(tablet).count(".") == 1, "the old mark gives way to the new one"


class TestTheCookie:
    def test_is_for_the_server_alone_and_kept(self, clinic, settings):
        settings.HTTPS = True
        given = known_browser(clinic.olga).cookies[known_browsers.COOKIE]
        assert (given["httponly"], given["samesite"], given["path"]) == (True, "Lax", "/")
        assert (given["secure"], given["max-age"], given["domain"]) == (True, 400 * 24 * 3600, "")

    def test_names_nobody_and_is_another_one_on_each_browser(self, clinic):
        one, other = (value(known_browser(clinic.olga)) for _ in range(2))
        for told in (str(clinic.olga.pk), clinic.olga.pk.hex, "olga", "Olga"):
            assert told not in one
        assert set(one.split(".")).isdisjoint(other.split("."))

    def test_comes_with_a_full_sign_in_only(self, clinic):
        give_an_app(clinic.olga)
        browser = Browser()
        assert not sign_in(browser, clinic.olga.email)
        assert known_browsers.COOKIE not in browser.cookies
        assert not enter(browser, "000000")
        assert known_browsers.COOKIE not in browser.cookies
        assert enter(browser, code())
        assert known_browsers.COOKIE in browser.cookies

    def test_outlives_the_hand_over_and_is_not_given_anew_by_it(self, clinic):
        tablet = Browser()
        sign_in(tablet, clinic.olga.email)
        before = value(tablet)
        answer = tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        assert known_browsers.COOKIE not in answer.cookies
        assert known_browsers.COOKIE not in tablet.get(reverse("rate:form")).cookies
        assert value(tablet) == before

    def test_opens_nothing(self, clinic):
        tablet = known_browser(clinic.olga)
        assert tablet.get(SECURITY).status_code == 302
        give_an_app(clinic.olga)
        assert not sign_in(tablet, clinic.olga.email), "the second factor is asked for as ever"

    def test_holds_a_team_and_forgets_whoever_was_not_there_for_longest(self, clinic, monkeypatch):
        monkeypatch.setattr(known_browsers, "PEOPLE", 2)
        tablet = known_browser(clinic.olga, clinic.carl, clinic.sina)
        assert value(tablet).count(".") == 2
        for person in (clinic.olga, clinic.sina):
            fail(person.email, 5, REMOTE_ADDR=SOMEWHERE_ELSE)
        assert not sign_in(tablet, clinic.olga.email)
        assert sign_in(tablet, clinic.sina.email)
