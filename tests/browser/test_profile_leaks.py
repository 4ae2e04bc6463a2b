"""What a browser writes to its disk, and what it shows when it is started again: killed, closed, restored."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, TimeoutError, expect

from tests.browser.careless import server_without
from tests.browser.conftest import whole_chromium
from tests.browser.traces import (
    CLIENTS_WORDS,
    entries,
    everything_in,
    kill,
    profile_text,
    shown,
    wait_until_gone,
)
from tests.canaries import CANARIES, planted

# Chromium notes a page's fields a second after they change, and its open tabs every two and a half seconds.
TO_DISK = 4_500
RESTORE = ("--restore-last-session", "--hide-crash-restore-bubble")
PATIENCE = 45_000  # milliseconds for one start
WHERE_THINGS_GO = {
    "pages": "Default/Cache",
    "titles and addresses": "Default/History",
    "open and closed tabs": "Default/Sessions",
    "typed words": "Default/Web Data",
}


@pytest.fixture(autouse=True)
def _pages_in_clear(monkeypatch) -> None:
    """Compressed, a page that a browser kept would hold the words, and this search would not see them."""
    monkeypatch.setattr("alliance.compressed.may_be_compressed", lambda request, response: False)


@pytest.fixture
def profile(tmp_path, live_clinic) -> Path:
    planted(live_clinic)
    return tmp_path / "profile"


@pytest.fixture
def start(browser_type, browser_type_launch_args, browser_context_args, profile):
    """Start the browser on the profile; `restore`: with the tabs it had, as after a crash."""
    opened = []

    def launched(*more: str) -> BrowserContext:
        options = {**browser_type_launch_args, **browser_context_args, "timeout": PATIENCE}
        options["executable_path"] = whole_chromium()  # the headless shell has nothing to restore
        options["args"] = [*options["args"], *more]
        opened.append(browser_type.launch_persistent_context(profile, **options))
        return opened[-1]

    def started(*, restore: bool = False) -> BrowserContext:
        wait_until_gone(profile)
        if not restore:
            return launched()
        as_it_was = shutil.copytree(profile, profile.with_name("as it was"), symlinks=True)
        try:
            return launched(*RESTORE)
        except TimeoutError:
            # The driver waits for the first page to load, and has missed it where tabs come back just then.
            # The same profile again: the start that hung has overwritten what was to be restored.
            kill(profile)
            shutil.rmtree(profile)
            as_it_was.rename(profile)
            return launched(*RESTORE)

    yield started
    for context in opened:
        with suppress(Error):  # one that was killed is closed already
            context.close()


@pytest.fixture
def walk(start, live_clinic, sign_in_browser, base_url):
    """Olga searches, looks at two clients, closes one tab, hands over; the client marks half of the form."""

    def walked() -> BrowserContext:
        context = start()
        sign_in_browser(context, live_clinic.olga)
        page, closed = context.pages[0], context.new_page()
        closed.goto(f"{base_url}/dashboard/")
        closed.get_by_role("link", name=CANARIES.words["other label"]).first.click()
        expect(closed.get_by_role("heading", level=1)).to_contain_text(CANARIES.words["other label"])
        closed.close()
        page.goto(f"{base_url}/clients/")
        page.get_by_label("Label").press_sequentially(CANARIES.words["label"])
        page.get_by_role("button", name="Find").click()
        expect(page.locator("caption")).to_have_text("1 client")
        page.goto(f"{base_url}/dashboard/clients/{live_clinic.olgas.code}/")
        assert {"label", "said"} <= CANARIES.in_text(shown(page))
        hand_over(page)
        page.locator("#comment").fill(CLIENTS_WORDS)
        page.wait_for_timeout(TO_DISK)
        return context

    return walked


def hand_over(page: Page) -> None:
    page.get_by_role("link", name="Hand over").first.click()
    page.get_by_role("button", name=re.compile("^Hand over")).click()
    page.wait_for_url("**/rate/")


def found_in(profile: Path) -> set[str]:
    dump = profile_text(profile)
    return CANARIES.in_bytes(dump) | ({"the client's own words"} if CLIENTS_WORDS in dump else set())


def restored(context: BrowserContext) -> Page:
    """The tab that shows a page of the site, once it has loaded."""
    for _ in range(100):
        for page in context.pages:
            if page.url.startswith("http"):
                page.wait_for_load_state()
                return page
        context.pages[0].wait_for_timeout(100)
    raise AssertionError(f"No tab came back: {[page.url for page in context.pages]}")


def through_the_history(page: Page) -> str:
    """Every entry of the tab's history opened again, as a person picks one from the list."""
    seen, cdp = "", page.context.new_cdp_session(page)
    for entry in entries(page):
        if entry["url"].startswith("http"):
            cdp.send("Page.navigateToHistoryEntry", {"entryId": entry["id"]})
            seen += shown(page)
    return seen


def test_closed_and_restored_it_holds_the_form_and_nobodys_words(walk, start, profile):
    walk().close()
    assert found_in(profile) == set()
    page = restored(start(restore=True))
    expect(page.get_by_role("heading", name="How was this session?")).to_be_visible()
    assert page.locator("#comment").input_value() == ""
    seen = everything_in(page) + through_the_history(page)
    assert CANARIES.in_text(seen) == set()
    assert CLIENTS_WORDS not in seen


def test_killed_and_restored_likewise(walk, start, profile):
    context = walk()
    context.pages[0].wait_for_timeout(6_000)  # Chromium writes down its tabs only every few seconds
    kill(profile)
    with suppress(Error):
        context.close()
    assert found_in(profile) == set()
    page = restored(start(restore=True))
    seen = shown(page) + through_the_history(page)
    assert CANARIES.in_text(seen) == set()
    assert CLIENTS_WORDS not in seen


def test_control_without_care_each_place_holds_somebodys_words(walk, start, profile, monkeypatch):
    """Five protections off at once; each shows in a place of its own, so none hides behind another."""
    off = ("no-store", "titles", "shield", "autocomplete", "search in place", "form script")
    server_without(monkeypatch, *off)
    walk().close()
    found = {place: found_in(profile / path) for place, path in WHERE_THINGS_GO.items()}
    assert {"said", "comment"} <= found["pages"]
    assert "label" in found["titles and addresses"]
    assert "label" in found["open and closed tabs"]
    assert "label" in found["typed words"]
    page = restored(start(restore=True))
    assert page.locator("#comment").input_value() == CLIENTS_WORDS
