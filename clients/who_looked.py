"""Who looked at a client and did what, for those who may see the client's course.

It tells of members of staff, never of the client's own acts: those may belong to a course with a colleague.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import TruncDate

from alliance.log_by_client import NamesAny
from alliance.log_events import LOOKS, LogEvent
from alliance.models import AuditEvent, User
from clients import access_log
from clients.access_log import Day
from clients.log_forms import DaysSearch, midnight
from clients.models import Client, Episode, EpisodeQuerySet

PER_PAGE = 50


@dataclass(frozen=True)
class WhoLooked:
    """`own`: (day, how often the reader looked), newest first; these looks are in no page."""

    page: Page  # type: ignore[type-arg]
    days: list[Day]
    own: list[tuple[date, int]]

    @property
    def own_looks(self) -> int:
        return sum(times for _, times in self.own)


def read(episode: Episode, search: DaysSearch, number: str | None, reader: User) -> WhoLooked:
    """In three queries, one more where records were merged, and one for whoever is not the therapist.

    `episode` comes from `with_next`.
    """
    rows = search.found_in(_lines_of(episode))
    is_own_look = Q(actor=reader.pk, action__in=LOOKS)
    counts = _counts(rows, is_own_look)
    # By an expression, as in `LogSearch.found`: by its indexes, not backwards through the log.
    pages: Paginator[Any] = Paginator(rows.exclude(is_own_look).order_by((F("pk") + 0).desc()), PER_PAGE)
    pages.count = sum(others for _, others, _ in counts)
    page = pages.get_page(number)
    lines = access_log.lines_of_one(
        page, episode.client, episode.therapist_id, reads_supervision=_reads_supervision(reader, episode)
    )
    return WhoLooked(
        page, access_log.by_day(lines, by_role=True), [(day, own) for day, _, own in counts if own]
    )


def _reads_supervision(reader: User, episode: Episode) -> bool:
    """A colleague who covers does not."""
    if reader.pk == episode.therapist_id:
        return True
    return Episode.objects.supervised_by(reader).filter(pk=episode.pk).exists()


def with_next(episodes: EpisodeQuerySet) -> EpisodeQuerySet:
    """The episodes with the first day of the same client's next therapist, and the moment that it was written down."""
    opened = AuditEvent.objects.filter(
        client=OuterRef("client__code"), entity_code=OuterRef("code"), action=LogEvent.EPISODE_OPENED
    ).order_by()
    later = (
        Episode.objects.filter(client=OuterRef("client"), opened_on__gte=OuterRef("closed_on"))
        .exclude(therapist=OuterRef("therapist"))
        .order_by("opened_on", "pk")
    )
    return episodes.select_related("client", "therapist").annotate(
        is_merged=Exists(Client.objects.filter(merged_into=OuterRef("client"))),
        next_opened_on=Subquery(later.values("opened_on")[:1]),
        next_written_at=Subquery(
            later.annotate(written_at=Subquery(opened.values("at")[:1])).values("written_at")[:1]
        ),
    )


def _lines_of(episode: Any) -> QuerySet[AuditEvent]:
    """The lines of staff about the client since the episode began, until the client was somebody else's.

    Those about records that were merged into the client's, too: it is one person.
    """
    codes = [episode.client.code]
    if episode.is_merged:
        codes += Client.objects.filter(merged_into=episode.client).values_list("code", flat=True)
    rows = access_log.told().filter(NamesAny(codes), actor__isnull=False)
    rows = rows.filter(at__gte=midnight(episode.opened_on))
    return rows.filter(at__lt=until) if (until := _until(episode)) else rows


def _until(episode: Any) -> datetime | None:
    if episode.next_opened_on is None:
        return None
    end_of_day = midnight(episode.next_opened_on + timedelta(days=1))
    return min(end_of_day, episode.next_written_at or end_of_day)


def _counts(rows: QuerySet[AuditEvent], is_own_look: Q) -> list[tuple[date, int, int]]:
    """(day, lines but one's own looks, one's own looks), newest first."""
    counted = rows.order_by().annotate(day=TruncDate("at")).values("day")
    counted = counted.annotate(others=Count("pk", filter=~is_own_look), own=Count("pk", filter=is_own_look))
    return list(counted.order_by("-day").values_list("day", "others", "own"))
