"""A drawn course is kept by each process: nothing that it shows may change behind it, and no token is shared."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from sessions_app.conversations import follow_up_actions
from sessions_app.courses.models import Attendance
from sessions_app.dashboards import client_page, kept_course
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions, session_actions
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.caseloads import DAY, HOUR, NOW, fallen
from tests.sessions_app.corrections.marks import disputed, use

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today"), pytest.mark.usefixtures("former_list")]


@pytest.fixture
def page(clinic, sign_in):
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    return lambda: sign_in(clinic.olga).get(address).text


@pytest.fixture
def supervisors(clinic, sign_in):
    address = reverse("caseload:client", args=[clinic.olgas.code])
    return lambda: sign_in(clinic.sina).get(address).text


@pytest.fixture
def drawn(monkeypatch):
    """How often a course was drawn."""
    times = []
    build = client_page.build
    monkeypatch.setattr(client_page, "build", lambda *a, **k: times.append(1) or build(*a, **k))
    return times


def test_a_second_look_draws_nothing_anew(clinic, page, drawn):
    fallen(clinic.olgas)
    assert page().count("<tr>") == page().count("<tr>")
    assert len(drawn) == 1


def test_each_answer_has_the_token_of_its_own_browser(clinic):
    """Two browsers of one person; what is kept between them names neither token."""
    fallen(clinic.olgas)
    tokens = []
    for _ in range(2):
        browser = Client()
        browser.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
        html = browser.get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        found = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', html))
        assert kept_course._TOKEN not in html
        tokens.append(found)
    assert tokens[0].isdisjoint(tokens[1])
    assert not any(token in str(kept_course._kept.values()) for found in tokens for token in found)


def test_a_form_of_a_kept_page_is_taken(clinic):
    sessions = fallen(clinic.olgas)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    browser.get(address)
    html = browser.get(address).text  # from what is kept
    form = html[html.index(f"note-{sessions[-1].code}") :]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
    prefix = f"talk-{sessions[-1].code}"
    flags = re.findall(r'name="flag" value="([0-9a-f-]+)"', form[: form.index("</form>")])
    said = {f"{prefix}-said": "It was much.", f"{prefix}-agreed": "", "flag": flags}
    answer = browser.post(
        reverse("dashboard:discuss", args=[sessions[-1].code]), {**said, "csrfmiddlewaretoken": token}
    )
    assert answer.status_code == 302
    assert Discussion.objects.get().said == "It was much."
    assert "It was much." in browser.get(address).text


def test_therapist_and_supervisor_are_never_given_each_others(clinic, page, supervisors):
    session = cast.therapy_session(clinic.olgas, ago=HOUR)
    cast.rating(session, 330, comment="I did not feel heard.")
    for _ in range(2):
        assert "I did not feel heard." in page()
        assert "I did not feel heard." not in supervisors()
        assert "Note the conversation" not in supervisors()


def test_everything_that_is_written_about_the_client(clinic, page):
    sessions = fallen(clinic.olgas)
    seen = {page()}

    def changes():
        text = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page())
        new = text not in seen
        seen.add(text)
        return new

    assert changes()
    cast.rating(cast.therapy_session(clinic.olgas, ago=HOUR), 300)
    assert changes()
    last = answered.calling().order_by("session__number").last().session
    about = answered.calling().filter(session=last)
    discussion = discussion_actions.discuss(flags=about, said="x", agreed="Less", by=clinic.olga)
    assert changes()
    Discussion.objects.update(discussed_at=sessions[-1].ends_at)
    discussion.refresh_from_db()
    cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=1)), 310)
    assert changes()
    follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga)
    assert changes()
    cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(seconds=30)), 200)
    assert changes()
    deferral = deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )
    assert changes()
    deferral_actions.undo(deferral=deferral, by=clinic.olga)
    assert changes()
    aside = disputed(sessions[-1], 250)
    assert changes()
    use(aside)
    assert changes()
    session = session_actions.add_session(episode=clinic.olgas, held_at=NOW + 3 * DAY, by=clinic.olga)
    assert changes()
    session_actions.change_session(
        session=session,
        held_at=NOW + 4 * DAY,
        modality="video",
        attendance=Attendance.CANCELLED,
        by=clinic.olga,
    )
    assert changes()


def test_names_of_staff(clinic, page):
    fallen(clinic.olgas)
    discussion_actions.discuss(flags=answered.calling(), said="x", agreed="y", by=clinic.olga)
    assert "Olga" in page()
    type(clinic.olga).objects.filter(pk=clinic.olga.pk).update(name="Olga Newname")
    assert "Olga Newname" in page()


def test_label_rules_and_questions(clinic, page):
    fallen(clinic.olgas)
    page()
    type(clinic.olgas.client).objects.update(label="K-renamed")
    assert "K-renamed" in page()
    assert "Cutoff: 25" not in page()
    cast.choose_rules(clinic.adam, cutoff=250)
    assert "Cutoff: 25" in page()
    assert "Our own question?" not in page()
    for rule in "ACDEFGB":
        cast.question(clinic.adam, f"Our own question? {rule}", rule=rule)
    type(clinic.olga).objects.filter(pk=clinic.olga.pk).update(question_language="de")
    assert 'lang="de"' in page()


def test_time_alone(clinic, page, time_machine):
    session = cast.therapy_session(clinic.olgas, ago=2 * HOUR)
    assert "Overdue" not in page()
    time_machine.move_to(session.ends_at + DAY - timedelta(seconds=1), tick=False)
    assert "Overdue" not in page()
    time_machine.move_to(session.ends_at + DAY, tick=False)
    assert "Overdue" in page()


def test_a_form_that_is_out_is_over_at_its_minute(clinic, page, time_machine):
    session = cast.therapy_session(clinic.olgas, ago=HOUR)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    assert "Take back" in page()
    time_machine.move_to(grant.accept_until - timedelta(seconds=1), tick=False)
    assert "Take back" in page()
    time_machine.move_to(grant.accept_until, tick=False)
    assert "Take back" not in page()
