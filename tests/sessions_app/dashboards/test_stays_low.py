"""A low point that stays low after a talk, and no flag that is open: another talk can be noted all the same."""

import pytest
from django.urls import reverse

from alliance.refused import Refused
from sessions_app.dashboards import work_list
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.sessions_app.caseloads import DAY, NOW, talk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]
LONG = [400] * 8 + [380] * 11


@pytest.fixture
def low(clinic):
    """A fall that lasts, talked about when it called last: by now it is the usual range, and no rule speaks."""
    episode = cast.episode(clinic.olga, "K-105")
    sessions = cast.rated_course(episode, LONG, last_ago=2 * DAY)
    called = [one for one in sessions if one.flags.filter(on_work_list=True).exists()]
    talk(called[-1], by=clinic.olga, at=called[-1].ends_at + DAY)
    return sessions[-1]


def page_of(session):
    return reverse("dashboard:client", args=[session.episode.code])


def note(session, **typed):
    name = f"talk-{session.code}"
    words = {"said": "I had got used to it.", "agreed": "We begin with it."} | typed
    return {f"{name}-{key}": text for key, text in words.items()} | {"low_point": "14"}


def address(session):
    return reverse("dashboard:discuss", args=[session.code])


def test_a_client_who_stays_low_without_an_open_flag_can_be_talked_about(clinic, low, sign_in):
    assert not Flag.objects.standing().filter(session=low).exists()
    olga = sign_in(clinic.olga)
    (row,) = work_list.build(clinic.olga, NOW).stays_low
    assert row.flags == row.badges == []
    assert "Note the talk" in olga.get(reverse("dashboard:work_list")).text
    page = olga.get(page_of(low)).text
    assert f"To talk about: session {low.number}" in page
    assert "The ratings have not improved since the talk." in page
    answer = olga.post(address(low), note(low), follow=True)
    assert "I had got used to it." in answer.text
    assert [one.session for one in Discussion.objects.all() if one.said == "I had got used to it."] == [low]
    assert not work_list.build(clinic.olga, NOW).stays_low, "until the next rating"


def test_pressed_twice_it_is_noted_once_and_other_words_are_refused_and_kept(clinic, low, sign_in):
    olga = sign_in(clinic.olga)
    for _ in range(2):
        olga.post(address(low), note(low))
    assert Discussion.objects.filter(session=low).count() == 1
    answer = olga.post(address(low), note(low, said="Something else."))
    assert answer.status_code == 422
    assert "a talk about them was noted meanwhile" in answer.text
    assert "Something else." in answer.text
    assert Discussion.objects.filter(session=low).count() == 1


def test_an_empty_note_comes_back_in_the_same_panel(clinic, low, sign_in):
    answer = sign_in(clinic.olga).post(address(low), note(low, said=""))
    assert answer.status_code == 422
    assert "Write in one line what the client said." in answer.text
    assert 'name="low_point"' in answer.text
    assert "We begin with it." in answer.text


def test_after_another_rating_the_note_of_the_page_before_is_refused(clinic, low):
    later = cast.therapy_session(low.episode, ago=DAY)
    cast.rating(later, 380)
    with pytest.raises(Refused, match="Another rating has come meanwhile"):
        discussion_actions.discuss_low_point(session=low, said="x", agreed="", by=clinic.olga)
    assert discussion_actions.discuss_low_point(session=later, said="x", agreed="", by=clinic.olga)


def test_the_supervisor_reads_it_and_a_colleague_finds_nothing(clinic, low, sign_in):
    assert sign_in(clinic.carl).post(address(low), note(low)).status_code == 404
    sign_in(clinic.olga).post(address(low), note(low))
    page = reverse("caseload:client", args=[low.episode.code])
    assert "I had got used to it." in sign_in(clinic.sina).get(page).text
