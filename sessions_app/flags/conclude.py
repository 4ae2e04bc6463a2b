"""Everything that is concluded from a course, written in one place: flags, standing, process counts.

Every write about an episode ends here, in its transaction and under the lock of the episode.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from clients.models import Episode
from sessions_app.flags import facts, looks_before, standing
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.expected_flags import ExpectedFlag, expected_flags, held_sessions
from sessions_app.flags.facts import CourseFacts, FlagFact
from sessions_app.flags.models import Flag
from sessions_app.flags.standing import Concluded
from sessions_app.instruments.rule_settings import RuleSettings


# No savepoint: a failure here undoes the whole write that asked for it.
@transaction.atomic(savepoint=False)
def conclude(*, episode: Episode, now: datetime | None = None) -> None:
    """Make flags, standing and process counts of an episode equal to what the rules say of it now."""
    conclude_many(episodes=[episode.pk], now=now)


@transaction.atomic(savepoint=False)
def conclude_many(*, episodes: Collection[int], now: datetime | None = None, looks_anew: bool = False) -> int:
    """The same for many, by row number, in a fixed number of statements; how many flags changed.

    A flag that no longer stands is withdrawn and one that stands again comes back, so that a discussion keeps
    hanging on its row. looks_anew: read the access log again for sessions that were looked up before.
    """
    # Two ratings of one episode that arrive at once must not each compute without the other.
    return conclude_locked(standing.lock(episodes), now=now, looks_anew=looks_anew)


@transaction.atomic(savepoint=False)
def conclude_locked(
    before: Mapping[int, EpisodeStanding],
    *,
    now: datetime | None = None,
    log: Sequence[AuditEvent] = (),
    looks_anew: bool = False,
) -> int:
    """The same for whoever has taken the lock already; before: what `standing` found behind it.

    log: lines of the access log that the caller has to write, written in one statement with those of the flags.
    """
    moment = now or timezone.now()
    # After the wait for the lock, in which others wrote. The rules come in the same query as the facts, and so
    # after the wait too: a rating is judged by the newest.
    read, rules = facts.read_with_rules(before.keys())
    read = looks_before.found(read, (one.episode for one in before.values()), moment, anew=looks_anew)
    concluded = {episode: fresh(found, rules, moment) for episode, found in read.items()}
    changed = 0
    touched = set()
    fallen: list[int] = []
    news: list[ExpectedFlag] = []
    for episode, one in concluded.items():
        stored = read[episode].flags
        gone = [flag.pk for key, flag in stored.items() if flag.stands and key not in one.expected]
        come = [flag for flag in one.expected.values() if not _stands(stored.get(flag.key), flag)]
        fallen += gone
        news += come
        changed += len(gone) + len(come)
        if gone or come:
            touched.add(episode)
    if fallen:
        Flag.objects.filter(pk__in=fallen).update(withdrawn_at=moment)
    if news:
        _raise(news, rules.name, moment)
    standing.store(concluded, before)
    audit.write([*log, *_refreshed(before[episode].episode for episode in sorted(touched))])
    return changed


def fresh(found: CourseFacts, rules: RuleSettings, now: datetime) -> Concluded:
    """What is to be concluded from these facts; nothing is stored."""
    held = held_sessions(found, now)
    expected = {flag.key: flag for flag in expected_flags(held, rules)}
    return standing.concluded(found, held, expected, rules, now)


def _stands(flag: FlagFact | None, expected: ExpectedFlag) -> bool:
    return flag is not None and flag.stands and says_the_same(flag, expected)


def says_the_same(flag: FlagFact, expected: ExpectedFlag) -> bool:
    return _says(flag) == _says(expected)


def _says(flag: FlagFact | ExpectedFlag) -> tuple[object, ...]:
    return flag.rating, flag.is_new, flag.on_work_list, flag.evidence


def _refreshed(episodes: Iterable[Episode]) -> list[AuditEvent]:
    """One line for each: the open pages look for it (`change_stamp`)."""
    return [
        audit.line(LogEvent.FLAGS_REFRESHED, episode, by=None, client=episode.client_code)
        for episode in episodes
    ]


def _raise(news: Iterable[ExpectedFlag], settings_version: str, moment: datetime) -> None:
    """Store what is new or said otherwise; a flag that was there keeps its row, its code and its first moment."""
    Flag.objects.bulk_create(
        (
            Flag(
                session_id=flag.key.session,
                instrument=flag.key.instrument,
                rule=flag.key.rule,
                rating_id=flag.rating,
                is_new=flag.is_new,
                on_work_list=flag.on_work_list,
                evidence=flag.evidence,
                settings_version=settings_version,
                raised_at=moment,
            )
            for flag in news
        ),
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["session", "instrument", "rule"],
        update_fields=["rating", "is_new", "on_work_list", "evidence", "settings_version", "withdrawn_at"],
    )
