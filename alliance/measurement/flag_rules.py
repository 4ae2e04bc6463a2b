"""The flag rules: when they are raised, what they say, what to ask. Totals in whole tenths.

The caller passes one episode: the baseline starts anew with each. Ratings of several series (instrument,
version, edition of the wording) may follow each other in it; all but G look at earlier ratings of the same
series only, G counts any rating.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from alliance.measurement.handbook import RULES, Rule
from alliance.measurement.instruments import Instrument
from alliance.measurement.lasting_fall import is_quiet, lasting_fall
from alliance.measurement.parameters import ALL_RULES, LASTING_FALLS, Parameters
from alliance.measurement.questions import question_for
from alliance.measurement.rule_history import History
from alliance.measurement.sentences import Evidence, EvidenceValue, sentence_for
from alliance.measurement.trends import Answers, CourseSession, decline, lowest_usual, usual_range

__all__ = [
    "ALL_RULES",
    "RULES",
    "STRENGTH",
    "Finding",
    "Parameters",
    "Rule",
    "calls",
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

# What is true of a partial rating however the missing lines were marked: of its most favourable total.
BOUNDED = frozenset("ACJ")

# Strongest first, for triage; what calls for a talk is before what does not. C: of the rules about change the one
# that finds most sudden falls at once. J: finds what lasts. E: few false alarms. D: a slow fall, as sure as E, but
# it can wait a session. A: a level, and the most common. Then what never calls: a gap hides everything else, a
# low line names its topic, a continuing A is known already, flat at the top may simply be good, as may a line
# that the client does not care to mark.
STRENGTH = ("C", "J", "E", "D", "A+", "G", "B", "A", "F", "L")


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule raised at one session.

    evidence: JSON values, tenths; `line` is the item that fell most (or is lowest), where lines are known.
    is_new: the rule was not raised when it last could have been. A continuing A on the work list has woken: it
    has fallen further since it last called for a talk. Of a partial rating evidence has `at_most`, and no total.
    """

    rule: str
    is_new: bool
    on_work_list: bool
    evidence: Mapping[str, EvidenceValue]


# The sessions a rule can speak about, and what it finds.
_Check = tuple[Callable[[CourseSession], bool], Callable[[History, Parameters], Evidence | None]]


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
    history = History(course[0])
    gaps: dict[str, bool] = {}
    gap_checks = _checks(parameters.enabled & OF_ANY_SERIES)
    found = []
    for session, of_session in zip(course, own or [parameters] * len(course), strict=True):
        history.add(session)
        raised = [
            *_raised(history, of_session, history.now.held, _checks(of_session.enabled - OF_ANY_SERIES))
        ]
        history.close(
            called=any(_calls_by_itself(f.rule, f.evidence, of_session) for f in raised if f.rule in "CJ"),
            is_certainly_below=any(f.rule == "A" for f in raised),
        )
        raised += _raised(history, parameters, gaps, gap_checks)
        found.append(tuple(sorted(raised, key=lambda finding: finding.rule)))
    return found


def _raised(
    history: History, p: Parameters, held: dict[str, bool], checks: Sequence[tuple[str, _Check]]
) -> Iterator[Finding]:
    is_partial = history.session.total is None
    for letter, (applies, check) in checks:
        if applies(history.session):
            evidence = check(history, p)
            if evidence is not None:
                is_new = not held.get(
                    letter, history.now.was_certainly_below and letter == "A" and is_partial
                )
                yield Finding(letter, is_new, _calls(letter, evidence, p, is_new=is_new), evidence)
            # A partial rating is nobody's previous.
            if not (is_partial and letter in BOUNDED):
                held[letter] = evidence is not None


def _calls(letter: str, evidence: Mapping[str, EvidenceValue], p: Parameters, *, is_new: bool) -> bool:
    if p.work_list == LASTING_FALLS:
        return "low_start" in evidence if letter == "A" else _calls_by_itself(letter, evidence, p)
    return letter in "CDE" or (letter == "A" and (is_new or "called_at" in evidence))


def _calls_by_itself(letter: str, evidence: Mapping[str, EvidenceValue], p: Parameters) -> bool:
    """Whether a lasting fall, or a sudden one, is a reason to talk of itself."""
    if letter == "J":
        return "quiet" not in evidence
    fall = evidence["fall"] if letter == "C" else 0
    return letter == "C" and isinstance(fall, int) and fall >= p.calls_from_fall


def calls(finding: Finding, parameters: Parameters) -> bool:
    """Whether it would be on the work list of these settings; they may differ from its own in `work_list` only."""
    return _calls(finding.rule, finding.evidence, parameters, is_new=finding.is_new)


def is_work_list(finding: Finding) -> bool:
    """Whether the finding puts the client on the work list (`Parameters.work_list`)."""
    return finding.on_work_list


def strength(finding: Finding) -> int:
    """A sort key for triage: 0 for the strongest kind of finding."""
    calling_level = finding.rule == "A" and finding.on_work_list
    place = STRENGTH.index("A+" if calling_level else finding.rule)
    return place if finding.on_work_list else len(STRENGTH) + place


# --- the rules --------------------------------------------------------------------------------------------


