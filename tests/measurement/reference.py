"""The rules and ruptures written a second time, slowly and straight from docs/clinical-rules.md, in points and
fractions. Nothing is shared with the code under test but the shape of a course and of the settings."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from statistics import mean, median

from alliance.measurement.parameters import Parameters
from alliance.measurement.trends import CourseSession

Raised = tuple[str, bool, bool]  # letter, new, calls for a talk

T = {
    3: "3.182446", 4: "2.776445", 5: "2.570582", 6: "2.446912", 7: "2.364624", 8: "2.306004", 9: "2.262157",
    10: "2.228139", 11: "2.200985", 12: "2.178813", 13: "2.160369", 14: "2.144787", 15: "2.131450",
}  # fmt: skip


def points(tenths: int) -> Fraction:
    return Fraction(tenths, 10)


# --- flags -------------------------------------------------------------------------------------------------


def raised_at_each(sessions: Sequence[CourseSession], p: Parameters) -> list[list[Raised]]:
    return [raised_at_last(sessions[: index + 1], p) for index in range(len(sessions))]


def raised_at_last(seen: Sequence[CourseSession], p: Parameters) -> list[Raised]:
    now, earlier = seen[-1], seen[:-1]
    same = [s for s in earlier if s.series == now.series]
    raised = []
    for letter in sorted(p.enabled):
        if holds(letter, [*(earlier if letter == "G" else same), now], p):
            could = [i for i, s in enumerate(same) if speaks(letter, s)]
            if letter == "G":
                could = [i for i, s in enumerate(earlier) if speaks(letter, s)]
            before = earlier if letter == "G" else same
            new = not (could and holds(letter, before[: could[-1] + 1], p))
            calls = letter in "CDEH" or (letter == "A" and now.number in level_calls([*same, now], p))
            raised.append((letter, new, calls))
    return raised


def speaks(letter: str, session: CourseSession) -> bool:
    if letter == "B":
        return session.answers is not None
    return session.attended if letter == "G" else session.total is not None


def holds(letter: str, seen: Sequence[CourseSession], p: Parameters) -> bool:
    """Whether the rule is raised at the last of these sessions; all but G get those of one form."""
    now = seen[-1]
    if not speaks(letter, now):
        return False
    x = [points(s.total) for s in seen if s.total is not None]
    if letter == "A":
        return below(now, p)
    if letter == "B":
        return low_line(now, p)
    if letter == "C":
        return len(x) > 1 and x[-2] - x[-1] >= points(p.sudden_fall)
    if letter == "D":
        return declines(x[-5:], 5, -8, p) or declines(x[-4:], 4, -6, p)
    if letter == "E":
        return below_own_range(x[:-1][-p.own_range_window :], x[-1], p)
    if letter == "F":
        last = x[-p.flat_top_sessions :]
        return (
            p.flat_top is not None
            and len(last) == p.flat_top_sessions
            and all(t >= points(p.flat_top) for t in last)
        )
    if letter == "G":
        return (
            missing(now)
            and sum(map(missing, [s for s in seen if s.attended][-p.missing_of :])) >= p.missing_flag
        )
    return drifts(x, p)


def below(session: CourseSession, p: Parameters) -> bool:
    if session.total is None or p.cutoff is None:
        return False
    total, cutoff = points(session.total), points(p.cutoff)
    return total < cutoff or (total == cutoff and p.cutoff_operator == "<=")


def level_calls(form: Sequence[CourseSession], p: Parameters) -> set[int]:
    """The numbers of the sessions at which A calls for a talk, of the ratings on one form."""
    calls, lowest_call, was_below = set(), Fraction(0), False
    for session in form:
        if session.total is None:
            continue
        is_below = below(session, p)
        further = lowest_call - points(session.total) >= points(p.badge_fall)
        if is_below and (not was_below or further):
            calls.add(session.number)
            lowest_call = points(session.total)
        was_below = is_below
    return calls


def low_line(session: CourseSession, p: Parameters) -> bool:
    if p.item_cutoff is None or ("A" in p.enabled and below(session, p)):
        return False
    return any(a is not None and points(a) < points(p.item_cutoff) for a in session.answers.values())


def declines(window: list[Fraction], length: int, limit: int, p: Parameters) -> bool:
    if len(window) < length:
        return False
    s = sum((b > a) - (b < a) for a, b in combinations(window, 2))
    return s <= limit and window[0] - window[-1] >= points(p.decline_fall)


def pooled(earlier: list[Fraction], p: Parameters) -> Fraction:
    """sp² of the usual range."""
    n, m = len(earlier), mean(earlier)
    s2 = sum((total - m) ** 2 for total in earlier) / (n - 1)
    return (p.nu0 * points(p.s0) ** 2 + (n - 1) * s2) / (p.nu0 + n - 1)


def below_own_range(earlier: list[Fraction], now: Fraction, p: Parameters) -> bool:
    n = len(earlier)
    if n < p.own_range_minimum:
        return False
    m, t = mean(earlier), Fraction(T[p.nu0 + n - 1])
    # x < m - t·sp·sqrt(1 + 1/n), squared where both sides are positive: exact.
    return now < m and (m - now) ** 2 > t**2 * pooled(earlier, p) * (1 + Fraction(1, n))


def drifts(x: list[Fraction], p: Parameters) -> bool:
    latest = x[-p.drift_sessions :]
    earlier = x[: -p.drift_sessions][-p.own_range_window :]
    if len(earlier) < p.own_range_minimum:
        return False
    z = m = mean(earlier)
    weight = Fraction(p.drift_weight, 10)
    for total in latest:
        z = weight * total + (1 - weight) * z
    limit = Fraction(p.drift_limit, 10) ** 2 * pooled(earlier, p) * weight / (2 - weight)
    return z < m and (m - z) ** 2 > limit


def missing(session: CourseSession) -> bool:
    return session.total is None and session.overdue


# --- ruptures ----------------------------------------------------------------------------------------------


def ruptures_of(
    sessions: Sequence[CourseSession],
    calls: Sequence[bool],
    talked: set[int],
    closed: bool,
    p: Parameters,
) -> list[tuple]:
    """began, ended, state, before, goal, total, previous, lowest, talked; totals in tenths."""
    found, start = [], 0
    while any(calls[start:]):
        began = calls.index(True, start)
        found.append(rupture_at(began, sessions, calls, talked, closed, p))
        ended = found[-1][1]
        if ended is None:
            break
        start = [s.number for s in sessions].index(ended) + 1
    return found


def rupture_at(
    began: int,
    sessions: Sequence[CourseSession],
    calls: Sequence[bool],
    talked: set[int],
    closed: bool,
    p: Parameters,
) -> tuple:
    first = sessions[began]
    earlier = [s.total for s in sessions[:began] if s.total is not None and s.series == first.series]
    before = median(map(Fraction, earlier)) if earlier else None
    goal = goal_of(first.total, before, p)

    later = [i for i in range(began + 1, len(sessions)) if sessions[i].total is not None]
    other_form = [i for i in later if sessions[i].series != first.series]
    same_form = [i for i in later if not other_form or i < other_form[0]]
    back = [i for i in same_form if sessions[i].total >= goal and not calls[i]]
    if back:
        ended, how = back[0], "recovered"
    elif other_form:
        ended, how = other_form[0] - 1, "unrepaired"
    elif closed:
        ended, how = len(sessions) - 1, "unrepaired"
    else:
        ended, how = None, None

    within = sessions[began:] if ended is None else sessions[began : ended + 1]
    totals = [s.total for s in within if s.total is not None]
    talks = tuple(s.number for s in within if s.number in talked)
    if how is None:
        fell_again = "C" in p.enabled and len(totals) > 1 and totals[-2] - totals[-1] >= p.sudden_fall
        higher = totals[-1] > min(totals) and not fell_again
        how = "recovering" if higher else "discussed" if talks else "open"
    return (
        first.number, None if ended is None else sessions[ended].number, how, before, goal, first.total,
        earlier[-1] if earlier else None, min(totals), talks,
    )  # fmt: skip


def goal_of(total: int, before: Fraction | None, p: Parameters) -> int:
    """The lowest total that counts as back."""
    for goal in range(total + 1, p.total_maximum + 1):
        if before is None:
            there = goal > p.cutoff or (goal == p.cutoff and p.cutoff_operator == "<")
        else:
            there = goal >= before - p.recovered_within
        if there:
            return goal
    return p.total_maximum
