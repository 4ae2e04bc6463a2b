"""Marks under the wrong client: set aside or moved, the record follows, and one way back undoes all of it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance.measurement import instruments
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.conversations import together
from sessions_app.corrections import actions as decide
from sessions_app.corrections import families, misfiling_actions, right_sessions, set_aside
from sessions_app.courses.decisions import Misfiling
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.flags.checks import differing
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.sessions_app.corrections.marks import disputed, rules, use

pytestmark = pytest.mark.django_db
SENTENCE = "My sister said so."


@pytest.fixture
def other(clinic):
    """Another client of Olga's, whom she treats at the same hour."""
    return cast.episode(clinic.olga, "K-106")


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


@pytest.fixture
def right(other):
    return cast.therapy_session(other)


@pytest.fixture
def wrong(clinic, session):
    """Marks of another person, handed in under K-1."""
    return cast.rating(session, 210, comment=SENTENCE)


def aside(rating, by, why="The wrong name was open."):
    return misfiling_actions.set_aside(rating=rating, why=why, by=by)


def moved(rating, to, by, why="The wrong name was open."):
    return misfiling_actions.move(rating=rating, to=to, why=why, by=by)


def standing(session):
    return Rating.objects.standing().filter(session=session).first()


def beside(session):
    return set_aside.of_episode(session.episode, reads_comments=True)[session.pk]


def is_concluded():
    return list(differing(Episode.objects.values_list("pk", flat=True))) == []


