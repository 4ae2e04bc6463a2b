"""A form in another charset than UTF-8 is refused: with it each form was a bare 500 without a header."""

import pytest
from django.test import Client as Browser

from tests.alliance.page_table import addresses_of_all, browser_of

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
DECLARED = (
    f"{FORM}; charset=utf-16",
    "multipart/form-data; boundary=x; charset=utf-16",
    f"{FORM}; charset=base64",
    "application/json; charset=no-such-thing",
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie",
}


def lacking(answer) -> list[str]:
    return [name for name, begins in HEADERS.items() if begins not in answer.headers.get(name, "")]


@pytest.mark.parametrize("who", ["anonymous", "olga", "adam"])
def test_a_form_in_utf_16_is_a_400_with_all_headers_at_every_address(clinic, who):
    """Every page of the URLconf, the packages' too, and in each shape of a body."""
    browser = browser_of(clinic, who)
    browser.raise_request_exception = False
    wrong, asked = [], 0
    for address in addresses_of_all():
        for declared in DECLARED if who == "anonymous" else DECLARED[:1]:
            answer = browser.generic("POST", address, b"\xff\xfea\x00=\x00", content_type=declared)
            asked += 1
            if answer.status_code != 400 or lacking(answer):
                wrong.append(f"{address}: {declared}: {answer.status_code}, without {lacking(answer)}")
    assert wrong == []
    assert asked > 240


def test_what_browsers_send_is_taken():
    for declared in (
        FORM,
        f"{FORM}; charset=UTF-8",
        f"{FORM};charset=utf8",
        "multipart/form-data; boundary=x",
    ):
        assert Browser().post("/accounts/login/", b"", content_type=declared).status_code == 200, declared


def test_a_query_cannot_be_read_in_another_charset_either(clinic):
    browser = browser_of(clinic, "adam")
    browser.raise_request_exception = False
    answer = browser.get("/clients/?q=%ff%fe", headers={"Content-Type": "text/plain; charset=utf-16"})
    assert (answer.status_code, lacking(answer)) == (400, [])


def test_a_client_reads_the_refusal_in_their_language(clinic):
    answer = Browser().post(
        "/go/", "", content_type=f"{FORM}; charset=utf-16", headers={"Accept-Language": "de"}
    )
    assert (answer.status_code, "Das hat nicht geklappt." in answer.text) == (400, True)


# --- The page that tells of an error -------------------------------------------------------------


class Broken:
    """A body that the browser stops sending; it counts how often somebody tried to read it."""

    def __init__(self):
        self.read_so_often = 0

    def read(self, *_):
        self.read_so_often += 1
        raise OSError("the browser is gone")

    readline = read

    def close(self):
        pass


@pytest.mark.parametrize("cookie", ["", "a" * 32])
@pytest.mark.parametrize("address", ["/accounts/login/", "/rate/", "/go/", "/room/", "/dashboard/"])
def test_a_body_that_breaks_off_is_read_once_and_answered_with_all_headers(address, cookie):
    body = Broken()
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    browser.cookies["csrf"] = cookie
    answer = browser.post(address, {}, content_type=FORM, **{"wsgi.input": body, "CONTENT_LENGTH": "500"})
    assert answer.status_code in {302, 400, 403}
    assert lacking(answer) == []
    assert body.read_so_often <= 1
    assert "<h1" in answer.text or answer.status_code == 302


@pytest.mark.parametrize("sent", ["x=1&" * 1200, "x=" + "1" * 300_000])
@pytest.mark.parametrize("address", ["/accounts/login/", "/rate/", "/go/"])
def test_a_body_that_is_too_large_is_a_400_with_all_headers(address, sent):
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    for cookie in ("", "a" * 32):
        browser.cookies["csrf"] = cookie
        answer = browser.generic("POST", address, sent, content_type=FORM)
        assert (answer.status_code in {400, 403}, lacking(answer)) == (True, []), answer.status_code


def test_what_breaks_while_a_body_is_read_is_not_read_again_for_the_page_that_says_so(monkeypatch):
    """The client's page of an error of ours asks the form in which language it was read, if somebody read it."""

    def breaks(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("alliance.middleware.rule_of", breaks)
    body = Broken()
    browser = Browser(raise_request_exception=False)
    answer = browser.post(
        "/rate/", {}, content_type=FORM, headers={"Accept-Language": "de"}, **{"wsgi.input": body}
    )
    assert (answer.status_code, body.read_so_often, lacking(answer)) == (500, 0, [])
    assert "Das hat nicht geklappt." in answer.text
