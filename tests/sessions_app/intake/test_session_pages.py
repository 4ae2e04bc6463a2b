"""What a therapist does with one session: hand over, take back, enter from paper, plan, change."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions, session_actions
from tests import cast
from tests.opened import save

pytestmark = pytest.mark.django_db


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


class TestHandOver:
    def test_the_confirmation_names_client_session_and_form_and_changes_nothing(self, clinic, sign_in):
        page = sign_in(clinic.olga).get(at("hand_over", clinic.olgas))
        for words in ("K-1", "a new one", "Session rating"):
            assert words in page.text
        assert not TherapySession.objects.exists()

    def test_ends_the_therapists_session_and_leaves_a_grant_in_a_new_cookie(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        before = browser.cookies["session"].value
        response = browser.post(at("hand_over", clinic.olgas))
        assert (response.status_code, response.url) == (303, reverse("rate:form"))
        assert browser.cookies["session"].value != before
        assert "_auth_user_id" not in browser.session
        old = Browser()
        old.cookies["session"] = before
        assert old.get(reverse("dashboard:work_list")).url.startswith(reverse("account_login"))
        assert RatingGrant.objects.get().session.attendance == "attended"

    def test_takes_todays_session_that_has_no_rating_yet(self, clinic, sign_in):
        cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=70)), 380)
        second = cast.therapy_session(clinic.olgas, ago=timedelta(minutes=55), attendance="planned")
        sign_in(clinic.olga).post(at("hand_over", clinic.olgas))
        assert RatingGrant.objects.latest("made_at").session == second

    @pytest.mark.parametrize("minutes", [0, 10, 49])
    def test_pressed_twice_after_midnight_it_is_one_session(self, clinic, time_machine, minutes):
        """The session that the first press adds began yesterday."""
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        time_machine.move_to(midnight + timedelta(minutes=minutes), tick=False)
        for _ in range(2):
            hand_over_actions.hand_over_now(episode=clinic.olgas, by=clinic.olga)
        assert TherapySession.objects.count() == 1

    def test_a_named_session_of_somebody_else_is_not_there(self, clinic, sign_in):
        foreign = cast.therapy_session(clinic.carls)
        for code in (foreign.code, "nonsense", uuid4()):
            response = sign_in(clinic.olga).post(at("hand_over", clinic.olgas), {"session": str(code)})
            assert response.status_code == 404
        assert not RatingGrant.objects.exists()

    def test_a_rated_session_or_a_closed_episode_is_refused_with_a_sentence(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        browser = sign_in(clinic.olga)
        response = browser.post(at("hand_over", clinic.olgas), {"session": str(session.code)})
        assert (response.status_code, "has its rating already" in response.text) == (409, True)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        response = browser.post(at("hand_over", clinic.olgas))
        assert (response.status_code, "closed" in response.text) == (409, True)
        assert browser.get(reverse("dashboard:work_list")).status_code == 200

    @pytest.mark.parametrize("attendance", ["cancelled", "did_not_attend"])
    def test_a_session_that_did_not_take_place_is_not_asked_for(self, clinic, sign_in, attendance):
        session = cast.therapy_session(clinic.olgas, attendance=attendance)
        response = sign_in(clinic.olga).post(at("hand_over", clinic.olgas), {"session": str(session.code)})
        assert response.status_code == 409
        assert "Session 1 did not take place. Change its attendance first." in response.text
        assert not RatingGrant.objects.exists()
        session.refresh_from_db()
        assert session.attendance == attendance

    def test_can_be_taken_back(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        sign_in(clinic.olga).post(at("take_back", session))
        grant.refresh_from_db()
        assert grant.withdrawn_by == clinic.olga


class TestPaperRating:
    four = {"relationship": "8,2", "goals": "7.5", "approach": "9", "overall": "", "channel": "paper"}  # noqa: RUF012

    def test_stores_tenths_and_leaves_the_unanswered_line_out(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        response = sign_in(clinic.olga).post(at("enter_rating", session), self.four)
        assert response.url == at("client", clinic.olgas)
        rating = Rating.objects.get()
        assert rating.answers == {"relationship": 82, "goals": 75, "approach": 90, "overall": None}
        assert (rating.total, rating.mode) == (None, "paper")

    @pytest.mark.parametrize("wrong", ["10.1", "-1", "8.25", "eight", "NaN", "1e1", "\x00"])
    def test_a_wrong_figure_is_told_and_nothing_typed_is_lost(self, clinic, sign_in, wrong):
        session = cast.therapy_session(clinic.olgas)
        response = sign_in(clinic.olga).post(at("enter_rating", session), {**self.four, "goals": wrong})
        assert response.status_code == 422
        assert "8,2" in response.text
        assert not Rating.objects.exists()

    def test_four_empty_lines_are_no_rating(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        empty = dict.fromkeys(cast.ITEMS, "") | {"channel": "verbal"}
        response = sign_in(clinic.olga).post(at("enter_rating", session), empty)
        assert (response.status_code, Rating.objects.count()) == (422, 0)

    def test_a_second_rating_of_a_session_is_refused_with_a_sentence(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        response = sign_in(clinic.olga).post(at("enter_rating", session), self.four)
        assert (response.status_code, "has its rating already" in response.text) == (422, True)
        assert Rating.objects.get().total == 380


class TestSessions:
    def test_a_session_is_added_with_the_next_number_in_the_clinics_time_zone(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas)
        day = timezone.localdate() + timedelta(days=2)
        data = {"held_at": f"{day}T14:30", "modality": "video", "attendance": "planned"}
        sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        session = TherapySession.objects.get(number=2)
        assert timezone.localtime(session.held_at).strftime("%H:%M") == "14:30"
        assert session.modality == "video"

    @pytest.mark.parametrize(
        ("days", "attendance", "sentence"),
        [
            (1, "attended", "still to come"),
            (-3000, "planned", "before the episode"),
            (400, "planned", "more than a year ahead"),
        ],
    )
    def test_an_impossible_date_is_told(self, clinic, sign_in, days, attendance, sentence):
        when = timezone.localdate() + timedelta(days=days)
        data = {"held_at": f"{when}T10:00", "modality": "phone", "attendance": attendance}
        response = sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        assert (response.status_code, sentence in response.text) == (422, True)
        assert not TherapySession.objects.exists()

    def test_a_rated_session_took_place(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        held_at = timezone.localtime(session.held_at).strftime("%Y-%m-%dT%H:%M")
        data = {"held_at": held_at, "modality": "phone", "attendance": "cancelled"}
        response = save(sign_in(clinic.olga), at("change_session", session), **data)
        assert (response.status_code, "took place" in response.text) == (422, True)

    @pytest.mark.parametrize("attendance", ["cancelled", "did_not_attend", "planned"])
    def test_a_session_that_is_handed_over_is_taking_place(self, clinic, sign_in, attendance):
        session = cast.therapy_session(clinic.olgas)
        hand_over_actions.hand_over(session=session, by=clinic.olga)
        held_at = timezone.localtime(session.held_at).strftime("%Y-%m-%dT%H:%M")
        data = {"held_at": held_at, "modality": "phone", "attendance": attendance}
        response = save(sign_in(clinic.olga), at("change_session", session), **data)
        assert (response.status_code, "Take that back first" in response.text) == (422, True)

    def test_a_session_to_come_is_not_rated(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(days=-7), attendance="planned")
        response = sign_in(clinic.olga).post(at("enter_rating", session), TestPaperRating.four)
        assert (response.status_code, "still to come" in response.text) == (422, True)
        assert at("enter_rating", session) not in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_a_closed_episode_gets_no_session(self, clinic, sign_in):
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        data = {"held_at": f"{timezone.localdate()}T10:00", "modality": "phone", "attendance": "planned"}
        response = sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        assert (response.status_code, "closed" in response.text) == (422, True)

    def test_sessions_are_numbered_as_they_follow_each_other(self, clinic):
        def add(days):
            return session_actions.add_session(
                episode=clinic.olgas, held_at=timezone.now() + timedelta(days=days), by=clinic.olga
            )

        today, next_week = add(0), add(7)
        cast.rating(today, 380)
        forgotten, tomorrow = add(-7), add(1)
        numbers = {one.pk: one.number for one in TherapySession.objects.all()}
        assert [numbers[one.pk] for one in (forgotten, today, tomorrow, next_week)] == [1, 2, 3, 4]
        assert (forgotten.number, tomorrow.number) == (1, 3)

    def test_of_two_at_the_same_time_one_is_changed_without_the_question_about_the_other(
        self, clinic, sign_in
    ):
        """The person said so when it was added; who moves one there is asked."""
        held_at = cast.an_hour_ago().replace(second=0, microsecond=0)
        one, _ = (cast.therapy_session(clinic.olgas, held_at=held_at) for _ in range(2))
        third = cast.therapy_session(clinic.olgas, ago=timedelta(days=2))
        stays = {"modality": "phone", "attendance": "attended", "minutes": 30}
        there, browser = timezone.localtime(held_at).strftime("%Y-%m-%dT%H:%M"), sign_in(clinic.olga)
        assert save(browser, at("change_session", one), held_at=there, **stays).status_code == 302
        one.refresh_from_db()
        assert (one.ends_at - one.held_at, one.modality) == (timedelta(minutes=30), "phone")
        asked = save(browser, at("change_session", third), held_at=there, **stays)
        assert (asked.status_code, list(asked.context["form"].errors)) == (422, ["another"])

    def test_a_session_that_is_moved_takes_its_new_place_and_the_flags_follow(self, clinic):
        first, second = cast.rated_course(clinic.olgas, [330, 380], last_ago=timedelta(days=1))
        assert not Flag.objects.standing().filter(rule="C").exists()
        session_actions.change_session(
            session=first, held_at=timezone.now(), modality="phone", attendance="attended", by=clinic.olga
        )
        assert list(clinic.olgas.sessions.order_by("number")) == [second, first]
        assert Flag.objects.standing().get(rule="C").session == first