class TestSetAside:
    def test_marks_handed_in_under_the_wrong_client_leave_its_course(self, clinic, session, wrong):
        assert rules(session) == ["A"]
        misfiling = aside(wrong, clinic.olga)
        assert standing(session) is None
        assert rules(session) == []
        assert list(TherapySession.objects.unrated()) == [session]
        assert Rating.objects.get(pk=wrong.pk).answers == wrong.answers  # kept, and shown to nobody
        assert (misfiling.set_aside_by, misfiling.left.is_taken_out) == (clinic.olga, True)
        assert is_concluded()

    def test_the_clients_sentence_leaves_the_record_and_the_page_for_two(self, clinic, session, wrong):
        assert [one.wrote for one in together.entries(clinic.olgas)] == [SENTENCE]
        aside(wrong, clinic.olga)
        assert together.entries(clinic.olgas) == []
        assert beside(session).earlier == []
        assert [one.way_back.why for one in beside(session).misfiled] == ["The wrong name was open."]

    def test_the_session_can_be_rated_again_by_its_own_client(self, clinic, session, wrong):
        aside(wrong, clinic.olga)
        own = cast.rating(session, 380)
        assert (standing(session), own.replaces.is_taken_out) == (own, True)
        assert beside(session).earlier == []

    def test_or_cancelled_where_it_did_not_take_place(self, clinic, session, wrong):
        options = {"session": session, "held_at": session.held_at, "modality": "video", "by": clinic.olga}
        with pytest.raises(Refused, match="set them aside"):
            session_actions.change_session(attendance="cancelled", **options)
        aside(wrong, clinic.olga)
        session_actions.change_session(attendance="cancelled", **options)
        assert TherapySession.objects.get().attendance == "cancelled"
        assert is_concluded()

    def test_put_back_they_count_again(self, clinic, session, wrong):
        misfiling_actions.put_back(misfiling=aside(wrong, clinic.olga), by=clinic.olga)
        again = standing(session)
        assert (again.total, again.comment, again.received_at) == (210, SENTENCE, wrong.received_at)
        assert rules(session) == ["A"]
        assert beside(session).misfiled == []
        assert is_concluded()

    def test_twice_and_twice_back_are_refused(self, clinic, wrong):
        misfiling = aside(wrong, clinic.olga)
        with pytest.raises(Refused, match="already"):
            aside(wrong, clinic.olga)
        misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        with pytest.raises(Refused, match="already"):
            misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert Rating.objects.count() == 3

    def test_put_back_is_refused_where_the_client_was_asked_again_meanwhile(self, clinic, session, wrong):
        misfiling = aside(wrong, clinic.olga)
        own = cast.rating(session, 380)
        with pytest.raises(Refused, match="Session 1 of K-1 has other marks now, which came at"):
            misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert standing(session) == own
        assert Misfiling.objects.standing().get() == misfiling

    def test_the_earlier_marks_are_no_back_door_to_them(self, clinic, session, wrong):
        misfiling = aside(wrong, clinic.olga)
        with pytest.raises(Refused, match="No earlier marks"):
            decide.put_back(rating=misfiling.left, by=clinic.olga)

    def test_what_stood_before_stands_again(self, clinic, session):
        """The client left a line out, and somebody else marked the form when it was handed over again."""
        own = cast.rating(session, 390, goals=None)
        wrong = cast.rating(session, 210, comment=SENTENCE)
        misfiling = aside(wrong, clinic.olga)
        assert (standing(session).answers, misfiling.left) == (own.answers, standing(session))
        assert SENTENCE not in str([one.comment for one in beside(session).earlier])
        assert is_concluded()

    def test_earlier_marks_can_be_set_aside_and_what_stands_stays(self, clinic, session):
        """The other way round: the partial marks were the stranger's."""
        wrong = cast.rating(session, 210, goals=None, comment=SENTENCE)
        own = cast.rating(session, 380)
        assert [one.comment for one in beside(session).earlier] == [SENTENCE]
        misfiling = aside(wrong, clinic.olga)
        assert (standing(session), misfiling.left, beside(session).earlier) == (own, None, [])
        misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert standing(session) == own
        assert [one.comment for one in beside(session).earlier] == [SENTENCE]

    def test_every_version_of_the_marks_goes(self, clinic, session):
        """Typed, corrected and put back: all three are the stranger's, and none may be read any more."""
        typed = {"channel": Channel.PAPER, "by": clinic.olga, "comment": SENTENCE}
        first = enter_rating(session=session, answers=cast.answers(280), **typed)
        second = decide.correct(rating=first, answers=cast.answers(380), why="slip", **typed)
        third = decide.put_back(rating=second, by=clinic.olga)
        misfiling = aside(third, clinic.olga)
        rows = families.rows_of(session.pk)
        assert families.hidden(rows, [misfiling]) == {first.pk, second.pk, third.pk}
        assert (beside(session).earlier, standing(session)) == ([], None)
        for row in (first, second):
            with pytest.raises(Refused, match="already"):
                aside(row, clinic.olga)

    def test_own_marks_before_those_that_were_used_by_mistake_are_not_hidden(self, clinic, session):
        used = use(disputed(session, 210, first=380, comment=SENTENCE))
        aside(used, clinic.olga)
        assert standing(session).total == 380
        assert SENTENCE not in str([one.comment for one in beside(session).earlier])

    def test_a_tab_that_shows_marks_from_before_a_correction_is_told(self, clinic, session):
        typed = {"channel": Channel.PAPER, "by": clinic.olga}
        first = enter_rating(session=session, answers=cast.answers(280), **typed)
        decide.correct(rating=first, answers=cast.answers(380), why="slip", **typed)
        with pytest.raises(Refused, match="Other marks stand"):
            aside(first, clinic.olga)

    def test_a_form_that_came_back_empty_has_nothing_to_set_aside(self, clinic, session):
        empty = cast.rating(session, None)
        with pytest.raises(Refused, match="no marks"):
            aside(empty, clinic.olga)

    def test_a_form_that_is_out_meanwhile_is_taken_back_and_its_marks_are_kept(self, clinic, session):
        wrong = cast.rating(session, 210, goals=None)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        aside(wrong, clinic.olga)
        assert not RatingGrant.objects.awaiting(timezone.now()).exists()
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE)
        assert SetAsideRating.objects.to_settle().get().reason == "withdrawn"

    def test_the_same_delivery_once_more_is_known_and_does_not_come_back(self, clinic, session, wrong):
        """The tablet asks again because the answer was lost."""
        aside(wrong, clinic.olga)
        same = {"answers": cast.answers(210), "mode": Mode.LINE, "comment": SENTENCE}
        assert record_rating(grant=wrong.grant, **same) == wrong
        assert (standing(session), SetAsideRating.objects.count()) == (None, 0)


