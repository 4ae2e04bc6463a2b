"""The stored standing of an episode: written by every write, read by every list, checked against a fresh one."""

import ast
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import sessions_app
from clients import actions as episode_actions
from clients.models import Episode
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Attendance
from sessions_app.dashboards import work_list
from sessions_app.flags import checks, deferral_actions, discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Discussion, Flag
from sessions_app.flags.process_days import ProcessDay
from sessions_app.intake import hand_over_actions, paper_entry, session_actions
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.records import erasure_actions
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import disputed, use, withdrawn
from tests.sessions_app.moving_in import files

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


def nothing_differs():
    episodes = list(Episode.objects.values_list("pk", flat=True))
    return not list(checks.differing(episodes)) and not list(checks.differing_days())


def course_of(episode):
    return EpisodeStanding.objects.get(episode=episode).course


class TestWhatItHolds:
    def test_points_level_and_what_calls(self, clinic):
        cast.rated_course(clinic.olgas, [380, None, 384, 330])
        row = EpisodeStanding.objects.get(episode=clinic.olgas)
        assert row.course["points"] == [380, None, 384, 330]
        assert (row.course["total"], row.course["own_level"], row.course["maximum"]) == (330, 380, 400)
        assert {flag["rule"] for flag in row.course["flags"]} == {"A", "C"}
        assert row.calls_from <= timezone.now()

    def test_only_the_last_twelve_sessions_are_points_and_all_have_their_state(self, clinic):
        cast.rated_course(clinic.olgas, [380] * 15)
        assert len(course_of(clinic.olgas)["points"]) == 12
        assert course_of(clinic.olgas)["marks"] == {str(n): "rated" for n in range(1, 16)}

    def test_an_overdue_rating_is_stored_as_the_moment_from_which_it_is(self, clinic):
        session = cast.therapy_session(clinic.olgas, ago=timedelta(hours=2))
        conclude(episode=clinic.olgas)
        due = session.ends_at + timedelta(hours=24)
        assert course_of(clinic.olgas)["overdue"] == [[1, session.held_at.isoformat(), due.isoformat()]]

    def test_put_off_it_calls_from_the_day_of_the_next_session(self, clinic):
        cast.rated_course(clinic.olgas, [380, 330])
        planned = session_actions.add_session(
            episode=clinic.olgas, held_at=timezone.now() + 3 * timedelta(days=1), by=clinic.olga
        )
        put_off(clinic)
        row = EpisodeStanding.objects.get(episode=clinic.olgas)
        day = timezone.localtime(planned.held_at).replace(hour=0, minute=0, second=0, microsecond=0)
        assert row.calls_from == row.put_off_until == day

    def test_nothing_calls_and_no_moment_is_stored(self, clinic):
        cast.rated_course(clinic.olgas, [380, 380])
        assert EpisodeStanding.objects.get(episode=clinic.olgas).calls_from is None

    def test_its_revision_is_another_after_a_change_and_only_then(self, clinic):
        cast.rated_course(clinic.olgas, [380, 380])
        before = EpisodeStanding.objects.get(episode=clinic.olgas).revision
        conclude(episode=clinic.olgas)
        assert EpisodeStanding.objects.get(episode=clinic.olgas).revision == before
        cast.rated_course(clinic.olgas, [330])
        assert EpisodeStanding.objects.get(episode=clinic.olgas).revision != before


def put_off(clinic):
    return deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )


def talk(clinic, agreed="Less homework"):
    return discussion_actions.discuss(flags=answered.calling(), said="x", agreed=agreed, by=clinic.olga)


# --- Every write ---------------------------------------------------------------------------------


def _hand_over(clinic, last):
    hand_over_actions.hand_over(session=planned(clinic), by=clinic.olga)


def planned(clinic, episode=None):
    return cast.therapy_session(
        episode or clinic.olgas, held_at=timezone.now() - timedelta(minutes=1), attendance=Attendance.PLANNED
    )


def _declined(clinic, last):
    grant, _ = hand_over_actions.hand_over(session=planned(clinic), by=clinic.olga)
    hand_over_actions.decline(grant=grant)


def _marks_that_were_withdrawn_are_used(clinic, last):
    use(withdrawn(planned(clinic)))


def _marks_used_are_taken_out(clinic, last):
    decide.put_back(rating=use(disputed(last, 250)), by=clinic.olga)


def _changed(clinic, last):
    session = cast.therapy_session(clinic.olgas)
    session_actions.change_session(
        session=session,
        held_at=session.held_at - 30 * WEEK,
        modality="phone",
        attendance=Attendance.ATTENDED,
        by=clinic.olga,
    )


