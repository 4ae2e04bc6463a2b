"""Measures every page of several sites in turn, round after round: what else the machine does hits all of them."""

import json
import time
from collections import defaultdict
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

from alliance.measurement import instruments
from tests.bench import load, sealed
from tests.bench.browsers import POLLED, form_of, poll_of
from tests.bench.load import Measured, NotValid, Request, Site
from tests.bench.pages import BARE, PAGES, Page

HANDED_IN_A_ROUND = 40
TABLET_BEAT = 2.0
BARE_EVERY = 5
WARM_REQUESTS, WARM_SECONDS = 6, 5.0


class Results:
    """The rounds of one site."""

    def __init__(self, name: str, site: Site, asked: dict[str, Any]) -> None:
        self.name, self.site = name, site
        self.problems: dict[str, str] = dict(asked["problems"])
        self.rounds: dict[str, dict[int, Measured]] = defaultdict(dict)  # page, number of the round
        self._requests = {
            page: [Request(one["path"], one.get("cookies", "")) for one in requests]
            for page, requests in asked["pages"].items()
        }

    def prepare(self) -> None:
        """What has to be read from the pages themselves: where they poll, and how marks are sealed."""
        for page, shown_by in POLLED.items():
            self._try(page, lambda shown_by=shown_by: [self._poll(one) for one in self._of(shown_by)])
        self._try("rating handed in", lambda: [self._sealed(one) for one in self._of("rating handed in")])

    def warm(self) -> None:
        """Each page several times, on connections of their own, so that each worker process has drawn it before."""
        for page in PAGES:
            requests = self._requests.get(page.name, [])
            if not requests or page.once:
                continue
            until = time.monotonic() + WARM_SECONDS
            for request in requests * WARM_REQUESTS:
                load.fetch(self.site.port, request)
                if time.monotonic() > until:
                    break

    def measure(self, page: Page, number: int, seconds: float, threads: int) -> None:
        """Adds to round `number` of a page."""
        if page.name in self.problems or page.name not in self._requests:
            return
        requests = self._requests[page.name]
        if page.name in POLLED:  # what was new since the last round is old by now
            requests = [self._poll(one) for one in self._of(POLLED[page.name])]
        if requests[0].delivery:
            requests, self._requests[page.name] = requests[:HANDED_IN_A_ROUND], requests[HANDED_IN_A_ROUND:]
        try:
            measured = load.measure(self.site, page, requests, seconds, threads)
            before = self.rounds[page.name].get(number)
            self.rounds[page.name][number] = before + measured if before else measured
        except NotValid as error:
            self.problems[page.name] = str(error)

    def _try(self, page: str, make: Any) -> None:
        if page in self.problems:
            return
        try:
            self._requests[page] = make()
        except (NotValid, OSError) as error:
            self.problems[page] = str(error)

    def _of(self, page: str) -> list[Request]:
        if page not in self._requests:
            raise NotValid(self.problems.get(page, f"{page} is missing."))
        return self._requests[page]

    def _poll(self, request: Request) -> Request:
        path = poll_of(load.page(self.site.port, request))
        if not path:
            raise NotValid("The page does not ask whether there is something new.")
        return Request(path, request.cookies, is_poll=True)

    def _sealed(self, request: Request) -> Request:
        path, delivery = sealed_marks(load.page(self.site.port, request))
        return Request(path, delivery=delivery)

    def requests(self, page: str) -> list[Request]:
        return self._requests.get(page, [])

    @property
    def tablet_beat(self) -> float:
        """Seconds until a tablet that waits asks again, as its last answer says; an older site does not say."""
        answers = [load.page(self.site.port, one) for one in self.requests("paired tablet that waits")]
        return min(
            [float(json.loads(text).get("again", TABLET_BEAT)) for text in answers], default=TABLET_BEAT
        )

    # --- What the rounds say --------------------------------------------------------------------------

    def multiple(self, page: str) -> float:
        """CPU of one request, as a multiple of the bare page's in the same round."""
        return self._median(page, lambda one, bare: one.cpu_ms / bare.cpu_ms)

    def whole_cost(self, page: str) -> float:
        """The same with the database's CPU in it."""
        return self._median(page, lambda one, bare: (one.cpu_ms + one.database_cpu_ms) / bare.cpu_ms)

    def _median(self, page: str, of: Callable[[Measured, Measured], float]) -> float:
        bare = self.rounds[BARE]
        return _median([of(one, bare[number]) for number, one in self.rounds[page].items()])

    def change_since(self, then: "Results", page: str) -> float:
        """CPU of one request as a multiple of another site's in the same round."""
        theirs = then.rounds[page]
        both = self.rounds[page].keys() & theirs.keys()
        return _median([self.rounds[page][number].cpu_ms / theirs[number].cpu_ms for number in both])

    def cpu_ms(self, page: str) -> float:
        return _median([one.cpu_ms for one in self.rounds[page].values()])

    def database_ms(self, page: str) -> float:
        """In the quietest round: whatever else the machine does adds to a time that is not CPU."""
        times = [one.spent.ms / one.requests for one in self.rounds[page].values()]
        return min(times, default=float("nan"))

    def database_cpu_ms(self, page: str) -> float:
        return _median([one.database_cpu_ms for one in self.rounds[page].values()])

    def statements(self, page: str) -> float:
        return _median([one.spent.statements / one.requests for one in self.rounds[page].values()])

    def bytes(self, page: str) -> int:
        return max((one.bytes for one in self.rounds[page].values()), default=0)

    def percentile(self, page: str, share: float) -> float:
        times = sorted(time for one in self.rounds[page].values() for time in one.times_ms)
        return times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def sealed_marks(page: str) -> tuple[str, str]:
    """Where a form page wants marks to be delivered, and marks as its script would seal them."""
    told = form_of(page)
    if len(told) != 4:
        raise NotValid("The form does not say how its marks are sealed.")
    rng = Random(told["token"])
    items = instruments.get(instruments.SESSION_RATING).items
    marks = {**{item.id: str(rng.randint(70, 100)) for item in items}, "mode": "line", "comment": ""}
    return told["upload"], json.dumps(
        sealed.parcel(told["token"], marks, to=(told["key"], told["public-key"]))
    )


def _median(figures: list[float]) -> float:
    return median(figures or [float("nan")])


def measure(sites: list[Results], rounds: int, seconds: float, threads: int) -> None:
    for site in sites:
        site.prepare()
        site.warm()
    for number in range(rounds):
        for page in _in_order():
            for site in sites:
                site.measure(page, number, seconds, threads)


def _in_order() -> list[Page]:
    """The bare page several times between the others: all of them are compared with it."""
    bare, *others = PAGES
    order = []
    for place, page in enumerate(others):
        order += [bare, page] if place % BARE_EVERY == 0 else [page]
    return order
