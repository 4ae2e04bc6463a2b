"""How often a rated session puts a client on the work list."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from sessions_app.flags import deferral_actions, work_list_share
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.sessions_app.caseloads import DAY, NOW, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")

MINUTE = timedelta(minutes=1)


def rated(clinic, *totals, talks=(), after=2 * MINUTE):
    """Weekly ratings as they would have come; `talks`: places that were talked about, `after` so long."""
    for place, total in enumerate(totals):
        session = cast.therapy_session(clinic.olgas, ago=7 * DAY * (len(totals) - place))
        cast.rating(session, total)
        Flag.objects.filter(session=session).update(raised_at=session.ends_at)
        if place in talks:
            talk(session, by=clinic.olga, at=session.ends_at + after)
    return work_list_share.count([clinic.olgas])


@pytest.mark.parametrize(
    ("totals", "talks", "counted"),
    [
        ([380, 380], (), (2, 0, 0, 0)),
        ([380, 330, 331], (), (3, 1, 0, 1)),  # a level that continues puts nobody on
        ([380, 330, 280], (), (3, 1, 0, 1)),  # on it already
        ([380, 330, 280], (1,), (3, 2, 0, 1)),  # off it after the talk, and on again
        ([340, 380], (), (2, 1, 1, 1)),  # the first rating of the episode
        ([340, 380], (0,), (2, 1, 1, 0)),  # talked about at once
        ([None, 340], (), (2, 1, 0, 1)),
    ],
)
def test_counts_the_sessions_that_newly_put_the_client_on(clinic, totals, talks, counted):
    assert rated(clinic, *totals, talks=talks) == work_list_share.WorkListShare(*counted)


@pytest.mark.parametrize(("after", "still_on"), [(timedelta(hours=1), 0), (timedelta(days=1), 1)])
def test_still_on_is_what_was_not_talked_about_on_the_day(clinic, after, still_on):
    assert rated(clinic, 340, 380, talks=(0,), after=after).still_on == still_on


def test_a_decision_of_then_counts_and_one_of_later_does_not(clinic):
    assert rated(clinic, 380, 340, 300).put_on == 1
    first = clinic.olgas.sessions.get(number=2)
    deferral_actions.defer(
        episode=clinic.olgas, flags=first.flags.all(), kind="not_needed", why="x", by=clinic.olga
    )
    assert work_list_share.count([clinic.olgas]).put_on == 1
    Deferral.objects.update(deferred_at=first.ends_at + MINUTE)
    assert work_list_share.count([clinic.olgas]).put_on == 2


def test_what_was_taken_back_counts_for_nothing(clinic):
    rated(clinic, 380, 340, 300, talks=(1,))
    Discussion.objects.update(withdrawn_at=NOW, withdrawn_by=clinic.olga)
    assert work_list_share.count([clinic.olgas]).put_on == 1


def test_counts_add_up_and_are_shares():
    both = work_list_share.WorkListShare(40, 4, 1, 2) + work_list_share.WorkListShare(8, 4, 0, 1)
    assert both == work_list_share.WorkListShare(48, 8, 1, 3)
    assert ((both.share.done, both.share.total), both.share_still_on.percent) == ((8, 48), 6)


def test_the_command_prints_a_line_for_each_therapist_and_no_client(clinic, capsys):
    rated(clinic, 340, 380)
    call_command("work_list_share")
    printed = capsys.readouterr().out
    lines = [line.split() for line in printed.splitlines()]
    assert [line[:4] for line in lines[2:]] == [
        ["Carl", "0", "0", "–"],
        ["Olga", "1", "2", "–"],
        ["All", "1", "2", "–"],
    ]
    assert "K-1" not in printed
