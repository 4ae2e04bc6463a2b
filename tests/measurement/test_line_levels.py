import pytest

from alliance.measurement.line_levels import usual_marks


@pytest.mark.parametrize(
    ("marks", "usual"),
    [
        ([], None),
        ([None], None),
        ([90], 90),
        ([90, 80], 80),  # of two in the middle the lower one
        ([90, None, 80, 70], 80),  # what was left out counts for nothing
        ([0, 90, 90, 90, 90, 90, 90, 90, 90], 90),
        ([0, 0, 0, 0, 0, 90, 90, 90, 90, 90, 90, 90], 90),  # the last eight
    ],
)
def test_the_usual_mark_of_a_line_is_the_middle_of_its_last_eight(marks, usual):
    found = usual_marks([{"goals": mark} for mark in marks])
    assert found.get("goals") == usual


def test_each_line_has_its_own():
    assert usual_marks([{"goals": 10, "approach": 20}, {"approach": 40}]) == {"goals": 10, "approach": 20}
