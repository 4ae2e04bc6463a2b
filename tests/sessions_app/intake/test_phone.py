"""The link for the client's own phone: a grant once, for one browser, and names nobody."""

import re
import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alliance import device_lock
from alliance.models import AuditEvent, BrowserSession
from alliance.refused import Refused
from clients.actions import close_episode
from clients.models import Client as ClientOfTheClinic
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.intake import hand_over_actions, qr, sending_actions, short_codes
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app.intake.rate_form import marks

pytestmark = pytest.mark.django_db

GO, FORM, DONE = reverse("go:start"), reverse("rate:form"), reverse("rate:done")
WORK_LIST = reverse("dashboard:work_list")


def key_of(browser):
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def stored(link):
    link.grant.refresh_from_db()
    return link.grant


class TestMakingALink:
    def asked(self, browser, clinic, **data):
        return browser.post(reverse("dashboard:make_link", args=[clinic.olgas.code]), data)

    def test_shows_picture_link_and_short_code_once_and_stores_hashes(self, clinic, session, sign_in):
        page = self.asked(sign_in(clinic.olga), clinic, session=str(session.code))
        assert page.status_code == 200
        token = re.search(r"http://testserver/go/#([\w-]{43})", page.text)[1]
        assert page.context["picture"] == qr.as_svg(page.context["link"], label=self.label_of(page))
        grant = RatingGrant.objects.get()
        assert (grant.channel, grant.session, grant.opened_at) == (Channel.PHONE, session, None)
        assert timedelta(hours=71, minutes=59) < grant.open_until - timezone.now() <= timedelta(hours=72)
        short_code = short_codes.cleaned(page.context["short_code"])
        assert short_code not in str(list(RatingGrant.objects.values()))
        assert token not in str(list(RatingGrant.objects.values()))
        assert token not in str(list(AuditEvent.objects.values()))
        assert token not in str(page.headers)

    def label_of(self, page):
        return re.search(r'role="img" aria-label="([^"]+)"', page.text)[1].replace("&#x27;", "'")

    def test_signs_nobody_out_and_adds_todays_session_by_itself(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        assert self.asked(browser, clinic).status_code == 200
        assert RatingGrant.objects.get().session.number == 1
        assert browser.get(WORK_LIST).status_code == 200

    def test_a_new_one_takes_the_place_of_the_one_before(self, link, session, clinic, client):
        cast.link(session, by=clinic.olga)
        assert stored(link).withdrawn_by == clinic.olga
        page = client.post(GO, {"token": link.token})
        assert (page.status_code, "was taken back" in page.text) == (410, True)

    def test_a_rated_session_or_a_closed_episode_is_refused_with_a_sentence(self, clinic, session, sign_in):
        cast.rating(session, 380)
        page = self.asked(sign_in(clinic.olga), clinic, session=str(session.code))
        assert (page.status_code, "has its rating already" in page.text) == (409, True)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        page = self.asked(sign_in(clinic.olga), clinic)
        assert (page.status_code, "closed" in page.text) == (409, True)

    def test_of_a_foreign_client_is_not_there(self, clinic, sign_in):
        assert self.asked(sign_in(clinic.carl), clinic).status_code == 404
        assert not RatingGrant.objects.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"channel": Channel.TABLET, "link_hash": "x"},
            {"channel": Channel.PHONE, "link_hash": "x", "short_code_hash": "y"},
            {"channel": Channel.PAIRED},
        ],
    )
    def test_the_database_refuses_half_a_link(self, clinic, session, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            hand_over_actions.ask(session=session, by=clinic.olga, **wrong)


class TestOpening:
    def test_looking_consumes_nothing_and_names_nobody(self, client, link, clinic):
        for _ in range(3):
            page = client.get(GO)
            assert page.status_code == 200
            assert "K-1" not in page.text
            assert "Olga" not in page.text
        assert stored(link).opened_at is None
        assert page.headers["Cache-Control"] == "no-store"

    def test_a_used_link_does_not_first_say_that_the_form_is_ready(self, client, link, session):
        """The page asks what stands before anybody presses; asking uses nothing up, and is no line of the log."""

        def says(browser, token=link.token):
            return browser.post(GO, {"look": token}).json()["message"]

        before = AuditEvent.objects.count()
        assert says(client) == says(client) == ""
        assert stored(link).opened_at is None
        assert AuditEvent.objects.count() == before
        assert "leads to no form" in says(client, "x" * 43)
        client.post(GO, {"token": link.token})
        assert says(client) == ""  # whoever opened it goes on there
        another = Client()
        assert "This form was opened already." in says(another)
        pressed = another.post(GO, {"token": link.token})
        assert (pressed.status_code, says(another) in pressed.text) == (410, True)
        client.post(FORM, marks())
        assert says(another) == "This form was handed in already. There is nothing more to do."
        assert "K-1" not in says(another)

    def test_start_gives_the_grant_in_a_new_cookie_and_nothing_else(self, client, link):
        client.cookies[settings.SESSION_COOKIE_NAME] = fixed = "a" * 32
        response = client.post(GO, {"token": link.token})
        assert (response.status_code, response.headers["Location"]) == (303, FORM)
        assert key_of(client) != fixed
        assert set(client.session.keys()) == {"device_lock", "_session_expiry"}
        # A browser that was closed finds its form again: the link opens only once.
        assert client.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == device_lock.ON_A_PHONE_FOR
        assert client.session["device_lock"]["token"] != link.token
        page = client.get(FORM)
        assert page.status_code == 200
        assert link.token not in page.text
        assert stored(link).opened_at

    @pytest.mark.parametrize("language", [tag for tag, _name in settings.LANGUAGES])
    def test_speaks_the_phones_language_and_then_the_clients(self, client, link, language):
        RatingGrant.objects.update(language="ar")
        ClientOfTheClinic.objects.update(language="ar")
        there = {"headers": {"Accept-Language": language}}
        for page in (client.get(GO, **there), client.post(GO, {"token": "x"}, **there)):
            assert f'<html lang="{language}"' in page.text
        client.post(GO, {"token": link.token}, **there)
        assert '<html lang="ar" dir="rtl">' in client.get(FORM, **there).text
        done = client.post(FORM, marks(), follow=True, **there).text
        assert '<html lang="ar" dir="rtl">' in done
        assert "يمكنك إغلاق هذه الصفحة" in done

    def test_a_client_of_whom_nobody_knows_it_is_given_the_phones_language_and_keeps_it(
        self, client, link, clinic
    ):
        client.post(GO, {"token": link.token}, headers={"Accept-Language": "de-AT, en;q=0.5"})
        assert '<html lang="de"' in client.get(FORM).text
        client.post(FORM, marks(), follow=True)
        assert Rating.objects.get().language == "de"
        clinic.olgas.client.refresh_from_db()
        assert clinic.olgas.client.language == "de"

    @pytest.mark.parametrize("accepted", ["", "pt, xx;q=0.5", "en"])
    def test_a_phone_that_speaks_none_of_ours_changes_nothing(self, client, link, accepted):
        client.post(GO, {"token": link.token}, headers={"Accept-Language": accepted})
        assert '<html lang="en"' in client.get(FORM).text

    def test_the_language_that_staff_chose_wins_over_the_phones(self, client, clinic, session):
        ClientOfTheClinic.objects.update(language="es")
        link = cast.link(TherapySession.objects.get(pk=session.pk), by=clinic.olga)
        client.post(GO, {"token": link.token}, headers={"Accept-Language": "de"})
        assert '<html lang="es"' in client.get(FORM).text

    @pytest.mark.parametrize(("mode", "language"), [("line", "en"), ("number", "en"), ("paper", "de")])
    def test_so_does_english_once_the_client_marked_in_it_on_a_device(self, client, clinic, mode, language):
        earlier = cast.therapy_session(clinic.olgas, ago=timedelta(days=7))
        grant, _ = hand_over_actions.hand_over(session=earlier, by=clinic.olga)
        record_rating(grant=grant, answers=cast.answers(380), mode=mode)
        link = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
        client.post(GO, {"token": link.token}, headers={"Accept-Language": "de"})
        assert f'<html lang="{language}"' in client.get(FORM).text

    def test_the_page_of_the_link_remembers_what_was_read_on_this_phone(self, client, link):
        RatingGrant.objects.update(language="ar")
        ClientOfTheClinic.objects.update(language="ar")
        client.post(GO, {"token": link.token})
        there = {"headers": {"Accept-Language": "fr"}}
        assert '<html lang="ar"' in client.get(GO, **there).text
        client.post(FORM, marks(), follow=True)
        assert '<html lang="ar"' in client.get(GO, **there).text

    def test_the_link_is_no_token_of_the_grant(self, link):
        assert not RatingGrant.objects.with_token(link.token).exists()

    def test_a_second_browser_is_told_so_and_the_first_goes_on(self, client, link):
        client.post(GO, {"token": link.token})
        held = key_of(client)
        late = Client().post(GO, {"token": link.token})
        assert (late.status_code, "was opened already" in late.text) == (410, True)
        assert client.post(GO, {"token": link.token}).status_code == 303
        assert key_of(client) == held
        assert client.get(FORM).status_code == 200
        assert AuditEvent.objects.filter(action="form opened").count() == 1

    def test_of_two_browsers_at_once_the_row_lets_one_in(self, link, monkeypatch):
        """Both looked before either wrote: what the look says is not enough."""
        first = sending_actions.open_on_phone(grant=link.grant)
        monkeypatch.setattr(sending_actions, "_refuse_unless_it_can_be_opened", lambda grant: None)
        with pytest.raises(Refused, match="opened already"):
            sending_actions.open_on_phone(grant=link.grant)
        assert RatingGrant.objects.with_token(first).get() == link.grant
        assert AuditEvent.objects.filter(action="form opened").count() == 1

    def test_somebody_on_staff_who_presses_start_is_signed_out(self, clinic, link, sign_in):
        browser = sign_in(clinic.olga)
        before = key_of(browser)
        assert "signed in here" in browser.get(GO).text
        assert browser.post(GO, {"token": link.token}).status_code == 303
        assert not BrowserSession.objects.filter(session_key=before).exists()
        assert browser.get(WORK_LIST).headers["Location"] == FORM

    def test_needs_the_csrf_token(self, link):
        strict = Client(enforce_csrf_checks=True)
        assert strict.post(GO, {"token": link.token}).status_code == 403
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', strict.get(GO).text)[1]
        sent = {"token": link.token, "csrfmiddlewaretoken": token}
        assert strict.post(GO, sent).status_code == 303

    @pytest.mark.parametrize("token", ["", "x", "a" * 43, "\x00", "é" * 5000])
    def test_a_link_of_nobody_is_not_there(self, client, link, token):
        page = client.post(GO, {"token": token})
        assert (page.status_code, "leads to no form" in page.text) == (404, True)
        assert not client.session.get("device_lock")

    @pytest.mark.parametrize(
        ("end", "sentence"),
        [
            ("taken back", "This form was taken back. Ask your therapist for a new link."),
            ("rated on paper", "This form was handed in already. There is nothing more to do."),
            ("episode closed", "This form was taken back. Ask your therapist for a new link."),
            ("past its time", "This link has expired. Ask your therapist for a new link."),
        ],
    )
    def test_every_end_of_a_link_has_its_sentence(self, client, link, clinic, time_machine, end, sentence):
        olga, today = clinic.olga, timezone.localdate()
        if end == "taken back":
            hand_over_actions.take_back(grant=link.grant, by=olga)
        elif end == "rated on paper":
            paper = {"answers": cast.answers(380), "channel": Channel.PAPER}
            enter_rating(session=link.grant.session, **paper, by=olga)
        elif end == "episode closed":
            close_episode(episode=clinic.olgas, closed_on=today, ending="planned", by=olga)
        else:
            time_machine.move_to(link.grant.open_until, tick=False)
        page = client.post(GO, {"token": link.token})
        assert (page.status_code, f"<h1>{sentence}</h1>" in page.text) == (410, True)
        assert not client.session.get("device_lock")
        assert stored(link).opened_at is None

    def test_is_good_until_the_last_second(self, client, link, time_machine):
        time_machine.move_to(link.grant.open_until - timedelta(seconds=1), tick=False)
        assert client.post(GO, {"token": link.token}).status_code == 303
        assert client.get(FORM).status_code == 200

    def test_the_next_link_opens_in_a_browser_that_was_never_closed(self, client, link, clinic):
        client.post(GO, {"token": link.token})
        client.post(FORM, marks(), follow=True)
        assert client.get(GO).status_code == 200
        following = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
        assert client.post(GO, {"token": following.token}).headers["Location"] == FORM
        assert client.get(FORM).status_code == 200

    def test_a_handed_over_tablet_opens_no_link(self, client, link, clinic):
        _, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        kept = client.session
        kept["device_lock"] = {"token": token, "return_to": "/"}
        kept.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = kept.session_key
        assert client.post(GO, {"token": link.token}).headers["Location"] == FORM
        assert stored(link).opened_at is None


@pytest.mark.django_db(transaction=True)
class TestTwoBrowsersAtOnce:
    @pytest.fixture
    def without_the_lock(self, monkeypatch):
        """Both have looked and found the link unopened; then both open it. The row has the last word."""
        meet = threading.Barrier(2, timeout=1 if connection.vendor == "sqlite" else 5)
        look = sending_actions._refuse_unless_it_can_be_opened

        def looked(grant):
            look(grant)
            try:
                meet.wait()
            except threading.BrokenBarrierError:
                # SQLite lets the second one in when the first is done: there is no race to lose.
                assert connection.vendor == "sqlite"

        monkeypatch.setattr(sending_actions, "lock_episode", lambda episode: None)
        monkeypatch.setattr(sending_actions, "_refuse_unless_it_can_be_opened", looked)

    def race(self, link):
        answers = []

        def press_start():
            try:
                answers.append(Client().post(GO, {"token": link.token}).status_code)
            finally:
                connection.close()

        browsers = [threading.Thread(target=press_start) for _ in range(2)]
        for browser in browsers:
            browser.start()
        for browser in browsers:
            browser.join()
        return sorted(answers)

    def test_exactly_one_wins(self, link):
        assert self.race(link) == [303, 410]
        assert AuditEvent.objects.filter(action="form opened").count() == 1

    def test_exactly_one_wins_where_both_have_looked(self, link, without_the_lock):
        assert self.race(link) == [303, 410]
        assert AuditEvent.objects.filter(action="form opened").count() == 1

    @pytest.mark.postgresql
    def test_control_looking_first_and_writing_then_lets_both_in(self, link, monkeypatch, without_the_lock):
        @transaction.atomic
        def naive(*, grant, language=""):
            sending_actions._refuse_unless_it_can_be_opened(grant)
            token = sending_actions.new_token()
            grant.opened_at, grant.token_hash = timezone.now(), sending_actions.hash_of_token(token)
            grant.save()
            return token

        assert connection.vendor == "postgresql", "SQLite has one writer at a time: there is no race to lose."
        monkeypatch.setattr(sending_actions, "open_on_phone", naive)
        assert self.race(link) == [303, 303]


def test_a_link_opens_only_once_whatever_was_looked_at_before(link):
    sending_actions.open_on_phone(grant=RatingGrant.objects.get())
    with pytest.raises(Refused):
        sending_actions.open_on_phone(grant=link.grant)  # as it looked before the other browser came


def test_the_picture_is_the_code_with_its_margin():
    from qrcode.main import QRCode

    text = "https://alliance.clinic.example/go/#" + "x" * 43
    drawn = QRCode(error_correction=0, border=4)
    drawn.add_data(text)
    drawn.make()
    dark = sum(map(sum, drawn.get_matrix()))
    picture = qr.as_svg(text, label="a <label>")
    assert picture.count("h1v1h-1z") == dark
    assert 'aria-label="a &lt;label&gt;"' in picture
    assert "style=" not in picture
