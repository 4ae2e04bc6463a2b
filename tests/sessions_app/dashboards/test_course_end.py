"""The end of a course: what lies after, what is still out, who reads and writes from then on, who sees what comes."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User
from alliance.refused import Refused
from clients import actions, cover_actions, day_actions, ending_page
from clients.models import (
    READABLE_FOR,
    DayCorrection,
    Episode,
    EpisodeClosing,
    Supervision,
)
from sessions_app.corrections import actions as decide
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import LateMarks
from sessions_app.courses.models import Attendance, Rating, SetAsideRating
from sessions_app.dashboards import late_arrivals
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.record_rating import NotStored
from tests import cast
from tests.opened import save
from tests.sessions_app.corrections.marks import disputed
from tests.sessions_app.course_ends import (
    DAY,
    TODAY,
    WEEK,
    WORK_LIST,
    browser_of,
    close,
    hand_in,
    over_for,
    page,
    said,
    transfer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]


# --- The day -------------------------------------------------------------------------------------


class TestItsDay:
    def test_an_episode_does_not_end_before_its_own_sessions(self, clinic, sign_in):
        """19 sessions were held, and it was closed on its opening day."""
        rows = [cast.therapy_session(clinic.olgas, ago=n * DAY + timedelta(hours=2)) for n in range(19)]
        last = timezone.localdate(max(row.held_at for row in rows))
        with pytest.raises(Refused) as refusal:
            close(clinic, cast.STARTED)
        assert str(refusal.value).startswith(
            f"19 sessions of K-1 took place after 7 January 2026, the last on {said(last)}."
        )
        url, form = page("close_episode", clinic.olgas.code), {"closed_on": "2026-01-07", "ending": "planned"}
        browser = sign_in(clinic.olga)
        refused = browser.post(url, form)
        assert refused.status_code == 422
        assert 'value="planned"' in refused.text
        assert f'name="offered_day" value="{last:%Y-%m-%d}"' in refused.text
        assert browser.post(url, {**form, "offered_day": f"{last:%Y-%m-%d}"}).status_code == 302
        clinic.olgas.refresh_from_db()
        assert clinic.olgas.closed_on == last

    def test_a_transfer_dated_before_sessions_is_refused_and_offers_their_day(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas, ago=2 * DAY)
        last = TODAY() - 2 * DAY
        url = page("transfer_episode", clinic.olgas.code)
        form = {"on": "2026-01-08", "therapist": clinic.carl.pk}
        browser = sign_in(clinic.adam)
        assert f'value="{last:%Y-%m-%d}"' in browser.post(url, form).text
        assert Episode.objects.open().get(client=clinic.olgas.client).therapist == clinic.olga
        browser.post(url, {**form, "offered_day": f"{last:%Y-%m-%d}"})
        assert Episode.objects.open().get(client=clinic.olgas.client).opened_on == last

    def test_a_session_that_was_missed_keeps_no_episode_open(self, clinic):
        cast.therapy_session(clinic.olgas, ago=DAY, attendance=Attendance.DID_NOT_ATTEND)
        close(clinic, TODAY() - 3 * DAY)

    def test_days_are_corrected_with_a_reason_and_what_stood_is_kept(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas, ago=5 * DAY)
        close(clinic, TODAY() - 2 * DAY)
        url, browser = page("correct_days", clinic.olgas.code), sign_in(clinic.olga)
        days = {"opened_on": "2026-01-02", "closed_on": f"{TODAY() - 4 * DAY:%Y-%m-%d}"}
        assert browser.post(url, days).status_code == 422, "without a reason"
        assert save(browser, url, **days, why="Slip of the pen").status_code == 302
        clinic.olgas.refresh_from_db()
        assert clinic.olgas.opened_on.isoformat() == "2026-01-02"
        opened, closed = DayCorrection.objects.order_by("pk")
        assert (opened.was, opened.becomes.isoformat()) == (cast.STARTED, "2026-01-02")
        assert (closed.was, closed.becomes) == (TODAY() - 2 * DAY, TODAY() - 4 * DAY)
        assert "Slip of the pen" in browser.get(page("client", clinic.olgas.client.code)).text
        assert AuditEvent.objects.filter(action="episode days corrected").count() == 1

    @pytest.mark.parametrize(
        ("days", "why"),
        [
            ({"closed_on": -6}, "took place after"),
            ({"opened_on": -1}, "The first session was on"),
            ({"opened_on": -400, "closed_on": -401}, "cannot close before it was opened"),
            ({}, "Nothing is changed"),
        ],
    )
    def test_a_correction_keeps_the_sessions_within_the_days(self, clinic, days, why):
        cast.therapy_session(clinic.olgas, ago=5 * DAY)
        close(clinic)
        stood = {"opened_on": clinic.olgas.opened_on, "closed_on": clinic.olgas.closed_on}
        moved = {name: TODAY() + timedelta(days=ago) for name, ago in days.items()}
        with pytest.raises(Refused, match=why):
            day_actions.correct_days(episode=clinic.olgas, **{**stood, **moved}, why="x", by=clinic.olga)

    def test_after_a_transfer_the_administrator_corrects_them(self, clinic):
        transfer(clinic)
        days = {"episode": clinic.olgas, "opened_on": cast.STARTED - DAY, "closed_on": TODAY(), "why": "x"}
        with pytest.raises(Refused, match="An administrator corrects the days"):
            day_actions.correct_days(**days, by=clinic.olga)
        day_actions.correct_days(**days, by=clinic.adam)

    def test_a_supervision_is_corrected_with_a_reason(self, clinic, sign_in):
        one = Supervision.objects.get(supervisor=clinic.sina)
        correct = {"supervision": one, "why": "It began later", "by": clinic.adam}
        tomorrow = TODAY() + DAY
        day_actions.correct_supervision(starts_on=tomorrow, **correct)
        assert not Episode.objects.supervised_by(clinic.sina).exists()
        with pytest.raises(Refused, match="cannot end before it starts"):
            day_actions.correct_supervision(starts_on=tomorrow, ends_on=TODAY(), **correct)
        day_actions.correct_supervision(starts_on=cast.STARTED, ends_on=TODAY(), **correct)
        assert Episode.objects.supervised_by(clinic.sina).exists()
        assert [row.of for row in one.day_corrections.order_by("pk")] == ["starts", "starts", "ends"]


class TestBeforeTheOpeningDay:
    """Registered today, and yesterday's session is added: the day is named, and moves in the same step."""

    @pytest.fixture
    def new(self, clinic):
        return cast.episode(clinic.olga, "K-9", opened_on=TODAY())

    @pytest.fixture
    def form(self):
        at = timezone.localtime() - DAY
        return {"held_at": f"{at:%Y-%m-%dT10:00}", "modality": "in_person", "attendance": "attended"}

    def test_a_session_before_the_opening_day_moves_it_in_the_same_step(self, new, form, clinic, sign_in):
        browser, url = sign_in(clinic.olga), reverse("dashboard:add_session", args=[new.code])
        assert "Move the opening day" not in browser.get(url).text
        asked = browser.post(url, form)
        assert asked.status_code == 422
        assert f"This is before the episode was opened, on {said(TODAY())}." in asked.text
        assert f"Move the opening day to {said(TODAY() - DAY)}" in asked.text
        assert form["held_at"] in asked.text, "what was typed is still there"
        assert not new.sessions.exists()
        assert browser.post(url, {**form, "move_opening": "on"}).status_code == 302
        new.refresh_from_db()
        assert (new.opened_on, new.sessions.count()) == (TODAY() - DAY, 1)
        (row,) = DayCorrection.objects.all()
        assert (row.was, row.becomes, row.corrected_by) == (TODAY(), TODAY() - DAY, clinic.olga)

    def test_a_session_is_moved_there_too(self, new, form, clinic, sign_in):
        session = cast.therapy_session(new)
        url = reverse("dashboard:change_session", args=[session.code])
        assert sign_in(clinic.olga).post(url, form).status_code == 422
        assert save(sign_in(clinic.olga), url, **form, move_opening="on").status_code == 302
        new.refresh_from_db()
        assert new.opened_on == TODAY() - DAY

    def test_the_action_refuses_what_no_form_asked_for(self, new, clinic):
        held_at = timezone.now() - 3 * DAY
        with pytest.raises(Refused, match="before the episode was opened, on"):
            session_actions.add_session(episode=new, held_at=held_at, by=clinic.olga)

    def test_a_hand_over_just_after_midnight_is_of_the_day_it_ends_on(self, clinic, time_machine):
        time_machine.move_to(timezone.make_aware(datetime(2026, 3, 3, 0, 20)), tick=False)
        new = cast.episode(clinic.olga, "K-9", opened_on=TODAY())
        hand_over_actions.hand_over_now(episode=new, by=clinic.olga)
        new.refresh_from_db()
        assert new.opened_on == TODAY()


