"""A real Chromium, as it runs on a tablet: with its back/forward cache on, with fingers, with witnesses."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import Client, testcases
from playwright.sync_api import Browser, BrowserContext, Page

from alliance.session_store import SessionStore
from sessions_app.courses.grants import RatingGrant
from sessions_app.intake import hand_over_actions
from tests import cast

LAPTOP = {"width": 1280, "height": 800}
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}
# What passes is not described: to find the names of its elements and to carry them here takes as long as to look.
VIOLATIONS = """async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}"""
CUT = ("ERR_INTERNET_DISCONNECTED", "Failed to load resource")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The headless shell keeps no page for Back of its own accord; `test_back.py` looks whether it does.
    "--enable-bfcache",
]


def whole_chromium() -> str:
    """The path of the Chromium that people use, which keeps a history and open tabs on the disk."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        # A green run without a browser would be a lie about everything in this folder.
        pytest.fail('There is no Chromium here. Install one, or leave these tests out with -m "not browser".')
    return found


def chromium() -> str:
    """The path of the same engine without a window around it, which takes less than half the processor time."""
    return shutil.which("chromium-headless-shell") or whole_chromium()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
    # The longest first: begun last, they would keep one process busy while the others have nothing left.
    items.sort(key=lambda item: item.path.name != "test_torture.py")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": chromium(),
        "args": FLAGS,
        # Playwright switches the back/forward cache off; every test of Back would prove nothing.
        "ignore_default_args": ["--disable-back-forward-cache"],
    }


@pytest.fixture(scope="session", autouse=True)
def _static_files_as_they_are() -> Iterator[None]:
    """Leave them to WhiteNoise, as in a clinic.

    The live server would serve what was last collected into STATIC_ROOT, however old, and this folder as media.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testcases.FSFilesHandler, "_should_handle", lambda *_: False)
        patch.setattr(WSGIHandler, "get_response", _each_static_file_read_once())
        yield


def _each_static_file_read_once() -> Callable[[WSGIHandler, HttpRequest], HttpResponse]:
    """Every new browser asks for all of them; to look for a file and to open it was half of the answer."""
    get_response = WSGIHandler.get_response
    sent: dict[tuple[str, str], tuple[bytes, dict[str, str]]] = {}

    def answer(self: WSGIHandler, request: HttpRequest) -> HttpResponse:
        asked = (request.path, request.headers.get("Accept-Encoding", ""))
        is_partial = any(name.startswith(("HTTP_IF_", "HTTP_RANGE")) for name in request.META)
        if is_partial or not request.path.startswith(settings.STATIC_URL):
            return get_response(self, request)
        if asked not in sent:
            response = get_response(self, request)
            if response.status_code != 200:
                return response
            sent[asked] = (b"".join(response), dict(response.headers))
            response.close()
        body, headers = sent[asked]
        return HttpResponse(body, headers=headers)

    return answer


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    """`page.goto("/rate/")` opens the live server. (The plugin's own fixture warns under pytest 9.)"""
    return str(live_server.url)


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    common = {"viewport": TABLET, "has_touch": True, "locale": "en-GB"}
    # What a worker answers, no test can hold up or change on its way: those about the worker allow it.
    return {**browser_context_args, **common, "service_workers": "block"}


class Witness:
    """Collects what a browser complains about: the content security policy, errors, failed scripts."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.expected = ["Service Worker registration blocked by Playwright"]
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _on_console(self, message: Any) -> None:
        # The policy's reports are errors of the console too.
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def expect(self, part: str) -> None:
        """A test that cuts the network or sends nonsense names the complaint it provokes."""
        self.expected.append(part)

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.complaints if not any(part in one for part in self.expected)]


@pytest.fixture
def witness(context: BrowserContext) -> Witness:
    return Witness(context)


@pytest.fixture(autouse=True)
def _no_complaints(request: pytest.FixtureRequest) -> Iterator[None]:
    """No violation of the policy and no error in the console, in any test that opens the `context`."""
    if "context" not in request.fixturenames and "page" not in request.fixturenames:
        yield
        return
    witness = request.getfixturevalue("witness")
    yield
    assert witness.unexpected == []


@pytest.fixture
def another_browser(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Any]:
    """Further browsers beside `context`, each with a witness of its own."""
    opened: list[tuple[BrowserContext, Witness]] = []

    def open_one(*, complains: tuple[str, ...] = (), **options: Any) -> BrowserContext:
        """`complains`: parts of the complaints that the test provokes."""
        context = browser.new_context(**{**browser_context_args, **options})
        opened.append((context, Witness(context)))
        opened[-1][1].expected.extend(complains)
        return context

    yield open_one
    for context, witness in opened:
        context.close()
        assert witness.unexpected == []


@pytest.fixture
def tablet(another_browser: Any) -> BrowserContext:
    """A browser with its worker, in which a test may cut the network."""
    context: BrowserContext = another_browser(complains=CUT, service_workers="allow")
    return context


def ready(page: Page) -> Page:
    """The worker has taken over and holds what it needs."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return page


@contextmanager
def case(named: object) -> Iterator[None]:
    """What fails within says of which case, where one set-up serves several."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"In the case of {named}.")
        raise


@contextmanager
def instead_of_the_site(answer: Callable[[HttpRequest], HttpResponse | None]) -> Iterator[None]:
    """What stands between the site and the device speaks, also to a worker; the site where that is silent."""
    get_response = WSGIHandler.get_response
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            WSGIHandler, "get_response", lambda self, request: answer(request) or get_response(self, request)
        )
        yield


@pytest.fixture
def live_clinic(live_server: Any, transactional_db: None) -> cast.Clinic:
    """The named cast in the database of the live server."""
    return cast.clinic()


@pytest.fixture
def sign_in_browser(live_server: Any) -> Any:
    """Sign a member of the cast in, in this browser, without the pages of the sign-in."""

    def sign_in(context: BrowserContext, person: Any) -> None:
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        _give_session(context, live_server.url, client.cookies[settings.SESSION_COOKIE_NAME].value)

    return sign_in


@pytest.fixture
def handed_over(live_server: Any, live_clinic: cast.Clinic) -> Any:
    """Put this browser where a hand-over leaves it: locked, with one grant. Returns the grant."""

    def lock(context: BrowserContext, *, session: Any = None) -> RatingGrant:
        session = session or cast.therapy_session(live_clinic.olgas)
        grant, token = hand_over_actions.hand_over(session=session, by=live_clinic.olga)
        store = SessionStore()
        store["device_lock"] = {"token": token, "return_to": f"/dashboard/clients/{live_clinic.olgas.code}/"}
        store.create()
        _give_session(context, live_server.url, store.session_key)
        return grant

    return lock


def _give_session(context: BrowserContext, url: str, key: str) -> None:
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": url, "httpOnly": True}])


class Finger:
    """Touches through the DevTools protocol: Playwright's own tap cannot slide."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def touch(self, *points: tuple[float, float]) -> None:
        """Put the finger down at the first point, slide it along the others, lift it."""
        (x, y), *rest = points
        self._send("touchStart", x, y)
        for x, y in rest:
            self._send("touchMove", x, y)
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, x: float, y: float) -> None:
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


