"""Every request has a number, which stands wherever somebody may look for it, and a line without anything personal."""

import gettext
import logging
import re
import secrets
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.http import StreamingHttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse

from alliance.environment import Environment, SettingError
from alliance.models import User
from alliance.operations import log_lines, request_log, request_number
from alliance.operations.logging_setting import logging_of
from tests.alliance.operations.log_output import output

pytestmark = pytest.mark.django_db
CANARY = "kanarienvogel"
DRAWN = re.compile(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}")
OF_THE_PROXY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def log():
    with output("json") as said:
        yield said


@pytest.fixture
def broken(monkeypatch):
    """The sign-in page breaks, and its error carries what somebody entered; its cause too, and its local values."""

    def breaks(*args, **kwargs):
        entered = f"{CANARY} entered"
        try:
            raise ValueError(entered)
        except ValueError as error:
            raise RuntimeError(f"{entered} again") from error

    monkeypatch.setattr("allauth.account.views.LoginView.get", breaks)
    monkeypatch.setattr("allauth.account.views.LoginView.post", breaks)
    return Browser(raise_request_exception=False)


# --- The number ----------------------------------------------------------------------------------


def test_each_request_has_another_number_that_stands_in_its_answer_and_in_its_line(log):
    answers = [Browser().get(reverse("account_login")) for _ in range(3)]
    numbers = [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(numbers)) == 3
    assert all(DRAWN.fullmatch(number) for number in numbers)
    assert [line["number"] for line in log.of_requests()] == numbers


@pytest.mark.parametrize("said", [OF_THE_PROXY, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"])
def test_a_proxys_number_is_taken_where_a_proxy_is_trusted_and_nowhere_else(settings, said):
    settings.TRUSTED_PROXIES = 0
    alone = Browser().get("/nothing/", headers={"X-Request-ID": said})
    assert alone.headers["X-Request-ID"] != said
    settings.TRUSTED_PROXIES = 1
    behind = Browser().get("/nothing/", headers={"X-Request-ID": said})
    assert behind.headers["X-Request-ID"] == said
    assert said in behind.text


@pytest.mark.parametrize(
    "said", [CANARY, OF_THE_PROXY[:31], OF_THE_PROXY + "\n", "<b>", OF_THE_PROXY.upper(), "٠" * 32]
)
def test_a_proxys_number_that_could_say_something_is_not_taken(settings, said):
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", HTTP_X_REQUEST_ID=said)
    assert DRAWN.fullmatch(request_number.begin(request))


# --- On every page about an error ----------------------------------------------------------------


def assert_tells_its_number(answer, status):
    assert answer.status_code == status
    assert f"looks after the site: <strong>{answer.headers['X-Request-ID']}</strong>" in answer.text


def test_pages_about_errors_tell_the_number(clinic, sign_in, monkeypatch, broken):
    assert_tells_its_number(broken.get(reverse("account_login")), 500)
    assert_tells_its_number(Browser().get("/", headers={"Host": "other.example"}), 400)
    assert_tells_its_number(Browser().get("/nothing/"), 404)
    assert_tells_its_number(Browser(enforce_csrf_checks=True).post(reverse("account_login")), 403)
    olga = sign_in(clinic.olga)
    assert_tells_its_number(olga.get(reverse("clinic:people")), 403)
    monkeypatch.setattr("alliance.views.FIRST_PAGES", None)
    olga.raise_request_exception = False
    assert_tells_its_number(olga.get(reverse("home")), 500)


def test_a_page_that_was_asked_too_often_tells_the_number(clinic, sign_in, monkeypatch):
    monkeypatch.setitem(settings.ACCOUNT_RATE_LIMITS, "reset_password", "1/h/ip")
    for _ in range(2):
        answer = Browser().post(reverse("account_reset_password"), {"email": "nobody@clinic.example"})
    assert_tells_its_number(answer, 429)


def test_the_page_of_an_error_needs_neither_database_nor_context(monkeypatch, broken, django_db_blocker):
    def is_away(*args, **kwargs):
        raise RuntimeError("the database is away")

    monkeypatch.setattr("alliance.middleware.site", is_away)
    with django_db_blocker.block():
        assert_tells_its_number(broken.get(reverse("account_login")), 500)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "ar"])
