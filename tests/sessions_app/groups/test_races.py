"""Two leaders at once, and members who come and go meanwhile: real threads and connections, on both databases."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.refused import Refused
from clients.models import Client
from sessions_app.courses.models import TherapySession
from sessions_app.groups import group_actions, round_actions, session_actions
from sessions_app.groups.models import Group, GroupMember, GroupSession, TabletRound
from tests import cast
from tests.sessions_app.groups import a_group
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


def beginning(group, present, *, by, minutes=0):
    """As a request does it: with a row of its own."""
    held_at = timezone.now() - timedelta(minutes=30 + minutes)
    return lambda: session_actions.begin_session(
        group=Group.objects.get(pk=group.pk), held_at=held_at, present=present, by=by
    )


def taking_out(member, by):
    return lambda: group_actions.take_out(member=GroupMember.objects.get(pk=member.pk), by=by)


def test_two_leaders_who_begin_the_same_session_at_once_have_begun_one(clinic):
    group = a_group.of_five(clinic)
    present = a_group.codes_of(a_group.members_of(group))
    for turn in range(ROUNDS):
        GroupSession.objects.update(
            held_at=timezone.now() - timedelta(days=9 + turn),
            ends_at=timezone.now() - timedelta(days=8 + turn),
        )
        before = TherapySession.objects.count()
        outcomes = at_once(
            beginning(group, present, by=clinic.olga), beginning(group, present, by=clinic.cora, minutes=2)
        )
        assert unexpected(outcomes) == []
        assert outcomes[0].pk == outcomes[1].pk
        assert sorted(one.was_there for one in outcomes) == [False, True]
        assert TherapySession.objects.count() == before + 5


def test_a_member_who_is_taken_out_while_the_session_begins_is_in_it_or_it_is_said(clinic):
    group = a_group.of_five(clinic)
    for turn in range(ROUNDS):
        member = group_actions.add_member(
            group=group, client=cast.episode(clinic.olga, f"R-{turn}").client, by=clinic.olga
        ).member
        GroupSession.objects.update(
            held_at=timezone.now() - timedelta(days=9 + turn),
            ends_at=timezone.now() - timedelta(days=8 + turn),
        )
        present = a_group.codes_of(a_group.members_of(group))
        begun, out = at_once(beginning(group, present, by=clinic.olga), taking_out(member, clinic.cora))
        assert unexpected([out]) == []
        if isinstance(begun, Refused):
            assert "no longer in this group" in str(begun)
            assert not member.episode.sessions.exists()
        else:
            assert begun.attendances.filter(member=member).exists()


def test_a_client_who_is_added_by_both_at_once_is_in_it_once(clinic):
    group = a_group.led_by_two(clinic)
    client = cast.episode(clinic.carl, "K-31").client
    adding = [
        lambda by=by: group_actions.add_member(
            group=Group.objects.get(pk=group.pk), client=Client.objects.get(pk=client.pk), by=by
        )
        for by in (clinic.olga, clinic.cora, clinic.adam)
    ]
    outcomes = at_once(*adding)
    assert unexpected(outcomes) == []
    assert len({one.member.pk for one in outcomes}) == 1
    assert client.episodes.count() == 2


def test_two_presses_that_pass_the_tablet_round_leave_no_form_without_its_round(clinic):
    held = a_group.begun(a_group.of_five(clinic))
    beginning_one = [
        lambda by=by: round_actions.begin_round(group_session=GroupSession.objects.get(pk=held.pk), by=by)
        for by in (clinic.olga, clinic.cora)
    ]
    outcomes = at_once(*beginning_one)
    assert unexpected(outcomes, Refused) == []
    # The second round takes the place of the first: each number opens one form, on one of the two tablets.
    number = clinic.members["K-11"].number
    opened = [round_actions.open_form(of=one, number=number) for one in TabletRound.objects.all()]
    assert sum(token is not None for token in opened) == 1


@pytest.mark.postgresql
def test_control_without_the_lock_of_the_group_two_sessions_are_begun(clinic, monkeypatch):
    """Both look for a session at this time before either writes one."""
    group = a_group.of_five(clinic)
    one, other = (a_group.codes_of([clinic.members[label]]) for label in ("K-1", "K-21"))
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    look = session_actions._who_is_there

    def looks_then_waits(of, present):
        found = look(of, present)
        looked.wait()
        return found

    monkeypatch.setattr(session_actions, "lock_standing_group", lambda group: group)
    monkeypatch.setattr(session_actions, "_who_is_there", looks_then_waits)
    outcomes = at_once(beginning(group, one, by=clinic.olga), beginning(group, other, by=clinic.cora))
    assert unexpected(outcomes) == []
    assert GroupSession.objects.count() == 2


@pytest.mark.postgresql
def test_control_without_the_lock_a_member_who_was_taken_out_is_in_the_session(clinic, monkeypatch):
    group = a_group.of_five(clinic)
    member = clinic.members["K-11"]
    look = session_actions._who_is_there

    def taken_out_after_the_look(of, present):
        found = look(of, present)
        assert unexpected(at_once(taking_out(member, clinic.cora))) == []
        return found

    monkeypatch.setattr(session_actions, "lock_standing_group", lambda group: group)
    monkeypatch.setattr(session_actions, "_who_is_there", taken_out_after_the_look)
    held = beginning(group, a_group.codes_of(a_group.members_of(group)), by=clinic.olga)()
    assert held.attendances.filter(member=member).exists()
    assert not GroupMember.objects.present_now().filter(pk=member.pk).exists()
