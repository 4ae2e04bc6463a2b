"""python -m tests.bench.profiles: where the CPU of each page goes, by sampling; `make bench BENCH=--profile` runs it.

The page is asked in this process, in the filled database. Every millisecond of CPU the stack is looked at, and the
innermost frame of a known part gets the sample.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from types import FrameType

EVERY = 0.001
REQUESTS_SECONDS = 3.0
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

    def inside(self, most: int = 4) -> dict[str, int]:
        """Our own functions during which most of it was spent, with all that they call."""
        total = sum(self.parts.values()) or 1
        return {name: round(100 * count / total) for name, count in self.functions.most_common(most)}


def _outwards(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back


def profiled(request: dict[str, str], root: str) -> Samples:
    import time

    from django.test import Client

    browser = Client(headers={"host": "127.0.0.1", "cookie": request.get("cookies", "")})
    samples = Samples(root)
    browser.get(request["path"])
    signal.signal(signal.SIGPROF, samples.look)
    until = time.process_time() + REQUESTS_SECONDS
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        while time.process_time() < until:
            browser.get(request["path"])
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return samples


def main() -> None:
    import django

    django.setup()
    from tests.bench import browsers
    from tests.bench.sites import ROOT

    for name, requests in browsers.asked(1)["pages"].items():
        if name == "rating handed in":
            continue  # the same marks twice are another, quicker path
        samples = profiled(requests[0], str(ROOT))
        shares = ", ".join(f"{part} {share} %" for part, share in samples.shares().items() if share)
        inside = ", ".join(f"`{function}` {share} %" for function, share in samples.inside().items())
        print(f"- {name}: {shares}. Inside: {inside or 'nothing of ours'}.")


if __name__ == "__main__":
    main()
