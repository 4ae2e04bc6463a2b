"""What is counted and measured, for `/metrics` (metrics_page.py). Named functions; other rooms count with them.

No label holds anything that somebody entered, and no code: the names of pages and of outcomes alone. Counting never
makes a request fail. The workers of a server write into one folder, which `serving` makes (shared_metrics.py).
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec

from django.core.signals import request_finished
from django.db import connections, transaction
from django.utils import timezone

from alliance.operations import heartbeat, shared_metrics
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified
from alliance.operations.bounded import bounded_connection

IS_SHARED = shared_metrics.begin()  # before the first of them is made

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest  # noqa: E402
from prometheus_client.core import GaugeMetricFamily  # noqa: E402
from prometheus_client.multiprocess import MultiProcessCollector  # noqa: E402
from prometheus_client.registry import Collector  # noqa: E402

log = logging.getLogger(__name__)
P = ParamSpec("P")
Measured = float | Mapping[str, float] | None
MOST_SECONDS = 5  # for a figure of the database: whoever scrapes gives up after ten
_REGISTRY = CollectorRegistry()
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DELAYS = (1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 7 * 24 * 3600.0)
# Of what is refused at the door nobody knows what it was.
RATING, QUESTIONNAIRE, UNKNOWN = "rating", "questionnaire", "unknown"

_requests = Counter(
    "alliance_requests", "Requests answered.", ("route", "method", "status"), registry=_REGISTRY
)
_latency = Histogram(
    "alliance_request_seconds", "Time to an answer.", ("route",), buckets=_SECONDS, registry=_REGISTRY
)
_marks = Counter("alliance_marks", "Marks that arrived.", ("form", "outcome"), registry=_REGISTRY)
_delay = Histogram(
    "alliance_delivery_delay_seconds",
    "How long marks waited on a device, by its own clock.",
    buckets=_DELAYS,
    registry=_REGISTRY,
)
_mails = Counter("alliance_mails", "Mails to staff.", ("outcome",), registry=_REGISTRY)
_reports = Counter(
    "alliance_policy_reports",
    "What browsers said that a content policy refused.",
    ("directive",),
    registry=_REGISTRY,
)
_pool = Gauge(
    "alliance_database_pool",
    "The pools of all workers, at most a second before their last request ended.",
    ("what",),
    multiprocess_mode="livesum",
    registry=_REGISTRY,
)


def _never_fails(count: Callable[P, None]) -> Callable[P, None]:
    @wraps(count)
    def counted(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            count(*args, **kwargs)
        except Exception:
            log.warning("Something could not be counted.", exc_info=True)

    return counted


# --- What is counted -----------------------------------------------------------------------------


@_never_fails
def request_answered(*, route: str, method: str, status: int, seconds: float) -> None:
    _requests.labels(route, method, f"{status // 100}xx").inc()
    _latency.labels(route).observe(seconds)


def marks_accepted(form: str = RATING, *, claimed_at: datetime | None = None) -> None:
    """Once the transaction is through: what is rolled back did not happen."""
    transaction.on_commit(lambda: _accepted(form, claimed_at))


def marks_set_aside(form: str = RATING) -> None:
    transaction.on_commit(lambda: _counted_marks(form, "set_aside"))


def marks_refused(form: str = RATING) -> None:
    """At once: nothing was written."""
    _counted_marks(form, "refused")


@_never_fails
def _accepted(form: str, claimed_at: datetime | None) -> None:
    _marks.labels(form, "accepted").inc()
    if claimed_at is not None:
        _delay.observe(max(0.0, (timezone.now() - claimed_at).total_seconds()))


@_never_fails
def _counted_marks(form: str, outcome: str) -> None:
    _marks.labels(form, outcome).inc()


@_never_fails
def mail_sent() -> None:
    _mails.labels("sent").inc()


@_never_fails
def mail_failed() -> None:
    _mails.labels("failed").inc()


@_never_fails
def policy_report(directive: str, times: int) -> None:
    """directive: a known name, never a word of the report."""
    _reports.labels(directive).inc(times)


_looked_at_the_pool = float("-inf")


@_never_fails
def _look_at_the_pool(**_signal: Any) -> None:
    """Once a second, after a connection was given back: Django's own receiver of this signal comes first."""
    global _looked_at_the_pool
    if time.monotonic() - _looked_at_the_pool < 1:
        return
    _looked_at_the_pool = time.monotonic()
    for wrapper in connections.all(initialized_only=True):
        pool = getattr(wrapper, "pool", None) if wrapper.settings_dict["OPTIONS"].get("pool") else None
        if pool is None:
            continue
        found = pool.get_stats()
        _pool.labels("connections").set(found.get("pool_size", 0))
        _pool.labels("free").set(found.get("pool_available", 0))
        _pool.labels("most").set(found.get("pool_max", 0))
        _pool.labels("requests_waiting").set(found.get("requests_waiting", 0))
        _pool.labels("requests_that_waited").set(found.get("requests_queued", 0))
        _pool.labels("requests_without_one").set(found.get("requests_errors", 0))


