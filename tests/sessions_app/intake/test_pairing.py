"""The tablet of a room: paired once, listed, revoked; its key reaches nothing else."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import rate_limits
from alliance.refused import Refused
from sessions_app.courses.models import SetAsideRating
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import hand_over_actions, room_tablets, sending_actions, short_codes
from tests import cast
from tests.alliance.page_table import OURS, addresses, routes
from tests.sessions_app.intake.pairing import (
    DONE,
    FORM,
    GO,
    PAIR,
    ROOM,
    START,
    TABLETS,
    WAITING,
    asks_to_be_paired,
    code_on,
    lock_again,
    paired,
    state,
)
from tests.sessions_app.intake.rate_form import marks

pytestmark = pytest.mark.django_db


class TestPairing:
    def test_looking_makes_no_row_and_the_code_comes_on_request(self, clinic):
        browser = Client()
        assert browser.get(ROOM).status_code == 200
        assert not PairedTablet.objects.exists()
        assert re.fullmatch(
            f"[{short_codes.ALPHABET}]{{3}} [{short_codes.ALPHABET}]{{3}}",
            code_on(asks_to_be_paired(browser)),
        )
        assert code_on(browser) == code_on(browser)
        assert state(browser) == "asking"

    def test_two_tablets_never_show_one_code(self, clinic, monkeypatch):
        """Codes are short: whoever types one would pair whichever tablet came first."""
        drawn = iter(["first", "first", "second"])
        monkeypatch.setattr(sending_actions, "new_token", lambda: next(drawn))
        assert [sending_actions.ask_to_be_paired() for _ in range(2)] == ["first", "second"]
        assert PairedTablet.objects.count() == 2

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
        cookie = room.cookies[room_tablets.COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["max-age"] == 400 * 24 * 3600
        assert cookie.value not in str(list(PairedTablet.objects.values()))
        assert cookie.value not in room.get(ROOM).text
        assert room.get(ROOM).cookies[room_tablets.COOKIE].value == cookie.value

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
            sending_actions.pair(
                pairing_code=code_on(asks_to_be_paired())[::-1], name="Room 4", by=clinic.adam
            )
        late = asks_to_be_paired()
        shown = code_on(late)
        time_machine.move_to(timezone.now() + sending_actions.PAIRING_FOR, tick=False)
        with pytest.raises(Refused, match="No tablet shows this code"):
            sending_actions.pair(pairing_code=shown, name="Room 4", by=clinic.adam)
        assert "Show the code" in late.get(ROOM).text
        asks_to_be_paired()
        assert PairedTablet.objects.filter(paired_at=None).count() == 1

    def test_two_tablets_in_use_have_two_names(self, clinic, room, sign_in):
        typed = {"pairing_code": code_on(asks_to_be_paired()), "name": "room 3"}
        page = sign_in(clinic.olga).post(PAIR, typed)
        assert (page.status_code, "There is a tablet named room 3 already" in page.text) == (422, True)
        sending_actions.revoke(tablet=room.row, by=clinic.olga)
        assert sign_in(clinic.olga).post(PAIR, typed).status_code == 302

    def test_a_paired_tablet_asks_for_no_other_code(self, room):
        asks_to_be_paired(room)
        assert PairedTablet.objects.count() == 1

    def test_whoever_asks_for_many_codes_has_to_wait(self, clinic, monkeypatch):
        monkeypatch.setitem(rate_limits.LIMITS, "pairing_shown", "10/10m/ip")
        answers = [Client().post(ROOM).status_code for _ in range(11)]
        assert answers == [303] * 10 + [429]
        assert Client(REMOTE_ADDR="192.0.2.7").post(ROOM).status_code == 303

    def test_whoever_enters_many_wrong_codes_has_to_wait(self, clinic, sign_in, monkeypatch):
        monkeypatch.setitem(rate_limits.LIMITS, "pairing_entered", "3/10m/user")
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
        sending_actions.revoke(tablet=room.row, by=clinic.adam)
        old = room.row
        paired(clinic, browser=room)
        assert (room.row != old, state(room)) == (True, "waiting")

    def test_twice_is_told_and_sending_to_it_is_refused(self, clinic, room, session, sign_in):
        browser = sign_in(clinic.olga)
        stale = PairedTablet.objects.get()
        sending_actions.revoke(tablet=room.row, by=clinic.adam)
        address = reverse("tablets:revoke", args=[room.row.code])
        assert browser.get(address).status_code == 404
        assert "Room 3 is not paired any more." in browser.post(address, follow=True).text
        for write in (
            lambda: sending_actions.revoke(tablet=stale, by=clinic.olga),
            lambda: cast.sent(session, tablet=stale, by=clinic.olga),
        ):
            with pytest.raises(Refused, match="not paired any more"):
                write()

    def test_the_log_tells_who_paired_sent_and_revoked(self, clinic, room, sent, sign_in):
        sending_actions.revoke(tablet=room.row, by=clinic.olga)
        lines = sign_in(clinic.adam).get(reverse("clinic:log")).context["lines"]
        assert [line.sentence for line in lines][:4] == [
            "Olga revoked the tablet of a room",
            "Olga took back a hand-over to client K-1",
            "Olga sent the form of client K-1 to the tablet of a room",
            "Adam paired the tablet of a room",
        ]


class TestWhatTheKeyReaches:
    @pytest.mark.parametrize("filling", [False, True])
    def test_every_page_of_staff_leads_to_the_room(self, world_of_rooms, filling):
        """None is opened and nothing is changed, so all are tried in one room; what is wrong is told for each."""
        room, wrong = world_of_rooms.room, []
        if filling:
            room.post(START)
        before = state(room)
        for name, entry in OURS:
            for address in addresses(world_of_rooms, name, entry):
                for htmx in ({}, {"HX-Request": "true"}):
                    for ask in (room.get, room.post):
                        answer = ask(address, headers=htmx)
                        leads_to = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
                        if (answer.status_code, leads_to) != (204 if htmx else 303, ROOM):
                            told = f"{answer.status_code} to {leads_to}"
                            wrong.append(f"{name}: {ask.__name__} {address}, htmx {bool(htmx)}: {told}")
        assert wrong == []
        assert state(room) == before

    @pytest.fixture
    def world_of_rooms(self, clinic, room, sent):
        discussion_code = sent.session.code
        clinic.room = room
        clinic.codes = {
            "clients:": [clinic.olgas.client.code],
            "clinic:": [clinic.olga.pk],
            "dashboard:": [clinic.olgas.code, discussion_code],
            "caseload:": [clinic.olgas.code],
            "supervision:": [clinic.olgas.code, clinic.olga.pk],
            "tablets:": [room.row.code],
            "instruments:": [cast.wording(clinic.adam).code],
            "together:": [clinic.olgas.code],
            "marks:": [clinic.olgas.code],
            "questionnaires:": [clinic.olgas.code],
            "groups:": [clinic.olgas.code],
            "plan:": [clinic.olgas.code],
            "records:": [clinic.olgas.client.code],
            "erasures:": [clinic.olgas.client.code],
            "import:": [clinic.olgas.client.code],
            "approvals:": [clinic.olga.pk],
            "rules:": [cast.question(clinic.adam).code],
            "settings:": [cast.choose(clinic.adam, closing="marks").code],
        }
        return clinic

    def test_neither_sign_in_nor_link_nor_an_address_that_is_not_there(self, room):
        brought = [name for name, _ in routes() if name.startswith(("account_", "mfa_", "usersessions"))]
        assert "account_login" in brought
        for name in ("account_login", "mfa_authenticate", "account_reset_password", "mfa_index"):
            assert room.get(reverse(name)).headers["Location"] == ROOM
        for address in (GO, "/nowhere/", "/admin/", FORM):
            assert room.get(address).headers["Location"] == ROOM
        assert room.get("/healthz").status_code == 200

    def test_never_together_with_somebody_who_is_signed_in(self, clinic):
        tablet = asks_to_be_paired()
        shown = code_on(tablet)
        tablet.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert tablet.get(TABLETS).status_code == 200  # asks, and is not paired yet
        sending_actions.pair(pairing_code=shown, name="Room 3", by=clinic.adam)
        assert tablet.get(TABLETS).headers["Location"] == ROOM
        assert "_auth_user_id" not in tablet.session

    @pytest.mark.parametrize("key", ["", "x", "a" * 43, "é"])
    def test_a_key_of_nobody_reaches_neither_room_nor_staff(self, room, sent, key):
        stranger = Client()
        stranger.cookies[room_tablets.COOKIE] = key
        assert stranger.get(WAITING).status_code == 404
        assert stranger.post(START).status_code == 404
        assert stranger.get(FORM).status_code == 404
        assert stranger.get(TABLETS).status_code == 302

    def test_a_handed_over_tablet_cannot_be_paired(self, clinic, client):
        _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        lock_again(client, {"token": token, "return_to": "/"})
        assert client.post(ROOM).headers["Location"] == FORM
        assert not PairedTablet.objects.exists()

    def test_a_tablet_handed_over_while_it_asked_to_be_paired_is_not_stuck(self, clinic):
        tablet = asks_to_be_paired()
        shown = code_on(tablet)
        _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        lock_again(tablet, {"token": token, "return_to": "/"})
        sending_actions.pair(pairing_code=shown, name="Room 3", by=clinic.adam)
        assert tablet.post(FORM, marks()).headers["Location"] == DONE
        tablet.get(DONE)
        assert "The form shows here when" in tablet.get(ROOM).text

    def test_needs_the_csrf_token(self, clinic, room, sent):
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = room.cookies
        for address in (ROOM, START):
            assert strict.post(address).status_code == 403


class TestCost:
    @pytest.mark.parametrize("before", ["nobody", "a client"])
    def test_of_waiting(self, clinic, room, sent, before):
        """Also on a tablet whose browser still holds the session of a client who handed in."""
        if before == "a client":
            room.post(START)
            room.post(FORM, marks(), follow=True)
            assert settings.SESSION_COOKIE_NAME in room.cookies
        room.get(WAITING)
        with CaptureQueriesContext(connection) as waiting:
            room.get(WAITING)
        cast.sent(cast.therapy_session(clinic.carls), tablet=room.row, by=clinic.carl)
        room.post(START)
        with CaptureQueriesContext(connection) as filling:
            room.get(WAITING)
        assert (len(waiting), len(filling)) == (1 if before == "nobody" else 2, 4)

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
