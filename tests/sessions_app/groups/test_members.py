"""Who leads a group, who belongs to it, and what becomes of that when people come and go."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.erasures import Erasure
from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import actions as episode_actions
from clients import merge_actions
from clients.models import Episode
from sessions_app.groups import group_actions, numbers, session_actions
from sessions_app.groups.models import Group, GroupAttendance, GroupMember
from sessions_app.records import erasure_actions
from tests import cast
from tests.sessions_app.groups import a_group

pytestmark = pytest.mark.django_db


def erase(client, clinic):
    request = erasure_actions.ask(client=client, reason="asked", note="", by=clinic.adam)
    assert isinstance(request, Erasure)
    erasure_actions.confirm(erasure=request, by=clinic.olga)


class TestWhoseCourse:
    def test_each_member_is_in_their_own_course_with_a_leader(self, clinic):
        a_group.of_five(clinic)
        with_whom = {label: one.episode.therapist.name for label, one in clinic.members.items()}
        assert with_whom == {"K-1": "Olga", "K-11": "Olga", "K-12": "Olga", "K-21": "Cora", "K-31": "Olga"}
        # Carl keeps his course with his client, and sees nothing of the other.
        carls = Episode.objects.get(therapist=clinic.carl, client__label="K-31")
        assert carls.is_open
        assert clinic.members["K-31"].episode not in Episode.objects.visible_to(clinic.carl)
        assert AuditEvent.objects.filter(action="episode opened", client=carls.client.code).count() == 1

    def test_added_twice_a_client_is_in_it_once(self, clinic):
        group = a_group.of_five(clinic)
        again = group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga)
        assert (again.member, again.opened) == (clinic.members["K-1"], False)
        assert len(a_group.members_of(group)) == 5

    def test_a_group_has_at_most_thirty(self, clinic, monkeypatch):
        monkeypatch.setattr(group_actions, "MOST_MEMBERS", 5)
        group = a_group.of_five(clinic)
        with pytest.raises(Refused, match="at most 5"):
            group_actions.add_member(
                group=group, client=cast.episode(clinic.olga, "K-99").client, by=clinic.olga
            )

    def test_a_course_that_was_closed_meanwhile_is_refused(self, clinic, monkeypatch):
        group = a_group.led_by_two(clinic)
        found = group_actions._course_with_a_leader

        def closed_after_it_was_found(client, of):
            course = found(client, of)
            Episode.objects.filter(pk=course.pk).update(closed_on=timezone.localdate(), ending="planned")
            return course

        monkeypatch.setattr(group_actions, "_course_with_a_leader", closed_after_it_was_found)
        with pytest.raises(Refused, match="closed meanwhile"):
            group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga)
        assert not GroupMember.objects.exists()


class TestLeaving:
    def test_out_and_back_within_minutes_it_is_the_same_membership(self, clinic):
        group = a_group.of_five(clinic)
        member = clinic.members["K-11"]
        for _ in range(2):  # pressed twice
            group_actions.take_out(member=member, by=clinic.olga)
        assert AuditEvent.objects.filter(action="group left").count() == 1
        assert member not in a_group.members_of(group)
        group_actions.put_back(member=member, by=clinic.olga)
        group_actions.put_back(member=member, by=clinic.olga)
        assert member in a_group.members_of(group)
        assert GroupMember.objects.get(pk=member.pk).number == member.number

    def test_later_they_are_added_again(self, clinic):
        group = a_group.of_five(clinic)
        member = group_actions.take_out(member=clinic.members["K-11"], by=clinic.olga)
        GroupMember.objects.filter(pk=member.pk).update(left_at=timezone.now() - timedelta(hours=1))
        with pytest.raises(Refused, match="Add the client to the group again"):
            group_actions.put_back(member=member, by=clinic.olga)
        new = group_actions.add_member(group=group, client=member.episode.client, by=clinic.olga)
        assert new.member != member
        GroupMember.objects.filter(pk=member.pk).update(left_at=timezone.now())
        with pytest.raises(Refused, match="added to the group again"):
            group_actions.put_back(member=member, by=clinic.olga)

    def test_a_course_that_ends_ends_the_membership_and_reopened_it_goes_on(self, clinic):
        group, today = a_group.of_five(clinic), timezone.localdate()
        episode = clinic.members["K-11"].episode
        episode_actions.close_episode(episode=episode, closed_on=today, ending="planned", by=clinic.olga)
        assert len(a_group.members_of(group)) == 4
        left = GroupMember.objects.select_related("episode").get(episode=episode)
        assert (left.left_on, left.until) == (None, today)
        episode_actions.reopen_episode(episode=episode, by=clinic.olga)
        assert len(a_group.members_of(group)) == 5

    def test_a_transfer_ends_it_and_the_sessions_stay_in_the_old_course(self, clinic):
        group = a_group.of_five(clinic)
        held = a_group.begun(group)
        old = clinic.members["K-11"].episode
        new = cast.transfer(episode=old, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
        assert "K-11" not in {one.episode.client.label for one in a_group.members_of(group)}
        assert a_group.part_of(held, "K-11").episode == old
        assert not GroupMember.objects.filter(episode=new).exists()

    def test_a_client_whose_records_were_merged_is_named_where_they_are_in_it_twice(self, clinic, client):
        group = a_group.led_by_two(clinic)
        one, other = cast.episode(clinic.olga, "Twin 1"), cast.episode(clinic.cora, "Twin 2")
        for episode in (one, other):
            group_actions.add_member(group=group, client=episode.client, by=episode.therapist)
        merge_actions.merge_clients(
            kept=one.client, merged=other.client, seen=[one.code, other.code], by=clinic.adam
        )
        client.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
        page = client.get(f"/groups/{group.code}/").content.decode()
        assert "is in this group twice, since two records were merged" in " ".join(page.split())


class TestErasure:
    def test_erasing_one_takes_their_rows_and_leaves_the_group_and_the_others(self, clinic):
        group = a_group.of_five(clinic, name="K-11 and the others")
        held = a_group.begun(group)
        cast.rating(a_group.part_of(held, "K-12"), None)
        erase(clinic.members["K-11"].episode.client, clinic)
        group.refresh_from_db()
        assert str(group.name) == "Group"  # it had the client's label in it
        assert {one.member.episode.client.label for one in held.attendances.all()} == {
            *("K-1", "K-12", "K-21", "K-31"),
        }
        assert not GroupMember.objects.filter(pk=clinic.members["K-11"].pk).exists()
        assert GroupAttendance.objects.count() == 4
        assert session_actions.would_count_nowhere(held) == {"Were there": "4", "Ratings": "1"}

    def test_a_label_inside_a_word_of_a_name_changes_nothing(self, clinic):
        group = a_group.of_five(clinic, name="K-112")
        erase(clinic.members["K-11"].episode.client, clinic)
        group.refresh_from_db()
        assert str(group.name) == "K-112"


class TestLeaders:
    def test_who_may_lead(self, clinic):
        for leader, co_leader, said in (
            (clinic.sina, None, "not a therapist"),
            (clinic.olga, clinic.adam, "not a therapist"),
            (clinic.olga, clinic.olga, "two different people"),
        ):
            with pytest.raises(Refused, match=said):
                group_actions.make_group(
                    name="x", kind="group", leader=leader, co_leader=co_leader, by=clinic.adam
                )
        assert not Group.objects.exists()

    def test_a_leader_leaves_and_members_go_on_in_a_course_with_the_new_one(self, clinic):
        group = a_group.of_five(clinic)
        numbers_before = {one.episode.client.label: one.number for one in a_group.members_of(group)}
        User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
        nora = cast.person("Nora", Role.THERAPIST)
        led = group_actions.change_leaders(group=group, leader=nora, co_leader=clinic.cora, by=clinic.adam)
        assert {one.episode.client.label for one in led.went_on} == {"K-1", "K-11", "K-12", "K-31"}
        members = a_group.members_of(group)
        assert {one.episode.therapist.name for one in members} == {"Nora", "Cora"}
        assert {one.episode.client.label: one.number for one in members} == numbers_before
        assert Episode.objects.get(pk=clinic.olgas.pk).is_open  # whether it ends, a person decides

    def test_transferred_first_and_named_leader_afterwards_they_go_on_in_the_new_course(self, clinic):
        group = a_group.of_five(clinic)
        nora = cast.person("Nora", Role.THERAPIST)
        old = clinic.members["K-11"].episode
        new = cast.transfer(episode=old, therapist=nora, on=timezone.localdate(), by=clinic.adam)
        group_actions.change_leaders(group=group, leader=nora, co_leader=clinic.cora, by=clinic.sina)
        assert new in [one.episode for one in a_group.members_of(group)]

    def test_the_same_leaders_again_are_nothing(self, clinic):
        group = a_group.of_five(clinic)
        led = group_actions.change_leaders(
            group=group, leader=clinic.olga, co_leader=clinic.cora, by=clinic.olga
        )
        assert led.went_on == []
        assert not AuditEvent.objects.filter(action="group leaders changed").exists()

    def test_a_member_who_has_a_course_with_both_is_in_it_once(self, clinic):
        group = a_group.of_five(clinic)
        client = clinic.olgas.client
        Episode.objects.create(client=client, therapist=clinic.cora, opened_on=cast.STARTED)
        group_actions.change_leaders(group=group, leader=clinic.cora, co_leader=None, by=clinic.olga)
        rows = [one for one in a_group.members_of(group) if one.episode.client == client]
        assert [one.episode.therapist for one in rows] == [clinic.cora]


class TestTheGroupItself:
    def test_made_twice_by_one_form_it_is_one(self, clinic):
        about = {"name": "x", "kind": "couple", "leader": clinic.olga, "co_leader": None, "by": clinic.olga}
        key = uuid4()
        assert group_actions.make_group(**about, form_key=key) == group_actions.make_group(
            **about, form_key=key
        )
        assert Group.objects.get().form.id == "couple-family-session-rating"

    def test_its_kind_stays_once_a_session_was_held(self, clinic):
        group = a_group.of_five(clinic)
        group_actions.change_group(group=group, name="New", kind="family", by=clinic.olga)
        a_group.begun(group)
        with pytest.raises(Refused, match="on the form for a family"):
            group_actions.change_group(group=group, name="New", kind="group", by=clinic.olga)
        group_actions.change_group(group=group, name="Newer", kind="family", by=clinic.olga)
        assert str(Group.objects.get().name) == "Newer"

    def test_it_ends_once_and_is_taken_up_once(self, clinic):
        group = a_group.of_five(clinic)
        for _ in range(2):
            group_actions.end_group(group=group, by=clinic.olga)
        with pytest.raises(Refused, match="has ended"):
            a_group.begun(group)
        for _ in range(2):
            group_actions.take_up_group(group=group, by=clinic.olga)
        assert a_group.begun(group)
        for action in ("group ended", "group taken up"):
            assert AuditEvent.objects.filter(action=action).count() == 1


class TestNumbers:
    @pytest.mark.parametrize(
        ("one", "other", "alike"),
        [
            (123, 123, True),
            (123, 124, True),
            (123, 132, True),
            (123, 213, True),
            (123, 321, False),
            (123, 456, False),
        ],
    )
    def test_a_slip_of_the_finger_opens_nobody_elses_form(self, one, other, alike):
        assert numbers.are_alike(one, other) is alike is numbers.are_alike(other, one)

    def test_there_are_enough_for_the_largest_group(self):
        for _ in range(20):
            taken = []
            for _ in range(30):
                taken.append(numbers.new_number(taken))
            assert not any(numbers.are_alike(a, b) for a in taken for b in taken if a is not b)
