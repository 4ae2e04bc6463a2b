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
from clients.models import Episode
from sessions_app.dashboards import work_list
from sessions_app.flags import checks
from sessions_app.flags.conclude import conclude
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import ProcessDay
from sessions_app.intake import session_actions
from tests import cast
from tests.built_once import copy_of, kept_open, under_the_former_list
from tests.sessions_app.flags.every_write import (
    ROOMS_THAT_WRITE,
    WITHOUT_A_COURSE,
    WRITES,
    put_off,
    talk,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]
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
        assert (row.course["total"], row.course["level"], row.course["maximum"]) == (330, 380, 400)
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


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        with under_the_former_list():
            clinic = cast.clinic()
            *_, last = cast.rated_course(clinic.olgas, [380, 384, 330], last_ago=timedelta(days=2))
            assert nothing_differs()
        yield clinic, last


class TestEveryWrite:
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    def test_no_write_path_forgets_the_standing(self, built, write):
        clinic, last = copy_of(built)
        write(clinic, last)
        assert nothing_differs()


def test_every_action_is_walked_or_is_said_to_touch_no_course():
    """A new action fails here until somebody says which it is."""
    root = Path(sessions_app.__file__).parent
    found = {
        node.name
        for room in ROOMS_THAT_WRITE
        for path in (root / room).glob("*.py")
        if path.stem.endswith("actions")
        or path.stem in {"paper_entry", "questionnaire_entry", "record_rating"}
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
    first, again = ([row.behind[0].sentence for row in lists.talks] for lists in (before, after))
    assert again == first != []
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
