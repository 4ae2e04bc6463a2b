"""An answer about self-harm at its limit: at once first on the list, until somebody writes down what they did."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance.log_events import READS_ALIKE, LogEvent
from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from clients import access_log, cover_actions
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.questionnaires import risk_actions, waiting
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote
from tests import cast
from tests.sessions_app.intake.rate_form import DONE, FORM, put_lock
from tests.sessions_app.questionnaires.answering import SENTENCE, confirm, given, phq
from tests.sessions_app.questionnaires.answering import answer as answered

pytestmark = pytest.mark.django_db
WORK_LIST, CASELOAD = reverse("dashboard:work_list"), reverse("caseload:overview")
FIRST = "Look at this first"
DAY = timedelta(days=1)


@pytest.fixture
def confirmed(clinic):
    """Stefan, who supervises somebody else, looks when a therapist is away."""
    return confirm(looks=clinic.stefan, by=clinic.adam)


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def raised(confirmed, session):
    return phq(session, ninth=20).risk_answers.get()


def readers(clinic, **more):
    """Whose list it is first on."""
    people = {name: getattr(clinic, name) for name in ("olga", "carl", "sina", "stefan", "adam")}
    return {name for name, one in {**people, **more}.items() if waiting.risk_answers(one)}


@pytest.mark.parametrize(
    ("answer", "is_raised"), [(0, False), (10, True), (20, True), (30, True), (None, False)]
)
def test_from_the_limit_on_it_is_raised(confirmed, session, answer, is_raised):
    others = {f"item-{n}": 30 for n in range(1, 9)}
    response = answered(session, "phq-9", {**others, "item-9": answer})
    assert response.risk_answers.exists() is is_raised


def test_it_says_the_answer_and_the_question_as_it_was_read(raised):
    assert raised.said == "2 of 3, “More than half the days”"
    assert raised.question == "Thoughts that you would be better off dead or of hurting yourself in some way"


def test_sent_twice_it_is_raised_once(confirmed, session):
    grant, delivery = given(session, "phq-9"), uuid4()
    for _ in range(2):
        phq(session, grant=grant, ninth=20, delivery=delivery)
    assert RiskAnswer.objects.count() == 1


def test_answers_that_are_held_are_shown_first_all_the_same(clinic, confirmed, session):
    grant = given(session, "phq-9")
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    response = phq(session, grant=grant, ninth=10)
    assert (response.held, readers(clinic)) == ("withdrawn", {"olga"})


def test_of_a_voided_session_it_is_shown_all_the_same(clinic, raised, session):
    session_actions.void_session(session=session, why="entered twice", by=clinic.olga)
    assert readers(clinic) == {"olga"}


class TestWhoLooks:
    def test_at_once_the_therapist_alone(self, clinic, raised):
        assert readers(clinic) == {"olga"}

    def test_and_whoever_covers(self, clinic, raised):
        today, helper = timezone.localdate(), cast.person("Helper", "therapist")
        cover_actions.start(
            episodes=[clinic.olgas], colleague=helper, starts_on=today, ends_on=today, by=clinic.olga
        )
        assert readers(clinic, helper=helper) == {"olga", "helper"}

    def test_after_a_day_without_a_note_also_who_was_named_and_who_supervises(
        self, clinic, raised, time_machine
    ):
        time_machine.move_to(timezone.now() + DAY - timedelta(minutes=1))
        assert readers(clinic) == {"olga"}
        time_machine.move_to(timezone.now() + timedelta(minutes=2))
        assert readers(clinic) == {"olga", "sina", "stefan"}

    @pytest.mark.parametrize("field", ["is_active", "is_therapist"])
    def test_of_a_therapist_who_left_at_once_who_was_named_and_who_supervises(self, clinic, raised, field):
        User.objects.filter(pk=clinic.olga.pk).update(**{field: False})
        clinic.olga.refresh_from_db()
        assert readers(clinic) == {"sina", "stefan"}

    def test_the_newest_confirmation_names_who_looks(self, clinic, raised, time_machine):
        confirm(looks=clinic.carl, by=clinic.adam)
        time_machine.move_to(timezone.now() + DAY)
        assert readers(clinic) == {"olga", "carl", "sina"}

    def test_somebody_who_was_named_and_left_does_not(self, clinic, raised, time_machine):
        User.objects.filter(pk=clinic.stefan.pk).update(is_active=False)
        clinic.stefan.refresh_from_db()
        time_machine.move_to(timezone.now() + DAY)
        assert readers(clinic) == {"olga", "sina"}

    def test_noted_in_time_it_is_never_shown_to_others(self, clinic, raised, time_machine):
        risk_actions.acknowledge(answer=raised, note="Called", by=clinic.olga)
        time_machine.move_to(timezone.now() + 2 * DAY)
        assert readers(clinic) == set()
        assert not RiskAnswer.objects.visible_to(clinic.stefan).exists()

    def test_an_administrator_who_was_a_therapist_never_does(self, clinic, raised, time_machine):
        time_machine.move_to(timezone.now() + DAY)
        assert not RiskAnswer.objects.visible_to(clinic.adam).exists()
        assert not RiskAnswer.objects.own(clinic.strange).exists()


class TestTheList:
    def test_it_stands_first_with_the_words_until_somebody_wrote(self, clinic, raised, sign_in):
        browser = sign_in(clinic.olga)
        text = browser.get(WORK_LIST).content.decode()
        assert text.index(FIRST) < text.index('id="talks"')
        assert "answered 2 of 3, “More than half the days” to" in text
        address = reverse("questionnaires:risk_answer", args=[raised.code])
        assert address in text
        empty = browser.post(address, {"note": " ", "seen": 0})
        assert (empty.status_code, RiskNote.objects.count()) == (422, 0)
        assert browser.post(address, {"note": "Called at 14:10", "seen": 0}).url == WORK_LIST
        assert FIRST not in browser.get(WORK_LIST).content.decode()

    def test_a_colleague_has_nothing_of_it(self, clinic, raised, sign_in):
        browser = sign_in(clinic.carl)
        assert FIRST not in browser.get(WORK_LIST).content.decode()
        assert browser.get(reverse("questionnaires:risk_answer", args=[raised.code])).status_code == 404

    def test_who_was_named_sees_it_first_on_their_caseload_and_acknowledges(
        self, clinic, raised, sign_in, time_machine
    ):
        time_machine.move_to(timezone.now() + DAY)
        browser = sign_in(clinic.stefan)
        text = browser.get(CASELOAD).content.decode()
        assert text.index(FIRST) < text.index('id="needs-a-talk"')
        assert "with Olga" in text
        address = reverse("questionnaires:risk_answer", args=[raised.code])
        page = browser.get(address).content.decode()
        # One answer, and not the course.
        assert "All questionnaires of" not in page
        assert browser.get(reverse("questionnaires:panels", args=[clinic.olgas.code])).status_code == 404
        assert browser.post(address, {"note": "Reached her", "seen": 0}).url == CASELOAD
        assert FIRST not in browser.get(CASELOAD).content.decode()
        listed = AuditEvent.objects.filter(action="listed", actor=clinic.stefan.pk)
        assert any(clinic.olgas.client.code.hex in line.clients for line in listed)

    def test_a_supervisor_reads_it_and_writes_nothing_before_it_is_their_turn(self, clinic, raised, sign_in):
        browser = sign_in(clinic.sina)
        address = reverse("questionnaires:risk_answer", args=[raised.code])
        assert "Nobody has written anything yet" in browser.get(address).content.decode()
        assert browser.post(address, {"note": "x", "seen": 0}).status_code == 404
        assert FIRST not in browser.get(CASELOAD).content.decode()

    def test_it_stands_above_the_clients_course_and_then_stays_in_it(self, clinic, raised, sign_in):
        browser = sign_in(clinic.olga)
        course = reverse("dashboard:client", args=[clinic.olgas.code])
        text = browser.get(course).content.decode()
        assert text.index(FIRST) < text.index("Sessions</h2>")
        risk_actions.acknowledge(answer=raised, note="Plan gone through", by=clinic.olga)
        assert FIRST not in browser.get(course).content.decode()
        panels = browser.get(reverse("questionnaires:panels", args=[clinic.olgas.code])).content.decode()
        assert "Answers that were looked at" in panels
        assert "Plan gone through" in panels

    def test_nothing_puts_it_off(self, clinic, raised, sign_in):
        """No deferral knows of it: the list has one way, and that is to look."""
        text = sign_in(clinic.olga).get(WORK_LIST).content.decode()
        section = text[text.index(FIRST) : text.index('id="talks"')]
        assert section.count("<a ") == 1
        assert "<button" not in section


class TestNotes:
    def test_two_people_learn_of_each_other_and_nothing_typed_is_lost(self, clinic, raised, sign_in):
        browser = sign_in(clinic.olga)
        address = reverse("questionnaires:risk_answer", args=[raised.code])
        risk_actions.acknowledge(answer=raised, note="I called", by=clinic.carl)
        answer = browser.post(address, {"note": "I called too", "seen": 0})
        text = answer.content.decode()
        assert (answer.status_code, "I called too" in text, "Carl wrote meanwhile" in text) == (
            422,
            True,
            True,
        )
        assert answer.context["form"]["seen"].value() == "1"
        browser.post(address, {"note": "I called too", "seen": 1})
        assert [note.note for note in raised.notes.all()] == ["I called", "I called too"]

    def test_pressed_twice_it_is_one(self, clinic, raised):
        key = uuid4()
        for _ in range(2):
            risk_actions.acknowledge(answer=raised, note="x", form_key=key, by=clinic.olga)
        assert RiskNote.objects.count() == 1

    def test_after_the_end_of_the_course_somebody_still_looks(self, clinic, raised):
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        assert readers(clinic) == {"olga"}
        risk_actions.acknowledge(answer=raised, note="x", by=clinic.olga)

    def test_none_is_ever_changed(self, clinic, raised):
        risk_actions.acknowledge(answer=raised, note="x", by=clinic.olga)
        for rows, change in ((RiskNote, {"note": "y"}), (RiskAnswer, {"answer": 10})):
            with pytest.raises(DatabaseError), transaction.atomic():
                rows.objects.update(**change)

    def test_the_log_tells_an_administrator_nothing_of_it(self, clinic, raised):
        risk_actions.acknowledge(answer=raised, note="canary", by=clinic.olga)
        told = access_log.told().filter(client=clinic.olgas.client.code)
        said = [line.sentence for line in access_log.lines(told)]
        assert not [
            one for one in said if "canary" in one or "self-harm" in one.lower() or "looked through" in one
        ]
        assert READS_ALIKE.split("{")[1].split("}")[1].strip() in " ".join(said)
        assert AuditEvent.objects.filter(action=LogEvent.RISK_ANSWER_ACKNOWLEDGED).count() == 1


class TestTheClient:
    def fill_in(self, client, session, ninth):
        forms = Forms(rating=False, questionnaires=(ToFillIn(instruments.get("phq-9")),))
        _, token = hand_over_actions.hand_over(session=session, by=session.episode.therapist, forms=forms)
        put_lock(client, token)
        page = client.get(FORM).content.decode()
        answers = {f"item-{n}": "0" for n in range(1, 9)}
        client.post(FORM, {"step": "hand-in", "mode": "line", "comment": "", **answers, "item-9": ninth})
        return page, client.get(DONE)

    def test_reads_the_clinics_sentence_on_the_form_and_again_after_such_an_answer(
        self, client, confirmed, session
    ):
        page, done = self.fill_in(client, session, "20")
        assert SENTENCE in page
        assert "Nobody watches what arrives here at all hours" in page
        assert SENTENCE in done.content.decode()
        assert SENTENCE in client.get(DONE).content.decode(), "also where the page is loaded again"

    def test_after_any_other_answer_only_thanks(self, client, confirmed, session):
        page, done = self.fill_in(client, session, "0")
        assert SENTENCE in page
        assert SENTENCE not in done.content.decode()
        assert not RiskAnswer.objects.exists()

    def test_the_next_client_on_the_tablet_reads_nothing_of_it(self, client, clinic, confirmed, session):
        self.fill_in(client, session, "20")
        _, done = self.fill_in(client, cast.therapy_session(cast.episode(clinic.olga, "K-9")), "0")
        assert SENTENCE not in done.content.decode()
