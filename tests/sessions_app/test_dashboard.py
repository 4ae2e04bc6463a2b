"""The therapist's pages through the test client: what is shown, to whom, and what a write does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from sessions_app import actions
from sessions_app.models import Discussion, Flag, Rating, RatingGrant, TherapySession
from tests import cast

pytestmark = pytest.mark.django_db


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


@pytest.fixture
def flagged(clinic):
    return cast.rated_course(clinic.olgas, [380, 330])[-1]


class TestWorkList:
    def test_puts_whoever_needs_a_talk_first_with_reason_and_question(self, clinic, flagged, sign_in):
        page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        lists = page.context["lists"]
        assert [row.episode for row in lists.talks] == [clinic.olgas]
        row = lists.talks[0]
        assert [row.first_reason.rule, *(flag.rule for flag in row.other_reasons)] == ["C", "A"]
        assert "5 lower than last time" in page.text
        assert lists.talks[0].first_reason.question in page.text

    def test_strongest_reason_first_then_the_one_that_waited_longest(self, clinic, sign_in):
        for label, totals in (("level", [380, 355]), ("level too", [380, 355]), ("fall", [400, 360])):
            cast.rated_course(cast.episode(clinic.olga, label), totals)
        page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        assert [str(row.episode.client) for row in page.context["lists"].talks] == [
            "fall",
            "level",
            "level too",
        ]

    def test_a_talk_takes_the_client_off(self, clinic, flagged, sign_in):
        actions.discuss(flags=flagged.flags.all(), said="x", agreed="shorter homework", by=clinic.olga)
        lists = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"]
        assert (lists.talks, [row.episode for row in lists.others]) == ([], [clinic.olgas])

    def test_closed_episodes_and_colleagues_clients_are_not_on_it(self, clinic, flagged, sign_in):
        cast.rated_course(clinic.carls, [300])
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        assert "K-1" not in page.text
        assert "K-2" not in page.text

    @pytest.mark.parametrize(
        ("ago", "attendance", "rated", "state"),
        [
            (timedelta(hours=-1), "planned", None, "today"),
            (timedelta(hours=3), "planned", None, "unsettled"),
            (timedelta(hours=1), "attended", None, "to_rate"),
            (timedelta(hours=1), "attended", cast.answers(380), "rated"),
            (timedelta(hours=1), "attended", cast.answers(380, goals=None), "partly"),
            (timedelta(hours=1), "did_not_attend", None, "did_not_attend"),
        ],
    )
    def test_todays_sessions_and_where_their_rating_stands(
        self, clinic, sign_in, time_machine, ago, attendance, rated, state
    ):
        time_machine.move_to(timezone.now().replace(hour=12), tick=False)
        session = cast.therapy_session(clinic.olgas, ago=ago, attendance=attendance)
        if rated:
            grant, _ = actions.hand_over(session=session, by=clinic.olga)
            actions.record_rating(grant=grant, answers=rated, mode="line")
        (line,) = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].today
        assert (line.session, line.state) == (session, state)

    def test_a_client_who_chose_not_to_rate_is_not_waited_for(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = actions.hand_over(session=session, by=clinic.olga)
        actions.decline(grant=grant)
        (line,) = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].today
        assert line.state == "declined"
        assert "Client chose not to rate" in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_a_planned_session_that_nobody_settled_is_asked_about(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas, ago=timedelta(days=2), attendance="planned")
        waiting = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].waiting
        assert [line.state for line in waiting] == ["unsettled"]

    @pytest.mark.parametrize(("days", "shown"), [(1, True), (13, True), (15, False)])
    def test_sessions_without_a_rating_are_shown_while_it_can_be_entered(self, clinic, sign_in, days, shown):
        cast.therapy_session(clinic.olgas, ago=timedelta(days=days, hours=2))
        waiting = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].waiting
        assert [line.state for line in waiting] == (["overdue"] if shown else [])

    def test_asks_the_same_number_of_queries_for_3_and_30_clients(
        self, clinic, sign_in, django_assert_num_queries, django_assert_max_num_queries
    ):
        browser = sign_in(clinic.olga)
        counts = []
        for many in (3, 27):
            for place in range(many):
                cast.rated_course(cast.episode(clinic.olga, f"{many}-{place}"), [380, 330])
            browser.get(reverse("dashboard:work_list"))
            with django_assert_max_num_queries(40) as queries:
                browser.get(reverse("dashboard:work_list"))
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_an_open_page_that_asks_again_gets_nothing_until_something_arrives(self, clinic, sign_in):
        browser, address = sign_in(clinic.olga), reverse("dashboard:work_list")
        stamp = browser.get(address).context["stamp"]
        ask = {"headers": {"HX-Request": "true", "X-Poll": "1"}, "query_params": {"seen": stamp}}
        assert browser.get(address, **ask).status_code == 204
        cast.rating(cast.therapy_session(clinic.olgas), 340)
        answer = browser.get(address, **ask)
        assert (answer.status_code, answer.templates[0].name) == (200, "dashboard/_work_list.html")


class TestClientPage:
    def test_shows_chart_table_flags_and_the_clients_own_words(self, clinic, sign_in):
        cast.rating(cast.therapy_session(clinic.olgas), 340, comment="We spoke too little about work.")
        page = sign_in(clinic.olga).get(at("client", clinic.olgas))
        assert page.context["page"].figure["data"]
        for words in ("34.0", "We spoke too little about work.", "Below cutoff"):
            assert words in page.text

    def test_a_supervisor_reads_the_clients_words_only_where_the_client_agreed(self, clinic, sign_in):
        for share in (False, True):
            grant, _ = actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
            actions.record_rating(
                grant=grant,
                answers=cast.answers(380),
                mode="line",
                comment=f"words {share}",
                share_comment=share,
            )
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "words True" in text
        assert "words False" not in text

    def test_a_supervisor_finds_nothing_to_write_with(self, clinic, flagged, sign_in):
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "Sudden fall" in text
        assert "/discuss/" not in text
        assert "Hand over" not in text

    def test_each_look_is_in_the_log_and_asking_again_is_not(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        stamp = browser.get(at("client", clinic.olgas)).context["page"].stamp
        browser.get(at("client", clinic.olgas), query_params={"seen": stamp}, headers={"HX-Request": "true"})
        event = AuditEvent.objects.get(action="viewed")
        assert (event.actor, event.client) == (clinic.olga.pk, clinic.olgas.client.code)

    @pytest.mark.parametrize(
        ("name", "address"), [("olga", "dashboard:work_list"), ("sina", "caseload:overview")]
    )
    def test_a_list_is_in_the_log_with_each_client_on_it(self, clinic, sign_in, name, address):
        others = [cast.episode(clinic.olga, f"K-{number}") for number in (7, 8)]
        sign_in(getattr(clinic, name)).get(reverse(address))
        told = AuditEvent.objects.filter(action="listed", actor=getattr(clinic, name).pk)
        assert {event.client for event in told} == {one.client.code for one in (clinic.olgas, *others)}

    def test_foreign_and_absent_are_the_same_404(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        foreign, absent = (
            browser.get(reverse("dashboard:client", args=[c])) for c in (clinic.carls.code, uuid4())
        )
        assert foreign.status_code == absent.status_code == 404
        assert foreign.content == absent.content

    def test_asks_the_same_number_of_queries_for_3_and_30_sessions(
        self, clinic, sign_in, django_assert_max_num_queries
    ):
        browser, counts = sign_in(clinic.olga), []
        for totals in ([380, 330, 385], [380, 330] * 14):
            episode = cast.episode(clinic.olga, f"K-{len(totals)}")
            for session in cast.rated_course(episode, totals):
                if flags := list(session.flags.open()):
                    actions.discuss(flags=flags, said="x", agreed="y", by=clinic.olga)
            browser.get(at("client", episode))
            with django_assert_max_num_queries(40) as queries:
                assert browser.get(at("client", episode)).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_marks_stand_under_their_own_heading_whatever_order_the_database_keeps(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, None, relationship=11, goals=22, approach=33, overall=44)
        (row,) = sign_in(clinic.olga).get(at("client", clinic.olgas)).context["page"].rows
        assert row.answers == [
            ("Relationship", "1.1"),
            ("Goals and topics", "2.2"),
            ("Approach", "3.3"),
            ("Overall", "4.4"),
        ]


class TestDiscussing:
    def words(self, session, **changes):
        prefix = f"talk-{session.code}"
        flags = [str(flag.code) for flag in session.flags.all()]
        return {
            f"{prefix}-said": "Too much work.",
            f"{prefix}-agreed": "Less of it.",
            "flag": flags,
            **changes,
        }

    def test_notes_the_conversation_and_tells_so(self, clinic, flagged, sign_in):
        response = sign_in(clinic.olga).post(at("discuss", flagged), self.words(flagged), follow=True)
        assert "Noted." in response.text
        discussion = Discussion.objects.get()
        assert (discussion.said, discussion.agreed, discussion.discussed_by) == (
            "Too much work.",
            "Less of it.",
            clinic.olga,
        )
        assert not Flag.objects.for_work_list().exists()

    def test_answers_htmx_with_the_piece(self, clinic, flagged, sign_in):
        response = sign_in(clinic.olga).post(
            at("discuss", flagged), self.words(flagged), headers={"HX-Request": "true"}
        )
        assert (response.status_code, response.templates[0].name) == (200, "components/_course.html")

    def test_an_empty_line_is_told_and_nothing_typed_is_lost(self, clinic, flagged, sign_in):
        words = self.words(flagged, **{f"talk-{flagged.code}-said": ""})
        response = sign_in(clinic.olga).post(at("discuss", flagged), words)
        assert response.status_code == 422
        assert "Write in one line what the client said." in response.text
        assert "Less of it." in response.text
        assert not Discussion.objects.exists()

    def test_flags_somebody_discussed_meanwhile_lose_no_words(self, clinic, flagged, sign_in):
        words = self.words(flagged)
        actions.discuss(flags=flagged.flags.all(), said="first", agreed="", by=clinic.olga)
        response = sign_in(clinic.olga).post(at("discuss", flagged), words)
        assert response.status_code == 422
        assert "Too much work." in response.text
        assert Discussion.objects.count() == 1
        sign_in(clinic.olga).post(at("discuss", flagged), {**words, "as_well": ""})
        assert [one.said for one in Discussion.objects.all()] == ["first", "Too much work."]

    def test_undo_opens_the_flags_again(self, clinic, flagged, sign_in):
        discussion = actions.discuss(flags=flagged.flags.all(), said="x", agreed="", by=clinic.olga)
        sign_in(clinic.olga).post(at("withdraw_discussion", discussion))
        assert Flag.objects.for_work_list().count() == 2

    @pytest.mark.parametrize("name", ["carl", "sina"])
    def test_nobody_else_may(self, clinic, flagged, sign_in, name):
        response = sign_in(getattr(clinic, name)).post(at("discuss", flagged), self.words(flagged))
        assert response.status_code == (404 if name == "carl" else 403)
        assert not Discussion.objects.exists()

    @pytest.mark.parametrize("wrong", [["nonsense"], [str(uuid4())], []])
    def test_made_up_flags_are_no_flags(self, clinic, flagged, sign_in, wrong):
        response = sign_in(clinic.olga).post(at("discuss", flagged), self.words(flagged, flag=wrong))
        assert response.status_code == 422
        assert not Discussion.objects.exists()


class TestHandOver:
    def test_the_confirmation_names_client_session_and_form_and_changes_nothing(self, clinic, sign_in):
        page = sign_in(clinic.olga).get(at("hand_over", clinic.olgas))
        for words in ("K-1", "a new one", "Session rating"):
            assert words in page.text
        assert not TherapySession.objects.exists()

    def test_ends_the_therapists_session_and_leaves_a_grant_in_a_new_cookie(self, clinic, sign_in):
        browser = sign_in(clinic.olga)
        before = browser.cookies["session"].value
        response = browser.post(at("hand_over", clinic.olgas))
        assert (response.status_code, response.url) == (303, reverse("rate:form"))
        assert browser.cookies["session"].value != before
        assert "_auth_user_id" not in browser.session
        old = Browser()
        old.cookies["session"] = before
        assert old.get(reverse("dashboard:work_list")).url.startswith(reverse("account_login"))
        assert RatingGrant.objects.get().session.attendance == "attended"

    def test_takes_todays_session_that_has_no_rating_yet(self, clinic, sign_in):
        cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(minutes=70)), 380)
        second = cast.therapy_session(clinic.olgas, ago=timedelta(minutes=55), attendance="planned")
        sign_in(clinic.olga).post(at("hand_over", clinic.olgas))
        assert RatingGrant.objects.latest("made_at").session == second

    def test_a_named_session_of_somebody_else_is_not_there(self, clinic, sign_in):
        foreign = cast.therapy_session(clinic.carls)
        for code in (foreign.code, "nonsense", uuid4()):
            response = sign_in(clinic.olga).post(at("hand_over", clinic.olgas), {"session": str(code)})
            assert response.status_code == 404
        assert not RatingGrant.objects.exists()

    def test_a_rated_session_or_a_closed_episode_is_refused_with_a_sentence(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        browser = sign_in(clinic.olga)
        response = browser.post(at("hand_over", clinic.olgas), {"session": str(session.code)})
        assert (response.status_code, "has its rating already" in response.text) == (409, True)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        response = browser.post(at("hand_over", clinic.olgas))
        assert (response.status_code, "closed" in response.text) == (409, True)
        assert browser.get(reverse("dashboard:work_list")).status_code == 200

    def test_can_be_taken_back(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = actions.hand_over(session=session, by=clinic.olga)
        sign_in(clinic.olga).post(at("take_back", session))
        grant.refresh_from_db()
        assert grant.withdrawn_by == clinic.olga


class TestPaperRating:
    four = {"relationship": "8,2", "goals": "7.5", "approach": "9", "overall": "", "channel": "paper"}  # noqa: RUF012

    def test_stores_tenths_and_leaves_the_unanswered_line_out(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        response = sign_in(clinic.olga).post(at("enter_rating", session), self.four)
        assert response.url == at("client", clinic.olgas)
        rating = Rating.objects.get()
        assert rating.answers == {"relationship": 82, "goals": 75, "approach": 90, "overall": None}
        assert (rating.total, rating.mode) == (None, "paper")

    @pytest.mark.parametrize("wrong", ["10.1", "-1", "8.25", "eight", "NaN", "1e1", "\x00"])
    def test_a_wrong_figure_is_told_and_nothing_typed_is_lost(self, clinic, sign_in, wrong):
        session = cast.therapy_session(clinic.olgas)
        response = sign_in(clinic.olga).post(at("enter_rating", session), {**self.four, "goals": wrong})
        assert response.status_code == 422
        assert "8,2" in response.text
        assert not Rating.objects.exists()

    def test_four_empty_lines_are_no_rating(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        empty = dict.fromkeys(cast.ITEMS, "") | {"channel": "verbal"}
        response = sign_in(clinic.olga).post(at("enter_rating", session), empty)
        assert (response.status_code, Rating.objects.count()) == (422, 0)

    def test_a_second_rating_of_a_session_is_refused_with_a_sentence(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        response = sign_in(clinic.olga).post(at("enter_rating", session), self.four)
        assert (response.status_code, "has its rating already" in response.text) == (422, True)
        assert Rating.objects.get().total == 380


class TestSessions:
    def test_a_session_is_added_with_the_next_number_in_the_clinics_time_zone(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas)
        day = timezone.localdate() + timedelta(days=2)
        data = {"held_at": f"{day}T14:30", "modality": "video", "attendance": "planned"}
        sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        session = TherapySession.objects.get(number=2)
        assert timezone.localtime(session.held_at).strftime("%H:%M") == "14:30"
        assert session.modality == "video"

    @pytest.mark.parametrize(
        ("days", "attendance", "sentence"),
        [
            (1, "attended", "still to come"),
            (-3000, "planned", "before the episode"),
            (400, "planned", "more than a year ahead"),
        ],
    )
    def test_an_impossible_date_is_told(self, clinic, sign_in, days, attendance, sentence):
        when = timezone.localdate() + timedelta(days=days)
        data = {"held_at": f"{when}T10:00", "modality": "phone", "attendance": attendance}
        response = sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        assert (response.status_code, sentence in response.text) == (422, True)
        assert not TherapySession.objects.exists()

    def test_a_rated_session_took_place(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        cast.rating(session, 380)
        held_at = timezone.localtime(session.held_at).strftime("%Y-%m-%dT%H:%M")
        data = {"held_at": held_at, "modality": "phone", "attendance": "cancelled"}
        response = sign_in(clinic.olga).post(at("change_session", session), data)
        assert (response.status_code, "took place" in response.text) == (422, True)

    @pytest.mark.parametrize("attendance", ["cancelled", "did_not_attend", "planned"])
    def test_a_session_that_is_handed_over_is_taking_place(self, clinic, sign_in, attendance):
        session = cast.therapy_session(clinic.olgas)
        actions.hand_over(session=session, by=clinic.olga)
        held_at = timezone.localtime(session.held_at).strftime("%Y-%m-%dT%H:%M")
        data = {"held_at": held_at, "modality": "phone", "attendance": attendance}
        response = sign_in(clinic.olga).post(at("change_session", session), data)
        assert (response.status_code, "Take that back first" in response.text) == (422, True)

    def test_a_session_to_come_is_not_rated(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(days=-7), attendance="planned")
        response = sign_in(clinic.olga).post(at("enter_rating", session), TestPaperRating.four)
        assert (response.status_code, "still to come" in response.text) == (422, True)
        assert at("enter_rating", session) not in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_a_closed_episode_gets_no_session(self, clinic, sign_in):
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        data = {"held_at": f"{timezone.localdate()}T10:00", "modality": "phone", "attendance": "planned"}
        response = sign_in(clinic.olga).post(at("add_session", clinic.olgas), data)
        assert (response.status_code, "closed" in response.text) == (422, True)

    def test_sessions_are_numbered_as_they_follow_each_other(self, clinic):
        def add(days):
            return actions.add_session(
                episode=clinic.olgas, held_at=timezone.now() + timedelta(days=days), by=clinic.olga
            )

        today, next_week = add(0), add(7)
        cast.rating(today, 380)
        forgotten, tomorrow = add(-7), add(1)
        numbers = {one.pk: one.number for one in TherapySession.objects.all()}
        assert [numbers[one.pk] for one in (forgotten, today, tomorrow, next_week)] == [1, 2, 3, 4]
        assert (forgotten.number, tomorrow.number) == (1, 3)

    def test_a_session_that_is_moved_takes_its_new_place_and_the_flags_follow(self, clinic):
        first, second = cast.rated_course(clinic.olgas, [330, 380], last_ago=timedelta(days=1))
        assert not Flag.objects.standing().filter(rule="C").exists()
        actions.change_session(
            session=first, held_at=timezone.now(), modality="phone", attendance="attended", by=clinic.olga
        )
        assert list(clinic.olgas.sessions.order_by("number")) == [second, first]
        assert Flag.objects.standing().get(rule="C").session == first
