"""Whoever is a client's therapist now, or for a while: what they learn of an earlier course, and what cover opens."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import actions, cover_actions, earlier_courses
from clients.models import (
    EarlierCourseConsent,
    Episode,
    Supervision,
)
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance
from sessions_app.flags.models import Discussion
from tests import cast
from tests.sessions_app.corrections.marks import disputed
from tests.sessions_app.course_ends import DAY, TODAY, WEEK, WORK_LIST, browser_of, close, said, transfer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]


# --- The earlier course ------------------------------------------------------------------------------


class TestTheEarlierCourse:
    CANARY = "canary-5b2e"

    @pytest.fixture
    def new(self, clinic):
        cast.rated_course(clinic.olgas, [287, 284])
        cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=5)), 280, comment=self.CANARY)
        return transfer(clinic)

    def course(self, clinic, new):
        return browser_of(clinic.carl).get(reverse("dashboard:client", args=[new.code])).text

    def test_after_a_transfer_the_new_therapist_learns_that_there_was_one_and_whom_to_ask(self, clinic, new):
        text = " ".join(self.course(clinic, new).split())
        assert f"An earlier course: 3 sessions until {said(TODAY())} with Olga; ask Olga or Sina." in text
        for clinical in (self.CANARY, "28.7", "28.4"):
            assert clinical not in text
        assert (
            browser_of(clinic.carl).get(reverse("dashboard:client", args=[clinic.olgas.code])).status_code
            == 404
        )

    def test_names_only_those_who_are_there_to_be_asked(self, clinic, new):
        User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
        assert "ask Sina." in " ".join(self.course(clinic, new).split())
        Supervision.objects.all().delete()
        assert "nobody who could tell about it" in self.course(clinic, new)

    def test_the_clients_consent_opens_the_page_for_two_and_nothing_else(self, clinic, new):
        browser, earlier = browser_of(clinic.carl), clinic.olgas.code
        choose, show = (reverse(f"together:{name}", args=[earlier]) for name in ("choose", "show"))
        assert {browser.get(url).status_code for url in (choose, f"{show}?chosen=1")} == {404}
        consent = reverse("dashboard:record_consent", args=[earlier])
        assert browser_of(clinic.olga).get(consent).status_code == 404
        assert browser.post(consent, {"given_on": TODAY().isoformat()}).status_code == 302
        row = EarlierCourseConsent.objects.get()
        assert (row.recorded_by, row.given_on) == (clinic.carl, TODAY())
        assert self.CANARY in browser.get(choose).text
        assert "From the earlier course with Olga" in browser.get(choose).text
        shown = browser.get(f"{show}?chosen=1").text
        assert reverse("dashboard:client", args=[new.code]) in shown, "the way back is one's own course"
        for name in ("client", "hand_over", "defer"):
            assert browser.get(reverse(f"dashboard:{name}", args=[earlier])).status_code == 404
        assert self.CANARY not in self.course(clinic, new)
        assert AuditEvent.objects.filter(action="consent recorded").count() == 1
        browser.post(reverse("dashboard:withdraw_consent", args=[row.code]))
        assert browser.get(choose).status_code == 404

    def test_a_consent_is_of_this_client_and_of_this_course(self, clinic, new):
        record = {"given_on": TODAY(), "by": clinic.carl}
        for earlier, episode, why in (
            (clinic.carls, new, "no earlier course of the same client"),
            (clinic.olgas, clinic.carls, "no earlier course of the same client"),
        ):
            with pytest.raises(Refused, match=why):
                earlier_courses.record_consent(earlier=earlier, episode=episode, **record)
        with pytest.raises(Refused, match="before the client came to you"):
            earlier_courses.record_consent(
                earlier=clinic.olgas, episode=new, **{**record, "given_on": TODAY() - DAY}
            )
        earlier_courses.record_consent(earlier=clinic.olgas, episode=new, **record)
        with pytest.raises(Refused, match="written down already"):
            earlier_courses.record_consent(earlier=clinic.olgas, episode=new, **record)

    def test_a_consent_is_withdrawn_once_and_given_in_an_open_course_alone(self, clinic, new):
        record = {"earlier": clinic.olgas, "episode": new, "given_on": TODAY(), "by": clinic.carl}
        consent = earlier_courses.record_consent(**record)
        for _ in range(2):
            earlier_courses.withdraw_consent(consent=consent, by=clinic.carl)
        assert AuditEvent.objects.filter(action="consent withdrawn").count() == 1
        close(clinic, episode=new, by=clinic.carl)
        with pytest.raises(Refused, match="This episode is closed"):
            earlier_courses.record_consent(**record)
        assert not EarlierCourseConsent.objects.standing().exists()

    def test_it_ends_with_the_course_in_which_it_was_given(self, clinic, new):
        earlier_courses.record_consent(earlier=clinic.olgas, episode=new, given_on=TODAY(), by=clinic.carl)
        choose = reverse("together:choose", args=[clinic.olgas.code])
        assert browser_of(clinic.carl).get(choose).status_code == 200
        close(clinic, episode=new, by=clinic.carl)
        assert browser_of(clinic.carl).get(choose).status_code == 404

    def test_two_open_courses_stay_unknown_to_each_other(self, clinic):
        both = actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.carl, opened_on=TODAY(), by=clinic.adam
        )
        assert "earlier course" not in self.course(clinic, both)

    def test_thirty_earlier_courses_cost_no_more_queries_than_three(self, clinic, new):
        def queries(many):
            for n in range(many):
                person = cast.person(f"Former{many}x{n}", Role.THERAPIST)
                Episode.objects.create(
                    client=new.client,
                    therapist=person,
                    opened_on=cast.STARTED,
                    closed_on=TODAY(),
                    ending="planned",
                )
            with CaptureQueriesContext(connection) as found:
                earlier_courses.read(new)
            return len(found)

        assert queries(2) == queries(27)


# --- Cover -----------------------------------------------------------------------------------------


class TestWhoCovers:
    @pytest.fixture
    def covered(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330], last_ago=DAY)
        cast.therapy_session(clinic.olgas, ago=-timedelta(minutes=1), attendance=Attendance.PLANNED)
        cover_actions.start(
            episodes=[clinic.olgas],
            colleague=clinic.carl,
            starts_on=TODAY(),
            ends_on=TODAY() + WEEK,
            by=clinic.olga,
        )
        return browser_of(clinic.carl)

    def test_has_the_client_on_the_work_list_with_whom_they_cover_for(self, clinic, covered):
        page = covered.get(WORK_LIST)
        lists = page.context["lists"]
        assert [row.episode.client.label for row in lists.talks] == ["K-1"]
        assert [line.episode.client.label for line in lists.today] == ["K-1"]
        assert "you cover for Olga" in page.text
        assert "you cover for" not in browser_of(clinic.olga).get(WORK_LIST).text

    def test_hands_over_and_notes_talks_in_their_own_name(self, clinic, covered):
        session = cast.therapy_session(clinic.olgas)
        covered.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]), {"session": session.code})
        assert RatingGrant.objects.latest("pk").made_by == clinic.carl
        again = browser_of(clinic.carl)
        last = clinic.olgas.sessions.get(number=2)
        form = {"flag": [flag.code for flag in last.flags.all()], f"talk-{last.code}-said": "Said to Carl"}
        again.post(reverse("dashboard:discuss", args=[last.code]), form)
        assert Discussion.objects.get().discussed_by == clinic.carl

    def test_reads_the_clients_words_and_the_therapist_sees_who_covers(self, clinic, covered):
        cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(hours=2)), 380, comment="For Olga")
        course = reverse("dashboard:client", args=[clinic.olgas.code])
        assert "For Olga" in covered.get(course).text
        assert "You cover for Olga" in covered.get(course).text
        assert "Carl covers from" in browser_of(clinic.olga).get(course).text

    def test_sees_marks_to_look_at_and_decides(self, clinic, covered):
        aside = disputed(cast.therapy_session(clinic.olgas, ago=timedelta(hours=3)), 330)
        assert "Marks waiting for your decision: 1." in covered.get(WORK_LIST).text
        answer = covered.post(reverse("dashboard:leave_marks", args=[aside.code]), {"why": ""})
        assert answer.status_code == 302

    def test_loses_all_of_it_at_once(self, clinic, covered):
        cover_actions.end(covers=cover_actions.of_episode(clinic.olgas), by=clinic.olga)
        assert "K-1" not in covered.get(WORK_LIST).text
        hand_over = reverse("dashboard:hand_over", args=[clinic.olgas.code])
        assert covered.post(hand_over).status_code == 404

    def test_thirty_clients_cost_no_more_queries_than_three(self, clinic):
        def queries(many, prefix):
            rows = [cast.episode(clinic.olga, f"{prefix}-{n}") for n in range(many)]
            for row in rows:
                cast.therapy_session(row)
            cover_actions.start(
                episodes=rows, colleague=clinic.carl, starts_on=TODAY(), ends_on=TODAY(), by=clinic.olga
            )
            browser = browser_of(clinic.carl)
            browser.get(WORK_LIST)
            with CaptureQueriesContext(connection) as found:
                assert browser.get(WORK_LIST).text.count("you cover for Olga") >= many
            return len(found)

        assert queries(3, "X") == queries(27, "Y")
