"""Somebody with a console on a device in their hands: what its workers answer for, and what they believe."""

import pytest
from django.http import HttpResponse
from playwright.sync_api import BrowserContext, Page, expect

from sessions_app.intake.views import offline
from tests.browser.conftest import case, instead_of_the_site, ready
from tests.browser.devices import pair
from tests.browser.test_offline import QUEUE
from tests.browser.test_rate import FORM

FILE = "/static/rate/queue.js"
NO_CONNECTION = "No connection just now"
# Whoever types in a console takes the name of a policy that these pages leave unused.
REGISTER = """([script, scope]) => {
  if (!trustedTypes.defaultPolicy) trustedTypes.createPolicy("default", { createScriptURL: (address) => address });
  return navigator.serviceWorker.register(script, { scope, type: "module" })
    .then((registration) => new URL(registration.scope).pathname, (error) => error.name);
}"""
REGISTERED = """() => navigator.serviceWorker.getRegistrations().then((all) => all.map(({ active, scope }) =>
  [scope, active?.scriptURL ?? "" ].map((url) => url && new URL(url).pathname).join(" ")).sort())"""
PLANT = """async ([url, content, headers]) => {
  const [name] = (await caches.keys()).filter((one) => one.startsWith("rate-"));
  await (await caches.open(name)).put(url, new Response(content, { headers }));
}"""
PLANTED_SCRIPT = "document.documentElement.dataset.planted = 'ran'; export function sendNow() {}"
PLANTED = "() => document.documentElement.dataset.planted ?? 'nothing'"
PLANTED_PAGE = "<h1>Please type in your password</h1>"
FORMER_SHELL = "/rate/offline/en/"  # where a worker kept its pages once
WAITS = """async () => {
  const { keep } = await import("/static/rate/store.js");
  return keep({ delivery: "d", grant: "g", url: "/healthz" });
}"""
SYNC = """() => {
  const event = new Event("sync");
  const done = new Promise((resolve) => (event.waitUntil = resolve));
  event.tag = "ratings";
  dispatchEvent(event);
  return done.then(() => "all is sent", (error) => error.message);
}"""


@pytest.fixture
def another_worker(monkeypatch):
    """The worker's script with something else in it, or further headers with it, until `undo()`."""

    def sent(old: str = "", new: str = "", **headers: str) -> pytest.MonkeyPatch:
        render = offline.render

        def changed(*args, **options):
            response = render(*args, **options)
            assert old.encode() in response.content
            response.content = (
                response.content.replace(old.encode(), new.encode()) if old else response.content
            )
            for name, value in headers.items():
                response.headers[name.replace("_", "-")] = value
            return response

        monkeypatch.setattr(offline, "render", changed)
        return monkeypatch

    return sent


@pytest.fixture
def room(tablet, live_clinic, live_server) -> Page:
    """Room 3, waiting, with its worker."""
    pair(tablet, live_clinic, live_server.url)
    page = tablet.new_page()
    page.goto("/room/")
    return ready(page)


def registered(page: Page, *expected: str) -> None:
    """Before long, these are the folders with the workers that answer for them."""
    for _ in range(50):
        if page.evaluate(REGISTERED) == list(expected):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(REGISTERED) == list(expected)


def a_worker_of(context: BrowserContext):
    return context.service_workers[0]


class TestWhatItAnswersFor:
    def test_no_page_of_staff_even_by_hand(self, open_form, another_browser):
        complains = ("is not under the max scope allowed",)
        page = ready(open_form(within=another_browser(complains=complains, service_workers="allow")))
        for folder in offline.FOLDERS:
            for scope in ("/", "/dashboard/", "/accounts/"):
                assert page.evaluate(REGISTER, [f"/{folder}/worker.js", scope]) == "SecurityError"
        assert page.evaluate(REGISTERED) == ["/rate/ /rate/worker.js"]

    def test_control_that_header_would_allow_it(self, open_form, tablet, another_worker):
        another_worker(Service_Worker_Allowed="/")
        page = ready(open_form(within=tablet))
        assert page.evaluate(REGISTER, ["/rate/worker.js", "/dashboard/"]) == "/dashboard/"

    def test_a_room_has_its_own(self, room):
        assert room.evaluate(REGISTERED) == ["/room/ /room/worker.js"]

    def test_takes_the_place_of_the_one_that_answered_for_all_and_what_waits_stays(
        self, open_form, tablet, another_worker
    ):
        as_formerly = another_worker(Service_Worker_Allowed="/")
        page = ready(open_form(within=tablet))
        assert page.evaluate(REGISTER, ["/rate/worker.js", "/go/"]) == "/go/"
        registered(page, "/go/ /rate/worker.js", "/rate/ /rate/worker.js")
        assert page.evaluate(WAITS)
        waits = page.evaluate(QUEUE)
        assert '"delivery":"d"' in waits
        as_formerly.undo()
        tablet.clear_cookies()
        page.goto("/go/")
        registered(page, "/go/ /go/worker.js", "/rate/ /rate/worker.js")
        assert page.evaluate(QUEUE) == waits


