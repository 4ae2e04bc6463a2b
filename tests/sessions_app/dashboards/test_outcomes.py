"""The outcome column of the caseload, and the reason of its own: only where the clinic uses an outcome scale."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import kept_values
from sessions_app.dashboards import caseload, outcome_drawing
from sessions_app.dashboards.outcome_drawing import Line
from tests import cast
from tests.sessions_app.dashboards.test_questionnaire_pages import mixed
from tests.sessions_app.questionnaires.answering import life

pytestmark = pytest.mark.django_db
LOW = [340, 340, 340, 340]
NOT_IMPROVING = "Not improving by session 4 (GAD-7), and the alliance is low: look at the alliance first."


def read(clinic):
    kept_values.forget_everything()
    return caseload.read(clinic.sina, timezone.now())


PARTS = ("needs_a_talk", "stays_low", "back", "talked_about", "deferred", "not_improving", "gaps", "others")


def rows_of(read):
    parts = (read.needs_a_talk, read.stays_low, read.back, *read._quiet)
    return {row.label: row for part in parts for row in part}


def asked(clinic):
    kept_values.forget_everything()
    with CaptureQueriesContext(connection) as queries:
        caseload.read(clinic.sina, timezone.now())
    return len(queries)


def test_without_an_outcome_scale_nothing_of_it_is_seen(clinic, sign_in):
    cast.rated_course(clinic.olgas, LOW)
    assert rows_of(read(clinic))["K-1"].outcome is None
    assert "outcome" not in sign_in(clinic.sina).get(reverse("caseload:overview")).content.decode().lower()


def test_it_asks_for_three_queries_more_where_one_is_in_use_and_as_often_for_30_as_for_3(clinic):
    sessions = [cast.rated_course(clinic.olgas, LOW)]
    sessions += [cast.rated_course(cast.episode(clinic.olga, f"C-{n}"), LOW[:2]) for n in range(2)]
    none = asked(clinic)
    for course in sessions:
        mixed(course[-1], 10)
    few = asked(clinic)
    assert few == none + 3
    for n in range(27):
        (session,) = cast.rated_course(cast.episode(clinic.olga, f"D-{n}"), [380])
        mixed(session, 10)
    assert asked(clinic) == few


def test_the_column_says_total_direction_and_reliable_change(clinic, sign_in):
    course = cast.rated_course(clinic.olgas, [380, 380])
    for session, total in zip(course, (15, 10), strict=True):
        mixed(session, total)
    one = rows_of(read(clinic))["K-1"].outcome
    assert (one.scale, one.total, one.of, one.arrow, one.word, one.reliable) == (
        *("GAD-7", "10", "21"),
        *("↓", "better", "yes, better"),
    )
    text = re.sub(r"\s+", " ", sign_in(clinic.sina).get(reverse("caseload:overview")).content.decode())
    assert "better since the first, reliably: yes, better" in text


@pytest.mark.parametrize(
    ("totals", "ratings", "is_reason"),
    [
        ((14, 14, 14, 14), LOW, True),
        ((14, 14, 14, 10), LOW, False),  # reliably better
        ((14, 14, 14, 11), LOW, True),  # by less than 4
        ((10, 14, 14, 14), LOW, True),  # worse
        ((14, 14, 14), LOW[:3], False),  # session 3
        ((14, 14, 14, 14), [340, 340, 340, 360], False),  # at the cutoff
        ((4, 4, 4, 4), LOW, False),  # well from the start
    ],
)
def test_not_improving_by_session_4_with_a_low_alliance(clinic, totals, ratings, is_reason):
    course = cast.rated_course(clinic.olgas, ratings)
    for session, total in zip(course, totals, strict=True):
        mixed(session, total)
    one = rows_of(read(clinic))["K-1"]
    assert (one.outcome.reason == NOT_IMPROVING) is is_reason


def test_it_is_a_reason_of_its_own_for_whoever_would_stand_among_everyone(clinic, sign_in):
    """A little below the cutoff, by less than any rule calls a fall."""
    course = cast.rated_course(clinic.olgas, [365, 365, 365, 358])
    assert [row.label for row in read(clinic).others] == ["K-1"]
    for session in course:
        mixed(session, 14)
    found = read(clinic)
    where = {name for name in PARTS if "K-1" in {row.label for row in getattr(found, name)}}
    assert where == {"not_improving"}
    text = sign_in(clinic.sina).get(reverse("caseload:overview")).content.decode()
    assert NOT_IMPROVING in text
    assert "Not improving, low alliance" in text


def test_whoever_is_shown_for_another_reason_stays_there_and_has_this_one_too(clinic, sign_in):
    for session in cast.rated_course(clinic.olgas, LOW):
        mixed(session, 14)
    assert [row.label for row in read(clinic).needs_a_talk] == ["K-1"]
    assert NOT_IMPROVING in sign_in(clinic.sina).get(reverse("caseload:overview")).content.decode()


def test_our_own_lines_are_shown_and_are_never_a_reason(clinic):
    for session in cast.rated_course(clinic.olgas, LOW):
        life(session, 100)
    one = rows_of(read(clinic))["K-1"].outcome
    assert (one.scale, one.reliable, one.reason) == ("Life lines", "cannot tell", "")


def test_another_supervisor_has_nothing_of_it(clinic):
    for session in cast.rated_course(clinic.olgas, LOW):
        mixed(session, 14)
    kept_values.forget_everything()
    assert caseload.read(clinic.stefan, timezone.now()).needs_a_talk == ()


def test_the_last_figure_of_a_small_picture_is_not_struck_through_by_a_cutoff():
    now = timezone.now()

    def place(total, levels):
        within = outcome_drawing.frame([now])
        drawn = outcome_drawing.drawing(Line([(now, total)], 0, 400, levels), within, labelled_by="one")
        dot = int(re.search(r'class="dot" cx="\d+" cy="(\d+)"', drawn)[1])
        return int(re.search(r'class="words" x="\d+" y="(\d+)"', drawn)[1]) - dot

    assert place(320, [(360, "cutoff")]) > 0  # below its dot
    assert place(320, []) < 0
    assert place(380, [(360, "cutoff")]) < 0
