from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random
from statistics import correlation, fmean, pstdev, pvariance

import pytest

from alliance.measurement.false_alarms import IN_TEN, PER_SESSION
from alliance.measurement.flag_rules import ALL_RULES, Parameters, findings
from alliance.measurement.sentences import HOW_RARE
from alliance.measurement.simulate import (
    EVERY_RULE,
    LINES,
    TABLE_KEYS,
    VARIANTS,
    Event,
    false_alarm_table,
    simulate_course,
)

# Per session and in ten of the specification, in per cent; 20,000 clients. The specification counts a missing
# flag of 2.8 % per session, also on rated sessions; raised on the unrated session only, as it asks elsewhere,
# it is 1.9 % (exactly: .1 x (1 - .9²)).
SPECIFIED = {
    "standard": {"A": (33, 74), "A_new": (11, 74), "B": (20, 78), "C": (9, 50), "C_small": (30, 94),
                 "D": (4.2, 21), "E": (4.5, 21), "F": (4.2, 11), "G": (1.9, 13)},
    "low": {"A": (62, 94), "B": (17, 65), "C": (13, 68), "D": (6, 27), "E": (5.1, 23.5)},
    "high": {"A": (19, 54), "B": (17, 73), "C": (6, 36), "D": (3, 15), "E": (3.9, 18)},
}  # fmt: skip
EVERY_FIGURE = [(variant, key) for variant, figures in SPECIFIED.items() for key in figures]


@pytest.fixture(scope="module")
def sample():
    return {variant: false_alarm_table(variant, clients=3000) for variant in VARIANTS}


@pytest.mark.parametrize(("variant", "key"), EVERY_FIGURE)
def test_published_figures_are_those_of_the_specification(variant, key):
    per_session, in_ten = SPECIFIED[variant][key]
    assert PER_SESSION[variant][key] * 100 == pytest.approx(per_session, abs=1)
    assert IN_TEN[variant][key] * 100 == pytest.approx(in_ten, abs=1)


@pytest.mark.parametrize(("variant", "key"), [(v, k) for v in VARIANTS for k in TABLE_KEYS])
def test_a_smaller_sample_agrees_with_the_published_figures(sample, variant, key):
    # 3,000 clients: one standard error is at most 0.9 percentage points; three of them.
    found = sample[variant][key]
    assert found["per_session"] == pytest.approx(PER_SESSION[variant][key], abs=0.02)
    assert found["in_ten"] == pytest.approx(IN_TEN[variant][key], abs=0.027)


def test_the_table_depends_on_the_seed_alone():
    one, two = (false_alarm_table(clients=1500, sessions=6, processes=n) for n in (1, 2))
    assert one == two
    assert one != false_alarm_table(clients=1500, sessions=6, seed=1)


def test_the_table_follows_the_settings():
    lower = false_alarm_table(clients=500, parameters=Parameters(cutoff=340))
    usual = false_alarm_table(clients=500)
    assert lower["A"]["per_session"] < usual["A"]["per_session"] / 1.4
    assert lower["C"] == usual["C"]


def test_a_rule_that_is_off_is_never_raised():
    off = false_alarm_table(clients=300, parameters=replace(EVERY_RULE, enabled=ALL_RULES - {"J"}))
    on = false_alarm_table(clients=300)
    assert off["J"] == {"per_session": 0, "in_ten": 0} != on["J"]
    assert off["work_list"]["per_session"] < on["work_list"]["per_session"]


@pytest.fixture(scope="module")
def stable():
    rng = Random("yields")
    return [simulate_course(rng).sessions for _ in range(4000)]


def totals_at(courses, number):
    return [course[number - 1].total / 10 for course in courses]


def share(values):
    return fmean(map(bool, values))


def test_yields_of_the_model(stable):
    first, final = totals_at(stable, 1), totals_at(stable, 12)
    assert fmean(first) == pytest.approx(35.6, abs=0.25)
    assert fmean(final) == pytest.approx(36.5, abs=0.25)
    assert pstdev(first + final) == pytest.approx(4.3, abs=0.2)
    assert share(t == 40 for t in first) == pytest.approx(0.13, abs=0.02)
    assert share(t == 40 for t in final) == pytest.approx(0.21, abs=0.025)
    assert share(t < 36 for t in first) == pytest.approx(0.42, abs=0.025)
    assert share(t < 36 for t in final) == pytest.approx(0.32, abs=0.025)
    assert correlation(totals_at(stable, 6), totals_at(stable, 7)) == pytest.approx(0.66, abs=0.05)
    assert cronbach_alpha(stable) == pytest.approx(0.93, abs=0.02)


def cronbach_alpha(courses):
    ratings = [course[5] for course in courses]
    items = [pvariance([r.answers[line] for r in ratings]) for line in LINES]
    return 4 / 3 * (1 - sum(items) / pvariance([r.total for r in ratings]))


