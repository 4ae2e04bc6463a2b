"""In which group of the lists a client stands, drawn case by case, and in which order."""

import pytest

from alliance.measurement.repairs import RepairState
from alliance.measurement.talk_groups import Group, Situation, group_of, place

S = RepairState
GOAL = 370


def low(state: RepairState, **values: object) -> Situation:
    known = {"calls": False, "goal": GOAL, "total": GOAL - 50, "ratings_since_talk": 1}
    return Situation(state=state, **{**known, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("situation", "group"),
    [
        (Situation(calls=False), Group.OTHER),
        (Situation(calls=True), Group.TALK),  # such as other rules that found no low point
        (low(S.OPEN, calls=True, ratings_since_talk=0), Group.TALK),
        (low(S.STILL_LOW, calls=True), Group.TALK),
        (low(S.NOT_BACK, calls=True), Group.TALK),  # what calls anew was not talked about
        (low(S.RECOVERING, calls=True), Group.TALK),
        # Back without a talk: at the goal, and not a tenth below it.
        (low(S.BACK_ONCE, calls=True, total=GOAL), Group.BACK),
        (low(S.RECOVERED, calls=True, total=GOAL), Group.BACK),
        (low(S.RECOVERED, calls=True, total=GOAL - 1), Group.TALK),
        (low(S.RECOVERED, calls=False, total=GOAL), Group.OTHER),
        # Stays low although somebody talked: a rating has to come after the talk.
        (low(S.STILL_LOW), Group.STAYS_LOW),
        (low(S.NOT_BACK), Group.STAYS_LOW),
        (low(S.NOT_BACK, ratings_since_talk=0), Group.OTHER),
        (low(S.RECOVERING), Group.OTHER),
        (low(S.DISCUSSED, ratings_since_talk=0), Group.OTHER),
        (low(S.FELL_AGAIN), Group.OTHER),
        (low(S.UNREPAIRED), Group.OTHER),
        # After a talk the row says so, until the day is over.
        (low(S.DISCUSSED, ratings_since_talk=0, talked_today=True), Group.TALKED_TODAY),
        (low(S.STILL_LOW, talked_today=True), Group.STAYS_LOW),  # a rating came after it, on the same day
        (low(S.OPEN, calls=True, ratings_since_talk=0, talked_today=True), Group.TALK),
        # What people decided instead of a talk.
        (low(S.STILL_LOW, is_put_off=True), Group.PUT_OFF),
        (low(S.STILL_LOW, is_put_off=True, calls=True), Group.TALK),  # something else came since
        (low(S.STILL_LOW, is_not_needed=True), Group.OTHER),
        (low(S.STILL_LOW, is_not_needed=True, calls=True), Group.TALK),
    ],
)
def test_each_client_stands_in_one_group(situation, group):
    assert group_of(situation) is group


def test_who_fell_far_stands_before_who_is_back():
    """K-101 at 6.3 stood below K-111, who was back at 38.6 since a week."""
    fallen = Situation(calls=True, state=S.OPEN, goal=376, total=63)
    back = Situation(calls=True, state=S.BACK_ONCE, goal=363, total=386)
    assert group_of(fallen) < group_of(back)


def test_within_a_group_today_and_tomorrow_come_first_then_the_furthest_below_then_the_label():
    rows = [
        ("B", False, 20),
        ("near", False, 1),
        ("above", False, -5),
        ("far", False, 300),
        ("soon", True, 0),
        ("A", False, 20),
        ("soon and far", True, 10),
    ]
    ordered = sorted(rows, key=lambda row: place(is_soon=row[1], below=row[2], label=row[0]))
    assert [label for label, *_ in ordered] == ["soon and far", "soon", "far", "A", "B", "near", "above"]
