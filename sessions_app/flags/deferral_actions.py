"""The writes about what is not talked about now: until the next session, or at all."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.undo import refuse_if_late
from clients.lock import lock_open_episode
from clients.models import Episode
from sessions_app.flags import answered_flags, facts
from sessions_app.flags.conclude import conclude
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag

NOTHING_CALLS = "Nothing calls for a talk here any more. It was talked about or decided meanwhile."
UNDONE = "Undone right after it was decided."
INSTEAD = "Use Take back, which stands beside the decision."


@transaction.atomic
def defer(*, episode: Episode, flags: Iterable[Flag], kind: str, why: str, by: User) -> Deferral:
    """Take these flags from the work list without a talk. Pressed twice, it is decided once."""
    lock_open_episode(episode.pk)
    named = {flag.pk for flag in flags}
    calling = _calling(episode, named)
    if not calling:
        return _decided_before(episode, named, kind)
    deferral = Deferral.objects.create(
        session=max((flag.session for flag in calling), key=lambda one: one.number),
        kind=kind,
        why=why,
        deferred_by=by,
    )
    deferral.flags.set(calling)
    conclude(episode=episode)
    audit.record(
        LogEvent.DEFERRED,
        deferral,
        by=by,
        client=episode.client_code,
        kind=kind,
        rules=sorted(flag.rule for flag in calling),
    )
    return deferral


def _calling(episode: Episode, named: set[int]) -> list[Flag]:
    return [flag for flag in answered_flags.calling(episode.pk, timezone.now()) if flag.pk in named]


def _decided_before(episode: Episode, named: set[int], kind: str) -> Deferral:
    earlier = Deferral.objects.standing().filter(session__episode=episode, flags__in=named, kind=kind)
    last: Deferral | None = earlier.order_by("deferred_at").last()
    if last is None or (kind == Deferral.Kind.LATER and not _holds(last, episode)):
        raise Refused(NOTHING_CALLS)
    return last


def _holds(deferral: Deferral, episode: Episode) -> bool:
    found = facts.read([episode.pk])[episode.pk]
    return deferral.pk in answered_flags.holding(found, timezone.now())


@transaction.atomic
def undo(*, deferral: Deferral, by: User) -> None:
    """Undo of `defer`, right after it; later the decision is taken back instead."""
    refuse_if_late(deferral.deferred_at, INSTEAD)
    take_back_deferral(deferral=deferral, why=UNDONE, by=by)


@transaction.atomic
def take_back_deferral(*, deferral: Deferral, why: str, by: User) -> Deferral:
    """The flags call for a talk again. Pressed twice, it is taken back once."""
    lock_open_episode(deferral.session.episode_id)
    standing = Deferral.objects.standing().filter(pk=deferral.pk)
    if standing.update(undone_at=timezone.now(), undone_by=by, undone_why=why):
        conclude(episode=deferral.session.episode)
        audit.record(LogEvent.DEFERRAL_UNDONE, deferral, by=by, client=deferral.client_code)
    return deferral
