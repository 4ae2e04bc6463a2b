"""What follows from a decision about marks: flags of later sessions, every figure, and the words on the page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.measurement.process import Share
from sessions_app.corrections import actions as decide
from sessions_app.corrections import set_aside
from sessions_app.courses.models import Mode, Rating, SetAsideRating, TherapySession
from sessions_app.dashboards import caseload, work_list
from sessions_app.flags import course, discussion_actions, process_measures
from sessions_app.flags.conclude import conclude
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import arrive, disputed, rules, use, withdrawn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]


@pytest.fixture
def session(clinic):
    return cast.therapy_session(clinic.olgas)


def measures(person):
    return process_measures.read([person], timezone.now())[person.pk]


class TestFlagsOfLaterSessions:
    @pytest.fixture
    def course_of_three(self, clinic):
        """40, nothing yet, 36: the third looks like a sudden fall, and somebody talked about it."""
        first, second, third = (
            cast.therapy_session(clinic.olgas, ago=timedelta(weeks=weeks)) for weeks in (2, 1, 0)
        )
        aside = withdrawn(second, 370)
        cast.rating(first, 400)
        cast.rating(third, 360)
        assert rules(third) == ["C"]
        talk = discussion_actions.discuss(
            flags=third.flags.all(), said="It was me.", agreed="", by=clinic.olga
        )
        return aside, third, talk

    def test_what_no_longer_holds_is_withdrawn_and_its_conversation_survives(self, course_of_three):
        aside, third, talk = course_of_three
        flag = third.flags.get(rule="C")
        use(aside)
        flag.refresh_from_db()
        assert flag.withdrawn_at is not None
        assert list(talk.flags.all()) == [flag]
        assert (talk.withdrawn_at, talk.said) == (None, "It was me.")

    def test_what_still_holds_stays_discussed_with_what_it_says_now(self, course_of_three):
        aside, third, _ = course_of_three
        flag = third.flags.get(rule="C")
        use(arrive(aside.grant, 400))  # 40 in between: the fall is still 4
        flag.refresh_from_db()
        assert flag.withdrawn_at is None
        assert list(answered.discussed().filter(session=third)) == [flag]
        assert not answered.calling().filter(session=third).exists()

    def test_what_newly_holds_is_raised(self, clinic):
        first, second = cast.rated_course(clinic.olgas, [365, 365])
        assert rules(second) == []
        use(disputed(first, 400))
        conclude(episode=clinic.olgas)
        assert rules(second) == []  # 3.5 lower: not yet a sudden fall
        use(disputed(second, 360))
        assert rules(second) == ["C"]

    def test_a_flag_that_comes_and_goes_is_always_the_same_row(self, clinic, course_of_three):
        aside, third, talk = course_of_three
        flag = third.flags.get(rule="C")
        use(aside)
        rating = Rating.objects.get(session=aside.session)
        lower = use(arrive(rating.grant, 400))
        assert list(answered.discussed().filter(session=third)) == [flag]
        decide.put_back(rating=lower, by=clinic.olga)
        flag.refresh_from_db()
        assert flag.withdrawn_at is not None
        assert list(talk.flags.all()) == [flag]


class TestEveryReaderCountsWhatStands:
    """One correction, and every figure of every page follows."""

    @pytest.fixture
    def corrected(self, clinic):
        sessions = cast.rated_course(clinic.olgas, [380, 380], last_ago=timedelta(days=3))
        return use(disputed(sessions[-1], 330))

    def test_course_and_chart(self, clinic, corrected):
        read = course.read(clinic.olgas, timezone.now())
        assert [one.rating.total for one in read] == [380, 330]

    def test_lists(self, clinic, corrected):
        assert EpisodeStanding.objects.get(episode=clinic.olgas).course["points"] == [380, 330]
        (row,) = work_list.build(clinic.olga, timezone.now()).talks
        assert row.says.now == "33.0"
        shown = caseload.read(clinic.sina, timezone.now())
        assert [one.last_total for one in shown.needs_a_talk] == ["33.0"]

    def test_process_counts_a_session_once_and_as_what_stands(self, clinic, corrected):
        assert measures(clinic.olga).rated == Share(2, 2)
        partial = arrive(corrected.grant, 330, goals=None)
        use(partial)
        assert measures(clinic.olga).rated == Share(1, 2)
        assert list(TherapySession.objects.unrated()) == [partial.session]


class TestInWords:
    def of(self, aside, **options):
        stands = Rating.objects.last_of(aside.session)
        return set_aside.shown(aside, stands, reads_comments=True, **options)

    @pytest.mark.parametrize(
        ("lines", "comment", "words"),
        [
            ({"goals": 60}, "", "Goals and topics: 9.5 stands, 6.0 arrived later."),
            ({"goals": None}, "", "Goals and topics: 9.5 stands, no answer arrived later."),
            (
                {"goals": 60, "overall": 0},
                "x",
                "Goals and topics: 9.5 stands, 6.0 arrived later; overall: 9.5 stands, 0.0 arrived later; "
                "the client's sentence differs.",
            ),
            ({}, "x", "The client's sentence differs."),
        ],
    )
    def test_names_what_differs(self, session, lines, comment, words):
        assert self.of(disputed(session, 380, comment=comment, **lines)).difference == words

    def test_another_promise_about_the_sentence_is_named(self, clinic, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        same = {"grant": grant, "answers": cast.answers(380), "mode": Mode.LINE, "comment": "x"}
        record_rating(**same)
        with pytest.raises(NotStored):
            record_rating(**same, share_comment=True)
        assert "Who may read" in self.of(SetAsideRating.objects.get()).difference

    def test_marks_that_came_first_are_said_to_be_earlier(self, session):
        aside = withdrawn(session, 330)
        cast.rating(session, 380)
        assert "arrived earlier" in self.of(aside).difference
        assert "later" not in self.of(aside).difference

    def test_the_same_marks_are_said_to_be_the_same(self, session):
        aside = withdrawn(session, 380)
        cast.rating(session, 380)
        assert self.of(aside).difference == "All lines are the same."

    def test_beside_marks_that_were_taken_out_nothing_stands_but_it_is_known_what_was_seen(
        self, clinic, session
    ):
        aside = withdrawn(session, 330)
        nothing = decide.put_back(rating=use(aside), by=clinic.olga)
        one = self.of(aside)
        assert (one.stands, one.difference, one.can_be_used) == (None, "", True)
        assert Rating.objects.last_of(session) == nothing

    def test_a_sentence_without_marks_stands_too(self, clinic, session):
        aside = withdrawn(session, 330)
        rating = cast.rating(session, None, comment="I do not want to say.")
        assert self.of(aside).stands == rating

    def test_each_reason_has_its_words(self, clinic, session):
        assert set(set_aside.WHY) == set(set_aside.ADVICE) >= set(SetAsideRating.Reason.values)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.decline(grant=grant)
        assert self.of(arrive(grant, 380)).why == set_aside.DECLINED

    def test_what_cannot_be_read_is_shown_as_it_came_and_cannot_be_used(self, clinic, session):
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        aside = SetAsideRating(grant=grant, session=session, reason="invalid", answers={}, mode=Mode.LINE)
        aside.raw, aside.claimed_at = "{5", timezone.now()
        one = self.of(aside)
        assert (one.raw, one.claimed_at, one.can_be_used, one.marks) == ("{5", aside.claimed_at, False, "")
        assert "could not be read" in one.why
