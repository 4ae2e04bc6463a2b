"""The tablet of a room: paired once, waits, shows what it was sent, and reaches nothing else."""

import json
import re
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import limits
from alliance.models import AuditEvent
from clients.actions import Refused
from sessions_app import actions, codes, deliveries, rooms
from sessions_app.actions import sending
from sessions_app.models import TIME_TO_FINISH, Channel, PairedTablet, Rating, RatingGrant, SetAsideRating
from tests import cast
from tests.alliance.test_access_matrix import OURS, addresses, routes
from tests.sealed import parcel
from tests.sessions_app.test_rate_pages import marks
from tests.sessions_app.test_upload import OURS as OUR_PAGE
from tests.sessions_app.test_upload import UPLOAD

pytestmark = pytest.mark.django_db

ROOM, WAITING, START = (reverse(f"room:{name}") for name in ("home", "waiting", "start"))
FORM, DONE, GO = reverse("rate:form"), reverse("rate:done"), reverse("go:start")
TABLETS, PAIR = reverse("tablets:list"), reverse("tablets:pair")


def asks_to_be_paired(browser=None):
    browser = browser or Client()
    assert browser.post(ROOM).headers["Location"] == ROOM
    return browser


def code_on(browser):
    return re.search(r'<p class="code code--large" dir="ltr">([^<]+)</p>', browser.get(ROOM).text)[1]


def paired(clinic, name="Room 3", browser=None):
    browser = asks_to_be_paired(browser)
    browser.row = sending.pair(pairing_code=code_on(browser), name=name, by=clinic.adam)
    return browser


def state(browser):
    return browser.get(WAITING).json()["state"]


@pytest.fixture
def room(clinic):
    """The browser of the tablet in room 3; `room.row` is its row."""
    return paired(clinic)


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def sent(clinic, room, session):
    return cast.sent(session, tablet=room.row, by=clinic.olga)


