"""Staff's own tabs after the device went into a client's hands: second, duplicated, reopened, still asking, printed.

Each promise stands beside a control that takes its protection away and sees the leak.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from alliance import device_lock
from tests.alliance.page_table import OURS, addresses
from tests.browser.careless import server_without
from tests.browser.devices import FORM
from tests.browser.traces import entries, everything_in, printed, saved, shown, step, stored
from tests.canaries import CANARIES, planted

OF_THE_SCREEN = {"label", "said", "agreed", "comment", "total"}
OF_THE_PAGE_FOR_TWO = {"said", "agreed", "comment"}


@pytest.fixture
def course(live_clinic) -> str:
    planted(live_clinic)
    return f"/dashboard/clients/{live_clinic.olgas.code}/"


@pytest.fixture
def olgas(another_browser, live_clinic, sign_in_browser, course):
    """Olga's browser at her client's page."""

    def opened(*, complains: tuple[str, ...] = (), **options) -> Page:
        context = another_browser(complains=("status of 4", *complains), **options)
        sign_in_browser(context, live_clinic.olga)
        page = context.new_page()
        page.goto(course)
        assert CANARIES.in_text(page.content()) >= OF_THE_SCREEN
        return page

    return opened


def hand_over(page: Page, course: str) -> None:
    page.goto(f"{course}hand-over/")
    page.get_by_role("button", name=re.compile("^Hand over")).click()
    page.wait_for_url("**" + FORM)


def duplicate_of(page: Page) -> Page:
    with page.context.expect_page() as opened:
        page.evaluate("sessionStorage.setItem('draft', document.title); void window.open(location.href)")
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("sessionStorage.getItem('draft')")  # copied, as by "Duplicate tab"
    return opened.value


class TestOpenTabs:
    """A second tab and a duplicated one stand open at the client's page, one of them amid a question; a third
    at what was looked at together."""

    def walk(self, olgas, course: str) -> tuple[Page, list[Page]]:
        page = olgas()
        # Its own question would lead it to the form within seconds: what is looked at here is the time until then.
        page.context.route("**/*seen=*", lambda route: None)
        second, duplicate, together = page.context.new_page(), duplicate_of(page), page.context.new_page()
        second.goto(course)
        expect(second.get_by_role("heading", level=1)).to_contain_text(CANARIES.words["label"])
        together.goto(course)
        together.get_by_role("link", name="Look at it together").click()
        together.get_by_role("button", name="Show").click()
        expect(together.get_by_text(CANARIES.words["agreed"])).to_be_visible()
        hand_over(page, course)
        return page, [second, duplicate, together]

    def test_they_clear_themselves_for_the_screen_the_printer_the_file_and_the_tabs_history(
        self, olgas, course
    ):
        page, others = self.walk(olgas, course)
        for tab in others:
            expect(tab.get_by_text("This screen was cleared")).to_be_visible()
            assert CANARIES.in_text(everything_in(tab)) == set()
        assert CANARIES.in_text(everything_in(page)) == set()
        others[0].get_by_role("button", name="Reload").click()
        others[0].wait_for_url("**" + FORM)
        assert CANARIES.in_text(shown(others[0])) == set()

    def test_control_without_the_shield_screen_printer_and_file_all_show(self, olgas, course, monkeypatch):
        server_without(monkeypatch, "shield", "titles")
        _, others = self.walk(olgas, course)
        for tab, theirs in zip(others, [OF_THE_SCREEN, OF_THE_SCREEN, OF_THE_PAGE_FOR_TWO], strict=True):
            for dump in (shown, printed, saved):
                assert CANARIES.in_text(dump(tab)) >= theirs, dump.__name__
            assert "label" in CANARIES.in_text(str(entries(tab)))


class TestAReopenedTab:
    def walk(self, olgas, course: str) -> Page:
        """Closed before the hand-over, opened again by its address."""
        page = olgas()
        other = page.context.new_page()
        other.goto(course)
        other.close()
        hand_over(page, course)
        reopened = page.context.new_page()
        reopened.goto(course)
        return reopened

    def test_it_is_the_form(self, olgas, course):
        reopened = self.walk(olgas, course)
        assert reopened.url.endswith(FORM)
        assert CANARIES.in_text(everything_in(reopened)) == set()

    def test_control_with_a_hand_over_that_only_leads_elsewhere_it_is_the_client(
        self, olgas, course, monkeypatch
    ):
        monkeypatch.setattr(device_lock, "lock", lambda request, **_: None)
        page = olgas()
        page.goto(f"{course}hand-over/")
        page.get_by_role("button", name=re.compile("^Hand over")).click()
        page.wait_for_load_state()
        reopened = page.context.new_page()
        reopened.goto(course)
        assert CANARIES.in_text(shown(reopened)) >= OF_THE_SCREEN


class TestAQuestionUnderWay:
    """A tab asked before the hand-over; the answer, with everything in it, comes after."""

    EMPTY = "document.getElementById('work-list').querySelectorAll('section').forEach((one) => one.remove())"

    def walk(self, olgas, course: str) -> Page:
        page = olgas()
        second = page.context.new_page()
        held = []

        def hold(route) -> None:
            # The server says nothing while nothing is new: ask as a page that knows nothing yet.
            held.append((route, route.fetch(url=re.sub("seen=.*", "seen=before", route.request.url))))

        second.route("**/dashboard/?seen=*", hold)
        second.goto("/dashboard/")
        for _ in range(80):
            if held:
                break
            second.wait_for_timeout(100)
        route, answer = held[0]
        assert "label" in CANARIES.in_text(answer.text())
        second.evaluate(self.EMPTY)
        hand_over(page, course)
        route.fulfill(response=answer)
        second.wait_for_timeout(700)
        return second

    def test_its_answer_is_not_shown(self, olgas, course):
        assert CANARIES.in_text(everything_in(self.walk(olgas, course))) == set()

    def test_control_without_the_shield_it_is(self, olgas, course, monkeypatch):
        server_without(monkeypatch, "shield")
        assert "label" in CANARIES.in_text(shown(self.walk(olgas, course)))


class TestTheHistoryOfHtmx:
    """htmx keeps whole pages in the browser's storage when an address changes in place, unless told not to."""

    PUSH = "htmx.ajax('GET', '/dashboard/', {target: '#main', select: '#main', push: 'true'})"

    def walk(self, olgas, course: str, *, empties: bool = True) -> Page:
        page = olgas()
        if not empties:  # the form's script does it too
            page.context.add_init_script("Storage.prototype.clear = () => {}")
        page.evaluate(f"void {self.PUSH}")
        page.wait_for_timeout(800)
        hand_over(page, course)
        return page

    def test_it_is_empty(self, olgas, course):
        assert CANARIES.in_text(stored(self.walk(olgas, course))) == set()

    def test_control_with_its_own_size_it_holds_the_clients_page(self, olgas, course, monkeypatch):
        server_without(monkeypatch, "no history in htmx")
        assert "said" in CANARIES.in_text(stored(self.walk(olgas, course, empties=False)))


