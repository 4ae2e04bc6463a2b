"""An open page asks every four seconds whether anything arrived: a cheap answer, and never a stale one."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import LOOKS, AuditEvent
from clients import actions
from clients.models import Episode, Supervision
from sessions_app.dashboards.change_stamp import WRITES_LOOKED_AT, stamp
from sessions_app.intake import hand_over_actions, session_actions
from tests import cast
from tests.site_role import left_here

pytestmark = pytest.mark.django_db

WORK_LIST = reverse("dashboard:work_list")
POLL = {"HX-Request": "true", "X-Poll": "1"}


def page_of(episode, name="dashboard:client"):
    return reverse(name, args=[episode.code])


def log(client, action="changed", **fields):
    return AuditEvent.objects.create(action=action, entity="client", client=client.code, **fields)


@pytest.fixture
def olgas(clinic):
    return Episode.objects.filter(pk=clinic.olgas.pk)


def pages_read_after(looks, clinic):
    """How many pages of the database a stamp reads, after so many more looks at each of two clients."""
    AuditEvent.objects.bulk_create(
        AuditEvent(action=LOOKS[number % 2], entity="client", client=episode.client.code)
        for episode in (clinic.olgas, clinic.carls)
        for number in range(looks)
    )
    with left_here(), connection.cursor() as cursor:
        cursor.execute("ANALYZE alliance_auditevent, clients_client, clients_episode")
        with CaptureQueriesContext(connection) as queries:
            stamp(Episode.objects.all())
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queries[0]['sql']}")
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]


class Page:
    """An open page that asks again."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.stamp = re.search(r"[?]seen=(\w+)", browser.get(address).text)[1]

    def asks(self):
        return self.browser.get(self.address, query_params={"seen": self.stamp}, headers=POLL)


class TestWhatChangesIt:
    @pytest.mark.parametrize("which", ["list", "client", "supervisor's"])
    def test_a_rating(self, clinic, sign_in, which):
        address = {
            "list": WORK_LIST,
            "client": page_of(clinic.olgas),
            "supervisor's": page_of(clinic.olgas, "caseload:client"),
        }[which]
        session = cast.therapy_session(clinic.olgas)
        open_page = Page(sign_in(clinic.sina if which == "supervisor's" else clinic.olga), address)
        assert open_page.asks().status_code == 204
        cast.rating(session, 380)
        assert open_page.asks().status_code == 200

    def test_each_kind_of_write_and_nobodys_look(self, clinic, olgas):
        session = cast.therapy_session(clinic.olgas)
        seen = [stamp(olgas)]
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        seen.append(stamp(olgas))
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        seen.append(stamp(olgas))
        session_actions.session_now(episode=clinic.olgas, session=None, by=clinic.olga)
        actions.close_episode(
            episode=clinic.olgas, closed_on=timezone.localdate(), ending="planned", by=clinic.olga
        )
        seen.append(stamp(olgas))
        assert len(set(seen)) == 4
        for action in LOOKS:
            log(clinic.olgas.client, action)
        log(clinic.carls.client)
        assert stamp(olgas) == seen[-1]

    def test_a_line_with_a_lower_number_that_is_committed_later(self, clinic, olgas):
        """The number is drawn when the line is written, and nobody sees it before the commit."""
        last = AuditEvent.objects.latest("pk").pk
        for number in range(10, 10 + WRITES_LOOKED_AT - 1):
            log(clinic.olgas.client, pk=last + number)
        before = stamp(olgas)
        log(clinic.olgas.client, pk=last + 5)
        assert stamp(olgas) != before

    def test_and_one_between_two_later_ones_of_another_client(self, clinic, olgas):
        last = AuditEvent.objects.latest("pk").pk
        for number in range(10, 10 + 3 * WRITES_LOOKED_AT):
            log(clinic.carls.client, pk=last + number)
        both = Episode.objects.all()
        before = stamp(both)
        log(clinic.olgas.client, pk=last + 5)
        assert stamp(both) != before

    def test_a_client_more_or_less(self, clinic, sign_in):
        page = Page(sign_in(clinic.olga), WORK_LIST)
        second = Episode.objects.create(client=clinic.carls.client, therapist=clinic.olga)
        assert page.asks().status_code == 200
        page = Page(page.browser, WORK_LIST)
        second.standing.delete()
        second.delete()
        assert page.asks().status_code == 200

    def test_no_client_at_all_is_nothing_new_too(self, clinic, sign_in):
        clinic.olgas.standing.delete()
        clinic.olgas.delete()
        assert Page(sign_in(clinic.olga), WORK_LIST).asks().status_code == 204

    @pytest.mark.parametrize("seen", ["", "before", "0" * 16])
    def test_another_stamp_brings_the_page(self, clinic, sign_in, seen):
        browser = sign_in(clinic.olga)
        for address in (WORK_LIST, page_of(clinic.olgas)):
            assert browser.get(address, query_params={"seen": seen}, headers=POLL).status_code == 200


class TestWhoMayAsk:
    @pytest.mark.parametrize("name", ["olga", "sina"])
    def test_a_clients_page_that_is_not_theirs_any_more_is_not_there(self, clinic, sign_in, name):
        address = page_of(clinic.olgas, "dashboard:client" if name == "olga" else "caseload:client")
        page = Page(sign_in(getattr(clinic, name)), address)
        assert page.asks().status_code == 204
        if name == "olga":
            Episode.objects.filter(pk=clinic.olgas.pk).update(therapist=clinic.carl)
        else:
            Supervision.objects.filter(supervisor=clinic.sina).delete()
        assert page.asks().status_code == 404

    def test_foreign_and_absent_are_the_same_whatever_stamp_is_sent(self, clinic, sign_in, olgas):
        browser = sign_in(clinic.carl)
        for seen in (stamp(olgas), stamp(Episode.objects.none())):
            answer = browser.get(page_of(clinic.olgas), query_params={"seen": seen}, headers=POLL)
            assert answer.status_code == 404

    def test_a_role_that_was_taken_away_is_told(self, clinic, sign_in):
        page = Page(sign_in(clinic.olga), WORK_LIST)
        type(clinic.olga).objects.filter(pk=clinic.olga.pk).update(is_therapist=False)
        assert page.asks().status_code == 403


class TestCost:
    @pytest.mark.parametrize("which", ["list", "client", "supervisor's"])
    def test_two_queries_for_3_and_30_clients_that_read_no_course(self, clinic, sign_in, which):
        browser = sign_in(clinic.sina if which == "supervisor's" else clinic.olga)
        address = {
            "list": WORK_LIST,
            "client": page_of(clinic.olgas),
            "supervisor's": page_of(clinic.olgas, "caseload:client"),
        }[which]
        counts = []
        for many in (2, 27):
            for place in range(many):
                cast.rated_course(cast.episode(clinic.olga, f"{many}-{place}"), [380])
            asked = Page(browser, address)
            with CaptureQueriesContext(connection) as queries:
                assert asked.asks().status_code == 204
            counts.append(len(queries))
            assert not any("sessions_app_" in query["sql"] for query in queries)
        assert counts == [2, 2]

    @pytest.mark.postgresql
    def test_looks_since_the_last_write_are_not_walked_through(self, clinic):
        """Of a small clinic, in which somebody looked at the same few clients for months."""
        assert connection.vendor == "postgresql"
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        read = [pages_read_after(looks, clinic) for looks in (10, 10_000)]
        # Walked through, 20,000 entries of the log are hundreds of pages.
        assert read[1] < read[0] + 30, f"{read} pages read beside few looks and beside many"
