"""The figures of the work list on courses of real people, from a file as `score_file` reads it.

Found and by chance: nobody knows where something happened, so a change is put into every course at every place
where there is room for it, and taken out again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from statistics import median, median_low

from alliance.measurement.flag_rules import findings
from alliance.measurement.parameters import Parameters
from alliance.measurement.repairs import BACK_WITHIN
from alliance.measurement.scored_file import Row
from alliance.measurement.trends import Answers, CourseSession
from alliance.measurement.work_list_figures import (
    CHANGES,
    LISTED,
    LISTS,
    Found,
    ListFigures,
    Window,
    talked_about,
)

BEFORE = 4  # complete ratings that a change needs before it, to be one


@dataclass(frozen=True, slots=True)
class FileFigures:
    """courses: with a complete rating. falls: share of steps of 4.0 or more; back: share of those with three
    ratings after them of which one is within one point of the client's median."""

    courses: int
    rated: int
    partial: int
    falls: float
    back: float
    lists: Mapping[str, ListFigures]


def file_figures(rows: Iterable[Row], lists: Mapping[str, Parameters] | None = None) -> FileFigures:
    """The figures of the courses of a file."""
    courses = list(_courses(rows))
    totals = [[one.total for one in course if one.total is not None] for course in courses]
    steps, falls, followed, back = _falls(totals)
    return FileFigures(
        courses=sum(bool(of_one) for of_one in totals),
        rated=sum(map(len, totals)),
        partial=sum(one.at_most is not None for course in courses for one in course),
        falls=falls / max(1, steps),
        back=back / max(1, followed),
        lists={name: _figures(courses, p) for name, p in (lists or LISTS).items()},
    )


def _courses(rows: Iterable[Row]) -> Iterator[list[CourseSession]]:
    by_name: dict[str, list[CourseSession]] = defaultdict(list)
    for row in rows:
        by_name[row.course].append(row.session)
    for sessions in by_name.values():
        # A session without any mark is nothing that the list could call at.
        yield sorted((one for one in sessions if one.answers is not None), key=lambda one: one.number)


def _falls(courses: Iterable[Sequence[int]]) -> tuple[int, int, int, int]:
    """Steps, falls among them, those of which three later ratings are known, and those that were back within these."""
    p = Parameters()
    steps = falls = followed = back = 0
    for totals in courses:
        for place, (before, now) in enumerate(pairwise(totals), start=1):
            after = totals[place + 1 :][:BACK_WITHIN]
            steps += 1
            if before - now < p.sudden_fall:
                continue
            falls += 1
            if len(after) == BACK_WITHIN:
                followed += 1
                level = median(map(Fraction, totals[:place]))
                back += any(total >= level - p.recovered_within for total in after)
    return steps, falls, followed, back


# --- the list ----------------------------------------------------------------------------------------------


def _figures(courses: Sequence[Sequence[CourseSession]], p: Parameters) -> ListFigures:
    called = [_called(course, p) for course in courses]
    complete = [
        [calls for session, calls in zip(course, of_one, strict=True) if session.total is not None]
        for course, of_one in zip(courses, called, strict=True)
    ]
    sessions, calls = sum(map(len, complete)), sum(map(sum, complete))
    first = [of_one[0] for of_one in complete if of_one]
    later = max(1, sessions - len(first))
    return ListFigures(
        100 * calls / max(1, sessions),
        100 * (calls - sum(first)) / later,
        {
            name: _found(courses, called, p, window, _falling(name, window.sessions))
            for name, window in CHANGES.items()
        },
    )


def _called(course: Sequence[CourseSession], p: Parameters) -> list[bool]:
    rules = replace(p, enabled=p.enabled & LISTED, compare_lines=False)
    return talked_about(course, findings(course, rules), [p] * len(course))


def _falling(name: str, sessions: int) -> list[int]:
    """By how many tenths each session of the window is lower."""
    window = CHANGES[name]
    return [round(-10 * window.event.shift(window.first + place)) for place in range(sessions)]


def _found(
    courses: Sequence[Sequence[CourseSession]],
    called: Sequence[Sequence[bool]],
    p: Parameters,
    window: Window,
    falls: Sequence[int],
) -> Found:
    places = found = by_chance = 0
    delays = []
    for course, as_it_was in zip(courses, called, strict=True):
        rated = [place for place, one in enumerate(course) if one.total is not None]
        for start in range(BEFORE, len(rated) - window.sessions + 1):
            within = rated[start : start + window.sessions]
            changed = list(course)
            for place, fall in zip(within, falls, strict=True):
                changed[place] = _lower(course[place], fall)
            now = _called(changed[: within[-1] + 1], p)
            places += 1
            by_chance += any(as_it_was[place] for place in within)
            first = next((order for order, place in enumerate(within, start=1) if now[place]), None)
            found += first is not None
            delays += [first] if first else []
    return Found(found / max(1, places), by_chance / max(1, places), median_low(delays) if delays else None)


def _lower(session: CourseSession, fall: int) -> CourseSession:
    """The same, a quarter of the fall lower on each line, none below nothing."""
    answers: Answers = session.answers or {}
    share, rest = divmod(fall, max(1, len(answers)))
    lower = {
        line: None if mark is None else max(0, mark - share - (place < rest))
        for place, (line, mark) in enumerate(answers.items())
    }
    return replace(session, answers=lower, total=sum(mark or 0 for mark in lower.values()))
