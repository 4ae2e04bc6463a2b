"""The tablet: a browser with a profile of its own, whose tabs, storage, clock and power can be taken away."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Playwright

from tests.torture import page as said

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Raises SystemExit where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise SystemExit("There is no Chromium here, and nothing else would prove anything.")
    return found


class Device:
    """A context of the shared browser. One that keeps its service worker, or one that has none."""

    def __init__(self, browser: Browser, url: str, *, worker: bool) -> None:
        self.url = url
        self.tabs: list[Page] = []
        self.promised: list[Page] = []
        self._take(self._begin(browser, worker))

    def _begin(self, browser: Browser, worker: bool) -> BrowserContext:
        return browser.new_context(service_workers="allow" if worker else "block")

    def _take(self, context: BrowserContext) -> None:
        self.context = context
        context.set_default_timeout(20_000)
        context.add_init_script(said.WATCH)
        context.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.text == said.PROMISE and message.page:
            self.promised.append(message.page)

    def give_session(self, key: str) -> None:
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": key, "url": self.url, "httpOnly": True}
        self.context.add_cookies([cookie])  # type: ignore[list-item]

    def new_tab(self) -> Page:
        self.tabs.append(self.context.new_page())
        return self.tabs[-1]

    def open(self, path: str) -> Page:
        """A further tab; what does not open stays as it is."""
        page = self.new_tab()
        self.go(page, path)
        return page

    def go(self, page: Page, path: str) -> None:
        with suppress(Error):
            page.goto(self.url + path, wait_until="domcontentloaded", timeout=8_000)

    def close_tabs(self) -> None:
        for page in self.tabs:
            with suppress(Error):
                page.close(run_before_unload=False)
        self.tabs = []

    @property
    def shows_the_site(self) -> bool:
        return any(page.url.startswith(self.url) for page in self.tabs)

    def offline(self, now: bool) -> None:
        with suppress(Error):
            self.context.set_offline(now)

    def clear_storage(self) -> None:
        """As "clear site data" does it, cookies included."""
        self._ask("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "all"})
        self.context.clear_cookies()

    def fill_storage(self) -> None:
        self._ask("Storage.overrideQuotaForOrigin", {"origin": self.url, "quotaSize": 1})

    def _ask(self, method: str, options: dict[str, Any]) -> None:
        page = self.tabs[-1] if self.tabs else self.open("/healthz")
        self._session = self.context.new_cdp_session(page)  # the quota lasts as long as the session
        self._session.send(method, options)

    def set_clock(self, moment: float | None) -> None:
        """Every page of the device says `moment` (seconds since 1970) now, and goes on from there; None: the truth."""
        off = 0 if moment is None else int((moment - time.time()) * 1000)
        script = said.CLOCK.replace("OFF", str(off))
        self.context.add_init_script(script)
        for page in self.tabs:
            with suppress(Error):
                page.evaluate(script)

    def kill(self) -> None:
        raise NotImplementedError("This browser is shared.")

    def restart(self) -> None:
        """Only what was killed starts again."""

    def end(self) -> None:
        self.close_tabs()
        with suppress(Error):
            self.context.close()


class DeviceOfItsOwn(Device):
    """A whole browser with its profile on the disk, which is killed like a tablet whose power goes."""

    def __init__(self, playwright: Playwright, url: str) -> None:
        self._playwright = playwright
        self._profile = Path(tempfile.mkdtemp(prefix="torture-"))
        self.url, self.tabs, self.promised = url, [], []
        self._process: subprocess.Popen[bytes] | None = None
        self.restart()

    def restart(self) -> None:
        if self._process is not None:
            return
        port = self._profile / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        options = [*FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            [chromium(), *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._browser = self._playwright.chromium.connect_over_cdp(_address(port))
        self._take(self._browser.contexts[0])

    def kill(self) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process, self.tabs = None, []
        with suppress(Error):
            self._browser.close()

    def end(self) -> None:
        self.kill()
        shutil.rmtree(self._profile, ignore_errors=True)


def _address(port: Path) -> str:
    for _ in range(600):
        with suppress(OSError, ValueError):  # not there yet, or not written yet
            number, path = port.read_text().split()
            return f"ws://127.0.0.1:{number}{path}"
        time.sleep(0.05)
    raise RuntimeError("The browser did not start.")
