"""A session of a group: one in the course of each who is there, on the group's own form, and who was there."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import actions as episode_actions
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.flags import checks
from sessions_app.flags.models import Flag
from sessions_app.groups import group_actions, session_actions
from sessions_app.groups.models import GroupAttendance, GroupSession
from sessions_app.intake import hand_over_actions, paper_entry
from sessions_app.intake import session_actions as single
from tests import cast
from tests.sessions_app.groups import a_group

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


def nothing_differs(*episodes):
    return not list(checks.differing([episode.pk for episode in episodes])) and not list(
        checks.differing_days()
    )


class TestBegun:
    def test_one_session_in_the_course_of_each_who_is_there(self, clinic):
        group = a_group.of_five(clinic)
        held = a_group.begun(group, without=["K-12"])
        sessions = TherapySession.objects.filter(in_group__group_session=held)
        assert {one.episode.client.label for one in sessions} == {"K-1", "K-11", "K-21", "K-31"}
        assert {(one.held_at, one.ends_at, one.attendance) for one in sessions} == {
            (held.held_at, held.ends_at, Attendance.ATTENDED)
        }
        assert AuditEvent.objects.filter(action="session added").count() == 4
        assert AuditEvent.objects.filter(action="group session begun").count() == 1
        assert nothing_differs(*[one.episode for one in clinic.members.values()])

    def test_its_number_is_its_place_in_each_course(self, clinic):
        group = a_group.of_five(clinic)
        cast.rated_course(clinic.members["K-11"].episode, [380, 380], last_ago=timedelta(days=1))
        held = a_group.begun(group)
        assert a_group.part_of(held, "K-11").number == 3
        assert a_group.part_of(held, "K-12").number == 1

    def test_sent_twice_by_one_form_it_is_one(self, clinic):
        group, key = a_group.of_five(clinic), uuid4()
        assert a_group.begun(group, form_key=key) == a_group.begun(group, form_key=key)
        assert GroupSession.objects.count() == 1

    def test_the_second_leader_is_given_what_the_first_began(self, clinic):
        group = a_group.of_five(clinic)
        first = a_group.begun(group, without=["K-12"])
        second = a_group.begun(group, by=clinic.cora, ago=timedelta(minutes=28))
        assert (second, second.was_there, first.was_there) == (first, True, False)
        assert TherapySession.objects.filter(in_group__isnull=False).count() == 4

    def test_another_one_the_same_day_is_another(self, clinic):
        group = a_group.of_five(clinic)
        first = a_group.begun(group, ago=timedelta(hours=3))
        assert a_group.begun(group) != first

    @pytest.mark.parametrize(
        ("ago", "without", "said"),
        [
            (-timedelta(hours=3), (), "still to come"),
            (timedelta(minutes=5), a_group.LABELS, "at least one person"),
            (timedelta(weeks=4), (), "K-31: This is before the episode was opened"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_is_written(self, clinic, ago, without, said):
        group = a_group.of_five(clinic)
        with pytest.raises(Refused, match=said):
            a_group.begun(group, ago=ago, without=without)
        assert not GroupSession.objects.exists()
        assert not TherapySession.objects.exists()

    def test_somebody_who_left_meanwhile_is_said(self, clinic):
        group = a_group.of_five(clinic)
        there = a_group.codes_of(a_group.members_of(group))
        group_actions.take_out(member=clinic.members["K-11"], by=clinic.cora)
        with pytest.raises(Refused, match="no longer in this group"):
            session_actions.begin_session(group=group, held_at=timezone.now(), present=there, by=clinic.olga)

    def test_a_session_that_was_planned_for_this_minute_is_it(self, clinic):
        group, begins = a_group.of_five(clinic), timezone.now() - timedelta(minutes=30)
        episode = clinic.members["K-11"].episode
        planned = single.add_session(episode=episode, held_at=begins, by=clinic.olga)
        members = a_group.codes_of([clinic.members["K-11"]])
        held = session_actions.begin_session(group=group, held_at=begins, present=members, by=clinic.olga)
        part = a_group.part_of(held, "K-11")
        assert (part, part.attendance, part.ends_at) == (planned, Attendance.ATTENDED, held.ends_at)
        assert episode.sessions.count() == 1


class TestTheForm:
    @pytest.mark.parametrize(
        ("kind", "form"),
        [("group", "group-session-rating"), ("couple", "couple-family-session-rating")],
    )
    def test_is_that_of_the_group_and_beside_it_the_clients_own(self, clinic, kind, form):
        group = a_group.of_five(clinic, kind=kind)
        held = a_group.begun(group)
        own = cast.therapy_session(clinic.olgas, ago=timedelta(days=2))
        ratings = [cast.rating(a_group.part_of(held, "K-1"), 300), cast.rating(own, 380)]
        assert [one.instrument for one in ratings] == [form, "session-rating"]
        assert len({one.series for one in ratings}) == 2

    def test_so_are_marks_from_paper(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        rating = paper_entry.enter_rating(
            session=a_group.part_of(held, "K-1"),
            answers=cast.answers(300),
            channel=Channel.PAPER,
            by=clinic.olga,
        )
        assert rating.instrument == "group-session-rating"

    def test_sessions_of_both_kinds_in_turn_raise_no_flag_of_the_other(self, clinic):
        """A group that is marked lower than the therapist's own sessions is no fall."""
        group = a_group.of_five(clinic)
        for week in range(6, 0, -1):
            own = cast.therapy_session(clinic.olgas, ago=week * WEEK + timedelta(days=1))
            cast.rating(own, 380)
            held = a_group.begun(group, ago=week * WEEK - timedelta(hours=1), without=["K-31"])
            cast.rating(a_group.part_of(held, "K-1"), 250)
        fallen = Flag.objects.standing().filter(session__episode=clinic.olgas, rule__in="CDEJ")
        assert not fallen.exists()
        held = a_group.begun(group)
        cast.rating(a_group.part_of(held, "K-1"), 120)
        assert {flag.instrument for flag in fallen} == {"group-session-rating"}
        assert nothing_differs(clinic.olgas)


