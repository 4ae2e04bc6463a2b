"""A voided session counts nowhere, stays readable, and comes back with everything."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import actions
from clients.models import Episode
from sessions_app.conversations import follow_up_actions, together
from sessions_app.corrections import actions as decide
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.dashboards import caseload, client_page, work_list
from sessions_app.flags import checks, discussion_actions
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import COUNTED, ProcessDay
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.opened import opened
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import rules, withdrawn

pytestmark = pytest.mark.django_db


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


def void(session, by, why="entered twice"):
    return session_actions.void_session(session=session, why=why, by=by)


def numbers(episode):
    return list(episode.sessions.order_by("number").values_list("number", flat=True))


def shown(clinic):
    """All that pages and conclusions say of Olga's client, as plain values."""
    episode = Episode.objects.select_related("client", "standing").get(pk=clinic.olgas.pk)
    page = client_page.build(episode, clinic.olga, timezone.now())
    lists = work_list.build(clinic.olga, timezone.now())
    of_supervisor = caseload.read(clinic.sina, timezone.now())
    standing = {
        name: getattr(episode.standing, name) for name in ("calls_from", "course", "process", "talk_id")
    }
    days = [day for day in ProcessDay.objects.values_list("therapist", "day", *COUNTED) if any(day[2:])]
    return {
        "table": [(row.session.pk, row.session.number, row.total, row.state) for row in page.rows],
        "chart": page.in_words,
        "figure": page.figure,
        "flags": sorted(Flag.objects.standing().values_list("session", "rule", "rating")),
        "talks": [(talk.session.pk, [flag.rule for flag in talk.flags]) for talk in page.talks],
        "today": [(line.session.pk, line.state) for line in lists.today],
        "waiting": [(line.session.pk, line.state) for line in lists.waiting],
        "on the list": [[flag.rule for flag in row.flags] for row in lists.talks],
        "caseload": [
            row.last_where for part in (of_supervisor.needs_a_talk, of_supervisor.others) for row in part
        ],
        "standing": standing,
        "days": sorted(days),
        "for two": [(entry.session, entry.wrote, entry.said) for entry in together.entries(episode)],
    }


def nothing_differs():
    return not list(checks.differing([*Episode.objects.values_list("pk", flat=True)])) and not [
        *checks.differing_days()
    ]


@pytest.fixture
def course(clinic):
    """Three rated sessions; the second a fall with the client's words, talked about."""
    first, second, third = cast.rated_course(clinic.olgas, [380, None, 370], last_ago=timedelta(days=2))
    cast.rating(second, 320, comment="Too fast.")
    discussion_actions.discuss(flags=second.flags.all(), said="said then", agreed="slower", by=clinic.olga)
    return first, second, third


