"""Notices of errors by mail and to a Sentry-compatible service: one of a kind, and nothing personal in them."""

import json
import logging
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse

from alliance.operations import error_notices, sentry_notices
from alliance.operations.checks_of_notices import error_notices as check_of_notices
from alliance.operations.error_notices import ByMail
from alliance.operations.findings import State
from alliance.operations.logging_setting import logging_of
from alliance.operations.sentry_notices import ToSentry
from tests.alliance.operations.processes import ROOT

pytestmark = pytest.mark.django_db
CANARY = "kanarienvogel"


@pytest.fixture
def broken(monkeypatch, clinic):
    """A signed-in person's page breaks, with what they entered in the error and in local values."""

    def breaks(*args, **kwargs):
        entered = f"{CANARY} entered"
        raise RuntimeError(entered)

    monkeypatch.setattr("alliance.views.redirect", breaks)
    browser = Browser(raise_request_exception=False)
    browser.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")

    def ask():
        headers = {"User-Agent": CANARY, "Referer": f"https://testserver/{CANARY}", "X-Canary": CANARY}
        return browser.get(reverse("home"), {"q": CANARY}, headers=headers)

    return ask


@pytest.fixture
def attached(request):
    def attach(handler):
        logging.getLogger().addHandler(handler)
        request.addfinalizer(lambda: logging.getLogger().removeHandler(handler))
        return handler

    return attach


# --- By mail -------------------------------------------------------------------------------------


@pytest.fixture
def by_mail(settings, monkeypatch, attached):
    settings.ERROR_NOTICES_TO = ["helper@clinic.example"]

    def at_once(written):
        if message := written():
            message.send()

    monkeypatch.setattr("alliance.mail.send_later", at_once)
    return lambda: attached(ByMail())


def test_an_error_is_mailed_with_its_number_and_nothing_that_somebody_entered(by_mail, broken, clinic):
    by_mail()
    answer = broken()
    (sent,) = outbox.outbox
    assert sent.to == ["helper@clinic.example"]
    assert sent.subject == "Session alliance: RuntimeError"
    for told in (f"number: {answer.headers['X-Request-ID']}", "route: home", "RuntimeError", "in breaks"):
        assert told in sent.body, told
    whole = sent.message().as_string().lower()
    for personal in (CANARY, "olga", str(clinic.olga.pk), "127.0.0.1", "cookie"):
        assert personal not in whole, personal


def test_a_fault_that_meets_everybody_sends_one_mail_an_hour_over_all_workers(by_mail, broken, monkeypatch):
    one_worker, another = by_mail(), by_mail()
    for _ in range(5):
        broken()
    assert len(outbox.outbox) == 1
    logging.getLogger("alliance.other").error("Another kind.")
    assert [one.subject for one in outbox.outbox[1:]] == ["Session alliance: Another kind."]
    hour_later = error_notices.time.monotonic() + error_notices.QUIET_FOR + 1
    monkeypatch.setattr(error_notices.time, "monotonic", lambda: hour_later)
    cache.clear()
    broken()
    assert len(outbox.outbox) == 3
    assert one_worker is not another


def test_a_notice_goes_out_where_the_cache_cannot_be_asked(by_mail, broken, monkeypatch):
    def is_away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr(error_notices.cache, "add", is_away)
    by_mail()
    broken()
    assert len(outbox.outbox) == 1


def test_a_mail_that_fails_is_no_reason_for_another_mail(by_mail):
    by_mail()
    logging.getLogger("alliance.mail").error("A mail to a member of staff could not be sent.")
    assert outbox.outbox == []


def test_kinds_are_bounded(by_mail, monkeypatch):
    monkeypatch.setattr(error_notices, "MOST_KINDS", 3)
    by_mail()
    for number in range(5):
        logging.getLogger("alliance.other").error("Kind %s", number)
    assert len(outbox.outbox) == 3


# --- To a service --------------------------------------------------------------------------------