class TestMove:
    def test_marks_go_to_the_session_they_are_of(self, clinic, session, wrong, right):
        misfiling = moved(wrong, right, clinic.olga)
        there = standing(right)
        assert standing(session) is None
        assert (there.total, there.comment, there.received_at) == (210, SENTENCE, wrong.received_at)
        assert (there.grant.session, there.mode, misfiling.moved_to) == (right, wrong.mode, there)
        assert (rules(session), rules(right)) == ([], ["A"])
        assert [one.wrote for one in together.entries(right.episode)] == [SENTENCE]
        assert is_concluded()

    def test_neither_record_names_the_other(self, clinic, session, wrong, right):
        moved(wrong, right, clinic.olga)
        (left,), (came,) = beside(session).misfiled, beside(right).misfiled
        assert came.way_back is None
        assert (left.came_here, came.came_here) == (False, True)
        events = AuditEvent.objects.filter(action__startswith="marks moved").order_by("pk")
        assert {event.action: event.client for event in events} == {
            "marks moved away": clinic.olgas.client_code,
            "marks moved here": right.episode.client_code,
        }
        assert all(event.detail == {} for event in events)

    def test_one_way_back_undoes_both_halves(self, clinic, session, wrong, right):
        misfiling = moved(wrong, right, clinic.olga)
        misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert (standing(session).total, standing(right)) == (210, None)
        assert together.entries(right.episode) == []
        assert beside(right).earlier == []
        assert [one.undone_by for one in beside(right).misfiled] == [clinic.olga]
        assert is_concluded()

    def test_a_new_session_of_the_same_time_where_there_is_none(self, clinic, session, wrong, other):
        moved(wrong, other, clinic.olga)
        there = other.sessions.get()
        assert (there.held_at, there.ends_at, there.attendance) == (
            session.held_at,
            session.ends_at,
            "attended",
        )
        assert standing(there).total == 210

    def test_within_one_course_to_another_session(self, clinic, session, wrong):
        later = cast.therapy_session(clinic.olgas, ago=timedelta(minutes=1))
        misfiling = moved(wrong, later, clinic.olga)
        assert (standing(session), standing(later).total) == (None, 210)
        misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert (standing(session).total, standing(later)) == (210, None)
        assert is_concluded()

    def test_marks_there_that_lack_a_line_are_replaced_and_come_back(self, clinic, session, wrong, right):
        partial = cast.rating(right, 390, goals=None)
        misfiling = moved(wrong, right, clinic.olga)
        assert (standing(right).total, standing(right).replaces) == (210, partial)
        misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
        assert standing(right).answers == partial.answers
        assert is_concluded()

    @pytest.mark.parametrize("why", ["rated", "itself", "to come", "later that day"])
    def test_where_there_is_no_place_for_them_nothing_changes(self, clinic, session, wrong, right, why):
        target = {"rated": right, "itself": session}.get(why, right)
        if why == "rated":
            cast.rating(right, 380)
        elif why != "itself":
            starts = wrong.received_at + timedelta(days=2 if why == "to come" else 0, minutes=16)
            TherapySession.objects.filter(pk=right.pk).update(
                held_at=starts, ends_at=starts + timedelta(hours=1)
            )
            target = TherapySession.objects.get(pk=right.pk)
        sentence = {
            "rated": "has other marks now",
            "itself": "where the marks are",
            "to come": "still to come when the marks came",
            "later that day": "still to come when the marks came",
        }
        with pytest.raises(Refused, match=sentence[why]):
            moved(wrong, target, clinic.olga)
        assert standing(session) == wrong
        assert not Misfiling.objects.exists()

    def test_a_session_that_began_after_the_marks_came_is_not_offered(self, clinic, wrong, right):
        def offered():
            choices = right_sessions.choices(wrong, clinic.olga, None)
            return str(right.code) in [code for _, group in choices[1:] for code, _ in group]

        assert offered()
        starts = wrong.received_at + timedelta(minutes=16)
        TherapySession.objects.filter(pk=right.pk).update(held_at=starts, ends_at=starts + timedelta(hours=1))
        assert not offered()

    @pytest.mark.parametrize("begins_with_a_form", [True, False])
    def test_a_session_that_began_early_with_a_form_is_offered_and_takes_them(
        self, clinic, session, right, begins_with_a_form
    ):
        """Only a new session was offered: the form given before and the marks stood in two."""
        if begins_with_a_form:
            forms = Forms(False, (ToFillIn(instruments.get("life-lines"), Rater.CLIENT),))
            hand_over_actions.hand_over(session=right, by=clinic.olga, forms=forms)
        wrong = cast.rating(session, 210)
        starts = wrong.received_at + timedelta(minutes=30)
        TherapySession.objects.filter(pk=right.pk).update(held_at=starts, ends_at=starts + timedelta(hours=1))
        to = TherapySession.objects.get(pk=right.pk)
        choices = right_sessions.choices(wrong, clinic.olga, None)
        offered = [code for _, group in choices[1:] for code, _ in group]
        assert (str(to.code) in offered) is begins_with_a_form
        if begins_with_a_form:
            moved(wrong, to, clinic.olga)
            assert (standing(session), standing(to).total, is_concluded()) == (None, 210, True)
        else:
            with pytest.raises(Refused, match="still to come when the marks came"):
                moved(wrong, to, clinic.olga)

    def test_a_form_that_is_out_for_the_right_session_is_taken_back(self, clinic, wrong, right):
        grant, _ = hand_over_actions.hand_over(session=right, by=clinic.olga)
        moved(wrong, right, clinic.olga)
        with pytest.raises(NotStored):
            record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE)
        assert standing(right).total == 210

    def test_moved_on_they_are_put_back_in_the_order_of_the_moves(self, clinic, session, wrong, right):
        first = moved(wrong, right, clinic.olga)
        third = cast.therapy_session(cast.episode(clinic.olga, "K-107"))
        second = moved(standing(right), third, clinic.olga)
        with pytest.raises(Refused, match="changed at the session they were moved to"):
            misfiling_actions.put_back(misfiling=first, by=clinic.olga)
        misfiling_actions.put_back(misfiling=second, by=clinic.olga)
        assert (standing(session), standing(right).total, standing(third)) == (None, 210, None)
        misfiling_actions.put_back(misfiling=first, by=clinic.olga)
        assert (standing(session).total, standing(right), standing(third)) == (210, None, None)
        assert [one.wrote for one in together.entries(right.episode)] == []
        assert is_concluded()

    def test_lines_the_client_marked_stay_theirs_where_they_went(self, clinic, session, right):
        cast.rating(session, None, relationship=21, goals=50)
        completed = enter_rating(
            session=session,
            answers={"approach": 50, "overall": 50},
            channel=Channel.VERBAL,
            seen=standing(session).code,
            by=clinic.olga,
        )
        there = moved(completed, right, clinic.olga).moved_to
        with pytest.raises(Refused, match="client's own"):
            decide.correct(
                rating=there, answers=cast.answers(380), channel=Channel.PAPER, why="x", by=clinic.olga
            )
        own = {"relationship": 21, "goals": 50, "approach": 60, "overall": 60}
        decide.correct(rating=there, answers=own, channel=Channel.PAPER, why="x", by=clinic.olga)
        assert standing(right).total == 191

    def test_so_they_do_when_a_correction_is_undone(self, clinic, session):
        cast.rating(session, None, relationship=21, goals=50)
        of_the_client = {"relationship": 21, "goals": 50}
        typed = {"channel": Channel.PAPER, "by": clinic.olga}
        answers = {**of_the_client, "approach": 50, "overall": 50}
        completed = enter_rating(session=session, answers=answers, seen=standing(session).code, **typed)
        answers = {**of_the_client, "approach": 60, "overall": 60}
        again = decide.put_back(
            rating=decide.correct(rating=completed, answers=answers, why="x", **typed), by=clinic.olga
        )
        with pytest.raises(Refused, match="client's own"):
            decide.correct(rating=again, answers=cast.answers(380), why="x", **typed)
        assert standing(session).answers == completed.answers
        decide.correct(rating=again, answers=answers, why="x", **typed)
        assert standing(session).total == 191

    def test_an_error_of_ours_leaves_nothing_half_done(self, clinic, wrong, right, monkeypatch):
        def fails(**options):
            raise RuntimeError("a bug")

        monkeypatch.setattr(misfiling_actions, "conclude_many", fails)
        with pytest.raises(RuntimeError):
            moved(wrong, right, clinic.olga)
        assert (Rating.objects.count(), Misfiling.objects.count(), standing(right)) == (1, 0, None)


