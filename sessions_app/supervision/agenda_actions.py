"""The writes about the agenda of a meeting: made, filled up, put in order, ticked.

Both people of the meeting write in it, so that each write locks the agenda and looks at what stands now. The courses
that come on it are locked before: one may be closed or erased since it was proposed.
"""

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.labels import search_key
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episodes, lock_open_episode, lock_staff
from clients.models import Episode, Supervision
from clients.plausible_days import refuse_implausible, said
from sessions_app.supervision.agendas import Agenda, AgendaItem

NOT_THEIRS = "You do not supervise this therapist today, so there is no meeting to prepare."
IS_OVER = "This meeting is over, so its agenda is only read. Make one for the next meeting."
REMOVED = "This was taken off the agenda meanwhile. Put it back first."
ERASED = "(erased)"


class Proposal(NamedTuple):
    """What an agenda is to hold: a client and why, or words without a client."""

    episode: Episode | None
    why: AgendaItem.Why
    text: str = ""


@transaction.atomic
def make_agenda(*, therapist: User, held_on: date, proposals: Iterable[Proposal], by: User) -> Agenda:
    """The agenda of `by` with this therapist on this day; the one that is there, where one is."""
    lock_staff(by, therapist)
    still_open = _still_open(proposals)
    if not Supervision.objects.today().filter(supervisor=by, therapist=therapist).exists():
        raise Refused(NOT_THEIRS)
    there = Agenda.objects.filter(supervisor=by, therapist=therapist, held_on=held_on).first()
    if there is not None:
        return there
    refuse_implausible(held_on)
    if held_on < timezone.localdate():
        raise Refused(f"{said(held_on)} is over. Choose the day of a meeting to come.")
    agenda = Agenda.objects.create(supervisor=by, therapist=therapist, held_on=held_on)
    _append(agenda, still_open, by)
    _log(LogEvent.AGENDA_MADE, agenda, by)
    return agenda


@transaction.atomic
def fill_agenda(*, agenda: Agenda, proposals: Iterable[Proposal], by: User) -> int:
    """Add at the end what is not on it and was not taken off it; how many came. The order that people made stays."""
    still_open = _still_open(proposals)
    stands = _locked(agenda)
    came = _append(stands, still_open, by)
    if came:
        _log(LogEvent.AGENDA_CHANGED, stands, by)
    return came


@transaction.atomic
def add_item(
    *, agenda: Agenda, text: str, episode: Episode | None = None, form_key: UUID | None = None, by: User
) -> AgendaItem:
    """A line of one's own, of a client or of none. Sent twice by one form, it is added once."""
    if episode:
        lock_open_episode(episode.pk)
    stands = _locked(agenda)
    if form_key and (there := AgendaItem.objects.filter(form_key=form_key, agenda=stands).first()):
        found: AgendaItem = there
        return found
    item: AgendaItem = AgendaItem.objects.create(
        agenda=stands,
        place=_next_place(stands),
        episode=episode,
        why=AgendaItem.Why.ADDED,
        text=text,
        form_key=form_key,
        added_by=by,
    )
    _log(LogEvent.AGENDA_CHANGED, stands, by)
    return item


@transaction.atomic
def move_item(*, item: AgendaItem, up: bool, by: User) -> None:
    """One place up or down among those that stand; the first one stays where it goes up, the last where down."""
    agenda, stands = _locked_item(item)
    order = list(AgendaItem.objects.standing().filter(agenda=agenda))
    place = order.index(stands)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(order):
        return
    order[place], order[other] = order[other], order[place]
    for new, one in enumerate(order):
        one.place = new
    AgendaItem.objects.bulk_update(order, ["place"])
    _log(LogEvent.AGENDA_CHANGED, agenda, by)


@transaction.atomic
def tick_item(*, item: AgendaItem, ticked: bool, by: User) -> None:
    """Talked about, or not after all. The same again is nothing."""
    agenda, stands = _locked_item(item)
    if (stands.ticked_at is not None) != ticked:
        stands.ticked_at, stands.ticked_by = (timezone.now(), by) if ticked else (None, None)
        stands.save(update_fields=["ticked_at", "ticked_by"])
        _log(LogEvent.AGENDA_CHANGED, agenda, by)


@transaction.atomic
def remove_item(*, item: AgendaItem, by: User) -> None:
    """Take it off; it can be put back. The same again is nothing."""
    agenda = _locked(item.agenda)
    removed = AgendaItem.objects.standing().filter(pk=item.pk)
    if removed.update(removed_at=timezone.now(), removed_by=by):
        _log(LogEvent.AGENDA_CHANGED, agenda, by)


@transaction.atomic
def put_back_item(*, item: AgendaItem, by: User) -> None:
    """At the end of the list. The same again is nothing."""
    agenda = _locked(item.agenda)
    removed = AgendaItem.objects.filter(pk=item.pk, removed_at__isnull=False)
    if removed.update(removed_at=None, removed_by=None, place=_next_place(agenda)):
        _log(LogEvent.AGENDA_CHANGED, agenda, by)


def forget(labels: Collection[str]) -> None:
    """Before clients are erased: take the words of lines that name one of them and hang on no client."""
    words = [re.compile(rf"(?<!\w){re.escape(search_key(label))}(?!\w)") for label in labels]
    free = AgendaItem.objects.filter(episode=None).exclude(text="")
    named = [
        pk
        for pk, text in free.order_by().values_list("pk", "text")
        if any(word.search(search_key(str(text))) for word in words)
    ]
    AgendaItem.objects.filter(pk__in=named).update(text=ERASED)


def _locked(agenda: Agenda) -> Agenda:
    """As it stands once nobody else can change it; refused where the meeting is over."""
    stands: Agenda = Agenda.objects.select_for_update().get(pk=agenda.pk)
    if stands.is_over:
        raise Refused(IS_OVER)
    return stands


def _locked_item(item: AgendaItem) -> tuple[Agenda, AgendaItem]:
    agenda = _locked(item.agenda)
    stands: AgendaItem | None = AgendaItem.objects.standing().filter(pk=item.pk).first()
    if stands is None:
        raise Refused(REMOVED)
    return agenda, stands


def _still_open(proposals: Iterable[Proposal]) -> list[Proposal]:
    """Those of no course, and of courses that are open; these are locked."""
    proposed = list(proposals)
    courses = {one.episode.pk for one in proposed if one.episode}
    lock_episodes(courses)
    stand = set(Episode.objects.open().filter(pk__in=courses).order_by().values_list("pk", flat=True))
    return [one for one in proposed if one.episode is None or one.episode.pk in stand]


def _append(agenda: Agenda, proposals: Iterable[Proposal], by: User) -> int:
    known = set(agenda.items.values_list("episode", "text"))
    news = [one for one in proposals if (one.episode.pk if one.episode else None, one.text) not in known]
    first = _next_place(agenda)
    AgendaItem.objects.bulk_create(
        AgendaItem(agenda=agenda, place=place, episode=one.episode, why=one.why, text=one.text, added_by=by)
        for place, one in enumerate(news, start=first)
    )
    return len(news)


def _next_place(agenda: Agenda) -> int:
    last = agenda.items.order_by("-place").values_list("place", flat=True).first()
    return 0 if last is None else last + 1


def _log(event: LogEvent, agenda: Agenda, by: User) -> None:
    """Without the clients: that one stands on an agenda tells whoever reads the log what was found."""
    audit.record(event, agenda, by=by, therapist=str(agenda.therapist_id))
