"""Handing in while the clinic cannot be reached: kept sealed on the device, sent by itself, once."""

import json
import re

import pytest
from django.http import HttpResponse
from playwright.sync_api import Page, expect

from alliance import sealing
from sessions_app.courses.models import Rating, SetAsideRating
from tests import cast
from tests.browser.conftest import CUT, PHONE, case, instead_of_the_site, ready
from tests.browser.devices import pair
from tests.browser.test_rate import DONE, FORM, by_mouse, to_review

UPLOAD = "/rate/upload/"
KEPT = "Thank you. Please hand the tablet back."
UNSENT = "Not sent yet. We keep trying. Please leave this page open."
QUEUE = """async () => {
  const open = indexedDB.open("ratings", 1);
  await new Promise((done) => (open.onsuccess = done));
  const all = open.result.transaction("queue").objectStore("queue").getAll();
  await new Promise((done) => (all.onsuccess = done));
  open.result.close();
  return JSON.stringify(all.result);
}"""


def press(page: Page, goals: int = 64, comment: str = "") -> None:
    by_mouse(page, None, "goals", goals)
    page.locator("#comment").fill(comment)
    to_review(page)
    page.locator("button[value=hand-in]").click()


def arrives(page: Page) -> None:
    page.wait_for_url("**" + DONE, timeout=10_000)
    assert Rating.objects.get().answers["goals"] == 64


def is_kept(page: Page) -> None:
    expect(page.locator("#kept")).to_be_visible(timeout=8_000)
    expect(page.get_by_role("heading", level=1)).to_have_text(KEPT)


