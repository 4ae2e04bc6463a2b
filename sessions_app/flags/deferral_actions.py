"""The writes about what is not talked about now: until the next session, or at all."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.models import User
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.lock import lock_episode
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag, FlagQuerySet

NOTHING_CALLS = "Nothing calls for a talk here any more. It was talked about or decided meanwhile."


@transaction.atomic
def defer(*, episode: Episode, flags: Iterable[Flag], kind: str, why: str, by: User) -> Deferral:
    """Take these flags from the work list without a talk. Pressed twice, it is decided once."""
    lock_episode(episode.pk)
    named = Flag.objects.filter(session__episode=episode, pk__in=[flag.pk for flag in flags])
    calling = _calling(named)
    if not calling:
        return _decided_before(named, kind)
    deferral = Deferral.objects.create(
        session=max((flag.session for flag in calling), key=lambda one: one.number),
        kind=kind,
        why=why,
        deferred_by=by,
    )
    deferral.flags.set(calling)
    audit.record(
        "deferred",
        deferral,
        by=by,
        client=episode.client_code,
        kind=kind,
        rules=sorted(flag.rule for flag in calling),
    )
    return deferral


def _calling(named: FlagQuerySet) -> list[Flag]:
    return list(named.for_work_list().select_related("session"))


def _decided_before(named: FlagQuerySet, kind: str) -> Deferral:
    earlier = Deferral.objects.standing().with_holds(timezone.now()).filter(flags__in=named, kind=kind)
    last = earlier.order_by("deferred_at").last()
    if last is None or (kind == Deferral.Kind.LATER and not last.holds):
        raise Refused(NOTHING_CALLS)
    found: Deferral = last
    return found


@transaction.atomic
def undo(*, deferral: Deferral, by: User) -> None:
    """The flags call for a talk again. Pressed twice, it is undone once."""
    lock_episode(deferral.session.episode_id)
    standing = Deferral.objects.standing().filter(pk=deferral.pk)
    if standing.update(undone_at=timezone.now(), undone_by=by):
        audit.record("deferral undone", deferral, by=by, client=deferral.client_code)