def test_the_dumps_see_what_a_page_keeps(olgas, course):
    """Every storage a script has, so that an empty dump means something."""
    page = olgas()
    page.evaluate(KEEP, CANARIES.words)
    assert CANARIES.in_text(stored(page)) == {"label", "other label", "said", "agreed", "comment"}


KEEP = """async (words) => {
  localStorage.setItem("x", words.label);
  sessionStorage.setItem("x", words["other label"]);
  await (await caches.open("x")).put("/x", new Response(words.said));
  window.name = words.agreed;
  const base = await new Promise((done) => {
    const asked = indexedDB.open("x");
    asked.onupgradeneeded = () => asked.result.createObjectStore("x", { autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
  });
  const writing = base.transaction("x", "readwrite");
  writing.objectStore("x").add({ words: words.comment });
  await new Promise((done) => (writing.oncomplete = done));
  base.close();
}"""


class TestWithoutScripts:
    """No shield runs, so nothing may be in the page's title: the tab's history keeps it."""

    def walk(self, olgas, course: str) -> Page:
        page = olgas(java_script_enabled=False)
        hand_over(page, course)
        return page

    def test_the_tabs_history_names_nobody(self, olgas, course):
        page = self.walk(olgas, course)
        assert len(entries(page)) >= 3
        assert CANARIES.in_text(str(entries(page))) == set()

    def test_control_with_the_name_in_the_title_it_does(self, olgas, course, monkeypatch):
        server_without(monkeypatch, "titles")
        assert CANARIES.in_text(str(entries(self.walk(olgas, course)))) == {"label"}


def test_ten_times_back_and_addresses_of_staff_show_nothing(olgas, course, live_clinic):
    """A third of the addresses, typed; all of them, in all three ways a browser is locked and with every method:
    tests/sessions_app/intake/test_requests_of_before.py.
    """
    page, opened = olgas(), 0
    hand_over(page, course)
    for _ in range(10):  # the first two steps are her own pages
        step(page, -1)
        assert CANARIES.in_text(shown(page)) == set()
    for name, entry in OURS[::3]:
        prefix = name.split(":")[0]
        code = live_clinic.olga.pk if prefix in {"clinic", "tablets"} else live_clinic.olgas.code
        for url in addresses(live_clinic, name, entry, codes=[code]):
            page.goto(url, wait_until="domcontentloaded")
            assert page.url.endswith(FORM), url
            assert CANARIES.in_text(page.content()) == set(), url
            opened += 1
    assert opened > 10
    assert CANARIES.in_text(everything_in(page)) == set()
