"""The client's form on an old tablet: a real Chromium whose processor is slowed down four times."""

import os
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.bench.load import Request

SLOWER = 4
LIMIT_MS = 500
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# The page takes marks from the moment its script offers the two ways of marking.
STAMP = """new MutationObserver((_, observer) => {
  if (!document.querySelector("[data-ways]:not([hidden])")) return;
  window.takesMarks = performance.now();
  observer.disconnect();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] });"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True)
class Opened:
    """Milliseconds after the address was entered, and bytes over the line as the server sent them."""

    painted: float
    takes_marks: float
    bytes: int


def measure(port: int, requests: list[Request]) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    if not chromium:
        print("\nLeft out: the form on a slow tablet; no Chromium is installed.")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        cold, *warm = _opened(browser, port, requests)
        browser.close()
    painted, takes_marks = (median(getattr(one, name) for one in warm) for name in ("painted", "takes_marks"))
    print(
        f"\nThe form at a processor {SLOWER} times slower, {len(warm)} visits after the first (limit {LIMIT_MS} ms):"
        f"\npainted after {painted:.0f} ms, takes a mark after {takes_marks:.0f} ms;"
        f" {cold.bytes / 1024:.1f} KiB cold, its files not compressed; {_again(port, requests[0]):.1f} KiB again"
    )


def _again(port: int, request: Request) -> float:
    """KiB of the page alone, as a browser is sent it: what its worker fetches, the browser's own count leaves out."""
    headers = {"Cookie": request.cookies, "Accept-Encoding": "br, gzip"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{request.path}", headers=headers)
    with urllib.request.urlopen(asked) as answer:  # noqa: S310 - http on 127.0.0.1
        return len(answer.read()) / 1024


def _opened(browser: Browser, port: int, requests: list[Request]) -> Iterator[Opened]:
    """Each form on the same device, one after the other: only the first finds an empty cache."""
    context = browser.new_context(viewport={"width": 820, "height": 1180})
    context.add_init_script(STAMP)
    for request in requests:
        yield _one(context, f"http://127.0.0.1:{port}", request)


def _one(context: BrowserContext, site: str, request: Request) -> Opened:
    pairs = (one.partition("=") for one in request.cookies.split("; "))
    context.add_cookies([{"name": name, "value": value, "url": site} for name, _, value in pairs])
    page, sizes = context.new_page(), []
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(site + request.path)
    page.wait_for_function("() => window.takesMarks")
    page.wait_for_function(PAINTED)
    opened = Opened(page.evaluate(PAINTED), page.evaluate("window.takesMarks"), int(sum(sizes)))
    _marks_a_line(page)
    page.close()
    return opened


def _marks_a_line(page: Page) -> None:
    page.locator("#line-goals [data-strip]").click(position={"x": 200, "y": 20})
    if not page.locator("input[name=goals]").input_value():
        raise SystemExit("The benchmark is not valid: the form took no mark.")
