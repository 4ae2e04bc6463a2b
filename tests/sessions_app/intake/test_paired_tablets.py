"""The tablet of a room: waits, shows the form it was sent, and waits again."""

import json
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from sessions_app.courses.grants import TIME_TO_FINISH, Channel, RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.intake import hand_over_actions, sealed_upload, sending_actions
from sessions_app.intake.paper_entry import enter_rating
from tests import cast
from tests.bench.sealed import parcel
from tests.sessions_app.corrections.marks import use, withdrawn
from tests.sessions_app.intake.pairing import DONE, FORM, ROOM, START, lock_again, paired, state
from tests.sessions_app.intake.rate_form import marks
from tests.sessions_app.intake.test_upload import OURS as OUR_PAGE
from tests.sessions_app.intake.test_upload import UPLOAD

pytestmark = pytest.mark.django_db


class TestSending:
    def press(self, browser, clinic, room, **data):
        return browser.post(
            reverse("dashboard:send", args=[clinic.olgas.code]), {"tablet": str(room.row.code), **data}
        )

    def test_two_presses_from_the_sessions_row(self, clinic, room, session, sign_in):
        browser = sign_in(clinic.olga)
        hand_over = f"{reverse('dashboard:hand_over', args=[clinic.olgas.code])}?session={session.code}"
        assert f'href="{hand_over}"' in browser.get(reverse("dashboard:work_list")).text
        assert "Send to Room 3" in browser.get(hand_over).text
        page = browser.post(
            reverse("dashboard:send", args=[clinic.olgas.code]),
            {"tablet": str(room.row.code), "session": str(session.code)},
            follow=True,
        )
        assert "Sent to Room 3." in page.text
        assert "Sent, not opened" in page.text
        assert state(room) == "sent"

    def test_the_tablet_shows_the_form_and_goes_back_to_waiting(self, clinic, room, session, sent):
        assert room.get(ROOM).status_code == 200
        sent.refresh_from_db()
        assert sent.opened_at is None
        assert room.post(START).headers["Location"] == FORM
        assert set(room.session.keys()) == {"device_lock"}
        assert state(room) == "filling"
        assert room.get(ROOM).headers["Location"] == FORM
        page = room.post(FORM, marks(), follow=True)
        assert "Thank you. You can leave the tablet here." in page.text
        assert f'href="{ROOM}" data-leave="8"' in page.text
        assert "Staff" not in page.text
        assert state(room) == "waiting"
        assert "The form shows here when" in room.get(ROOM).text
        assert Rating.objects.get().grant.channel == Channel.PAIRED

    def test_no_page_of_it_names_a_client(self, clinic, room, sent):
        pages = [
            room.get(ROOM),
            room.post(START, follow=True),
            room.get(FORM),
            room.post(FORM, marks(), follow=True),
        ]
        for page in [*pages, room.get(ROOM)]:
            assert page.status_code == 200
            for words in ("K-1", "Olga", str(sent.code)):
                assert words not in page.text

    def test_a_newer_one_takes_the_place_of_one_that_nobody_answered(self, clinic, room, sent):
        room.post(START)
        second = cast.sent(cast.therapy_session(clinic.carls), tablet=room.row, by=clinic.carl)
        sent.refresh_from_db()
        assert sent.withdrawn_by == clinic.carl
        assert AuditEvent.objects.filter(
            action="hand-over taken back", client=clinic.olgas.client.code
        ).exists()
        assert state(room) == "sent"
        room.post(FORM, marks())  # of whoever still had the old form before them
        assert SetAsideRating.objects.get().grant == sent
        room.post(START)
        room.post(FORM, marks())
        assert Rating.objects.get().grant == second

    def test_one_that_can_be_on_no_screen_any_more_keeps_its_place(self, clinic, room, sent, time_machine):
        """Its marks wait on the tablet, which has no connection; the next client's form must not undo them."""
        room.post(START)
        token = sealed_upload.token_for(sent)
        time_machine.move_to(sent.open_until + TIME_TO_FINISH, tick=False)
        cast.sent(cast.therapy_session(clinic.carls), tablet=room.row, by=clinic.carl)
        body = json.dumps(parcel(token, marks()))
        reply = Browser().post(UPLOAD, body, content_type="application/json", headers=OUR_PAGE)
        assert reply.status_code == 201
        assert Rating.objects.get().grant == sent

    def test_a_tablet_that_was_switched_off_goes_on_with_its_form(self, room, sent):
        room.post(START)
        del room.cookies[settings.SESSION_COOKIE_NAME]
        assert state(room) == "sent"
        room.post(START)
        assert room.get(FORM).status_code == 200
        assert AuditEvent.objects.filter(action="form opened").count() == 1

    def test_whoever_began_late_has_time_to_finish(self, room, sent, time_machine):
        room.post(START)
        held = dict(room.session["device_lock"])
        time_machine.move_to(sent.open_until + timedelta(minutes=9), tick=False)
        lock_again(room, held)
        assert state(room) == "filling"
        time_machine.move_to(sent.open_until + TIME_TO_FINISH, tick=False)
        lock_again(room, held)
        assert state(room) == "waiting"
        assert room.get(ROOM).status_code == 200

    def test_one_that_was_taken_back_or_not_wanted_leads_back_to_waiting(self, clinic, room, sent):
        room.post(START)
        assert "You can leave the tablet here." in room.post(reverse("rate:not_today"), follow=True).text
        assert state(room) == "waiting"
        again = cast.sent(sent.session, tablet=room.row, by=clinic.olga)
        room.post(START)
        hand_over_actions.take_back(grant=again, by=clinic.olga)
        assert state(room) == "waiting"
        page = room.get(FORM)
        assert (page.status_code, "You can leave the tablet here." in page.text) == (410, True)
        assert room.post(START).headers["Location"] == ROOM

    @pytest.mark.parametrize("is_opened", [True, False])
    def test_one_whose_rating_was_entered_from_paper_leads_back_to_waiting(
        self, clinic, room, sent, is_opened
    ):
        """The client preferred paper: the next person must not find this one's form, and fill it in."""
        if is_opened:
            room.post(START)
            room.get(FORM)
        paper = {"answers": cast.answers(380), "channel": Channel.PAPER}
        rating = enter_rating(session=sent.session, **paper, by=clinic.olga)
        assert state(room) == "waiting"
        assert room.post(START).headers["Location"] == ROOM
        sent.refresh_from_db()
        assert sent.withdrawn_by == clinic.olga
        body = json.dumps(parcel(sealed_upload.token_for(sent), marks()))
        reply = Browser().post(UPLOAD, body, content_type="application/json", headers=OUR_PAGE)
        assert (reply.status_code, reply.json()["stored"]) == (410, True)
        assert (Rating.objects.get(), SetAsideRating.objects.get().grant) == (rating, sent)

    def test_so_does_one_whose_session_got_other_marks_that_had_been_set_aside(self, clinic, room, session):
        aside = withdrawn(session)
        second = cast.sent(session, tablet=room.row, by=clinic.olga)
        room.post(START)
        use(aside)
        assert state(room) == "waiting"
        second.refresh_from_db()
        assert second.withdrawn_by == clinic.olga

    def test_one_whose_marks_came_from_elsewhere_says_that_it_was_handed_in(self, room, sent):
        """Its own page delivers them sealed, and asks; what it was sent next is not what it has in hand."""
        room.post(START)
        body = json.dumps(parcel(sealed_upload.token_for(sent), marks()))
        reply = Browser().post(UPLOAD, body, content_type="application/json", headers=OUR_PAGE)
        assert reply.status_code == 201
        assert state(room) == "handed in"
        assert "Thank you" in room.get(DONE, follow=True).text
        assert state(room) == "waiting"

    def test_one_that_is_taken_back_while_the_tablet_fetches_it_is_not_opened(
        self, clinic, room, sent, monkeypatch
    ):
        lock_episode = sending_actions.lock_episode

        def taken_back_first(episode):
            monkeypatch.setattr(sending_actions, "lock_episode", lock_episode)
            hand_over_actions.take_back(grant=sent, by=clinic.olga)
            return lock_episode(episode)

        monkeypatch.setattr(sending_actions, "lock_episode", taken_back_first)
        assert room.post(START).headers["Location"] == ROOM
        assert "device_lock" not in room.session
        sent.refresh_from_db()
        assert sent.opened_at is None
        assert not AuditEvent.objects.filter(action="form opened").exists()

    def test_an_unopened_one_ends_with_its_time(self, room, sent, time_machine):
        time_machine.move_to(sent.open_until, tick=False)
        assert state(room) == "waiting"
        assert room.post(START).headers["Location"] == ROOM

    def test_each_tablet_opens_only_what_it_was_sent(self, clinic, room, sent):
        other = paired(clinic, "Room 4")
        assert state(other) == "waiting"
        assert other.post(START).headers["Location"] == ROOM
        assert other.get(FORM).headers["Location"] == ROOM
        assert room.post(START).headers["Location"] == FORM

    @pytest.mark.parametrize("tablet", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
    def test_a_tablet_that_is_not_there_is_told(self, clinic, session, sign_in, tablet):
        page = sign_in(clinic.olga).post(
            reverse("dashboard:send", args=[clinic.olgas.code]), {"tablet": tablet}
        )
        assert (page.status_code, "not paired any more" in page.text) == (409, True)
        assert not RatingGrant.objects.exists()

    def test_a_refusal_changes_nothing_on_the_tablet(self, clinic, room, sent, session, sign_in):
        rated = cast.therapy_session(clinic.olgas)
        cast.rating(rated, 380)
        page = self.press(sign_in(clinic.olga), clinic, room, session=str(rated.code))
        assert (page.status_code, "has its rating already" in page.text) == (409, True)
        sent.refresh_from_db()
        assert sent.withdrawn_at is None

    def test_a_foreign_clients_form_is_not_sent(self, clinic, room, sign_in):
        assert self.press(sign_in(clinic.carl), clinic, room).status_code == 404
        assert state(room) == "waiting"

    def test_says_before_it_takes_the_place_of_another(self, clinic, room, sent, sign_in):
        page = sign_in(clinic.olga).get(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
        assert "A form is open there. Sending takes its place;" in page.text


@pytest.mark.django_db(transaction=True)
def test_two_who_send_in_opposite_directions_do_not_wait_for_each_other(clinic, room, session):
    """Each form takes the place of the other's episode: with two orders of locks one would be a victim."""
    other, second = paired(clinic, "Room 4"), cast.therapy_session(clinic.carls)
    errors = []

    def send(of, tablet, by):
        try:
            cast.sent(of, tablet=tablet, by=by)
        except DatabaseError as error:
            errors.append(error)
        finally:
            connection.close()

    for _ in range(10):
        cast.sent(session, tablet=other.row, by=clinic.olga)
        cast.sent(second, tablet=room.row, by=clinic.carl)
        pairs = [(session, room.row, clinic.olga), (second, other.row, clinic.carl)]
        senders = [threading.Thread(target=send, args=pair) for pair in pairs]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    assert errors == []
    shown = [RatingGrant.objects.sent_to(one.row, timezone.now()) for one in (room, other)]
    assert [one.session for one in shown] == [session, second]
