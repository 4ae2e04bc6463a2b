"""What the next person at a device sees of the client who had it before: nothing, in each of three ways."""

import pytest
from playwright.sync_api import Error, Page, expect

from alliance import device_lock
from sessions_app.courses.grants import RatingGrant
from sessions_app.intake import hand_over_actions, sending_actions
from tests import cast
from tests.browser.careless import (
    PATIENCE,
    neither_rotates_nor_forbids_to_keep,
    server_without,
    without_the_scripts_care,
)
from tests.browser.devices import DONE, TITLE, WAYS, Device, HandedOver
from tests.browser.traces import CLIENTS_WORDS, at_rest, entries, everything_in, shown, step

TIMES_BACK = 10
LEFT = """() => [
  ...[...document.querySelectorAll("[data-line] > input[type=hidden]")].map((one) => one.value),
  ...[...document.querySelectorAll("[data-line] :checked:not(option)")].map((one) => one.value),
  ...[...document.querySelectorAll("textarea")].map((one) => one.value),
  ...[...document.querySelectorAll(".seen [data-state=marked]:not([hidden]) .mark")].map((one) => one.outerHTML),
].filter(Boolean)"""
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture
def in_hand(another_browser, live_clinic, base_url):
    def opened(way: str, *, careless: bool = False, **options) -> Device:
        context = another_browser(complains=("status of 4",), **options)
        if careless:
            without_the_scripts_care(context)
        return WAYS[way](context, live_clinic, base_url)

    return opened


def mark(page: Page) -> None:
    page.locator("#line-goals [data-strip]").click(position={"x": 90, "y": 30})
    page.locator("#comment").fill(CLIENTS_WORDS)


def hand_in(page: Page) -> None:
    page.get_by_role("button", name="Check, then hand in").click()
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url("**" + DONE + "*")


def go(page: Page, by: int) -> str:
    step(page, by)
    return shown(page)


def left(page: Page, seen: str) -> list[str]:
    """What a client marked or wrote and this page still has."""
    try:
        marks = page.evaluate(LEFT)
    except Error:  # the tablet of a room goes on by itself: to the page that comes then
        at_rest(page)
        marks = page.evaluate(LEFT)
    return [*marks, *([CLIENTS_WORDS] if CLIENTS_WORDS in seen else [])]


def through_the_history(page: Page, times: int) -> list[str]:
    """Back so many times, then Forward to the end, then Reload: all that is left of the client on the way."""
    steps = [-1] * min(times, len(entries(page))) + [1] * 3
    found = [one for by in steps for one in left(page, go(page, by))]
    page.reload()
    return found + left(page, shown(page))


class TestAfterHandingIn:
    @every_way
    def test_ten_times_back_shows_nothing_and_neither_does_the_next_form(self, in_hand, way):
        one = in_hand(way)
        mark(one.next_form())
        hand_in(one.page)
        assert through_the_history(one.page, TIMES_BACK) == []
        assert CLIENTS_WORDS not in everything_in(one.page)
        one.next_form()
        assert left(one.page, shown(one.page)) == []

    @every_way
    def test_control_with_script_and_server_careless_the_words_come_back(self, in_hand, way, monkeypatch):
        neither_rotates_nor_forbids_to_keep(monkeypatch)
        for _ in range(PATIENCE):
            one = in_hand(way, careless=True)
            mark(one.next_form())
            hand_in(one.page)
            if left(one.page, go(one.page, -1)):
                return
        pytest.fail("The leak did not show: these tests see nothing.")


class TestTheLinkInTheHistoryOfAPhone:
    """The browser keeps the address that was opened, with its token; whoever picks it from the list starts nothing."""

    def walk(self, one: Device) -> str:
        mark(one.next_form())
        hand_in(one.page)
        one.page.goto(one.link)
        start = one.page.get_by_role("button", name="Start")
        says = one.page.locator("#closed:visible")
        expect(start.or_(says)).to_have_count(1)
        if start.is_visible():  # where it is good, or nobody has said yet that it is not
            start.click()
            one.page.wait_for_load_state()
        return shown(one.page)

    def test_it_opens_nothing_a_second_time(self, in_hand):
        one = in_hand("own phone")
        assert "This form was handed in already." in self.walk(one)
        assert left(one.page, everything_in(one.page)) == []

    def test_control_were_it_good_twice_it_would(self, in_hand, monkeypatch):
        monkeypatch.setattr(sending_actions, "open_on_phone", open_again)
        one = in_hand("own phone")
        assert "This form was handed in already." not in self.walk(one)
        assert "/rate/" in one.page.url


