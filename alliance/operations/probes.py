"""`/healthz` and `/readyz`: answered ahead of sessions and of every page.

`/healthz` says that the process answers, and asks nothing else: whoever restarts what is dead must not restart all
replicas because their database is away. `/readyz` says whether a request would be served well; a balancer sends
none here meanwhile. It takes no longer than `SECONDS`, also where the database is silent: that one thread waits for it.
Neither says anything that strangers may not know, and asking often costs nothing: an answer is kept for a moment.
"""

import threading
import time
from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponse

from alliance.operations.bounded import bounded_connection
from alliance.operations.findings import READY, Finding, State, database_is_silent, run

ALIVE, IS_READY = "/healthz", "/readyz"
SECONDS = 2.0
KEPT_FOR = 2.0
GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_probes(get_response: GetResponse) -> GetResponse:
    """The two addresses, for whoever asks under the site's name; GET and HEAD alone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in (ALIVE, IS_READY) or request.method not in ("GET", "HEAD"):
            return get_response(request)
        request.get_host()  # under a name that is not the site's: 400, as every page
        failures = [] if request.path_info == ALIVE else [one.sentence for one in readiness.failures()]
        text = "\n".join(failures) or ("alive" if request.path_info == ALIVE else "ready")
        return HttpResponse(
            text + "\n", content_type="text/plain; charset=utf-8", status=503 if failures else 200
        )

    return middleware


class Readiness:
    """What forbids to serve, as found a moment ago. One thread at a time looks, however many ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._look: _Look | None = None

    def failures(self) -> list[Finding]:
        with self._lock:
            if self._look is None or self._look.is_past():
                self._look = _Look()
            look = self._look
        return look.failures()

    def forget(self) -> None:
        self._look = None


class _Look:
    """One look at everything, in a thread of its own: nothing else can stop waiting for a silent database."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._found: list[Finding] | None = None
        self._is_done = threading.Event()
        # A thread that hangs must not keep the server from ending.
        threading.Thread(target=self._run, name="readyz", daemon=True).start()

    def is_past(self) -> bool:
        """An answer is kept for a moment; one that hangs is waited for ten times as long before another begins."""
        kept_for = KEPT_FOR if self._is_done.is_set() else 10 * KEPT_FOR
        return time.monotonic() - self._began > kept_for

    def failures(self) -> list[Finding]:
        self._is_done.wait(max(0.0, self._began + SECONDS - 0.2 - time.monotonic()))
        if self._found is None:
            return [database_is_silent()]
        return [finding for finding in self._found if finding.state is State.FAILED]

    def _run(self) -> None:
        try:
            with bounded_connection(int(SECONDS)):
                self._found = run(READY)
        finally:
            self._is_done.set()
            connections.close_all()


readiness = Readiness()
