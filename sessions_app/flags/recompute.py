"""The flags of every episode computed again, in batches that whoever comes by may go on with.

A batch is a transaction of its own. What is done is written down in a second, short one: whoever dies in between
has a batch done again, and a batch done twice changes nothing the second time. So the command, the clock and
the settings page may all be at it at once.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing
from typing import Any

from django.db import transaction
from django.utils import timezone

from alliance.models import User
from clients.models import Episode
from sessions_app.flags import chance_returns, checks
from sessions_app.flags.conclude import conclude_many
from sessions_app.flags.recomputations import Recomputation
from sessions_app.instruments import rule_settings

EPISODES_A_BATCH = 200  # a rating that arrives for one of them waits about a quarter of a second
EPISODES_A_PIECE = 25  # for the page, which looks at the clock after each


@transaction.atomic
def begin(*, by: User | None) -> Recomputation:
    """A new run under the settings in force, from the first episode on. An older one ends where it is."""
    Recomputation.objects.unfinished().update(finished_at=timezone.now())
    return Recomputation.objects.create(
        settings_version=rule_settings.in_force().name, episodes=Episode.objects.count(), started_by=by
    )


def pending() -> Recomputation | None:
    return Recomputation.objects.unfinished().order_by("-pk").first()


def latest() -> Recomputation | None:
    """The run that counts: what is unfinished, else what was begun last."""
    return pending() or Recomputation.objects.order_by("-pk").first()


def go_on_for(seconds: float) -> Recomputation | None:
    """Go on with what is unfinished for about so long; the run as it then stands, None where there never was one."""
    until, stands = time.monotonic() + seconds, latest()
    with closing(go_on(size=EPISODES_A_PIECE)) as steps:
        for stands in steps:  # noqa: B007 - the last one is the answer
            if time.monotonic() >= until:
                break
    return stands


def go_on(
    *, size: int = EPISODES_A_BATCH, pool: Executor | None = None, ahead: int = 1
) -> Generator[Recomputation]:
    """Everything that is unfinished, to its end; after each batch the run as it stands.

    pool: where the batches are computed, `ahead` of them at a time; without one, here.
    """
    while run := pending():
        yield from _to_the_end(run, size, pool or _Here(), ahead)


def _to_the_end(run: Recomputation, size: int, pool: Executor, ahead: int) -> Iterator[Recomputation]:
    under_way: deque[tuple[list[int], Future[int]]] = deque()
    last = run.last_episode
    if not last:  # once a run, in front of everything: pages show the figures beside what the run finds
        chance_returns.refresh(recompute=True)
    while True:
        last = max(last, run.last_episode)  # somebody else may be farther on
        while len(under_way) < ahead and (episodes := _following(last, size)):
            under_way.append((episodes, pool.submit(_compute, episodes)))
            last = episodes[-1]
        if not under_way:
            break
        episodes, result = under_way.popleft()
        run = _note(run, episodes, result.result())
        yield run
        if run.finished_at:  # new settings began another run
            return
    yield _finish(run)


def _following(last: int, size: int) -> list[int]:
    return list(Episode.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:size])


@transaction.atomic
def _compute(episodes: list[int]) -> int:
    return conclude_many(episodes=episodes)


@transaction.atomic
def _note(run: Recomputation, episodes: list[int], changed: int) -> Recomputation:
    """These are done, and all before them. Counted once, however many came to the same."""
    now = Recomputation.objects.select_for_update().get(pk=run.pk)
    news = [pk for pk in episodes if pk > now.last_episode]
    if now.finished_at is None and news:
        now.last_episode, now.done = news[-1], now.done + len(news)
        now.episodes = max(now.episodes, now.done)  # some were opened meanwhile
        now.changed += changed
        now.save(update_fields=["last_episode", "done", "episodes", "changed"])
    return now


def _finish(run: Recomputation) -> Recomputation:
    """An older run that was begun in the same moment as this one is over with it. Wrong counts are summed up anew."""
    checks.rebuild_days()
    rows = Recomputation.objects.unfinished().filter(pk__lte=run.pk)
    rows.update(finished_at=timezone.now())
    run.refresh_from_db()
    return run


class _Here(Executor):
    """Computes at once, in this process and thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
