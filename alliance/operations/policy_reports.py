"""What browsers say that the content policy of a page refused: taken at `POLICY_REPORTS`, counted, kept for a week.

Answered ahead of sessions and of every page: a report has no token of a form, is nobody's, and reads no cookie. Anybody
can send one, so nothing in it is believed. Of each are kept the directive, the host that was refused and the name of
the page; the address, whose codes open things, the line of the script and the browser are not. No form of another site
can send one: the two types of content are none that a form can have. Another site's policy can name this address for
its reports: what is told of its pages is left out.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from csp.utils import DEFAULT_DIRECTIVES
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from alliance import rate_limits
from alliance.operations import metrics
from alliance.operations.request_number import NO_ROUTE

TYPES = frozenset({"application/csp-report", "application/reports+json"})
MOST_BYTES = 32 * 1024
MOST_AT_ONCE = 20
KEPT_DAYS = 7
KINDS_A_DAY = 30
OTHER, THIS_SITE, A_POLICY = "other", "this site", "csp-violation"
# What stands in place of an address where none was refused.
_WORDS = frozenset(
    {"inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "data", "blob", "about"}
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,60}[a-z0-9])?", re.ASCII)
# What people have added to their browser meets the policy too, and is no fault of a page.
_OF_AN_EXTENSION = re.compile(r"[a-z-]+-extension(:|$)", re.ASCII)
GetResponse = Callable[[HttpRequest], HttpResponse]


class Refused(NamedTuple):
    directive: str
    host: str
    page: str


class _Unreadable(Exception):
    pass


def take_reports(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info != settings.POLICY_REPORTS or request.method != "POST":
            return get_response(request)
        return HttpResponse(status=_status(request))

    return middleware


def _status(request: HttpRequest) -> int:
    host = request.get_host()  # under a name that is not the site's: 400, as every page
    if request.content_type not in TYPES:
        return 415
    if _length(request) > MOST_BYTES:
        return 413
    try:
        rate_limits.one_try(request, "policy_report")
    except rate_limits.TooOften:
        return 429
    try:
        found = Counter(read(request.body, host))
    except _Unreadable:  # the whole of it: browsers send again what was refused
        return 400
    for one, times in found.items():
        metrics.policy_report(one.directive, times)
        keep(one, times)
    return 204


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return MOST_BYTES + 1


# --- Reading -------------------------------------------------------------------------------------


def read(body: bytes, host: str) -> Iterator[Refused]:
    """What the reports say of the site at `host`; in both shapes, of report-uri and of report-to."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise _Unreadable from None
    reports = (
        [one.get("body") for one in sent[:MOST_AT_ONCE] if _is_ours(one)]
        if isinstance(sent, list)
        else [sent]
    )
    ours = urlsplit(f"//{host}").hostname or ""
    for report in reports:
        said = report.get("csp-report", report) if isinstance(report, dict) else None
        if not isinstance(said, dict):
            raise _Unreadable
        if not (_of_an_extension(said) or _of_another_site(said, ours)):
            yield Refused(_directive(said), _host(said, ours), _page(said))


def _is_ours(report: Any) -> bool:
    return isinstance(report, dict) and report.get("type") == A_POLICY


def _text(said: dict[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(found := said.get(name), str):
            return found.strip()
    return ""


def _of_an_extension(said: dict[str, Any]) -> bool:
    named = (_text(said, "blocked-uri", "blockedURL"), _text(said, "source-file", "sourceFile"))
    return any(_OF_AN_EXTENSION.match(one) for one in named)


def _of_another_site(said: dict[str, Any], ours: str) -> bool:
    return _hostname(_split(_text(said, "document-uri", "documentURL"))) not in {"", ours}


def _directive(said: dict[str, Any]) -> str:
    named = _text(said, "effective-directive", "effectiveDirective", "violated-directive").partition(" ")[0]
    return named if named in DEFAULT_DIRECTIVES else OTHER


def _host(said: dict[str, Any], ours: str) -> str:
    blocked = _text(said, "blocked-uri", "blockedURL").lower()
    word = blocked.partition(":")[0]
    if word in _WORDS:
        return word
    host = _hostname(_split(blocked))
    if host == ours:
        return THIS_SITE
    return host if _HOST.fullmatch(host) else OTHER


def _page(said: dict[str, Any]) -> str:
    parts = _split(_text(said, "document-uri", "documentURL"))
    if parts is None or not parts.hostname:
        return NO_ROUTE
    try:
        return resolve(parts.path).view_name or NO_ROUTE
    except Resolver404:
        return NO_ROUTE


def _split(address: str) -> SplitResult | None:
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _hostname(parts: SplitResult | None) -> str:
    return (parts.hostname or "") if parts is not None else ""


# --- Keeping, in the cache that all workers share ------------------------------------------------


def keep(one: Refused, times: int = 1) -> None:
    """Count it for today, so many times.

    Two at the same moment may count as one; a kind is not lost, for a place is taken once.
    """
    day = datetime.now(UTC).date().isoformat()
    taken = cache.get_many([_kind(day, place) for place in range(KINDS_A_DAY)])
    for place in range(KINDS_A_DAY):
        found = taken.get(_kind(day, place))
        if found is None:
            added = cache.add(_kind(day, place), tuple(one), _SECONDS)
            found = tuple(one) if added else cache.get(_kind(day, place))
        if found == tuple(one) or place == KINDS_A_DAY - 1:  # the last place is for all that have none
            _add(_times(day, place), times)
            return


def kept() -> Counter[Refused]:
    """How often each was reported in the last days; what had no place any more is `other` in all three."""
    today = datetime.now(UTC).date()
    days = [(today - timedelta(days=ago)).isoformat() for ago in range(KEPT_DAYS)]
    places = [(day, place) for day in days for place in range(KINDS_A_DAY)]
    found = cache.get_many([name(*place) for name in (_kind, _times) for place in places])
    counted: Counter[Refused] = Counter()
    for day, place in places:
        times = found.get(_times(day, place), 0)
        if times and _kind(day, place) in found:
            is_last = place == KINDS_A_DAY - 1
            counted[Refused(OTHER, OTHER, OTHER) if is_last else Refused(*found[_kind(day, place)])] += times
    return counted


_SECONDS = KEPT_DAYS * 24 * 3600


def _kind(day: str, place: int) -> str:
    return f"policy_reports:{day}:{place}:what"


def _times(day: str, place: int) -> str:
    return f"policy_reports:{day}:{place}:times"


def _add(counter: str, times: int) -> None:
    # `incr` would let it end after the cache's own five minutes.
    cache.set(counter, cache.get(counter, 0) + times, _SECONDS)