def test_clients_read_the_number_in_their_language(language):
    sentence = "Whoever looks after this site may ask for this number:"
    if language != "en":
        catalogue = gettext.translation("django", settings.LOCALE_PATHS[0], [language])
        assert catalogue.gettext(sentence) != sentence
        sentence = catalogue.gettext(sentence)
    refused = Browser(enforce_csrf_checks=True).post("/rate/", headers={"Accept-Language": language})
    absent = Browser().get("/go/nothing/at/all", headers={"Accept-Language": language})
    for answer, status in ((refused, 403), (absent, 404)):
        assert answer.status_code == status
        assert f'{sentence} <bdi dir="ltr">{answer.headers["X-Request-ID"]}</bdi>' in answer.text


# --- In the log ----------------------------------------------------------------------------------


def test_a_line_tells_the_page_and_how_it_went_and_nothing_else(clinic, sign_in, log):
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    sign_in(clinic.olga).get(address, {"q": CANARY})
    (line,) = log.of_requests()
    assert set(line) == {"time", "level", "logger", "message", "number", "route", "method", "status", "ms"}
    assert (line["route"], line["method"], line["status"]) == ("dashboard:client", "GET", 200)
    for personal in (CANARY, str(clinic.olgas.code), str(clinic.olga.pk), clinic.olga.email, "127.0.0.1"):
        assert personal not in log.text


SENT = [
    ("get", "/{}/", {}),
    ("get", "/go/{}", {}),
    ("get", "/accounts/login/?next=/{}", {}),
    ("get", "/accounts/password/reset/key/1-{}/", {}),
    ("post", "/accounts/login/", {"data": {"login": f"{CANARY}@clinic.example", "password": CANARY}}),
    ("post", "/rate/upload/", {"data": f'{{"delivery": "{CANARY}"}}', "content_type": "application/json"}),
    (
        "get",
        "/accounts/login/",
        {"headers": {"User-Agent": CANARY, "Cookie": f"session={CANARY}", "Referer": CANARY}},
    ),
    ("get", "/accounts/login/", {"headers": {"Host": f"{CANARY}.example", "X-Request-ID": CANARY}}),
    (
        "get",
        "/accounts/login/",
        {"headers": {"X-Forwarded-For": CANARY, "Authorization": f"Bearer {CANARY}"}},
    ),
    ("post", "/accounts/login/", {"headers": {"Origin": f"https://{CANARY}.example"}}),
    ("generic", CANARY.upper(), {"path": "/accounts/login/"}),
]