request_finished.connect(_look_at_the_pool, dispatch_uid="figures of the pool")


# --- What is measured when somebody asks ---------------------------------------------------------


@dataclass
class _Measure:
    meaning: str
    by: str
    function: Callable[[], Measured]
    keep_for: float
    found: Measured = None
    at: float = float("-inf")

    def now(self) -> Measured:
        """What was found a moment ago, or is found now: several may ask, and often."""
        if time.monotonic() - self.at >= self.keep_for:
            self.found, self.at = self.function(), time.monotonic()
        return self.found


_MEASURES: dict[str, _Measure] = {}


def measure(
    name: str, meaning: str, function: Callable[[], Measured], *, by: str = "", keep_for: float = 0
) -> None:
    """Register a figure that is read from the database; `by` names the label where there are several.

    A name that says what it is in: `alliance_backup_age_seconds`. None leaves it out. `keep_for`: seconds for which
    what was found stands, where finding it costs.
    """
    _MEASURES[name] = _Measure(meaning, by, function, keep_for)


class _Measures(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        failed = GaugeMetricFamily(
            "alliance_measure_failed", "1: this could not be measured.", labels=["measure"]
        )
        for name, one in sorted(_MEASURES.items()):
            try:
                found = one.now()
            except Exception:
                log.warning("%s could not be measured.", name, exc_info=True)
                failed.add_metric([name], 1)
                continue
            failed.add_metric([name], 0)
            if found is None:
                continue
            family = GaugeMetricFamily(name, one.meaning, labels=[one.by] if one.by else [])
            for label, value in found.items() if isinstance(found, Mapping) else [("", found)]:
                family.add_metric([label] if one.by else [], value)
            yield family
        yield failed


def age(moment: datetime | None) -> float | None:
    """Seconds since; None where there is no such moment."""
    return None if moment is None else max(0.0, (timezone.now() - moment).total_seconds())


def exposition() -> bytes:
    """All of it, in Prometheus' text format; of all workers of this server."""
    registry = CollectorRegistry()
    registry.register(_Measures())
    with bounded_connection(MOST_SECONDS):
        measured = generate_latest(registry)
    if not IS_SHARED:
        return bytes(generate_latest(_REGISTRY) + measured)
    counted = CollectorRegistry()
    MultiProcessCollector(counted, path=shared_metrics.folder())  # type: ignore[no-untyped-call]
    return bytes(generate_latest(counted) + measured)


def _clock_beat() -> float | None:
    beat = heartbeat.last_beat()
    return age(beat.beat_at if beat else None)


def _tasks_failed() -> dict[str, float]:
    return {name: float(row.failures) for name, row in heartbeat.rows().items()}


def _tasks_succeeded() -> dict[str, float]:
    ages = {name: age(row.succeeded_at) for name, row in heartbeat.rows().items()}
    return {name: value for name, value in ages.items() if value is not None}


def _backup() -> float | None:
    last = BackupMade.objects.first()
    return age(last.made_at if last else None)


def _whole_backup() -> float | None:
    last = BackupVerified.objects.filter(is_whole=True).first()
    return age(last.verified_at if last else None)


measure("alliance_backup_age_seconds", "Since the moment that the newest backup shows.", _backup)
measure("alliance_backup_verified_age_seconds", "Since one was last found whole.", _whole_backup)
measure("alliance_clock_beat_age_seconds", "Since the clock last said that it lives.", _clock_beat)
measure("alliance_clock_task_failures", "How often in a row a task failed.", _tasks_failed, by="task")
measure("alliance_clock_task_age_seconds", "Since a task last did its work.", _tasks_succeeded, by="task")