class TestWhatItBelieves:
    """A console writes into the store whatever it likes: the next client opens a page with it."""

    def plant(self, page: Page) -> None:
        page.evaluate(PLANT, [FILE, PLANTED_SCRIPT, {"Content-Type": "text/javascript"}])
        for address in (FORM, FORMER_SHELL):
            page.evaluate(PLANT, [address, PLANTED_PAGE, {"Content-Type": "text/html", "X-Offline": "1"}])

    def test_no_script_that_was_planted(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        self.plant(page)
        page.goto(FORM)
        expect(page.locator("#title")).to_be_visible()
        assert page.evaluate(PLANTED) == "nothing"

    def test_control_unchecked_it_runs(self, open_form, tablet, another_worker):
        another_worker("!== FILES.get(url)", "=== null")
        page = ready(open_form(within=tablet))
        self.plant(page)
        page.goto(FORM)
        expect(page.locator("#title")).to_be_visible()
        assert page.evaluate(PLANTED) == "ran"

    def test_no_header_that_was_planted_around_the_right_content(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        content = page.evaluate("(url) => fetch(url).then((response) => response.text())", FILE)
        page.evaluate(PLANT, [FILE, content, {"Content-Type": "text/html", "X-Planted": "1"}])
        headers = page.evaluate("(url) => fetch(url).then((response) => [...response.headers])", FILE)
        assert headers == [["content-type", "text/javascript"]]

    def test_no_page_that_was_planted_and_the_files_that_fit_go_on(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        self.plant(page)
        tablet.set_offline(True)
        page.goto(FORM)
        expect(page.get_by_role("heading")).to_have_text(NO_CONNECTION)
        assert page.evaluate(PLANTED) == "nothing"
        tablet.set_offline(False)
        expect(page.locator("#title")).to_be_visible(timeout=12_000)

    def test_control_a_page_from_the_store_is_shown(self, open_form, tablet, another_worker):
        another_worker(
            "SHELLS.get(await spoken())", f'(await (await caches.match("{FORMER_SHELL}"))?.text())'
        )
        page = ready(open_form(within=tablet))
        self.plant(page)
        tablet.set_offline(True)
        page.goto(FORM)
        expect(page.get_by_role("heading")).to_have_text("Please type in your password")

    def test_a_language_that_is_none_is_english(self, open_form, tablet):
        page = ready(open_form(within=tablet))
        page.evaluate('() => import("/static/rate/store.js").then(({ speak }) => speak("__proto__"))')
        tablet.set_offline(True)
        page.goto(FORM)
        expect(page.get_by_role("heading")).to_have_text(NO_CONNECTION)


class TestASiteThatIsAway:
    """An upgrade, behind a proxy that goes on."""

    def test_the_tablet_of_a_room_opens_again_by_itself(self, room):
        for status in (502, 503, 504):
            with case(status):
                self.goes_away(room, status)

    def goes_away(self, room, status):
        looks = []

        def away(request):
            looks.append(request.path)
            return HttpResponse("<h1>Bad gateway</h1>", status=status)

        with instead_of_the_site(away):
            room.reload()
            expect(room.get_by_role("heading")).to_have_text(NO_CONNECTION)
            shown = len(looks)
            for _ in range(80):
                room.wait_for_timeout(100)
                if len(looks) > shown:
                    break
            assert len(looks) > shown, "It does not look whether the site is back."
            room.wait_for_timeout(500)  # what it makes of the answer
            expect(room.get_by_role("heading")).to_have_text(NO_CONNECTION)
        expect(room.get_by_role("heading", name="Room 3")).to_be_visible(timeout=12_000)

    def test_a_fault_of_the_site_says_so_itself(self, room):
        with instead_of_the_site(lambda _: HttpResponse("<h1>Something broke</h1>", status=500)):
            room.reload()
            expect(room.get_by_role("heading")).to_have_text("Something broke")


class TestWhatItSendsWithoutAPage:
    def test_nothing_waits_and_the_browser_may_rest(self, room, tablet):
        assert a_worker_of(tablet).evaluate(SYNC) == "all is sent"

    def test_a_queue_that_cannot_be_read_is_asked_for_another_day(self, room, tablet):
        worker = a_worker_of(tablet)
        worker.evaluate("() => { indexedDB.open = () => { throw new Error('lost'); }; }")
        assert worker.evaluate(SYNC) == "Something still waits to be sent."