class TestVoided:
    def test_number_chart_flags_standing_lists_and_measures_are_as_if_it_had_never_been(self, clinic):
        cast.rated_course(clinic.olgas, [380, 384, 370], last_ago=timedelta(days=2))
        before = shown(clinic)
        wrong = cast.therapy_session(clinic.olgas, ago=timedelta(days=3))
        cast.rating(wrong, 200, comment="Another person's sentence.")
        assert shown(clinic) != before
        void(wrong, clinic.olga)
        after = shown(clinic)
        # The last ones have the row that they had; what is concluded of it may be written anew, and says the same.
        assert after == before
        assert nothing_differs()

    def test_put_back_everything_stands_again(self, clinic, course):
        before = shown(clinic)
        void(course[1], clinic.olga)
        assert rules(course[1]) == []
        assert shown(clinic) != before
        session_actions.put_session_back(session=course[1], by=clinic.olga)
        after = shown(clinic)
        assert after == before
        assert nothing_differs()

    def test_later_sessions_move_up_and_down_again(self, clinic, course):
        void(course[0], clinic.olga)
        assert numbers(clinic.olgas) == [1, 2]
        assert [one.pk for one in clinic.olgas.sessions.order_by("number")] == [course[1].pk, course[2].pk]
        session_actions.add_session(episode=clinic.olgas, held_at=timezone.now(), by=clinic.olga)
        session_actions.put_session_back(session=course[0], by=clinic.olga)
        assert numbers(clinic.olgas) == [1, 2, 3, 4]
        assert clinic.olgas.sessions.get(number=1) == course[0]

    def test_the_clients_sentence_leaves_the_page_for_two(self, clinic, course):
        words = lambda: {entry.wrote + entry.said for entry in together.entries(clinic.olgas)}  # noqa: E731
        assert words() == {"Too fast.", "said then"}
        void(course[1], clinic.olga)
        assert words() == set()

    def test_whether_it_helped_is_asked_again_for_no_voided_rating(self, clinic, course):
        """The answer is about what was agreed; the session after which it was asked may go."""
        fresh = cast.therapy_session(clinic.olgas)
        cast.rating(fresh, 390)
        talk = clinic.olgas.sessions.get(pk=course[1].pk).discussions.get()
        answer = follow_up_actions.note(discussion=talk, answer="helped", by=clinic.olga)
        void(fresh, clinic.olga)
        page = client_page.build(clinic.olgas, clinic.olga, timezone.now())
        assert (page.last_time.answer, page.last_time.asks) == (answer, False)

    def test_it_can_only_be_voided_at_and_by_and_why(self, clinic, course):
        for wrong in ({"voided_at": timezone.now()}, {"void_reason": "x"}, {"voided_by": clinic.olga}):
            with pytest.raises(IntegrityError), transaction.atomic():
                TherapySession.every.filter(pk=course[0].pk).update(**wrong)

    def test_two_live_sessions_never_share_a_number_and_a_voided_one_may(self, clinic, course):
        void(course[0], clinic.olga)
        assert TherapySession.every.filter(episode=clinic.olgas, number=1).count() == 2
        with pytest.raises(IntegrityError), transaction.atomic():
            TherapySession.objects.filter(pk=course[2].pk).update(number=1)


class TestWhatIsOut:
    def test_a_form_that_is_out_is_taken_back_and_its_marks_are_shown(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        olga, address = sign_in(clinic.olga), at("void_session", session)
        page = olga.post(address, opened(olga, address, why="another client"), follow=True)
        assert "A form was out for it and is taken back" in page.text
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(300), mode="line")
        assert not Rating.objects.exists()
        olga = sign_in(clinic.olga)
        assert "voided session\n          1" in olga.get(reverse("dashboard:work_list")).text
        text = olga.get(at("client", clinic.olgas)).text
        assert "Voided session 1: marks were set aside" in text
        assert "To use them, put it back first" in text
        aside = SetAsideRating.objects.get()
        assert at("use_marks", aside) not in text
        assert at("leave_marks", aside) in text

    def test_nothing_is_decided_about_its_marks_before_it_is_back(self, clinic):
        session = cast.therapy_session(clinic.olgas)
        aside = withdrawn(session)
        void(session, clinic.olga)
        with pytest.raises(Refused, match="was voided"):
            decide.use(aside=aside, seen=None, by=clinic.olga)
        session_actions.put_session_back(session=session, by=clinic.olga)
        decide.use(aside=aside, seen=None, by=clinic.olga)
        assert Rating.objects.standing().get().total == 330

    def test_a_page_that_was_open_before_takes_nothing_back_and_says_so(self, clinic, sign_in):
        session = cast.therapy_session(clinic.olgas)
        hand_over_actions.hand_over(session=session, by=clinic.olga)
        void(session, clinic.olga)
        answer = sign_in(clinic.olga).post(at("take_back", session), follow=True)
        assert "nothing was taken back. No form was out for this session any more." in answer.text

    def test_a_page_that_was_open_before_hands_nothing_over_for_it(self, clinic, course):
        stale = TherapySession.objects.get(pk=course[2].pk)
        void(course[2], clinic.olga)
        for act in (
            lambda: hand_over_actions.hand_over(session=stale, by=clinic.olga),
            lambda: void(stale, clinic.olga),
            lambda: decide.put_back(rating=stale.ratings.get(), by=clinic.olga),
            lambda: session_actions.change_session(
                session=stale, held_at=stale.held_at, modality="phone", attendance="attended", by=clinic.olga
            ),
        ):
            with pytest.raises(Refused, match="was voided"):
                act()

    def test_a_closed_episode_keeps_its_sessions(self, clinic, course):
        voided = void(course[0], clinic.olga).session
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        with pytest.raises(Refused, match="closed"):
            void(course[1], clinic.olga)
        with pytest.raises(Refused, match="closed"):
            session_actions.put_session_back(session=voided, by=clinic.olga)


