"""python -m tests.bench.profiles: where the CPU of each page goes, by sampling; `make bench BENCH=--profile` runs it.

The page is asked in this process, in the filled database. Every millisecond of CPU the stack is looked at, and the
innermost frame of a known part gets the sample.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

from tests.bench import browsers
from tests.bench.pages import PAGES
from tests.bench.sites import ROOT

EVERY = 0.001
SECONDS = 2.0
HANDED_IN = 100
AROUND_ALL = 75  # per cent
PARTS = {
    "/psycopg": "driver",
    "/django/db/": "queries built, rows made",
    "/django/template": "templates",
    "/django/urls/": "addresses",
    "/django/contrib/sessions/": "session and sign-in",
    "/django/contrib/auth/": "session and sign-in",
    "/allauth/": "session and sign-in",
    "/sessions_app/": "our own code",
    "/clients/": "our own code",
    "/alliance/": "our own code",
}
OWN = ("/sessions_app/", "/clients/", "/alliance/")
REST = "all else"


class Samples:
    """Stacks that were seen while the processor worked for this process."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.parts: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def look(self, _signal: int, frame: FrameType | None) -> None:
        frames = list(_outwards(frame))
        known = (part for name, _ in frames for path, part in PARTS.items() if path in name)
        self.parts[next(known, REST)] += 1
        own = {
            f"{name.removeprefix(self.root).strip('/')}:{function}"
            for name, function in frames
            if name.startswith(self.root) and any(path in name for path in OWN)
        }
        self.functions.update(one for one in own if "middleware" not in one)

    def shares(self) -> dict[str, int]:
        total = sum(self.parts.values()) or 1
        return {part: round(100 * count / total) for part, count in self.parts.most_common()}

    def inside(self, most: int = 5) -> dict[str, int]:
        """Our own functions during which most of it was spent, with all that they call; not those around all of it."""
        total = sum(self.parts.values()) or 1
        shares = {name: round(100 * count / total) for name, count in self.functions.most_common()}
        return dict([(name, share) for name, share in shares.items() if share < AROUND_ALL][:most])


def _outwards(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back


def profiled(asks: Iterator[Callable[[], Any]], root: str) -> Samples:
    """Of what is asked for some seconds of CPU, or until nothing is left to ask; the first time does not count."""
    samples = Samples(root)
    next(asks)()
    signal.signal(signal.SIGPROF, samples.look)
    until = time.process_time() + SECONDS
    signal.setitimer(
        signal.ITIMER_PROF, EVERY, EVERY
    )  # not anew for each: the system's clock is coarser than that
    try:
        for ask in asks:
            ask()
            if time.process_time() > until:
                break
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return samples


def _asks(requests: list[dict[str, str]], *, poll: bool = False) -> Iterator[Callable[[], Any]]:
    browser = _browser(requests[0])
    path = requests[0]["path"]
    headers = {"X-Poll": "1", "HX-Request": "true"} if poll else {}
    if poll:
        path = browsers.poll_of(browser.get(path).content.decode())
    while path:
        yield partial(browser.get, path, headers=headers)


def _each_once(requests: list[dict[str, str]]) -> Iterator[Callable[[], Any]]:
    return iter([partial(_browser(request).get, request["path"]) for request in requests])


def _hands_in(requests: list[dict[str, str]]) -> Iterator[Callable[[], Any]]:
    """Each form once. All are fetched and sealed before the first is handed in, while nothing is looked at."""
    from tests.bench.rounds import sealed_marks

    prepared = []
    for request in requests:
        browser = _browser(request)
        path, delivery = sealed_marks(browser.get(request["path"]).content.decode())
        headers = {"Origin": "http://127.0.0.1"}
        prepared.append(
            partial(browser.post, path, delivery, content_type="application/json", headers=headers)
        )
    return iter(prepared)


def _browser(request: dict[str, str]) -> Any:
    from django.test import Client

    return Client(headers={"host": "127.0.0.1", "cookie": request.get("cookies", "")})


def main() -> None:
    import django

    django.setup()
    pages = browsers.asked(HANDED_IN)["pages"]
    asks = {name: _asks(requests) for name, requests in pages.items()}
    asks |= {
        name: _asks(pages[shown_by], poll=True)
        for name, shown_by in browsers.POLLED.items()
        if shown_by in pages
    }
    # In a process that has drawn none of them: whatever pieces the site keeps, these are drawn anew.
    asks |= {page.name: _each_once(pages[page.name]) for page in PAGES if page.once and page.name in pages}
    if "rating handed in" in pages:
        asks["rating handed in"] = _hands_in(pages["rating handed in"])
    for page in PAGES:
        if page.name in asks:
            _say(page.name, profiled(asks[page.name], str(ROOT)))


def _say(name: str, samples: Samples) -> None:
    shares = ", ".join(f"{part} {share} %" for part, share in samples.shares().items() if share)
    inside = ", ".join(f"`{function}` {share} %" for function, share in samples.inside().items())
    print(f"- {name}: {shares}. Inside: {inside or 'nothing of ours'}.")


if __name__ == "__main__":
    main()
