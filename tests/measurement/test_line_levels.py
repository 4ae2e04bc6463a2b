"""What "usually" says beside one line is the same level that the lists name beside the total."""

import pytest

from alliance.measurement.line_levels import own_marks
from alliance.measurement.own_level import level_in_lists
from alliance.measurement.parameters import Parameters
from alliance.measurement.trends import CourseSession

LINES = ("relationship", "goals", "approach", "overall")
SHIPPED = Parameters()


def course(*rows, series="ours"):
    return [
        CourseSession(number, dict(zip(LINES, marks, strict=True)), sum(marks), series=series)
        for number, marks in enumerate(rows, start=1)
    ]


def usual(rated, low_point=None):
    return [own_marks(rated, low_point, SHIPPED).get(line) for line in LINES]


def test_the_four_lines_that_are_usual_add_up_to_the_total_that_is_usual():
    """Medians of eight beside the mean before the last three: two meanings of "usually" on one page."""
    rated = course(
        (90, 94, 92, 95),
        (92, 90, 96, 93),
        (94, 92, 94, 97),
        (60, 91, 60, 70),
        (62, 90, 64, 72),
        (64, 92, 62, 74),
    )
    assert usual(rated) == [92, 92, 94, 95]
    assert level_in_lists(rated, None, SHIPPED) == sum(usual(rated)) == 373


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([(90, 90, 90, 90)], None),  # one rating is no level, of a line as of the total
        ([(90, 80, 90, 90), (50, 50, 50, 50)], 80),  # of two ratings the first
        ([(90, 80, 90, 90), (50, 50, 50, 50), (50, 50, 50, 50)], 80),
        (
            [(90, 90, 90, 90), (90, 90, 90, 90), (90, 20, 90, 90), *[(90, 90, 90, 90)] * 3],
            77,
        ),  # 290 counts as 320, and so 20 as 50
    ],
)
def test_the_usual_mark_of_a_line_rests_on_the_ratings_of_the_own_level(marks, expected):
    assert usual(course(*marks))[1] == expected


def test_the_lines_add_up_where_one_bad_session_is_held():
    rated = course(*[(95, 95, 95, 95)] * 4, (20, 95, 20, 95), *[(95, 95, 95, 95)] * 3)
    assert level_in_lists(rated, None, SHIPPED) == sum(usual(rated)) == 372
    assert usual(rated) == [91, 95, 91, 95]


def test_ratings_on_another_form_are_not_compared():
    rated = [*course(*[(90, 90, 90, 90)] * 4), *course((50, 50, 50, 50), series="other")]
    assert usual(rated) == [None] * 4


def test_of_a_rating_whose_lines_another_system_did_not_keep_nothing_is_usual():
    rated = [CourseSession(number, dict.fromkeys(LINES), 360, series="ours") for number in range(1, 6)]
    assert level_in_lists(rated, None, SHIPPED) == 360
    assert usual(rated) == [None] * 4
