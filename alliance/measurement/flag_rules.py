"""The flag rules A to H: when they are raised, what they say, what to ask. Totals in whole tenths.

The caller passes one episode: the baseline starts anew with each. Ratings of several series (instrument,
version, edition of the wording) may follow each other in it; all but G look at earlier ratings of the same
series only, G counts any rating.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from alliance.measurement.handbook import RULES, Rule
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import ALL_RULES, Parameters
from alliance.measurement.questions import question_for
from alliance.measurement.sentences import Evidence, EvidenceValue, sentence_for
from alliance.measurement.trends import Answers, CourseSession, decline, drift, lowest_usual, usual_range

__all__ = [
    "ALL_RULES",
    "RULES",
    "STRENGTH",
    "Finding",
    "Parameters",
    "Rule",
    "fallen_line",
    "fell_by",
    "findings",
    "is_work_list",
    "lowest_line",
    "question",
    "sentence",
    "strength",
]

# A gap is a gap whatever form was used before and after it.
OF_ANY_SERIES = frozenset("G")

# Strongest first, for triage. C: a reliable change, and of the rules about change the one that finds most
# sudden falls. E: the fewest false alarms. D and H: a slow fall, as sure as E, but it can wait a session. A new
# or woken: a level, and the most common. Then what is no work-list matter: a gap hides everything else, a low
# line names its topic, a continuing A is known already, flat at the top may simply be good.
STRENGTH = ("C", "E", "D", "H", "A+", "G", "B", "A", "F")


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule raised at one session.

    evidence: JSON values, tenths; `line` is the item that fell most (or is lowest), where lines are known.
    is_new: the rule was not raised when it last could have been. A continuing A on the work list has woken: it
    has fallen further since it last called for a talk.
    """

    rule: str
    is_new: bool
    on_work_list: bool
    evidence: Mapping[str, EvidenceValue]


@dataclass(slots=True)
class _Series:
    """The complete ratings of one series so far, and which rules the last one raised."""

    totals: list[int] = field(default_factory=list)
    answers: list[Answers | None] = field(default_factory=list)  # of the same ratings
    held: dict[str, bool] = field(default_factory=dict)
    # Of the A now standing: the totals at which it was new, and at which it last called for a talk.
    level_new_at: int = 0
    level_called_at: int = 0


@dataclass(slots=True)
class _History:
    """What the rules may look at: everything up to and including the session now looked at."""

    session: CourseSession
    series: dict[str, _Series] = field(default_factory=dict)
    now: _Series = field(default_factory=_Series)  # that of the session
    unrated: list[bool] = field(default_factory=list)  # attended sessions only, whatever was rated

    def add(self, session: CourseSession) -> None:
        self.session = session
        self.now = self.series.get(session.series) or self.series.setdefault(session.series, _Series())
        if session.total is not None:
            self.totals.append(session.total)
            self.answers.append(session.answers)
        if session.attended:
            self.unrated.append(session.total is None and session.overdue)

    @property
    def totals(self) -> list[int]:
        return self.now.totals

    @property
    def answers(self) -> list[Answers | None]:
        return self.now.answers


# The sessions a rule can speak about, and what it finds.
_Check = tuple[Callable[[CourseSession], bool], Callable[[_History, Parameters], Evidence | None]]


def findings(
    course: Sequence[CourseSession],
    parameters: Parameters,
    own: Sequence[Parameters] | None = None,
) -> list[tuple[Finding, ...]]:
    """The findings of each session of a course, in its order, each tuple by rule letter.

    own: the parameters of each session, in the order of the course (an instrument, and a language, may have
    their own); `parameters` serves rule G, and all where there are none.
    """
    if not course:
        return []
    history = _History(course[0])
    gaps: dict[str, bool] = {}
    gap_checks = _checks(parameters.enabled & OF_ANY_SERIES)
    found = []
    for session, of_session in zip(course, own or [parameters] * len(course), strict=True):
        history.add(session)
        raised = [
            *_raised(history, of_session, history.now.held, _checks(of_session.enabled - OF_ANY_SERIES)),
            *_raised(history, parameters, gaps, gap_checks),
        ]
        found.append(tuple(raised))
    return found