# --- What is still out -----------------------------------------------------------------------------


class TestStillOut:
    @pytest.fixture
    def out(self, clinic):
        """One form in the client's hands, one link that nobody opened, a plan, and flags."""
        cast.rated_course(clinic.olgas, [380, 330], last_ago=2 * DAY)
        now = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=now, by=clinic.olga)
        sent = cast.link(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=70)), by=clinic.olga)
        plan = cast.therapy_session(clinic.olgas, ago=-WEEK, attendance=Attendance.PLANNED)
        return grant, sent.grant, plan

    def test_closing_an_episode_while_a_form_is_out_says_what_becomes_of_it(self, clinic, out, sign_in):
        grant, sent, plan = out
        browser, url = sign_in(clinic.olga), page("close_episode", clinic.olgas.code)
        asked = browser.get(url).text
        for words in (
            "1 planned session",
            "1 form sent that nobody opened: taken back",
            "1 form handed over or opened: the marks still count",
            "open flag",
            "Olga is told on the work list",
        ):
            assert words in " ".join(asked.split()), words
        done = browser.post(url, {"closed_on": TODAY().isoformat(), "ending": "planned"}, follow=True).text
        assert "1 planned session is cancelled." in done
        assert "1 form is still out: marks count until" in done
        assert "Olga will be told when they arrive." in done
        plan.refresh_from_db()
        assert plan.attendance == Attendance.CANCELLED
        assert [one.pk for one in RatingGrant.objects.awaiting(timezone.now())] == [grant.pk]
        assert RatingGrant.objects.get(pk=sent.pk).withdrawn_by == clinic.olga
        assert Rating.objects.filter(grant=hand_in(grant).grant).exists(), "the last rating is not lost"

    def test_an_administrator_is_told_nothing_clinical(self, clinic, out, sign_in):
        browser = sign_in(clinic.adam)
        for name in ("close_episode", "transfer_episode"):
            text = " ".join(browser.get(page(name, clinic.olgas.code)).text.split())
            assert "1 form handed over or opened" in text
            assert "Open flags and talks that were put off" in text, (
                "in general, whether there are any or not"
            )
            assert "open flag:" not in text
            assert "open flags:" not in text

    def test_to_reopen_plans_again_what_is_still_to_come(self, clinic, out):
        _, sent, plan = out
        close(clinic)
        actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        plan.refresh_from_db()
        assert plan.attendance == Attendance.PLANNED
        assert RatingGrant.objects.get(pk=sent.pk).withdrawn_at, "what was taken back stays so"
        assert EpisodeClosing.objects.get().undone_by == clinic.olga

    def test_what_was_cancelled_before_stays_cancelled(self, clinic):
        before = cast.therapy_session(clinic.olgas, ago=-WEEK, attendance=Attendance.CANCELLED)
        close(clinic)
        actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        before.refresh_from_db()
        assert before.attendance == Attendance.CANCELLED

    def test_the_list_of_a_caseload_costs_as_much_for_thirty_as_for_three(self, clinic, sign_in):
        browser, counts = sign_in(clinic.adam), []
        for prefix, many in (("X", 3), ("Y", 30)):
            for n in range(many):
                cast.therapy_session(
                    cast.episode(clinic.olga, f"{prefix}-{n}"), ago=-WEEK, attendance="planned"
                )
            with CaptureQueriesContext(connection) as found:
                text = browser.post(reverse("clients:transfer"), {"all": "1", "q": prefix}).text
            assert text.count("1 planned session") == many
            counts.append(len(found))
        assert counts[0] == counts[1]