def is_below(total: int, p: Parameters) -> bool:
    if p.cutoff is None:
        return False
    return total <= p.cutoff if p.cutoff_operator == "<=" else total < p.cutoff


def fell_by(previous: int, total: int, fall: int) -> bool:
    """Whether the total fell by at least `fall` (tenths) since the previous one."""
    return previous - total >= fall


def _below_cutoff(history: History, p: Parameters) -> Evidence | None:
    total, now = history.total, history.now
    if total is None or p.cutoff is None or not is_below(total, p):
        return None
    evidence: Evidence = {**history.bound, "cutoff": p.cutoff, "operator": p.cutoff_operator}
    if not history.before and not now.was_certainly_below:
        evidence["low_start"] = 1
    if history.session.total is None:
        return evidence | _line(history, p)
    if not now.held.get("A", False):
        now.level_new_at = now.level_called_at = total
    evidence["fall_since_new"] = now.level_new_at - total
    if fell_by(now.level_called_at, total, p.badge_fall):
        evidence["called_at"] = now.level_called_at
        now.level_called_at = total
    return evidence | _line(history, p)


def _low_line(history: History, p: Parameters) -> Evidence | None:
    answers, total = history.session.answers, history.total
    if p.item_cutoff is None or answers is None:
        return None
    # Where A speaks about the whole, B about a part would only repeat it.
    if total is not None and "A" in p.enabled and is_below(total, p):
        return None
    low = {item: value for item, value in answers.items() if value is not None and value < p.item_cutoff}
    if not low:
        return None
    lowest = [item for item, value in low.items() if value == min(low.values())]
    # Of equal lines none stands apart: the question is then about the whole.
    return {
        **({"line": lowest[0]} if len(lowest) == 1 else {}),
        "lines": list(low),
        "values": list(low.values()),
        "answered": sum(value is not None for value in answers.values()),
        "item_cutoff": p.item_cutoff,
    }


def _sudden_fall(history: History, p: Parameters) -> Evidence | None:
    total, before = history.total, history.before
    if total is None or not before or not fell_by(before[-1], total, p.sudden_fall):
        return None
    evidence: Evidence = {**history.bound, "previous": before[-1], "fall": before[-1] - total}
    return evidence | _line(history, p)


def _lasting_fall(history: History, p: Parameters) -> Evidence | None:
    if history.total is None:
        return None
    totals = [*history.before, history.total]
    found = lasting_fall(totals, p)
    if found is None:
        return None
    evidence: Evidence = {
        "ratings": found.ratings,
        "recent": found.recent,
        "earlier": found.earlier,
        "before": found.before,
    }
    if history.session.total is None:
        evidence |= history.bound
    if is_quiet(totals, history.now.called, p):
        evidence["quiet"] = 1
    # The line that fell since the last rating before those taken together.
    return evidence | _line(history, p, before=found.ratings + 1)


def _decline(history: History, p: Parameters) -> Evidence | None:
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


def _below_own_range(history: History, p: Parameters) -> Evidence | None:
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


def _flat_top(history: History, p: Parameters) -> Evidence | None:
    last = history.totals[-p.flat_top_sessions :]
    if p.flat_top is None or len(last) < p.flat_top_sessions or min(last) < p.flat_top:
        return None
    return {"sessions": len(last), "top": p.flat_top, "lowest": min(last)} | _line(history, p)


def _missing(history: History, p: Parameters) -> Evidence | None:
    last = history.unrated[-p.missing_of :]
    if not last[-1] or sum(last) < p.missing_flag:
        return None
    return {"missing": sum(last), "of": len(last)}


def _left_out_twice(history: History, p: Parameters) -> Evidence | None:
    answers = history.session.answers or {}
    if all(answer is None for answer in answers.values()):
        return None  # the whole form, not a line of it
    lines = [line for line, answer in answers.items() if answer is None and line in history.now.left_out]
    return {"lines": lines, "line": lines[0]} if lines else None


def _line(history: History, p: Parameters, before: int = 2) -> Evidence:
    answers = history.session.answers
    if not p.compare_lines or not answers:
        return {}
    # A partial rating is not among those of the history.
    back = before - 1 if history.session.total is None else before
    earlier = history.answers[-back] if len(history.answers) >= back else None
    line = fallen_line(earlier, answers)
    return {} if line is None else {"line": line}


def _has_total(session: CourseSession) -> bool:
    return session.total is not None


def _has_bound(session: CourseSession) -> bool:
    return session.total is not None or session.at_most is not None


def _has_answers(session: CourseSession) -> bool:
    return session.answers is not None


def _was_attended(session: CourseSession) -> bool:
    return session.attended


_CHECKS: Mapping[str, _Check] = {
    "A": (_has_bound, _below_cutoff),
    "B": (_has_answers, _low_line),
    "C": (_has_bound, _sudden_fall),
    "D": (_has_total, _decline),
    "E": (_has_total, _below_own_range),
    "F": (_has_total, _flat_top),
    "G": (_was_attended, _missing),
    "J": (_has_bound, _lasting_fall),
    "L": (_has_answers, _left_out_twice),
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
