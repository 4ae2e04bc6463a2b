"""What is not talked about now: until the next session, or at all; and when it calls again."""

from datetime import UTC, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.process import Share
from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.courses.models import Attendance
from sessions_app.flags import answered_flags, discussion_actions, process_measures
from sessions_app.flags.deferral_actions import NOTHING_CALLS, defer, undo
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from sessions_app.intake import session_actions
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.caseloads import DAY, HOUR, NOW, fallen, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")

FOUR_WEEKS = NOW.astimezone(UTC) + 28 * DAY  # the clocks go forward meanwhile
LATER, NOT_NEEDED = Deferral.Kind.LATER, Deferral.Kind.NOT_NEEDED


def decide(clinic, kind=LATER, flags=None, why="Her exam comes first"):
    flags = Flag.objects.filter(session__episode=clinic.olgas) if flags is None else flags
    return defer(episode=clinic.olgas, flags=flags, kind=kind, why=why, by=clinic.olga)


def calling(episode):
    waiting = answered.calling().filter(session__episode=episode)
    return sorted(f"{flag.rule}{flag.session.number}" for flag in waiting.select_related("session"))


class TestDeciding:
    @pytest.mark.parametrize("kind", [LATER, NOT_NEEDED])
    def test_takes_the_flags_from_the_work_list_and_undo_brings_them_back(self, clinic, kind):
        fallen(clinic.olgas)
        deferral = decide(clinic, kind)
        assert calling(clinic.olgas) == []
        assert (deferral.session.number, deferral.why, deferral.deferred_by) == (
            3,
            "Her exam comes first",
            clinic.olga,
        )
        undo(deferral=deferral, by=clinic.olga)
        assert calling(clinic.olgas) == ["A3", "C3"]
        assert Deferral.objects.get().undone_by == clinic.olga

    def test_what_is_put_off_is_open_and_what_needs_no_talk_is_not(self, clinic):
        fallen(clinic.olgas)
        deferral = decide(clinic, LATER)
        assert answered.still_open().count() == 2
        undo(deferral=deferral, by=clinic.olga)
        decide(clinic, NOT_NEEDED)
        assert answered.still_open().count() == 0
        assert answered.discussed().count() == 0

    def test_is_written_to_the_log_once_without_a_word_of_the_reason(self, clinic):
        fallen(clinic.olgas)
        deferral = decide(clinic)
        for _ in range(2):
            undo(deferral=deferral, by=clinic.olga)
        told = AuditEvent.objects.filter(entity="deferral").order_by("pk")
        assert [(one.action, one.actor, one.client) for one in told] == [
            ("deferred", clinic.olga.pk, clinic.olgas.client.code),
            ("deferral undone", clinic.olga.pk, clinic.olgas.client.code),
        ]
        assert told[0].detail == {"kind": "later", "rules": ["A", "C"]}

    @pytest.mark.parametrize("kind", [LATER, NOT_NEEDED])
    def test_pressed_twice_it_is_decided_once(self, clinic, kind):
        fallen(clinic.olgas)
        assert decide(clinic, kind).pk == decide(clinic, kind, why="another").pk
        assert AuditEvent.objects.filter(action="deferred").count() == 1

    def test_what_was_talked_about_meanwhile_is_refused(self, clinic):
        talk(fallen(clinic.olgas)[-1], by=clinic.olga)
        with pytest.raises(Refused, match=NOTHING_CALLS):
            decide(clinic)
        assert not Deferral.objects.exists()

    def test_names_only_flags_that_call_and_only_of_this_client(self, clinic):
        fallen(clinic.olgas)
        fallen(clinic.carls)
        deferral = decide(clinic, flags=Flag.objects.all())
        assert {flag.session.episode for flag in deferral.flags.all()} == {clinic.olgas}
        assert len(calling(clinic.carls)) == 2

    def test_a_flag_that_is_raised_later_calls_as_ever(self, clinic):
        fallen(clinic.olgas)
        decide(clinic, NOT_NEEDED)
        cast.rating(cast.therapy_session(clinic.olgas), 280)
        assert calling(clinic.olgas) == ["A4", "C4"]

    def test_a_talk_can_still_be_noted(self, clinic):
        session = fallen(clinic.olgas)[-1]
        decide(clinic, NOT_NEEDED)
        discussion_actions.discuss(
            flags=answered.undiscussed().filter(session=session), said="x", agreed="", by=clinic.olga
        )
        assert answered.discussed().count() == 2

    @pytest.mark.parametrize("changed", [{"kind": "never"}, {"undone_at": NOW}])
    def test_the_database_knows_what_a_decision_is(self, clinic, changed):
        fallen(clinic.olgas)
        decide(clinic)
        with pytest.raises(IntegrityError), transaction.atomic():
            Deferral.objects.update(**changed)