def _corrected(clinic, last):
    session = cast.therapy_session(clinic.olgas)
    rating = paper_entry.enter_rating(
        session=session, answers=cast.answers(300), channel=Channel.PAPER, by=clinic.olga
    )
    decide.correct(
        rating=rating, answers=cast.answers(390), channel=Channel.PAPER, why="slip", by=clinic.olga
    )


def _erased(clinic, last):
    request = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=request, by=clinic.olga)


def _followed_up(clinic, last):
    discussion = talk(clinic)
    Discussion.objects.update(discussed_at=timezone.now() - WEEK)
    cast.rated_course(clinic.olgas, [390])
    follow_up_actions.undo(
        follow_up=follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga),
        by=clinic.olga,
    )
    conclude(episode=clinic.olgas)  # the moment of the talk was changed past the action


def _voided(clinic, session):
    """With what was said and decided about its flags, and about those of the sessions before."""
    talk(clinic)
    put_off_all(clinic)
    return session_actions.void_session(session=session, why="entered twice", by=clinic.olga).session


def put_off_all(clinic):
    cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(hours=1)), 250)
    put_off(clinic)


def _put_back(clinic, last):
    session_actions.put_session_back(session=_voided(clinic, last), by=clinic.olga)


WRITES = {
    "hand_over": _hand_over,
    "hand_over_now": lambda c, last: hand_over_actions.hand_over_now(episode=c.olgas, by=c.olga),
    "take_back": lambda c, last: hand_over_actions.take_back(
        grant=hand_over_actions.hand_over(session=planned(c), by=c.olga)[0], by=c.olga
    ),
    "decline": _declined,
    "choose_language": lambda c, last: hand_over_actions.choose_language(
        grant=hand_over_actions.hand_over(session=planned(c), by=c.olga)[0], language="de"
    ),
    "enter_rating": lambda c, last: paper_entry.enter_rating(
        session=planned(c), answers=cast.answers(210), channel=Channel.PAPER, by=c.olga
    ),
    "record_rating": lambda c, last: cast.rating(planned(c), 300),
    "add_session": lambda c, last: session_actions.add_session(
        episode=c.olgas, held_at=timezone.now() - WEEK / 2, attendance=Attendance.ATTENDED, by=c.olga
    ),
    "session_now": lambda c, last: session_actions.session_now(episode=c.olgas, by=c.olga),
    "change_session": _changed,
    "void_session": lambda c, last: _voided(c, last),
    "a session of the middle voided": lambda c, last: _voided(c, c.olgas.sessions.get(number=2)),
    "put_session_back": _put_back,
    "enter_rating_of_new_session": lambda c, last: paper_entry.enter_rating_of_new_session(
        episode=c.olgas, answers=cast.answers(210), channel=Channel.PAPER, by=c.olga, form_key=None
    ),
    "make_link": lambda c, last: cast.link(planned(c), by=c.olga),
    "discuss": lambda c, last: talk(c),
    "withdraw_discussion": lambda c, last: discussion_actions.withdraw_discussion(
        discussion=talk(c), by=c.olga
    ),
    "edit_discussion": lambda c, last: discussion_actions.edit_discussion(
        discussion=talk(c), version=1, said="y", agreed="", why="x", by=c.olga
    ),
    "undo_discussion": lambda c, last: discussion_actions.undo_discussion(discussion=talk(c), by=c.olga),
    "put_back_discussion": lambda c, last: discussion_actions.put_back_discussion(
        discussion=discussion_actions.withdraw_discussion(discussion=talk(c), by=c.olga), by=c.olga
    ),
    "take_back_deferral": lambda c, last: deferral_actions.take_back_deferral(
        deferral=put_off(c), why="x", by=c.olga
    ),
    "defer": lambda c, last: put_off(c),
    "undo": lambda c, last: deferral_actions.undo(deferral=put_off(c), by=c.olga),
    "note": _followed_up,
    "use": lambda c, last: use(disputed(last, 250)),
    "leave": lambda c, last: decide.leave(aside=disputed(last, 250), by=c.olga),
    "take_up_again": lambda c, last: _taken_up(c, last),
    "correct": _corrected,
    "put_back": _marks_used_are_taken_out,
    "import_file": lambda c, last: _imported(c),
    "end_course": lambda c, last: _ended(c),
    "take_up_course": lambda c, last: episode_actions.reopen_episode(episode=_ended(c), by=c.olga),
    "confirm": _erased,
    "withdrawn marks used": _marks_that_were_withdrawn_are_used,
    "take_back_of": lambda c, last: hand_over_actions.take_back_of(session=_handed_over(c), by=c.olga),
    "set_aside": lambda c, last: misfiling_actions.set_aside(rating=last.ratings.get(), why="x", by=c.olga),
    "move": lambda c, last: _moved(c, last),
    "misfile_arrived": lambda c, last: _arrived_marks_moved(c, last),
    "take_up_misfiled": lambda c, last: misfiling_actions.take_up_misfiled(
        aside=_arrived_marks_moved(c, last).set_aside, by=c.olga
    ),
    "misfiled marks put back": lambda c, last: misfiling_actions.put_back(
        misfiling=_moved(c, last), by=c.olga
    ),
    "asked again": lambda c, last: cast.rating(_partly_rated(c), 210),
    "lines added": lambda c, last: paper_entry.enter_rating(
        session=(session := _partly_rated(c)),
        answers={"goals": 20},
        channel=Channel.VERBAL,
        seen=session.ratings.get().code,
        by=c.olga,
    ),
    "cancelled after all": lambda c, last: session_actions.change_session(
        session=(session := _partly_rated(c)),
        held_at=session.held_at,
        modality="video",
        attendance=Attendance.CANCELLED,
        by=c.olga,
    ),
}