class TestWhoWasThere:
    def test_noted_otherwise_and_back(self, clinic):
        held = a_group.begun(a_group.of_five(clinic), without=["K-12"])

        def note(label, present):
            member = clinic.members[label]
            session_actions.note_attendance(
                group_session=held, member=member, present=present, by=clinic.cora
            )

        for _ in range(2):
            note("K-12", True)
            note("K-11", False)
        assert a_group.part_of(held, "K-12").attendance == Attendance.ATTENDED
        assert a_group.part_of(held, "K-11").attendance == Attendance.DID_NOT_ATTEND
        note("K-11", True)
        assert a_group.part_of(held, "K-11").attendance == Attendance.ATTENDED
        assert held.attendances.count() == 5
        assert nothing_differs(*[one.episode for one in clinic.members.values()])

    def test_absent_from_the_beginning_leaves_no_session(self, clinic):
        held = a_group.begun(a_group.of_five(clinic), without=["K-12"])
        member = clinic.members["K-12"]
        assert (
            session_actions.note_attendance(group_session=held, member=member, present=False, by=clinic.olga)
            is None
        )
        assert not member.episode.sessions.exists()

    def test_who_rated_or_has_the_form_was_there(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        cast.rating(a_group.part_of(held, "K-11"), 300)
        hand_over_actions.hand_over(session=a_group.part_of(held, "K-12"), by=clinic.olga)
        for label, said in (("K-11", "has a rating"), ("K-12", "Take that back first")):
            with pytest.raises(Refused, match=said):
                session_actions.note_attendance(
                    group_session=held, member=clinic.members[label], present=False, by=clinic.olga
                )

    def test_a_part_that_was_voided_alone_comes_back_with_a_tap(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        part = a_group.part_of(held, "K-11")
        single.void_session(session=part, why="wrong client", by=clinic.olga)
        about = {"group_session": held, "member": clinic.members["K-11"], "by": clinic.olga}
        session_actions.note_attendance(**about, present=False)
        assert TherapySession.every.get(pk=part.pk).is_voided
        session_actions.note_attendance(**about, present=True)
        assert TherapySession.objects.get(pk=part.pk).attendance == Attendance.ATTENDED

    def test_who_left_the_group_is_not_added_to_its_session(self, clinic):
        held = a_group.begun(a_group.of_five(clinic), without=["K-12"])
        member = group_actions.take_out(member=clinic.members["K-12"], by=clinic.olga)
        with pytest.raises(Refused, match="no longer in this group"):
            session_actions.note_attendance(group_session=held, member=member, present=True, by=clinic.olga)


class TestVoided:
    def test_with_the_session_of_each_member_and_back(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        cast.rating(a_group.part_of(held, "K-11"), 300)
        single.void_session(session=a_group.part_of(held, "K-12"), why="alone", by=clinic.olga)
        for _ in range(2):
            session_actions.void_session(group_session=held, why="entered twice", by=clinic.olga)
        assert not TherapySession.objects.filter(in_group__isnull=False).exists()
        with pytest.raises(Refused, match="was voided"):
            session_actions.note_attendance(
                group_session=held, member=clinic.members["K-1"], present=True, by=clinic.olga
            )
        for _ in range(2):
            session_actions.put_back(group_session=held, by=clinic.olga)
        back = TherapySession.objects.filter(in_group__isnull=False)
        assert {one.episode.client.label for one in back} == {"K-1", "K-11", "K-21", "K-31"}
        assert a_group.part_of(held, "K-11").ratings.get().total == 300
        assert nothing_differs(*[one.episode for one in clinic.members.values()])
        for action in ("group session voided", "group session put back"):
            assert AuditEvent.objects.filter(action=action).count() == 1

    def test_forms_that_are_out_are_taken_back(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        hand_over_actions.hand_over(session=a_group.part_of(held, "K-11"), by=clinic.olga)
        session_actions.void_session(group_session=held, why="x", by=clinic.olga)
        assert not RatingGrant.objects.awaiting(timezone.now()).exists()

    def test_a_course_that_ended_meanwhile_is_named(self, clinic):
        held = a_group.begun(a_group.of_five(clinic))
        episode_actions.close_episode(
            episode=clinic.members["K-11"].episode,
            closed_on=timezone.localdate(),
            ending="planned",
            by=clinic.olga,
        )
        with pytest.raises(Refused, match="K-11: This episode is closed"):
            session_actions.void_session(group_session=held, why="x", by=clinic.olga)
        assert GroupAttendance.objects.filter(session__voided_at__isnull=False).count() == 0

    def test_where_another_was_begun_since_it_is_not_put_back(self, clinic):
        group = a_group.of_five(clinic)
        held = a_group.begun(group)
        session_actions.void_session(group_session=held, why="x", by=clinic.olga)
        a_group.begun(group)
        with pytest.raises(Refused, match="another session at this time"):
            session_actions.put_back(group_session=held, by=clinic.olga)
