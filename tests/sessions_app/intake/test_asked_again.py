"""A form that came back empty or half filled in blocks nothing: ask again, add what was said aloud, or cancel."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Refused
from sessions_app.corrections import actions as decide
from sessions_app.corrections import set_aside
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.intake import hand_over_actions, sending_actions, session_actions, which_session
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast

pytestmark = pytest.mark.django_db


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture(params=["empty", "a line missing"])
def unfinished(request, session):
    """What came first, and says too little."""
    return cast.rating(session, None) if request.param == "empty" else cast.rating(session, 390, goals=None)


@pytest.fixture
def partial(session):
    return cast.rating(session, 390, goals=None, comment="I am not sure.")


def standing(session):
    return Rating.objects.standing().get(session=session)


def earlier(session):
    return set_aside.of_episode(session.episode, reads_comments=True)[session.pk].earlier


def state_of(clinic, sign_in):
    page = sign_in(clinic.olga).get(at("client", clinic.olgas))
    return page.context["page"].rows[0].state if "page" in page.context else page.text


class TestAnEmptyHandIn:
    def test_blocks_no_further_hand_over_and_what_came_first_stays_readable(self, session, unfinished):
        whole = cast.rating(session, 380)
        assert (standing(session), whole.replaces) == (whole, unfinished)
        (first,) = earlier(session)
        assert (first.rating, first.can_be_put_back) == (unfinished, False)

    def test_offers_what_works_on_the_clients_page_and_on_the_work_list(self, clinic, sign_in, unfinished):
        olga = sign_in(clinic.olga)
        for address in (at("client", clinic.olgas), reverse("dashboard:work_list")):
            text = olga.get(address).text
            assert "Ask again" in text or "Ask\n" in text
            assert at("enter_rating", unfinished.session) in text
            assert f"?session={unfinished.session.code}" in text
        asked = olga.get(at("hand_over", clinic.olgas), {"session": unfinished.session.code})
        assert "came back" in asked.text
        answer = olga.post(at("hand_over", clinic.olgas), {"session": str(unfinished.session.code)})
        assert answer.url == reverse("rate:form")

    def test_a_whole_rating_is_not_asked_for_again(self, clinic, sign_in, session):
        cast.rating(session, 380)
        olga = sign_in(clinic.olga)
        answer = olga.post(at("hand_over", clinic.olgas), {"session": str(session.code)})
        assert (answer.status_code, "has its rating already: it came at" in answer.text) == (409, True)

    def test_is_asked_again_by_phone_and_in_a_room_too(self, clinic, session, unfinished):
        link = cast.link(session, by=clinic.olga)
        sending_actions.open_on_phone(grant=link.grant)
        record_rating(grant=link.grant, answers=cast.answers(380), mode=Mode.LINE)
        assert standing(session).replaces == unfinished

    def test_a_link_of_before_the_marks_opens_nothing(self, clinic, session):
        link = cast.link(session, by=clinic.olga)
        cast.rating(session, 390, goals=None)
        with pytest.raises(Refused, match="handed in already"):
            sending_actions.open_on_phone(grant=link.grant)

    def test_waits_while_it_is_out_again(self, clinic, sign_in, session, unfinished):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        olga = sign_in(clinic.olga)
        for address in (at("client", clinic.olgas), reverse("dashboard:work_list")):
            assert "Waiting for the rating" in olga.get(address).text
        olga.post(at("take_back", session))
        assert standing(session) == unfinished
        assert "Waiting for the rating" not in olga.get(at("client", clinic.olgas)).text
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE)

    def test_then_not_wanting_to_rate_is_a_state_of_its_own(self, clinic, sign_in, session):
        cast.rating(session, None)
        olga = sign_in(clinic.olga)
        assert "Nothing marked" in olga.get(at("client", clinic.olgas)).text
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.decline(grant=grant)
        text = olga.get(at("client", clinic.olgas)).text
        assert ("Client chose not to rate" in text, "Nothing marked" in text) == (True, False)

    def test_after_a_refusal_that_was_changed_the_empty_form_says_so(self, clinic, sign_in, session):
        """Declined first, then handed in with nothing marked: the later word counts."""
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.decline(grant=grant)
        cast.rating(session, None)
        assert "Nothing marked" in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_the_next_hand_over_of_the_day_is_for_this_session(self, clinic, session):
        cast.rating(session, None)
        assert which_session.session_to_rate(clinic.olgas, timezone.now()) == session
        cast.rating(session, 390, goals=None)
        assert which_session.session_to_rate(clinic.olgas, timezone.now()) is None

    def test_can_be_cancelled_and_stays_readable(self, clinic, session, unfinished):
        session_actions.change_session(
            session=session, held_at=session.held_at, modality="video", attendance="cancelled", by=clinic.olga
        )
        assert TherapySession.objects.get().attendance == "cancelled"
        assert not Rating.objects.standing().exists()
        (first,) = earlier(session)
        assert (first.rating, first.correction.why) == (unfinished, "The session: cancelled.")

    def test_two_devices_that_were_asked_one_after_the_other_make_one_rating(
        self, clinic, session, unfinished
    ):
        first, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        second, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        record_rating(grant=second, answers=cast.answers(380), mode=Mode.LINE)
        with pytest.raises(NotStored):
            record_rating(grant=first, answers=cast.answers(100), mode=Mode.LINE)
        assert standing(session).total == 380
        assert SetAsideRating.objects.get().session == session

    def test_what_stands_changed_meanwhile_the_marks_are_set_aside_and_not_lost(
        self, clinic, session, unfinished
    ):
        """The grant still thinks that it replaces what came first. The constraint knows better."""
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        RatingGrant.objects.filter(pk=grant.pk).update(withdrawn_at=None)
        cast.rating(session, 380)
        RatingGrant.objects.filter(pk=grant.pk).update(withdrawn_at=None, withdrawn_by=None)
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(100), mode=Mode.LINE)
        assert (standing(session).total, SetAsideRating.objects.get().reason) == (380, "disputed")


class TestSaidAloud:
    def test_what_the_client_left_out_is_added_and_their_marks_stay(self, clinic, sign_in, session, partial):
        olga = sign_in(clinic.olga)
        page = olga.get(at("enter_rating", session))
        form = page.context["form"]
        assert "Add what was said" in page.text
        assert [form[name].value() for name in cast.ITEMS] == ["9.8", None, "9.7", "9.7"]
        assert [form.fields[name].disabled for name in cast.ITEMS] == [True, False, True, True]
        typed = {"goals": "6,5", "relationship": "1", "channel": "verbal", "comment": "mine"}
        olga.post(at("enter_rating", session), {**typed, "seen": partial.code})
        added = standing(session)
        assert added.answers == {**partial.answers, "goals": 65}
        assert (added.replaces, added.mode, added.comment) == (partial, "verbal", "I am not sure.")
        (first,) = earlier(session)
        assert (first.rating, first.can_be_put_back) == (partial, True)
        decide.put_back(rating=added, by=clinic.olga)
        assert standing(session).answers == partial.answers

    def test_the_promise_about_the_sentence_goes_along(self, clinic, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        answers = cast.answers(390, goals=None)
        first = record_rating(
            grant=grant, answers=answers, mode=Mode.LINE, comment="x", share_comment=True, language="de"
        )
        added = enter_rating(
            session=session, answers={"goals": 10}, channel=Channel.VERBAL, seen=first.code, by=clinic.olga
        )
        assert (added.share_comment, added.language) == (True, "de")

    def test_nothing_added_is_told(self, clinic, sign_in, session, partial):
        answer = sign_in(clinic.olga).post(
            at("enter_rating", session), {"channel": "verbal", "seen": partial.code}
        )
        assert (answer.status_code, "Nothing was added" in answer.text) == (422, True)
        assert standing(session) == partial

    def test_marks_that_came_meanwhile_are_shown_before_anything_is_added(self, clinic, sign_in, session):
        """The page was opened when nothing had come: the client's own marks are not typed over unseen."""
        olga, typed = sign_in(clinic.olga), {"goals": "6,5", "relationship": "1", "channel": "paper"}
        olga.get(at("enter_rating", session))
        partial = cast.rating(session, 390, goals=None)
        stale = olga.post(at("enter_rating", session), typed)
        assert (stale.status_code, "Other marks stand" in stale.text) == (422, True)
        assert "6,5" in stale.text
        assert f'name="seen" value="{partial.code}"' in stale.text
        assert standing(session) == partial
        whole = cast.rating(session, 380)
        late = olga.post(at("enter_rating", session), {**typed, "seen": partial.code})
        assert (late.status_code, "has its rating already" in late.text) == (422, True)
        assert standing(session) == whole

    def test_after_an_empty_form_all_four_lines_are_typed(self, clinic, sign_in, session):
        empty = cast.rating(session, None)
        four = {"relationship": "8", "goals": "7", "approach": "9", "overall": "8", "channel": "verbal"}
        sign_in(clinic.olga).post(at("enter_rating", session), four)
        assert (standing(session).total, standing(session).replaces) == (320, empty)

    def test_a_correction_leaves_the_lines_the_client_marked(self, clinic, sign_in, session, partial):
        added = enter_rating(
            session=session, answers={"goals": 10}, channel=Channel.VERBAL, seen=partial.code, by=clinic.olga
        )
        olga = sign_in(clinic.olga)
        form = olga.get(at("correct_rating", added)).context["form"]
        assert [form.fields[name].disabled for name in cast.ITEMS] == [True, False, True, True]
        changed = {"goals": "7", "relationship": "1", "channel": "verbal", "comment": "I am not sure."}
        olga.post(at("correct_rating", added), {**changed, "why": "1 for 7"})
        assert standing(session).answers == {**partial.answers, "goals": 70}
        with pytest.raises(Refused, match="client's own"):
            decide.correct(
                rating=standing(session),
                answers=cast.answers(100),
                channel=Channel.VERBAL,
                why="x",
                by=clinic.olga,
            )


