"""What the pages say on which an episode ends: what is still out, what becomes of it, and who sees what comes later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from alliance.models import User
from clients.closing import OpenReasons, StillOut, courses
from clients.earlier_courses import whom_to_ask
from clients.models import READABLE_FOR, Ending, Episode, EpisodeClosing

OFFERED = "offered_day"


@dataclass(frozen=True)
class Ends:
    """One episode on such a page. reasons: None where the reader may not know."""

    episode: Episode
    out: StillOut
    reasons: OpenReasons | None
    ask: tuple[User, ...]

    @property
    def accepted_until(self) -> str:
        return _moment(self.out.accepted_until)


@dataclass(frozen=True)
class EndingPage:
    """day: the last day that is asked about. offered: the day on which all of them could end, where they cannot."""

    day: date
    rows: list[Ends]
    offered: date | None
    readable_days: int = READABLE_FOR.days

    @property
    def only(self) -> Ends:
        return self.rows[0]


def read(episodes: Sequence[Episode], form: forms.Form, field: str, reader: User) -> EndingPage:
    """In a fixed number of queries; what is clinical for the therapist of a single episode alone."""
    day = form.cleaned_data.get(field) if form.is_bound else None
    day = day or timezone.localdate()
    out = courses().still_out({episode.pk: day for episode in episodes})
    ask = whom_to_ask(episodes)
    rows = [
        Ends(episode, out[episode.pk], _reasons(episode, reader, alone=len(episodes) == 1), ask[episode.pk])
        for episode in episodes
    ]
    last = [row.out.last_held for row in rows if row.out.held_after and row.out.last_held]
    return EndingPage(day, rows, max(last, default=None))


def _reasons(episode: Episode, reader: User, *, alone: bool) -> OpenReasons | None:
    may_know = alone and reader.is_therapist and episode.therapist_id == reader.pk
    return courses().open_reasons(episode.pk) if may_know else None


def with_offered_day(data: QueryDict | None, field: str) -> QueryDict | None:
    """The form as it was sent; where the person pressed the day that was offered, with that day."""
    if data is None or OFFERED not in data:
        return data
    changed = data.copy()
    changed[field] = str(data[OFFERED])
    return changed


def became(episode: Episode) -> list[str]:
    """What became of what was still out, as sentences, once the episode is closed."""
    closing = EpisodeClosing.objects.filter(episode=episode, undone_at__isnull=True).first()
    return sentences(closing, episode) if closing else []


def sentences(closing: EpisodeClosing, episode: Episode) -> list[str]:
    said = []
    if cancelled := len(closing.cancelled):
        said.append(f"{_counted(cancelled, 'planned session')} cancelled.")
    if closing.forms_taken_back:
        said.append(f"{_counted(closing.forms_taken_back, 'form')} that nobody had opened taken back.")
    if closing.forms_left_out:
        said.append(
            f"{_counted(closing.forms_left_out, 'form')} still out: marks count until "
            f"{_moment(closing.accepted_until)}. {_seen_by(episode)}"
        )
    return said


def _seen_by(episode: Episode) -> str:
    people = whom_to_ask([episode])[episode.pk]
    therapist = [person for person in people if person.pk == episode.therapist_id]
    # The supervisor is told where the therapist went on from the client (`late_marks`).
    named = people if episode.ending == Ending.TRANSFERRED or not therapist else therapist
    if not named:
        return "Nobody who may see them is there: name a supervisor for the former therapist."
    return f"{' and '.join(str(person) for person in named)} will be told when they arrive."


def _counted(count: int, thing: str) -> str:
    return f"1 {thing} is" if count == 1 else f"{count} {thing}s are"


def _moment(at: Any) -> str:
    return date_format(timezone.localtime(at), "j F Y, H:i") if at else ""
