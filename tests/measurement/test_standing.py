"""What calls for a talk, what is put off and what is quiet: each rule at its boundary, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement.process import DayCounts, day_counts
from alliance.measurement.put_off import LONGEST_PUT_OFF, put_off_until
from alliance.measurement.standing import (
    CourseEvents,
    Deferral,
    FlagKey,
    RaisedFlag,
    Talk,
    Visit,
    flag_standings,
    standing,
)

WEEK, DAY, HOUR, MINUTE = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
START = datetime(2026, 1, 5, 10, tzinfo=UTC)
OURS = "session-rating"


def visit(number, total=380, **changed):
    held_at = changed.pop("held_at", START + number * WEEK)
    ends_at = held_at + 50 * MINUTE
    known = Visit(
        number=number,
        held_at=held_at,
        ends_at=ends_at,
        day=held_at.date(),
        day_begins=held_at.replace(hour=0),
        due_day=(ends_at + DAY).date(),
        comes=True,
        attended=True,
        total=total,
        series="x",
    )
    return replace(known, **changed)


def flag(number, rule="A", total=350, **changed):
    ends_at = START + number * WEEK + 50 * MINUTE
    known = RaisedFlag(
        key=FlagKey(number, changed.pop("instrument", OURS), rule),
        number=number,
        on_work_list=True,
        raised_at=ends_at,
        total=total,
        received_at=ends_at,
        corrects=False,
        badge_fall=20,
        sudden_fall=40,
    )
    return replace(known, **changed)


def talk(*about, at=None, number=None):
    number = number or about[0].number
    return Talk(number, at or START + number * WEEK + HOUR, frozenset(one.key for one in about))


def decision(*about, is_later, at=None):
    at = at or START + about[0].number * WEEK + HOUR
    return Deferral(is_later, at, at.date(), frozenset(one.key for one in about))


def of(wanted, **events):
    found = flag_standings(CourseEvents(**events))
    return next(one for one in found if one.flag == wanted)


class TestTalks:
    def test_a_flag_that_nobody_answered_calls(self):
        low = flag(3)
        assert of(low, flags=[low]).calls(START + 3 * WEEK + HOUR)

    def test_a_talk_about_it_settles_it(self):
        low = flag(3)
        found = of(low, flags=[low], talks=[talk(low)])
        assert (found.is_discussed, found.is_settled, found.is_open) == (True, True, False)

    @pytest.mark.parametrize(("number", "settled"), [(2, False), (3, False), (4, True), (9, True)])
    def test_a_talk_about_a_later_session_settles_it_too(self, number, settled):
        low, other = flag(3), flag(number, "C")
        found = of(low, flags=[low, other], talks=[talk(other)])
        assert (found.is_settled, found.is_discussed) == (settled, False)

    @pytest.mark.parametrize(
        ("talked_after", "raised_after", "settled"),
        [
            (HOUR, 2 * HOUR, True),  # more of what was heard
            (HOUR, HOUR, False),  # it stood there when the others were talked about
            (HOUR, MINUTE, False),
            (timedelta(0), HOUR, True),  # at the moment at which the rating came
            (-MINUTE, HOUR, False),  # the marks came after the talk
        ],
    )
    def test_more_is_said_of_a_rating_that_was_talked_about(self, talked_after, raised_after, settled):
        came = START + 3 * WEEK + 50 * MINUTE
        first, late = flag(3), flag(3, "C", raised_at=came + raised_after)
        events = {"flags": [first, late], "talks": [talk(first, at=came + talked_after)]}
        assert of(late, **events).is_settled is settled

    @pytest.mark.parametrize("changed", [{"corrects": True}, {"received_at": None}, {"instrument": "srs"}])
    def test_unless_they_are_other_marks(self, changed):
        first = flag(3)
        late = flag(3, "C", raised_at=START + 3 * WEEK + 5 * HOUR, **changed)
        assert not of(late, flags=[first, late], talks=[talk(first)]).is_settled


class TestDeferrals:
    def test_no_talk_needed_is_for_ever(self):
        low = flag(3)
        found = of(low, flags=[low], deferrals=[decision(low, is_later=False)])
        assert found.is_not_needed
        assert not found.calls(START + 900 * DAY)

    def test_put_off_it_calls_again_at_its_moment(self):
        low, next_one = flag(3), visit(4)
        found = of(low, flags=[low], visits=[visit(3), next_one], deferrals=[decision(low, is_later=True)])
        assert found.put_off_until == next_one.day_begins
        assert not found.calls(next_one.day_begins - timedelta.resolution)
        assert found.calls(next_one.day_begins)
        assert found.is_open

    @pytest.mark.parametrize(
        ("visits", "until"),
        [
            ([], "longest"),
            ([visit(4)], "day"),
            ([visit(4, comes=False)], "longest"),  # cancelled or missed
            ([visit(4, held_at=START + 3 * WEEK + 5 * HOUR)], "longest"),  # later the same day
            ([visit(4, held_at=START + 3 * WEEK + 60 * DAY)], "longest"),  # too far ahead
            ([visit(5, held_at=START + 6 * WEEK), visit(4)], "day"),  # the earlier of two
        ],
    )
    def test_until_the_next_session_or_four_weeks(self, visits, until):
        deferral = decision(flag(3), is_later=True)
        expected = {"longest": deferral.at + LONGEST_PUT_OFF, "day": visit(4).day_begins}[until]
        assert put_off_until(deferral, visits) == expected

    def test_the_longer_of_two_counts(self):
        low = flag(3)
        two = [decision(low, is_later=True, at=START + 3 * WEEK + hours * HOUR) for hours in (1, 9)]
        assert of(low, flags=[low], deferrals=two).put_off_until == two[1].at + LONGEST_PUT_OFF

    def test_what_is_raised_later_calls_as_ever(self):
        low, later = flag(3), flag(3, "C")
        found = of(later, flags=[low, later], deferrals=[decision(low, is_later=True)])
        assert found.calls(START + 3 * WEEK + 2 * HOUR)


class TestTheSameFall:
    def course(self, total, *, rule="A", between=(), apart=1, **changed):
        """A fall to 35.0 in session 1 that was talked about, ratings between, and a low one `apart` later."""
        first, again = flag(1, "C", 350), flag(1 + apart, rule, total, **changed)
        visits = [visit(1, 350), *(visit(2 + place, one) for place, one in enumerate(between))]
        return of(again, flags=[first, again], visits=visits, talks=[talk(first)])

    @pytest.mark.parametrize(("total", "same"), [(331, True), (330, False), (340, True), (300, False)])
    def test_until_it_is_two_points_lower(self, total, same):
        assert self.course(total).is_same_fall is same

    @pytest.mark.parametrize(("up", "same"), [(389, True), (390, False), (400, False)])
    def test_until_it_was_up_by_four_points_in_between(self, up, same):
        assert self.course(345, between=[up], apart=2).is_same_fall is same

    @pytest.mark.parametrize(("apart", "same"), [(1, True), (4, True), (5, False)])
    def test_within_four_sessions(self, apart, same):
        assert self.course(345, apart=apart).is_same_fall is same

    @pytest.mark.parametrize(
        ("rule", "same"), [*((rule, True) for rule in "ADEJ"), ("C", False), ("B", False)]
    )
    def test_of_the_rules_that_say_that_a_total_is_low(self, rule, same):
        assert self.course(345, rule=rule).is_same_fall is same

    @pytest.mark.parametrize(
        "changed",
        [
            {"on_work_list": False},
            {"instrument": "srs"},
            {"badge_fall": 5},
            {"total": None},
            {"raised_at": START + WEEK},  # it was there before the talk
        ],
    )
    def test_and_of_no_other_flag(self, changed):
        total = changed.pop("total", 345)
        assert not self.course(total, **changed).is_same_fall

    def test_after_a_decision_that_no_talk_is_needed_too(self):
        first, again = flag(1, "C", 350), flag(2, "A", 345)
        needless = decision(first, is_later=False)
        assert of(again, flags=[first, again], deferrals=[needless]).is_same_fall
        assert not of(again, flags=[first, again], deferrals=[replace(needless, is_later=True)]).is_same_fall


class TestTheWhole:
    def test_of_nothing_nothing_is_said(self):
        found = standing(CourseEvents())
        assert (found.points, found.last_total, found.overdue) == ((), None, {})

    def test_points_and_gaps(self):
        visits = [visit(n, total) for n, total in enumerate([380, 390, None, 370, 340], 1)]
        visits += [visit(6, None, attended=False, comes=False), visit(7, None)]
        found = standing(CourseEvents(visits=visits))
        assert found.points == (380, 390, None, 370, 340, None)
        assert (found.last_total, found.last_rated, found.last_attended) == (340, 5, 7)
        assert found.overdue == {3: visits[2].ends_at + DAY, 7: visits[6].ends_at + DAY}

    def test_what_was_known_at_a_moment(self):
        low = flag(3)
        events = CourseEvents(flags=[low], talks=[talk(low)], deferrals=[decision(low, is_later=False)])
        before = events.until(low.raised_at - timedelta.resolution)
        assert (before.flags, before.talks, before.deferrals) == ([], [], [])
        assert flag_standings(events.until(low.raised_at))[0].may_call
        assert not flag_standings(events.until(low.raised_at + HOUR))[0].may_call


MOMENTS = st.integers(0, 2000).map(lambda hours: START + hours * HOUR)


@st.composite
def histories(draw):
    totals = draw(st.lists(st.none() | st.integers(250, 400), min_size=1, max_size=9))
    visits = [visit(number, total) for number, total in enumerate(totals, 1)]
    flags = [
        flag(seen.number, rule, seen.total, on_work_list=draw(st.booleans()), raised_at=draw(MOMENTS))
        for seen in visits
        for rule in draw(st.sets(st.sampled_from("ACDEB"), max_size=3))
        if seen.total is not None
    ]
    some = st.lists(st.sampled_from(flags), min_size=1, max_size=3) if flags else st.nothing()
    about = draw(st.lists(some, max_size=4)) if flags else []
    talks = [talk(*chosen, at=draw(MOMENTS)) for chosen in about[:2]]
    deferrals = [decision(*chosen, is_later=draw(st.booleans()), at=draw(MOMENTS)) for chosen in about[2:]]
    return CourseEvents(visits=visits, flags=flags, talks=talks, deferrals=deferrals)


@given(histories())
def test_a_flag_that_was_talked_about_never_calls_and_an_open_one_is_on_some_list(events):
    for one in flag_standings(events):
        late = START + 4000 * DAY
        assert not (one.is_discussed and one.calls(late))
        assert one.calls(late) == one.may_call  # nothing is put off for ever
        assert one.is_settled or not one.is_discussed


@given(histories())
def test_without_talks_and_decisions_all_on_the_list_calls(events):
    alone = replace(events, talks=[], deferrals=[])
    calling = {one.flag for one in standing(alone).calling(START + 4000 * DAY)}
    assert calling == {one for one in events.flags if one.on_work_list}


@given(histories(), st.randoms())
def test_the_order_of_talks_and_decisions_is_nothing_to_it(events, rng):
    talks, deferrals = list(events.talks), list(events.deferrals)
    rng.shuffle(talks)
    rng.shuffle(deferrals)
    assert flag_standings(replace(events, talks=talks, deferrals=deferrals)) == flag_standings(events)


@given(histories())
def test_counts_are_shares(events):
    for counted in day_counts(events).values():
        assert 0 <= counted.rated <= counted.attended
        assert 0 <= counted.talked + counted.not_needed <= counted.to_talk


class TestDayCounts:
    def test_a_session_counts_on_the_day_on_which_its_rating_is_due(self):
        missed = visit(3, None, attended=False, missed=True)
        counts = day_counts(CourseEvents(visits=[visit(1), visit(2, None), missed]))
        assert counts == {
            visit(1).due_day: DayCounts(attended=1, rated=1),
            visit(2).due_day: DayCounts(attended=1),
            visit(3).due_day: DayCounts(missed=1),
        }

    @pytest.mark.parametrize(("late", "in_time"), [(timedelta(0), 1), (timedelta.resolution, 0)])
    def test_a_flag_is_talked_about_in_time_until_a_day_after_the_next_session(self, late, in_time):
        low, following = flag(1), visit(2)
        events = CourseEvents(
            visits=[visit(1, 350), following],
            flags=[low],
            talks=[talk(low, at=following.overdue_from + late)],
        )
        assert day_counts(events)[following.due_day].talked == in_time

    def test_low_points_count_on_the_day_on_which_they_began(self):
        counts = day_counts(CourseEvents(visits=[visit(1), visit(2)]), [(2, True), (1, False)])
        assert (counts[visit(2).day].low_points, counts[visit(2).day].back) == (1, 1)
        assert (counts[visit(1).day].low_points, counts[visit(1).day].back) == (1, 0)


class TestImportedRatings:
    def test_only_that_of_the_latest_rating_calls(self):
        """Years of falls in another system must not all call today: nobody here knows what was said then."""
        fall, latest = flag(2, imported=True), flag(4, imported=True)
        visits = [visit(number, 350) for number in (1, 2, 3, 4)]
        assert of(fall, visits=visits, flags=[fall, latest]).is_settled
        assert of(latest, visits=visits, flags=[fall, latest]).may_call
        followed = [*visits, visit(5, 390)]
        assert of(latest, visits=followed, flags=[fall, latest]).is_settled

    def test_a_session_without_a_complete_rating_is_no_later_rating(self):
        fall = flag(2, imported=True)
        assert of(fall, visits=[visit(1, 390), visit(2, 350), visit(3, None)], flags=[fall]).may_call

    def test_of_a_rating_that_was_given_here_it_makes_no_difference(self):
        fall = flag(2)
        assert of(fall, visits=[visit(1, 390), visit(2, 350), visit(3, 390)], flags=[fall]).may_call