class TestTakeBack:
    """A page that was opened before the marks came must not say that it took anything back."""

    def test_says_that_the_marks_came_and_stand(self, clinic, sign_in, session, time_machine):
        noon = timezone.localtime().replace(hour=10, minute=52)
        time_machine.move_to(noon, tick=False)
        TherapySession.objects.update(held_at=noon - timedelta(hours=1), ends_at=noon)
        rating = cast.rating(session, 380)
        said = sign_in(clinic.olga).post(at("take_back", session), follow=True).text
        assert "nothing was taken back. The marks came at 10:52 and stand." in said
        assert reverse("marks:set_aside", args=[rating.code]) in said
        assert "the hand-over was taken back" not in said
        assert standing(session) == rating

    def test_names_the_day_where_it_was_another(self, clinic, sign_in, session, time_machine):
        cast.rating(session, 380)
        came = timezone.localtime()
        time_machine.move_to(came + timedelta(days=3), tick=False)
        said = sign_in(clinic.olga).post(at("take_back", session), follow=True).text
        assert f"The marks came on {came.day} {came:%B} {came.year} at" in said

    def test_says_so_where_it_was_taken_back(self, clinic, sign_in, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        olga = sign_in(clinic.olga)
        said = olga.post(at("take_back", session), follow=True).text
        assert "Session 1: the hand-over was taken back." in said
        grant.refresh_from_db()
        assert grant.withdrawn_by == clinic.olga
        again = olga.post(at("take_back", session), follow=True).text
        assert "No form was out for this session any more" in again
        assert "the hand-over was taken back" not in again

    def test_says_that_the_client_chose_not_to_rate(self, clinic, sign_in, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.decline(grant=grant)
        said = sign_in(clinic.olga).post(at("take_back", session), follow=True).text
        assert "nothing was taken back. The client chose not to rate." in said


def test_the_page_of_a_link_for_a_second_try_says_how_far_the_link_is(clinic, sign_in, session):
    cast.rating(session, 390, goals=None)
    link = cast.link(session, by=clinic.olga)
    olga = sign_in(clinic.olga)
    assert "Sent, not opened" in olga.get(at("sent", link.grant)).text
    sending_actions.open_on_phone(grant=link.grant)
    assert "Opened" in olga.get(at("sent", link.grant)).text
    record_rating(grant=link.grant, answers=cast.answers(380), mode=Mode.LINE)
    assert "Rated" in olga.get(at("sent", link.grant)).text
