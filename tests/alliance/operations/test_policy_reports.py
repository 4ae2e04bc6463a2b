"""Reports of the content policy: who may send what, what is kept of it, and where it is read."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.cache.backends.db import DatabaseCache
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance import rate_limits
from alliance.operations import policy_reports
from alliance.operations.policy_reports import KINDS_A_DAY, MOST_AT_ONCE, OTHER, Refused
from tests.alliance.operations.test_metrics import figures, grown
from tests.alliance.test_declared_charset import lacking

pytestmark = pytest.mark.django_db
WHERE = "/policy-reports"
OLD, NEW = "application/csp-report", "application/reports+json"
CODE = "8f0b3a52-1f4e-4a8e-9d5b-0f5f0a7d7c11"
CANARY = "canary-5e1a"


@pytest.fixture(autouse=True)
def _no_report_yet():
    cache.clear()


def in_old_shape(**said):
    report = {
        "document-uri": f"http://testserver/dashboard/clients/{CODE}/?q={CANARY}",
        "effective-directive": "script-src-elem",
        "blocked-uri": f"https://evil.example/{CANARY}.js",
        "script-sample": CANARY,
        "referrer": CANARY,
        **said,
    }
    return json.dumps({"csp-report": report})


def in_new_shape(*bodies):
    return json.dumps(
        [{"type": "csp-violation", "age": 1, "url": "x", "user_agent": CANARY, "body": one} for one in bodies]
    )


def sent(body, content_type=OLD, **of):
    return Browser(enforce_csrf_checks=True).post(WHERE, body, content_type=content_type, **of)


def test_directive_host_and_page_are_kept_and_nothing_else():
    answer = sent(in_old_shape())
    assert (answer.status_code, answer.content, lacking(answer), answer.cookies) == (204, b"", [], {})
    named = {
        "documentURL": f"http://testserver/rate/#{CANARY}",
        "effectiveDirective": "require-trusted-types-for",
        "blockedURL": "trusted-types-sink",
        "sample": CANARY,
    }
    assert sent(in_new_shape(named), NEW).status_code == 204
    assert policy_reports.kept() == {
        Refused("script-src-elem", "evil.example", "dashboard:client"): 1,
        Refused("require-trusted-types-for", "trusted-types-sink", "rate:form"): 1,
    }
    kept = cache.get_many([f"policy_reports:{timezone.now():%Y-%m-%d}:{n}:what" for n in range(3)])
    assert len(kept) == 2
    assert CANARY not in str(kept)
    assert CODE not in str(kept)


def test_a_report_is_counted_without_a_word_of_it():
    before = figures()
    sent(in_old_shape(**{"effective-directive": CANARY}))
    sent(in_old_shape())
    more = {name: n for name, n in grown(before).items() if "policy_reports_total" in name}
    assert more == {
        'alliance_policy_reports_total{directive="other"}': 1,
        'alliance_policy_reports_total{directive="script-src-elem"}': 1,
    }


@pytest.mark.parametrize(
    ("blocked", "host"),
    [
        ("inline", "inline"),
        ("data", "data"),
        ("blob:http://testserver/1", "blob"),
        ("http://testserver/static/x.js", "this site"),
        ("HTTPS://Evil.Example:8443/x?K-1", "evil.example"),
        ("https://K-1@evil.example/", "evil.example"),
        ("https://k_1/", OTHER),
        ("https://" + "a" * 70 + ".example/", OTHER),
        ("http://[::1", OTHER),
        ("<b>", OTHER),
        (7, OTHER),
        (None, OTHER),
        ("https://bücher.example/", OTHER),
    ],
)
def test_of_what_was_refused_the_host_is_kept(blocked, host):
    assert sent(in_old_shape(**{"blocked-uri": blocked})).status_code == 204
    assert [one.host for one in policy_reports.kept()] == [host]


@pytest.mark.parametrize(
    ("page", "named"),
    [
        ("http://testserver/nothing/here", "none"),
        ("http://testserver/dashboard/", "dashboard:work_list"),
        ("about:blank", "none"),
        ("http://[", "none"),
        ("http://testserver:99999999/dashboard/", "dashboard:work_list"),
        ("http://testserver/\ud800\x00%00/", "none"),
        ("\ud800", "none"),
        ([], "none"),
        ("http://testserver/" + "x/" * 9000, "none"),
    ],
)
def test_of_the_page_its_name_is_kept(page, named):
    assert sent(in_old_shape(**{"document-uri": page})).status_code == 204
    assert [one.page for one in policy_reports.kept()] == [named]


@pytest.mark.parametrize("page", ["http://elsewhere.example/dashboard/", "https://testserver.example/"])
def test_a_policy_of_another_site_that_sends_its_reports_here_is_not_counted(page):
    before = figures()
    assert sent(in_old_shape(**{"document-uri": page})).status_code == 204
    named = {"documentURL": page, "effectiveDirective": "img-src", "blockedURL": "data"}
    assert sent(in_new_shape(named), NEW).status_code == 204
    assert not policy_reports.kept()
    assert not [name for name in grown(before) if "policy_reports_total" in name]


@pytest.mark.parametrize(
    "of",
    [
        {"blocked-uri": "chrome-extension"},
        {"blocked-uri": "moz-extension://1/x.js"},
        {"blocked-uri": "inline", "source-file": "safari-web-extension://1/x.js"},
    ],
)
def test_what_people_added_to_their_browser_is_no_fault_of_a_page(of):
    assert sent(in_old_shape(**of)).status_code == 204
    assert not policy_reports.kept()


@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"[1", b'"x"', b"7", b"null", b"\xff\xfe", b"[" * 20_000, b'{"csp-report": 7}', b"NaN"],
)
@pytest.mark.parametrize("content_type", [OLD, NEW])
def test_hostile_bodies_are_refused_and_store_nothing(body, content_type):
    answer = sent(body, content_type)
    assert (answer.status_code, lacking(answer)) == (400, [])
    assert not policy_reports.kept()


def test_what_no_report_can_be_is_refused():
    assert sent(in_old_shape(), "application/x-www-form-urlencoded").status_code == 415
    assert sent(in_old_shape(), "text/plain").status_code == 415
    assert sent(in_old_shape(x="x" * policy_reports.MOST_BYTES)).status_code == 413
    assert sent(in_old_shape(), CONTENT_LENGTH="many").status_code in {400, 413}
    assert Browser(SERVER_NAME="evil.example").post(WHERE, "{}", content_type=OLD).status_code == 400
    for ask in (Browser().get, Browser().head):
        assert ask(WHERE).status_code == 404
    assert Browser().put(WHERE).status_code == 405
    assert not policy_reports.kept()


def test_other_reports_and_too_many_at_once_are_left_out():
    other = json.dumps([{"type": "deprecation", "body": {"id": CANARY}}, 7])
    assert sent(other, NEW).status_code == 204
    many = [{"effectiveDirective": "img-src", "blockedURL": "data"}] * (MOST_AT_ONCE + 10)
    assert sent(in_new_shape(*many), NEW).status_code == 204
    assert policy_reports.kept().total() == MOST_AT_ONCE


def test_of_many_at_once_with_one_unreadable_none_is_counted_for_the_browser_sends_them_again():
    good = {"effectiveDirective": "img-src", "blockedURL": "data"}
    assert sent(in_new_shape(good, good, None), NEW).status_code == 400
    assert not policy_reports.kept()
    assert sent(in_new_shape(good, good), NEW).status_code == 204
    assert policy_reports.kept() == {Refused("img-src", "data", "none"): 2}


def test_twenty_of_one_kind_cost_the_database_no_more_than_one(django_assert_max_num_queries):
    of_one = {"effectiveDirective": "img-src", "blockedURL": "data"}
    asked = []
    for number in (1, 1, MOST_AT_ONCE):
        with django_assert_max_num_queries(60) as queries:
            assert sent(in_new_shape(*[of_one] * number), NEW).status_code == 204
        asked.append(len(queries))
    assert asked[1] == asked[2]


def test_whoever_sends_too_many_is_told_to_stop_and_others_are_not(monkeypatch):
    monkeypatch.setitem(rate_limits.LIMITS, "policy_report", "3/10m/ip")
    assert [sent(in_old_shape()).status_code for _ in range(4)] == [204, 204, 204, 429]
    assert sent(in_old_shape(), REMOTE_ADDR="203.0.113.9").status_code == 204
    monkeypatch.setitem(rate_limits.OF_ALL, "policy_report", 4)
    assert sent(in_old_shape(), REMOTE_ADDR="203.0.113.10").status_code == 429
    assert policy_reports.kept().total() == 4


def test_more_kinds_than_there_are_places_are_counted_together():
    for number in range(KINDS_A_DAY + 5):
        policy_reports.keep(Refused("img-src", f"{number}.example", "none"))
    kept = policy_reports.kept()
    assert len(kept) == KINDS_A_DAY
    assert kept[Refused(OTHER, OTHER, OTHER)] == 6
    assert kept.total() == KINDS_A_DAY + 5


def test_a_place_that_somebody_took_meanwhile_is_not_lost(monkeypatch):
    """Two workers see the same free place: `add` lets one have it, and the other takes the next one."""
    first, second = Refused("img-src", "a.example", "none"), Refused("img-src", "b.example", "none")
    seen = DatabaseCache.get_many

    def before_the_other(self, keys):
        found = seen(self, keys)
        monkeypatch.setattr(DatabaseCache, "get_many", seen)
        policy_reports.keep(first)
        return found

    monkeypatch.setattr(DatabaseCache, "get_many", before_the_other)
    policy_reports.keep(second)
    assert policy_reports.kept() == {first: 1, second: 1}


def test_they_are_gone_after_a_week(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    sent(in_old_shape())
    time_machine.shift(timedelta(days=6))
    sent(in_old_shape())
    assert policy_reports.kept().total() == 2
    time_machine.shift(timedelta(days=1, minutes=1))
    assert policy_reports.kept().total() == 1
    time_machine.shift(timedelta(days=7))
    assert not policy_reports.kept()


def test_an_administrator_reads_a_sentence_on_health(clinic, sign_in):
    page = reverse("health:findings")
    assert "no browser reported that it refused a part of a page" in sign_in(clinic.adam).get(page).text
    for number in range(5):
        sent(in_old_shape(**{"blocked-uri": f"https://{number}.example/"}))
    sent(in_old_shape(**{"blocked-uri": "https://4.example/"}))
    said = " ".join(sign_in(clinic.adam).get(page).text.split())
    assert "browsers reported 6 times that they refused a part of a page" in said
    assert "script-src-elem, 4.example, page dashboard:client (2 times)" in said
    assert "and 2 other kinds" in said
    assert CANARY not in said


def test_strangers_do_not_choose_what_doctor_answers():
    from alliance.operations.findings import ASKED, PAGE, READY, START, run

    sent(in_old_shape())
    assert "policy_reports" not in {one.key for one in run(START | READY | PAGE | ASKED)}


def test_pages_name_the_address_in_the_way_that_browsers_take(settings):
    policy = Browser().get("/accounts/login/").headers["Content-Security-Policy"].split("; ")
    assert f"report-uri {WHERE}" in policy
    assert "Reporting-Endpoints" not in Browser().get("/accounts/login/").headers
    settings.HTTPS = True
    answer = Browser().get("/accounts/login/", secure=True)
    assert answer.headers["Reporting-Endpoints"] == f'policy="{WHERE}"'
