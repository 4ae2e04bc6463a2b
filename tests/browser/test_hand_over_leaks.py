"""After a hand-over and after handing in, nothing of the person before is left in this browser.

Every promise stands beside a control that takes the protection away and sees the leak: with the
back/forward cache off, or with a wrong selector, all of these tests would pass and prove nothing.
"""

import re
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, expect

from alliance import device_lock
from alliance.access import CLIENT, PUBLIC, SETTLING_IN, rule_of
from sessions_app.courses.models import Rating
from tests import cast
from tests.browser.careless import (
    KEEPABLE,
    PATIENCE,
    neither_rotates_nor_forbids_to_keep,
    without_script,
    without_the_scripts_care,
)
from tests.browser.traces import at_rest, step

FORM, DONE = "/rate/", "/rate/done/"
SECRET = "We never talk about my brother."
TIMES = 5


def back(page: Page) -> str:
    step(page, -1)
    return at_rest(page)


def forward(page: Page) -> str:
    step(page, 1)
    return at_rest(page)


def reload(page: Page) -> str:
    page.reload()
    return at_rest(page)


def mark_and_hand_in(page: Page) -> None:
    page.goto(FORM)
    box = page.locator("#line-goals [data-strip]").bounding_box()
    page.mouse.click(box["x"] + 90, box["y"] + 30)
    page.locator("#comment").fill(SECRET)
    page.get_by_role("button", name="Check, then hand in").click()
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url("**" + DONE + "*")


@pytest.fixture
def careless_server(monkeypatch):
    """Neither rotates the cookie nor forbids to keep the page."""
    neither_rotates_nor_forbids_to_keep(monkeypatch)


class TestAfterHandingIn:
    def test_back_forward_and_reload_end_at_thank_you(self, another_browser, handed_over, live_clinic):
        for _ in range(TIMES):
            context = another_browser()
            handed_over(context)
            page = context.new_page()
            page.goto("/rate/help/")
            mark_and_hand_in(page)
            for go in (back, forward, reload, back, forward):
                shown = go(page)
                assert SECRET not in page.content()
                assert page.url.endswith((DONE, "/rate/help/")), page.url
                assert "hand the tablet back" in shown or "Who sees this?" in shown
            page.goto(FORM)
            assert "Thank you. Please hand the tablet back." in at_rest(page)
            Rating.objects.get(session__number=live_clinic.olgas.sessions.count())

    def test_the_server_alone_is_enough(self, another_browser, handed_over):
        for _ in range(TIMES):
            context = another_browser()
            without_the_scripts_care(context)
            handed_over(context)
            page = context.new_page()
            mark_and_hand_in(page)
            assert SECRET not in back(page)
            assert SECRET not in page.content()
            assert page.url.partition("?")[0].endswith(DONE)

    def test_the_page_alone_is_enough(self, another_browser, handed_over, careless_server):
        for _ in range(TIMES):
            context = another_browser()
            handed_over(context)
            page = context.new_page()
            mark_and_hand_in(page)
            assert SECRET not in back(page) + page.content()

    def test_control_without_both_the_answers_come_back(self, another_browser, handed_over, careless_server):
        for _ in range(PATIENCE):
            context = another_browser()
            without_the_scripts_care(context)
            handed_over(context)
            page = context.new_page()
            mark_and_hand_in(page)
            if SECRET in back(page):
                return
        pytest.fail("The leak did not show: these tests see nothing.")

    def test_without_javascript_back_shows_no_answers(self, another_browser, handed_over):
        for _ in range(TIMES):
            page = self.without_javascript(another_browser, handed_over)
            for _ in range(3):
                back(page)
                assert not self.shows_answers(page)

    def test_control_without_javascript_they_come_back(self, another_browser, handed_over, careless_server):
        page = self.without_javascript(another_browser, handed_over)
        seen = []
        for _ in range(3):
            back(page)
            seen.append(self.shows_answers(page))
        assert any(seen), "The leak did not show: this test sees nothing."

    def without_javascript(self, another_browser, handed_over) -> Page:
        context = another_browser(java_script_enabled=False)
        handed_over(context)
        page = context.new_page()
        page.goto(FORM)
        page.locator("#line-goals label", has=page.locator("input[value='20']")).click()
        page.locator("#comment").fill(SECRET)
        page.get_by_role("button", name="Check, then hand in").click()
        page.get_by_role("button", name="Hand in").click()
        page.wait_for_url("**" + DONE + "*")
        return page

    def shows_answers(self, page: Page) -> bool:
        return SECRET in page.content() or page.locator(":checked").count() > 0

    def test_another_tab_with_the_form_goes_to_thank_you(self, context, handed_over):
        handed_over(context)
        other, page = context.new_page(), context.new_page()
        other.goto(FORM)
        other.locator("#comment").fill("Mine too.")
        mark_and_hand_in(page)
        expect(other.get_by_role("heading")).to_have_text("Thank you. Please hand the tablet back.")


