"""A small course for each rule that raises it: made from the settings, then judged by the rules themselves.

Whether and where the flag is raised is never written here: it is what `flag_rules.findings` says of the course.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from alliance.measurement.flag_rules import Finding, findings
from alliance.measurement.parameters import ALL_RULES, Parameters
from alliance.measurement.trends import CourseSession, lowest_usual

LINES = ("relationship", "goals", "approach", "overall")
# What a client might mark who is content, in tenths below the top of the scale.
_CONTENT = (20, 12, 24, 10, 18, 14)


@dataclass(frozen=True, slots=True)
class Example:
    """A course, and for each of its sessions the finding of one rule, if it is raised there."""

    letter: str
    parameters: Parameters
    sessions: tuple[CourseSession, ...]
    findings: tuple[Finding | None, ...]

    @property
    def finding(self) -> Finding:
        """That of the last session."""
        last = self.findings[-1]
        assert last is not None  # `example` gives no other
        return last

    @property
    def totals(self) -> list[int | None]:
        return [one.total for one in self.sessions]

    @property
    def raised_at(self) -> list[int]:
        """The numbers of the sessions at which the flag is raised."""
        pairs = zip(self.sessions, self.findings, strict=True)
        return [session.number for session, finding in pairs if finding is not None]


def example(letter: str, parameters: Parameters) -> Example | None:
    """A course at whose last session the rule is raised; None where it cannot be under these settings."""
    make = _COURSES.get(letter)
    if make is None or letter not in ALL_RULES:
        return None
    sessions = make(parameters)
    # B is silent where A speaks: an example that shows it must show it beside A.
    beside = frozenset("A") & parameters.enabled if letter == "B" else frozenset()
    alone = replace(parameters, enabled=frozenset(letter) | beside)
    found = tuple(
        next((finding for finding in each if finding.rule == letter), None)
        for each in findings(sessions, alone)
    )
    if not found or found[-1] is None:
        return None
    return Example(letter, alone, tuple(sessions), found)


# --- The courses -----------------------------------------------------------------------------------


def _even(number: int, total: int) -> CourseSession:
    share, rest = divmod(total, len(LINES))
    return CourseSession(
        number, {line: share + (place < rest) for place, line in enumerate(LINES)}, total, overdue=False
    )


def _course(totals: Sequence[int | None], p: Parameters) -> list[CourseSession]:
    held = [None if t is None else min(max(t, p.total_minimum), p.total_maximum) for t in totals]
    return [
        CourseSession(number, None, None, overdue=True) if total is None else _even(number, total)
        for number, total in enumerate(held, start=1)
    ]


def _content(p: Parameters, count: int) -> list[int]:
    return [p.total_maximum - _CONTENT[place % len(_CONTENT)] for place in range(count)]


def _below_cutoff(p: Parameters) -> list[CourseSession]:
    level = p.cutoff or 0
    return _course([level + 18, level + 9, level + 14, level - 12], p) if p.cutoff else []


def _low_line(p: Parameters) -> list[CourseSession]:
    if p.item_cutoff is None:
        return []
    top = p.total_maximum // len(LINES)
    answers = {**dict.fromkeys(LINES, top - 3), "goals": p.item_cutoff - 8}
    return [CourseSession(1, answers, sum(answers.values()))]


def _sudden_fall(p: Parameters) -> list[CourseSession]:
    before = _content(p, 4)
    return _course([*before, before[-1] - p.sudden_fall - 4], p)


def _decline(p: Parameters) -> list[CourseSession]:
    step = p.decline_fall // 3 + 2
    start = p.total_maximum - 14
    return _course([start - 6, start - 2, *(start - place * step for place in range(4))], p)


def _below_own_range(p: Parameters) -> list[CourseSession]:
    before = _content(p, p.own_range_minimum + 3)
    lowest = lowest_usual(before, p)
    return _course([*before, lowest - 12], p) if lowest is not None else []


def _flat_top(p: Parameters) -> list[CourseSession]:
    if p.flat_top is None:
        return []
    return _course([p.flat_top - 14, p.flat_top - 5, *[p.total_maximum] * p.flat_top_sessions], p)


def _missing(p: Parameters) -> list[CourseSession]:
    first, second = _content(p, 2)
    rest = p.missing_of - p.missing_flag
    return _course([first, *[None] * (p.missing_flag - 1), *[second] * rest, None], p)


def _lasting_fall(p: Parameters) -> list[CourseSession]:
    """A slide of 1 point a session: as far as it takes, and no further."""
    start = p.total_maximum - 12
    slide = [start, start - 8, start, start - 6, *(start - 10 * place for place in range(1, 16))]
    alone = replace(p, enabled=frozenset("J"))
    found = findings(_course(slide, p), alone)
    until = next((place for place, each in enumerate(found, start=1) if each), len(slide))
    return _course(slide[:until], p)


def _left_out(p: Parameters) -> list[CourseSession]:
    top = p.total_maximum // len(LINES)
    answers: dict[str, int | None] = {**dict.fromkeys(LINES, top - 3), "goals": None}
    return [CourseSession(number, answers, None) for number in (1, 2)]


_COURSES: Mapping[str, Callable[[Parameters], list[CourseSession]]] = {
    "A": _below_cutoff,
    "B": _low_line,
    "C": _sudden_fall,
    "D": _decline,
    "E": _below_own_range,
    "F": _flat_top,
    "G": _missing,
    "J": _lasting_fall,
    "L": _left_out,
}