def _imported(clinic):
    """Sessions with earlier ratings, before those that are here."""
    number = ImportedNumber.objects.create(kind="client", number="4711", client=clinic.olgas.client)
    start = clinic.olgas.opened_on
    rows = files.weeks(f"{start}", [380, None, 330], number.number)
    files.imported(Kind.SESSIONS, files.sessions(*rows), clinic.adam)


def _ended(clinic):
    cast.therapy_session(clinic.olgas, ago=-WEEK, attendance=Attendance.PLANNED)
    today = timezone.localdate()
    return episode_actions.close_episode(
        episode=clinic.olgas, closed_on=today, ending="planned", by=clinic.olga
    )


def _handed_over(clinic):
    session = planned(clinic)
    hand_over_actions.hand_over(session=session, by=clinic.olga)
    return session


def _partly_rated(clinic):
    session = planned(clinic)
    cast.rating(session, 390, goals=None)
    return session


def _arrived_marks_moved(clinic, last):
    other = cast.rated_course(cast.episode(clinic.olga, "K-106"), [390, 395])[0].episode
    return misfiling_actions.misfile_arrived(
        aside=disputed(last, 250), to=planned(clinic, other), why="x", by=clinic.olga
    )


def _moved(clinic, last):
    other = cast.rated_course(cast.episode(clinic.olga, "K-106"), [390, 395])[0].episode
    return misfiling_actions.move(
        rating=last.ratings.get(), to=planned(clinic, other), why="x", by=clinic.olga
    )


def _taken_up(clinic, last):
    aside = disputed(last, 250)
    decide.leave(aside=aside, by=clinic.olga)
    decide.take_up_again(aside=aside, by=clinic.olga)


# Actions that touch no course of a client, or only through one that is walked above.
WITHOUT_A_COURSE = {
    "ask",  # hand_over, make_link and send call it
    "withdraw_what_is_out",
    "there_already",
    "made_by",
    "refuse_before_its_day",
    "keep_invalid",  # marks beside the rating: they count for nothing
    "send",  # as make_link: `ask`, walked in test_paired_tablets
    "open_on_phone",
    "open_in_room",
    "ask_to_be_paired",
    "pair",
    "revoke",
    "note_seen",
    "hash_of_answers",
    "it_took_place",  # use and move call it
    "refuse_if_settled",
    "conclude",
    "add_question",
    "take_out_question",
    "put_back_question",
    "rated_since",
    "load_file",
    "name_file",
    "understood",
    "read_otherwise",
    "choose_columns",
    "source_of",
    "check",
    "context_of",
    "remove_file",
    "remove_past",
    "forget",
    "change_follow_up",  # an answer to "did it help?" is no part of the standing
    "take_back_follow_up",
    "call_off",
    "may_confirm",
    "change_rule",
    "ask_for_all_due",
    "confirm_batch",  # of `confirm`, each alone
    "call_off_batch",
    "replay",  # as `confirm`: walked in records/test_erasure.py
    "note_export",
    "note_record",
    "note_list_of_erasures",
}
ROOMS_THAT_WRITE = ("flags", "conversations", "intake", "corrections", "moving_in", "records")


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_write_path_forgets_the_standing(clinic, write):
    *_, last = cast.rated_course(clinic.olgas, [380, 384, 330], last_ago=timedelta(days=2))
    assert nothing_differs()
    write(clinic, last)
    assert nothing_differs()


