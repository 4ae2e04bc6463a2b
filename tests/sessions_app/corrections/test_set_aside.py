"""Marks that do not count, and mistyped ones: a decision adds a row and changes what follows, and loses nothing."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from alliance.measurement.scoring import AnswerError
from alliance.models import AuditEvent
from alliance.refused import Refused
from sessions_app.corrections import actions as decide
from sessions_app.courses.decisions import Correction, Settlement
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app.corrections.marks import arrive, disputed, rules, use, withdrawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


class TestUse:
    def test_without_a_rating_the_marks_become_it_through_their_own_grant(self, clinic, session):
        aside = withdrawn(session, 345)
        rating = use(aside)
        assert (rating.total, rating.replaces, rating.grant) == (345, None, aside.grant)
        assert (rating.mode, rating.received_at, rating.sha256) == (
            aside.mode,
            aside.received_at,
            aside.sha256,
        )
        assert rules(session) == ["A"]
        settlement = Settlement.objects.get()
        assert (settlement.outcome, settlement.rating, settlement.settled_by) == ("used", rating, clinic.olga)
        assert RatingGrant.objects.count() == 1

    def test_where_one_stands_it_is_replaced_and_stays_readable(self, clinic, session):
        aside = disputed(session, 330, comment="Now it is right.")
        first = Rating.objects.get()
        rating = use(aside, why="She pressed too early.")
        assert (rating.total, rating.replaces, rating.comment) == (330, first, "Now it is right.")
        assert list(Rating.objects.standing()) == [rating]
        assert Rating.objects.get(pk=first.pk).total == 380
        assert (rating.correction.why, rating.correction.corrected_by) == (
            "She pressed too early.",
            clinic.olga,
        )

    def test_a_further_grant_is_of_the_same_way_and_opens_nothing(self, clinic, session):
        phone = cast.link(session, by=clinic.olga).grant
        record_rating(grant=phone, answers=cast.answers(380), mode=Mode.LINE)
        rating = use(arrive(phone, 330))
        assert (rating.grant.channel, rating.grant.made_by) == (Channel.PHONE, clinic.olga)
        assert rating.grant != phone
        assert not rating.grant.is_open(timezone.now())
        assert not RatingGrant.objects.awaiting(timezone.now()).exists()

    def test_late_marks_take_their_place_in_the_course(self, clinic, session, time_machine):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        time_machine.move_to(grant.accept_until, tick=False)
        aside = arrive(grant, 330)
        assert aside.reason == "late"
        assert use(aside).session == session
        assert rules(session) == ["A"]

    def test_a_session_with_marks_took_place(self, clinic, session):
        aside = withdrawn(session)
        TherapySession.objects.update(attendance="cancelled")
        use(aside)
        assert TherapySession.objects.get().attendance == "attended"

    def test_the_same_marks_sent_once_more_are_the_rating_and_others_are_kept_aside(self, session):
        aside = withdrawn(session, 345)
        rating = use(aside)
        again = record_rating(grant=aside.grant, answers=cast.answers(345), mode=Mode.LINE)
        assert again == rating
        assert arrive(aside.grant, 200) != aside
        assert Rating.objects.get() == rating

    def test_a_closed_episode_takes_them_too(self, clinic, session):
        aside = withdrawn(session)
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), "planned"
        clinic.olgas.save()
        assert use(aside).total == 330

    @pytest.mark.parametrize("seen", ["nothing", "another"])
    def test_is_refused_where_something_else_stands_than_was_seen(self, clinic, session, seen):
        aside = disputed(session)
        other = cast.rating(cast.therapy_session(clinic.olgas), 400)
        with pytest.raises(Refused, match="Look at both again"):
            use(aside, seen=None if seen == "nothing" else other.code)
        assert not Settlement.objects.exists()

    def test_is_refused_when_a_rating_arrived_meanwhile(self, clinic, session):
        aside = withdrawn(session)
        cast.rating(session, 400)
        with pytest.raises(Refused, match="Look at both again"):
            use(aside, seen=None)
        assert Rating.objects.get().total == 400

    def test_twice_is_refused(self, session):
        aside = disputed(session)
        use(aside)
        with pytest.raises(Refused, match="decided about these marks already"):
            use(aside)
        assert Rating.objects.count() == 2

    def test_what_nobody_can_read_cannot_count(self, clinic, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        aside = SetAsideRating.objects.create(
            grant=grant,
            session=session,
            reason="invalid",
            answers={},
            language="en",
            mode=Mode.LINE,
            sha256="x",
        )
        with pytest.raises(Refused, match="cannot be read"):
            use(aside)
        assert not Rating.objects.exists()

    def test_an_error_of_ours_leaves_nothing_half_done(self, session, monkeypatch):
        def fails(**options):
            raise RuntimeError("a bug")

        aside = disputed(session)
        monkeypatch.setattr(decide, "conclude", fails)
        with pytest.raises(RuntimeError):
            use(aside)
        assert (Rating.objects.count(), Settlement.objects.count(), RatingGrant.objects.count()) == (1, 0, 1)


class TestLeave:
    def test_is_settled_and_can_be_taken_up_again(self, clinic, session):
        aside = disputed(session)
        decide.leave(aside=aside, why="A slip of the finger.", by=clinic.olga)
        assert not SetAsideRating.objects.to_settle().exists()
        decide.take_up_again(aside=aside, by=clinic.olga)
        assert list(SetAsideRating.objects.to_settle()) == [aside]
        kept = Settlement.objects.get()
        assert (kept.why, kept.undone_by) == ("A slip of the finger.", clinic.olga)
        assert use(aside).total == 330

    def test_what_is_not_left_aside_is_not_taken_up(self, clinic, session):
        aside = disputed(session)
        for _ in ("never settled", "used"):
            with pytest.raises(Refused, match="not left aside"):
                decide.take_up_again(aside=aside, by=clinic.olga)
            if not Settlement.objects.exists():
                use(aside)
        assert not SetAsideRating.objects.to_settle().exists()

    def test_used_marks_are_not_left(self, clinic, session):
        aside = disputed(session)
        use(aside)
        with pytest.raises(Refused, match="already"):
            decide.leave(aside=aside, by=clinic.olga)


class TestCorrect:
    @pytest.fixture
    def paper(self, clinic, session):
        answers = cast.answers(380, goals=28)
        return enter_rating(
            session=session, answers=answers, channel=Channel.PAPER, comment="as before", by=clinic.olga
        )

    def corrected(self, paper, by, **options):
        options = {"answers": cast.answers(380), "channel": Channel.PAPER, "why": "28 for 82", **options}
        return decide.correct(rating=paper, by=by, **options)

    def test_adds_a_row_that_counts_and_keeps_the_other(self, clinic, paper):
        assert rules(paper.session) == ["A"]
        new = self.corrected(paper, clinic.olga, channel=Channel.VERBAL, comment="as before")
        assert (new.total, new.replaces, new.mode, new.grant.channel) == (380, paper, "verbal", "verbal")
        assert (new.correction.why, new.correction.corrected_by) == ("28 for 82", clinic.olga)
        assert Rating.objects.get(pk=paper.pk).answers["goals"] == 28
        assert rules(paper.session) == []

    @pytest.mark.parametrize("mode", [Mode.LINE, Mode.NUMBER])
    def test_what_a_client_made_on_a_device_is_theirs(self, clinic, session, mode):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        rating = record_rating(grant=grant, answers=cast.answers(380), mode=mode)
        with pytest.raises(Refused, match="The client made these marks"):
            self.corrected(rating, clinic.olga)
        assert Rating.objects.get() == rating

    def test_what_was_corrected_meanwhile_is_not_corrected_again(self, clinic, paper):
        self.corrected(paper, clinic.olga)
        with pytest.raises(Refused, match="Look at both again"):
            self.corrected(paper, clinic.olga, answers=cast.answers(200))
        assert Rating.objects.standing().get().total == 380

    def test_a_correction_is_corrected_in_its_turn(self, clinic, paper):
        new = self.corrected(paper, clinic.olga)
        last = self.corrected(new, clinic.olga, answers=cast.answers(390))
        assert Rating.objects.standing().get() == last
        assert Rating.objects.count() == 3

    @pytest.mark.parametrize("wrong", [-1, 101, 5.5, True])
    def test_an_answer_outside_its_range_changes_nothing(self, clinic, paper, wrong):
        with pytest.raises(AnswerError):
            self.corrected(paper, clinic.olga, answers=cast.answers(380, goals=wrong))
        assert Rating.objects.get() == paper

    def test_put_back_is_its_undo(self, clinic, paper):
        new = self.corrected(paper, clinic.olga)
        again = decide.put_back(rating=new, by=clinic.olga)
        assert (again.answers, again.comment, again.mode) == (paper.answers, "as before", "paper")
        assert Rating.objects.standing().get() == again
        with pytest.raises(Refused, match="Look at both again"):
            decide.put_back(rating=new, by=clinic.olga)


class TestPutBack:
    def test_marks_that_were_used_wait_again(self, clinic, session):
        aside = disputed(session, 330)
        again = decide.put_back(rating=use(aside), by=clinic.olga)
        assert again.total == 380
        assert list(SetAsideRating.objects.to_settle()) == [aside]
        assert Settlement.objects.get().undone_by == clinic.olga
        assert use(aside).total == 330

    def test_marks_that_replaced_none_are_taken_out_and_the_session_has_none(self, clinic, session):
        aside = withdrawn(session, 330)
        used = use(aside)
        assert rules(session) == ["A"]
        nothing = decide.put_back(rating=used, by=clinic.olga)
        assert (nothing.answers, nothing.total) == (dict.fromkeys(cast.ITEMS), None)
        assert (nothing.replaces, nothing.correction.corrected_by) == (used, clinic.olga)
        assert list(SetAsideRating.objects.to_settle()) == [aside]
        assert rules(session) == []
        assert list(TherapySession.objects.unrated()) == [session]
        assert use(aside).total == 330

    def test_what_was_taken_out_can_be_entered_from_paper_instead(self, clinic, session):
        nothing = decide.put_back(rating=use(withdrawn(session, 330)), by=clinic.olga)
        right = {"answers": cast.answers(390), "channel": Channel.VERBAL}
        assert enter_rating(session=session, by=clinic.olga, **right).total == 390
        with pytest.raises(Refused):
            decide.correct(rating=nothing, by=clinic.olga, why="He told me.", **right)

    def test_marks_from_the_tablet_of_a_room_are_taken_out_too(self, clinic, session):
        tablet = PairedTablet.objects.create(
            name="Room 3",
            key_hash="k",
            pairing_until=timezone.now(),
            paired_at=timezone.now(),
            paired_by=clinic.olga,
        )
        grant = cast.sent(session, tablet=tablet, by=clinic.olga)
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        used = use(arrive(grant, 330))
        assert decide.put_back(rating=used, by=clinic.olga).grant.paired_tablet is None
        again = use(SetAsideRating.objects.get())
        assert (again.grant.channel, again.grant.paired_tablet) == (Channel.PAIRED, tablet)

    def test_a_rating_that_came_as_ratings_come_is_not_taken_out(self, clinic, session):
        with pytest.raises(Refused, match="No earlier marks"):
            decide.put_back(rating=cast.rating(session), by=clinic.olga)
        assert Rating.objects.count() == 1


class TestTheLog:
    def test_tells_each_decision_with_who_and_without_a_value(self, clinic, session):
        aside = disputed(session, 330)
        decide.leave(aside=aside, why="canary", by=clinic.olga)
        decide.take_up_again(aside=aside, by=clinic.olga)
        decide.put_back(rating=use(aside, why="canary"), by=clinic.olga)
        paper = enter_rating(
            session=cast.therapy_session(clinic.olgas),
            answers=cast.answers(287),
            channel=Channel.PAPER,
            by=clinic.olga,
        )
        decide.correct(
            rating=paper, answers=cast.answers(278), channel=Channel.PAPER, why="canary", by=clinic.olga
        )
        alone = withdrawn(cast.therapy_session(clinic.olgas))
        decide.put_back(rating=use(alone), by=clinic.olga)
        told = AuditEvent.objects.filter(actor=clinic.olga.pk, client=clinic.olgas.client_code)
        decisions = [event for event in told.order_by("pk") if event.action not in {"handed over", "rated"}]
        assert [event.action for event in decisions] == [
            "set-aside marks left",
            "set-aside marks taken up",
            "set-aside marks used",
            "earlier marks used again",
            "rating corrected",
            "hand-over taken back",
            "set-aside marks used",
            "set-aside marks taken out",
        ]
        assert {str(event.detail) for event in decisions} == {"{}"}


class TestTheDatabaseItself:
    def test_marks_that_were_set_aside_never_change_whatever_is_decided(self, session):
        aside = disputed(session)
        before = SetAsideRating.objects.values().get()
        for change in (lambda: SetAsideRating.objects.update(comment="x"), aside.delete):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()
        use(aside)
        assert SetAsideRating.objects.values().get() == before

    def test_a_correction_never_changes(self, session):
        use(disputed(session))
        for change in (lambda: Correction.objects.update(why="x"), Correction.objects.all().delete):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"undone_at": timezone.now()},
            {"outcome": "left"},
            {"rating": None},
        ],
        ids=["undone without by whom", "left with a rating", "used without a rating"],
    )
    def test_a_settlement_is_whole(self, session, wrong):
        use(disputed(session))
        with pytest.raises(IntegrityError), transaction.atomic():
            Settlement.objects.update(**wrong)

    def test_two_decisions_never_stand_at_once(self, clinic, session):
        aside = disputed(session)
        decide.leave(aside=aside, by=clinic.olga)
        with pytest.raises(IntegrityError), transaction.atomic():
            Settlement.objects.create(set_aside=aside, outcome="left", settled_by=clinic.olga)
