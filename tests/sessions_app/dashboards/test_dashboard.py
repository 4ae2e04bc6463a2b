"""The therapist's pages through the test client: what is shown, to whom, and what a write does."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from sessions_app.dashboards import course_standings
from sessions_app.flags import discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app import answered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]


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
        assert [flag.rule for flag in row.behind] == ["C", "A"]
        assert "5.0 points lower than " in page.text  # "last time" on the day itself, which may be over
        assert lists.talks[0].behind[0].question in page.text

    def test_who_is_furthest_below_the_own_level_first(self, clinic, sign_in):
        for label, totals in (("level", [380, 355]), ("level too", [380, 355]), ("fall", [400, 360])):
            cast.rated_course(cast.episode(clinic.olga, label), totals)
        page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        assert [str(row.episode.client) for row in page.context["lists"].talks] == [
            "fall",
            "level",
            "level too",
        ]

    def test_a_talk_takes_the_client_off_and_the_list_says_so_today(self, clinic, flagged, sign_in):
        discussion_actions.discuss(
            flags=flagged.flags.all(), said="x", agreed="shorter homework", by=clinic.olga
        )
        lists = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"]
        assert (lists.talks, [row.episode for row in lists.talked_today]) == ([], [clinic.olgas])

    def test_a_client_who_comes_while_the_list_is_read_is_on_the_next_one(
        self, clinic, flagged, sign_in, monkeypatch
    ):
        read = course_standings.of_rows

        def overtaken(*args, **options):
            found = read(*args, **options)
            cast.therapy_session(cast.episode(clinic.olga, "K-9"))
            return found

        with monkeypatch.context() as patch:
            patch.setattr(course_standings, "of_rows", overtaken)
            first = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        assert ("K-1" in first.text, "K-9" in first.text) == (True, False)
        assert "K-9" in sign_in(clinic.olga).get(reverse("dashboard:work_list")).text

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
            (timedelta(hours=1), "attended", cast.answers(None), "nothing_marked"),
            (timedelta(hours=1), "did_not_attend", None, "did_not_attend"),
        ],
    )
    def test_todays_sessions_and_where_their_rating_stands(
        self, clinic, sign_in, ago, attendance, rated, state
    ):
        session = cast.therapy_session(clinic.olgas, ago=ago, attendance=attendance)
        if rated:
            grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
            record_rating(grant=grant, answers=rated, mode="line")
        (line,) = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].today
        assert (line.session.code, line.state) == (session.code, state)

    def test_a_session_of_today_that_began_before_midnight_has_its_day(self, clinic, sign_in):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        cast.therapy_session(clinic.olgas, held_at=midnight - timedelta(minutes=25))
        page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
        assert len(page.context["lists"].today) == 1
        assert "yesterday, 23:35" in " ".join(page.text.split())

    def test_a_client_who_chose_not_to_rate_is_not_waited_for(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(0))  # an hour ago may have been yesterday
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.decline(grant=grant)
        (line,) = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].today
        assert line.state == "declined"
        assert "Client chose not to rate" in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_a_planned_session_that_nobody_settled_is_asked_about(self, clinic, sign_in):
        cast.therapy_session(clinic.olgas, ago=timedelta(days=2), attendance="planned")
        waiting = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].waiting
        assert [line.state for line in waiting] == ["unsettled"]

    @pytest.mark.parametrize(("days", "shown"), [(1, True), (6, True), (7, False)])
    def test_sessions_without_a_rating_are_shown_while_it_can_be_entered(self, clinic, sign_in, days, shown):
        cast.therapy_session(clinic.olgas, ago=timedelta(days=days, hours=2))
        waiting = sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].waiting
        assert [line.state for line in waiting] == (["overdue"] if shown else [])

    def test_a_rating_with_a_line_left_out_is_not_waited_for(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(days=2))
        cast.rating(session, 380, goals=None)
        assert sign_in(clinic.olga).get(reverse("dashboard:work_list")).context["lists"].waiting == []

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
        assert page.context["page"].figure["figure"]["data"]
        for words in ("34.0", "We spoke too little about work.", "Below cutoff"):
            assert words in page.text

    def test_a_supervisor_reads_the_clients_words_only_where_the_client_agreed(self, clinic, sign_in):
        for share in (False, True):
            grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
            record_rating(
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
        told = AuditEvent.objects.get(action="listed", actor=getattr(clinic, name).pk)
        assert set(told.clients) == {one.client.code.hex for one in (clinic.olgas, *others)}

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
                if flags := list(answered.still_open().filter(session=session)):
                    discussion_actions.discuss(flags=flags, said="x", agreed="y", by=clinic.olga)
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


class TestTheTalksOfAClient:
    def test_a_rating_that_came_since_is_said_beside_the_reason(self, clinic, sign_in):
        """Else "17 lower" is read as today's news where the client is back already."""
        cast.rated_course(clinic.olgas, [380, 330, 379])
        olga = sign_in(clinic.olga)
        (row,) = olga.get(reverse("dashboard:work_list")).context["lists"].back
        assert row.says.now == "37.9"
        page = olga.get(at("client", clinic.olgas))
        assert [talk.session.number for talk in page.context["page"].talks] == [2]
        assert "Since then 37.9, session 3, " in " ".join(page.text.split())

    def test_nothing_is_said_where_none_came(self, clinic, flagged, sign_in):
        olga = sign_in(clinic.olga)
        for address in (reverse("dashboard:work_list"), at("client", clinic.olgas)):
            assert "Since then" not in olga.get(address).text

    @pytest.mark.parametrize(("ago", "is_said"), [({"minutes": 10}, False), ({"days": 3}, True)])
    def test_a_talk_on_another_day_is_about_last_time(self, clinic, sign_in, ago, is_said):
        cast.rated_course(clinic.olgas, [380, 330], last_ago=timedelta(**ago))
        text = sign_in(clinic.olga).get(at("client", clinic.olgas)).text
        assert ("say “last time”" in text) == is_said

    def test_nothing_is_said_of_today_where_no_question_asks_about_it(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [380, None, None], last_ago=timedelta(days=3))
        conclude(episode=clinic.olgas)
        page = sign_in(clinic.olga).get(at("client", clinic.olgas))
        assert [talk.strongest.rule for talk in page.context["page"].talks] == ["G"]
        assert "say “last time”" not in page.text

    def test_one_stands_open_and_the_others_are_folded_away(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [380, 330, 280])
        text = sign_in(clinic.olga).get(at("client", clinic.olgas)).text
        assert text.count("<h2>To talk about: session 3</h2>") == text.count('<details class="panel">') == 1
        assert "<summary> Session 2: sudden fall; below cutoff </summary>" in " ".join(text.split())
        # The way out stands below the first form: what is needed most stands first.
        assert (
            text.index("We talked about it")
            < text.index("Not now: put it off")
            < text.index("Session 2: sudden")
        )

    def test_words_that_wait_to_be_mended_are_not_folded_away(self, clinic, sign_in):
        _, middle, _ = cast.rated_course(clinic.olgas, [380, 330, 280])
        text = sign_in(clinic.olga).post(at("discuss", middle), {f"talk-{middle.code}-agreed": "x"}).text
        assert "<h2>To talk about: session 2</h2>" in text
        assert '<details class="panel">' not in text

    def test_without_any_the_page_keeps_no_room_for_them(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [380])
        assert 'id="talks"' not in sign_in(clinic.olga).get(at("client", clinic.olgas)).text


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
        assert not answered.calling().exists()

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
        discussion_actions.discuss(flags=flagged.flags.all(), said="first", agreed="", by=clinic.olga)
        response = sign_in(clinic.olga).post(at("discuss", flagged), words)
        assert response.status_code == 422
        assert "Too much work." in response.text
        assert Discussion.objects.count() == 1
        sign_in(clinic.olga).post(at("discuss", flagged), {**words, "as_well": ""})
        assert [one.said for one in Discussion.objects.all()] == ["first", "Too much work."]

    def test_undo_opens_the_flags_again(self, clinic, flagged, sign_in):
        discussion = discussion_actions.discuss(
            flags=flagged.flags.all(), said="x", agreed="", by=clinic.olga
        )
        sign_in(clinic.olga).post(at("undo_discussion", discussion))
        assert answered.calling().count() == 2

    @pytest.mark.parametrize("name", ["carl", "sina"])
    def test_nobody_else_may(self, clinic, flagged, sign_in, name):
        response = sign_in(getattr(clinic, name)).post(at("discuss", flagged), self.words(flagged))
        assert response.status_code == (404 if name == "carl" else 403)
        assert not Discussion.objects.exists()

    @pytest.mark.parametrize("wrong", [["nonsense"], ["5f1d9a52-3c61-4a0e-9d43-0c9f2a7f6b18"], []])
    def test_made_up_flags_are_no_flags(self, clinic, flagged, sign_in, wrong):
        response = sign_in(clinic.olga).post(at("discuss", flagged), self.words(flagged, flag=wrong))
        assert response.status_code == 422
        assert not Discussion.objects.exists()
