"""When a form is due: the tables of docs/plan-of-forms.md, and a second, slow rule that walks through the course."""

from datetime import date, timedelta

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from alliance.measurement.form_plan import Frequency, Moment, Session, Timing, Whose, asked_at, due_since

FIRST = date(2026, 1, 5)
START, END = Moment.START, Moment.END
EACH, SESSIONS, WEEKS, CHOSEN, ONCE = Frequency
LONG_AGO = date(2020, 1, 1)


def weekly(*numbers):
    return [Session(number, FIRST + timedelta(weeks=number - 1)) for number in numbers]


def due(timing, at, *, sessions=range(1, 21), given=(), since=LONG_AGO, **more):
    course = weekly(*sessions)
    return due_since(
        timing,
        since=since,
        session=weekly(at)[0],
        sessions=course,
        given=weekly(*given),
        **more,
    )


EVERY_THIRD = Timing(END, SESSIONS, every=3)
THREE_AND_NINE = Timing(END, CHOSEN, numbers=(3, 9))
EVERY_FOUR_WEEKS = Timing(START, WEEKS, every=4)


@pytest.mark.parametrize(
    ("timing", "at", "given", "since"),
    [
        (Timing(START), 1, (), 1),
        (Timing(START), 5, (1, 2), 5),  # not since the ones that were missed
        (Timing(START), 5, (5,), None),  # answered or declined at this one
        (EVERY_THIRD, 2, (), None),
        (EVERY_THIRD, 3, (), 3),
        (EVERY_THIRD, 5, (), 3),  # whoever missed it is asked at the next
        (EVERY_THIRD, 5, (4,), None),
        (EVERY_THIRD, 6, (4,), 6),
        (EVERY_THIRD, 4, (3,), None),
        (THREE_AND_NINE, 2, (), None),
        (THREE_AND_NINE, 3, (), 3),
        (THREE_AND_NINE, 8, (), 3),
        (THREE_AND_NINE, 8, (3,), None),
        (THREE_AND_NINE, 9, (3,), 9),
        (THREE_AND_NINE, 10, (3,), 9),
        (THREE_AND_NINE, 20, (3, 9), None),
        (EVERY_FOUR_WEEKS, 1, (), 1),
        (EVERY_FOUR_WEEKS, 3, (1,), None),
        (EVERY_FOUR_WEEKS, 5, (1,), 5),
        (EVERY_FOUR_WEEKS, 7, (1,), 5),
        (EVERY_FOUR_WEEKS, 7, (1, 6), None),
        (Timing(END, ONCE), 4, (), 1),
        (Timing(END, ONCE), 4, (2,), None),
        (Timing(Moment.INTAKE, ONCE), 1, (), 1),
        (Timing(Moment.INTAKE, ONCE), 2, (), 1),
        (Timing(Moment.INTAKE, ONCE), 2, (1,), None),
        (Timing(Moment.ENDING, ONCE), 12, (), None),
    ],
)
def test_since_which_session_a_form_is_due(timing, at, given, since):
    assert due(timing, at, given=given) == since


@pytest.mark.parametrize(("given", "since"), [((), 12), ((3, 9), 12), ((12,), None)])
def test_at_the_ending_it_is_due_where_a_person_says_that_it_is_the_last(given, since):
    assert due(Timing(Moment.ENDING, ONCE), 12, given=given, is_last=True) == since


@pytest.mark.parametrize("timing", [Timing(START), EVERY_THIRD, THREE_AND_NINE])
def test_what_fell_due_before_the_plan_was_made_is_not_asked_for(timing):
    since = weekly(10)[0].day
    assert due(timing, 9, since=since) is None
    assert due(timing, 10, since=since) == (10 if timing.frequency == EACH else None)


def test_once_is_once_from_the_plan_on():
    once, since = Timing(END, ONCE), weekly(5)[0].day
    assert due(once, 6, since=since, given=(2,)) == 5
    assert due(once, 6, since=since, given=(5,)) is None


def test_a_course_that_began_before_the_plan_has_no_intake():
    intake = Timing(Moment.INTAKE, ONCE)
    assert due(intake, 2, since=weekly(2)[0].day) is None
    assert due(intake, 1, since=weekly(1)[0].day) == 1


def test_where_the_chosen_session_was_cancelled_it_is_the_next_one_that_comes():
    assert due(THREE_AND_NINE, 4, sessions=[1, 2, 4, 5]) == 4
    assert due(EVERY_THIRD, 5, sessions=[1, 2, 4, 5]) == 4


# --- A second rule, written from the page and not from the code ----------------------------------


