"""Finished pieces of the lists are kept by each process: nothing that they show may change behind them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.kept_values import Kept
from clients.models import Client
from sessions_app.conversations import follow_up_actions
from sessions_app.courses.models import Attendance
from sessions_app.dashboards import course_standings
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion
from sessions_app.intake import session_actions
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.caseloads import DAY, HOUR, NOW, fallen
from tests.sessions_app.corrections.marks import disputed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today", "former_list")]


@pytest.fixture
def work_list(clinic, sign_in):
    return lambda: sign_in(clinic.olga).get(reverse("dashboard:work_list")).text


@pytest.fixture
def caseload(clinic, sign_in):
    return lambda: sign_in(clinic.sina).get(reverse("caseload:overview")).text


@pytest.fixture
def both(work_list, caseload):
    return lambda: work_list() + caseload()


def talked(clinic, agreed="Less homework"):
    return discussion_actions.discuss(flags=answered.calling(), said="x", agreed=agreed, by=clinic.olga)


def test_a_second_look_draws_nothing_anew(clinic, caseload):
    """What the other tests would miss where nothing was kept at all."""
    for number in range(3):
        fallen(cast.episode(clinic.olga, f"K-{number + 5}"))
    with CaptureQueriesContext(connection) as first:
        before = caseload()
    with CaptureQueriesContext(connection) as second:
        assert caseload().count("<h3><a") == before.count("<h3><a") == 4
    assert len(second) < len(first)


def test_a_rating(clinic, both):
    fallen(clinic.olgas)
    assert "31.5" not in both()
    cast.rating(cast.therapy_session(clinic.olgas, ago=HOUR), 315)
    assert both().count("31.5") >= 2


def test_another_name_of_the_client(clinic, both):
    fallen(clinic.olgas)
    both()
    type(clinic.olgas.client).objects.update(label="K-renamed")
    assert both().count("K-renamed") >= 2
    assert "K-1<" not in both()


def test_another_name_of_the_therapist_and_of_who_decided(clinic, caseload):
    fallen(clinic.olgas)
    deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )
    assert "(Olga, " in caseload()
    type(clinic.olga).objects.filter(pk=clinic.olga.pk).update(name="Olga Newname")
    assert "(Olga Newname, " in caseload()
    assert '<p class="meta">Olga Newname</p>' in caseload()


def test_a_talk_what_was_agreed_and_whether_it_helped(clinic, both):
    sessions = fallen(clinic.olgas)
    both()
    discussion = talked(clinic)
    assert "Less homework" in both()
    Discussion.objects.update(discussed_at=sessions[-1].ends_at)
    discussion.refresh_from_db()
    cast.rating(cast.therapy_session(clinic.olgas, ago=DAY), 330)
    assert "It helped." not in both()
    follow_up = follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga)
    assert "It helped." in both()
    follow_up_actions.undo(follow_up=follow_up, by=clinic.olga)
    assert "It helped." not in both()


def test_marks_that_are_set_aside(clinic, caseload):
    sessions = fallen(clinic.olgas)
    assert "Marks set aside" not in caseload()
    disputed(sessions[-1], 250)
    assert "Marks set aside: 1" in caseload()


def test_the_day_on_which_they_meet(clinic, work_list):
    fallen(clinic.olgas)
    assert "sees-you" not in work_list()
    session = session_actions.add_session(episode=clinic.olgas, held_at=NOW + 2 * HOUR, by=clinic.olga)
    assert "today at" in work_list()
    session_actions.change_session(
        session=session,
        held_at=NOW + 4 * DAY,
        modality="video",
        attendance=Attendance.PLANNED,
        by=clinic.olga,
    )
    assert "today at" not in work_list()


def test_a_question_of_the_clinic_and_another_language(clinic, work_list):
    fallen(clinic.olgas)
    shown = {work_list()}
    for rule in "CAE":
        cast.question(clinic.adam, f"Our own question at {rule}?", rule=rule)
    shown.add(work_list())
    type(clinic.olga).objects.filter(pk=clinic.olga.pk).update(question_language="de")
    german = work_list()
    assert german not in shown
    assert 'lang="de"' in german


def test_time_alone(clinic, both, time_machine):
    fallen(clinic.olgas)
    session_actions.add_session(episode=clinic.olgas, held_at=NOW + 3 * DAY, by=clinic.olga)
    deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )
    assert both().count("Nobody is waiting for a talk.") == 2
    time_machine.move_to(NOW + 3 * DAY, tick=False)
    assert "Nobody is waiting for a talk." not in both()
    time_machine.move_to(NOW, tick=False)  # a clock that was put right
    assert both().count("Nobody is waiting for a talk.") == 2


def test_a_rating_becomes_overdue_at_its_minute(clinic, caseload, time_machine):
    session = cast.therapy_session(clinic.olgas, ago=2 * HOUR)
    assert "overdue (session 1)" not in caseload()
    time_machine.move_to(session.ends_at + DAY - timedelta(seconds=1), tick=False)
    assert "overdue (session 1)" not in caseload()
    time_machine.move_to(session.ends_at + DAY, tick=False)
    assert "overdue (session 1)" in caseload()


def test_yesterday_is_not_called_today_at_midnight(clinic, work_list, time_machine):
    cast.rated_course(clinic.olgas, [390, 340], last_ago=2 * HOUR)
    assert "session 2, today" in " ".join(work_list().split())
    time_machine.move_to(NOW + DAY / 2 + timedelta(minutes=1), tick=False)
    assert "session 2, yesterday" in " ".join(work_list().split())


def test_what_another_process_wrote(clinic, caseload):
    fallen(clinic.olgas)
    assert "waiting since session 3" in caseload()
    row = EpisodeStanding.objects.get(episode=clinic.olgas)
    row.course["flags"] = []
    EpisodeStanding.objects.filter(pk=row.pk).update(course=row.course, revision=clinic.olgas.code)
    assert "waiting since session 3" not in caseload()


def test_nobody_is_given_the_row_of_another_client(clinic, sign_in):
    """Whoever asks, the codes come from the query of that person."""
    fallen(clinic.olgas)
    fallen(clinic.carls)
    for person, own, foreign in ((clinic.olga, "K-1", "K-2"), (clinic.carl, "K-2", "K-1")) * 2:
        text = sign_in(person).get(reverse("dashboard:work_list")).text
        assert own in text
        assert foreign not in text


def test_a_course_that_was_renamed_while_it_was_read_is_not_kept_under_the_old_name(
    clinic, caseload, monkeypatch
):
    """Kept so, it would be shown with the other name as soon as somebody takes the change back."""
    read = course_standings._read

    def renamed(label):
        Client.objects.filter(pk=clinic.olgas.client_id).update(label=label)

    def renamed_first(episodes, now):
        renamed("Renamed")
        return read(episodes, now)

    fallen(clinic.olgas)
    with monkeypatch.context() as patch:
        patch.setattr(course_standings, "_read", renamed_first)
        assert "Renamed" in caseload()
    renamed("K-1")
    text = caseload()
    assert "K-1" in text
    assert "Renamed" not in text


def test_no_more_is_kept_than_fits(clinic, caseload, monkeypatch):
    monkeypatch.setattr(course_standings, "_kept", Kept(2))
    for number in range(4):
        fallen(cast.episode(clinic.olga, f"K-{number + 5}"))
    assert caseload().count("<h3><a") == 5
    assert len(course_standings._kept.values()) == 2
    assert timezone.now() == NOW