# --- Marks that arrive afterwards ------------------------------------------------------------------


class TestLateMarks:
    @pytest.fixture
    def grant(self, clinic):
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        return grant

    def test_after_the_end_the_therapist_is_told_and_says_seen(self, clinic, grant):
        close(clinic)
        browser = browser_of(clinic.olga)
        assert "Arrived after the end" not in browser.get(WORK_LIST).text
        hand_in(grant)
        text = browser.get(WORK_LIST).text
        assert "Arrived after the end of a course" in text
        assert reverse("dashboard:client", args=[clinic.olgas.code]) in text
        seen = reverse("dashboard:late_marks_seen", args=[clinic.olgas.code])
        assert browser_of(clinic.carl).post(seen).status_code == 404
        assert "Arrived after the end" not in browser.post(seen, follow=True).text
        assert LateMarks.objects.get().seen_by == clinic.olga
        assert AuditEvent.objects.filter(action="late marks seen").count() == 1

    def test_marks_that_are_set_aside_are_told_once(self, clinic, grant):
        hand_in(grant)
        close(clinic)
        with pytest.raises(NotStored):
            hand_in(grant, 200)
        lists = browser_of(clinic.olga).get(WORK_LIST).context["lists"]
        assert (len(lists.to_look_at), len(lists.late)) == (1, 0)
        aside = SetAsideRating.objects.get()
        decide.leave(aside=aside, by=clinic.olga)
        assert len(browser_of(clinic.olga).get(WORK_LIST).context["lists"].late) == 1

    def test_after_a_transfer_supervisor_and_former_therapist_see_them_and_the_new_one_whom_to_ask(
        self, clinic, grant
    ):
        transfer(clinic)
        hand_in(grant, 287)
        for person, address in ((clinic.olga, WORK_LIST), (clinic.sina, reverse("caseload:overview"))):
            assert "Arrived after the end" in browser_of(person).get(address).text
        told = " ".join(browser_of(clinic.carl).get(WORK_LIST).text.split())
        assert "K-1: marks of the earlier course with Olga arrived. Ask Olga or Sina." in told
        assert "28.7" not in told
        assert reverse("dashboard:client", args=[clinic.olgas.code]) not in told
        assert "Arrived after the end" not in browser_of(clinic.stefan).get(reverse("caseload:overview")).text
        seen = reverse("caseload:late_marks_seen", args=[clinic.olgas.code])
        assert browser_of(clinic.stefan).post(seen).status_code == 404
        browser_of(clinic.sina).post(seen)
        assert not late_arrivals.of_therapist(clinic.carl)

    def test_where_the_therapist_left_the_supervisor_is_told(self, clinic, grant):
        close(clinic)
        assert late_arrivals.of_supervisor(clinic.sina) == []
        User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
        hand_in(grant)
        (one,) = late_arrivals.of_supervisor(clinic.sina)
        assert one.ask == (clinic.sina,)

    def test_that_somebody_saw_them_is_noted_and_logged_once(self, clinic, grant):
        close(clinic)
        hand_in(grant)
        assert [
            late_arrivals.note_seen(episode=clinic.olgas, by=who) for who in (clinic.olga, clinic.sina)
        ] == [
            1,
            0,
        ]
        assert LateMarks.objects.get().seen_by == clinic.olga
        assert AuditEvent.objects.filter(action=LogEvent.LATE_MARKS_SEEN).count() == 1

    def test_where_nobody_is_left_who_may_see_them_it_says_what_to_do(self, clinic, grant):
        User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
        close(clinic, by=clinic.adam)
        stands = Episode.objects.get(pk=clinic.olgas.pk)
        assert ending_page.became(stands)[0].endswith("Sina will be told when they arrive.")
        Supervision.objects.all().delete()
        (said,) = ending_page.became(stands)
        assert "Nobody who may see them is there: name a supervisor for the former therapist." in said

    def test_marks_before_the_end_and_in_a_reopened_course_are_no_late_marks(self, clinic, grant):
        close(clinic)
        actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        hand_in(grant)
        assert not LateMarks.objects.exists()

    def test_thirty_cost_no_more_queries_than_three(self, clinic):
        def queries(many, prefix):
            for n in range(many):
                one = cast.episode(clinic.olga, f"{prefix}-{n}")
                grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(one), by=clinic.olga)
                close(clinic, episode=one)
                hand_in(grant)
            with CaptureQueriesContext(connection) as found:
                late_arrivals.of_therapist(clinic.olga)
            return len(found)

        assert queries(3, "X") == queries(27, "Y")


