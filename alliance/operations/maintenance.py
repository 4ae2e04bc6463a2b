"""The switch that closes the site for a while: `manage.py maintenance on "..."`.

Staff read a sentence; a client's form keeps its marks on the device, as without a network, and delivers them later: 503
is what its pages and its worker take for "away". Probes are answered as ever, so nothing restarts a site that rests.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, models, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver
from django.utils import timezone

SENTENCE_LENGTH = 300
NOTICE = "The site is being looked after and will be back soon."
GetResponse = Callable[[HttpRequest], HttpResponse]
PROBES = ("/healthz", "/readyz")


class MaintenanceNotice(models.Model):
    """While its only row is there, the site is closed, on all replicas."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sentence = models.CharField(max_length=SENTENCE_LENGTH)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="one_maintenance_notice"),)

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Closed:
    sentence: str
    since: datetime


def close(sentence: str) -> None:
    row = {"sentence": sentence.strip() or NOTICE, "since": timezone.now()}
    MaintenanceNotice.objects.update_or_create(pk=1, defaults=row)


def open_again() -> bool:
    """Whether it was closed."""
    return bool(MaintenanceNotice.objects.all().delete()[0])


def closed() -> Closed | None:
    row = MaintenanceNotice.objects.first()
    return Closed(row.sentence, row.since) if row else None


class Switch:
    """The state as it was some seconds ago. What cannot be read stays as it was: the database may be what is mended."""

    LOOKS_EVERY = 3.0

    def __init__(self) -> None:
        self._state: Closed | None = None
        self._looked_at = float("-inf")

    def state(self) -> Closed | None:
        now = time.monotonic()
        if now - self._looked_at >= self.LOOKS_EVERY:
            self._looked_at = now  # before the look: one thread looks, the others go by what is known
            try:
                with transaction.atomic():
                    self._state = closed()
            except DatabaseError:
                return self._state
        return self._state

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]


switch = Switch()


def close_while_maintained(get_response: GetResponse) -> GetResponse:
    """Ahead of sessions and rows: nothing of a request is read or written while the site is closed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        state = None if request.path_info in PROBES else switch.state()
        if state is None:
            return get_response(request)
        page: Any = get_resolver().resolve_error_handler(503)
        answer: HttpResponse = page(request, closed=state)
        answer["Retry-After"] = "60"
        answer["Cache-Control"] = "no-store"
        return answer

    return middleware