def open_again(*, grant: RatingGrant, language: str) -> str:
    """`open_on_phone` as it must not be: a form is given out as often as its link is opened."""
    session = cast.therapy_session(grant.session.episode)
    return hand_over_actions.hand_over(session=session, by=session.episode.therapist)[1]


class TestAHalfFilledForm:
    """The next form comes while the former client's marks still stand on the screen."""

    @every_way
    def test_the_next_form_and_the_way_back_from_it_show_none_of_them(self, in_hand, way):
        one = in_hand(way)
        mark(one.next_form())
        duplicate = duplicated(one.page)
        assert left(duplicate, shown(duplicate)) == []
        duplicate.close()
        one.next_form()
        assert left(one.page, everything_in(one.page)) == []
        assert through_the_history(one.page, TIMES_BACK) == []

    # Not "handed over": its next form has the same address, so it takes the place of the former in the history.
    @pytest.mark.parametrize("way", ["own phone", "room"])
    def test_control_with_careless_scripts_the_way_back_shows_them(self, in_hand, way, monkeypatch):
        monkeypatch.setattr(device_lock, "logout", lambda request: None)
        server_without(monkeypatch, "no-store")
        for _ in range(PATIENCE):
            one = in_hand(way, careless=True)
            mark(one.next_form())
            one.next_form()
            if any(left(one.page, go(one.page, -1)) for _ in range(2)):
                return
        pytest.fail("The leak did not show: these tests see nothing.")


def duplicated(page: Page) -> Page:
    """A second tab of the same address; the browser copies the storage of the first."""
    with page.context.expect_page() as opened:
        page.evaluate("void window.open(location.href)")
    opened.value.wait_for_load_state()
    return opened.value


class TestWithoutScripts:
    """The marks travel to the server for another language, and back into its page."""

    def walk(self, one: Device) -> Page:
        page = one.next_form()
        page.locator("#line-goals label", has=page.locator("input[value='20']")).click()
        page.locator("#comment").fill(CLIENTS_WORDS)
        page.get_by_role("button", name="Deutsch").click()
        expect(page.locator("#comment")).to_have_value(CLIENTS_WORDS)
        page.locator(".last button").click()
        page.locator("button[value=hand-in]").click()
        page.wait_for_url("**" + DONE + "*")
        return page

    def test_after_a_change_of_language_the_way_back_shows_nothing(self, in_hand):
        page = self.walk(in_hand("handed over", java_script_enabled=False))
        found = [shows(page)]
        for _ in range(TIMES_BACK):
            go(page, -1)
            found.append(shows(page))
        assert not any(found)

    def test_control_with_a_careless_server_it_does(self, in_hand, monkeypatch):
        neither_rotates_nor_forbids_to_keep(monkeypatch)
        page = self.walk(in_hand("handed over", java_script_enabled=False))
        seen = []
        for _ in range(4):
            go(page, -1)
            seen.append(shows(page))
        assert any(seen)


def shows(page: Page) -> bool:
    return CLIENTS_WORDS in page.content() or page.locator(":checked:not(option)").count() > 0


class TestAFormThatWasLeftOpen:
    """In another tab, half filled, while the therapist hands the tablet over for somebody else."""

    def seen_later(self, another_browser, live_clinic, base_url, *, deaf: bool) -> list[str]:
        context = another_browser(complains=("status of 4",))
        if deaf:
            context.add_init_script("delete globalThis.BroadcastChannel")
        first = HandedOver(context, live_clinic, base_url)
        mark(first.next_form())
        second = HandedOver(context, live_clinic, base_url)
        second.forms = first.forms
        second.next_form()
        first.page.wait_for_timeout(1_500)
        expect(first.page.get_by_role("heading", name=TITLE)).to_be_visible()
        return left(first.page, shown(first.page))

    def test_shows_the_next_client_nothing(self, another_browser, live_clinic, base_url):
        assert self.seen_later(another_browser, live_clinic, base_url, deaf=False) == []

    def test_control_where_no_tab_hears_another_it_shows_all(self, another_browser, live_clinic, base_url):
        assert CLIENTS_WORDS in self.seen_later(another_browser, live_clinic, base_url, deaf=True)
