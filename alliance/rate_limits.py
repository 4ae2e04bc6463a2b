"""How often somebody may try, counted in the shared cache: by address, and over the whole site."""

from collections.abc import Callable

# Private to allauth: its public `core.ratelimit` takes no try back, and knows no limits but those of accounts.
from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

LIMITS = {
    # A clinic's phones may all come from one address, so only wrong codes count. With 200 codes open, 100 wrong
    # ones every ten minutes for a whole year find one with a chance of 4 in 100.
    "short_code": "20/10m/ip,100/10m/key",
    # Browsers on which the person never signed in. Only wrong passwords count.
    "sign_in_elsewhere": "10/m/ip",
    # Each is a mail to an address that nobody has confirmed.
    "email_link": "5/10m/user",
    "pairing_shown": "10/10m/ip,60/10m/key",
    "pairing_entered": "20/10m/user",
}
MINUTES = 10


class TooOften(Exception):
    """The limit is reached: the person is asked to wait."""


def one_try(request: HttpRequest, what: str) -> Callable[[], None]:
    """Count one try, or raise `TooOften`. What is returned takes it back, for a try that was right."""
    usage = ratelimit.consume(request, app="alliance", action=what, config=LIMITS, key="everybody")
    if usage is None:
        raise TooOften
    rollback: Callable[[], None] = usage.rollback
    return rollback


def wait(request: HttpRequest, template: str) -> HttpResponse:
    response = render(request, template, {"minutes": MINUTES}, status=429)
    response.headers["Retry-After"] = str(MINUTES * 60)
    return response
