"""Did it help? Asked once, after the next rating, about the last agreement; one press, and a way back."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients.actions import close_episode
from clients.models import Episode
from sessions_app.conversations import follow_up_actions
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.grants import Channel
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion
from sessions_app.intake.paper_entry import enter_rating
from tests import cast

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
QUESTION = "Did it help?"


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


def talk(session, *, by, ago=None, said="Too much homework.", agreed="Less of it."):
    discussion = discussion_actions.discuss(flags=session.flags.all(), said=said, agreed=agreed, by=by)
    if ago:
        Discussion.objects.filter(pk=discussion.pk).update(discussed_at=timezone.now() - ago)
        discussion.refresh_from_db()
    return discussion


@pytest.fixture
def agreement(clinic):
    """A fall twelve days ago, talked about at once."""
    low = cast.rated_course(clinic.olgas, [380, 330], last_ago=12 * DAY)[-1]
    return talk(low, by=clinic.olga, ago=11 * DAY)


@pytest.fixture
def rated_since(agreement):
    """The next session, five days ago, with a rating."""
    session = cast.therapy_session(agreement.session.episode, ago=5 * DAY)
    cast.rating(session, 370)
    return session


def test_an_answer_in_a_course_that_ended_meanwhile_is_not_taken_back_and_the_page_says_why(
    clinic, rated_since, agreement, sign_in
):
    noted = follow_up_actions.note(discussion=agreement, answer="helped", by=clinic.olga)
    episode, today = Episode.objects.get(pk=clinic.olgas.pk), timezone.localdate()
    close_episode(episode=episode, closed_on=today, ending="planned", by=clinic.olga)
    page = sign_in(clinic.olga).post(at("undo_follow_up", noted), follow=True).text
    assert "This episode is closed, so it is only read." in page
    assert "Taken back" not in page
    assert FollowUp.objects.standing().get() == noted


@pytest.fixture
def shown(clinic, sign_in):
    def page(person=clinic.olga, area="dashboard"):
        return sign_in(person).get(reverse(f"{area}:client", args=[clinic.olgas.code]))

    return page


class TestAsking:
    def test_waits_for_the_next_rating(self, agreement, shown):
        page = shown()
        assert "Too much homework." in page.text
        assert QUESTION not in page.text
        cast.rating(cast.therapy_session(agreement.session.episode), 340)
        assert "A rating has come since. Did it help?" in shown().text

    def test_another_form_of_the_same_session_is_no_next_rating(self, clinic, shown):
        cast.rated_course(clinic.olgas, [380], last_ago=12 * DAY)
        session = cast.therapy_session(clinic.olgas, ago=5 * DAY)
        paper = enter_rating(
            session=session, answers=cast.answers(330), channel=Channel.PAPER, by=clinic.olga
        )
        discussion = talk(session, by=clinic.olga, ago=DAY)
        assert paper.received_at > discussion.discussed_at  # as a correction's would be
        assert QUESTION not in shown().text

    def test_a_note_written_after_the_next_rating_waits_for_the_one_after(self, clinic, shown):
        low, _ = cast.rated_course(clinic.olgas, [330, 380], last_ago=5 * DAY)
        talk(low, by=clinic.olga)
        assert QUESTION not in shown().text

    def test_a_partial_rating_asks_nothing(self, agreement, shown):
        cast.rating(cast.therapy_session(agreement.session.episode), None, relationship=90)
        assert QUESTION not in shown().text

    def test_only_about_the_last_agreement(self, clinic, agreement, rated_since, shown):
        low = cast.therapy_session(clinic.olgas, ago=4 * DAY)
        cast.rating(low, 300)
        later = talk(low, by=clinic.olga, ago=3 * DAY, agreed="Start with work.")
        assert QUESTION not in shown().text
        cast.rating(cast.therapy_session(clinic.olgas, ago=2 * DAY), 310)
        page = shown()
        assert at("note_follow_up", later) in page.text
        assert at("note_follow_up", agreement) not in page.text

    def test_a_talk_without_an_agreement_leaves_the_question_about_the_one_before(
        self, clinic, agreement, rated_since, shown
    ):
        low = cast.therapy_session(clinic.olgas, ago=4 * DAY)
        cast.rating(low, 300)
        talk(low, by=clinic.olga, said="All is well.", agreed="")
        text = shown().text
        assert "All is well." in text
        assert "Less of it." in text
        assert at("note_follow_up", agreement) in text

    def test_three_ratings_later_it_is_wallpaper(self, agreement, rated_since, shown):
        for days in (4, 3):
            cast.rating(cast.therapy_session(agreement.session.episode, ago=days * DAY), 370)
        assert QUESTION in shown().text
        cast.rating(cast.therapy_session(agreement.session.episode, ago=2 * DAY), 370)
        assert QUESTION not in shown().text

    @pytest.mark.parametrize(
        ("ahead", "said"),
        [(timedelta(hours=2), "today, 17:00"), (3 * DAY, "Friday 6 March, 15:00"), (None, "")],
    )
    def test_says_when_the_next_session_is(self, clinic, shown, time_machine, settings, ahead, said):
        settings.TIME_ZONE = "Europe/Berlin"
        time_machine.move_to(datetime(2026, 3, 3, 14, tzinfo=UTC), tick=False)
        low = cast.rated_course(clinic.olgas, [380, 330], last_ago=12 * DAY)[-1]
        talk(low, by=clinic.olga, ago=11 * DAY)
        cast.therapy_session(clinic.olgas, ago=2 * DAY, attendance="planned")  # nobody settled it
        if ahead:
            cast.therapy_session(clinic.olgas, ago=-9 * DAY, attendance="planned")
            cast.therapy_session(clinic.olgas, ago=-ahead, attendance="planned")
        text = shown().text
        assert "next session" in text if ahead else "next session" not in text
        assert said in text

    def test_a_supervisor_reads_and_is_not_asked(self, clinic, agreement, rated_since, shown):
        text = shown(clinic.sina, "caseload").text
        assert "Less of it." in text
        assert QUESTION not in text
        follow_up_actions.note(discussion=agreement, answer="partly", by=clinic.olga)
        text = shown(clinic.sina, "caseload").text
        assert "It helped a little" in text
        assert "follow-ups" not in text


class TestAnswering:
    def press(self, browser, discussion, answer="helped", **more):
        return browser.post(at("note_follow_up", discussion), {"answer": answer}, **more)

    def test_one_press_is_noted_and_told(self, clinic, agreement, rated_since, sign_in):
        answer = self.press(sign_in(clinic.olga), agreement, "not_yet", follow=True)
        assert "Noted with what was agreed." in answer.text
        follow_up = FollowUp.objects.get()
        assert (follow_up.discussion, follow_up.session, follow_up.answer, follow_up.noted_by) == (
            agreement,
            rated_since,
            "not_yet",
            clinic.olga,
        )
        event = AuditEvent.objects.get(action="follow-up noted")
        assert (event.actor, event.client, event.detail) == (clinic.olga.pk, clinic.olgas.client.code, {})

    def test_htmx_gets_the_piece(self, clinic, agreement, rated_since, sign_in):
        answer = self.press(sign_in(clinic.olga), agreement, headers={"HX-Request": "true"})
        assert (answer.status_code, answer.templates[0].name) == (200, "components/_course.html")
        assert at("undo_follow_up", FollowUp.objects.get()) in answer.text

    def test_a_double_press_is_one_answer_and_another_one_is_refused(
        self, clinic, agreement, rated_since, sign_in
    ):
        browser = sign_in(clinic.olga)
        self.press(browser, agreement)
        self.press(browser, agreement)
        assert FollowUp.objects.count() == AuditEvent.objects.filter(action="follow-up noted").count() == 1
        refused = self.press(browser, agreement, "not_tried")
        assert refused.status_code == 422
        assert follow_up_actions.MEANWHILE in refused.text
        assert FollowUp.objects.get().answer == "helped"

    def test_undo_opens_the_question_and_keeps_the_row(self, clinic, agreement, rated_since, sign_in, shown):
        follow_up = follow_up_actions.note(discussion=agreement, answer="helped", by=clinic.olga)
        browser = sign_in(clinic.olga)
        for _ in range(2):
            assert browser.post(at("undo_follow_up", follow_up)).status_code == 302
        follow_up.refresh_from_db()
        assert (follow_up.answer, follow_up.undone_by) == ("helped", clinic.olga)
        assert AuditEvent.objects.filter(action="follow-up undone").count() == 1
        assert "A rating has come since." in shown().text
        self.press(browser, agreement, "partly")
        assert FollowUp.objects.standing().get().answer == "partly"

    @pytest.mark.parametrize("answer", ["", "maybe", "HELPED", "helped\0"])
    def test_another_word_is_no_answer(self, clinic, agreement, rated_since, sign_in, answer):
        assert self.press(sign_in(clinic.olga), agreement, answer).status_code == 422
        assert not FollowUp.objects.exists()

    def test_nothing_is_answered_before_there_is_a_rating(self, clinic, agreement):
        with pytest.raises(Refused, match="No rating has come"):
            follow_up_actions.note(discussion=agreement, answer="helped", by=clinic.olga)

    def test_nor_about_a_conversation_that_was_taken_back(self, clinic, agreement, rated_since):
        discussion_actions.withdraw_discussion(discussion=agreement, by=clinic.olga)
        with pytest.raises(Refused, match="taken back"):
            follow_up_actions.note(discussion=agreement, answer="helped", by=clinic.olga)

    @pytest.mark.parametrize(("name", "status"), [("carl", 404), ("sina", 403), ("adam", 403)])
    def test_nobody_else_may(self, clinic, agreement, rated_since, sign_in, name, status):
        follow_up = follow_up_actions.note(discussion=agreement, answer="helped", by=clinic.olga)
        browser = sign_in(getattr(clinic, name))
        assert browser.post(at("undo_follow_up", follow_up)).status_code == status
        assert self.press(browser, agreement, "partly").status_code == status
        assert FollowUp.objects.standing().get().answer == "helped"

    def test_foreign_and_absent_are_the_same_404(self, clinic, agreement, rated_since, sign_in):
        browser = sign_in(clinic.carl)
        foreign = self.press(browser, agreement)
        absent = browser.post(reverse("dashboard:note_follow_up", args=[uuid4()]), {"answer": "helped"})
        assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)


class TestTheDatabase:
    def row(self, agreement, session, **fields):
        said = {"answer": "helped", "noted_by": agreement.discussed_by, **fields}
        return FollowUp.objects.create(discussion=agreement, session=session, **said)

    def test_lets_one_answer_stand(self, agreement, rated_since):
        first = self.row(agreement, rated_since)
        with pytest.raises(IntegrityError), transaction.atomic():
            self.row(agreement, rated_since, answer="partly")
        FollowUp.objects.filter(pk=first.pk).update(
            undone_at=timezone.now(), undone_by=agreement.discussed_by
        )
        self.row(agreement, rated_since, answer="partly")

    @pytest.mark.parametrize("wrong", [{"answer": "maybe"}, {"undone_at": timezone.now()}])
    def test_knows_four_answers_and_undoes_whole(self, agreement, rated_since, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            self.row(agreement, rated_since, **wrong)


@pytest.mark.django_db(transaction=True)
def test_ten_presses_at_once_are_one_answer(agreement, rated_since):
    from tests.sessions_app.intake.test_races import at_once, unexpected

    def press():
        row = Discussion.objects.select_related("session__episode__client").get(pk=agreement.pk)
        return follow_up_actions.note(discussion=row, answer="helped", by=agreement.discussed_by)

    outcomes = at_once(*[press] * 10)
    assert unexpected(outcomes) == []
    assert {one.pk for one in outcomes} == {FollowUp.objects.get().pk}
