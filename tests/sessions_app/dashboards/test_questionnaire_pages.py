"""Questionnaires on the client's page: a panel for each series, decisions, and alliance and outcome together."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import kept_values
from alliance.measurement import instruments
from alliance.models import AuditEvent
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse, ResponseDecision
from sessions_app.dashboards import outcome_drawing, questionnaire_panels
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.questionnaires import series
from tests import cast
from tests.sessions_app.intake import inventories
from tests.sessions_app.questionnaires.answering import answer, given, life

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)
PICTURE = '<svg class="drawing drawing--small"'


@pytest.fixture
def course(clinic):
    """Four sessions, a week apart, each rated."""
    return cast.rated_course(clinic.olgas, [380, 370, 340, 330])


def page(browser, clinic, name="panels", **query):
    address = reverse(f"questionnaires:{name}", args=[clinic.olgas.code])
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def mixed(session, total, **of):
    """GAD-7 with this total in points: seven items of 0 to 3, lower is better, a change of 4 is reliable."""
    ids = [item.id for item in instruments.get("gad-7").items]
    spread = [10 * (total // 7 + (1 if place < total % 7 else 0)) for place in range(7)]
    return answer(session, "gad-7", dict(zip(ids, spread, strict=True)), **of)


class TestAPanel:
    def test_says_total_range_direction_and_whether_it_changed_reliably(self, clinic, course, sign_in):
        for session, total in zip(course, (14, 13, 12, 9), strict=True):
            mixed(session, total)
        text = page(sign_in(clinic.olga), clinic)
        assert "9 at the last time, mild (from 5); better by 5 points than at the first (14)." in text
        assert "Total 0 to 21, lower is better. Asks about the last two weeks." in text
        assert "Changed reliably since the first</dt><dd>yes, better" in text
        assert "Changed reliably since the time before</dt><dd>no" in text
        assert "Crossed a cutoff: moderate (from 10) before, mild (from 5) now." in text
        assert text.count(PICTURE) == 1
        assert "of 40" not in text

    def test_of_our_own_lines_says_that_nothing_is_published(self, clinic, course, sign_in):
        for session, total in zip(course, (200, 210, 190, 260), strict=True):
            life(session, total)
        text = page(sign_in(clinic.olga), clinic)
        assert "Our own form, provisional: no cutoff and no reliable change are published." in text
        assert "Changed reliably since the first</dt><dd>cannot tell" in text
        assert '<strong class="step" data-word="better"><span aria-hidden="true">↑</span> better' in text
        assert "Figures of 4 times" in text
        assert "(+7.0)" in text

    def test_raters_stand_side_by_side_and_are_never_pooled(self, clinic, course):
        for rater, total in ((Rater.CLIENT, 200), (Rater.CAREGIVER, 300)):
            life(course[0], total, rater=rater)
        read = questionnaire_panels.read(clinic.olgas, is_own=True)
        (group,) = read.groups
        assert [(one.who, one.series.reading.total) for one in group.panels] == [
            ("Client", 200),
            ("Caregiver", 300),
        ]

    def test_subscales_and_missing_answers(self, clinic, course):
        ids = [item.id for item in instruments.get("gad-7").items]
        answers = dict.fromkeys(ids, 10) | {ids[0]: None}
        answer(course[0], "gad-7", answers)
        (panel,) = questionnaire_panels.read(clinic.olgas, is_own=True).panels
        (row,) = panel.rows
        assert (row.total, row.missing, panel.series.reading.sentence) == ("–", 1, "No total yet.")
        assert panel.drawing == ""

    def test_a_comment_is_the_therapists_and_the_supervisors_only_where_shared(self, clinic, course, sign_in):
        life(course[0], 200, comment="canary-own")
        life(course[1], 200, comment="canary-shared", share_comment=True)
        own, supervised = (page(sign_in(who), clinic) for who in (clinic.olga, clinic.sina))
        assert ("canary-own" in own, "canary-shared" in own) == (True, True)
        assert ("canary-own" in supervised, "canary-shared" in supervised) == (False, True)

    def test_a_supervisor_decides_nothing(self, clinic, course, sign_in):
        held = withdrawn(course[0], clinic)
        text = page(sign_in(clinic.sina), clinic)
        assert "Answers that do not count: 1" in text
        assert "Let them count" not in text
        for name in ("count", "leave"):
            assert sign_in(clinic.sina).get(address(name, held)).status_code in {403, 404}

    def test_nobody_else_sees_any_of_it(self, clinic, course, sign_in):
        life(course[0], 200)
        for name in ("panels", "with_the_alliance"):
            there = reverse(f"questionnaires:{name}", args=[clinic.olgas.code])
            assert sign_in(clinic.carl).get(there).status_code == 404
            assert sign_in(clinic.stefan).get(there).status_code == 404
            assert sign_in(clinic.adam).get(there).status_code in {403, 404}


def withdrawn(session, clinic, total=240):
    """Answers that came after their form was taken back."""
    grant = given(session, "life-lines")
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    return life(session, total, grant=grant)


def address(name, response):
    return reverse(f"questionnaires:{name}", args=[response.code])


class TestDecisions:
    def test_held_answers_are_shown_and_counted_by_a_decision_with_a_way_back(self, clinic, course, sign_in):
        held, browser = withdrawn(course[0], clinic), sign_in(clinic.olga)
        text = page(browser, clinic)
        assert "Life lines, session 1: answers were held" in text
        assert (
            "Answers waiting for your decision"
            in browser.get(reverse("dashboard:work_list")).content.decode()
        )
        assert (
            "The form had been taken back when they came."
            in browser.get(address("count", held)).content.decode()
        )
        refused = browser.post(address("count", held), {"why": ""})
        assert (refused.status_code, ResponseDecision.objects.count()) == (422, 0)
        browser.post(address("count", held), {"why": "She said so"})
        assert list(QuestionnaireResponse.objects.standing()) == [held]
        assert (
            "Answers waiting for your decision"
            not in browser.get(reverse("dashboard:work_list")).content.decode()
        )
        browser.post(address("leave", held), {"why": "Another client’s"})
        assert not QuestionnaireResponse.objects.standing().exists()
        text = page(browser, clinic)
        assert "Olga: “Another client’s”" in text
        assert "Let them count" in text

    def test_of_two_sets_both_are_shown_question_by_question(self, clinic, course, sign_in):
        grant = given(course[0], "life-lines")
        life(course[0], 200, grant=grant)
        second = life(course[0], 320, grant=grant)
        text = re.sub(r"\s+", " ", sign_in(clinic.olga).get(address("count", second)).content.decode())
        figures = '<td class="number">8.0</td> <td class="number">5.0</td>'
        question = instruments.get("life-lines").wordings["en"].items["feeling"].question
        assert f'<th scope="row" lang="en" dir="auto">{question}</th>{figures}' in text

    def test_answers_to_a_loaded_wording_stand_beside_the_questions_that_were_read(
        self, clinic, course, sign_in
    ):
        """They were "Item 1" to "Item 12": nobody could say what does not count."""
        inventories.loaded(clinic.adam, "wai-sr")
        ids = [item.id for item in instruments.get("wai-sr").items]
        answered = answer(course[0], "wai-sr", dict.fromkeys(ids, 40))
        text = sign_in(clinic.olga).get(address("leave", answered)).text
        read = answered.wording.wording.items[ids[6]].question
        assert f">{read.replace('{therapist}', '___')}</th>" in html.unescape(text)
        assert "Item 7" not in text

    def test_decided_in_two_tabs_the_second_is_told(self, clinic, course, sign_in):
        held, browser = withdrawn(course[0], clinic), sign_in(clinic.olga)
        browser.post(address("count", held), {"why": "x"})
        answer = browser.post(address("count", held), {"why": "my words"})
        assert answer.status_code == 422
        assert "These answers count already." in answer.content.decode()
        assert "my words" in answer.content.decode()
        browser.post(address("leave", held), {"why": "x"})
        assert browser.post(address("leave", held), {"why": "y"}).status_code == 422

    def test_of_a_voided_session_they_count_nowhere_and_say_why(self, clinic, course):
        life(course[1], 200)
        session_actions.void_session(session=course[1], why="entered twice", by=clinic.olga)
        (panel,) = questionnaire_panels.read(clinic.olgas, is_own=True).panels
        assert [one.why for one in panel.others] == ["The session was voided."]
        assert not panel.others[0].can_count
        assert panel.rows == ()

    def test_after_a_transfer_nobody_decides(self, clinic, course):
        withdrawn(course[0], clinic)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "transferred"
        clinic.olgas.save()
        assert not questionnaire_panels.read(clinic.olgas, is_own=True).may_settle


class TestTheClientsPage:
    def client(self, browser, clinic):
        return browser.get(reverse("dashboard:client", args=[clinic.olgas.code])).content.decode()

    def test_without_a_questionnaire_nothing_of_it_is_seen_and_nothing_more_is_asked(
        self, clinic, course, sign_in
    ):
        browser = sign_in(clinic.olga)
        assert "questionnaire" not in self.client(browser, clinic).lower()
        assert (
            "Answers waiting for your decision"
            not in browser.get(reverse("dashboard:work_list")).content.decode()
        )
        asked = [self.asked(browser, clinic)]
        life(course[0], 200)
        asked.append(self.asked(browser, clinic))
        # With one it asks once more, for answers that somebody has to look at; the panels come by themselves.
        assert asked[1] == asked[0] + 1

    def asked(self, browser, clinic):
        kept_values.forget_everything()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            self.client(browser, clinic)
        return len(queries)

    def test_with_one_the_page_asks_for_the_panels_by_itself_and_there_is_a_link(
        self, clinic, course, sign_in
    ):
        life(course[0], 200)
        browser = sign_in(clinic.olga)
        there = reverse("questionnaires:panels", args=[clinic.olgas.code])
        assert f'hx-get="{there}"' in self.client(browser, clinic)
        looks = AuditEvent.objects.filter(action="viewed").count()
        piece = browser.get(there, headers={"HX-Request": "true"}).content.decode()
        assert piece.lstrip().startswith("<section")
        assert AuditEvent.objects.filter(action="viewed").count() == looks
        browser.get(there)
        assert AuditEvent.objects.filter(action="viewed").count() == looks + 1

    def test_panels_ask_as_often_for_3_as_for_30(self, clinic):
        asked = []
        for number in (3, 27):
            for place in range(number):
                life(cast.therapy_session(clinic.olgas, ago=place * timedelta(hours=3)), 200 + place)
            with CaptureQueriesContext(connection) as queries:
                read = questionnaire_panels.read(clinic.olgas, is_own=True)
                assert [row.comment for panel in read.panels for row in panel.rows]
            asked.append(len(queries))
        assert asked[0] == asked[1] <= 4


class TestAllianceAndOutcome:
    def test_alliance_first_where_nothing_changed_and_the_alliance_is_low(self, clinic, course, sign_in):
        for session in course:
            mixed(session, 14)
        text = page(sign_in(clinic.olga), clinic, "with_the_alliance")
        assert (
            "No reliable change in how the client is doing, and the alliance is low: look at the alliance first."
            in text
        )
        assert text.count(PICTURE) == 2
        assert (
            "4 points or more are a reliable change (NHS Talking Therapies manual: 4 points or more)" in text
        )
        assert "low is below 36.0, the cutoff in force" in text

    def test_ask_where_the_client_is_better_and_the_alliance_is_low(self, clinic, course, sign_in):
        for session, total in zip(course, (14, 13, 9, 8), strict=True):
            mixed(session, total)
        text = page(sign_in(clinic.sina), clinic, "with_the_alliance")
        assert "The client is doing better, and the alliance is low: ask." in text

    def test_both_pictures_have_one_axis_of_time(self, clinic, course, sign_in):
        mixed(course[0], 14)
        mixed(course[-1], 14)
        text = page(sign_in(clinic.olga), clinic, "with_the_alliance")
        outcome, alliance = text.split(PICTURE)[1:3]
        xs = [re.findall(r'cx="(\d+)"', one) for one in (outcome, alliance)]
        assert xs[0] == [xs[1][0], xs[1][-1]]

    def test_of_our_own_lines_it_cannot_tell(self, clinic, course, sign_in):
        for session in course:
            life(session, 200)
        text = page(sign_in(clinic.olga), clinic, "with_the_alliance")
        assert "Cannot tell what to look at first: look at both courses." in text
        assert "no reliable change is published" in text

    def test_of_two_scales_one_is_chosen_and_never_are_two_on_one_axis(self, clinic, course, sign_in):
        for session in course:
            life(session, 200)
            mixed(session, 10)
        browser = sign_in(clinic.olga)
        assert "Life lines: how the client is doing" in page(
            browser, clinic, "with_the_alliance", scale="life-lines-1"
        )
        text = page(browser, clinic, "with_the_alliance", scale="gad-7-1")
        assert "GAD-7: how the client is doing" in text
        assert text.count(PICTURE) == 2
        # A scale that is not there is none: the one that was marked last is shown.
        assert "GAD-7: how" in page(browser, clinic, "with_the_alliance", scale="?")

    def test_without_an_outcome_scale_it_says_so(self, clinic, course, sign_in):
        assert "No outcome scale was marked yet." in page(sign_in(clinic.olga), clinic, "with_the_alliance")

    def test_without_a_rating_the_outcome_is_shown_alone(self, clinic, sign_in):
        mixed(cast.therapy_session(clinic.olgas), 14)
        text = page(sign_in(clinic.olga), clinic, "with_the_alliance")
        assert "No complete rating yet." in text
        assert text.count(PICTURE) == 1

    def test_a_caregivers_answers_are_no_outcome_of_the_client(self, clinic, course):
        life(course[0], 200, rater=Rater.CAREGIVER)
        assert not any(one.is_companion for one in series.of_episode(clinic.olgas))


class TestTheDrawing:
    def test_an_empty_one_is_refused(self):
        with pytest.raises(ValueError, match="nothing to draw"):
            outcome_drawing.frame([])

    def test_a_gap_breaks_the_line_and_one_point_is_inside(self):
        now = timezone.now()
        within = outcome_drawing.frame([now])
        line = outcome_drawing.Line(
            [(now, 100), (now + WEEK, None), (now + 2 * WEEK, 200)], 0, 400, [(250, "<b>")]
        )
        drawn = outcome_drawing.drawing(line, within, labelled_by="x")
        assert drawn.count("<circle") == 2
        assert re.search(r'class="total" d="M\d+ \d+M', drawn)
        assert "&lt;b&gt;" in drawn
        assert 0 < within.share(now) < 1
