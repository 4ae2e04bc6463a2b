"""One table of all clients on the work list: today's sessions, what waits, everyone; one way to hand over for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from alliance.measurement.talk_groups import Group
from sessions_app.dashboards.session_lines import SessionLine

if TYPE_CHECKING:
    from sessions_app.dashboards.work_list import Row

IN_WORDS = {
    Group.TALK: "to talk about",
    Group.STAYS_LOW: "stays low",
    Group.BACK: "back without a talk",
    Group.TALKED_TODAY: "talked about today",
    Group.PUT_OFF: "put off",
}
# More than these are shown where they are asked for: the groups and today's sessions stand there at once.
SHOWN_AT_ONCE = 40


class Show(StrEnum):
    """Which clients the table shows."""

    TODAY = "today"
    EVERYONE = "everyone"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class TableRow:
    """One client, with today's sessions and those of the last days that wait for something."""

    row: Row
    today: list[SessionLine] = field(default_factory=list)
    waiting: list[SessionLine] = field(default_factory=list)
    is_first: bool = False  # its button is the one of the page that is filled

    @property
    def to_hand_over(self) -> SessionLine | None:
        """Today's session whose form can go out now."""
        return next((line for line in self.today if line.can_be_handed_over), None)

    @property
    def group(self) -> str:
        """In which group this client stands above, in words; else that the last rating was talked about."""
        course = self.row.course
        waits = "talked about, next rating to come" if course.is_talked_about else ""
        return IN_WORDS.get(course.group, waits)

    @property
    def drawn(self) -> SafeString:
        if self.today or self.waiting:
            return render_to_string("dashboard/_client_row.html", {"row": self})
        return self.row.as_other


@dataclass(frozen=True)
class ClientTable:
    show: Show
    rows: list[TableRow]
    counts: dict[Show, int]

    @property
    def filters(self) -> list[tuple[Show, str, int, bool]]:
        """value, word, how many, whether it is the one that is shown."""
        return [(one, one.value.capitalize(), self.counts[one], one == self.show) for one in Show]


def chosen(asked: str, *, clients: int) -> Show:
    """What a link asked for; else everyone, today's first, and of a long list today's alone."""
    if asked in set(Show):
        return Show(asked)
    return Show.TODAY if clients > SHOWN_AT_ONCE else Show.EVERYONE


def of(
    rows: Sequence[Row], today: Sequence[SessionLine], waiting: Sequence[SessionLine], show: Show
) -> ClientTable:
    """rows: by the labels. Today's come in the order of their time, the others in that of the labels."""
    of_today, of_before = _by_episode(today), _by_episode(waiting)
    by_episode = {row.episode.pk: row for row in rows}
    lists = {
        Show.TODAY: [by_episode[pk] for pk in of_today],
        Show.OVERDUE: [by_episode[pk] for pk in of_before],
        Show.EVERYONE: [
            *(by_episode[pk] for pk in of_today),
            *(row for row in rows if row.episode.pk not in of_today),
        ],
    }
    is_taken = any(row.flags for row in rows)
    shown = []
    for row in lists[show]:
        one = TableRow(row, of_today.get(row.episode.pk, []), of_before.get(row.episode.pk, []))
        is_first = not is_taken and one.to_hand_over is not None
        is_taken = is_taken or is_first
        shown.append(replace(one, is_first=is_first))
    return ClientTable(show, shown, {which: len(found) for which, found in lists.items()})


def _by_episode(lines: Sequence[SessionLine]) -> dict[int, list[SessionLine]]:
    found: dict[int, list[SessionLine]] = defaultdict(list)
    for line in lines:
        found[line.episode.pk].append(line)
    return dict(found)
