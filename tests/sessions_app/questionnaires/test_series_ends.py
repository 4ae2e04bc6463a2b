"""The ends of a course, which are all that a list scores, say the same as the whole of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alliance.measurement import instruments, outcome
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.questionnaires import series
from sessions_app.questionnaires.series import _ends, _Place
from tests import cast
from tests.sessions_app.dashboards.test_questionnaire_pages import mixed

GAD_7 = instruments.get("gad-7")
# As stored, and as the owner's rule makes it where the clinic has switched it on.
SET = st.one_of(
    st.integers(0, 21).map(lambda points: (points * 10, points * 10)),
    st.integers(0, 21).map(lambda points: (None, points * 10)),
    st.just((None, None)),
)


def reading(totals):
    read = outcome.read(GAD_7, [total for total in totals if total is not None])
    return read.total, read.since_first, read.since_last, read.outcome


@given(st.lists(SET, min_size=1, max_size=40))
def test_the_ends_read_as_the_whole_also_where_totals_are_pro_rated(sets):
    places = [_Place(pk, stored, "gad-7", "1", None) for pk, (stored, _) in enumerate(sets)]
    kept = _ends(places)
    assert len(sets) - 1 in kept  # what was marked last, total or none
    for rule_is_on in (False, True):
        totals = [made if rule_is_on else stored for stored, made in sets]
        assert reading(totals) == reading(total for pk, total in enumerate(totals) if pk in kept)


@given(st.integers(3, 200))
def test_of_a_long_course_three_are_scored(length):
    assert len(_ends([_Place(pk, 100, "gad-7", "1", None) for pk in range(length)])) == 3


def test_what_was_marked_on_another_form_before_is_another_course():
    places = [
        _Place(1, 100, "gad-7", "1", None),
        _Place(2, 90, "phq-9", "1", None),
        _Place(3, 80, "phq-9", "1", None),
    ]
    assert _ends(places) == {2, 3}
    places = [_Place(1, 100, "phq-9", "1", "A"), _Place(2, 90, "phq-9", "1", "B")]
    assert _ends(places) == {2}


@pytest.mark.django_db
def test_a_list_reads_as_the_clients_own_page_does(clinic):
    course = cast.rated_course(clinic.olgas, [380] * 7)
    for session, total in zip(course, (15, 14, 13, 9, 12, 11, 10), strict=True):
        mixed(session, total)
    rows = QuestionnaireResponse.objects.standing()
    ends = series.companions(rows)[clinic.olgas.pk]
    (whole,) = [one for one in series.of_episode(clinic.olgas) if one.is_companion]
    assert (len(ends.counting), len(whole.counting)) == (3, 7)
    assert ends.reading == whole.reading
    assert (ends.last.number, ends.last_total_is) == (whole.last.number, whole.last_total_is)
