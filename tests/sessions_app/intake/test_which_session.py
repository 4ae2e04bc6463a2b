"""Several sessions on one day: hand-over, link, room and paper ask which one is meant."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.dashboards import client_page
from sessions_app.intake import hand_over_actions, sending_actions, session_actions, which_session
from tests import cast
from tests.sessions_app.intake.pairing import paired
from tests.sessions_app.questionnaires.answering import given

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
FOUR = {"relationship": "8", "goals": "7", "approach": "9", "overall": "8", "channel": "paper"}


@pytest.fixture
def morning(time_machine):
    """10:52 on a Monday."""
    moment = timezone.make_aware(datetime(2026, 3, 9, 10, 52))
    time_machine.move_to(moment, tick=False)
    return moment


def session_at(episode, text, **fields):
    hours, minutes = map(int, text.split(":"))
    held_at = timezone.localtime().replace(hour=hours, minute=minutes, second=0, microsecond=0)
    return cast.therapy_session(episode, held_at=held_at, **fields)


def planned(episode, text):
    return session_at(episode, text, attendance="planned")


def at(name, row):
    return reverse(f"dashboard:{name}", args=[row.code])


def declined(session, by):
    grant, _ = hand_over_actions.hand_over(session=session, by=by)
    hand_over_actions.decline(grant=grant)
    return session


@pytest.fixture
def hand_over(clinic, sign_in):
    """Olga hands over for K-1; the session for which she did."""

    def press(**data):
        answer = sign_in(clinic.olga).post(at("hand_over", clinic.olgas), data)
        assert answer.status_code == 303
        return RatingGrant.objects.latest("pk").session

    return press


@pytest.fixture
def asked(clinic, sign_in):
    """The page of the hand-over: its choice and its text."""

    def look(**query):
        page = sign_in(clinic.olga).get(at("hand_over", clinic.olgas), query)
        return page.context["choice"], page.text

    return look


class TestTheChoice:
    def test_an_unplanned_session_before_a_planned_one_is_not_stored_for_the_planned_one(
        self, clinic, hand_over, asked
    ):
        """Nobody entered the unplanned one."""
        evening = planned(clinic.olgas, "17:00")
        choice, text = asked()
        assert (choice.chosen, choice.candidates, choice.number) == (None, [], 1)
        assert "is still to come" in text
        assert hand_over() != evening
        evening.refresh_from_db()
        assert (evening.attendance, evening.number) == ("planned", 2)

    def test_the_unplanned_session_that_just_ended_is_meant_and_not_the_one_at_five(self, clinic, hand_over):
        evening, unplanned = planned(clinic.olgas, "17:00"), session_at(clinic.olgas, "10:00")
        assert hand_over() == unplanned
        assert not evening.grants.exists()

    def test_after_a_declined_first_session_the_second_is_recorded(self, clinic, hand_over, asked):
        first = declined(session_at(clinic.olgas, "09:00"), clinic.olga)
        choice, _ = asked()
        assert [one.session for one in choice.not_offered] == [first]
        second = hand_over()
        assert (second, second.number) != (first, 1)
        assert TherapySession.objects.count() == 2

    def test_of_two_that_ended_the_later_one_is_chosen_and_the_other_is_offered(
        self, clinic, asked, hand_over
    ):
        first, second = session_at(clinic.olgas, "08:00"), session_at(clinic.olgas, "10:00")
        choice, text = asked()
        assert choice.chosen == second
        assert [one.session for one in choice.candidates] == [second, first]
        for words in ("K-1", "Session 2", "today, 10:00 to 10:50", "Session 3", "a new one, now"):
            assert words in text
        assert hand_over(session=str(first.code)) == first

    def test_a_new_one_ends_now_and_begins_after_the_one_before(self, clinic, hand_over):
        session_at(clinic.olgas, "10:00")
        new = hand_over(session="new")
        assert (new.number, new.attendance) == (2, "attended")
        assert (f"{timezone.localtime(new.held_at):%H:%M}", new.ends_at) == ("10:50", timezone.now())

    def test_a_planned_and_a_new_session_are_not_offered_with_the_same_number(self, clinic, asked, hand_over):
        """Both were "Session 2": the new one comes before, and takes the number of the planned one."""
        session_at(clinic.olgas, "08:00")
        soon = planned(clinic.olgas, "11:05")
        choice, text = asked()
        assert (soon in [one.session for one in choice.candidates], soon.number, choice.number) == (
            True,
            2,
            2,
        )
        words = " ".join(text.split())
        assert words.count("<strong>Session 2</strong>") == 1
        assert "<strong>A new session</strong>, now (10:52): it becomes session 2" in words
        assert hand_over(session="new").number == 2
        soon.refresh_from_db()
        assert soon.number == 3

    def test_one_planned_that_is_on_is_meant_and_takes_place(self, clinic, hand_over, asked):
        on = planned(clinic.olgas, "10:30")
        assert "on now" in asked()[1]
        assert hand_over() == on
        on.refresh_from_db()
        assert on.attendance == "attended"

    def test_cancelled_rated_and_voided_ones_are_not_offered(self, clinic, asked):
        cast.rating(session_at(clinic.olgas, "07:00"))
        session_at(clinic.olgas, "08:00", attendance="cancelled")
        voided = session_at(clinic.olgas, "09:00")
        session_actions.void_session(session=voided, why="x", by=clinic.olga)
        choice, _ = asked()
        assert (choice.candidates, choice.chosen) == ([], None)

    def test_one_that_began_before_midnight_is_the_one_that_is_on(self, clinic, hand_over, time_machine):
        late = session_at(clinic.olgas, "23:30")
        time_machine.move_to(timezone.localtime().replace(hour=0, minute=10) + DAY, tick=False)
        assert hand_over() == late

    def test_a_form_that_is_out_is_told_at_its_session(self, clinic, asked):
        session = session_at(clinic.olgas, "10:00")
        hand_over_actions.hand_over(session=session, by=clinic.olga)
        assert "A form for this session is out already" in asked()[1]

    def test_who_is_seen_now_by_the_plan_is_told_before_a_form_goes_to_another(self, clinic, asked):
        other = cast.episode(clinic.olga, "K-9")
        planned(other, "10:30")
        assert "you are seeing K-9 now" in asked()[1]
        planned(clinic.olgas, "10:30")
        assert "you are seeing" not in asked()[1]

    def test_one_that_begins_in_some_minutes_says_so(self, clinic, asked):
        soon = planned(clinic.olgas, "10:57")
        assert which_session.when(soon, timezone.now()) == "today, 10:57 to 11:47, about to begin"
        assert "10:57 to 11:47, about to begin" in asked()[1]


class TestNamedAllTheSame:
    @pytest.mark.parametrize("way", ["hand_over", "make_link", "send", "enter_rating"])
    def test_no_way_of_asking_takes_a_session_still_to_come(self, clinic, sign_in, way):
        evening, room = planned(clinic.olgas, "17:00"), paired(clinic)
        data = {"session": str(evening.code), "tablet": str(room.row.code), **FOUR}
        of = evening if way == "enter_rating" else clinic.olgas
        answer = sign_in(clinic.olga).post(at(way, of), data)
        assert answer.status_code in {409, 422}
        assert "still to come: it begins on 9 March, 17:00" in answer.text
        evening.refresh_from_db()
        assert (evening.attendance, RatingGrant.objects.count(), Rating.objects.count()) == ("planned", 0, 0)

    def test_one_still_to_come_is_not_chosen_where_an_old_page_names_it(self, clinic, asked):
        evening = planned(clinic.olgas, "17:00")
        choice, _ = asked(session=str(evening.code))
        assert (choice.chosen, choice.candidates) == (None, [])

    def test_who_declined_is_asked_again_only_where_the_session_is_named(self, clinic, asked, hand_over):
        first = declined(session_at(clinic.olgas, "10:00"), clinic.olga)
        assert f"?session={first.code}" in asked()[1]
        choice, text = asked(session=str(first.code))
        assert choice.chosen == first
        assert "The client chose not to rate this session" in text
        assert hand_over(session=str(first.code)) == first

    def test_every_way_asks_for_the_session_that_is_chosen(self, clinic, sign_in):
        first, second = session_at(clinic.olgas, "08:00"), session_at(clinic.olgas, "10:00")
        room, olga = paired(clinic), sign_in(clinic.olga)
        chosen = {"session": str(first.code), "tablet": str(room.row.code)}
        olga.post(at("make_link", clinic.olgas), chosen)
        olga.post(at("send", clinic.olgas), chosen)
        assert {grant.session for grant in RatingGrant.objects.all()} == {first}
        paper = olga.post(at("on_paper", clinic.olgas), chosen)
        assert paper.url == at("enter_rating", first)
        assert not second.grants.exists()

    def test_a_paper_rating_of_a_session_that_nobody_entered_makes_both_or_neither(self, clinic, sign_in):
        olga = sign_in(clinic.olga)
        page = olga.post(at("on_paper", clinic.olgas), {"session": "new"}, follow=True)
        assert "a new session, now" in page.text
        assert not TherapySession.objects.exists()
        wrong = olga.post(at("enter_new_rating", clinic.olgas), {**FOUR, "goals": "11"})
        assert (wrong.status_code, TherapySession.objects.count()) == (422, 0)
        olga.post(at("enter_new_rating", clinic.olgas), FOUR)
        assert (Rating.objects.get().total, TherapySession.objects.get().attendance) == (320, "attended")


class TestBeforeTheOpeningDay:
    @pytest.mark.parametrize("way", ["hand_over", "make_link", "send", "enter_new_rating"])
    def test_a_hand_over_in_an_episode_opened_on_a_day_to_come_is_refused(self, clinic, sign_in, way):
        later = cast.episode(clinic.olga, "K-9", opened_on=timezone.localdate() + 3 * DAY)
        room = paired(clinic)
        answer = sign_in(clinic.olga).post(at(way, later), {"tablet": str(room.row.code), **FOUR})
        assert answer.status_code in {409, 422}
        assert "opens on 12 March, a day to come" in answer.text
        assert (TherapySession.objects.count(), RatingGrant.objects.count()) == (0, 0)

    def test_the_page_says_so_and_offers_nothing_that_would_fail(self, clinic, sign_in):
        later = cast.episode(clinic.olga, "K-9", opened_on=timezone.localdate() + 3 * DAY)
        page = sign_in(clinic.olga).get(at("hand_over", later))
        assert "opens on 12 March, a day to come" in page.text
        assert "<button>Hand over</button>" not in page.text
        later.opened_on = timezone.localdate()
        later.save()
        assert "<button>Hand over</button>" in sign_in(clinic.olga).get(at("hand_over", later)).text


class TestNotRated:
    @pytest.fixture
    def seen(self, clinic, sign_in):
        def look(ago):
            session = cast.therapy_session(clinic.olgas, ago=ago + 50 * MINUTE)
            page = sign_in(clinic.olga).get(at("client", clinic.olgas))
            (row,) = page.context["page"].rows
            offers = [at(way, of) in page.text for way, of in (("enter_rating", session),)]
            hands_over = f"{at('hand_over', clinic.olgas)}?session={session.code}" in page.text
            return session, row.state, hands_over, *offers

        return look

    def test_a_session_three_months_ago_is_not_overdue_for_ever(self, clinic, seen, sign_in):
        clinic.olgas.opened_on = timezone.localdate() - 200 * DAY
        clinic.olgas.save()
        session, *said = seen(90 * DAY)
        assert said == ["not_rated", False, True]
        answer = sign_in(clinic.olga).post(at("hand_over", clinic.olgas), {"session": str(session.code)})
        assert (answer.status_code, "more than seven days ago" in answer.text) == (409, True)
        sign_in(clinic.olga).post(at("enter_rating", session), FOUR)
        assert Rating.objects.get().session == session

    @pytest.mark.parametrize(
        ("ago", "state", "hands_over"),
        [(DAY, "overdue", True), (7 * DAY - MINUTE, "overdue", True), (7 * DAY, "not_rated", False)],
    )
    def test_until_seven_days_are_over_it_is(self, seen, ago, state, hands_over):
        assert seen(ago)[1:] == (state, hands_over, True)

    def test_marks_that_may_still_come_are_waited_for(self, clinic, seen, time_machine):
        session, *_ = seen(6 * DAY)
        hand_over_actions.hand_over_now(episode=clinic.olgas, session=session, by=clinic.olga)
        time_machine.shift(2 * DAY)
        assert [row.state for row in _rows(clinic)] == ["overdue"]
        time_machine.shift(6 * DAY)
        assert [row.state for row in _rows(clinic)] == ["not_rated"]

    def test_the_kept_page_follows_the_clock(self, clinic, seen, sign_in, time_machine):
        seen(7 * DAY - MINUTE)
        time_machine.shift(MINUTE)
        assert "Not rated" in sign_in(clinic.olga).get(at("client", clinic.olgas)).text

    def test_a_link_for_it_is_refused_too(self, clinic, seen):
        session, *_ = seen(8 * DAY)
        with pytest.raises(Refused, match="more than seven days"):
            sending_actions.make_link(episode=clinic.olgas, session=session, by=clinic.olga)


def _rows(clinic):
    return client_page.build(clinic.olgas, clinic.olga, timezone.now()).rows


class TestTheWorkList:
    @pytest.fixture
    def line(self, clinic, sign_in):
        def look():
            page = sign_in(clinic.olga).get(reverse("dashboard:work_list"))
            (found,) = page.context["lists"].today
            return found.state, f"?session={found.session.code}" in page.text

        return look

    @pytest.mark.parametrize(
        ("begins", "said"),
        [("17:00", ("today", False)), ("11:05", ("on_now", True)), ("11:08", ("today", False))],
    )
    def test_one_to_come_is_not_handed_over_and_one_that_is_on_is(self, clinic, line, begins, said):
        planned(clinic.olgas, begins)
        assert line() == said

    @pytest.mark.parametrize(("begins", "state"), [("11:50", "on_now"), ("12:30", "today")])
    def test_a_session_begun_early_with_a_form_is_not_said_to_be_later_today(
        self, clinic, line, begins, state
    ):
        """A questionnaire leaves it planned. One given longer before may have been about something else."""
        session = planned(clinic.olgas, begins)
        assert line()[0] == "today"
        given(session, "life-lines")
        assert line() == (state, state == "on_now")
        (row,) = _rows(clinic)
        assert row.state == state

    def test_one_declined_is_not_handed_over_by_a_press_too_many(self, clinic, line):
        declined(session_at(clinic.olgas, "10:00"), clinic.olga)
        assert line() == ("declined", False)
