"""The writes about what the marks mean and what was said about it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.models import User
from clients.actions import Refused
from clients.models import Episode
from sessions_app import conclusions, rule_settings
from sessions_app.conclusions import Conclusion, Stored
from sessions_app.models import Discussion, Flag, TherapySession


def queue(episode_id: int) -> Episode:
    """Wait until no other write about this episode is under way; the episode as it is now."""
    return Episode.objects.select_for_update().get(pk=episode_id)


def queue_many(episodes: Collection[int]) -> None:
    """The same for several, in the order of their row numbers: with two orders, two could wait for each other."""
    rows = Episode.objects.select_for_update().filter(pk__in=episodes).order_by("pk")
    list(rows.values_list("pk"))


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
    queue_many(episodes)
    rules = rule_settings.in_force()
    courses = conclusions.courses(episodes, moment)
    concluded = {one.key: one for held in courses.held.values() for one in conclusions.conclude(held, rules)}
    stored = conclusions.stored(courses.episode_of.keys())
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


@transaction.atomic
def discuss(*, flags: Iterable[Flag], said: str, agreed: str, by: User) -> Discussion:
    """Note the conversation about flags of one session. They are *discussed* from now on.

    The same words about the same flags once more are one press too many: the note that stands is returned.
    """
    talked_about = list(flags)
    if not talked_about:
        raise Refused("Choose what you talked about.")
    if len({flag.session_id for flag in talked_about}) > 1:
        raise Refused("Note the conversation about one session at a time.")
    session = talked_about[0].session
    queue(session.episode_id)
    if stands := _noted_already(session, talked_about, said=said, agreed=agreed, discussed_by=by):
        return stands
    discussion = Discussion.objects.create(session=session, said=said, agreed=agreed, discussed_by=by)
    discussion.flags.set(talked_about)
    audit.record(
        "discussed", discussion, by=by, client=session.client_code, rules=[flag.rule for flag in talked_about]
    )
    return discussion


def _noted_already(session: TherapySession, flags: list[Flag], **words: Any) -> Discussion | None:
    asked = {flag.pk for flag in flags}
    same = Discussion.objects.standing().filter(session=session, **words).prefetch_related("flags")
    return next((one for one in same if {flag.pk for flag in one.flags.all()} == asked), None)


@transaction.atomic
def withdraw_discussion(*, discussion: Discussion, by: User) -> None:
    """Undo of `discuss`: the words are kept, the flags are open again. Pressed twice, it is undone once."""
    queue(discussion.session.episode_id)
    standing = Discussion.objects.standing().filter(pk=discussion.pk)
    if standing.update(withdrawn_at=timezone.now(), withdrawn_by=by):
        audit.record("discussion withdrawn", discussion, by=by, client=discussion.client_code)
