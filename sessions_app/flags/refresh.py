"""The writes about what the marks mean and what was said about it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alliance import audit
from clients.models import Episode
from sessions_app.courses.lock import lock_episodes
from sessions_app.flags import expected_flags
from sessions_app.flags.expected_flags import Conclusion, Stored
from sessions_app.flags.models import Flag
from sessions_app.instruments import rule_settings


@transaction.atomic
def refresh_flags(*, episode: Episode, now: datetime | None = None) -> None:
    """Make the stored flags of an episode equal to what the rules say of it now."""
    refresh_many(episodes=[episode.pk], now=now)


@transaction.atomic
def refresh_many(*, episodes: Collection[int], now: datetime | None = None) -> int:
    """The same for many, by row number, in a fixed number of statements; how many flags changed.

    Flags are conclusions: one that no longer stands is withdrawn and one that stands again comes
    back, so that a discussion keeps hanging on its row.
    """
    moment = now or timezone.now()
    # Two ratings of one episode that arrive at once must not each compute without the other. The settings
    # are read after the wait too: a rating is judged by the newest.
    lock_episodes(episodes)
    rules = rule_settings.in_force()
    courses = expected_flags.courses(episodes, moment)
    concluded = {
        one.key: one for held in courses.held.values() for one in expected_flags.conclude(held, rules)
    }
    stored = expected_flags.stored(courses.episode_of.keys())
    fallen = [one for key, one in stored.items() if one.stands and key not in concluded]
    news = [one for key, one in concluded.items() if not _stands(stored.get(key), one)]
    if fallen:
        Flag.objects.filter(pk__in=[one.pk for one in fallen]).update(withdrawn_at=moment)
    _raise(news, rules.name, moment)
    changed = [one.says.key for one in fallen] + [one.key for one in news]
    _log({courses.episode_of[key.session] for key in changed})
    return len(changed)


def _stands(flag: Stored | None, conclusion: Conclusion) -> bool:
    return flag is not None and flag.stands and flag.says == conclusion


def _log(episodes: set[int]) -> None:
    """One line for each: the open pages look for it (`arrivals`)."""
    if episodes:
        codes = Episode.objects.filter(pk__in=episodes).order_by("pk").values_list("code", "client__code")
        audit.record_each("flags refreshed", "episode", codes, by=None)


def _raise(news: Iterable[Conclusion], settings_version: str, moment: datetime) -> None:
    """Store what is new or said otherwise; a flag that was there keeps its row, its code and its first moment."""
    Flag.objects.bulk_create(
        (
            Flag(
                session_id=one.key.session,
                instrument=one.key.instrument,
                rule=one.key.rule,
                rating_id=one.rating,
                is_new=one.is_new,
                on_work_list=one.on_work_list,
                evidence=one.evidence,
                settings_version=settings_version,
                raised_at=moment,
            )
            for one in news
        ),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["session", "instrument", "rule"],
        update_fields=["rating", "is_new", "on_work_list", "evidence", "settings_version", "withdrawn_at"],
    )