class TestUntilTheNextSession:
    @pytest.mark.parametrize("ahead", [2 * HOUR, 11.5 * HOUR, DAY])
    def test_sleeps_before_the_day_of_the_next_session(self, clinic, ahead):
        """A session of the same day is not the next one: "not today" was meant."""
        fallen(clinic.olgas)
        decide(clinic)
        cast.therapy_session(clinic.olgas, ago=-ahead, attendance=Attendance.PLANNED)
        assert calling(clinic.olgas) == []

    @pytest.mark.parametrize(
        ("attendance", "wakes"),
        [
            (Attendance.PLANNED, True),  # the therapist prepares in the morning, the session is at six
            (Attendance.ATTENDED, True),
            (Attendance.CANCELLED, False),
            (Attendance.DID_NOT_ATTEND, False),
        ],
    )
    def test_wakes_on_the_day_of_the_next_session_that_takes_place(
        self, clinic, time_machine, attendance, wakes
    ):
        fallen(clinic.olgas)
        decide(clinic)
        cast.therapy_session(clinic.olgas, ago=-(7 * DAY + 6 * HOUR), attendance=attendance)
        time_machine.move_to(NOW + 7 * DAY - 12 * HOUR - timedelta(seconds=1), tick=False)
        assert calling(clinic.olgas) == []
        time_machine.move_to(NOW + 7 * DAY - 12 * HOUR, tick=False)  # midnight
        assert calling(clinic.olgas) == (["A3", "C3"] if wakes else [])

    def test_a_session_that_is_moved_moves_the_day(self, clinic, time_machine):
        fallen(clinic.olgas)
        session = cast.therapy_session(clinic.olgas, ago=-HOUR, attendance=Attendance.PLANNED)
        decide(clinic)
        options = {"modality": "phone", "attendance": "planned", "by": clinic.olga}
        session_actions.change_session(session=session, held_at=NOW + 2 * DAY, **options)
        time_machine.move_to(NOW + 2 * DAY, tick=False)
        assert calling(clinic.olgas) == ["A3", "C3"]

    def test_whoever_has_no_further_session_is_not_forgotten(self, clinic, time_machine):
        fallen(clinic.olgas)
        decide(clinic)
        time_machine.move_to(FOUR_WEEKS - timedelta(seconds=1), tick=False)
        assert calling(clinic.olgas) == []
        time_machine.move_to(FOUR_WEEKS, tick=False)
        assert calling(clinic.olgas) == ["A3", "C3"]

    def test_awake_again_it_can_be_put_off_once_more(self, clinic, time_machine):
        fallen(clinic.olgas)
        decide(clinic)
        time_machine.move_to(FOUR_WEEKS, tick=False)
        decide(clinic)
        assert (Deferral.objects.count(), calling(clinic.olgas)) == (2, [])