class TestAfterTheHandOver:
    @pytest.fixture
    def therapists_browser(self, another_browser, live_clinic, sign_in_browser):
        """Olga's browser, at K-1's page, with a session to rate today."""
        cast.therapy_session(live_clinic.olgas)

        def opened(*, without_shield: bool = False) -> Page:
            context = another_browser()
            if without_shield:
                without_script(context, "shield.js")
                # Chromium keeps no page whose script was given something with `no-store`, as the keys of drafts are.
                without_script(context, "drafts/drafts.js")
            sign_in_browser(context, live_clinic.olga)
            page = context.new_page()
            page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
            expect(page.get_by_role("heading", level=1)).to_contain_text("K-1")
            return page

        return opened

    def hand_over(self, page: Page, live_clinic: cast.Clinic) -> None:
        page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/hand-over/")
        page.get_by_role("button", name=re.compile("^Hand over")).click()
        page.wait_for_url("**" + FORM)

    def test_back_shows_the_form_and_never_the_therapists_page(self, therapists_browser, live_clinic):
        for _ in range(TIMES):
            page = therapists_browser()
            self.hand_over(page, live_clinic)
            for go in (back, back, forward, back):
                go(page)
                assert "K-1" not in page.content()
                assert page.url.endswith(FORM)

    def test_the_server_alone_is_enough(self, therapists_browser, live_clinic):
        for _ in range(TIMES):
            page = therapists_browser(without_shield=True)
            self.hand_over(page, live_clinic)
            assert "K-1" not in back(page) + page.content()
            assert page.url.endswith(FORM)

    def test_control_with_a_parked_session_the_therapists_page_comes_back(
        self, therapists_browser, live_clinic, monkeypatch
    ):
        def park(request, *, token, return_to):
            """`device_lock.lock` as it must not be: the session is emptied and its cookie stays."""
            for key in list(request.session.keys()):
                del request.session[key]
            request.user = AnonymousUser()
            request.session["device_lock"] = {"token": token, "return_to": return_to}

        def keepable(route):
            answer = route.fetch()
            route.fulfill(response=answer, headers={**answer.headers, "cache-control": KEEPABLE})

        monkeypatch.setattr(device_lock, "lock", park)
        for _ in range(PATIENCE):
            page = therapists_browser(without_shield=True)
            page.route("**/hand-over/", lambda r: keepable(r) if r.request.method == "GET" else r.continue_())
            self.hand_over(page, live_clinic)
            if "K-1" in back(page):
                return
        pytest.fail("The leak did not show: these tests see nothing.")

    def test_a_second_tab_clears_itself(self, therapists_browser, live_clinic):
        page = therapists_browser()
        second = self.second_tab(page, live_clinic)
        self.hand_over(page, live_clinic)
        expect(second.get_by_text("This screen was cleared")).to_be_visible()
        assert "K-1" not in second.content()

    def test_control_without_the_message_it_goes_on_showing_the_client(self, therapists_browser, live_clinic):
        page = therapists_browser(without_shield=True)
        second = self.second_tab(page, live_clinic)
        self.hand_over(page, live_clinic)
        second.wait_for_timeout(500)
        assert "K-1" in second.content()

    def second_tab(self, page: Page, live_clinic: cast.Clinic) -> Page:
        second = page.context.new_page()
        second.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
        expect(second.get_by_role("heading", level=1)).to_contain_text("K-1")
        return second


def staff_urls(resolver: URLResolver | None = None, prefix: str = "/") -> list[str]:
    """The address of every page that is neither the client's nor anybody's."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = re.sub(r"<uuid:\w+>", str(UUID(int=7)), prefix + str(entry.pattern))
        pattern = re.sub(r"<int:\w+>", "7", re.sub(r"<(str|slug|path):\w+>|<\w+>", "x", pattern))
        if isinstance(entry, URLResolver):
            found += staff_urls(entry, pattern)
        elif isinstance(entry, URLPattern) and rule_of(entry.callback, entry.name) not in {CLIENT, PUBLIC}:
            found.append(pattern)
    return [one for one in found if "^" not in one]


class TestALockedTablet:
    @pytest.mark.parametrize("handed_in", [False, True])
    def test_every_page_of_staff_leads_to_the_form(self, context, handed_over, base_url, handed_in, db):
        handed_over(context)
        if handed_in:
            mark_and_hand_in(context.new_page())
        urls = staff_urls()
        assert {"/", "/dashboard/", "/caseload/", "/clinic/"} & set(urls)
        assert len(urls) > 20
        for url in urls:
            answer = context.request.get(base_url + url, max_redirects=0)
            assert (answer.status, answer.headers.get("location")) == (303, FORM), url

    def test_the_pages_that_settle_in_are_among_them(self):
        assert any(rule_of(route.callback, route.name) == SETTLING_IN for route in all_routes())

    def test_control_a_signed_in_therapist_reaches_them(
        self, context, live_clinic, sign_in_browser, base_url
    ):
        sign_in_browser(context, live_clinic.olga)
        answer = context.request.get(base_url + "/dashboard/", max_redirects=0)
        assert answer.status == 200


def all_routes(resolver: URLResolver | None = None) -> list[URLPattern]:
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        found += all_routes(entry) if isinstance(entry, URLResolver) else [entry]
    return found