@pytest.mark.parametrize(
    ("variant", "mean", "below"), [("low", 33, 0.62), ("high", 38, 0.19), ("growth", 36, 0.41)]
)
def test_population_check(variant, mean, below):
    rng = Random(f"population {variant}")
    totals = [s.total for _ in range(3000) for s in simulate_course(rng, variant).sessions]
    assert fmean(totals) / 10 == pytest.approx(mean, abs=0.5)
    assert share(t < 360 for t in totals) == pytest.approx(below, abs=0.03)


@pytest.mark.parametrize(("least", "of_sessions"), HOW_RARE)
def test_falls_are_as_rare_as_it_is_said(stable, least, of_sessions):
    steps = [before.total - now.total for course in stable for before, now in pairwise(course)]
    count, of = of_sessions.replace(",", "").split(" of ")
    assert share(step >= least for step in steps) == pytest.approx(int(count) / int(of), rel=0.15, abs=0.0005)


def test_share_of_sessions_on_the_work_list(stable):
    # What the rules raise; where every call is talked about it is a little less (test_work_list_figures).
    calls = [
        any(f.on_work_list for f in found)
        for course in stable[:2000]
        for found in findings(course, Parameters())[1:]
    ]
    assert share(calls) == pytest.approx(PER_SESSION["standard"]["work_list"], abs=0.012)
    assert PER_SESSION["standard"]["former_list"] == pytest.approx(0.17, abs=0.005)


def test_a_stable_course_is_whole():
    course = simulate_course(Random(1), sessions=7)
    assert [s.number for s in course.sessions] == list(range(1, 8))
    assert (course.event, course.style, course.dropped_out) == (None, "ordinary", False)
    for session in course.sessions:
        assert tuple(session.answers) == LINES
        assert all(0 <= a <= 100 and isinstance(a, int) for a in session.answers.values())
        assert session.total == sum(session.answers.values())


@pytest.fixture(scope="module")
def clinic_like():
    rng = Random("clinic")
    return [simulate_course(rng, with_events=True) for _ in range(4000)]


def test_demo_courses_have_the_shares_of_the_model(clinic_like):
    styles = Counter(course.style for course in clinic_like)
    assert styles["straight-line"] / 4000 == pytest.approx(0.15, abs=0.02)
    assert styles["always-top"] / 4000 == pytest.approx(0.05, abs=0.012)
    kinds = Counter(course.event.kind for course in clinic_like if course.event)
    ordinary = 4000 - styles["always-top"]
    for kind, expected in (("sudden fall", 0.25), ("slow slide", 0.05), ("slow rise", 0.10)):
        assert kinds[kind] / ordinary == pytest.approx(expected, abs=0.025)


def test_demo_courses_have_gaps_and_ends(clinic_like):
    sessions = [s for course in clinic_like for s in course.sessions]
    assert share(s.total is None for s in sessions) == pytest.approx(0.09, abs=0.01)
    assert all(s.overdue == (s.total is None) == (s.answers is None) for s in sessions)
    assert min(len(course.sessions) for course in clinic_like) == 1
    # 5.8 sessions planned; dropout ends some earlier.
    assert 4.5 < fmean(len(course.sessions) for course in clinic_like) < 5.8
    assert 0.05 < share(course.dropped_out for course in clinic_like) < 0.3


def test_a_demo_course_may_have_a_given_length_and_therapist():
    kind, harsh = (simulate_course(Random(5), sessions=9, therapist=shift) for shift in (0.0, -8.0))
    assert len(simulate_course(Random(5), sessions=9, with_events=True).sessions) == 9
    assert sum(s.total for s in harsh.sessions) < sum(s.total for s in kind.sessions)


def test_always_top_clients_are_at_the_top(clinic_like):
    tops = {s.total for course in clinic_like if course.style == "always-top" for s in course.sessions}
    assert tops <= {400, None}


@pytest.mark.parametrize(
    ("event", "shifts"),
    [
        (Event("sudden fall", 3, 2, 6.0, repaired=True), [0, 0, -6, -6, 0, 0]),
        (Event("sudden fall", 3, 2, 6.0, repaired=False), [0, 0, -6, -6, -3, -3]),
        (Event("slow slide", 2, 3, 1.0), [0, -1, -2, -3, -3, -3]),
        (Event("slow rise", 1, 4, 1.0), [-3, -2, -1, 0, 0, 0]),
    ],
)
def test_what_an_event_does(event, shifts):
    assert [event.shift(number) for number in range(1, 7)] == shifts


def test_the_same_seed_gives_the_same_course():
    assert simulate_course(Random(3), with_events=True) == simulate_course(Random(3), with_events=True)