@pytest.fixture
def service(settings):
    """What would be sent, as it would be: through the envelope of sentry-sdk."""
    import sentry_sdk

    settings.SENTRY_DSN = "https://key@errors.clinic.example/1"

    class Kept(sentry_sdk.transport.Transport):
        def __init__(self) -> None:
            super().__init__()
            self.sent: list[dict] = []
            self.raw = b""

        def capture_envelope(self, envelope) -> None:
            self.raw += envelope.serialize()
            self.sent += [item.payload.json for item in envelope.items]

    return Kept()


def test_a_service_is_told_the_kind_of_error_and_nothing_that_somebody_entered(
    service, attached, broken, clinic
):
    attached(ToSentry(service))
    answer = broken()
    (event,) = service.sent
    assert event["tags"] == {"number": answer.headers["X-Request-ID"], "route": "home"}
    (value,) = event["exception"]["values"]
    assert (value["type"], value["value"]) == ("RuntimeError", "")
    frame = value["stacktrace"]["frames"][-1]
    assert frame["function"] == "breaks"
    assert frame["filename"] == "tests/alliance/operations/test_error_notices.py"
    assert isinstance(frame["lineno"], int)
    assert "vars" not in frame
    for absent in ("request", "user", "server_name", "breadcrumbs", "extra", "contexts", "modules"):
        assert absent not in event, absent
    text = service.raw.decode().lower()
    for personal in (
        CANARY,
        "olga",
        str(clinic.olga.pk),
        "127.0.0.1",
        sentry_notices.__file__.rpartition("/a")[0],
    ):
        assert personal.lower() not in text, personal


def test_of_the_senders_own_integrations_none_is_on(service):
    client = sentry_notices.begin(service)
    assert client.integrations == {}
    options = client.options
    assert not options["send_default_pii"]
    assert not client.should_send_default_pii()
    assert not options["include_local_variables"]
    assert not options["traces_sample_rate"]
    assert not options["auto_session_tracking"]
    assert options["max_request_body_size"] == "never"


def test_whatever_a_new_release_adds_is_dropped(service):
    client = sentry_notices.begin(service)
    client.capture_event(
        {"message": "It failed.", "user": {"id": CANARY}, "request": {"url": CANARY}, "extra": CANARY}
    )
    (event,) = service.sent
    assert event["message"] == "It failed."
    assert CANARY not in json.dumps(event)


def test_what_an_error_came_from_stands_before_it(service, attached):
    attached(ToSentry(service))
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise FileNotFoundError(2, CANARY) from error
    except FileNotFoundError:
        logging.getLogger("alliance.test").exception("It failed.")
    values = service.sent[0]["exception"]["values"]
    assert [one["type"] for one in values] == ["KeyError", "FileNotFoundError"]
    assert values[-1]["value"] == "system=ENOENT: No such file or directory"


def test_a_service_that_leads_elsewhere_is_not_followed(settings):
    asked = []

    class LeadsElsewhere(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), LeadsElsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings.SENTRY_DSN = f"http://key@127.0.0.1:{server.server_port}/1"
        client = sentry_notices.begin()
        client.capture_event({"message": "It failed."})
        client.close(timeout=10)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/api/1/envelope/"]


IMPORTS = "import sys, django; django.setup(); print('sentry_sdk' in sys.modules)"


def test_the_sender_is_loaded_only_where_it_is_asked_for():
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-c", IMPORTS]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


# --- Where it is switched on ---------------------------------------------------------------------


def test_handlers_stand_there_only_where_the_settings_ask_for_them():
    none = logging_of("json", notices=False, sentry=False)
    both = logging_of("json", notices=True, sentry=True)
    assert none["root"]["handlers"] == ["console"]
    assert both["root"]["handlers"] == ["console", "notices", "sentry"]


def test_health_says_where_notices_go_nowhere(settings):
    settings.ERROR_NOTICES_TO = ["helper@clinic.example"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert [one.state for one in check_of_notices()] == [State.WARNING]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert [one.state for one in check_of_notices()] == [State.OK]
    settings.ERROR_NOTICES_TO = []
    assert [one.state for one in check_of_notices()] == [State.OK]
