"""What is stored as a conclusion against a fresh one: nothing should differ."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from random import Random
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.models import Episode
from sessions_app.flags import conclude, facts
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.expected_flags import ExpectedFlag
from sessions_app.flags.facts import FlagFact
from sessions_app.flags.process_days import COUNTED, ProcessDay
from sessions_app.instruments import rule_settings

AT_ONCE = 200
WAITS_FOR_THE_CLOCK = (
    "G"  # raised when a rating becomes overdue, at the latest a quarter of an hour afterwards
)


def differing(episodes: Collection[int], now: datetime | None = None) -> Iterator[tuple[int, str]]:
    """(row number, what differs) of each episode whose stored conclusions are not what its facts say."""
    moment, chosen = now or timezone.now(), list(episodes)
    rules = rule_settings.in_force()
    for start in range(0, len(chosen), AT_ONCE):
        batch = chosen[start : start + AT_ONCE]
        stored = EpisodeStanding.objects.in_bulk(batch)
        for episode, found in facts.read(batch).items():
            fresh = conclude.fresh(found, rules, moment)
            row = stored.get(episode)
            names = list(_flags(found.flags.values(), fresh.expected.values()))
            if row is None:
                names.append("no standing")
            elif not names:
                names += [name for name, value in fresh.values.items() if getattr(row, name) != value]
            if names:
                yield episode, ", ".join(names)


def _flags(stored: Collection[FlagFact], expected: Collection[ExpectedFlag]) -> Iterator[str]:
    standing_now = {flag.key: flag for flag in stored if flag.stands}
    wanted = {flag.key: flag for flag in expected}
    for key in sorted(standing_now.keys() | wanted.keys()):
        before, after = standing_now.get(key), wanted.get(key)
        if before is None and key.rule == WAITS_FOR_THE_CLOCK:
            continue
        if before is None or after is None or not conclude.says_the_same(before, after):
            yield f"flag {key.rule}"


def differing_days() -> Iterator[tuple[UUID, date]]:
    """(therapist, day) of each row of counts that is not the sum over the standings of the therapist's episodes."""
    sums: dict[tuple[UUID, date], list[int]] = {}
    rows = EpisodeStanding.objects.values_list("episode__therapist", "process")
    for therapist, process in rows.iterator(2000):
        for day, counted in process.items():
            total = sums.setdefault((therapist, date.fromisoformat(day)), [0] * len(COUNTED))
            total[:] = map(sum, zip(total, counted, strict=True))
    stored = {(person, day): counted for person, day, *counted in _days()}
    for key in sorted(sums.keys() | stored.keys(), key=str):
        nothing = [0] * len(COUNTED)
        if sums.get(key, nothing) != stored.get(key, nothing):
            yield key


def _days() -> Iterator[tuple[UUID, date, int]]:
    yield from ProcessDay.objects.values_list("therapist", "day", *COUNTED).iterator(2000)


def rebuild(episodes: Collection[int]) -> None:
    """Conclude these again, a batch at a time."""
    chosen = list(episodes)
    for start in range(0, len(chosen), AT_ONCE):
        conclude.conclude_many(episodes=chosen[start : start + AT_ONCE])


def without_standing() -> list[int]:
    """Episodes that have none: a restored backup of before, or rows made by hand."""
    missing = Episode.objects.filter(standing__isnull=True).order_by("pk")
    return list(missing.values_list("pk", flat=True))


def sample(many: int, rng: Random) -> list[int]:
    """Some open episodes, by chance."""
    pks = list(Episode.objects.open().values_list("pk", flat=True))
    return rng.sample(pks, min(many, len(pks)))


def rebuild_days() -> int:
    """Sum up anew what is not the sum over the standings; how many days were wrong."""
    wrong = list(differing_days())
    for therapist, day in wrong:
        _rebuild_day(therapist, day)
    return len(wrong)


@transaction.atomic
def _rebuild_day(therapist: UUID, day: date) -> None:
    """Behind the lock of its row: whoever added to it before has stored the standing too, whoever waits adds later."""
    ProcessDay.objects.bulk_create([ProcessDay(therapist_id=therapist, day=day)], ignore_conflicts=True)
    row = ProcessDay.objects.select_for_update().get(therapist=therapist, day=day)
    standings = EpisodeStanding.objects.filter(episode__therapist=therapist)
    nothing = [0] * len(COUNTED)
    total = nothing
    for process in standings.values_list("process", flat=True):
        total = [*map(sum, zip(total, process.get(day.isoformat(), nothing), strict=True))]
    for name, counted in zip(COUNTED, total, strict=True):
        setattr(row, name, counted)
    row.save()