class TestTheSameFall:
    """A, D, E and H say once more that a total is low; after a talk they call only where the fall went on."""

    def after_a_talk(self, clinic, totals, *then, settle=talk):
        """The flags that call after `totals`, of which the last was talked about, and `then`."""
        days = 7 * (len(totals) + len(then))
        for place, total in enumerate((*totals, *then)):
            at = cast.therapy_session(clinic.olgas, ago=(days - 7 * place) * DAY)
            cast.rating(at, total)
            Flag.objects.filter(session=at).update(raised_at=at.ends_at)
            if place == len(totals) - 1:
                settle(at, by=clinic.olga)
                Discussion.objects.update(discussed_at=at.ends_at)
                Deferral.objects.update(deferred_at=at.ends_at)
        return calling(clinic.olgas)

    @pytest.mark.parametrize(
        ("then", "calls"),
        [
            ([361, 355], []),  # over the cutoff and under it again
            ([361, 331], []),  # 1.9 lower than what was talked about
            ([361, 330], ["A4"]),  # 2.0 lower
            ([389, 355], []),  # up by 3.9 is chance
            ([390, 355], ["A4"]),  # up by 4.0 is a recovery: a new matter
            ([361, 362, 363, 355], []),  # within four sessions
            ([361, 362, 363, 364, 355], ["A7"]),  # later it is a new matter
        ],
    )
    def test_of_a_level(self, clinic, then, calls):
        levels = [one for one in self.after_a_talk(clinic, [380, 350], *then) if one[0] == "A"]
        assert levels == calls

    @pytest.mark.parametrize(
        ("then", "calls"),
        [
            ([361, 321], []),  # 2.9 lower
            ([361, 320], ["A4"]),  # 3.0 lower
            ([399, 355], []),  # up by 4.9
            ([400, 355], ["A4"]),  # up by 5.0
        ],
    )
    def test_is_measured_by_the_clinics_own_settings(self, clinic, then, calls):
        cast.choose_rules(clinic.adam, badge_fall=30, sudden_fall=50)
        levels = [one for one in self.after_a_talk(clinic, [380, 350], *then) if one[0] == "A"]
        assert levels == calls

    def test_of_a_usual_range(self, clinic):
        assert self.after_a_talk(clinic, [380, 382, 381, 380, 335], 337) == []

    def test_a_sudden_fall_is_never_the_same_one(self, clinic):
        assert self.after_a_talk(clinic, [380, 335], 374, 334) == ["C4"]

    def test_without_the_talk_it_calls(self, clinic):
        assert self.after_a_talk(clinic, [380, 350], 361, 355, settle=lambda *_, **__: None) == ["A2", "A4"]

    def test_a_decision_that_no_talk_is_needed_counts_and_putting_off_does_not(self, clinic):
        def settled(kind):
            return lambda session, by: decide(clinic, kind, flags=session.flags.all())

        assert self.after_a_talk(clinic, [380, 350], 361, 355, settle=settled(NOT_NEEDED)) == []
        Deferral.objects.update(kind=LATER)
        assert calling(clinic.olgas) == ["A2", "A4"]

    def test_a_talk_noted_after_the_flag_came_is_no_talk_before_it(self, clinic):
        self.after_a_talk(clinic, [380, 350], 361, 355)
        Discussion.objects.update(discussed_at=timezone.now())
        assert calling(clinic.olgas) == ["A4"]

    def test_it_stays_a_quiet_badge(self, clinic):
        self.after_a_talk(clinic, [380, 350], 361, 355)
        flags = answered_flags.read(clinic.olgas.pk, timezone.now())
        (flag,) = (flag for flag in flags if flag.session.number == 4 and flag.rule == "A")
        assert (flag.on_work_list, flag.calls, flag.word) == (True, False, "Below cutoff, as before")

    def test_the_limits_are_those_of_every_alliance_scale(self):
        """They stand in the code once."""
        known = {one.parameters for one in instruments.session_scales()}
        assert {(one.badge_fall, one.sudden_fall) for one in known} == {(20, 40)}


def test_a_decision_not_to_talk_does_not_make_the_figure_better(clinic):
    for episode, kind in ((clinic.olgas, NOT_NEEDED), (cast.episode(clinic.olga, "K-8"), None)):
        session = cast.therapy_session(episode, ago=12 * DAY)
        cast.rating(session, 340)
        Flag.objects.filter(session=session).update(raised_at=session.ends_at)
        cast.therapy_session(episode, ago=5 * DAY)
        if kind:
            decide(clinic, kind)
        else:
            talk(session, by=clinic.olga, at=NOW - 12 * DAY)
    cast.conclude_everything()
    measures = process_measures.read([clinic.olga], NOW)[clinic.olga.pk]
    assert (measures.talked, measures.not_needed) == (Share(1, 2), Share(1, 2))