class TestPages:
    def test_void_read_and_put_back(self, clinic, course, sign_in):
        olga = sign_in(clinic.olga)
        assert at("void_session", course[1]) in olga.get(at("change_session", course[1])).text
        without = olga.post(at("void_session", course[1]), {"why": "  "})
        assert (without.status_code, "Write in one line why." in without.text) == (422, True)
        address = at("void_session", course[1])
        page = olga.post(address, opened(olga, address, why="entered twice"), follow=True)
        for words in (
            "The session is voided",
            "Voided sessions: 1",
            "“<bdi>entered twice</bdi>”",
            "Too fast.",
            "said then",
        ):
            assert words in page.text
        for name in (
            "change_session",
            "enter_rating",
            "void_session",
        ):  # from a page of before, or pressed twice
            assert "This session is voided." in olga.get(at(name, course[1]), follow=True).text
        assert (
            "This session is voided."
            in olga.post(at("void_session", course[1]), {"why": "x"}, follow=True).text
        )
        back = olga.post(at("put_session_back", course[1]), follow=True)
        assert "The session is back: it is session 2." in back.text
        assert "Voided sessions" not in back.text
        twice = olga.post(at("put_session_back", course[1]))
        assert twice.status_code == 302
        events = AuditEvent.objects.filter(client=clinic.olgas.client.code)
        assert [events.filter(action=f"session {what}").count() for what in ("voided", "put back")] == [1, 1]

    def test_of_a_closed_episode_is_not_put_back_and_says_why(self, clinic, course, sign_in):
        voided, olga = void(course[1], clinic.olga).session, sign_in(clinic.olga)
        today = timezone.localdate()
        actions.close_episode(episode=clinic.olgas, closed_on=today, ending="planned", by=clinic.olga)
        answer = olga.post(at("put_session_back", voided), follow=True)
        assert "This episode is closed. Reopen it to change a session." in answer.text
        assert TherapySession.every.voided().get() == voided
        assert not AuditEvent.objects.filter(action="session put back").exists()

    def test_a_supervisor_reads_it_without_the_clients_words_and_writes_nothing(
        self, clinic, course, sign_in
    ):
        void(course[1], clinic.olga)
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "Voided sessions: 1" in text
        assert "Too fast." not in text
        assert "/put-back/" not in text

    @pytest.mark.parametrize("name", ["carl", "sina", "adam"])
    def test_nobody_else_voids_or_puts_back(self, clinic, course, sign_in, name):
        voided = void(course[1], clinic.olga).session
        expected = 404 if name == "carl" else 403
        browser = sign_in(getattr(clinic, name))
        assert browser.post(at("void_session", course[0]), {"why": "x"}).status_code == expected
        assert browser.post(at("put_session_back", voided)).status_code == expected
        assert TherapySession.every.voided().count() == 1

    def test_a_kept_page_names_who_voided_as_they_are_called_now(self, clinic, course, sign_in):
        void(course[1], clinic.olga)
        olga = sign_in(clinic.olga)
        olga.get(at("client", clinic.olgas))
        clinic.olga.name = "Olga Newname"
        clinic.olga.save()
        assert "by Olga Newname" in olga.get(at("client", clinic.olgas)).text

    def test_asks_the_same_number_of_queries_for_3_and_30(
        self, clinic, sign_in, django_assert_max_num_queries
    ):
        counts, olga = [], sign_in(clinic.olga)
        for many in (3, 30):
            episode = cast.episode(clinic.olga, f"K-{many}")
            for session in cast.rated_course(episode, [380] * many):
                void(session, clinic.olga)
            olga.get(at("client", episode))
            cast.therapy_session(episode)
            session_actions.add_session(episode=episode, held_at=timezone.now(), by=clinic.olga, another=True)
            with django_assert_max_num_queries(45) as queries:
                assert f"Voided sessions: {many}" in olga.get(at("client", episode)).text
            counts.append(len(queries))
        assert counts[0] == counts[1]


def test_flags_of_a_voided_session_are_answered_no_more(clinic, course):
    cast.rating(cast.therapy_session(clinic.olgas), 250)
    last = clinic.olgas.sessions.last()
    assert answered.calling().exists()
    void(last, clinic.olga)
    assert not answered.calling().exists()
