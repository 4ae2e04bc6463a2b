"""What a list says of a client, as one says it aloud to a colleague: level, own words, lowest line, agreement."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from alliance.days import day, near_day
from alliance.measurement import instruments
from alliance.measurement.questions import Way
from alliance.measurement.scoring import points, points_apart
from alliance.measurement.talk_groups import Group
from sessions_app.conversations.asking import Asking
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.instruments import promises

HEADINGS = {item.id: item.label for item in instruments.get(instruments.SESSION_RATING).items}


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """Every part as text; empty where there is nothing to say. Totals have one decimal, as everywhere in lists."""

    now: str  # the last total
    when: str  # of that rating
    usual: str  # the client's own level, or what it is compared with
    words: str
    words_language: str
    words_when: str  # where the sentence is of a later rating than the total
    lowest: str
    agreed: str
    agreed_on: str
    helped: str


def spoken(course: CourseStanding, *, helped: str | None, reads_comments: bool) -> SpokenLine:
    """`helped`: the answer about what was agreed. A sentence the reader may not read is not in it."""
    rated, agreed, words = course.last_rated, course.agreement, course.words
    said = promises.comment_for(words, reads_all=reads_comments) if words is not None else ""
    if not said:
        words = None
    today = timezone.localdate(course.now)
    return SpokenLine(
        now="" if course.last_total is None else points(course.last_total),
        when=near_day(rated.held_at) if rated else "",
        usual=_usual(course),
        words=said,
        words_language=words.language if words else "",
        words_when=near_day(words.received_at) if words and words.total is None else "",
        lowest=_lowest(course),
        agreed=agreed.agreed if agreed else "",
        agreed_on=day(agreed.discussed_at, today=today) if agreed else "",
        helped=FollowUp.Answer(helped).label if helped else "",
    )


def _usual(course: CourseStanding) -> str:
    """The own level in words, with how far the last total is from it."""
    if course.last_total is None:
        return ""
    low = course.low_point
    if course.level is None:
        if low is None or not low.goes_on:
            return ""
        return f"low from the start; back means {points(low.goal)} or higher"
    below = course.level - course.last_total
    said = f"usually {points(course.level)}"
    return f"{said}, {points_apart(below)} lower now" if below > 0 else said


def _lowest(course: CourseStanding) -> str:
    if course.lowest_lines is None:
        return ""
    lines, mark = course.lowest_lines
    named = ", ".join(HEADINGS.get(line, line) for line in lines)
    return f"{named} {points(mark)}"


def question(course: CourseStanding, questions: Asking) -> Sequence[Way]:
    """Ways to ask: those of the first reason that calls; where none does, about the line that is lowest now."""
    if course.calls:
        questions.prepare([course.calls[0]])
        return course.calls[0].ways
    if course.group != Group.STAYS_LOW:
        return ()
    lines = course.lowest_lines[0] if course.lowest_lines else []
    turn = course.episode.pk + (course.last_rated.number if course.last_rated else 0)
    return questions.ways("A", lines[0] if len(lines) == 1 else None, turn=turn)
