"""Methods that no page takes, HEAD beside GET, and addresses that no browser would send."""

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from tests import cast
from tests.alliance.page_table import OURS, addresses, addresses_of_all, browser_of, with_rows
from tests.alliance.test_declared_charset import lacking
from tests.built_once import built_once, copy_of

pytestmark = pytest.mark.django_db
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "A" * 5000)
# New for each answer.
OF_ONE_ANSWER = {"X-Request-ID", "Set-Cookie", "Content-Length", "Content-Security-Policy"}


def headers_of(answer) -> dict[str, str]:
    """Those that could tell two answers apart. The policy is put together in another order by each answer."""
    found = {name: value for name, value in answer.headers.items() if name not in OF_ONE_ANSWER}
    return {**found, "policy": sorted(answer.headers["Content-Security-Policy"].split("; "))}


def content_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_no_address_takes_another_method_and_nobody_is_asked_who_they_are(clinic):
    """The same answer for pages and for what is not there, to strangers and to staff: without a query."""
    answers, asked = set(), 0
    places = [*addresses_of_all(), "/nothing/", "/policy-reports", "/healthz", "/metrics"]
    strangers, olga = Browser(), browser_of(clinic, "olga")
    with CaptureQueriesContext(connection) as queries:
        for address in places:
            for browser, methods in ((strangers, OTHERS), (olga, OTHERS[:1])):
                for method in methods:
                    answer = browser.generic(method, address, b"x=1", content_type="text/plain")
                    told = (answer.status_code, answer.content, str(headers_of(answer)), str(answer.cookies))
                    answers.add(told)
                    asked += 1
    assert len(answers) == 1
    status, _, headers, cookies = answers.pop()
    assert (status, cookies) == (405, "")
    assert "'Allow': 'GET, HEAD, POST'" in headers
    assert lacking(answer) == []
    assert len(queries) == 0
    assert asked > 1500


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, lambda: with_rows(cast.clinic())) as made:
        yield made


class TestHead:
    @pytest.mark.parametrize("who", ["olga", "adam", "anonymous"])
    def test_head_answers_as_get_without_a_body_or_not_at_all(self, built, who):
        world = copy_of(built)
        browser, wrong, alike = browser_of(world, who), [], 0
        for name, entry in OURS:
            address = addresses(world, name, entry)[0]
            head = browser.head(address)
            if content_of(head) or lacking(head):
                wrong.append(f"{address}: a body, or without {lacking(head)}")
            if head.status_code != 405:
                get, alike = browser.get(address), alike + 1
                if (get.status_code, headers_of(get)) != (head.status_code, headers_of(head)):
                    wrong.append(f"{address}: {head.status_code}, and {get.status_code} to GET")
        assert wrong == []
        assert alike > 60


LONG = "x" * 60_000


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/{LONG}", {404}),
        (f"/accounts/login/?next={LONG}", {200, 302}),
        (f"/dashboard/?show={LONG}", {200}),
        (f"/clients/?q={LONG}", {200}),
        (f"/clients/find/?q={LONG}", {200}),
        (f"/clinic/?q={LONG}", {200, 403}),
        (f"/dashboard/clients/{LONG}/", {404}),
        ("/clients/?" + "&".join(f"q{n}=1" for n in range(5000)), {200, 400}),
        ("/clients/?q=%ff%fe%80", {200}),
        ("/clients/?q=%u0041%", {200}),
        ("/clients/find/?q=%00%c0%80%ed%a0%80", {200, 400}),
        ("/dashboard/?show=%d8%3d%de%00", {200}),
        ("/%ff%fe/", {404}),
        ("/dashboard/clients/%c0%ae%c0%ae/", {404}),
    ],
)
def test_an_address_that_no_browser_would_send_is_no_error_of_ours(clinic, address, status):
    for who in ("anonymous", "olga", "adam"):
        browser = browser_of(clinic, who)
        browser.raise_request_exception = False
        answer = browser.get(address)
        expected = status | {"anonymous": {302}, "adam": {403}}.get(who, set())
        assert (answer.status_code in expected, lacking(answer)) == (True, []), answer.status_code
