"""Process figures over a period and the one before: the address, the trend in words, who sees whose."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.process import Change, Share
from alliance.models import AuditEvent, Role
from clients.models import Supervision
from sessions_app.dashboards import periods, process_figures
from sessions_app.flags.process_days import ProcessDay
from tests import cast
from tests.sessions_app.caseloads import NOW

pytestmark = pytest.mark.django_db
OWN, SUPERVISED = reverse("dashboard:figures"), reverse("caseload:figures")
DAY = timedelta(days=1)


def counted(person, ago, **counts):
    ProcessDay.objects.create(therapist=person, day=timezone.localdate() - ago * DAY, **counts)


def figure(page, label="Rated", person=0):
    return next(one for one in page.context["people"][person].figures if one.label == label)


class TestTrend:
    @pytest.mark.parametrize(
        ("now", "before", "said"),
        [
            (
                Share(90, 100),
                Share(60, 100),
                "30 more of 100 than in the 4 weeks before (95 % interval: 18 to 41).",
            ),
            (
                Share(60, 100),
                Share(90, 100),
                "30 fewer of 100 than in the 4 weeks before (95 % interval: 18 to 41).",
            ),
            (
                Share(16, 20),
                Share(15, 20),
                "5 more of 100 than in the 4 weeks before; too few to say whether that is more than chance.",
            ),
            (
                Share(15, 20),
                Share(15, 20),
                "As many of 100 as in the 4 weeks before; too few to say whether that is more than chance.",
            ),
            (Share(9, 9), Share(60, 100), "Too few now to compare."),
            (Share(60, 100), Share(0, 0), "Too few in the 4 weeks before to compare."),
        ],
    )
    def test_says_the_size_and_whether_it_may_be_chance(self, now, before, said):
        assert process_figures.trend(Change(now, before), "4 weeks") == said

    def test_the_interval_is_newcombes(self):
        """His example, 56 of 70 against 48 of 80: 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
        change = Change(Share(56, 70), Share(48, 80))
        assert (change.difference, change.interval) == (20, (5, 34))
        assert change.is_clear


class TestPeriods:
    @pytest.mark.parametrize(
        ("kind", "first", "before"),
        [
            ("weeks", date(2026, 2, 18), date(2026, 1, 21)),
            ("quarter", date(2025, 12, 17), date(2025, 9, 17)),
            ("year", date(2025, 3, 19), date(2024, 3, 20)),
        ],
    )
    def test_end_yesterday_and_have_as_many_days_before(self, kind, first, before):
        found = periods.last(kind, NOW)
        assert (found.first, found.last) == (first, date(2026, 3, 17))
        assert (found.before.first, found.before.last) == (before, first - DAY)

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"period": "decade"}, periods.NOT_A_PERIOD),
            ({"period": "own"}, periods.BOTH_DAYS),
            ({"period": "own", "since": "2026-01-01"}, periods.BOTH_DAYS),
            ({"period": "own", "since": "2026-02-01", "until": "2026-01-01"}, periods.TURNED),
            ({"period": "own", "since": "2026-01-01", "until": "9000-01-01"}, periods.NOT_OVER),
            ({"period": "own", "since": "0001-01-01", "until": "2026-01-01"}, periods.TOO_EARLY),
            ({"period": "own", "since": "2010-01-01", "until": "2026-01-01"}, periods.TOO_LONG),
            ({"period": "own", "since": "1.1.26", "until": "2026-01-01"}, "year, month, day"),
            ({"therapist": "Olga"}, periods.NOT_YOURS),
        ],
    )
    def test_a_bad_address_is_said_in_a_plain_sentence(self, clinic, sign_in, asked, sentence):
        page = sign_in(clinic.sina).get(SUPERVISED, asked)
        assert page.status_code == 422
        assert sentence in page.text
        assert "people" not in page.context

    def test_a_period_of_ones_own_is_compared_with_as_many_days_before(self, clinic, sign_in):
        counted(clinic.olga, 3, attended=20, rated=18)
        counted(clinic.olga, 13, attended=10, rated=5)
        today = timezone.localdate()
        asked = {"period": "own", "since": today - 10 * DAY, "until": today - DAY}
        rated = figure(sign_in(clinic.olga).get(OWN, asked))
        assert (rated.now.counts, rated.before.counts) == ("18 of 20 (90 %)", "5 of 10 (50 %)")
        assert rated.trend == "40 more of 100 than in the 10 days before (95 % interval: 6 to 68)."


class TestWhoSeesWhose:
    def test_a_therapist_reads_the_same_figures_about_themselves_and_who_else_sees_them(
        self, clinic, sign_in
    ):
        counted(clinic.olga, 3, attended=20, rated=18, to_see=20, seen=15)
        own = sign_in(clinic.olga).get(OWN)
        theirs = sign_in(clinic.sina).get(SUPERVISED)
        assert own.context["people"] == theirs.context["people"]
        assert figure(own, "Seen before the session").now.counts == "15 of 20 (75 %)"
        assert "Sina, your supervisor since" in " ".join(own.text.split())
        Supervision.objects.update(ends_on=timezone.localdate() - DAY)
        assert "Nobody else sees these figures" in sign_in(clinic.olga).get(OWN).text

    def test_nobody_elses(self, clinic, sign_in):
        counted(clinic.olga, 3, attended=20, rated=18)
        page = sign_in(clinic.stefan).get(SUPERVISED)
        assert [one.name for one in page.context["people"]] == ["Carl"]
        refused = sign_in(clinic.stefan).get(SUPERVISED, {"therapist": clinic.olga.pk})
        assert (refused.status_code, "18 of 20" in refused.text) == (422, False)
        for address in (OWN, SUPERVISED):
            assert sign_in(clinic.adam).get(address).status_code == 403

    def test_a_supervision_that_ended_closes_them(self, clinic, sign_in):
        Supervision.objects.update(ends_on=timezone.localdate() - DAY)
        page = sign_in(clinic.sina).get(SUPERVISED)
        assert page.context["people"] == []
        assert "You supervise nobody today." in page.text

    def test_the_address_shows_one_and_the_look_is_in_the_log(self, clinic, sign_in):
        page = sign_in(clinic.sina).get(SUPERVISED, {"therapist": clinic.olga.pk, "period": "year"})
        assert [one.name for one in page.context["people"]] == ["Olga"]
        assert AuditEvent.objects.latest("pk").action == "figures viewed"

    def test_the_caseload_says_where_an_address_names_somebody_else(self, clinic, sign_in):
        overview = reverse("caseload:overview")
        assert periods.NOT_YOURS in sign_in(clinic.sina).get(overview, {"therapist": clinic.carl.pk}).text
        assert periods.NOT_YOURS not in sign_in(clinic.sina).get(overview, {"therapist": clinic.olga.pk}).text


def test_as_many_queries_for_three_supervisees_as_for_thirty(clinic, sign_in):
    browser, seen = sign_in(clinic.sina), []
    browser.get(SUPERVISED)
    for many in (3, 30):
        while (there := Supervision.objects.filter(supervisor=clinic.sina).count()) < many:
            therapist = cast.person(f"T{there}", Role.THERAPIST)
            Supervision.objects.create(supervisor=clinic.sina, therapist=therapist, starts_on=cast.STARTED)
        with CaptureQueriesContext(connection) as queries:
            assert len(browser.get(SUPERVISED).context["people"]) == many
        seen.append(len(queries))
    assert seen[0] == seen[1]
