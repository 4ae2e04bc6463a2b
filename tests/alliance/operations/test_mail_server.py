"""A mail server that does not answer: no page waits for it without end, and what it was to tell is shown."""

import smtplib
import socket
import threading

import pytest
from django.conf import settings as site_settings
from django.core import mail as outbox
from django.urls import reverse

from alliance import mail
from alliance.models import User
from tests.alliance.sign_in import just_asked

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _server_as_new(monkeypatch):
    monkeypatch.setattr(mail, "_server", mail._Server())


@pytest.fixture
def silent(settings, monkeypatch):
    """A server that takes the connection and never says a word; how many connections it took, and what ends it."""
    listening = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take():
        while True:
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = listening.getsockname()
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    yield taken
    listening.close()
    for one in taken:
        one.close()


def threads_of_mail() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "mail"]


def test_a_mail_server_that_does_not_answer_keeps_no_request_waiting_and_the_link_is_shown(
    clinic, sign_in, silent
):
    new = User.objects.create(email="nina@clinic.example", name="Nina", is_therapist=True)
    answer = just_asked(sign_in(clinic.adam)).post(reverse("clinic:invite", args=[new.pk]))
    assert answer.status_code == 200
    assert threads_of_mail(), "the mail is still being tried: the page did not wait for the end of that"
    assert "The mail to <strong>nina@clinic.example</strong> could not be sent" in answer.text
    assert answer.context["link"].startswith("http://testserver/")
    assert answer.context["link"] in answer.text


def test_control_a_server_that_answers_sends_it_and_shows_no_link(clinic, sign_in):
    new = User.objects.create(email="nina@clinic.example", name="Nina", is_therapist=True)
    answer = just_asked(sign_in(clinic.adam)).post(reverse("clinic:invite", args=[new.pk]))
    assert "A mail with a link is on its way" in answer.text
    assert "could not be sent" not in answer.text
    assert [one.to for one in outbox.outbox] == [["nina@clinic.example"]]


def test_a_site_without_mail_does_not_speak_of_one_that_failed(clinic, sign_in, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    new = User.objects.create(email="nina@clinic.example", name="Nina", is_therapist=True)
    answer = just_asked(sign_in(clinic.adam)).post(reverse("clinic:invite", args=[new.pk]))
    assert "could not be sent" not in answer.text
    assert "Give this link to Nina personally" in answer.text


def test_a_page_with_several_mails_waits_for_a_silent_server_once(silent, monkeypatch):
    waited = []
    wait = mail._Attempt.succeeds_within
    monkeypatch.setattr(
        mail._Attempt, "succeeds_within", lambda self, seconds: waited.append(seconds) or wait(self, seconds)
    )
    assert [mail.sent("A word", "Text", f"person-{one}@clinic.example") for one in range(3)] == [False] * 3
    assert waited == [0.2, 0.0, 0.0]
    mail._server.answers()
    mail.sent("A word", "Text", "person@clinic.example")
    assert waited[-1] == 0.2, "a mail that went through ends it"


def test_the_time_out_of_the_mail_server_is_handed_to_it(silent, settings, caplog):
    """So a thread that waits for it comes to an end."""
    assert site_settings.EMAIL_TIMEOUT == 10
    settings.EMAIL_TIMEOUT = 0.3
    assert mail.sent("A word", "Text", "person@clinic.example") is False
    for thread in threads_of_mail():
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert "A mail to a member of staff could not be sent." in caplog.text


@pytest.mark.parametrize(
    "error", [smtplib.SMTPRecipientsRefused({}), ConnectionRefusedError(), ValueError("a header")]
)
def test_whatever_a_mail_fails_with_is_told_and_is_no_error_of_the_page(error, monkeypatch, caplog, capfd):
    def refuses(self, **_options):
        raise error

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuses)
    assert mail.sent("A word", "Text", "person@clinic.example") is False
    assert "A mail to a member of staff could not be sent." in caplog.text
    assert "Exception in thread" not in capfd.readouterr().err
