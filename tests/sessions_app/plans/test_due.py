"""What is due at a session, read from rows: by the plan, by what the therapist chose, and by what came."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from alliance.measurement import instruments
from alliance.refused import Refused
from clients.models import Client, Supervision
from sessions_app.courses.models import Attendance, Mode
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.intake.record_rating import record_rating
from sessions_app.plans import choice_actions, plan_actions, which_forms
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.record_response import record_response
from tests import cast
from tests.sessions_app.plans.conftest import AS_RATING, AT_3_AND_9, AT_EACH_END, on_now
from tests.sessions_app.questionnaires.answering import confirm

pytestmark = pytest.mark.django_db
LIFE = instruments.get("life-lines")
CAREGIVER = instruments.get("caregiver-session-rating")


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def session(clinic):
    return on_now(clinic.olgas)


def due(*sessions):
    """{session: what is due at it, as "start: life-lines"}"""
    found = which_forms.due(sessions, timezone.now())
    return [
        [f"{one.moment}: {one.key}" for one in found.get(session.pk, which_forms.FormsOfSession()).due]
        for session in sessions
    ]


def give(session, *forms, rating=False):
    forms = Forms(rating, tuple(map(ToFillIn, forms or [LIFE])))
    return hand_over_actions.hand_over(session=session, by=session.episode.therapist, forms=forms)[0]


def answer(grant):
    form = instruments.get(grant.instrument)
    answers = {item.id: item.maximum for item in form.items}
    return record_response(grant=grant, answers=answers, mode=Mode.LINE)


class TestForWhom:
    def test_nothing_is_planned_and_it_costs_one_query(self, session, now, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert which_forms.due([session], now) == {}

    def test_everybody(self, plan, session, clinic):
        plan()
        assert due(session, on_now(clinic.carls)) == [["start: life-lines"]] * 2

    def test_an_age_band(self, plan, session, clinic):
        Client.objects.filter(pk=clinic.carls.client_id).update(age_band="child")
        clinic.carls.client.refresh_from_db()
        plan("life-lines", age_band="adult")
        plan("caregiver-session-rating", age_band="child", **AT_EACH_END)
        both = due(session, on_now(clinic.carls))
        assert both == [["start: life-lines"], ["end: caregiver-session-rating"]]

    def test_the_clients_of_chosen_therapists(self, plan, session, clinic):
        plan(for_whom="therapists", therapists=[str(clinic.carl.pk)])
        assert due(session, on_now(clinic.carls)) == [[], ["start: life-lines"]]

    def test_a_team_of_today(self, plan, session, clinic):
        plan(for_whom="team", supervisor=str(clinic.sina.pk))
        assert due(session, on_now(clinic.carls)) == [["start: life-lines"], []]
        Supervision.objects.filter(supervisor=clinic.sina).update(ends_on=cast.STARTED)
        assert due(session) == [[]]

    def test_one_client_alone(self, course, session, clinic):
        course.give()
        assert due(session, on_now(clinic.carls)) == [["start: life-lines"], []]


class TestWhen:
    def test_short_forms_first_and_one_that_is_planned_twice_once_at_the_start(self, plan, session, clinic):
        plan("wai", **AT_EACH_END)
        plan("wai-sr")
        plan(**AT_EACH_END)
        plan()
        assert due(session) == [["start: life-lines", "start: wai-sr", "end: wai"]]

    def test_after_its_end_nothing_is_due_for_the_start_of_it(self, plan, clinic):
        plan()
        plan("gad-7", **AT_EACH_END)
        assert due(cast.therapy_session(clinic.olgas)) == [["end: gad-7"]]

    def test_missed_at_session_3_it_is_due_at_session_4_since_3(self, plan, clinic):
        plan(**AT_3_AND_9)
        sessions = [cast.therapy_session(clinic.olgas, ago=timedelta(minutes=90 - n)) for n in range(4)]
        assert due(*sessions) == [[], [], ["end: life-lines"], ["end: life-lines"]]
        (one,) = which_forms.due(sessions, timezone.now())[sessions[3].pk].late
        assert one.since == 3

    def test_at_the_ending_it_is_shown_apart(self, plan, session, now):
        plan(moment="ending", frequency="once")
        found = which_forms.due([session], now)[session.pk]
        assert (found.due, [one.key for one in found.at_the_ending]) == ([], ["life-lines"])

    def test_a_session_that_does_not_take_place_asks_for_nothing(self, plan, session):
        plan()
        session.attendance = Attendance.CANCELLED
        session.save()
        assert due(session) == [[]]


class TestNeverTwice:
    def test_answered_it_is_not_due_at_this_session_and_is_at_the_next(self, plan, session, clinic):
        plan()
        answer(give(session))
        assert due(session, on_now(clinic.olgas)) == [
            [],
            ["start: life-lines"],
        ]

    def test_declined_it_is_not_asked_for_again_at_this_session(self, plan, session):
        plan()
        hand_over_actions.decline(grant=give(session))
        assert due(session) == [[]]

    def test_declined_at_the_first_form_the_rest_of_the_set_is_declined(self, plan, session):
        plan(**AT_EACH_END)
        hand_over_actions.decline(grant=give(session, rating=True))
        assert due(session) == [[]]

    def test_taken_back_it_is_due_again(self, plan, session, clinic):
        plan()
        hand_over_actions.take_back(grant=give(session), by=clinic.olga)
        assert due(session) == [["start: life-lines"]]

    def test_given_out_it_says_so(self, plan, session, now):
        plan()
        give(session)
        found = which_forms.due([session], now)[session.pk]
        assert [one.is_out for one in found.due] == [True]

    def test_answers_at_a_voided_session_do_not_count(self, plan, clinic):
        plan(**AT_3_AND_9 | {"numbers": "1"})
        first, second = (cast.therapy_session(clinic.olgas, ago=timedelta(minutes=80 - n)) for n in range(2))
        answer(give(second))
        assert due(first) == [[]]
        session_actions.void_session(session=second, why="x", by=clinic.olga)
        assert due(first) == [["end: life-lines"]]


class TestWhatCannotBeGiven:
    def test_it_stays_in_the_plan_and_says_why(self, plan, session, now):
        plan("wai-sr")
        (one,) = which_forms.due([session], now)[session.pk].due
        assert "licence" in one.obstacle

    def test_a_form_with_an_item_on_risk_is_not_planned_before_the_page_was_confirmed(self, plan):
        with pytest.raises(Refused, match="first has to read and confirm what the site does"):
            plan("phq-9")

    def test_confirmed_it_is_planned_and_where_the_confirmation_ends_it_is_not_given(
        self, plan, clinic, session, now
    ):
        confirmed = confirm(looks=clinic.sina, by=clinic.adam)
        plan("phq-9", **AT_EACH_END)
        (one,) = which_forms.due([session], now)[session.pk].due
        assert one.obstacle == ""
        risk_confirmations.end(confirmation=confirmed, by=clinic.adam)
        (one,) = which_forms.due([session], now)[session.pk].due
        assert "self-harm" in one.obstacle


class TestWhatTheTherapistChose:
    def test_switched_off_and_back(self, plan, course, session, clinic):
        plan()
        chosen = course.off(LIFE)
        assert due(session) == [[]]
        choice_actions.by_the_plan(chosen=chosen, by=clinic.olga)
        assert due(session) == [["start: life-lines"]]

    def test_given_at_another_time_in_the_place_of_all_that_is_planned(self, plan, course, session):
        plan()
        plan(**AT_3_AND_9)
        course.give(**AT_EACH_END)
        assert due(session) == [["end: life-lines"]]

    def test_a_colleague_s_course_is_as_it_was(self, plan, course, clinic):
        plan()
        course.off(LIFE)
        assert due(on_now(clinic.carls)) == [["start: life-lines"]]


class TestTheScaleOfASession:
    def test_the_clinic_s_form_unless_the_plan_says_otherwise(self, plan, clinic):
        assert which_forms.alliance_form(clinic.olgas).id == "session-rating"
        plan("couple-family-session-rating", for_whom="team", supervisor=str(clinic.sina.pk), **AS_RATING)
        assert which_forms.alliance_form(clinic.olgas).id == "couple-family-session-rating"
        assert which_forms.alliance_form(clinic.carls).id == "session-rating"

    def test_closest_first_the_client_then_the_team_then_the_age(self, plan, course, clinic):
        plan("srs", age_band="adult", **AS_RATING)
        assert which_forms.alliance_form(clinic.olgas).id == "srs"
        plan("group-session-rating", for_whom="therapists", therapists=[str(clinic.olga.pk)], **AS_RATING)
        assert which_forms.alliance_form(clinic.olgas).id == "group-session-rating"
        course.give("couple-family-session-rating", **AS_RATING)
        assert which_forms.alliance_form(clinic.olgas).id == "couple-family-session-rating"

    def test_for_a_day_that_is_over_the_one_of_that_day(self, plan, clinic):
        plan("srs", age_band="adult", **AS_RATING)
        today = timezone.localdate()
        assert which_forms.alliance_form(clinic.olgas, today).id == "srs"
        assert which_forms.alliance_form(clinic.olgas, today - timedelta(days=1)).id == "session-rating"

    def test_it_is_what_a_hand_over_gives(self, plan, clinic, session):
        plan("couple-family-session-rating", age_band="adult", **AS_RATING)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        assert grant.instrument == "couple-family-session-rating"

    def test_where_nothing_is_planned_it_costs_one_query_more(self, clinic, django_assert_num_queries):
        with django_assert_num_queries(2):
            which_forms.alliance_form(clinic.olgas)


class TestInFlight:
    def test_a_form_that_is_out_when_the_plan_changes_is_kept(self, plan, session, clinic):
        planned = plan()
        grant = give(session)
        plan_actions.end_planned(planned=planned, by=clinic.adam)
        assert answer(grant).held == ""

    def test_an_instrument_that_was_switched_off_while_its_form_was_out_is_stored(
        self, course, session, plan
    ):
        plan()
        grant = give(session)
        course.off(LIFE)
        assert answer(grant).held == ""

    def test_a_scale_that_was_changed_while_the_rating_was_out_keeps_what_the_client_marked(
        self, plan, session, clinic
    ):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        plan("couple-family-session-rating", age_band="adult", **AS_RATING)
        rating = record_rating(grant=grant, answers=cast.answers(), mode=Mode.LINE)
        assert (rating.instrument, rating.total) == ("session-rating", 380)

    def test_a_form_of_an_older_edition_in_flight_is_stored_as_that_edition(self, plan, session, clinic):
        """The plan names the form and not its edition; what was given out keeps the one the client reads."""
        planned = plan("session-rating", **AT_EACH_END)
        grant = give(session, instruments.get("session-rating", "1"))
        plan_actions.change_planned(planned=planned, by=clinic.adam, **{**planned.says, "frequency": "once"})
        stored = answer(grant)
        assert (stored.instrument_version, stored.held) == ("1", "")


def test_3_and_30_sessions_ask_the_same_number_of_queries(plan, clinic, now, django_assert_max_num_queries):
    plan()
    plan("wai-sr", **AT_3_AND_9)
    plan("caregiver-session-rating", for_whom="team", supervisor=str(clinic.sina.pk))
    counts = []
    for clients in (3, 30):
        while clinic.olga.episodes.count() < clients:
            cast.episode(clinic.olga, f"K-{100 + clinic.olga.episodes.count()}")
        sessions = [on_now(episode) for episode in clinic.olga.episodes.all() for _ in range(3)]
        answer(give(sessions[0]))
        with django_assert_max_num_queries(15) as queries:
            found = which_forms.due(sessions, now)
        assert all(found[one.pk].due for one in sessions[1:])
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_rows_of_the_plan_are_never_changed_and_never_deleted(plan):
    planned = plan()
    for write in (
        lambda: PlannedForm.objects.filter(pk=planned.pk).update(instrument="srs"),
        lambda: PlannedForm.objects.filter(pk=planned.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