def _raised(
    history: _History, p: Parameters, held: dict[str, bool], checks: Sequence[tuple[str, _Check]]
) -> Iterator[Finding]:
    for letter, (applies, check) in checks:
        if applies(history.session):
            evidence = check(history, p)
            if evidence is not None:
                yield _finding(letter, evidence, is_new=not held.get(letter, False))
            held[letter] = evidence is not None


def _finding(letter: str, evidence: Evidence, *, is_new: bool) -> Finding:
    return Finding(letter, is_new, _calls(letter, evidence, is_new=is_new), evidence)


def _calls(letter: str, evidence: Evidence, *, is_new: bool) -> bool:
    return RULES[letter].calls_for_talk and (letter != "A" or is_new or "called_at" in evidence)


def is_work_list(finding: Finding) -> bool:
    """Whether the finding puts the client on the work list: a new or woken A, C, D, E or H."""
    return finding.on_work_list


def strength(finding: Finding) -> int:
    """A sort key for triage: 0 for the strongest kind of finding."""
    calling_level = finding.rule == "A" and finding.on_work_list
    return STRENGTH.index("A+" if calling_level else finding.rule)


# --- the eight rules ---------------------------------------------------------------------------------------


def _is_below(total: int, p: Parameters) -> bool:
    if p.cutoff is None:
        return False
    return total <= p.cutoff if p.cutoff_operator == "<=" else total < p.cutoff


def fell_by(previous: int, total: int, fall: int) -> bool:
    """Whether the total fell by at least `fall` (tenths) since the previous one."""
    return previous - total >= fall


def _below_cutoff(history: _History, p: Parameters) -> Evidence | None:
    total, now = history.totals[-1], history.now
    if p.cutoff is None or not _is_below(total, p):
        return None
    if not now.held.get("A", False):
        now.level_new_at = now.level_called_at = total
    evidence: Evidence = {
        "total": total,
        "cutoff": p.cutoff,
        "operator": p.cutoff_operator,
        "fall_since_new": now.level_new_at - total,
    }
    if fell_by(now.level_called_at, total, p.badge_fall):
        evidence["called_at"] = now.level_called_at
        now.level_called_at = total
    return evidence | _line(history, p)


def _low_line(history: _History, p: Parameters) -> Evidence | None:
    answers, total = history.session.answers, history.session.total
    if p.item_cutoff is None or answers is None:
        return None
    # Where A speaks about the whole, B about a part would only repeat it.
    if total is not None and "A" in p.enabled and _is_below(total, p):
        return None
    low = {item: value for item, value in answers.items() if value is not None and value < p.item_cutoff}
    if not low:
        return None
    return {
        "line": min(low, key=lambda item: low[item]),
        "lines": list(low),
        "values": list(low.values()),
        "answered": sum(value is not None for value in answers.values()),
        "item_cutoff": p.item_cutoff,
    }


def _sudden_fall(history: _History, p: Parameters) -> Evidence | None:
    if len(history.totals) < 2:
        return None
    previous, total = history.totals[-2:]
    if not fell_by(previous, total, p.sudden_fall):
        return None
    return {"total": total, "previous": previous, "fall": previous - total} | _line(history, p)


def _decline(history: _History, p: Parameters) -> Evidence | None:
    found = decline(history.totals, p.decline_fall)
    if found is None:
        return None
    evidence: Evidence = {
        "window": found.length,
        "s": found.s,
        "first": found.first,
        "last": found.last,
        "fall": found.first - found.last,
    }
    # The line that fell over the whole window: the last step alone may be chance.
    return evidence | _line(history, p, before=found.length)


