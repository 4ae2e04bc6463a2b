"""How many low points and rows of the table fit, with all that stands before them, on the two pages of a print.

An estimate of static/dashboard/chart.css on A4, in its pixels, on the side of too few: tests print wordy courses. What
is left off the paper is in the picture, and on the page of the screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from sessions_app.conversations.story import Chapter

if TYPE_CHECKING:
    from sessions_app.dashboards.client_page import ClientPage, SessionRow
    from sessions_app.dashboards.to_talk_about import Talk

PAGE, PAGES = 1028, 2
SPARE = 100  # for breaks between rows, and words that are wider than others
HEAD, PICTURE, LAST_TIME, SET_ASIDE, SUPERVISION, CHAPTER, TABLE = 70, 450, 50, 270, 60, 32, 80
MARKS, REASON = 120, 70
LINE, ROW = 16, 16.5
ACROSS, IN_ROW = 95, 44  # letters in a line of the page, and of the last column


class OnPaper(NamedTuple):
    """How many of the low points, and of the rows, that the page shows at once; from the newest on."""

    chapters: int
    rows: int


def that_fits(page: ClientPage) -> OnPaper:
    left = PAGE * PAGES - SPARE - _up_to_the_picture(page) - _supervision(page) - TABLE
    left -= 5 * LINE if page.story else 0
    chapters, left = _taken(map(_chapter, page.late_chapters), left)
    rows, _ = _taken((ROW * _lines(_words(row), IN_ROW) for row in page.late_rows), left)
    return OnPaper(chapters, rows)


def _taken(heights: Iterable[float], left: float) -> tuple[int, float]:
    """How many fit one after the other, and the room that is left then."""
    count = 0
    for height in heights:
        if height > left:
            break
        count, left = count + 1, left - height
    return count, left


def _up_to_the_picture(page: ClientPage) -> float:
    above = HEAD + SET_ASIDE * len(page.to_settle) + _last_time(page) + _open_questions(page)
    # Of the talks only the first is on paper: the others are folded.
    above += _talk(page.talks[0]) if page.talks else 0
    # The picture is never cut by the end of a page.
    return (above if above % PAGE + PICTURE <= PAGE else PAGE * ceil(above / PAGE)) + PICTURE


def _last_time(page: ClientPage) -> float:
    last = page.last_time
    return LAST_TIME + LINE * _lines(len(last.talk.said + last.talk.agreed), ACROSS) if last else 0


def _open_questions(page: ClientPage) -> float:
    lines = [one.row for one in page.supervision.open]
    return sum(LINE * 2 + LINE * _lines(len(one.words), ACROSS) for one in lines) + (
        LAST_TIME if lines else 0
    )


def _supervision(page: ClientPage) -> float:
    told = page.supervision
    words = [one.row.agreed for one in told.talks] + [one.row.words + one.row.answer for one in told.answered]
    return SUPERVISION + sum(LINE + LINE * _lines(len(text), ACROSS) for text in words) if words else 0


def _talk(talk: Talk) -> float:
    texts = [*(words.text for words in talk.words), *(flag.sentence + flag.word for flag in talk.others)]
    reason = REASON + LINE * 4 if talk.strongest or talk.low_point else 0
    return MARKS + reason + sum(LINE * _lines(len(text), ACROSS - 20) for text in texts)


def _chapter(chapter: Chapter) -> float:
    texts = [one.text + one.agreed for one in chapter.moments]
    texts += [f"{one.discussion.said} {one.discussion.agreed}" for one in chapter.moments if one.discussion]
    texts += [one.comment for one in chapter.moments if one.comment]
    texts += [text for text in (chapter.outcome, chapter.sign) if text]
    return CHAPTER + sum(LINE * _lines(len(text) + 20, ACROSS) for text in texts if text)


def _words(row: SessionRow) -> int:
    """How many letters stand in the last column."""
    texts = [*(flag.word for flag in row.flags), *(text for _, text in row.repairs), row.comment]
    letters = sum(len(text) + 5 for text in texts if text)
    notes = [*row.discussions, *row.talks_taken_back]
    letters += sum(len(one.said) + len(one.agreed) + 45 for one in notes)
    letters += sum(len(earlier.said) + len(earlier.agreed) + 70 for one in notes for earlier in one.earlier)
    letters += sum(len(one.why) + 80 for one in (*row.deferrals, *row.deferrals_taken_back))
    beside = row.beside
    return (
        letters
        + 220 * (len(beside.earlier) + len(beside.settled) + len(beside.misfiled))
        + 20 * bool(beside.to_settle)
    )


def _lines(letters: int, in_a_line: int) -> int:
    return max(1, ceil(letters / in_a_line))
