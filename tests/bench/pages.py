"""The pages that are measured, and what each may cost. docs/performance.md names the same; a test compares them."""

from dataclasses import dataclass

DATABASE_MS = 2.0  # for each list, at either size
GROWTH = 1.2  # cost at a million ratings, as a multiple of the cost at ten thousand
TABLETS, TABLETS_SHARE = 600, 0.1  # so many paired tablets that wait may use so much of one processor
BARE = "bare page"


@dataclass(frozen=True)
class Page:
    """`most`: CPU of the web server for one request, as a multiple of the bare page's. None: no target.

    once: each request is sent once in a round. All other pages are asked again and again while nothing changes,
    so that the site may use whatever pieces it keeps.
    """

    name: str
    most: float | None = None
    is_list: bool = False
    status: int = 200
    once: bool = False


PAGES = (
    Page(BARE),
    Page("signed-in page with nothing on it", 3),
    Page("work list, 20 clients", 12, is_list=True),
    Page("client's page, 16 sessions", 15),
    Page("client's page, 200 sessions"),
    Page("caseload, 200 clients", 20, is_list=True),
    Page("client list", 15, is_list=True),
    Page("access log", 15, is_list=True),
    Page("access log of one client", 15, is_list=True),
    Page("nothing new on the work list", 4, status=204),
    Page("nothing new on the client's page", 4, status=204),
    Page("paired tablet that waits"),
    Page("rating form", 6),
    Page("rating handed in", 14, status=201, once=True),
    Page(
        "client's page, 50 sessions, first after a rating", once=True
    ),  # of those whose ratings the page before handed in
)