def test_every_action_is_walked_or_is_said_to_touch_no_course():
    """A new action fails here until somebody says which it is."""
    root = Path(sessions_app.__file__).parent
    found = {
        node.name
        for room in ROOMS_THAT_WRITE
        for path in (root / room).glob("*.py")
        if path.stem.endswith("actions") or path.stem in {"paper_entry", "record_rating"}
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert found - WRITES.keys() - WITHOUT_A_COURSE == set()


def test_control_an_action_that_forgets_it_is_seen(clinic, monkeypatch):
    cast.rated_course(clinic.olgas, [380, 330])
    monkeypatch.setattr("sessions_app.flags.discussion_actions.conclude", lambda **_: None)
    talk(clinic)
    assert not nothing_differs()


# --- Missing, stale ------------------------------------------------------------------------------


def test_without_a_row_the_page_says_the_same_and_the_next_write_stores_it(clinic, sign_in):
    cast.rated_course(clinic.olgas, [380, 330])
    before = work_list.build(clinic.olga, timezone.now())
    EpisodeStanding.objects.all().delete()
    after = work_list.build(clinic.olga, timezone.now())
    assert [row.first_reason.sentence for row in after.talks] == [
        row.first_reason.sentence for row in before.talks
    ]
    talk(clinic)
    assert EpisodeStanding.objects.filter(episode=clinic.olgas).exists()


def test_check_names_what_differs_and_by_whom_and_changes_nothing(clinic, capsys):
    cast.rated_course(clinic.olgas, [380, 330])
    call_command("recompute_flags", "--check")
    assert "everything stored is as a fresh conclusion" in capsys.readouterr().out
    EpisodeStanding.objects.update(calls_from=None)
    ProcessDay.objects.update(rated=9)
    with pytest.raises(CommandError, match="differences"):
        call_command("recompute_flags", "--check")
    said = capsys.readouterr().out
    assert f"{clinic.olgas.code}: calls_from" in said
    assert "K-1" not in said
    call_command("recompute_flags")
    assert nothing_differs()
    EpisodeStanding.objects.update(calls_from=None)
    with pytest.raises(CommandError, match="differences"):
        call_command("recompute_flags", "--check")
    assert EpisodeStanding.objects.get(episode=clinic.olgas).calls_from is None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"withdrawn_at": timezone.now()}, "flag C"),
        ({"on_work_list": False}, "flag C"),
        ({"evidence": {"fall": 1}}, "flag C"),
    ],
)
def test_check_names_a_flag_that_is_not_what_the_rules_say(clinic, changed, named):
    cast.rated_course(clinic.olgas, [380, 330])
    Flag.objects.filter(rule="C").update(**changed)
    assert list(checks.differing([clinic.olgas.pk])) == [(clinic.olgas.pk, named)]
    conclude(episode=clinic.olgas)
    assert nothing_differs()


def test_check_names_a_flag_that_no_rule_raises(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 330])
    Flag.objects.create(
        session=last, rating=last.ratings.get(), instrument="session-rating", rule="H", settings_version="x"
    )
    assert list(checks.differing([clinic.olgas.pk])) == [(clinic.olgas.pk, "flag H")]


def test_a_gap_that_the_clock_has_still_to_raise_is_no_difference(clinic):
    for weeks in (2, 1):
        cast.therapy_session(clinic.olgas, ago=weeks * WEEK)
    Flag.objects.filter(rule="G").delete()
    conclude_after = list(checks.differing([clinic.olgas.pk]))
    assert [what for _, what in conclude_after if "flag" in what] == []


def test_the_nightly_check_logs_a_difference_and_puts_it_right(clinic, caplog):
    cast.rated_course(clinic.olgas, [380, 330])
    cast.rated_course(clinic.carls, [380, 330])
    EpisodeStanding.objects.filter(episode=clinic.olgas).update(calls_from=None)
    EpisodeStanding.objects.filter(episode=clinic.carls).delete()
    ProcessDay.objects.filter(rated__gt=0).update(rated=7)
    with caplog.at_level(logging.WARNING, "alliance.standings"):
        call_command("check_standings")
    assert [str(clinic.olgas.code) in line for line in caplog.messages] == [True, False]
    assert "counts of" in caplog.messages[1]
    assert nothing_differs()
    caplog.clear()
    call_command("check_standings")
    assert caplog.messages == []


def test_conclusions_cost_the_same_however_long_the_course_is(clinic):
    counts = []
    for totals in ([380, 330], [380, 330] * 12):
        cast.rated_course(clinic.olgas, totals)
        with CaptureQueriesContext(connection) as queries:
            conclude(episode=clinic.olgas)
        counts.append(len(queries))
    assert counts[0] == counts[1]
