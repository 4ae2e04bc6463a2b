"""A form that is sent twice adds once, whatever the browser does: double click, reload, Back and another press."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.tokens import hash_of_token
from sessions_app.intake import hand_over_actions, sending_actions, session_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.opened import save
from tests.sessions_app.intake.pairing import paired

pytestmark = pytest.mark.django_db
FOUR = {"relationship": "8", "goals": "7", "approach": "9", "overall": "8", "channel": "paper"}


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


def the_form(**fields):
    held_at = f"{timezone.localdate()}T07:30"
    return {
        "held_at": held_at,
        "modality": "video",
        "attendance": "planned",
        "form_key": str(uuid4()),
        **fields,
    }


@pytest.fixture
def add(clinic, sign_in):
    return lambda data: sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)


class TestSessions:
    def test_the_same_form_sent_three_times_is_one_session_and_lands_where_the_first_did(self, clinic, add):
        form = the_form()
        assert [add(form).url for _ in range(3)] == [at("client", clinic.olgas)] * 3
        assert TherapySession.objects.count() == 1

    def test_each_drawn_page_has_a_key_of_its_own_and_keeps_it_with_its_errors(self, clinic, sign_in):
        olga = sign_in(clinic.olga)
        keys = [
            olga.get(at("add_session", clinic.olgas)).context["form"]["form_key"].value() for _ in range(2)
        ]
        assert keys[0] != keys[1]
        form = the_form(held_at="nonsense")
        assert form["form_key"] in olga.post(at("add_session", clinic.olgas), form).text

    def test_the_same_once_more_from_a_new_page_is_asked_about(self, clinic, add):
        add(the_form())
        answer = add(the_form())
        assert answer.status_code == 422
        assert "There is already a session at this time: session 1" in answer.text
        assert 'type="checkbox" name="another"' in answer.text
        assert TherapySession.objects.count() == 1
        add(the_form(another="on"))
        assert [one.number for one in TherapySession.objects.all()] == [1, 2]

    def test_moved_to_the_time_of_another_it_is_asked_about_and_saved_as_it_is_not(self, clinic, sign_in):
        first = cast.therapy_session(clinic.olgas, ago=timedelta(days=2))
        second = cast.therapy_session(clinic.olgas, ago=timedelta(days=1))
        form = the_form(held_at=f"{timezone.localtime(first.held_at):%Y-%m-%dT%H:%M}", attendance="attended")
        olga = sign_in(clinic.olga)
        assert olga.post(at("change_session", second), form).status_code == 422
        assert save(olga, at("change_session", second), **form, another="on").status_code == 302
        unmoved = form | {"held_at": f"{timezone.localtime(second.held_at):%Y-%m-%dT%H:%M}"}
        second.refresh_from_db()
        assert second.held_at.replace(second=0, microsecond=0) == first.held_at.replace(
            second=0, microsecond=0
        )
        assert save(olga, at("change_session", second), **unmoved, another="on").status_code == 302

    def test_a_key_of_somebody_elses_form_shows_nothing_of_it(self, clinic):
        key, now = uuid4(), timezone.now()
        session_actions.add_session(episode=clinic.carls, held_at=now, by=clinic.carl, form_key=key)
        with pytest.raises(Refused, match="sent before"):
            session_actions.add_session(episode=clinic.olgas, held_at=now, by=clinic.olga, form_key=key)

    def test_its_length_can_be_changed(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        form = the_form(
            held_at=f"{timezone.localtime(session.held_at):%Y-%m-%dT%H:%M}", attendance="attended"
        )
        olga = sign_in(clinic.olga)
        for minutes, stored in (("90", 90), ("", 90)):  # left empty, it stays as it is
            save(olga, at("change_session", session), **form, minutes=minutes)
            session.refresh_from_db()
            assert session.ends_at - session.held_at == timedelta(minutes=stored)
        assert olga.post(at("change_session", session), {**form, "minutes": "-5"}).status_code == 422


class TestOverlaps:
    def test_another_session_at_the_same_time_is_pointed_out_and_saved(self, clinic, sign_in):
        other, now = cast.episode(clinic.olga, "K-7"), timezone.localtime()
        begins = now.replace(hour=7, minute=0, second=0, microsecond=0)
        cast.therapy_session(other, held_at=begins, attendance="planned")
        page = sign_in(clinic.olga).post(at("add_session", clinic.olgas), the_form(), follow=True)
        assert "It overlaps session 1 of K-7" in page.text
        assert clinic.olgas.sessions.count() == 1

    @pytest.mark.parametrize("held", [{"hour": 9}, {"hour": 7, "attendance": "cancelled"}])
    def test_nothing_is_said_of_one_beside_it_or_cancelled_or_a_colleagues(self, clinic, sign_in, held):
        begins = timezone.localtime().replace(hour=held.pop("hour"), minute=30, second=0, microsecond=0)
        cast.therapy_session(
            cast.episode(clinic.olga, "K-7"), held_at=begins, **{"attendance": "planned", **held}
        )
        cast.therapy_session(clinic.carls, held_at=begins.replace(hour=7), attendance="planned")
        page = sign_in(clinic.olga).post(at("add_session", clinic.olgas), the_form(), follow=True)
        assert "It overlaps" not in page.text


class TestForms:
    def test_a_hand_over_sent_twice_is_one_session_one_grant_and_one_key(self, clinic):
        key = uuid4()
        pressed = [
            hand_over_actions.hand_over_now(episode=clinic.olgas, by=clinic.olga, new=True, form_key=key)
            for _ in range(2)
        ]
        assert pressed[0] == pressed[1]
        assert hash_of_token(pressed[0][1]) == RatingGrant.objects.get().token_hash
        assert TherapySession.objects.count() == 1

    def test_sent_again_after_the_client_handed_in_it_asks_nobody_again(self, clinic):
        key = uuid4()
        asked = {"episode": clinic.olgas, "by": clinic.olga, "new": True, "form_key": key}
        grant, _ = hand_over_actions.hand_over_now(**asked)
        record_rating(grant=grant, answers=cast.answers(), mode="line")
        with pytest.raises(Refused, match="was sent before"):
            hand_over_actions.hand_over_now(**asked)
        assert (TherapySession.objects.count(), RatingGrant.objects.count()) == (1, 1)

    def test_a_link_page_that_is_reloaded_shows_the_same_link_and_code(self, clinic, sign_in):
        olga, form = sign_in(clinic.olga), {"session": "new", "form_key": str(uuid4())}
        shown = [olga.post(at("make_link", clinic.olgas), form).context for _ in range(2)]
        assert shown[0]["link"] == shown[1]["link"]
        assert shown[0]["short_code"] == shown[1]["short_code"]
        grant = RatingGrant.objects.get()
        opened = Browser().post(reverse("go:start"), {"token": shown[1]["link"].partition("#")[2]})
        assert opened.status_code == 303
        # It opens nothing any more, so it is shown no more.
        third = olga.post(at("make_link", clinic.olgas), form)
        assert (third.context["state"], grant.session.number) == ("opened", 1)
        assert "short-code" not in third.text

    def test_the_link_cannot_be_told_from_its_key_without_the_sites_secret(self, clinic, settings):
        session, key = cast.therapy_session(clinic.olgas), uuid4()
        asked = {"episode": clinic.olgas, "session": session, "by": clinic.olga, "form_key": key}
        first = sending_actions.make_link(**asked)
        settings.SECRET_KEY = "x" * 60
        with pytest.raises(Refused, match="shown only once"):
            sending_actions.make_link(**asked)
        settings.SECRET_KEY = "y" * 60
        fresh = sending_actions.make_link(**{**asked, "form_key": uuid4()})
        assert fresh.token != first.token

    def test_another_button_of_the_same_page_is_another_press(self, clinic, sign_in):
        olga, rooms = sign_in(clinic.olga), [paired(clinic), paired(clinic, name="Room 4")]
        form = {"session": "new", "form_key": str(uuid4())}
        olga.post(at("make_link", clinic.olgas), form)
        for room in (*rooms, rooms[1]):
            olga.post(at("send", clinic.olgas), {**form, "tablet": str(room.row.code)})
        assert TherapySession.objects.count() == 1
        assert [grant.channel for grant in RatingGrant.objects.order_by("pk")] == [
            "phone",
            "paired",
            "paired",
        ]
        (waiting,) = RatingGrant.objects.awaiting(timezone.now())
        assert waiting.paired_tablet == rooms[1].row

    @pytest.mark.parametrize("new", [False, True])
    def test_a_paper_rating_sent_twice_is_stored_once_and_says_so_twice(self, clinic, sign_in, new):
        of = clinic.olgas if new else cast.therapy_session(clinic.olgas)
        address = at("enter_new_rating" if new else "enter_rating", of)
        form = {**FOUR, "form_key": str(uuid4())}
        for _ in range(2):
            page = sign_in(clinic.olga).post(address, form, follow=True)
            assert "The rating of session 1 is stored." in page.text
        assert (Rating.objects.count(), TherapySession.objects.count()) == (1, 1)

    def test_a_session_that_was_added_in_another_tab_is_said_before_a_new_one_is_made(self, clinic, sign_in):
        olga = sign_in(clinic.olga)
        page = olga.get(at("hand_over", clinic.olgas))
        seen = ["", *map(str, page.context["choice"].seen)]
        cast.therapy_session(clinic.olgas, ago=timedelta(minutes=5))
        form = {"session": "new", "seen": seen, "form_key": str(uuid4())}
        answer = olga.post(at("hand_over", clinic.olgas), form)
        assert (answer.status_code, "was added meanwhile" in answer.text) == (409, True)
        assert (TherapySession.objects.count(), RatingGrant.objects.count()) == (1, 0)
        form["seen"] = ["", *map(str, answer.context["choice"].seen)]
        assert olga.post(at("hand_over", clinic.olgas), form).status_code == 303
        assert TherapySession.objects.count() == 2