class TestMarksThatWereSetAsideOnArrival:
    """A second hand-in through the form that the wrong client was given."""

    @pytest.fixture
    def arrived(self, session):
        return disputed(session, 210, comment=SENTENCE)

    def misfile(self, arrived, by, to=None):
        return misfiling_actions.misfile_arrived(aside=arrived, to=to, why="Somebody else's.", by=by)

    def test_leave_the_record_with_the_sentence(self, clinic, session, arrived):
        assert SENTENCE in [one.comment for one in beside(session).to_settle]
        self.misfile(arrived, clinic.olga)
        (one,) = beside(session).settled
        assert (one.lines, one.comment, one.raw, one.is_misfiled) == ((), "", "", True)
        assert standing(session).total == 380
        with pytest.raises(Refused, match="already"):
            self.misfile(arrived, clinic.olga)

    def test_taken_up_again_they_wait_for_a_decision(self, clinic, session, arrived):
        self.misfile(arrived, clinic.olga)
        misfiling_actions.take_up_misfiled(aside=arrived, by=clinic.olga)
        assert [one.comment for one in beside(session).to_settle] == [SENTENCE]
        with pytest.raises(Refused, match="already"):
            misfiling_actions.take_up_misfiled(aside=arrived, by=clinic.olga)

    def test_count_at_the_session_they_are_of_and_go_back(self, clinic, session, arrived, right):
        moved = self.misfile(arrived, clinic.olga, to=right).rating
        assert (standing(right), moved.total, standing(session).total) == (moved, 210, 380)
        assert [one.came_here for one in beside(right).misfiled] == [True]
        with pytest.raises(Refused, match="No earlier marks"):
            decide.put_back(rating=moved, by=clinic.olga)
        misfiling_actions.take_up_misfiled(aside=arrived, by=clinic.olga)
        assert (standing(right), beside(right).earlier, together.entries(right.episode)) == (None, [], [])
        assert [one.comment for one in beside(session).to_settle] == [SENTENCE]
        assert is_concluded()

    def test_what_cannot_be_read_is_set_aside_and_never_moved(self, clinic, session, right):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        fields = {"answers": {}, "language": "en", "mode": Mode.LINE, "sha256": "x", "reason": "invalid"}
        arrived = SetAsideRating.objects.create(grant=grant, session=session, raw="{", **fields)
        with pytest.raises(Refused, match="cannot be read"):
            self.misfile(arrived, clinic.olga, to=right)
        self.misfile(arrived, clinic.olga)
        assert [one.raw for one in beside(session).settled] == [""]


def test_the_database_lets_a_row_without_marks_hold_none(clinic, wrong):
    left = aside(wrong, clinic.olga).left
    for change in ({"comment": "x"}, {"total": 300}, {"replaces": None}):
        row = Rating.objects.get(pk=left.pk)
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        row.pk, row.code, row.grant, row.session = None, grant.code, grant, grant.session
        row.replaces = cast.rating(cast.therapy_session(clinic.olgas))
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError, match="rating_taken_out"), transaction.atomic():
            row.save(force_insert=True)


def test_marks_are_misfiled_once_at_a_time(clinic, wrong):
    aside(wrong, clinic.olga)
    with pytest.raises(IntegrityError), transaction.atomic():
        Misfiling.objects.create(rating=wrong, why="x", set_aside_by=clinic.olga)