def slowly(timing, since, at, sessions, given):
    """Walks from session to session, and keeps in mind since when something is owed."""
    owed, last_given = None, None
    if timing.moment == Moment.INTAKE:
        first = sessions[0]
        return first.number if first.day >= since and not given and first.number <= at.number else None
    passed = set()
    for session in sessions:
        if session.number > at.number:
            break
        named = {
            SESSIONS: {n for n in range(1, session.number + 1) if timing.every and n % timing.every == 0},
            CHOSEN: {n for n in timing.numbers if n <= session.number},
        }.get(timing.frequency, set())
        falls_due = False
        if timing.frequency == EACH:
            owed, falls_due = None, True
        elif timing.frequency == ONCE:
            falls_due = not [one for one in given if one.day >= since] and owed is None
        elif timing.frequency == WEEKS:
            newest = max((one.day for one in given), default=None)
            waits = newest is not None and session.day < newest + timedelta(weeks=timing.every)
            falls_due = not waits and owed is None
        elif named - passed:
            owed, last_given, falls_due = None, max(named), True
        passed |= named
        if falls_due and session.day >= since:
            owed = session.number
        elif falls_due and timing.frequency in (SESSIONS, CHOSEN):
            owed = None
    if owed is None:
        return None
    if timing.frequency == EACH:
        return owed if not [one for one in given if one.number == at.number] else None
    if timing.frequency in (SESSIONS, CHOSEN):
        return owed if not [one for one in given if one.number >= last_given] else None
    return owed


timings = st.one_of(
    st.builds(Timing, st.sampled_from([START, END]), st.sampled_from([EACH, ONCE])),
    st.builds(Timing, st.just(END), st.just(SESSIONS), st.integers(2, 6)),
    st.builds(Timing, st.just(START), st.just(WEEKS), st.integers(1, 6)),
    st.builds(
        Timing,
        st.just(END),
        st.just(CHOSEN),
        st.just(0),
        st.sets(st.integers(1, 14), min_size=1, max_size=4).map(lambda found: tuple(sorted(found))),
    ),
    st.just(Timing(Moment.INTAKE, ONCE)),
)


@st.composite
def courses(draw):
    """Sessions by number and day, some cancelled, at two on one day too; some of them with the form given."""
    numbers = draw(st.lists(st.integers(1, 14), min_size=1, max_size=12, unique=True).map(sorted))
    day, sessions = FIRST, []
    for number in numbers:
        day += timedelta(days=draw(st.integers(0, 20)))
        sessions.append(Session(number, day))
    given = draw(st.lists(st.sampled_from(sessions), max_size=4, unique=True))
    since = FIRST + timedelta(days=draw(st.integers(-10, 100)))
    return sessions, given, since, draw(st.sampled_from(sessions))


@drawn(timings, courses())
def test_agrees_with_the_rule_that_walks_through_the_course(timing, course):
    sessions, given, since, at = course
    fast = due_since(timing, since=since, session=at, sessions=sessions, given=given)
    assert fast == slowly(timing, since, at, sessions, given)


@drawn(timings, courses())
def test_given_once_it_is_not_due_again_at_the_same_session(timing, course):
    sessions, given, since, at = course
    assert due_since(timing, since=since, session=at, sessions=sessions, given=[*given, at]) is None


# --- Of whom, and how much -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timing", "times"),
    [
        (Timing(START), [13, 14, 15, 16, 17, 18, 19, 20]),
        (EVERY_THIRD, [15, 18]),
        (THREE_AND_NINE, []),
        (EVERY_FOUR_WEEKS, [13, 17]),
        (Timing(END, ONCE), [13]),
        (Timing(Moment.INTAKE, ONCE), []),
        (Timing(Moment.ENDING, ONCE), []),
    ],
)
def test_what_the_last_eight_sessions_would_have_been_asked(timing, times):
    course = weekly(*range(1, 21))
    assert [one.number for one in asked_at(timing, since=course[12].day, sessions=course)] == times


def test_a_course_that_ended_would_have_been_asked_at_its_last_session():
    course = weekly(*range(1, 6))
    asked = asked_at(Timing(Moment.ENDING, ONCE), since=course[0].day, sessions=course, ends=True)
    assert [one.number for one in asked] == [5]


@pytest.mark.parametrize(
    ("whose", "is_meant"),
    [
        (Whose(), True),
        (Whose(age_band="adult"), True),
        (Whose(age_band="child"), False),
        (Whose(therapists=frozenset({"olga"})), True),
        (Whose(therapists=frozenset({"carl"})), False),
        (Whose(supervisor="sina"), True),
        (Whose(supervisor="stefan"), False),
        (Whose(supervisor="sina", age_band="child"), False),
        (Whose(course=1), True),
        (Whose(course=2), False),
    ],
)
def test_whom_an_entry_is_about(whose, is_meant):
    assert whose.has(1, "olga", {"sina"}, "adult") is is_meant


def test_of_two_scales_the_one_that_says_more_closely_whom_it_is_for_stands_higher():
    in_order = [
        Whose(),
        Whose(age_band="child"),
        Whose(supervisor="sina"),
        Whose(supervisor="sina", age_band="child"),
        Whose(course=1),
    ]
    assert sorted(in_order, key=lambda one: one.place) == in_order
