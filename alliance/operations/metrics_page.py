"""`/metrics`, answered ahead of sessions and of every page, as the probes are.

With METRICS_TOKEN it answers whoever brings it (`Authorization: Bearer ...`); without, only this machine, and nobody
behind a proxy. Everybody else reads what they read at any address that is not there.
"""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from alliance.operations import metrics

ADDRESS = "/metrics"
# Whatever a proxy adds of its own. One on this machine stands at the loopback address like whoever sits here.
_OF_A_PROXY = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_metrics(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info != ADDRESS or request.method not in ("GET", "HEAD") or not may_read(request):
            return get_response(request)
        return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)

    return middleware


def may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        kind, _, brought = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and constant_time_compare(brought.strip(), settings.METRICS_TOKEN)
    if any(name in request.headers for name in _OF_A_PROXY):
        return False
    try:
        # A socket in the file system has no address, and is no proof of anything.
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
