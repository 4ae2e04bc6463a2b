"""What each answer tells a browser to refuse, and what a sign-in and a password may be. docs/asvs.md leads here."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from alliance.client_address import get_client_ip
from alliance.models import BrowserSession
from tests import cast
from tests.alliance.sign_in import SECURITY, sign_in

pytestmark = pytest.mark.django_db
LOGIN, SIGN_INS = "/accounts/login/", "/accounts/sessions/"
# A page, a page that is not there, an address of the client's, a refusal, a text.
ADDRESSES = [LOGIN, "/nothing/", "/go/", "/rate/", "/readyz"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_may_be_framed_sniffed_or_load_anything_from_elsewhere(address):
    headers = Browser().get(address).headers
    policy = dict(one.strip().partition(" ")[::2] for one in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    # What is not named falls back to default-src: plugins are refused.
    assert policy.get("object-src", "'none'") == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_with_words_names_its_charset(address):
    kind = Browser().get(address).headers["Content-Type"]
    assert kind.startswith("text/")
    assert kind.endswith("; charset=utf-8")


@pytest.mark.parametrize("address", [*ADDRESSES, "/", "/healthz", "/clients/"])
def test_trace_gives_nothing_back_of_what_was_sent(address):
    answer = Browser().generic("TRACE", address, headers={"X-Canary": "a-canary-in-a-header"})
    assert answer.status_code != 200
    assert b"canary" not in answer.content


@pytest.mark.parametrize(
    "address",
    ["/.git/config", "/.env", "/manage.py", "/alliance/settings.py", "/static/", "/admin/", "/gallery/"],
)
def test_neither_code_nor_folders_nor_tools_are_served(address):
    assert Browser().get(address).status_code == 404


def test_a_sign_in_gets_another_key_and_the_one_of_before_opens_nothing(clinic):
    browser, seen = Browser(), []
    browser.get(reverse("account_login"))
    for _ in range(2):
        sign_in(browser, clinic.olga.email)
        assert browser.get(SECURITY).status_code == 200
        seen.append(browser.cookies[settings.SESSION_COOKIE_NAME].value)
        browser.post(reverse("account_logout"))
    first, second = seen
    assert first != second
    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = first
    assert thief.get(SECURITY).status_code == 302


def test_whoever_shows_once_more_who_they_are_gets_another_key_and_stays_one_sign_in(clinic, time_machine):
    browser, thief = Browser(), Browser()
    sign_in(browser, clinic.olga.email)
    time_machine.move_to(timezone.now() + timedelta(minutes=6), tick=False)
    browser.post(SIGN_INS)
    thief.cookies[settings.SESSION_COOKIE_NAME] = before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    again = f"{reverse('account_reauthenticate')}?next={SIGN_INS}"
    browser.post(again, {"password": "not my password"})
    assert thief.get(SECURITY).status_code == 200
    browser.post(again, {"password": cast.PASSWORD})
    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert browser.get(SECURITY).status_code == 200
    assert thief.get(SECURITY).status_code == 302
    # The list of sign-ins knows this browser under its new key.
    [row] = UserSession.objects.filter(user=clinic.olga)
    assert row.session_key == browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert BrowserSession.objects.filter(person=clinic.olga).count() == 1


def test_the_cookie_of_a_sign_in_is_for_the_server_alone_and_goes_to_no_other_site(clinic):
    browser = Browser()
    sign_in(browser, clinic.olga.email)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (
        True,
        "Lax",
        "/",
        "",
    )
    assert len(cookie.value) >= 32


@pytest.mark.parametrize(
    "password",
    [
        "heron wardrobe elbow lantern",  # small letters alone
        "Ägypten 水 σίδερο лампа",
        " heron  wardrobe elbow lantern ",
        "heron wardrobe elbow lantern " * 4,
    ],
)
def test_a_password_may_hold_any_signs_and_is_compared_as_it_was_typed(clinic, password):
    validate_password(password, clinic.olga)
    clinic.olga.set_password(password)
    clinic.olga.save()

    def enters(typed: str) -> bool:
        browser = Browser()
        browser.post(reverse("account_login"), {"login": clinic.olga.email, "password": typed})
        return browser.get(SECURITY).status_code == 200

    assert enters(password)
    for other in (password.upper(), password[:-1], f"{password} "):
        assert not enters(other)


def test_the_field_of_a_password_masks_it_and_lets_password_managers_work(clinic):
    page = Browser().get(LOGIN).text
    [field] = [part for part in page.split("<input")[1:] if 'name="password"' in part.partition(">")[0]]
    field = field.partition(">")[0]
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert "maxlength" not in field
    assert "paste" not in page


def test_a_new_password_asks_for_the_present_one(clinic):
    browser = Browser()
    sign_in(browser, clinic.olga.email)
    chosen = {"password1": "heron wardrobe elbow lantern", "password2": "heron wardrobe elbow lantern"}
    browser.post(reverse("account_change_password"), {"oldpassword": "not the present one", **chosen})
    clinic.olga.refresh_from_db()
    assert clinic.olga.check_password(cast.PASSWORD)
    browser.post(reverse("account_change_password"), {"oldpassword": cast.PASSWORD, **chosen})
    clinic.olga.refresh_from_db()
    assert clinic.olga.check_password(chosen["password1"])


def test_ending_the_others_asks_who_one_is(clinic, time_machine):
    """An open screen is enough to look at the list, and not to sign somebody out elsewhere."""
    here, elsewhere = Browser(), Browser()
    for browser in (here, elsewhere):
        sign_in(browser, clinic.olga.email)
    time_machine.move_to(timezone.now() + timedelta(minutes=6), tick=False)
    assert here.get(SIGN_INS).status_code == 200
    asked = here.post(SIGN_INS)
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert elsewhere.get(SIGN_INS).status_code == 200
    here.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    here.post(SIGN_INS)
    assert elsewhere.get(SIGN_INS).status_code == 302


SCRIPTS = [path for path in (settings.BASE_DIR / "static").rglob("*.js") if "vendor" not in path.parts]
# What makes markup or a program of a text. DOMParser makes a page that runs nothing.
MARKUP = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write)\b")
RUNS = re.compile(r"\b(eval|Function)\s*\(|\bset(Timeout|Interval)\(\s*[\"'`]")


def test_no_script_of_ours_writes_markup_or_runs_text():
    assert len(SCRIPTS) > 20
    for path in SCRIPTS:
        text = path.read_text("utf-8")
        assert not MARKUP.search(text), path
        assert not RUNS.search(text), path


def test_control_such_a_script_is_found():
    assert MARKUP.search("node.innerHTML = said;")
    assert RUNS.search("setTimeout('go()', 5)")


def test_the_proxys_file_takes_no_older_tls_than_1_2():
    text = (settings.BASE_DIR / "deploy" / "nginx" / "alliance.conf.template").read_text("utf-8")
    assert re.findall(r"ssl_protocols (.+);", text) == ["TLSv1.2 TLSv1.3"]


MODULES = [
    path
    for app in ("alliance", "clients", "sessions_app")
    for path in (settings.BASE_DIR / app).rglob("*.py")
]


def test_every_cookie_has_a_name_that_only_this_site_may_set():
    setting = [path for path in MODULES if "set_cookie(" in path.read_text("utf-8")]
    assert len(setting) == 3
    for path in setting:
        assert re.search(r'= "__Host-\w+" if settings\.HTTPS else "\w+"', path.read_text("utf-8")), path


PROXY = "192.0.2.1"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "believed"),
    [
        (0, "203.0.113.9", PROXY),  # no proxy is trusted: whatever the header says
        (1, "198.51.100.7", "198.51.100.7"),
        (
            1,
            "203.0.113.9, 198.51.100.7",
            "198.51.100.7",
        ),  # what a visitor wrote stands before what the proxy adds
        (2, "203.0.113.9, 198.51.100.7, 192.0.2.2", "198.51.100.7"),
    ],
)
def test_no_visitor_poses_as_another_address(settings, trusted, forwarded, believed):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=PROXY)
    assert get_client_ip(request) == believed
