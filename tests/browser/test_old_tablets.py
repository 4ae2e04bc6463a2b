"""Tablets that get no new browser any more, and stores that do not answer: what is handed in arrives all the same."""

import re

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Rating
from tests import cast
from tests.browser.conftest import CUT
from tests.browser.devices import pair
from tests.browser.test_offline import QUEUE, arrives, is_kept, press

# What Safari before 16 and Chrome before 104 lack. What stays away with them is said where it is used.
OLD = """
  delete AbortSignal.timeout;
  delete Crypto.prototype.randomUUID;
  delete SubmitEvent.prototype.submitter;
  delete HTMLFormElement.prototype.requestSubmit;
  delete Navigator.prototype.locks;
  delete Array.prototype.at;
  delete globalThis.BroadcastChannel;
"""
NEVER_ANSWERS = "IDBFactory.prototype.open = () => ({});"
CANNOT_BE_READ = """
  const all = IDBObjectStore.prototype.getAll;
  IDBObjectStore.prototype.getAll = function () {
    if (globalThis.broken) throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
    return all.call(this);
  };
"""


@pytest.fixture
def old(another_browser):
    context = another_browser(complains=CUT)
    context.add_init_script(OLD)
    return context


class TestAnOldBrowser:
    def test_keeps_and_sends_what_was_handed_in_without_a_connection(self, open_form, old):
        page = open_form(within=old)
        old.set_offline(True)
        press(page)
        is_kept(page)
        old.set_offline(False)
        arrives(page)
        assert page.evaluate(QUEUE) == "[]"

    def test_knows_which_button_was_pressed(self, open_form, old):
        page = open_form(within=old)
        page.get_by_role("button", name="Deutsch").click()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.get_by_role("button", name=re.compile("abgeben")).last.click()
        expect(page.locator("#review")).to_be_visible()
        page.locator("#review .actions button[value=change]").click()
        expect(page.locator("#marking")).to_be_visible()

    def test_follows_what_is_sent_to_its_room(self, old, live_clinic, live_server):
        row = pair(old, live_clinic, live_server.url)
        page = old.new_page()
        page.goto("/room/")
        cast.sent(cast.therapy_session(live_clinic.olgas), tablet=row, by=live_clinic.olga)
        expect(page.locator("#title")).to_be_visible(timeout=8_000)


class TestAStore:
    @pytest.fixture
    def opened(self, another_browser, open_form):
        def with_a_store(script: str) -> Page:
            context = another_browser(complains=CUT)
            context.add_init_script(script)
            return open_form(within=context)

        return with_a_store

    def test_that_never_answers_holds_nothing_up(self, opened):
        page = opened(NEVER_ANSWERS)
        press(page)
        arrives(page)

    def test_that_cannot_be_read_is_not_an_empty_one(self, opened):
        """Else the page takes the marks for arrived, leaves, and the client gets the form anew."""
        page = opened(CANNOT_BE_READ)
        page.context.set_offline(True)
        page.evaluate("globalThis.broken = true")
        press(page)
        is_kept(page)
        page.wait_for_timeout(2_000)
        expect(page.locator("#kept")).to_be_visible()
        assert not Rating.objects.exists()
        page.evaluate("globalThis.broken = false")
        page.context.set_offline(False)
        arrives(page)

    def test_that_is_broken_is_told_from_an_empty_one(self, opened):
        page = opened(CANNOT_BE_READ)
        ask = "import('/static/rate/store.js').then(({ waiting }) => waiting())"
        assert page.evaluate(ask) == []
        page.evaluate("globalThis.broken = true")
        assert page.evaluate(ask) is None


def test_a_seal_that_fails_is_no_dead_end(open_form, another_browser):
    """The form goes as it does without scripts."""
    context = another_browser()
    context.add_init_script(
        "crypto.subtle && (crypto.subtle.encrypt = () => Promise.reject(new Error('broken')));"
    )
    page = open_form(within=context)
    press(page)
    arrives(page)
