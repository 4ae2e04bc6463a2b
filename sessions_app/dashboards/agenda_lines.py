"""The agenda of a meeting: what it is made of, and what its page says of each line today."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.talk_groups import Group, place
from alliance.models import User
from clients.models import Episode, EpisodeQuerySet
from sessions_app.dashboards import course_standings, spoken_line
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.dashboards.spoken_line import SpokenLine
from sessions_app.supervision.agenda_actions import Proposal
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion, count_of_open
from sessions_app.supervision.rows import treats
from sessions_app.supervision.talks import SupervisionTalk

Why = AgendaItem.Why
GROUPS = {Group.TALK: Why.TALK, Group.STAYS_LOW: Why.LOW, Group.BACK: Why.BACK}


def courses_of(agenda: Agenda, reader: User) -> EpisodeQuerySet:
    """The courses of the therapist that `reader`, one of the two, may see."""
    rows = treats(reader) if agenda.therapist_id == reader.pk else Episode.objects.supervised_by(reader)
    return rows.filter(therapist=agenda.therapist_id)


# --- What it is made of --------------------------------------------------------------------------


def proposals(supervisor: User, therapist: User, now: datetime) -> list[Proposal]:
    """Who and what is to be talked about: the groups in the order of the caseload, open questions, last time's.

    Each client once, with the first reason there is.
    """
    courses = Episode.objects.supervised_by(supervisor).filter(therapist=therapist).open()
    read = course_standings.read(
        courses.annotate(asked=count_of_open(OuterRef("pk"))),
        now,
        "client__label_key",
        "pk",
        beside=("asked",),
    )
    by_pk = {course.episode.pk: course.episode for course, _ in read}
    in_supervision = [course.in_supervision for course, _ in read]
    last = Agenda.objects.filter(
        supervisor=supervisor, therapist=therapist, held_on__lt=timezone.localdate(now)
    )
    before = last.first()
    found = [
        *_by_group(in_supervision),
        *(Proposal(course.episode, Why.QUESTION) for course, beside in read if beside["asked"]),
        *(Proposal(by_pk[pk], Why.AGREED) for pk in _agreed_last_time(by_pk, before)),
        *_left(before, by_pk),
    ]
    first: dict[tuple[int | None, str], Proposal] = {}
    for one in found:
        first.setdefault((one.episode.pk if one.episode else None, one.text), one)
    return list(first.values())


def _by_group(courses: Iterable[CourseStanding]) -> list[Proposal]:
    ordered = sorted(
        (course for course in courses if course.group in GROUPS),
        key=lambda one: (
            one.group,
            *place(is_soon=False, below=one.below, label=one.episode.client.label),
        ),
    )
    return [Proposal(course.episode, GROUPS[course.group]) for course in ordered]


def _agreed_last_time(by_pk: dict[int, Episode], before: Agenda | None) -> list[int]:
    """The courses about which something was agreed at the last meeting: since its day, or on the last such day."""
    talks = SupervisionTalk.objects.standing().filter(episode__in=list(by_pk))
    day = before.held_on if before else talks.order_by("-held_on").values_list("held_on", flat=True).first()
    if day is None:
        return []
    since = talks.filter(held_on__gte=day).order_by("held_on", "pk")
    return list(dict.fromkeys(since.values_list("episode", flat=True)))


def _left(before: Agenda | None, by_pk: dict[int, Episode]) -> Iterator[Proposal]:
    """What nobody ticked at the last meeting; of a client whose course is over, no more."""
    if before is None:
        return
    for item in before.items.filter(removed_at__isnull=True, ticked_at__isnull=True):
        if item.episode_id is None:
            yield Proposal(None, Why.LEFT, item.text)
        elif item.episode_id in by_pk:
            yield Proposal(by_pk[item.episode_id], Why.LEFT, item.text)


# --- What its page says --------------------------------------------------------------------------


@dataclass(frozen=True)
class AgendaLine:
    """One item as its page shows it. says: of the course today; None where there is none to show."""

    item: AgendaItem
    label: str
    client: UUID | None
    url: str
    says: SpokenLine | None = None
    open: list[SupervisionQuestion] = field(default_factory=list)
    agreed: list[SupervisionTalk] = field(default_factory=list)
    is_first: bool = False
    is_last: bool = False


@dataclass(frozen=True)
class AgendaPage:
    lines: list[AgendaLine]
    removed: list[AgendaLine]

    @property
    def client_codes(self) -> list[UUID]:
        return [line.client for line in (*self.lines, *self.removed) if line.client]

    @property
    def done(self) -> int:
        return sum(line.item.ticked_at is not None for line in self.lines)


def read(agenda: Agenda, reader: User, now: datetime) -> AgendaPage:
    """The page as `reader`, one of the two, sees it; in a fixed number of queries."""
    items = list(agenda.items.select_related("episode__client", "added_by", "ticked_by"))
    beside = _beside(agenda, reader, [item.episode_id for item in items if item.episode_id], now)
    standing = [item for item in items if item.removed_at is None]
    ends = (standing[0], standing[-1]) if standing else (None, None)
    return AgendaPage(
        [replace(beside.line(item), is_first=item is ends[0], is_last=item is ends[1]) for item in standing],
        [beside.line(item) for item in items if item.removed_at is not None],
    )


@dataclass(frozen=True)
class _Beside:
    """What stands beside the items, by episode; of those that the reader may see. page: where a label leads."""

    page: str
    seen: Mapping[int, Episode]
    says: Mapping[int, SpokenLine]
    questions: Mapping[int, list[Any]]
    agreed: Mapping[int, list[Any]]

    def line(self, item: AgendaItem) -> AgendaLine:
        pk = item.episode_id or 0
        episode = self.seen.get(pk)
        return AgendaLine(
            item,
            label=_label(item, episode),
            client=episode.client_code if episode else None,
            url=reverse(self.page, args=[episode.code]) if episode else "",
            says=self.says.get(pk),
            open=self.questions.get(pk, []),
            agreed=_of_last_day(self.agreed.get(pk, [])),
        )


def _beside(agenda: Agenda, reader: User, wanted: list[int], now: datetime) -> _Beside:
    """Of a meeting to come, what the courses say today. Of one that is over, what was agreed on its day: what a course
    says now was not what they talked about.
    """
    seen = {one.pk: one for one in courses_of(agenda, reader).filter(pk__in=wanted).select_related("client")}
    says: dict[int, SpokenLine] = {}
    questions: dict[int, list[Any]] = {}
    if not agenda.is_over:
        standings = course_standings.read(Episode.objects.filter(pk__in=list(seen)).open(), now, "pk")
        is_own = agenda.therapist_id == reader.pk
        courses = [course if is_own else course.in_supervision for course, _ in standings]
        says = {course.episode.pk: _says(course) for course in courses}
        questions = _by_episode(SupervisionQuestion.objects.open().filter(episode__in=list(seen)))
    page = "dashboard:client" if agenda.therapist_id == reader.pk else "caseload:client"
    return _Beside(page, seen, says, questions, _by_episode(_talks(agenda, seen)))


def _says(course: CourseStanding) -> SpokenLine:
    """Its level, and no sentence of the client: the page is printed, and lies on a table."""
    return spoken_line.spoken(course, helped=None, reads_comments=False)


def _label(item: AgendaItem, episode: Episode | None) -> str:
    if episode is not None:
        return str(episode.client.label)
    return "A client whose course you do not see any more" if item.episode_id else ""


def _talks(agenda: Agenda, seen: Mapping[int, Episode]) -> QuerySet[SupervisionTalk]:
    """What was agreed: before the meeting that is to come, or on the day of the one that is over."""
    talks = SupervisionTalk.objects.standing().filter(episode__in=list(seen))
    if agenda.is_over:
        return talks.filter(held_on=agenda.held_on)
    return talks.filter(held_on__lte=agenda.held_on)


def _by_episode(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.episode_id].append(row)
    return found


def _of_last_day(agreed: list[SupervisionTalk]) -> list[SupervisionTalk]:
    """Those of the last day among them."""
    day: date | None = agreed[-1].held_on if agreed else None
    return [talk for talk in agreed if talk.held_on == day]
