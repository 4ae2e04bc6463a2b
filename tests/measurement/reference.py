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
        form = [*(earlier if letter == "G" else same), now]
        if holds(letter, form, p):
            raised.append((letter, is_new(letter, form, p), is_on_list(letter, form, p)))
    return raised


def is_new(letter: str, form: Sequence[CourseSession], p: Parameters) -> bool:
    before = form[:-1]
    if letter in "ACJ":  # a partial rating is nobody's previous
        could = [i for i, s in enumerate(before) if s.total is not None]
        if letter == "A" and not could and form[-1].total is None:
            return not any(holds("A", before[: i + 1], p) for i in range(len(before)))
    else:
        could = [i for i, s in enumerate(before) if speaks(letter, s)]
    return not (could and holds(letter, before[: could[-1] + 1], p))


def is_on_list(letter: str, form: Sequence[CourseSession], p: Parameters) -> bool:
    before = form[:-1]
    if p.work_list == "any change":
        wakes = form[-1].number in level_calls(form, p)
        new = form[-1].total is None and is_new("A", form, p)
        return letter in "CDE" or (letter == "A" and (wakes or new))
    if letter == "A":
        complete = any(s.total is not None for s in before)
        certain = any(s.total is None and below(s, p) for s in before)
        return not complete and not certain
    if letter == "C":
        x = [highest(s) for s in before if s.total is not None]
        return x[-1] - highest(form[-1]) >= points(p.calls_from_fall)
    return letter == "J" and lasting_calls(form, p)


def highest(session: CourseSession) -> Fraction | None:
    """The total, or of a partial rating what it would be with 10.0 for each missing line."""
    if session.total is not None:
        return points(session.total)
    answered = [a for a in (session.answers or {}).values() if a is not None]
    missing = len(session.answers or {}) - len(answered)
    return points(sum(answered)) + 10 * missing if answered else None


def speaks(letter: str, session: CourseSession) -> bool:
    if letter in "BL":
        return session.answers is not None
    if letter in "ACJ":
        return highest(session) is not None
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
    if letter == "L":
        return left_out_twice(seen)
    if letter in "CJ":
        before = [points(s.total) for s in seen[:-1] if s.total is not None]
        if letter == "J":
            return lasts([*before, highest(now)], p)
        return bool(before) and before[-1] - highest(now) >= points(p.sudden_fall)
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
    return (
        missing(now) and sum(map(missing, [s for s in seen if s.attended][-p.missing_of :])) >= p.missing_flag
    )


def below(session: CourseSession, p: Parameters) -> bool:
    total = highest(session)
    if total is None or p.cutoff is None or "A" not in p.enabled:
        return False
    return total < points(p.cutoff) or (total == points(p.cutoff) and p.cutoff_operator == "<=")


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
    if p.item_cutoff is None or below(session, p):
        return False
    return any(a is not None and points(a) < points(p.item_cutoff) for a in session.answers.values())


def declines(window: list[Fraction], length: int, limit: int, p: Parameters) -> bool:
    if len(window) < length:
        return False
    s = sum((b > a) - (b < a) for a, b in combinations(window, 2))
    return s <= limit and window[0] - window[-1] >= points(p.decline_fall)


def as_held(earlier: list[Fraction], p: Parameters) -> list[Fraction]:
    """None lower than so much below their median."""
    return [max(total, median(earlier) - points(p.hold_within)) for total in earlier]


def pooled(held: list[Fraction], p: Parameters) -> Fraction:
    """sp² of the usual range."""
    n, m = len(held), mean(held)
    return (p.nu0 * points(p.s0) ** 2 + sum((total - m) ** 2 for total in held)) / (p.nu0 + n - 1)


def below_own_range(earlier: list[Fraction], now: Fraction, p: Parameters) -> bool:
    n = len(earlier)
    if n < p.own_range_minimum:
        return False
    earlier = as_held(earlier, p)
    m, t = mean(earlier), Fraction(T[p.nu0 + n - 1])
    # x < m - t·sp·sqrt(1 + 1/n), squared where both sides are positive: exact.
    return now < m and (m - now) ** 2 > t**2 * pooled(earlier, p) * (1 + Fraction(1, n))


def lasts(x: list[Fraction], p: Parameters) -> bool:
    """Rule J at the last of these totals."""
    t = len(x)
    if t < 3:
        return False
    k = 2 if t == 3 else 3
    y = Fraction(sum((i + 1) * total for i, total in enumerate(x[-k:]))) / (3 if k == 2 else 6)
    q = Fraction(5, 9) if k == 2 else Fraction(7, 18)
    earlier = as_held(x[:-k][-min(p.own_range_window, t - k) :], p)
    n, m = len(earlier), mean(earlier)
    if p.nu0 + n - 1 == 0:
        return False
    c = {3: Fraction(15, 6), 4: Fraction(12, 6), 5: Fraction(8, 6)}.get(t, 1) * Fraction(p.lasting_limit, 100)
    far = m - y
    return far >= points(p.lasting_fall) and far**2 > c**2 * pooled(earlier, p) * (Fraction(1, n) + q)


def lasting_calls(form: Sequence[CourseSession], p: Parameters) -> bool:
    """Whether J calls at the last of these sessions, at which it is raised."""
    earlier = [(i, s) for i, s in enumerate(form[:-1]) if s.total is not None]
    x = [points(s.total) for _, s in earlier]
    now = highest(form[-1])
    for place in range(max(0, len(x) - 4), len(x)):
        upto = form[: earlier[place][0] + 1]
        fell = place > 0 and x[place - 1] - x[place] >= max(points(p.calls_from_fall), points(p.sudden_fall))
        by_fall = fell and "C" in p.enabled
        called = by_fall or (lasts(x[: place + 1], p) and "J" in p.enabled and lasting_calls(upto, p))
        rose = any(between >= x[place] + points(p.quiet_rise) for between in x[place + 1 :])
        if called and x[place] - now < points(p.badge_fall) and not rose:
            return False
    return True


