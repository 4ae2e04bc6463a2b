"""The one door in: stored once, whatever races; scored, flagged and logged with it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from alliance.measurement.scoring import AnswerError
from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.courses.answer_range import answers_in_range
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Mode, Rating, SetAsideRating
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(clinic):
    return hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)[0]


def record(grant, total=380, **options):
    return record_rating(grant=grant, answers=cast.answers(total), mode=Mode.LINE, **options)


def test_a_rating_is_stored_scored_flagged_and_logged(grant):
    rating = record(grant, 345, comment="We spoke too little about work.")
    assert (rating.total, rating.comment) == (345, "We spoke too little about work.")
    assert [(flag.rule, flag.is_new, flag.on_work_list) for flag in rating.flags.all()] == [("A", True, True)]
    event = AuditEvent.objects.filter(action="rated").get()
    assert (event.entity_code, event.actor, event.client) == (rating.code, None, grant.client_code)
    assert "345" not in str(event.detail)


def test_the_same_marks_sent_twice_are_one_rating(grant):
    assert record(grant).pk == record(grant).pk
    assert (Rating.objects.count(), SetAsideRating.objects.count()) == (1, 0)


def test_other_marks_for_the_same_grant_are_kept_aside_and_the_first_stand(grant):
    first = record(grant, 380)
    for _ in range(2):
        with pytest.raises(NotStored):
            record(grant, 200)
    assert Rating.objects.get() == first
    assert SetAsideRating.objects.get().reason == SetAsideRating.Reason.DISPUTED


def test_what_else_the_database_refuses_is_no_dispute(grant, monkeypatch):
    """It stays an error that is seen: marks set aside for a reason that is none would never be looked at."""

    def broken(*_):
        raise IntegrityError("another constraint")

    with monkeypatch.context() as patch:
        patch.setattr("sessions_app.intake.record_rating._stored", broken)
        with pytest.raises(IntegrityError, match="another constraint"):
            record(grant)
    assert (Rating.objects.count(), SetAsideRating.objects.count()) == (0, 0)
    assert record(grant).total == 380


def test_marks_of_a_withdrawn_grant_are_kept_aside(grant, clinic):
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    with pytest.raises(NotStored):
        record(grant)
    assert Rating.objects.count() == 0
    assert SetAsideRating.objects.get().answers == cast.answers(380)


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_either_database_is_given_both_rules_of_answers(vendor):
    """The tests of the rules run on one database at a time; one that is left out on the other shows here."""
    made = list(answers_in_range(SimpleNamespace(vendor=vendor)))
    said = " ".join(one.sql + (one.function.body if one.function else "") for one in made)
    assert {one.table for one in made} == {Rating._meta.db_table}
    assert all("BEFORE INSERT" in one.sql for one in made)
    for refusal in ("an answer is outside 0 to 100 tenths", "only an imported total has no lines"):
        assert refusal in said


@pytest.mark.parametrize(("age", "stored"), [(timedelta(days=6, hours=23), 1), (timedelta(days=7), 0)])
def test_a_late_rating_counts_until_its_last_day(grant, age, stored, time_machine):
    time_machine.move_to(grant.made_at + age, tick=False)
    if stored:
        record(grant)
    else:
        with pytest.raises(NotStored):
            record(grant)
    assert (Rating.objects.count(), SetAsideRating.objects.count()) == (stored, 1 - stored)


@pytest.mark.parametrize("wrong", [-1, 101, 5.5, "50", True])
def test_an_answer_outside_its_range_is_refused_and_nothing_is_stored(grant, wrong):
    with pytest.raises(AnswerError):
        record_rating(grant=grant, answers=cast.answers(380, goals=wrong), mode=Mode.LINE)
    assert (Rating.objects.count(), SetAsideRating.objects.count()) == (0, 0)


def test_a_missing_line_leaves_the_total_empty(grant):
    rating = record_rating(grant=grant, answers=cast.answers(380, goals=None), mode=Mode.LINE)
    assert rating.total is None
    assert rating.answers["goals"] is None


def test_a_second_hand_over_of_a_session_withdraws_the_first(clinic, grant):
    second, _ = hand_over_actions.hand_over(session=grant.session, by=clinic.olga)
    grant.refresh_from_db()
    assert grant.withdrawn_by == clinic.olga
    assert record(second).grant == second


def test_a_rated_session_is_not_handed_over_again(clinic, grant):
    record(grant)
    with pytest.raises(Refused, match="has its rating"):
        hand_over_actions.hand_over(session=grant.session, by=clinic.olga)


def test_a_closed_episode_is_not_handed_over_but_a_rating_under_way_counts(clinic, grant):
    clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
    clinic.olgas.save()
    assert record(grant).pk
    other = cast.therapy_session(clinic.olgas)
    with pytest.raises(Refused, match="closed"):
        hand_over_actions.hand_over(session=other, by=clinic.olga)


def test_paper_and_voice_come_in_by_the_same_door(clinic):
    session = cast.therapy_session(clinic.olgas)
    rating = enter_rating(session=session, answers=cast.answers(300), channel=Channel.PAPER, by=clinic.olga)
    assert (rating.mode, rating.grant.channel) == (Mode.PAPER, Channel.PAPER)
    assert rating.flags.filter(rule="A").exists()


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
class TestTheDatabaseItself:
    @pytest.mark.parametrize(
        "change", [lambda r: Rating.objects.filter(pk=r.pk).update(total=1), lambda r: r.delete()]
    )
    def test_refuses_to_change_or_delete_a_rating(self, grant, change):
        rating = record(grant)
        Flag.objects.all().delete()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change(rating)
        assert Rating.objects.get().total == 380

    def test_refuses_to_change_the_log(self, grant):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEvent.objects.update(action="nothing")

    def test_refuses_a_second_first_rating_of_a_session(self, grant, clinic):
        rating = record(grant)
        other = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)[0]
        with pytest.raises(IntegrityError), transaction.atomic():
            Rating.objects.create(
                grant=other,
                session=rating.session,
                instrument=rating.instrument,
                mode=Mode.LINE,
                instrument_version=rating.instrument_version,
                answers=rating.answers,
                sha256="x",
                language="en",
            )

    @pytest.mark.parametrize("wrong", [-1, 101, 5.5, "50", True])
    def test_refuses_an_answer_outside_its_range(self, grant, wrong):
        with pytest.raises(DatabaseError, match="outside 0 to 100"), transaction.atomic():
            Rating.objects.create(
                grant=grant,
                session=grant.session,
                instrument=grant.instrument,
                mode=Mode.LINE,
                instrument_version=grant.instrument_version,
                answers={"goals": wrong},
                sha256="x",
                language="en",
            )