class TestWithoutNetwork:
    def test_it_is_kept_said_and_sent_within_ten_seconds_of_the_network(self, open_form, tablet, axe):
        page = ready(open_form(within=tablet))
        tablet.set_offline(True)
        press(page)
        is_kept(page)
        expect(page.locator("#kept [data-waiting]")).to_have_text("Waiting to be sent from this device: 1")
        assert axe(page) == []
        assert page.locator("input[name=goals]").input_value() == ""
        page.wait_for_timeout(1500)
        assert not Rating.objects.exists()
        tablet.set_offline(False)
        arrives(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        assert page.evaluate(QUEUE) == "[]"

    def test_the_device_cannot_read_what_it_keeps(self, open_form, tablet):
        page = open_form(within=tablet)
        tablet.set_offline(True)
        press(page, comment="canary of the client")
        is_kept(page)
        kept = page.evaluate(QUEUE)
        assert set(json.loads(kept)[0]) == {"delivery", "grant", "url", "key", "sender", "nonce", "sealed"}
        assert json.loads(kept)[0]["key"] == sealing.public_key()[0]
        for clear in ("canary", "64", "goals", "K-1"):
            assert clear not in re.sub(r'"(delivery|grant|key|sender|nonce|sealed)":"[^"]*"', "", kept)
        assert "canary" not in page.content()

    def test_reload_closing_and_opening_again_lose_nothing(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        tablet.set_offline(True)
        press(page)
        is_kept(page)
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("No connection just now")
        expect(page.locator("[data-waiting]")).to_contain_text("1")
        page.close()
        tablet.set_offline(False)
        later = tablet.new_page()
        later.goto("/accounts/login/")  # any page of the site sends what waits
        expect(later.locator("html")).to_be_visible()
        for _ in range(50):
            if Rating.objects.exists():
                break
            later.wait_for_timeout(100)
        assert Rating.objects.get().answers["goals"] == 64

    def test_the_page_without_a_connection_speaks_the_clients_language_and_opens_by_itself(
        self, open_form, tablet, axe
    ):
        page = ready(open_form("ar", within=tablet))
        tablet.set_offline(True)
        press(page)
        expect(page.locator("#kept [data-count]")).to_have_text("١")
        page.reload()
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.get_by_role("heading")).to_have_text("لا يوجد اتصال الآن")
        assert axe(page) == []
        tablet.set_offline(False)
        arrives(page)

    def test_marks_that_waited_are_shown_to_nobody(self, open_form, tablet, live_clinic):
        """The clinic shows the marks of today after handing in; by now somebody else holds the tablet."""
        cast.choose(live_clinic.adam, closing="marks")
        page = ready(open_form(within=tablet))
        tablet.set_offline(True)
        press(page)
        is_kept(page)
        tablet.set_offline(False)
        arrives(page)
        expect(page.get_by_role("heading")).to_have_text("Thank you. Please hand the tablet back.")
        assert page.locator(".seen").count() == 0

    def test_not_today_leads_back_to_the_form_where_it_does_not_arrive(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        tablet.set_offline(True)
        page.get_by_text("Help, and who sees this").click()
        page.get_by_role("button", name="I do not want to rate today").click()
        expect(page.get_by_role("heading")).to_have_text("No connection just now")
        tablet.set_offline(False)
        expect(page.locator("#title")).to_be_visible(timeout=12_000)

    def test_the_form_opened_again_meanwhile_knows_that_it_was_handed_in(self, open_form, tablet):
        page = open_form(within=tablet)
        tablet.route("**" + UPLOAD, lambda route: route.fulfill(status=503, body="Busy"))
        press(page)
        is_kept(page)
        page.goto(FORM)
        is_kept(page)
        tablet.unroute("**" + UPLOAD)
        arrives(page)

    def test_two_tabs_with_different_marks_one_stands_and_one_is_kept_aside(self, open_form, tablet):
        one = open_form(within=tablet)
        two = tablet.new_page()
        two.goto(FORM)
        tablet.set_offline(True)
        press(one, 64)
        press(two, 20)
        is_kept(one)
        is_kept(two)
        tablet.set_offline(False)
        for page in (one, two):
            # Whichever leaves second may find the session gone: it is thanked by a page without scripts.
            page.wait_for_url("**" + DONE + "*", timeout=20_000)
            expect(page.get_by_role("heading")).to_contain_text("Thank you")
        assert (Rating.objects.count(), SetAsideRating.objects.count()) == (1, 1)
        marks = {Rating.objects.get().answers["goals"], SetAsideRating.objects.get().answers["goals"]}
        assert marks == {64, 20}

    def test_a_page_that_is_leaving_is_not_led_away_a_second_time(self, open_form, context):
        """Another tab says that it handed in, while the thanks for this one's marks are still on their way."""
        page = open_form()
        other = context.new_page()
        other.goto("/static/rate/offline.js")  # any page of the site
        held = []
        context.route("**" + DONE + "*", lambda route: held.append(route))
        press(page)
        while not held:
            other.wait_for_timeout(50)
        other.evaluate("() => new BroadcastChannel('hand-over').postMessage({ kind: 'handed in' })")
        other.wait_for_timeout(300)
        for route in list(held):
            route.continue_()
        page.wait_for_url("**" + DONE + "*")
        (only,) = held
        assert "?now=" in only.request.url


ANSWERS = {
    "busy": {"status": 503, "content_type": "text/html", "body": "<h1>Busy</h1>"},
    "captive portal": {"status": 200, "content_type": "text/html", "body": "<h1>Sign in here</h1>"},
    "empty": {"status": 200, "content_type": "application/json", "body": "{}"},
    "too many": {"status": 429, "content_type": "application/json", "body": '{"stored": false}'},
    "cut off": {"status": 201, "content_type": "application/json", "body": '{"stored": true, '},
    "of another delivery": {
        "status": 201,
        "content_type": "application/json",
        "body": '{"stored": true, "sha256": "x", "delivery": "y"}',
    },
    "led elsewhere": {"status": 302, "headers": {"location": "/accounts/login/"}},
}


class TestTheWorkersStore:
    def test_takes_no_page_of_a_network_for_its_own(self, open_form, tablet):
        """A captive portal answers every address with its own page, just while the worker fills its store."""
        only_kept = "/static/rate/offline.js"  # no page that is open now loads it

        def portal(request):
            return HttpResponse("<h1>Sign in to this network</h1>") if request.path == only_kept else None

        with instead_of_the_site(portal):
            page = open_form(within=tablet)
            page.wait_for_timeout(1500)
            assert page.evaluate("() => navigator.serviceWorker.controller") is None
        page.reload()
        ready(page)
        tablet.set_offline(True)
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("No connection just now")


class TestAnswersThatAreNotTheServersWord:
    def once(self, tries: list[str], **answer):
        """Answers the first try."""

        def instead(route):
            tries.append(route.request.method)
            route.fulfill(**answer) if len(tries) == 1 else route.continue_()

        return instead

    def test_are_tried_again(self, open_form, witness):
        witness.expect("Failed to load resource")
        for stored, answer in enumerate(ANSWERS, 1):
            with case(answer):
                page, tries = open_form(), []
                page.route("**" + UPLOAD, self.once(tries, **ANSWERS[answer]))
                press(page)
                page.wait_for_url("**" + DONE, timeout=10_000)
                assert tries == ["POST", "POST"]
                assert [one.answers["goals"] for one in Rating.objects.all()] == [64] * stored
                page.close()

    def test_stored_but_the_answer_was_lost(self, open_form, witness):
        witness.expect("Failed to load resource")
        page, tries = open_form(), []

        def lost(route):
            tries.append(route.fetch().status)
            route.abort() if len(tries) == 1 else route.continue_()

        page.route("**" + UPLOAD, lost)
        press(page)
        arrives(page)
        assert tries[0] == 201
        assert Rating.objects.count() == 1

    def test_no_cookie_goes_along(self, open_form):
        page, sent = open_form(), []
        page.on("request", lambda request: sent.append(request) if request.url.endswith(UPLOAD) else None)
        press(page)
        arrives(page)
        assert [request.headers.get("cookie") for request in sent] == [None]


class TestADeviceThatKeepsNothing:
    """Storage that is full or forbidden: the marks live in the page's memory, and it says so."""

    @pytest.fixture
    def page(self, open_form, context, witness) -> Page:
        witness.expect("ERR_INTERNET_DISCONNECTED")
        context.add_init_script("""
          IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
        """)
        return open_form()

    def test_asks_to_stay_open_and_still_sends(self, page, context):
        context.set_offline(True)
        press(page)
        expect(page.locator("#sending")).to_have_text(UNSENT)
        expect(page.locator("[data-seen=goals]")).to_be_visible()
        context.set_offline(False)
        arrives(page)

    def test_after_a_while_without_anybody_the_marks_are_out_of_sight_and_still_arrive(
        self, open_form, context, witness
    ):
        witness.expect("ERR_INTERNET_DISCONNECTED")
        context.add_init_script("IDBObjectStore.prototype.put = () => { throw new Error('full'); };")
        context.clock.install()
        page = open_form()
        context.set_offline(True)
        press(page)
        page.clock.run_for(301_000)
        expect(page.locator("#idle")).to_contain_text("not sent yet")
        expect(page.locator("#review")).to_be_hidden()
        context.set_offline(False)
        # A try that fails just now waits for the next, on a clock that only the test moves.
        for _ in range(10):
            page.clock.fast_forward(400_000)
            page.wait_for_timeout(300)
            if page.url.endswith(DONE):
                break
        arrives(page)

    def test_without_https_the_form_goes_as_without_scripts(self, open_form, context):
        context.add_init_script("Object.defineProperty(crypto, 'subtle', {value: undefined})")
        page = open_form()
        press(page)
        arrives(page)


class TestOnOtherDevices:
    def test_the_tablet_of_a_room_keeps_it_sends_it_and_waits_again(self, tablet, live_clinic, live_server):
        row = pair(tablet, live_clinic, live_server.url)
        page = tablet.new_page()
        page.goto("/room/")
        ready(page)
        cast.sent(cast.therapy_session(live_clinic.olgas), tablet=row, by=live_clinic.olga)
        expect(page.locator("#title")).to_be_visible(timeout=6_000)
        tablet.set_offline(True)
        press(page)
        expect(page.locator("#kept-title")).to_have_text("Thank you. You can leave the tablet here.")
        page.wait_for_timeout(5_000)  # it asks the room meanwhile, and must not be led away
        expect(page.locator("#kept")).to_be_visible()
        tablet.set_offline(False)
        arrives(page)
        expect(page.get_by_role("heading", name="Room 3")).to_be_visible(timeout=12_000)

    def test_a_waiting_room_without_a_connection_opens_again(self, tablet, live_clinic, live_server):
        pair(tablet, live_clinic, live_server.url)
        page = tablet.new_page()
        page.goto("/room/")
        ready(page)
        tablet.set_offline(True)
        page.reload()
        expect(page.get_by_role("heading")).to_have_text("No connection just now")
        tablet.set_offline(False)
        expect(page.get_by_role("heading", name="Room 3")).to_be_visible(timeout=12_000)

    def test_a_phone_once_its_form_is_open(self, another_browser, live_clinic):
        link = cast.link(cast.therapy_session(live_clinic.olgas), by=live_clinic.olga)
        phone = another_browser(viewport=PHONE, complains=CUT, service_workers="allow")
        page = phone.new_page()
        page.goto(f"/go/#{link.token}")
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**" + FORM)
        ready(page)
        phone.set_offline(True)
        for _ in range(2):
            page.locator("[data-next]").click()
        page.locator("[data-back]").click()
        page.locator("#line-overall [data-strip]").click(position={"x": 60, "y": 30})
        to_review(page)
        page.locator("button[value=hand-in]").click()
        expect(page.locator("#kept-title")).to_have_text("Thank you. It is kept safely on this phone.")
        phone.set_offline(False)
        page.wait_for_url("**" + DONE, timeout=10_000)
        assert Rating.objects.get().answers["overall"] is not None


class TestControl:
    def test_without_the_queue_a_reload_loses_the_marks(self, open_form, tablet):
        """What the queue is for: the same walk, with a store that forgets at once."""
        tablet.route(
            "**/rate/store.js",
            lambda route: route.fulfill(
                content_type="text/javascript",
                body="""
                  export const keep = async () => true, forget = async () => {}, waiting = async () => [];
                  export const speak = async () => {}, spoken = async () => undefined;
                """,
            ),
        )
        page = open_form(within=tablet)
        tablet.set_offline(True)
        press(page)
        page.wait_for_timeout(500)
        tablet.set_offline(False)
        page.goto(FORM)
        page.wait_for_timeout(1500)
        assert not Rating.objects.exists()