def left_out_twice(form: Sequence[CourseSession]) -> bool:
    answered = [s.answers for s in form if any(a is not None for a in (s.answers or {}).values())]
    if not answered or answered[-1] is not form[-1].answers or len(answered) < 2:
        return False
    return any(answered[-1][line] is None and answered[-2][line] is None for line in answered[-1])


def missing(session: CourseSession) -> bool:
    return session.total is None and session.overdue


# --- low points --------------------------------------------------------------------------------------------


def ruptures_of(
    sessions: Sequence[CourseSession],
    raised: Sequence[Sequence[Raised]],
    talked: set[int],
    closed: bool,
    p: Parameters,
) -> list[tuple]:
    """Each low point, as `repairs.Rupture` has its fields but for the rules."""
    found, place = [], 0
    while place < len(sessions):
        if opens(place, sessions, raised, p):
            told, following = low_point(place, sessions, raised, talked, closed, p)
            found.append(told)
            if following is None:
                break
            place = following
        else:
            place += 1
    return found


def same_form(place: int, sessions: Sequence[CourseSession]) -> list[int]:
    """Totals of the earlier complete ratings on the form of this session."""
    return [s.total for s in sessions[:place] if s.total is not None and s.series == sessions[place].series]


def opens(
    place: int, sessions: Sequence[CourseSession], raised: Sequence[Sequence[Raised]], p: Parameters
) -> bool:
    """Whether a low point begins here, where none is going on."""
    if sessions[place].total is None:
        return False
    if calling(place, sessions, raised, p):
        return True
    return not same_form(place, sessions) and any(letter == "A" for letter, _, _ in raised[place])


def calling(
    place: int, sessions: Sequence[CourseSession], raised: Sequence[Sequence[Raised]], p: Parameters
) -> list[str]:
    """The rules that call here; not J where the rating is near the median of those before."""
    earlier = same_form(place, sessions)
    near = bool(earlier) and sessions[place].total >= median(map(Fraction, earlier)) - p.recovered_within
    return [letter for letter, _, calls in raised[place] if calls and not (letter == "J" and near)]


def low_point(
    began: int,
    sessions: Sequence[CourseSession],
    raised: Sequence[Sequence[Raised]],
    talked: set[int],
    closed: bool,
    p: Parameters,
) -> tuple[tuple, int | None]:
    """The low point that begins there, and from where to look for the next; None where it goes on."""
    first, earlier = sessions[began], same_form(began, sessions)
    later = [i for i in range(began + 1, len(sessions)) if sessions[i].total is not None]
    within: list[int] = []
    quiet: dict[int, bool] = {}
    ended = how = following = None
    for i in later:
        if sessions[i].series != first.series:
            ended, how, following = i - 1, "unrepaired", i
            break
        here = calling(i, sessions, raised, p)
        if "C" in here or "J" in here:
            ended, how, following = i - 1, "fell-again", i
            break
        within.append(i)
        two = [sessions[j].total for j in within[-2:]]
        quiet[i] = not here
        if len(two) == 2 and quiet[i] and Fraction(sum(two), 2) >= goal_at(i, began, sessions, p):
            ended, how, following = i, "recovered", i + 1
            break
    if how is None and closed:
        ended, how = len(sessions) - 1, "unrepaired"

    totals = [first.total, *(sessions[i].total for i in within)]
    back = [
        sessions[i].number for i in within if sessions[i].total >= goal_at(i, began, sessions, p) and quiet[i]
    ]
    last = within[-1] if within else began
    goal, before = goal_at(last, began, sessions, p), level_at(last, began, sessions)
    end = len(sessions) - 1 if ended is None else ended
    talks = tuple(s.number for s in sessions[began : end + 1] if s.number in talked)
    if how is None:
        if not within:
            how = "discussed" if talks else "open"
        elif back and back[-1] == sessions[last].number:
            how = "back-once"
        elif earlier and len(within) >= 3 and not back:
            how = "not-back"
        else:
            half = Fraction(first.total + goal, 2)
            clear = points(totals[-1]) >= points(min(totals)) + Fraction(
                p.total_maximum - p.total_minimum, 200
            )
            how = "recovering" if totals[-1] >= half and clear else "still-low"
    told = (
        first.number, None if ended is None else sessions[ended].number, how, before, goal, first.total,
        earlier[-1] if earlier else None, min(totals), totals[-1], len(within), back[0] if back else None, talks,
        len([i for i in within if talks and sessions[i].number > max(talks)]),
    )  # fmt: skip
    return told, following


def level_at(place: int, began: int, sessions: Sequence[CourseSession]) -> Fraction | None:
    """The client's own level as it is known at this session of the low point."""
    earlier = same_form(began, sessions)
    if earlier:
        return median(map(Fraction, earlier))
    seen = same_form(place, sessions)
    return median(map(Fraction, seen[:4])) if len(seen) >= 4 else None


def goal_at(place: int, began: int, sessions: Sequence[CourseSession], p: Parameters) -> int:
    """The lowest total that counts as back at this session of the low point."""
    level, is_low_start = level_at(place, began, sessions), not same_form(began, sessions)
    lowest = p.total_minimum if is_low_start and level is not None else sessions[began].total + 1
    for goal in range(lowest, p.total_maximum + 1):
        if level is None:
            there = goal > p.cutoff or (goal == p.cutoff and p.cutoff_operator == "<")
        else:
            there = goal >= level - p.recovered_within
        if there:
            return goal
    return p.total_maximum