class TestPairing:
    def test_looking_makes_no_row_and_the_code_comes_on_request(self, clinic):
        browser = Client()
        assert browser.get(ROOM).status_code == 200
        assert not PairedTablet.objects.exists()
        assert re.fullmatch(
            f"[{codes.ALPHABET}]{{3}} [{codes.ALPHABET}]{{3}}", code_on(asks_to_be_paired(browser))
        )
        assert code_on(browser) == code_on(browser)
        assert state(browser) == "asking"

    @pytest.mark.parametrize("name", ["olga", "adam"])
    def test_somebody_on_staff_enters_the_code_and_a_name(self, clinic, sign_in, name):
        tablet = asks_to_be_paired()
        typed = code_on(tablet).lower()
        page = sign_in(getattr(clinic, name)).post(
            PAIR, {"pairing_code": typed, "name": "Room 3"}, follow=True
        )
        assert "Room 3 is paired and waits for a form." in page.text
        assert "Waiting now" in page.text
        row = PairedTablet.objects.get()
        assert (row.name, row.paired_by, row.pairing_hash) == ("Room 3", getattr(clinic, name), None)
        assert state(tablet) == "waiting"
        assert "Room 3" in tablet.get(ROOM).text

    def test_the_key_is_in_a_cookie_of_its_own_and_stored_as_a_hash(self, room):
        cookie = room.cookies[rooms.COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["max-age"] == 400 * 24 * 3600
        assert cookie.value not in str(list(PairedTablet.objects.values()))
        assert cookie.value not in room.get(ROOM).text
        assert room.get(ROOM).cookies[rooms.COOKIE].value == cookie.value

    def test_no_member_of_staff_is_in_its_session(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        before = browser.cookies[settings.SESSION_COOKIE_NAME].value
        assert "This signs you out here" in browser.get(ROOM).text
        paired(clinic, browser=browser)
        assert "_auth_user_id" not in browser.session
        stolen = Client()
        stolen.cookies[settings.SESSION_COOKIE_NAME] = before
        assert stolen.get(TABLETS).status_code == 302

    def test_a_code_pairs_once_and_for_ten_minutes(self, clinic, room, time_machine):
        with pytest.raises(Refused, match="No tablet shows this code"):
            sending.pair(pairing_code=code_on(asks_to_be_paired())[::-1], name="Room 4", by=clinic.adam)
        late = asks_to_be_paired()
        shown = code_on(late)
        time_machine.move_to(timezone.now() + sending.PAIRING_FOR, tick=False)
        with pytest.raises(Refused, match="No tablet shows this code"):
            sending.pair(pairing_code=shown, name="Room 4", by=clinic.adam)
        assert "Show the code" in late.get(ROOM).text
        asks_to_be_paired()
        assert PairedTablet.objects.filter(paired_at=None).count() == 1

    def test_two_tablets_in_use_have_two_names(self, clinic, room, sign_in):
        typed = {"pairing_code": code_on(asks_to_be_paired()), "name": "room 3"}
        page = sign_in(clinic.olga).post(PAIR, typed)
        assert (page.status_code, "There is a tablet named room 3 already" in page.text) == (422, True)
        sending.revoke(tablet=room.row, by=clinic.olga)
        assert sign_in(clinic.olga).post(PAIR, typed).status_code == 302

    def test_a_paired_tablet_asks_for_no_other_code(self, room):
        asks_to_be_paired(room)
        assert PairedTablet.objects.count() == 1

    def test_whoever_asks_for_many_codes_has_to_wait(self, clinic):
        answers = [Client().post(ROOM).status_code for _ in range(11)]
        assert answers == [303] * 10 + [429]
        assert Client(REMOTE_ADDR="192.0.2.7").post(ROOM).status_code == 303

    def test_whoever_enters_many_wrong_codes_has_to_wait(self, clinic, sign_in, monkeypatch):
        monkeypatch.setitem(limits.LIMITS, "pairing_entered", "3/10m/user")
        browser = sign_in(clinic.olga)
        wrong = {"pairing_code": "222222", "name": "Room 3"}
        assert [browser.post(PAIR, wrong).status_code for _ in range(4)] == [422, 422, 422, 429]
        assert browser.get(PAIR).status_code == 200

    @pytest.mark.parametrize(
        "half",
        [
            {"name": "Room 3"},
            {"paired_at": timezone.now()},
            {"revoked_at": timezone.now()},
        ],
    )
    def test_the_database_refuses_half_a_pairing(self, clinic, half):
        with pytest.raises(IntegrityError), transaction.atomic():
            PairedTablet.objects.create(key_hash="x", pairing_until=timezone.now(), **half)


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
        assert set(room.session.keys()) == {"tablet"}
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
        token = deliveries.token_for(sent)
        time_machine.move_to(sent.open_until + TIME_TO_FINISH, tick=False)
        cast.sent(cast.therapy_session(clinic.carls), tablet=room.row, by=clinic.carl)
        body = json.dumps(parcel(token, marks()))
        reply = Client().post(UPLOAD, body, content_type="application/json", headers=OUR_PAGE)
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
        held = dict(room.session["tablet"])
        time_machine.move_to(sent.open_until + timedelta(minutes=9), tick=False)
        lock_again(room, held)
        assert state(room) == "filling"
        time_machine.move_to(sent.open_until + rooms.TIME_TO_FINISH, tick=False)
        lock_again(room, held)
        assert state(room) == "waiting"
        assert room.get(ROOM).status_code == 200

    def test_one_that_was_taken_back_or_not_wanted_leads_back_to_waiting(self, clinic, room, sent):
        room.post(START)
        assert "You can leave the tablet here." in room.post(reverse("rate:not_today"), follow=True).text
        assert state(room) == "waiting"
        again = cast.sent(sent.session, tablet=room.row, by=clinic.olga)
        room.post(START)
        actions.take_back(grant=again, by=clinic.olga)
        assert state(room) == "waiting"
        page = room.get(FORM)
        assert (page.status_code, "You can leave the tablet here." in page.text) == (410, True)
        assert room.post(START).headers["Location"] == ROOM

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
        assert "A form is open there. Sending takes its place." in page.text


def lock_again(browser, held):
    """The clock moved on past the session's end."""
    kept = browser.session
    kept["tablet"] = held
    kept.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = kept.session_key


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


class TestRevoking:
    def test_the_next_poll_says_so_and_the_key_opens_nothing(self, clinic, room, sent, sign_in):
        room.post(START)
        page = sign_in(clinic.olga).post(reverse("tablets:revoke", args=[room.row.code]), follow=True)
        assert "Room 3 is no longer paired." in page.text
        assert state(room) == "revoked"
        page = room.get(ROOM)
        assert (page.status_code, "This tablet is no longer paired." in page.text) == (410, True)
        assert room.post(START).headers["Location"] == ROOM
        assert room.get(FORM).status_code == 410
        room.post(FORM, marks())
        assert SetAsideRating.objects.get().grant == sent
        assert sent.session.ratings.count() == 0

    def test_can_be_paired_anew_and_is_then_another_tablet(self, clinic, room):
        sending.revoke(tablet=room.row, by=clinic.adam)
        old = room.row
        paired(clinic, browser=room)
        assert (room.row != old, state(room)) == (True, "waiting")

    def test_twice_is_told_and_sending_to_it_is_refused(self, clinic, room, session, sign_in):
        browser = sign_in(clinic.olga)
        stale = PairedTablet.objects.get()
        sending.revoke(tablet=room.row, by=clinic.adam)
        assert browser.post(reverse("tablets:revoke", args=[room.row.code])).status_code == 404
        for write in (
            lambda: sending.revoke(tablet=stale, by=clinic.olga),
            lambda: cast.sent(session, tablet=stale, by=clinic.olga),
        ):
            with pytest.raises(Refused, match="not paired any more"):
                write()

    def test_the_log_tells_who_paired_sent_and_revoked(self, clinic, room, sent, sign_in):
        sending.revoke(tablet=room.row, by=clinic.olga)
        lines = sign_in(clinic.adam).get(reverse("clinic:log")).context["lines"]
        assert [line.sentence for line in lines][:4] == [
            "Olga revoked the tablet of a room",
            "Olga took back a hand-over to client K-1",
            "Olga sent the form of client K-1 to the tablet of a room",
            "Adam paired the tablet of a room",
        ]


class TestWhatTheKeyReaches:
    @pytest.mark.parametrize("filling", [False, True])
    @pytest.mark.parametrize(("name", "entry"), OURS, ids=[name for name, _ in OURS])
    def test_every_page_of_staff_leads_to_the_room(self, world_of_rooms, name, entry, filling):
        room = world_of_rooms.room
        if filling:
            room.post(START)
        for address in addresses(world_of_rooms, name, entry):
            for htmx in ({}, {"HX-Request": "true"}):
                for ask in (room.get, room.post):
                    answer = ask(address, headers=htmx)
                    leads_to = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
                    assert (answer.status_code, leads_to) == (204 if htmx else 303, ROOM), address

    @pytest.fixture
    def world_of_rooms(self, clinic, room, sent):
        discussion_code = sent.session.code
        clinic.room = room
        clinic.codes = {
            "clients:": [clinic.olgas.client.code],
            "clinic:": [clinic.olga.pk],
            "dashboard:": [clinic.olgas.code, discussion_code],
            "caseload:": [clinic.olgas.code],
            "tablets:": [room.row.code],
        }
        return clinic

    def test_neither_sign_in_nor_link_nor_an_address_that_is_not_there(self, room):
        brought = [name for name, _ in routes() if name.startswith(("account_", "mfa_", "usersessions"))]
        assert "account_login" in brought
        for name in ("account_login", "mfa_authenticate", "account_reset_password", "mfa_index"):
            assert room.get(reverse(name)).headers["Location"] == ROOM
        for address in (GO, "/nowhere/", "/admin/", FORM):
            assert room.get(address).headers["Location"] == ROOM
        assert room.get(reverse("health")).status_code == 200

    def test_never_together_with_somebody_who_is_signed_in(self, clinic):
        tablet = asks_to_be_paired()
        shown = code_on(tablet)
        tablet.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert tablet.get(TABLETS).status_code == 200  # asks, and is not paired yet
        sending.pair(pairing_code=shown, name="Room 3", by=clinic.adam)
        assert tablet.get(TABLETS).headers["Location"] == ROOM
        assert "_auth_user_id" not in tablet.session

    @pytest.mark.parametrize("key", ["", "x", "a" * 43, "é"])
    def test_a_key_of_nobody_reaches_neither_room_nor_staff(self, room, sent, key):
        stranger = Client()
        stranger.cookies[rooms.COOKIE] = key
        assert stranger.get(WAITING).status_code == 404
        assert stranger.post(START).status_code == 404
        assert stranger.get(FORM).status_code == 404
        assert stranger.get(TABLETS).status_code == 302

    def test_a_handed_over_tablet_cannot_be_paired(self, clinic, client):
        _, token = actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        lock_again(client, {"token": token, "return_to": "/"})
        assert client.post(ROOM).headers["Location"] == FORM
        assert not PairedTablet.objects.exists()

    def test_a_tablet_handed_over_while_it_asked_to_be_paired_is_not_stuck(self, clinic):
        tablet = asks_to_be_paired()
        shown = code_on(tablet)
        _, token = actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        lock_again(tablet, {"token": token, "return_to": "/"})
        sending.pair(pairing_code=shown, name="Room 3", by=clinic.adam)
        assert tablet.post(FORM, marks()).headers["Location"] == DONE
        tablet.get(DONE)
        assert "The form shows here when" in tablet.get(ROOM).text

    def test_needs_the_csrf_token(self, clinic, room, sent):
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = room.cookies
        for address in (ROOM, START):
            assert strict.post(address).status_code == 403


class TestCost:
    def test_of_waiting(self, room, sent):
        room.get(WAITING)
        with CaptureQueriesContext(
            connection,
        ) as waiting:
            room.get(WAITING)
        room.post(START)
        with CaptureQueriesContext(connection) as filling:
            room.get(WAITING)
        print(f"a poll asks {len(waiting)} queries while waiting, {len(filling)} beside a form")
        assert (len(waiting) <= 2, len(filling) <= 5) == (True, True)

    def test_last_seen_is_written_once_a_minute(self, clinic, room, time_machine):
        def seen():
            return PairedTablet.objects.get().last_seen_at

        first = seen()
        time_machine.move_to(first + timedelta(seconds=59), tick=False)
        room.get(WAITING)
        assert seen() == first
        time_machine.shift(timedelta(seconds=1))
        room.get(WAITING)
        assert seen() == first + timedelta(minutes=1)

    @pytest.mark.parametrize("page", ["tablets", "hand over"])
    def test_pages_ask_the_same_number_of_queries_for_2_and_20_tablets(self, clinic, sign_in, page):
        browser, counts = sign_in(clinic.olga), []
        address = TABLETS if page == "tablets" else reverse("dashboard:hand_over", args=[clinic.olgas.code])
        for many in (2, 18):
            for place in range(many):
                rows = {
                    "paired_at": timezone.now(),
                    "paired_by": clinic.adam,
                    "pairing_until": timezone.now(),
                }
                PairedTablet.objects.create(
                    name=f"Room {many}-{place}",
                    key_hash=f"{many}-{place}",
                    last_seen_at=timezone.now(),
                    **rows,
                )
            browser.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(address).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]