@pytest.fixture
def finger() -> type[Finger]:
    """`finger(page).touch((x, y), ...)`. Its DevTools session swallows `online` after a reload: detach it."""
    return Finger


@pytest.fixture
def open_form(context: BrowserContext, handed_over: Any) -> Any:
    """The page of a client who was just handed the tablet."""

    def opened(language: str = "en", within: BrowserContext | None = None) -> Page:
        handed_over(within or context)
        RatingGrant.objects.update(language=language)
        page = (within or context).new_page()
        page.goto("/rate/")
        return page

    return opened


@pytest.fixture
def axe() -> Any:
    """`axe(page)`: every accessibility rule; the list of violations, empty where there is none."""

    def run(page: Page) -> list[str]:
        page.wait_for_load_state()  # a page that was only just reached has no root element yet
        # 550 kB, once for each document; in one step, for the page may be left between two.
        script = "" if page.evaluate("typeof axe === 'object'") else AXE_SCRIPT
        return list(page.evaluate(f"{script};({VIOLATIONS})()"))

    return run


@pytest.fixture
def course(live_clinic: Any) -> Any:
    """Five sessions of Olga's client with a rating each, the last one of yesterday."""
    return cast.rated_course(live_clinic.olgas, [380, 375, 385, 380, 378], last_ago=timedelta(days=1))


@pytest.fixture
def olgas_laptop(
    context: BrowserContext, live_clinic: Any, course: Any, sign_in_browser: Callable[..., None]
) -> Page:
    """A page of Olga's own computer, signed in."""
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    return page
