"""A supervisor asks, the therapist answers: what stands, what stays readable, and who reads it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role
from alliance.refused import Refused
from clients import actions as episode_actions
from clients import cover_actions
from clients.models import Supervision
from sessions_app.supervision import question_actions, talk_actions
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.talks import SupervisionTalk
from tests import cast

pytestmark = pytest.mark.django_db
ASKED = "What did the homework mean to her?"
ANSWER = "A test she could only fail."
AGREED = "Ask about school before the next task"


@pytest.fixture
def question(clinic):
    cast.rated_course(clinic.olgas, [380, 384, 300])
    return question_actions.ask(episode=clinic.olgas, words=ASKED, by=clinic.sina)


def answered(question, clinic, words=ANSWER):
    return question_actions.answer_question(question=question, answer=words, by=clinic.olga)


def noted(clinic, by=None, agreed=AGREED, held_on=None):
    return talk_actions.note_supervision(
        episode=clinic.olgas, held_on=held_on or timezone.localdate(), agreed=agreed, by=by or clinic.sina
    )


def course(clinic, whose="dashboard"):
    return reverse(f"{whose}:client", args=[clinic.olgas.code])


class TestTheWay:
    def test_the_therapist_finds_it_at_the_talk_and_answers_and_the_supervisor_reads_the_answer(
        self, clinic, sign_in
    ):
        cast.rated_course(clinic.olgas, [380, 384, 300])
        ask = reverse("supervision:ask", args=[clinic.olgas.code])
        assert sign_in(clinic.sina).post(ask, {"words": ASKED}).url.endswith("#supervision")
        assert "open: 1" in sign_in(clinic.sina).get(course(clinic, "caseload")).text
        question = SupervisionQuestion.objects.get()
        olga = sign_in(clinic.olga)
        page = olga.get(course(clinic)).text
        assert page.index(ASKED) < page.index('id="talks"')
        work_list = olga.get(reverse("dashboard:work_list")).text
        assert "1 open question from supervision" in work_list
        assert "Questions from supervision:" in work_list
        answer = reverse("supervision:answer", args=[question.code])
        sent = {"answer": ANSWER, "opened_with": _carried(olga, answer)}
        assert olga.post(answer, sent).status_code == 302
        assert "open question from supervision" not in olga.get(reverse("dashboard:work_list")).text
        sina = sign_in(clinic.sina)
        assert ANSWER in sina.get(course(clinic, "caseload")).text
        assert "open question from supervision" not in sina.get(reverse("caseload:overview")).text

    def test_the_caseload_says_where_one_is_open(self, clinic, question, sign_in):
        assert (
            "1 open question from supervision" in sign_in(clinic.sina).get(reverse("caseload:overview")).text
        )

    def test_an_empty_answer_is_said_and_the_words_are_kept(self, clinic, question, sign_in):
        page = sign_in(clinic.olga).post(reverse("supervision:answer", args=[question.code]), {"answer": " "})
        assert (page.status_code, "Write in one line what you answer." in page.text) == (422, True)


def test_a_colleague_who_covers_is_not_told_that_something_was_asked_or_answered(clinic, question, sign_in):
    answered(question, clinic)
    noted(clinic, by=clinic.olga)
    today = timezone.localdate()
    cover_actions.start(
        episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
    )
    address = reverse("clients:who_looked", args=[clinic.olgas.code])
    for reader, is_told in ((clinic.olga, True), (clinic.sina, True), (clinic.carl, False)):
        page = sign_in(reader).get(address).text
        assert ("for supervision" in page, "talked about in supervision" in page) == (is_told, is_told)
        assert "Olga" in page


def _carried(browser, address):
    return browser.get(address).context["form"]["opened_with"].value()


class TestChanges:
    def test_earlier_words_stay_readable_to_both(self, clinic, question, sign_in):
        question_actions.ask_otherwise(question=question, words="What would help?", by=clinic.sina)
        for who, whose in ((clinic.olga, "dashboard"), (clinic.sina, "caseload")):
            text = sign_in(who).get(course(clinic, whose)).text
            assert "What would help?" in text
            assert ASKED in text

    def test_once_answered_a_question_keeps_its_words(self, clinic, question):
        answered(question, clinic)
        with pytest.raises(Refused, match="answered meanwhile"):
            question_actions.ask_otherwise(question=question, words="Something else", by=clinic.sina)

    def test_an_answer_is_taken_back_and_the_question_is_open_again(self, clinic, question, sign_in):
        answered(question, clinic)
        for _ in range(2):
            question_actions.take_back_answer(question=question, by=clinic.olga)
        assert SupervisionQuestion.objects.open().get() == question
        assert question.changes.get().answer == ANSWER
        assert ANSWER in sign_in(clinic.sina).get(course(clinic, "caseload")).text, "under Earlier"

    def test_taken_back_and_put_back_twice_is_once(self, clinic, question):
        for _ in range(2):
            question_actions.take_back_question(question=question, by=clinic.sina)
        assert not SupervisionQuestion.objects.standing().exists()
        with pytest.raises(Refused, match="taken back meanwhile"):
            answered(question, clinic)
        for _ in range(2):
            question_actions.put_back_question(question=question, by=clinic.sina)
        assert SupervisionQuestion.objects.open().get().version == 3

    def test_a_question_sent_twice_is_asked_once(self, clinic, sign_in):
        browser, address = sign_in(clinic.sina), reverse("supervision:ask", args=[clinic.olgas.code])
        key = browser.get(address).context["form"]["form_key"].value()
        for _ in range(2):
            browser.post(address, {"words": ASKED, "form_key": key})
        assert SupervisionQuestion.objects.count() == 1

    def test_in_a_course_that_is_over_nothing_is_written(self, clinic, question):
        episode_actions.close_episode(
            episode=clinic.olgas, closed_on=timezone.localdate(), ending="planned", by=clinic.olga
        )
        with pytest.raises(Refused, match="is closed"):
            answered(question, clinic)
        with pytest.raises(Refused, match="is closed"):
            noted(clinic)

    def test_only_the_therapist_answers(self, clinic, question):
        with pytest.raises(Refused, match="Only the therapist"):
            question_actions.answer_question(question=question, answer="x", by=clinic.sina)


class TestTalks:
    def test_what_was_agreed_stands_in_the_story_of_both(self, clinic, question, sign_in):
        noted(clinic)
        for who, whose in ((clinic.olga, "dashboard"), (clinic.sina, "caseload")):
            text = sign_in(who).get(course(clinic, whose)).text
            story = text[text.index('id="story-title"') : text.index('id="supervision-title"')]
            assert "Talked about in supervision." in story
            assert AGREED in story

    def test_a_note_sent_twice_is_noted_once(self, clinic, sign_in):
        browser, address = sign_in(clinic.olga), reverse("supervision:note", args=[clinic.olgas.code])
        key = browser.get(address).context["form"]["form_key"].value()
        for _ in range(2):
            browser.post(address, {"held_on": timezone.localdate(), "agreed": AGREED, "form_key": key})
        assert SupervisionTalk.objects.get().noted_by == clinic.olga

    def test_a_note_is_taken_back_and_put_back(self, clinic):
        note = noted(clinic)
        for _ in range(2):
            talk_actions.take_back_supervision_note(talk=note, by=clinic.sina)
        assert not SupervisionTalk.objects.standing().exists()
        with pytest.raises(Refused, match="Put it back first"):
            talk_actions.change_supervision_note(talk=note, held_on=note.held_on, agreed="x", by=clinic.sina)
        for _ in range(2):
            talk_actions.put_back_supervision_note(talk=note, by=clinic.sina)
        assert [one.kind for one in note.changes.all()] == ["taken back", "put back"]

    def test_a_day_to_come_is_refused(self, clinic, sign_in):
        tomorrow = timezone.localdate() + timedelta(days=1)
        with pytest.raises(Refused, match="still to come"):
            noted(clinic, held_on=tomorrow)
        page = sign_in(clinic.olga).post(
            reverse("supervision:note", args=[clinic.olgas.code]), {"held_on": tomorrow, "agreed": AGREED}
        )
        assert (page.status_code, AGREED in page.text) == (422, True)


def asked_question():
    return next(one for one in SupervisionQuestion.objects.all() if one.words == ASKED)


class TestWhoReadsIt:
    """Each of the three texts is a canary."""

    @pytest.fixture
    def said(self, clinic, question):
        answered(question, clinic)
        noted(clinic)
        question_actions.ask(episode=clinic.olgas, words="Open one", by=clinic.sina)
        return [ASKED, ANSWER, AGREED, "Open one"]

    def test_another_supervisor_does_not(self, clinic, said, sign_in):
        browser = sign_in(clinic.stefan)
        assert browser.get(course(clinic, "caseload")).status_code == 404
        assert not any(word in browser.get(reverse("caseload:overview")).text for word in said)

    def test_a_supervision_that_ended_closes_the_sight_and_the_writing(self, clinic, question, said, sign_in):
        Supervision.objects.filter(therapist=clinic.olga).update(
            ends_on=timezone.localdate() - timedelta(days=1)
        )
        browser = sign_in(clinic.sina)
        for address in (
            course(clinic, "caseload"),
            reverse("supervision:ask", args=[clinic.olgas.code]),
            reverse("supervision:change_question", args=[question.code]),
            reverse("supervision:note", args=[clinic.olgas.code]),
        ):
            assert browser.get(address).status_code == 404
        assert not SupervisionQuestion.objects.all().visible_to(clinic.sina).exists()
        with pytest.raises(Refused, match="do not supervise"):
            question_actions.ask(episode=clinic.olgas, words="x", by=clinic.sina)
        with pytest.raises(Refused, match="Only the therapist"):
            noted(clinic)
        assert ASKED in sign_in(clinic.olga).get(course(clinic)).text, "the therapist still reads it"

    def test_who_supervises_the_therapist_now_reads_it_and_changes_nothing_of_it(self, clinic, said, sign_in):
        tom = cast.person("Tom", Role.SUPERVISOR)
        Supervision.objects.create(supervisor=tom, therapist=clinic.olga, starts_on=cast.STARTED)
        browser = sign_in(tom)
        assert all(word in browser.get(course(clinic, "caseload")).text for word in said)
        question = asked_question()
        assert browser.get(reverse("supervision:change_question", args=[question.code])).status_code == 404

    def test_a_colleague_who_covers_does_not(self, clinic, said, sign_in):
        today = timezone.localdate()
        cover_actions.start(
            episodes=[clinic.olgas], colleague=clinic.carl, starts_on=today, ends_on=today, by=clinic.olga
        )
        browser = sign_in(clinic.carl)
        page = browser.get(course(clinic))
        assert page.status_code == 200
        texts = page.text + browser.get(reverse("dashboard:work_list")).text
        assert not any(word in texts for word in said)
        assert "Asked in supervision" not in texts
        assert "open question from supervision" not in texts
        question = asked_question()
        assert browser.get(reverse("supervision:answer", args=[question.code])).status_code == 404
        assert browser.get(reverse("supervision:note", args=[clinic.olgas.code])).status_code == 404

    def test_the_page_for_two_and_the_whole_record_hold_nothing_of_it(self, clinic, said, sign_in):
        browser = sign_in(clinic.olga)
        browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
        together = browser.get(reverse("together:choose", args=[clinic.olgas.code]))
        record = reverse("records:client", args=[clinic.olgas.client.code])
        texts = [together.text, *(browser.post(record, {"shape": one}).text for one in ("json", "page"))]
        assert '"total_tenths": 300' in texts[1]
        assert "30.0" in texts[2], "it is the record"
        assert not any(word in text for word in said for text in texts)

    def test_an_administrator_reads_in_the_log_that_somebody_wrote_and_no_more(self, clinic, said, sign_in):
        text = sign_in(clinic.adam).get(reverse("clinic:log")).text
        assert "Sina wrote in the record of client K-1" in text
        assert not any(word in text for word in (*said, "question for supervision", "talked about in"))
        assert not any(word in str(line.detail) for line in AuditEvent.objects.all() for word in said)


def test_as_many_queries_for_three_clients_as_for_thirty(clinic, sign_in):
    pages = {"dashboard:work_list": clinic.olga, "caseload:overview": clinic.sina}
    counts: dict[str, list[int]] = {}
    for many in (3, 30):
        while (there := clinic.olga.episodes.count()) < many:
            episode = cast.episode(clinic.olga, f"K-{there + 10}")
            cast.therapy_session(episode)
            question_actions.ask(episode=episode, words="x", by=clinic.sina)
        for name, who in pages.items():
            browser = sign_in(who)
            assert browser.get(reverse(name)).status_code == 200
            with CaptureQueriesContext(connection) as queries:
                assert "question from supervision" in browser.get(reverse(name)).text
            counts.setdefault(name, []).append(len(queries))
    assert all(few == more for few, more in counts.values()), counts


def test_as_many_queries_for_three_questions_at_a_client_as_for_thirty(clinic, sign_in):
    browser, counts = sign_in(clinic.olga), []
    for many in (3, 30):
        while (there := SupervisionQuestion.objects.count()) < many:
            asked = question_actions.ask(episode=clinic.olgas, words=f"Question {there}", by=clinic.sina)
            question_actions.ask_otherwise(question=asked, words=f"Asked {there}", by=clinic.sina)
        browser.get(reverse("account_security"))
        with CaptureQueriesContext(connection) as queries:
            assert f"Asked {many - 1}" in browser.get(course(clinic)).text
        counts.append(len(queries))
    assert counts[0] == counts[1]
