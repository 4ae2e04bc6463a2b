"""The client's words and marks where a talk is prepared: nothing is said that the client did not mark."""

import pytest
from django.utils import timezone

from alliance.measurement import instruments
from clients.models import Episode
from sessions_app.dashboards import client_page, course_standings, spoken_line
from sessions_app.flags.conclude import conclude
from sessions_app.intake.imported_rating import imported_rating
from tests import cast

pytestmark = pytest.mark.django_db
LINES = tuple(cast.answers())


def import_total(session, total):
    ours = instruments.get(instruments.SESSION_RATING)
    grant, rating = imported_rating(
        session=session,
        instrument=ours.id,
        version=ours.version,
        answers=dict.fromkeys(LINES),
        total=total,
        language="en",
        wording=None,
        by=session.episode.therapist,
        now=timezone.now(),
    )
    grant.save()
    rating.save()
    conclude(episode=session.episode)


def marks_of_the_talk(episode, reader):
    (talk,) = client_page.build(episode, reader, timezone.now()).talks
    return talk.marks


def test_lines_that_another_system_did_not_keep_were_not_left_out(clinic):
    import_total(cast.therapy_session(clinic.olgas), 300)
    assert marks_of_the_talk(clinic.olgas, clinic.olga) == []


def test_a_line_that_was_left_out_says_so(clinic):
    cast.rated_course(clinic.olgas, [380, 380])
    cast.rating(
        cast.therapy_session(clinic.olgas), total=None, goals=10, relationship=10, approach=10, overall=None
    )
    said = {one.heading: one.said for one in marks_of_the_talk(clinic.olgas, clinic.olga)}
    assert said["Overall"] == "left out"
    assert said["Relationship"] == "1.0"


def test_usually_has_one_meaning_on_the_list_and_in_the_talk(clinic):
    """The list said "usually 38.0", and the four lines beside it were the middle of other ratings."""
    cast.rated_course(clinic.olgas, [384, 376, 392, 392, 300, 300, 300])
    (row,) = course_standings.read(Episode.objects.filter(pk=clinic.olgas.pk), timezone.now())
    listed = spoken_line.spoken(row[0], helped=None, reads_comments=True)
    marks = client_page.build(clinic.olgas, clinic.olga, timezone.now()).talks[0].marks
    assert listed.usual.startswith("usually ")
    assert f"usually {sum(float(one.usual) for one in marks):.1f}," in listed.usual
