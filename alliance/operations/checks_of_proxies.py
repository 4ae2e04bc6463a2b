"""Whether a request arrives as the settings say: through so many proxies, over HTTPS, under the site's name."""

from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from alliance.operations.findings import Finding, check_of_request, failed, ok, warning


@check_of_request("proxies")
def proxies(request: HttpRequest) -> Iterator[Finding]:
    """As this request came. A browser may add entries of its own in front, so more is no proof; fewer is."""
    sent = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    trusted = settings.TRUSTED_PROXIES
    came = f"{len(sent)} address{'' if len(sent) == 1 else 'es'} in X-Forwarded-For"
    if len(sent) < trusted:
        yield failed(
            "proxies",
            f"This request came with {came}, and TRUSTED_PROXIES is {trusted}: a visitor could pose as any address, "
            "or nobody's address is known.",
            "Let each proxy add the address it sees to X-Forwarded-For, or write the number of proxies there are.",
        )
    elif len(sent) > trusted:
        yield warning(
            "proxies",
            f"This request came with {came}, and TRUSTED_PROXIES is {trusted}: the whole clinic may share one "
            "address, and one lock-out.",
            "Count the proxies between the internet and this site and write their number into TRUSTED_PROXIES. Where "
            "it is right, the browser, or what it passes on its way, sends that header itself.",
        )
    elif trusted and not _is_address(sent[0]):
        yield failed(
            "proxies",
            "The proxy does not say the visitor's address in X-Forwarded-For, but another word.",
            "Let it send the address alone, as docs/deployment.md shows.",
        )
    else:
        said = f"through {trusted} {'proxy' if trusted == 1 else 'proxies'}" if trusted else "without a proxy"
        yield ok("proxies", f"This request came {said}, as TRUSTED_PROXIES says.")


@check_of_request("proxies_https")
def over_https(request: HttpRequest) -> Iterator[Finding]:
    if settings.HTTPS and not request.is_secure():
        yield warning(
            "proxies.https",
            "The proxy does not say that this request came over HTTPS.",
            "Let it send X-Forwarded-Proto: https, as docs/deployment.md shows.",
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
