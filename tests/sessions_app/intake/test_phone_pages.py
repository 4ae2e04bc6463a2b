"""The client's own phone beyond the link: the short code, what the phone shows, where the rating stands for staff."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alliance import rate_limits
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.intake import hand_over_actions, sending_actions, short_codes
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


class TestShortCode:
    def test_opens_the_form_however_it_is_typed(self, client, link):
        typed = f" {link.short_code[:4].lower()}-{link.short_code[4:]} "
        assert client.post(GO, {"code": typed}).headers["Location"] == FORM
        assert client.get(FORM).status_code == 200
        again = Client().post(GO, {"code": link.short_code})
        assert (again.status_code, "was opened already" in again.text) == (410, True)

    def test_is_read_easily_and_has_many_others_beside_it(self, link):
        assert re.fullmatch(f"[{short_codes.ALPHABET}]{{10}}", link.short_code)
        assert not set(short_codes.ALPHABET) & set("01IOLBSZAEU")
        assert short_codes.in_groups(link.short_code) == f"{link.short_code[:5]} {link.short_code[5:]}"

    def test_ends_before_the_link_does(self, client, link, time_machine):
        time_machine.move_to(link.grant.made_at + sending_actions.SHORT_CODE_FOR, tick=False)
        page = client.post(GO, {"code": link.short_code})
        assert (page.status_code, "has expired" in page.text) == (410, True)
        assert client.post(GO, {"token": link.token}).status_code == 303

    @pytest.mark.parametrize("typed", ["", "QQQQ", "\x00", "٣" * 8, "x" * 9000])
    def test_a_wrong_one_is_told_on_the_page(self, client, link, typed):
        page = client.post(GO, {"code": typed})
        assert (page.status_code, "This code is not right." in page.text) == (422, True)

    def test_too_many_wrong_ones_have_to_wait_and_a_right_one_counts_for_nothing(
        self, clinic, link, monkeypatch
    ):
        for number in range(25):
            one = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
            assert Client().post(GO, {"code": one.short_code}).status_code == 303, number
        monkeypatch.setitem(rate_limits.LIMITS, "short_code", "20/10m/ip")
        answers = [Client().post(GO, {"code": "2222222222"}).status_code for _ in range(21)]
        assert answers == [422] * 20 + [429]
        page = Client().post(GO, {"code": link.short_code})
        assert (page.status_code, page.headers["Retry-After"]) == (429, "600")
        assert "Try again in 10 minutes" in page.text
        elsewhere = Client(REMOTE_ADDR="192.0.2.7")
        assert elsewhere.post(GO, {"code": link.short_code}).status_code == 303

    def test_many_addresses_together_have_to_wait_too(self, link, monkeypatch):
        monkeypatch.setitem(rate_limits.OF_ALL, "short_code", 5)
        answers = [
            Client(REMOTE_ADDR=f"192.0.2.{place}").post(GO, {"code": "2222222222"}).status_code
            for place in range(6)
        ]
        assert answers == [422] * 5 + [429]

    def test_the_limit_ends(self, link, time_machine, monkeypatch):
        monkeypatch.setitem(rate_limits.LIMITS, "short_code", "1/10m/ip")
        time_machine.move_to(timezone.now(), tick=False)
        for _ in range(2):
            page = Client().post(GO, {"code": "2222222222"})
        assert page.status_code == 429
        time_machine.shift(timedelta(minutes=10, seconds=1))
        assert Client().post(GO, {"code": link.short_code}).status_code == 303


class TestThePhone:
    @pytest.fixture
    def phone(self, client, link):
        client.post(GO, {"token": link.token})
        return client

    def test_is_told_to_close_the_page_and_finds_no_way_to_staff(self, phone):
        pages = [phone.get(FORM), phone.get(reverse("rate:help")), phone.post(FORM, marks(), follow=True)]
        for page in pages:
            assert "Staff" not in page.text
            assert "tablet" not in page.text.partition("<body>")[2].replace("data-room", "")
        assert "Thank you. You can close this page." in pages[-1].text
        assert Rating.objects.get().grant.channel == Channel.PHONE

    def test_reaches_no_page_of_staff(self, phone):
        assert phone.get(WORK_LIST).headers["Location"] == FORM
        assert phone.post(reverse("tablets:pair")).headers["Location"] == FORM

    def test_a_form_taken_back_is_closed_and_marks_are_kept_aside(self, phone, link, clinic):
        hand_over_actions.take_back(grant=link.grant, by=clinic.olga)
        page = phone.get(FORM)
        assert (page.status_code, "You can close this page." in page.text) == (410, True)
        phone.post(FORM, marks())
        assert SetAsideRating.objects.get().reason == SetAsideRating.Reason.WITHDRAWN

    def test_the_log_tells_each_step(self, phone, clinic, sign_in):
        phone.post(FORM, marks(), follow=True)
        lines = sign_in(clinic.adam).get(reverse("clinic:log")).context["lines"]
        assert [line.sentence for line in lines][:3] == [
            "Client K-1 gave a rating",
            "The form of client K-1 was opened",
            "Olga made a link for the phone of client K-1",
        ]


class TestWhereTheRatingStands:
    @pytest.fixture
    def shown(self, clinic, sign_in, session):
        browser = sign_in(clinic.olga)

        def states():
            (line,) = browser.get(WORK_LIST).context["lists"].today
            page = browser.get(reverse("dashboard:client", args=[clinic.olgas.code]))
            (row,) = page.context["page"].rows
            newest = RatingGrant.objects.filter(session=session).last()
            piece = browser.get(reverse("dashboard:sent", args=[newest.code]))
            assert piece.context["state"] == line.state
            return line.state, row.state

        return states

    def test_sent_opened_rated(self, shown, link):
        assert shown() == ("sent", "sent")
        token = sending_actions.open_on_phone(grant=link.grant)
        assert shown() == ("opened", "opened")
        grant = RatingGrant.objects.with_token(token).get()
        record_rating(grant=grant, answers=cast.answers(380), mode="line")
        assert shown() == ("rated", "rated")

    def test_an_open_page_hears_of_the_opening(self, clinic, link, sign_in):
        browser = sign_in(clinic.olga)
        stamp = browser.get(WORK_LIST).context["stamp"]
        sending_actions.open_on_phone(grant=link.grant)
        ask = {"headers": {"HX-Request": "true", "X-Poll": "1"}, "query_params": {"seen": stamp}}
        assert "Opened" in browser.get(WORK_LIST, **ask).text

    def test_a_link_that_nobody_opened_in_time_is_waited_for_no_longer(self, clinic, link):
        moment = link.grant.open_until
        assert RatingGrant.objects.awaiting(moment - timedelta(seconds=1)).exists()
        assert not RatingGrant.objects.awaiting(moment).exists()

    def test_can_be_taken_back(self, clinic, link, session, sign_in):
        browser = sign_in(clinic.olga)
        take_back = reverse("dashboard:take_back", args=[session.code])
        assert take_back in browser.get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        browser.post(take_back)
        assert stored(link).withdrawn_by == clinic.olga


class TestAnOldPageWithALink:
    """It stands on the therapist's screen, and says what that one link is good for now."""

    @pytest.fixture
    def says(self, clinic, sign_in, link):
        def words():
            piece = sign_in(clinic.olga).get(reverse("dashboard:sent", args=[link.grant.code])).text
            return re.sub(r"<[^>]*>", " ", piece).strip(), "every 4s" in piece

        return words

    def test_sent_and_opened_for_as_long_as_it_is_good_also_when_the_rating_is_overdue(
        self, link, says, time_machine
    ):
        time_machine.move_to(link.grant.open_until - timedelta(minutes=1), tick=False)
        assert says() == ("Sent, not opened", True)
        sending_actions.open_on_phone(grant=link.grant)
        assert says() == ("Opened", True)

    def test_past_its_time(self, link, says, time_machine):
        time_machine.move_to(link.grant.open_until, tick=False)
        words, asks_again = says()
        assert words.startswith("Expired: this link no longer works")
        assert (words.endswith("Make a new one"), asks_again) == (True, False)

    def test_taken_back(self, clinic, link, says):
        hand_over_actions.take_back(grant=link.grant, by=clinic.olga)
        assert says()[0].startswith("Taken back: this link no longer works")

    def test_a_newer_one_took_its_place(self, clinic, link, says, session):
        cast.link(session, by=clinic.olga)
        assert says()[0].startswith("Replaced by a newer form: this link no longer works")

    def test_rated_in_whatever_way(self, clinic, link, says, session):
        cast.rating(session, 380)
        assert says() == ("Rated", False)

    def test_the_client_chose_not_to_rate(self, link, says):
        sending_actions.open_on_phone(grant=link.grant)
        hand_over_actions.decline(grant=link.grant)
        assert says() == ("Client chose not to rate", False)