# --- Who reads and writes afterwards -----------------------------------------------------------------


class TestTheFormerTherapist:
    def course(self, clinic):
        return browser_of(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code]))

    @pytest.mark.parametrize("end", [close, transfer])
    def test_reads_for_half_a_year_and_then_by_a_cover_alone(self, clinic, end):
        cast.rated_course(clinic.olgas, [380, 330])
        end(clinic)
        assert "is read and not written" in " ".join(self.course(clinic).text.split())
        over_for(clinic.olgas, READABLE_FOR.days)
        assert self.course(clinic).status_code == 200
        over_for(clinic.olgas, READABLE_FOR.days + 1)
        assert self.course(clinic).status_code == 404
        cover_actions.start(
            episodes=[clinic.olgas], colleague=clinic.olga, starts_on=TODAY(), ends_on=TODAY(), by=clinic.adam
        )
        assert self.course(clinic).status_code == 200

    def test_the_list_of_closed_clients_leads_to_no_page_that_is_not_there(self, clinic, sign_in):
        """The days and the people stay, and can be corrected; the course does not."""
        close(clinic)
        over_for(clinic.olgas, READABLE_FOR.days + 100)
        olga = sign_in(clinic.olga)
        address = reverse("clients:client", args=[clinic.olgas.client.code])
        assert address in olga.get(reverse("clients:list") + "?show=closed").text
        assert olga.get(address).status_code == 200
        assert olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).status_code == 404
        assert sign_in(clinic.carl).get(address).status_code == 404

    def test_reads_on_while_the_client_is_in_therapy_with_them_again(self, clinic):
        close(clinic)
        over_for(clinic.olgas, READABLE_FOR.days + 100)
        actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.olga, opened_on=TODAY(), by=clinic.olga
        )
        assert self.course(clinic).status_code == 200

    def test_does_not_reopen_alone_what_they_may_no_longer_read(self, clinic):
        close(clinic)
        over_for(clinic.olgas, READABLE_FOR.days + 1)
        with pytest.raises(Refused, match="An administrator can reopen it"):
            actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        actions.reopen_episode(episode=clinic.olgas, by=clinic.adam)

    def test_is_shown_no_button_that_writes(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        transfer(clinic)
        text = self.course(clinic).text
        for words in ("We talked about it", "Not now", "Hand over", "Add a session", ">Change<", "Correct<"):
            assert words not in text, words

    def test_a_note_that_was_being_written_when_it_ended_keeps_its_words(self, clinic):
        *_, last = cast.rated_course(clinic.olgas, [380, 330])
        transfer(clinic)
        form = {
            "flag": [flag.code for flag in last.flags.all()],
            f"talk-{last.code}-said": "Half a sentence",
            f"talk-{last.code}-agreed": "",
        }
        answer = browser_of(clinic.olga).post(reverse("dashboard:discuss", args=[last.code]), form)
        assert answer.status_code == 422
        assert "it is only read" in answer.text
        assert "Half a sentence" in answer.text
        assert not Discussion.objects.exists()


class TestDecisionsAboutMarksThatArrived:
    def test_are_made_after_the_end_and_not_after_a_transfer(self, clinic):
        session = cast.therapy_session(clinic.olgas)
        aside = disputed(session, 330)
        close(clinic)
        decide.leave(aside=aside, by=clinic.olga)
        decide.take_up_again(aside=aside, by=clinic.olga)
        actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
        transfer(clinic)
        with pytest.raises(Refused, match="was transferred"):
            decide.leave(aside=aside, by=clinic.olga)
        assert (
            "so they stay aside"
            in browser_of(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        )
