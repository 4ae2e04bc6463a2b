"""Flags are conclusions: computed again at will, withdrawn and never deleted, discussions survive."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance.measurement.questions import questions
from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.courses.models import Attendance
from sessions_app.flags import discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.models import Discussion, Flag
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app import answered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]


def rules(session):
    return sorted(session.flags.standing().values_list("rule", flat=True))


def on_work_list(episode):
    return sorted(answered.calling().filter(session__episode=episode).values_list("rule", flat=True))


def test_a_fall_out_of_the_usual_range_raises_its_flags_and_calls_for_a_talk(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 375, 385, 380, 330])
    assert rules(last) == ["A", "C", "E", "J"]
    assert on_work_list(clinic.olgas) == ["A", "C", "E"]


def test_a_continuing_level_is_no_reason_for_the_work_list(clinic):
    first, second = cast.rated_course(clinic.olgas, [350, 351])
    assert (rules(first), rules(second)) == (["A"], ["A"])
    assert first.flags.get().on_work_list
    assert not second.flags.get().on_work_list


def test_refreshing_twice_changes_nothing_and_logs_nothing(clinic):
    cast.rated_course(clinic.olgas, [380, 330])
    before = (list(Flag.objects.values()), AuditEvent.objects.count())
    conclude(episode=clinic.olgas)
    assert (list(Flag.objects.values()), AuditEvent.objects.count()) == before


def test_what_other_rules_say_of_a_rating_that_was_talked_about_calls_no_more(clinic):
    _, last = cast.rated_course(clinic.olgas, [380, 352])
    discussion_actions.discuss(flags=last.flags.all(), said="x", agreed="", by=clinic.olga)
    cast.choose_rules(clinic.adam, sudden_fall=25)
    conclude(episode=clinic.olgas)
    assert rules(last) == ["A", "C"]
    assert on_work_list(clinic.olgas) == []
    discussion_actions.withdraw_discussion(discussion=Discussion.objects.get(), by=clinic.olga)
    assert on_work_list(clinic.olgas) == ["A", "C"]


def test_marks_that_came_after_the_talk_were_not_talked_about(clinic):
    _, last = cast.rated_course(clinic.olgas, [380, 352])
    talk = discussion_actions.discuss(flags=last.flags.all(), said="x", agreed="", by=clinic.olga)
    Discussion.objects.update(discussed_at=talk.discussed_at - timedelta(days=1))
    cast.choose_rules(clinic.adam, sudden_fall=25)
    conclude(episode=clinic.olgas)
    assert on_work_list(clinic.olgas) == ["C"]


def test_a_flag_that_stood_there_when_others_were_talked_about_still_calls(clinic):
    _, last = cast.rated_course(clinic.olgas, [395, 352])
    assert rules(last) == ["A", "C"]
    discussion_actions.discuss(flags=last.flags.filter(rule="A"), said="x", agreed="", by=clinic.olga)
    assert on_work_list(clinic.olgas) == ["C"]


def test_a_late_rating_of_an_earlier_session_changes_what_later_flags_say(clinic):
    """Session 2 arrives after session 3: order comes from the session number, not from arrival."""
    first, second, third = (
        cast.therapy_session(clinic.olgas, ago=timedelta(weeks=weeks)) for weeks in (2, 1, 0)
    )
    late, _ = hand_over_actions.hand_over(session=second, by=clinic.olga)
    cast.rating(first, 400)
    cast.rating(third, 360)
    assert rules(third) == ["C"]
    discussion = discussion_actions.discuss(
        flags=third.flags.all(), said="It was me.", agreed="", by=clinic.olga
    )
    record_rating(grant=late, answers=cast.answers(370), mode="line")
    assert rules(third) == []
    assert Flag.objects.get(session=third, rule="C").withdrawn_at is not None
    assert list(discussion.flags.all()) == [Flag.objects.get(session=third, rule="C")]


def test_a_flag_that_stands_again_is_the_same_row(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 330])
    flag = last.flags.get(rule="C")
    Flag.objects.filter(pk=flag.pk).update(withdrawn_at=timezone.now())
    conclude(episode=clinic.olgas)
    assert last.flags.get(rule="C").pk == flag.pk
    assert last.flags.get(rule="C").withdrawn_at is None


@pytest.mark.parametrize(("hours", "raised"), [(24, True), (23, False)])
def test_a_missing_rating_is_flagged_a_day_after_the_session(clinic, hours, raised):
    cast.therapy_session(clinic.olgas, ago=timedelta(weeks=1))
    last = cast.therapy_session(clinic.olgas, ago=timedelta(hours=hours, minutes=51))
    conclude(episode=clinic.olgas)
    assert rules(last) == (["G"] if raised else [])


@pytest.mark.parametrize("attendance", [Attendance.CANCELLED, Attendance.DID_NOT_ATTEND, Attendance.PLANNED])
def test_a_session_that_did_not_take_place_is_not_missed(clinic, attendance):
    for weeks in (3, 2):
        cast.therapy_session(clinic.olgas, ago=timedelta(weeks=weeks), attendance=attendance)
    conclude(episode=clinic.olgas)
    assert not Flag.objects.exists()


class TestDiscussing:
    @pytest.fixture
    def session(self, clinic):
        return cast.rated_course(clinic.olgas, [380, 330])[-1]

    def test_a_conversation_takes_the_client_off_the_work_list_and_undo_puts_them_back(self, clinic, session):
        discussion = discussion_actions.discuss(
            flags=session.flags.all(),
            said="Too much talk of work.",
            agreed="Start with home.",
            by=clinic.olga,
        )
        assert on_work_list(clinic.olgas) == []
        assert answered.discussed().count() == 2
        discussion_actions.withdraw_discussion(discussion=discussion, by=clinic.olga)
        assert on_work_list(clinic.olgas) == ["A", "C"]
        assert Discussion.objects.get().said == "Too much talk of work."

    def test_taken_back_in_two_tabs_it_is_taken_back_once(self, clinic, session):
        noted = discussion_actions.discuss(flags=session.flags.all(), said="x", agreed="", by=clinic.olga)
        first, second = (Discussion.objects.get(pk=noted.pk) for _ in range(2))
        discussion_actions.withdraw_discussion(discussion=first, by=clinic.olga)
        at = Discussion.objects.get().withdrawn_at
        discussion_actions.withdraw_discussion(discussion=second, by=clinic.olga)
        assert Discussion.objects.get().withdrawn_at == at
        assert AuditEvent.objects.filter(action="discussion withdrawn").count() == 1

    def test_settles_what_came_before_it_but_not_what_comes_after(self, clinic, session):
        for total in (380, 330, 380, 330):
            session = cast.therapy_session(clinic.olgas)
            cast.rating(session, total)
            if session.number == 4:
                discussion_actions.discuss(flags=session.flags.all(), said="x", agreed="", by=clinic.olga)
        waiting = answered.calling().values_list("session__number", flat=True)
        assert set(waiting) == {6}

    def test_is_about_the_flags_of_one_session(self, clinic, session):
        other = cast.rated_course(clinic.carls, [350])[-1]
        with pytest.raises(Refused, match="one session"):
            discussion_actions.discuss(
                flags=[*session.flags.all(), *other.flags.all()], said="x", agreed="", by=clinic.olga
            )
        with pytest.raises(Refused, match="Choose"):
            discussion_actions.discuss(flags=[], said="x", agreed="", by=clinic.olga)
        assert not Discussion.objects.exists()

    def test_the_database_wants_both_or_neither_of_when_and_by_whom(self, clinic, session):
        discussion = discussion_actions.discuss(
            flags=session.flags.all(), said="x", agreed="", by=clinic.olga
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            Discussion.objects.filter(pk=discussion.pk).update(withdrawn_at=timezone.now())


def test_what_a_flag_says_and_asks_fits_the_line_that_fell(clinic):
    first, second = (cast.therapy_session(clinic.olgas, ago=timedelta(weeks=weeks)) for weeks in (1, 0))
    cast.rating(first, None, relationship=95, goals=95, approach=95, overall=95)
    cast.rating(second, None, relationship=95, goals=40, approach=95, overall=90)
    flag = second.flags.get(rule="C")
    assert flag.evidence["line"] == "goals"
    assert flag.sentence.startswith("6.0 points lower than last time")
    assert flag.question in questions("en")["C"]["goals"]


@pytest.mark.parametrize(
    ("ago", "begins"), [(timedelta(0), "Today's total is"), (timedelta(days=2), "The total is")]
)
def test_a_flag_of_an_earlier_day_does_not_speak_of_today(clinic, ago, begins):
    session = cast.therapy_session(clinic.olgas, ago=ago)
    cast.rating(session, 340)
    assert session.flags.get(rule="A").sentence.startswith(begins)


@pytest.mark.parametrize(
    ("total", "word"),
    [(350, "Below cutoff, as before"), (330, "Below cutoff (2.5 points further down)")],
)
def test_a_continuing_level_says_how_far_it_has_fallen(clinic, total, word):
    *_, last = cast.rated_course(clinic.olgas, [355, total])
    assert last.flags.get(rule="A").word == word


def test_the_clock_raises_a_missing_rating_beside_other_flags(clinic):
    """Two partial ratings with a low line: both carry B, and the second one G and what was left out twice."""
    for days in (8, 1):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(days=days, hours=1))
        cast.rating(session, None, relationship=80, goals=95)
    Flag.objects.filter(rule="G").delete()
    call_command("raise_missing")
    assert rules(clinic.olgas.sessions.get(number=2)) == ["B", "G", "L"]


def test_storing_a_rating_asks_the_same_number_of_queries_after_3_and_30_sessions(
    clinic, django_assert_max_num_queries
):
    counts = []
    for many in (3, 30):
        episode = cast.episode(clinic.olga, f"K-{many}")
        cast.rated_course(episode, [300] * many)
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(episode), by=clinic.olga)
        with django_assert_max_num_queries(11) as queries:  # two of them begin and end a savepoint
            record_rating(grant=grant, answers=cast.answers(300), mode="line")
        counts.append(len(queries))
    assert counts[0] == counts[1]