def _below_own_range(history: _History, p: Parameters) -> Evidence | None:
    total = history.totals[-1]
    earlier = history.totals[-1 - p.own_range_window : -1]
    lowest = lowest_usual(earlier, p)
    if lowest is None or total >= lowest:
        return None
    usual = usual_range(earlier, p)
    assert usual is not None  # lowest_usual has seen that there are enough
    evidence: Evidence = {
        "total": total,
        "lower": usual.lowest,
        "upper": usual.highest,
        "earlier": usual.earlier,
    }
    return evidence | _line(history, p)


def _slow_drift(history: _History, p: Parameters) -> Evidence | None:
    found = drift(history.totals, p)
    if found is None:
        return None
    evidence: Evidence = {
        "latest": found.latest,
        "recent": found.recent,
        "earlier": found.earlier,
        "before": found.before,
    }
    # The line that fell since the last rating before the drift was looked for.
    return evidence | _line(history, p, before=found.latest + 1)


def _flat_top(history: _History, p: Parameters) -> Evidence | None:
    last = history.totals[-p.flat_top_sessions :]
    if p.flat_top is None or len(last) < p.flat_top_sessions or min(last) < p.flat_top:
        return None
    return {"sessions": len(last), "top": p.flat_top, "lowest": min(last)} | _line(history, p)


def _missing(history: _History, p: Parameters) -> Evidence | None:
    last = history.unrated[-p.missing_of :]
    if not last[-1] or sum(last) < p.missing_flag:
        return None
    return {"missing": sum(last), "of": len(last)}


def _line(history: _History, p: Parameters, before: int = 2) -> Evidence:
    answers = history.answers[-1]
    if not p.compare_lines or not answers:
        return {}
    earlier = history.answers[-before] if len(history.answers) >= before else None
    line = fallen_line(earlier, answers)
    return {} if line is None else {"line": line}


def _has_total(session: CourseSession) -> bool:
    return session.total is not None


def _has_answers(session: CourseSession) -> bool:
    return session.answers is not None


def _was_attended(session: CourseSession) -> bool:
    return session.attended


_CHECKS: Mapping[str, _Check] = {
    "A": (_has_total, _below_cutoff),
    "B": (_has_answers, _low_line),
    "C": (_has_total, _sudden_fall),
    "D": (_has_total, _decline),
    "E": (_has_total, _below_own_range),
    "F": (_has_total, _flat_top),
    "G": (_was_attended, _missing),
    "H": (_has_total, _slow_drift),
}


@cache
def _checks(letters: frozenset[str]) -> tuple[tuple[str, _Check], ...]:
    return tuple((letter, check) for letter, check in _CHECKS.items() if letter in letters)


# --- which line --------------------------------------------------------------------------------------------


def lowest_line(answers: Answers) -> str | None:
    """The item with the lowest answer, the first of equals; None where nothing is answered."""
    known = {item: value for item, value in answers.items() if value is not None}
    return min(known, key=lambda item: known[item], default=None)


def fallen_line(previous_answers: Answers | None, answers: Answers) -> str | None:
    """The item that fell most since the previous answers (of equals the lower); the lowest if none fell."""
    falls = {}
    for item, value in answers.items():
        before = (previous_answers or {}).get(item)
        if value is not None and before is not None and before > value:
            falls[item] = (before - value, -value)
    return max(falls, key=lambda item: falls[item]) if falls else lowest_line(answers)


# --- what to say -------------------------------------------------------------------------------------------


def sentence(finding: Finding, instrument: Instrument, *, today: bool = True) -> str:
    """The finding in one or two sentences for the therapist; never shown to clients.

    `today` False: it is read on a later day, and must not speak of today, nor of the time before as the last.
    """
    said = sentence_for(finding.rule, finding.evidence, instrument)
    if today:
        return said
    return said.replace("Today's total", "The total").replace("than last time", "than the rating before")


def question(finding: Finding | str, item_id: str | None = None) -> str:
    """A question to ask, for a finding (on its own line, unless one is given) or a rule letter."""
    if isinstance(finding, str):
        return question_for(finding, item_id)
    line = finding.evidence.get("line")
    return question_for(finding.rule, item_id or (line if isinstance(line, str) else None))
