"""Cover: a colleague sees named clients from a day to a day, and does in those days what their therapist does.

That is: hand over, sessions, talks, marks that were set aside. Not: close, reopen, transfer, change the details or
the days, or let somebody else cover. Of an episode that is over, a cover opens the reading alone.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from clients.lock import lock_episodes, lock_staff
from clients.models import Cover, Episode
from clients.plausible_days import refuse_implausible, said

LONGEST = timedelta(days=184)
CHANGED_MEANWHILE = (
    "One of these clients was closed, transferred or erased meanwhile. Look at the list again."
)


def may_be_covered(user: User) -> "QuerySet[Episode]":
    """The episodes for which this person may arrange a cover.

    A therapist for their own that are open, an administrator for all; a supervisor for those of a supervisee
    that are over, so that somebody can read what ended long ago.
    """
    managed = Episode.objects.managed_by(user)
    open_ones = managed.open()
    if user.is_administrator:
        open_ones = managed
    over = Episode.objects.supervised_by(user).filter(closed_on__isnull=False)
    return Episode.objects.filter(pk__in=open_ones.order_by().values("pk")) | Episode.objects.filter(
        pk__in=over.order_by().values("pk")
    )


@transaction.atomic
def start(
    *, episodes: Collection[Episode], colleague: User, starts_on: date, ends_on: date, by: User
) -> list[Cover]:
    if not episodes:
        raise Refused("No client is chosen, so there is nobody to cover.")
    if colleague == by:
        raise Refused("Nobody opens a client to themselves. Somebody else arranges a cover for you.")
    _refuse_days(starts_on, ends_on)
    stored = lock_staff(colleague).get(colleague.pk)
    if stored is None or not stored.has_any_role(frozenset({Role.THERAPIST})):
        raise Refused(f"{colleague} is not a therapist who may sign in.")
    pks = {episode.pk for episode in episodes}
    lock_episodes(pks)
    stands = may_be_covered(by).filter(pk__in=pks).select_related("client", "therapist").order_by("pk")
    if {episode.pk for episode in stands} != pks:
        refuse_changed()
    together, made = uuid.uuid4(), []
    for episode in stands:
        _refuse_for(episode, colleague, starts_on, ends_on)
        cover = Cover.objects.create(
            made_together=together,
            episode=episode,
            colleague=colleague,
            starts_on=starts_on,
            ends_on=ends_on,
            made_by=by,
        )
        _note(LogEvent.COVER_ARRANGED, cover, by)
        made.append(cover)
    return made


def refuse_changed() -> None:
    raise Refused(CHANGED_MEANWHILE)


def _refuse_days(starts_on: date, ends_on: date) -> None:
    refuse_implausible(starts_on)
    refuse_implausible(ends_on)
    if ends_on < starts_on:
        raise Refused("The last day of a cover cannot lie before its first.")
    if ends_on < timezone.localdate():
        raise Refused("These days are over.")
    if ends_on - starts_on > LONGEST:
        raise Refused("A cover lasts half a year at most. For longer, transfer the clients.")


def _refuse_for(episode: Episode, colleague: User, starts_on: date, ends_on: date) -> None:
    if episode.is_open and episode.therapist_id == colleague.pk:
        raise Refused(f"{episode.client} is with {colleague}, who needs no cover to see them.")
    same = episode.covers.standing().filter(
        colleague=colleague, starts_on__lte=ends_on, ends_on__gte=starts_on
    )
    if there := same.first():
        raise Refused(
            f"{colleague} covers {episode.client} already from {said(there.starts_on)} to {said(there.ends_on)}. "
            "End that cover first."
        )


@transaction.atomic
def end(*, covers: Iterable[Cover], by: User) -> int:
    """End them now, before their last day; how many were still in force or to come. Twice is once."""
    ended = 0
    for cover in covers:
        still = Cover.objects.not_over().filter(pk=cover.pk)
        if still.update(ended_at=timezone.now(), ended_by=by):
            _note(LogEvent.COVER_ENDED, cover, by)
            ended += 1
    return ended


def _note(event: LogEvent, cover: Cover, by: User) -> None:
    audit.record(
        event,
        cover,
        by=by,
        client=cover.client_code,
        therapist=str(cover.colleague_id),
        first=cover.starts_on.isoformat(),
        last=cover.ends_on.isoformat(),
    )


# --- Shown -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrangement:
    """The clients of one therapist whom one colleague covers in the same days, as they were named in one step."""

    covers: list[Cover]

    @property
    def first(self) -> Cover:
        return self.covers[0]

    @property
    def is_today(self) -> bool:
        return self.first.starts_on <= timezone.localdate()


def arrangements(covers: "QuerySet[Cover]") -> list[Arrangement]:
    """Those that are not over, the earliest first; one query."""
    rows = covers.filter(ended_at__isnull=True, ends_on__gte=timezone.localdate())
    rows = rows.select_related("episode__client", "episode__therapist", "colleague", "made_by")
    found: dict[object, list[Cover]] = {}
    for cover in rows.order_by("starts_on", "ends_on", "episode__client__label", "pk"):
        found.setdefault((cover.made_together, cover.episode.therapist_id), []).append(cover)
    return [Arrangement(covers) for covers in found.values()]


def of_episode(episode: Episode) -> "QuerySet[Cover]":
    """Who covers, or will; for the therapist's page."""
    rows: QuerySet[Cover] = episode.covers.not_over()
    return rows.select_related("colleague").order_by("starts_on", "pk")
