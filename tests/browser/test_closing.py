"""The client's own marks after a rating: seen once, and gone by button, time, Back, Forward, reload, another page.

Beside the promise stands a control that takes the protection away and sees the marks come back.
"""

from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from alliance import device_lock
from alliance.session_store import SessionStore
from sessions_app.intake import closing, hand_over_actions
from sessions_app.intake.record_rating import record_rating
from sessions_app.intake.views import rate
from tests import cast
from tests.browser.conftest import PHONE
from tests.browser.test_hand_over_leaks import DONE, FORM, KEEPABLE, PATIENCE, TIMES, back, forward, reload

MARKS = "These are your marks of today."
THANKS = "Thank you. Please hand the tablet back."
SEEN = "[data-seen]"
THEIRS = UUID(int=1)


@pytest.fixture
def clinic(live_clinic) -> cast.Clinic:
    cast.choose(live_clinic.adam, closing="marks")
    return live_clinic


@pytest.fixture
def rated(handed_over, clinic):
    """A browser after a rating, at the marks of today."""

    def open_one(context: BrowserContext) -> Page:
        handed_over(context)
        page = context.new_page()
        page.goto(FORM)
        for item, part in (("relationship", 0.9), ("goals", 0.25)):
            box = page.locator(f"#line-{item} [data-strip]").bounding_box()
            page.mouse.click(box["x"] + part * box["width"], box["y"] + 30)
        page.get_by_role("button", name="Check, then hand in").click()
        page.get_by_role("button", name="Hand in").click()
        page.wait_for_url("**" + DONE)
        return page

    return open_one


def shows_marks(page: Page) -> bool:
    return MARKS in page.content() or page.locator(SEEN).count() > 0


def test_the_four_lines_as_on_the_review_and_no_figure(context, rated, axe):
    page = rated(context)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Thank you. {MARKS}")
    expect(page.locator(SEEN)).to_have_count(4)
    expect(page.locator("[data-state=marked]:not([hidden])")).to_have_count(2)
    expect(page.get_by_text("Not answered").locator("visible=true")).to_have_count(2)
    assert not any(sign.isdigit() for sign in page.locator("main").inner_text())
    assert axe(page) == []


def test_the_button_ends_it_and_nothing_brings_it_back(another_browser, rated):
    for _ in range(TIMES):
        page = rated(another_browser())
        page.get_by_role("link", name="Hand the tablet back").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(THANKS)
        for step in (back, forward, reload, back, back, forward):
            step(page)
            assert not shows_marks(page)
        page.goto(DONE)
        expect(page.get_by_role("heading", level=1)).to_have_text(THANKS)


def test_leaving_for_another_page_ends_it_and_back_shows_thanks(another_browser, rated):
    for _ in range(TIMES):
        page = rated(another_browser())
        page.goto("/rate/help/")
        back(page)
        assert not shows_marks(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(THANKS)


def test_reload_ends_it(context, rated):
    page = rated(context)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(THANKS)


def test_a_copy_of_the_tab_shows_thanks(context, rated):
    page = rated(context)
    copy = context.new_page()
    copy.goto(DONE)
    expect(copy.get_by_role("heading", level=1)).to_have_text(THANKS)
    copy.close()
    page.reload()
    assert not shows_marks(page)


def without_the_scripts_care(context: BrowserContext) -> None:
    """closing.js as it must not be: it forgets nothing when it is left. The message to other tabs goes too."""

    def careless(route):
        text = route.fetch().text()
        for care in (
            'addEventListener("pagehide", forget);',
            'addEventListener("pageshow", (event) => event.persisted && leave());',
            'addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? forget() : leave()));',
            "tellHandedIn(location.hash.slice(1));",
        ):
            assert care in text
            text = text.replace(care, "")
        route.fulfill(body=text, content_type="text/javascript")

    context.route("**/rate/closing.js", careless)


def without_the_servers_care(monkeypatch) -> None:
    """Neither rotates the cookie after the marks nor forbids to keep the page."""
    render = rate.render

    def keepable(*args, **options):
        response = render(*args, **options)
        response.headers["Cache-Control"] = KEEPABLE
        return response

    monkeypatch.setattr(device_lock, "stop_showing", lambda request: None)
    monkeypatch.setattr(rate, "render", keepable)


def test_the_server_alone_is_enough(another_browser, rated):
    for _ in range(TIMES):
        context = another_browser()
        without_the_scripts_care(context)
        page = rated(context)
        page.goto("/rate/help/")
        back(page)
        assert not shows_marks(page)


def test_the_page_alone_is_enough(another_browser, rated, monkeypatch):
    without_the_servers_care(monkeypatch)
    for _ in range(TIMES):
        page = rated(another_browser())
        page.goto("/rate/help/")
        back(page)
        assert not shows_marks(page)


def test_control_without_both_the_marks_come_back(another_browser, rated, monkeypatch):
    without_the_servers_care(monkeypatch)
    for _ in range(PATIENCE):
        context = another_browser()
        without_the_scripts_care(context)
        page = rated(context)
        page.goto("/rate/help/")
        back(page)
        if shows_marks(page):
            return
    pytest.fail("The leak did not show: these tests see nothing.")


def test_another_tab_in_front_ends_it(context, rated):
    page = rated(context)
    page.evaluate(
        """() => {
          Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }"""
    )
    assert not shows_marks(page)
    page.evaluate(
        """() => {
          Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text(THANKS)


class TestTime:
    def test_it_ends_by_itself(self, context, rated, monkeypatch):
        monkeypatch.setattr(closing, "SECONDS", 2)
        page = rated(context)
        assert shows_marks(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(THANKS, timeout=6000)

    def test_without_scripts_too(self, another_browser, handed_over, clinic, monkeypatch):
        monkeypatch.setattr(closing, "SECONDS", 2)
        context = another_browser(java_script_enabled=False)
        grant = handed_over(context)
        record_rating(grant=grant, answers=cast.answers(380), mode="line", delivery=THEIRS)
        page = context.new_page()
        page.goto(f"{DONE}?now={THEIRS}")
        assert shows_marks(page)
        page.wait_for_timeout(4000)
        assert THANKS in page.content()

    def test_two_minutes_are_what_the_page_says(self):
        assert closing.SECONDS == 120


class TestOnTheTabletOfARoom:
    def test_it_leads_to_thanks_and_back_to_waiting(self, context, clinic, live_server):
        session = cast.therapy_session(clinic.olgas)
        grant, token = hand_over_actions.hand_over(session=session, by=clinic.olga)
        record_rating(grant=grant, answers=cast.answers(380), mode="line", delivery=THEIRS)
        store = SessionStore()
        store["device_lock"] = {"token": token, "return_to": "", "channel": device_lock.PAIRED}
        store.create()
        context.add_cookies([{"name": "session", "value": store.session_key, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{DONE}?now={THEIRS}")
        assert shows_marks(page)
        page.get_by_role("link", name="Close").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. You can leave the tablet here.")
        assert not shows_marks(page)


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_it_is_readable_in_either_scheme_and_direction(
    another_browser, handed_over, clinic, axe, scheme, language
):
    context = another_browser(color_scheme=scheme, viewport=PHONE)
    grant = handed_over(context)
    type(grant).objects.filter(pk=grant.pk).update(language=language)
    record_rating(grant=grant, answers=cast.answers(380), mode="line", language=language, delivery=THEIRS)
    page = context.new_page()
    page.goto(f"{DONE}?now={THEIRS}")
    expect(page.locator(SEEN)).to_have_count(4)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
