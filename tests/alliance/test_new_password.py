"""The page that sends a link for a new password: to staff alone, and telling nobody who is staff."""

import re
from collections.abc import Iterator
from threading import Event

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client as Browser
from django.urls import reverse

from alliance import mail as mail_later

pytestmark = pytest.mark.django_db
STRANGER = "stranger@elsewhere.example"


class Server:
    """A mail server that answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer, self.is_done = Event(), Event()
        self.asked_with: list[str] = []
        self.fails = False

    def send(self, message: EmailMessage) -> int:
        self.may_answer.wait(10)
        self.asked_with.append(message.body)
        self.is_done.set()
        if self.fails:
            raise ConnectionRefusedError
        return 1


def ask(email: str, browser: Browser | None = None, **extra: str):
    return (browser or Browser()).post(reverse("account_reset_password"), {"email": email}, **extra)


def told(email: str) -> tuple:
    """All that whoever asks is told: the answer, its headers and cookies, and the page it leads to."""
    browser = Browser()
    answer = ask(email, browser)
    leads_to = browser.get(answer.headers["Location"])
    # The token of a form is drawn anew for every page.
    page = re.sub(r'"X-CSRFToken": "\w+"', "", leads_to.text)
    return answer.status_code, dict(answer.headers), answer.cookies.output(), answer.text, page


def test_a_stranger_gets_no_mail(clinic):
    ask(STRANGER)
    assert mail.outbox == []


def test_the_mail_says_what_it_is_for(clinic):
    ask(clinic.olga.email)
    (sent,) = mail.outbox
    assert (sent.subject, sent.to) == ("A new password for Session alliance", [clinic.olga.email])
    assert "http://testserver/accounts/password/reset/key/" in sent.body
    assert "sign up" not in sent.body


def test_whoever_asks_is_told_the_same_of_everybody(clinic):
    assert told(clinic.olga.email) == told(STRANGER)


@pytest.mark.parametrize("email", ["olga@clinic.example", STRANGER])
def test_three_times_an_hour_for_one_address(clinic, email):
    answers = [ask(email, REMOTE_ADDR=f"203.0.113.{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert "Too many tries in a short time" in answers[-1].text
    assert len(mail.outbox) == (0 if email == STRANGER else 3)


def test_twenty_times_an_hour_from_one_network(clinic):
    assert [ask(f"{number}@elsewhere.example").status_code for number in range(21)] == [302] * 20 + [429]


@pytest.mark.django_db(transaction=True)  # which link is good is written beside the answer, too
class TestTheMailServer:
    """What it does shows on no page: `send_later` as it is, after a tenth of a second instead of a whole one."""

    @pytest.fixture
    def server(self, monkeypatch) -> Iterator[Server]:
        server = Server()
        monkeypatch.setattr("alliance.accounts.send_later", mail_later.send_later)
        monkeypatch.setattr(mail_later, "BEGINS_AFTER", 0.1)
        monkeypatch.setattr(EmailMessage, "send", lambda message: server.send(message))
        yield server
        server.may_answer.set()
        assert server.is_done.wait(10)

    def test_no_page_waits_for_it(self, clinic, server):
        assert ask(clinic.olga.email).status_code == 302
        assert server.asked_with == []
        server.may_answer.set()
        assert server.is_done.wait(10)
        (body,) = server.asked_with
        assert "http://testserver/accounts/password/reset/key/" in body
        assert body.endswith("Session alliance, http://testserver")

    def test_nor_fails_with_it(self, clinic, server, caplog):
        server.fails = True
        assert ask(clinic.olga.email).status_code == 302
        server.may_answer.set()
        assert server.is_done.wait(10)
