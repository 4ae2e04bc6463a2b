"""The pages on which a talk is put off, or said to be needless: the work list, the client's page, the caseload."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

from alliance.measurement.talk_groups import Group
from alliance.models import AuditEvent
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import caseload
from sessions_app.flags import deferral_actions
from sessions_app.flags.deferral_form import CHANGED, NO_REASON, REASONS
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.built_once import copy_of, kept_open, under_the_former_list
from tests.sessions_app.caseloads import DAY, HOUR, NOW, fallen, labels, read, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")

WORK_LIST = reverse("dashboard:work_list")


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        with travel(NOW, tick=False), under_the_former_list():
            clinic = cast.clinic()
            fall = fallen(clinic.olgas, ago=2 * DAY)[-1]
        yield clinic, fall


@pytest.fixture
def copied(db, built):
    return copy_of(built)


@pytest.fixture
def clinic(copied):
    return copied[0]


@pytest.fixture
def session(copied):
    return copied[1]


@pytest.fixture
def olga(clinic, session, sign_in):
    return sign_in(clinic.olga)


def page(episode):
    return reverse("dashboard:defer", args=[episode.code])


def said(session, **changes):
    flags = [str(flag.code) for flag in session.flags.all()]
    return {"flags": flags, "kind": "later", "chosen": "", "own": "Her exam  comes first ", **changes}


def decided(clinic, session, kind="later", why="Her exam comes first"):
    return deferral_actions.defer(
        episode=clinic.olgas, flags=session.flags.all(), kind=kind, why=why, by=clinic.olga
    )


def lists(browser):
    return browser.get(WORK_LIST).context["lists"]


class TestDeciding:
    def test_the_page_shows_what_calls_and_offers_reasons(self, clinic, olga):
        text = olga.get(page(clinic.olgas)).text
        for words in (
            "5.0 points lower than the rating before",
            "Not before the next session",
            "No talk needed",
            *REASONS,
        ):
            assert words in text
        assert AuditEvent.objects.filter(action="viewed", client=clinic.olgas.client.code).exists()

    @pytest.mark.parametrize("kind", ["later", "not_needed"])
    def test_leads_back_to_the_list_with_the_undo_in_front(self, clinic, session, olga, kind):
        answer = olga.post(page(clinic.olgas), said(session, kind=kind))
        deferral = Deferral.objects.get()
        assert (answer.status_code, answer.url) == (302, WORK_LIST)
        assert (deferral.kind, deferral.why) == (kind, "Her exam comes first")
        after = olga.get(answer.url)
        assert after.context["lists"].talks == []
        assert reverse("dashboard:undo_deferral", args=[deferral.code]) in after.text
        assert "K-1: " + deferral.get_kind_display().lower() in after.text

    def test_own_words_go_before_a_reason_that_was_chosen(self, clinic, session, olga):
        olga.post(page(clinic.olgas), said(session, chosen=REASONS[1], own=""))
        assert Deferral.objects.get().why == REASONS[1]
        olga.post(reverse("dashboard:undo_deferral", args=[Deferral.objects.get().code]))
        olga.post(page(clinic.olgas), said(session, chosen=REASONS[1], own="My own"))
        assert Deferral.objects.standing().get().why == "My own"

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"own": " "}, NO_REASON),
            ({"own": "x" * 201}, "at most 200 characters"),
            ({"chosen": "none of these"}, "Select a valid choice"),
            ({"kind": "for ever"}, "Say whether it waits"),
            ({"flags": []}, CHANGED),
            ({"flags": ["nonsense"]}, "is not a valid UUID"),
            ({"flags": ["6b8b4567-0000-4000-8000-327b23c66433"]}, CHANGED),
        ],
    )
    def test_what_is_missing_is_told_and_nothing_is_written(self, clinic, session, olga, changes, sentence):
        answer = olga.post(page(clinic.olgas), said(session, **changes))
        assert answer.status_code == 422
        assert sentence in answer.text
        assert not Deferral.objects.exists()

    def test_a_page_that_was_left_open_decides_nothing_about_what_is_settled(self, clinic, session, olga):
        words = said(session)
        talk(session, by=clinic.olga)
        answer = olga.post(page(clinic.olgas), words)
        assert answer.status_code == 422
        assert "Nothing calls for a talk here any more." in answer.text
        assert "Nothing calls for a talk here." in olga.get(page(clinic.olgas)).text

    def test_a_flag_that_came_meanwhile_is_not_put_off_unseen(self, clinic, session, olga):
        words = said(session)
        cast.rating(cast.therapy_session(clinic.olgas), 280)
        olga.post(page(clinic.olgas), words)
        (row,) = lists(olga).talks
        assert {flag.session.number for flag in row.flags} == {4}
        assert {flag.session.number for flag in row.put_off} == {3}

    @pytest.mark.parametrize(("name", "status"), [("carl", 404), ("sina", 403), ("adam", 403)])
    def test_nobody_else_may(self, clinic, session, sign_in, name, status):
        browser = sign_in(getattr(clinic, name))
        assert browser.post(page(clinic.olgas), said(session)).status_code == status
        deferral = decided(clinic, session)
        undo = reverse("dashboard:undo_deferral", args=[deferral.code])
        assert browser.post(undo).status_code == status
        assert Deferral.objects.standing().count() == 1


class TestUndo:
    @pytest.mark.parametrize("origin", ["list", "client"])
    def test_leads_back_to_where_one_was(self, clinic, session, olga, origin):
        deferral = decided(clinic, session)
        answer = olga.post(reverse("dashboard:undo_deferral", args=[deferral.code]), {"from": origin})
        there = {"list": WORK_LIST, "client": reverse("dashboard:client", args=[clinic.olgas.code])}
        assert answer.url == there[origin]
        assert "Undone." in olga.get(answer.url).text
        assert len(lists(olga).talks) == 1

    def test_twice_is_once(self, clinic, session, olga):
        deferral = decided(clinic, session)
        for _ in range(2):
            assert olga.post(reverse("dashboard:undo_deferral", args=[deferral.code])).status_code == 302
        assert AuditEvent.objects.filter(action="deferral undone").count() == 1

    def test_stands_in_the_message_alone_and_once(self, clinic, session, olga):
        olga.post(page(clinic.olgas), said(session))
        undo = reverse("dashboard:undo_deferral", args=[Deferral.objects.get().code])
        assert undo in olga.get(WORK_LIST).text
        assert undo not in olga.get(WORK_LIST).text

    def test_of_a_message_that_stayed_open_is_refused_and_says_where_to_go(
        self, clinic, session, olga, time_machine
    ):
        undo = reverse("dashboard:undo_deferral", args=[decided(clinic, session).code])
        time_machine.move_to(NOW + timedelta(minutes=11), tick=False)
        answer = olga.post(undo, follow=True)
        assert "Use Take back, which stands beside the decision." in answer.text
        assert Deferral.objects.standing().exists()

    @pytest.mark.parametrize("kind", ["later", "not_needed"])
    def test_later_the_decision_is_taken_back_on_the_clients_page(self, clinic, session, olga, kind):
        deferral = decided(clinic, session, kind)
        text = olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        assert "Her exam comes first" in text
        assert reverse("dashboard:take_back_deferral", args=[deferral.code]) in text
        assert "Undo" not in text


class TestWorkList:
    def test_who_is_put_off_stands_at_the_end_with_reason_and_day(self, clinic, session, olga):
        decided(clinic, session)
        cast.therapy_session(clinic.olgas, ago=-5 * DAY, attendance="planned")
        answer = olga.get(WORK_LIST)
        (row,) = answer.context["lists"].later
        assert (row.episode, [flag.rule for flag in row.reasons_put_off]) == (clinic.olgas, ["C", "A"])
        for words in ("Later (1)", "Her exam comes first", "back on Mon 23 Mar"):
            assert words in " ".join(answer.text.split())
        assert answer.context["lists"].groups[Group.OTHER] == []
        assert clinic.olgas.client.code in answer.context["lists"].client_codes

    def test_who_needs_no_talk_is_among_everyone_else(self, clinic, session, olga):
        decided(clinic, session, "not_needed")
        assert [row.episode for row in lists(olga).groups[Group.OTHER]] == [clinic.olgas]

    def test_a_talk_about_what_was_put_off_takes_it_from_there(self, clinic, session, olga):
        decided(clinic, session)
        note = {f"talk-{session.code}-said": "It was too much.", "flag": said(session)["flags"]}
        olga.post(reverse("dashboard:discuss", args=[session.code]), note)
        assert Discussion.objects.count() == 1
        assert (lists(olga).later, len(lists(olga).talked_today)) == ([], 1)

    def test_those_seen_today_stand_first_and_it_is_said(self, clinic, session, olga):
        level = cast.episode(clinic.olga, "level")
        cast.rated_course(level, [380, 355], last_ago=7 * DAY)
        assert [str(row.episode.client) for row in lists(olga).talks] == ["K-1", "level"]
        cast.therapy_session(level, ago=-2 * HOUR, attendance="planned")
        answer = olga.get(WORK_LIST)
        assert [str(row.episode.client) for row in answer.context["lists"].talks] == ["level", "K-1"]
        assert "today at 14:00" in answer.text
        assert "Clients you see today or tomorrow come first" in answer.text

    @pytest.mark.parametrize(
        ("ahead", "attendance", "rated", "is_today"),
        [
            (timedelta(hours=2), "planned", False, True),
            (-timedelta(minutes=40), "attended", False, True),
            (-timedelta(minutes=40), "attended", True, False),  # the talk is for the one after it
            (-timedelta(minutes=50), "attended", False, False),
            (timedelta(hours=2), "cancelled", False, False),
            (timedelta(hours=13), "planned", False, False),
        ],
    )
    def test_today_is_a_session_that_is_not_over(
        self, clinic, session, olga, ahead, attendance, rated, is_today
    ):
        at = cast.therapy_session(clinic.olgas, ago=-ahead, attendance=attendance)
        if rated:
            cast.rating(at, 330)
        assert lists(olga).talks[0].is_today is is_today

    def test_each_client_once_with_the_other_reasons_behind(self, clinic, olga):
        cast.rating(cast.therapy_session(clinic.olgas), 280)
        (row,) = lists(olga).talks
        assert [flag.rule for flag in row.behind] == ["C", "A", "J"]  # what calls first

    @pytest.mark.parametrize(("total", "words"), [(311, ""), (310, "Below cutoff (2.0 points further down)")])
    def test_a_continuing_level_is_a_quiet_badge_until_it_falls_another_two_points(
        self, clinic, session, olga, total, words
    ):
        talk(session, by=clinic.olga)
        cast.rating(cast.therapy_session(clinic.olgas), total)
        waiting = lists(olga).talks
        assert [row.behind[0].word for row in waiting] == ([words] if words else [])
        assert labels(read(clinic).needs_a_talk) == (["K-1"] if words else [])
        if not words:
            (row,) = lists(olga).stays_low  # the rating since the talk is no better
            assert "Below cutoff, as before" in [flag.word for flag in row.badges]

    def test_asks_the_same_number_of_queries_whatever_is_put_off(
        self, clinic, olga, django_assert_max_num_queries
    ):
        counts = []
        for many in (3, 27):
            for place in range(many):
                episode = cast.episode(clinic.olga, f"{many}-{place}")
                flags = fallen(episode)[-1].flags.all()
                deferral_actions.defer(episode=episode, flags=flags, kind="later", why="x", by=clinic.olga)
            olga.get(WORK_LIST)
            with django_assert_max_num_queries(40) as queries:
                assert len(lists(olga).later) >= many
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestClientPage:
    def test_a_talk_that_is_put_off_can_still_be_noted(self, clinic, session, olga):
        decided(clinic, session)
        shown = olga.get(reverse("dashboard:client", args=[clinic.olgas.code])).context["page"]
        assert [talk.session for talk in shown.talks] == [session]
        assert (shown.calls, shown.deferral) == (False, Deferral.objects.get())

    def test_what_needs_no_talk_asks_for_none(self, clinic, session, olga):
        decided(clinic, session, "not_needed")
        answer = olga.get(reverse("dashboard:client", args=[clinic.olgas.code]))
        assert answer.context["page"].talks == []
        assert page(clinic.olgas) not in answer.text

    def test_a_supervisor_reads_who_decided_and_why_and_finds_nothing_to_press(
        self, clinic, session, sign_in
    ):
        decided(clinic, session)
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "Her exam comes first" in text
        assert "Olga; back" in " ".join(text.split())
        assert "/deferrals/" not in text
        assert "/defer/" not in text


class TestCaseload:
    @pytest.mark.parametrize(
        ("kind", "state", "words"),
        [
            (
                "later",
                "put off",
                "Not before the next session: “Her exam comes first” (Olga, 18 Mar)",
            ),
            ("not_needed", "no talk needed", "No talk needed: “Her exam comes first” (Olga, 18 Mar)"),
        ],
    )
    def test_says_what_was_decided_by_whom_and_why(self, clinic, session, overview, kind, state, words):
        decided(clinic, session, kind)
        shown = read(clinic)
        (row,) = shown.deferred
        assert (row.deferred, {one.state for one in row.reasons}) == (words, {state})
        assert shown.needs_a_talk == shown.others == ()
        assert "Decided: no talk for now" in overview(clinic.sina).text
        assert clinic.olgas.client.code in shown.client_codes

    def test_awake_again_it_says_that_it_was_put_off(self, clinic, session, time_machine):
        decided(clinic, session)
        TherapySession.objects.filter(pk=session.pk).update(held_at=NOW - 2 * DAY)
        cast.therapy_session(clinic.olgas, ago=-DAY, attendance="planned")
        cast.conclude_everything()
        time_machine.move_to(NOW + DAY, tick=False)

        (row,) = caseload.read(clinic.sina, timezone.now()).needs_a_talk
        assert row.deferred == "Was put off: “Her exam comes first” (Olga, 18 Mar)"

    def test_the_next_rating_ends_a_decision_that_no_talk_is_needed(self, clinic, session):
        decided(clinic, session, "not_needed")
        cast.rating(cast.therapy_session(clinic.olgas), 370)
        (row,) = read(clinic).others
        assert row.deferred == ""

    def test_the_figures_name_it_apart(self, clinic, session):
        Flag.objects.update(raised_at=session.ends_at)
        decided(clinic, session, "not_needed")
        cast.therapy_session(clinic.olgas, ago=2 * DAY)
        cast.conclude_everything()
        shares = {share.label: share.counts for share in read(clinic).measures[0].shares}
        assert (shares["Talked about in time"], shares["Decided: no talk needed"]) == ("0 of 1", "1 of 1")


def test_a_page_of_before_hears_of_a_decision(clinic, session, sign_in):
    browser = sign_in(clinic.olga)
    stamp = browser.get(WORK_LIST).context["stamp"]
    decided(clinic, session)
    ask = {"headers": {"HX-Request": "true", "X-Poll": "1"}, "query_params": {"seen": stamp}}
    assert browser.get(WORK_LIST, **ask).status_code == 200


def test_a_course_that_is_over_refuses_the_undo_in_words(clinic, session, sign_in):
    deferral = decided(clinic, session)
    clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
    clinic.olgas.save()
    undo = reverse("dashboard:undo_deferral", args=[deferral.code])
    assert "it is only read" in sign_in(clinic.olga).post(undo, follow=True).text
    assert Deferral.objects.standing().exists()