@pytest.mark.parametrize("lines", ["json", "plain"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_no_line_holds_what_was_sent_or_what_an_error_says(lines, is_broken, request, settings, capfd):
    settings.TRUSTED_PROXIES = 1
    browser = request.getfixturevalue("broken") if is_broken else Browser(raise_request_exception=False)
    strict = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    with output(lines) as log:
        for how, address, more in SENT:
            for one in (browser, strict):
                getattr(one, how)(address.replace("{}", CANARY), **more)
    written = log.text + "".join(capfd.readouterr())
    assert written.count("Answered.") >= 2 * len(SENT)
    assert is_broken == ("RuntimeError" in written)
    assert CANARY not in written.lower()


def test_control_the_usual_lines_hold_it(broken, caplog):
    broken.get(f"/accounts/login/?next=/{CANARY}")
    Browser().get(f"/{CANARY}/")
    assert f"Not Found: /{CANARY}/" in caplog.text
    assert f"RuntimeError: {CANARY} entered again" in caplog.text


def test_an_error_is_told_with_its_place_and_what_it_came_from(broken, log):
    answer = broken.get(reverse("account_login"))
    (line,) = (line for line in log.lines if "error" in line)
    assert (line["number"], line["route"]) == (answer.headers["X-Request-ID"], "account_login")
    assert line["error"]["type"] == "RuntimeError"
    assert line["error"]["stack"][-1].endswith('in breaks: raise RuntimeError(f"{entered} again") from error')
    assert line["error"]["stack"][-1].startswith("tests/alliance/operations/test_request_log.py:")
    (cause,) = line["error"]["came_from"]
    assert cause["type"] == "ValueError"


def test_what_the_database_calls_a_fault_is_told_without_the_row(clinic, log):
    with pytest.raises(IntegrityError) as raised:
        User.objects.create(email=clinic.olga.email, name=CANARY)
    logging.getLogger("alliance.test").error("It failed.", exc_info=raised.value)
    (line,) = log.lines
    if connection.vendor == "postgresql":
        assert line["error"]["came_from"][0]["sqlstate"] == "23505"
        assert line["error"]["came_from"][0]["constraint_name"]
    else:
        assert line["error"]["came_from"][0]["sqlite"] == "SQLITE_CONSTRAINT_UNIQUE"
        said = "UNIQUE constraint failed: index 'user_email_whatever_the_case'"
        assert line["error"]["came_from"][0]["constraint"] == said
    assert CANARY not in log.text
    assert clinic.olga.email not in log.text


def test_an_answer_that_breaks_off_in_the_middle_is_told_and_its_error_goes_no_further(log):
    def pieces():
        yield b"one"
        raise ValueError(CANARY)

    answered = request_log.log_requests(lambda request: StreamingHttpResponse(pieces()))
    answer = answered(RequestFactory().get("/"))
    with pytest.raises(request_log.Cut) as raised:
        list(answer)
    assert CANARY not in str(raised.value)
    assert raised.value.__suppress_context__
    (line,) = (line for line in log.lines if "error" in line)
    assert (line["error"]["type"], line["number"]) == ("ValueError", answer.headers["X-Request-ID"])


def test_what_packages_say_outside_of_requests_is_kept_and_inside_only_their_own_words(log):
    request_number._current.set(None)
    logging.getLogger("psycopg.pool").warning("connecting to %s failed", "db.clinic.example")
    request_number.begin(RequestFactory().get("/"))
    logging.getLogger("package").warning("what %s said, %d times", CANARY, 3)
    logging.getLogger("package").warning(f"said {CANARY}")
    assert [line["message"] for line in log.lines] == ["connecting to … failed", "what … said, … times", ""]


def test_probes_are_told_of_only_where_they_fail(log):
    request = RequestFactory().get("/readyz")
    for status in (200, 503):
        request_log.log_requests(lambda _request, status=status: StreamingHttpResponse(status=status))(
            request
        )
    assert [(line["route"], line["status"]) for line in log.of_requests()] == [("readyz", 503)]


def test_errors_that_point_to_each_other_come_to_an_end():
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert [fault["type"] for fault in log_lines.error_of(one)["came_from"]] == ["KeyError"]


def test_the_format_is_one_of_two_and_the_token_is_long(monkeypatch, tmp_path):
    env = Environment(tmp_path / "none")
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(SettingError):
        env.one_of("LOG_FORMAT", ("json", "plain"), "json")
    monkeypatch.setenv("METRICS_TOKEN", "short")
    with pytest.raises(SettingError):
        env.token("METRICS_TOKEN")
    monkeypatch.setenv("METRICS_TOKEN", "x" * 32)
    assert env.token("METRICS_TOKEN") == "x" * 32


PRINTS = "from django.conf import settings; print(settings.LOG_FORMAT)"


@pytest.mark.parametrize(("demo", "found"), [("on", "plain"), ("off", "json")])
def test_a_clinic_writes_json_and_a_try_out_lines_for_eyes(demo, found, tmp_path):
    environment = {
        "DEMO": demo,
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "127.0.0.1" if demo == "on" else "alliance.clinic.example",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        "PATH": "/usr/bin:/bin",
    }
    said = subprocess.run(
        [sys.executable, "-c", PRINTS],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == found


def test_djangos_own_handlers_which_show_all_values_are_off():
    setting = logging_of("json", notices=True, sentry=True)
    assert setting["loggers"]["django"]["handlers"] == []
    assert logging.getLogger("django").handlers == []
