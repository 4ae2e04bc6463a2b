"""How often somebody may try, counted in the shared cache: by address, by known browser, and over the whole site.

Whoever types wrong codes on purpose must not keep others from typing right ones: not a house, whose people share one
address, and not the site. So these limits are far above what people mistype, and what bounds guessing is the length of
the code (`short_codes`; the sum is in `tests/sessions_app/intake/test_guessing.py`).
"""

import time
from collections.abc import Callable

# Private to allauth: its public `core.ratelimit` takes no try back, and knows no limits but those of accounts.
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alliance import known_browsers

LIMITS = {
    # A clinic's phones may all come from one address, so only wrong codes count.
    "short_code": "500/10m/ip",
    # Browsers on which the person never signed in. Only wrong passwords count.
    "sign_in_elsewhere": "10/m/ip",
    # Each is a mail to an address that nobody has confirmed.
    "email_link": "5/10m/user",
    # Each is a row until ten minutes are over; it opens nothing before staff have entered its code.
    "pairing_shown": "100/10m/ip",
    "pairing_entered": "20/10m/user",
    # A page that is broken at fifty places sends fifty.
    "policy_report": "100/10m/ip",
}
# Where the address has used up its tries: those of a browser on which staff have signed in before.
OF_KNOWN_BROWSERS = {"short_code": "20/10m/key", "pairing_shown": "10/10m/key"}
# Over the whole site, in ten minutes by the clock: a number, for a list of so many moments would slow down each try.
OF_ALL = {"short_code": 12_000, "pairing_shown": 2_000, "policy_report": 2_000}
MINUTES = 10


class TooOften(Exception):
    """The limit is reached: the person is asked to wait."""


def one_try(request: HttpRequest, what: str) -> Callable[[], None]:
    """Count one try, or raise `TooOften`. What is returned takes it back, for a try that was right.

    The site as a whole is asked first and nothing is written where it refuses: else each further address would leave
    a row of its own.
    """
    if what in OF_ALL and cache.get(_counter_of_all(what), 0) >= OF_ALL[what]:
        raise TooOften
    usage = ratelimit.consume(request, app="alliance", action=what, config=LIMITS)
    if usage is None:
        usage = _by_known_browser(request, what)
    take_back: Callable[[], None] = usage.rollback
    return take_back if what not in OF_ALL else _counted_for_all(what, take_back)


def _by_known_browser(request: HttpRequest, what: str) -> ratelimit.RateLimitUsage:
    browser = known_browsers.name_of(request) if what in OF_KNOWN_BROWSERS else ""
    usage = browser and ratelimit.consume(
        request, app="alliance", action=what, config=OF_KNOWN_BROWSERS, key=browser
    )
    if not usage:
        raise TooOften
    return usage


def _counted_for_all(what: str, take_back: Callable[[], None]) -> Callable[[], None]:
    counter = _counter_of_all(what)
    cache.add(counter, 0, MINUTES * 60)
    # Not one step in this cache: of four at once one may be counted. The bound has room for that.
    if _added(counter, 1) > OF_ALL[what]:
        take_back()
        raise TooOften

    def take_both_back() -> None:
        take_back()
        _added(counter, -1)

    return take_both_back


def _counter_of_all(what: str) -> str:
    return f"tries:{what}:{int(time.time()) // (MINUTES * 60)}"


def _added(counter: str, number: int) -> int:
    found = cache.get(counter)
    if found is None:  # the ten minutes were over meanwhile
        return 0
    # `incr` would let it end after the cache's own five minutes.
    cache.set(counter, found + number, MINUTES * 60)
    return int(found + number)


def wait(request: HttpRequest, template: str) -> HttpResponse:
    response = render(request, template, {"minutes": MINUTES}, status=429)
    response.headers["Retry-After"] = str(MINUTES * 60)
    return response
