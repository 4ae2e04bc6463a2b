"""A form as a browser sends it: with what its page said it was opened with."""

from typing import Any

from django.test import Client as Browser

from alliance.stale_forms import NAME


def opened(browser: Browser, address: str, /, **typed: Any) -> dict[str, Any]:
    """`typed`, into the page as it is drawn now."""
    return {NAME: browser.get(address).context["form"][NAME].value(), **typed}


def save(browser: Browser, address: str, /, **typed: Any) -> Any:
    """Open the page, type, press."""
    return browser.post(address, opened(browser, address, **typed))
