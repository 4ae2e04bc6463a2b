"""What the standing keeps of the last low point: what the lists need, under the lock, rebuilt at will."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from alliance.measurement.repairs import RepairState
from alliance.measurement.scoring import points
from clients.models import Episode
from sessions_app.dashboards import client_page, course_standings
from sessions_app.flags import checks, low_points
from sessions_app.flags.conclude import conclude
from sessions_app.flags.episode_standing import EpisodeStanding
from tests import cast
from tests.sessions_app.flags.every_write import talk

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def standing_of(episode):
    ((course, _),) = course_standings.read(Episode.objects.filter(pk=episode.pk), timezone.now())
    return course


def test_without_a_low_point_there_is_the_own_level(clinic):
    cast.rated_course(clinic.olgas, [380, 384, 376, 376, 376])
    course = standing_of(clinic.olgas)
    assert (course.low_point, course.low_point_word, course.level, course.below) == (None, "", 382, 6)


COURSES = {
    "steady": [381, 385, 376, 380, 384, 377],
    "three ratings": [380, 370, 371],
    "a sudden fall": [381, 385, 390, 386, 300],
    "low since": [381, 385, 390, 386, 300, 302, 310, 305, 300],
    "a lasting fall": [370, 371, 372, 370, 371, 338, 328, 326, 326, 327],
    "it fell again": [381, 385, 380, 386, 330, 332, 331, 330, 250, 252],
    "recovered": [381, 385, 376, 220, 386, 390],
    "a low start with a level": [300, 310, 305, 300, 312, 306],
}


@pytest.mark.parametrize("totals", COURSES.values(), ids=COURSES)
def test_the_list_and_the_page_of_the_client_name_one_own_level(clinic, totals):
    """The list compared with a median, the page with a mean: two "own levels" of one person."""
    cast.rated_course(clinic.olgas, totals)
    page = client_page.build(clinic.olgas, clinic.olga, timezone.now())
    course = standing_of(clinic.olgas)
    assert re.search(r"Own level of [\w ]+: ([\d.]+) \(", page.in_words).group(1) == points(course.level)
    assert course.below == course.level - totals[-1]


def test_the_level_of_each_of_these_courses(clinic):
    """By hand: the mean of up to eight ratings before the last three, or before the last three at the low point."""
    found = {}
    for label, totals in COURSES.items():
        episode = cast.episode(clinic.olga, label)
        cast.rated_course(episode, totals)
        found[label] = standing_of(episode).level
    assert (
        found
        == {
            "steady": 381,  # 380.67
            "three ratings": 380,
            "a sudden fall": 383,
            "low since": 383,
            "a lasting fall": 371,  # 370.75: it calls at the seventh rating, of which four come before the last three
            "it fell again": 369,  # 381, 385, 380, 386, and 330 and 332 as 340.5: 4.0 below their median
            "recovered": 381,  # 381, 385 and 376
            "a low start with a level": 305,
        }
    )


def test_of_nothing_nothing_is_kept(clinic):
    course = standing_of(clinic.olgas)
    assert (course.low_point, course.level, course.below, course.lowest_lines) == (None, None, 0, None)


def test_a_low_point_that_goes_on_with_its_talk_and_how_far_below_the_own_level_it_is(clinic):
    rows = cast.rated_course(clinic.olgas, [380, 384, 376, 300], last_ago=14 * DAY)
    talk(clinic)
    cast.rating(cast.therapy_session(clinic.olgas, ago=7 * DAY), 310)
    course = standing_of(clinic.olgas)
    found = course.low_point
    assert (found.state, found.began, found.began_at) == (RepairState.STILL_LOW, 4, rows[3].held_at)
    assert (found.start, found.lowest, found.goal, found.ratings) == (300, 300, 370, 1)
    assert (found.talked, found.after_talk, found.back) == ((4,), 1, None)
    assert found.stays_low_after_talk
    assert (course.level, course.below) == (380, 70)
    assert course.low_point_word == "Still low after a talk"


def test_the_level_does_not_follow_the_client_down(clinic):
    """The level of the last ratings did: of a slide of nine points half was left."""
    cast.rated_course(clinic.olgas, [380, 380, 380, 300, 300, 300, 300, 290])
    course = standing_of(clinic.olgas)
    assert (course.level, course.below) == (380, 90)
    assert course.is_not_back


def test_one_that_is_back_says_since_when(clinic):
    rows = cast.rated_course(clinic.olgas, [380, 384, 376, 220, 386])
    course = standing_of(clinic.olgas)
    assert course.low_point.state == RepairState.BACK_ONCE
    assert (course.low_point.back, course.low_point.back_at) == (5, rows[4].held_at)
    assert not course.low_point.stays_low_after_talk


def test_one_that_is_over_stays_known_and_the_level_is_that_of_now(clinic):
    cast.rated_course(clinic.olgas, [380, 384, 376, 220, 386, 390])
    course = standing_of(clinic.olgas)
    assert (course.low_point.state, course.low_point.ended, course.low_point.goes_on) == (
        "recovered",
        6,
        False,
    )
    assert (course.low_point_word, course.level, course.below) == ("", 380, -10)


def test_a_low_start_is_measured_against_the_cutoff_until_it_has_a_level(clinic):
    cast.rated_course(clinic.olgas, [300, 310])
    course = standing_of(clinic.olgas)
    assert course.low_point.is_low_start
    assert (course.level, course.below) == (None, 50)
    assert course.low_point_word == "Low start: still low"


@pytest.mark.parametrize(
    ("marks", "lowest"),
    [
        ({"relationship": 8, "goals": 95, "approach": 90, "overall": 90}, (["relationship"], 8)),
        ({"relationship": 70, "goals": 70, "approach": 90, "overall": 90}, (["relationship", "goals"], 70)),
        ({"relationship": 70, "goals": 70, "approach": 70, "overall": 70}, None),
    ],
)
def test_the_lowest_lines_and_none_where_all_are_equal(clinic, marks, lowest):
    """Seen in a question: "your mark for the two of us stands a little apart" where both marks were 7.0."""
    cast.rating(cast.therapy_session(clinic.olgas, ago=DAY), None, **marks)
    assert standing_of(clinic.olgas).lowest_lines == lowest


def test_a_talk_taken_back_and_a_fresh_conclusion_leave_nothing_stale(clinic):
    cast.rated_course(clinic.olgas, [380, 300, 305])
    talk(clinic)
    assert not list(checks.differing([clinic.olgas.pk]))
    row = EpisodeStanding.objects.get(episode=clinic.olgas)
    row.course["low_point"]["talked"] = [99]
    EpisodeStanding.objects.filter(pk=row.pk).update(course=row.course)
    assert list(checks.differing([clinic.olgas.pk])) == [(clinic.olgas.pk, "course")]
    call_command("recompute_flags")
    assert not list(checks.differing([clinic.olgas.pk]))
    assert low_points.read(EpisodeStanding.objects.get(pk=row.pk).course).talked != (99,)


def test_it_is_what_the_clients_page_concludes(clinic):
    cast.rated_course(clinic.olgas, [380, 384, 320, 350, 372, 380, 320, 300, 310, 377, 380, 250])
    conclude(episode=clinic.olgas)
    page = client_page.build(clinic.olgas, clinic.olga, timezone.now())
    newest, kept = page.story[0].rupture, standing_of(clinic.olgas).low_point
    for name in ("state", "began", "ended", "lowest", "goal", "ratings", "talked", "after_talk"):
        assert getattr(newest, name) == getattr(kept, name), name
