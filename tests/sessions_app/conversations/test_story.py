"""A rupture and its repair as the pages tell it: the story, the chart, the table, and chance beside it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.process import Share
from alliance.measurement.repairs import RepairState, returned
from clients.models import Ending
from sessions_app.conversations import follow_up_actions, repairs
from sessions_app.conversations.story import Kind
from sessions_app.dashboards import charts, client_page, course_picture
from sessions_app.flags import chance_returns, course, discussion_actions, process_measures
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.dashboards.test_charts import INSTRUMENT

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)
CHANCE = "of 100 low points of stable clients, 87 are back once within three ratings by chance alone, and 70 recover"


@pytest.fixture
def today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic(today, db):
    return cast.clinic()


def weekly(episode, *totals, last=NOW, **lines):
    """One rated session a week up to `last`; `lines` are those of the last one."""
    rows = cast.rated_course(episode, list(totals[:-1]), last_ago=NOW - last + WEEK)
    rows.append(cast.therapy_session(episode, ago=NOW - last + HOUR))
    cast.rating(rows[-1], totals[-1], **lines)
    return rows


def talk(session, at, *, by, said="We talk too little about my job.", agreed="Start with work."):
    discussion = discussion_actions.discuss(flags=session.flags.all(), said=said, agreed=agreed, by=by)
    Discussion.objects.filter(pk=discussion.pk).update(discussed_at=at)
    discussion.refresh_from_db()
    return discussion


def story(clinic, viewer=None):
    return client_page.build(clinic.olgas, viewer or clinic.olga, timezone.now()).story


def told(chapter):
    return [(one.day, one.text or one.discussion.said) for one in chapter.moments]


@pytest.fixture
def repaired(clinic):
    """A fall on one line three weeks ago, a talk at the start of the next session, and the way back."""
    *_, low = weekly(
        clinic.olgas, 380, 384, None, relationship=90, goals=50, approach=90, overall=91, last=NOW - 3 * WEEK
    )
    discussion = talk(low, NOW - 2 * WEEK - HOUR, by=clinic.olga)
    for ago, total in ((2 * WEEK - HOUR, 351), (WEEK, 379), (timedelta(), 383)):
        cast.rating(cast.therapy_session(clinic.olgas, ago=ago + HOUR), total)
    follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga)
    return low


class TestTheStory:
    def test_is_told_from_the_fall_to_the_way_back(self, clinic, repaired):
        (chapter,) = story(clinic)
        assert (chapter.headline, chapter.word, chapter.outcome) == ("Sessions 3 to 6", "Recovered", "")
        assert told(chapter) == [
            ("29 Apr", "Session 3: 32.1 after 38.4; largest fall: goals and topics."),
            ("6 May", "We talk too little about my job."),
            ("6 May", "Session 4: 35.1, the first rating after the talk."),
            ("13 May", "Session 5: 37.9, back once near the earlier level (37.2 or higher)."),
            (
                "20 May",
                "Session 6: 38.3, the second rating in a row near the earlier level (37.2 or higher).",
            ),
            ("20 May", "Did it help? It helped."),
        ]

    def test_the_page_says_all_of_it_and_chance_once(self, clinic, repaired, sign_in):
        text = sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        for words in (
            "32.1 after 38.4; largest fall: goals and topics",
            "You talked: “<bdi>We talk too little about my job.</bdi>”",
            "<strong>Agreed:</strong> <bdi>Start with work.</bdi>",
            "Did it help? It helped.",
            'data-state="recovered"',
            "Low point: recovered",  # the table
            "Back once after session 3",
            "Recovered after session 3",
        ):
            assert words in text, words
        assert text.count(CHANCE) == 1

    def test_a_supervisor_reads_it_with_the_comments_the_client_shared(self, clinic, sign_in):
        cast.rated_course(clinic.olgas, [384], last_ago=2 * WEEK)
        for share, total, ago in ((True, 320, WEEK), (False, 310, timedelta())):
            session = cast.therapy_session(clinic.olgas, ago=ago + HOUR)
            grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
            said = {"comment": f"words {share}", "share_comment": share}
            record_rating(grant=grant, answers=cast.answers(total), mode="line", **said)
        talk(session, NOW, by=clinic.olga)
        (chapter,) = story(clinic, clinic.sina)
        assert [one.comment for one in chapter.moments if one.comment] == ["words True"]
        text = sign_in(clinic.sina).get(reverse("caseload:client", args=[clinic.olgas.code])).text
        assert "They talked: “<bdi>We talk too little about my job.</bdi>”" in text
        assert text.count(CHANCE) == 1
        (chapter,) = story(clinic)
        assert [one.comment for one in chapter.moments if one.comment] == ["words True", "words False"]

    def test_without_a_rupture_there_is_no_story_and_no_chance(self, clinic, sign_in):
        weekly(clinic.olgas, 380, 381)
        text = sign_in(clinic.olga).get(reverse("dashboard:client", args=[clinic.olgas.code])).text
        assert "Low points" not in text
        assert CHANCE not in text

    def test_the_newest_stands_first(self, clinic):
        weekly(clinic.olgas, 380, 320, 380, 380, 310)
        assert [one.headline for one in story(clinic)] == ["Since session 5", "Sessions 2 to 4"]

    def test_what_was_talked_about_at_once_follows_its_fall(self, clinic):
        """The rating came before the session's planned end, and so did the note."""
        low = weekly(clinic.olgas, 380, 320)[-1]
        talk(low, NOW - timedelta(minutes=5), by=clinic.olga)
        assert [one.kind for one in story(clinic)[0].moments] == [Kind.FALL, Kind.TALK]

    def test_a_talk_that_was_taken_back_is_not_told(self, clinic):
        low = weekly(clinic.olgas, 380, 320)[-1]
        discussion_actions.withdraw_discussion(discussion=talk(low, NOW, by=clinic.olga), by=clinic.olga)
        (chapter,) = story(clinic)
        assert chapter.state == RepairState.OPEN
        assert [one.kind for one in chapter.moments] == [Kind.FALL]

    def test_last_years_days_have_their_year(self, clinic):
        weekly(clinic.olgas, 380, 320, last=datetime(2025, 12, 30, 12, tzinfo=UTC))
        assert story(clinic)[0].moments[0].day == "30 Dec 2025"


NEAR = "near the earlier level (37.0 or higher)"


@pytest.mark.parametrize(
    ("totals", "talks", "closed", "word", "outcome"),
    [
        ([380, 320], 0, False, "Open", "Not talked about yet."),
        ([380, 320], 2, False, "Talked about", "The next rating shows whether it helped."),
        ([380, 320, 320], 0, False, "Still low",
         f"32.0 at the last rating, not yet {NEAR}, nor halfway there. Not talked about yet."),
        ([380, 320, 320], 3, False, "Still low",
         f"32.0 at the last rating, not yet {NEAR}, nor halfway there. "
         "The next rating shows whether the talk helped."),
        ([380, 320, 320], 2, False, "Still low after a talk",
         f"32.0 at the last rating, not yet {NEAR}, nor halfway there. One rating has come since the talk."),
        ([380, 320, 350], 0, False, "Recovering",
         f"At least halfway back: 35.0 at the last rating, not yet {NEAR}. Not talked about yet."),
        ([380, 320, 340, 345, 350], 2, False, "Not back after three ratings, nor after a talk",
         f"None of the 3 ratings since was back {NEAR}; the last was 35.0. 3 ratings have come since the talk."),
        ([380, 320, 370], 0, False, "Back once",
         "One rating may be chance: the next one shows whether it stays. Not talked about yet."),
        ([380, 320, 350], 2, True, "Ended unrepaired", f"Ended before it was back {NEAR}. The last rating was 35.0."),
        ([380, 320, 370], 2, True, "Ended, back once",
         "Ended when it had been back once. The last rating was 37.0."),
        ([330, 340], 0, False, "Still low",
         "34.0 at the last rating, not yet at the level of the cutoff (36.0 or higher), nor halfway there. "
         "Not talked about yet."),
        ([380, 320, 370, 370], 0, False, "Recovered", ""),
        ([340, 340, 340, 340, 340], 0, False, "At the client’s own level", ""),
    ],
)  # fmt: skip
def test_how_it_stands_is_said_in_a_word_and_a_sentence(clinic, totals, talks, closed, word, outcome):
    rows = weekly(clinic.olgas, *totals)
    if talks:
        talk(rows[talks - 1], NOW, by=clinic.olga)
    if closed:
        clinic.olgas.closed_on, clinic.olgas.ending = timezone.localdate(), Ending.UNPLANNED
    (chapter,) = story(clinic)
    assert (chapter.word, chapter.outcome) == (word, outcome)


def test_a_low_first_rating_is_no_fall(clinic):
    weekly(clinic.olgas, 320)
    (chapter,) = story(clinic)
    assert chapter.headline == "Low start. Since session 1"
    assert chapter.moments[0].text == "Session 1: 32.0 at the first rating; lowest line: relationship."
    assert "fell" not in chapter.outcome


def test_of_many_ratings_the_lowest_and_those_that_are_back_are_told(clinic):
    weekly(clinic.olgas, 380, 320, 340, 325, 310, 335, 375, 376)
    assert [one.text for one in story(clinic)[0].moments] == [
        "Session 2: 32.0 after 38.0; largest fall: relationship.",
        "Session 5: 31.0, the lowest.",
        "Session 7: 37.5, back once near the earlier level (37.0 or higher).",
        "Session 8: 37.6, the second rating in a row near the earlier level (37.0 or higher).",
    ]


def test_a_fall_within_is_a_low_point_of_its_own(clinic):
    """The page must not say *recovering* beside a sudden fall."""
    rows = weekly(clinic.olgas, 380, 320, 260, 346, 250)
    talk(rows[-1], NOW, by=clinic.olga)
    assert [(one.headline, one.word, one.outcome) for one in story(clinic)] == [
        ("Since session 5", "Talked about", "The next rating shows whether it helped."),
        ("Sessions 3 to 4", "Fell again", "It fell again after it had been back once."),
        (
            "Session 2",
            "Fell again",
            "It fell again before it was back near the earlier level (37.0 or higher).",
        ),
    ]


class TestTheSign:
    def test_not_back_after_three_ratings_is_said_with_both_base_rates(self, clinic, sign_in):
        weekly(clinic.olgas, 380, 320, 340, 345, 350)
        said = (
            "In our model, 13 of 100 low points of stable clients are not back after three ratings; where a fall of "
            "5.0 points lasts, 56 of 100 are not."
        )
        pages = [
            (clinic.olga, reverse("dashboard:client", args=[clinic.olgas.code])),
            (clinic.olga, reverse("dashboard:work_list")),
            (clinic.sina, reverse("caseload:client", args=[clinic.olgas.code])),
            (clinic.sina, reverse("caseload:overview")),
        ]
        for person, address in pages:
            text = sign_in(person).get(address).text
            assert text.count(said) == 1, address
            assert "Not back after three ratings" in text, address

    def test_after_two_ratings_nobody_reads_it(self, clinic, sign_in):
        weekly(clinic.olgas, 380, 320, 340, 345)
        for address in (
            reverse("dashboard:client", args=[clinic.olgas.code]),
            reverse("dashboard:work_list"),
        ):
            assert "not back after three" not in sign_in(clinic.olga).get(address).text.lower()


def test_who_slid_from_34_to_25_with_five_talks_is_not_called_recovering(clinic, sign_in):
    """Seen on the lists: *recovering*, because the last rating was 1.4 higher than the lowest."""
    rows = weekly(clinic.olgas, 339, 345, 309, 338, 296, 253, 242, 256)
    for place in (0, 2, 4, 5, 6):
        talk(rows[place], NOW - (7 - place) * WEEK + HOUR, by=clinic.olga)
    text = sign_in(clinic.olga).get(reverse("dashboard:work_list")).text
    assert "Still low after a talk" in text
    assert "ecovering" not in text
    assert "Still low after a talk" in sign_in(clinic.sina).get(reverse("caseload:overview")).text


def test_an_answer_says_which_agreement_it_is_about_where_there_are_two(clinic):
    rows = weekly(clinic.olgas, 380, 320, 305, 310)
    first = talk(rows[1], NOW - 2 * WEEK, by=clinic.olga, agreed="Start with work.")
    follow_up_actions.note(discussion=first, answer="not_yet", by=clinic.olga)
    talk(rows[2], NOW - WEEK, by=clinic.olga, agreed="One question at a time.")
    last = [one.text for one in story(clinic)[0].moments if one.kind == Kind.HELPED]
    assert last == ["Did it help, what was agreed on 6 May? Not yet."]


class TestTheChart:
    """Whatever the rules and the repairs conclude; here they are given."""

    def shown(self, clinic, *lows):
        rated = course.read(clinic.olgas, NOW)
        found = [
            SimpleNamespace(
                **{"began": began, "ended": ended, "state": state, "is_low_start": False},
                **{"before": Fraction(380), "goal": 370},
            )
            for began, ended, state in lows
        ]
        shown = course_picture.picture(rated, INSTRUMENT.parameters, INSTRUMENT, (), found, now=NOW)
        return shown, course_picture.in_words(shown, found)

    def test_each_low_point_is_a_bar_and_said_in_words(self, clinic):
        weekly(clinic.olgas, 380, 330, 380, 380, 320, 340)
        shown, words = self.shown(clinic, (2, 3, RepairState.RECOVERED), (5, None, RepairState.RECOVERING))
        at = [stop.at for stop in shown.stops]
        assert shown.stretches == [(at[1], at[2], True), (at[4], shown.last, False)]
        drawn = charts.figure(shown)["data"]
        bars = {trace["name"]: trace["line"]["dash"] for trace in drawn if "Low" in trace["name"]}
        assert bars == {"Low point, back": "solid", "Low point, not back": "dot"}  # without a colour too
        assert "Low points: session 2 (recovered in session 3), session 5 (recovering)." in words

    def test_of_many_low_points_the_words_name_the_last_three(self, clinic):
        weekly(clinic.olgas, *[380, 330] * 4)
        lows = [(number, number + 1, RepairState.RECOVERED) for number in (2, 4, 6)]
        _, words = self.shown(clinic, *lows, (8, None, RepairState.OPEN))
        assert words.endswith("session 8 (open). 1 earlier low point.")
        assert "session 2 (" not in words

    def test_a_bar_stays_inside_the_course_where_it_ended_unrepaired(self, clinic):
        weekly(clinic.olgas, 380, 330, 340)
        shown, _ = self.shown(clinic, (2, 3, RepairState.UNREPAIRED))
        assert shown.stretches == [(shown.stops[1].at, shown.stops[2].at, False)]


def test_the_page_asks_the_same_number_of_queries_for_3_and_30_sessions(
    clinic, sign_in, django_assert_max_num_queries
):
    browser, counts = sign_in(clinic.olga), []
    for totals in ([380, 320, 385], [380, 320, 385] * 10):
        episode = cast.episode(clinic.olga, f"K-{len(totals)}")
        for session in cast.rated_course(episode, totals):
            if flags := list(answered.still_open().filter(session=session)):
                discussion_actions.discuss(flags=flags, said="x", agreed="y", by=clinic.olga)
        Discussion.objects.update(discussed_at=timezone.now() - 400 * timedelta(days=1))
        for discussion in Discussion.objects.filter(session__episode=episode)[: len(totals) // 3]:
            follow_up_actions.note(discussion=discussion, answer="partly", by=clinic.olga)
        address = reverse("dashboard:client", args=[episode.code])
        browser.get(address)
        with django_assert_max_num_queries(40) as queries:
            assert "Did it help?" in browser.get(address).text
        counts.append(len(queries))
    assert counts[0] == counts[1]


def back(person):
    return process_measures.read([person], NOW)[person.pk].back


class TestTheRate:
    def test_counts_what_had_three_ratings_and_chance_stands_beside_it(self, clinic, sign_in):
        for label, totals in (
            ("back", [380, 320, 340, 345, 380]),
            ("back at once, with too few since", [380, 320, 380]),
            ("too late", [380, 320, 340, 340, 340, 380]),
            ("nothing to return to", [320, 380, 380, 380]),
        ):
            weekly(cast.episode(clinic.olga, label), *totals)
        assert back(clinic.olga) == Share(1, 2)
        text = sign_in(clinic.sina).get(reverse("caseload:overview")).text
        assert "Back once near the earlier level" in text
        assert "1 of 2" in text
        assert (
            f"too few for a rate; {repairs.rate_by_chance(chance_returns.under('defaults-1').table)}" in text
        )

    def test_looks_at_the_last_90_days_and_at_the_own_clients(self, clinic):
        weekly(clinic.olgas, 380, 320, 380, 380, 380, last=NOW - 10 * WEEK)
        weekly(clinic.carls, 380, 320, 380, 380, 380)
        assert back(clinic.olga) == Share(0, 0)
        assert back(clinic.carl) == Share(1, 1)

    def test_says_the_same_as_the_clients_page(self, clinic):
        """The rate reads stored flags and few columns; the page reads everything and computes the rules."""
        weekly(clinic.olgas, 380, 384, 320, 350, 372, 380, 320, 260, 310, 377, 380)
        rated = course.read(clinic.olgas, NOW)
        found = repairs.of_course(rated, INSTRUMENT.parameters, (), is_closed=False, now=NOW)
        sessions = [course.as_course_session(one.session, one.rating, NOW) for one in rated]
        decided = [returned(one, sessions) for one in found]
        kept = [one for one in decided if one is not None]
        assert len(kept) == 3
        assert back(clinic.olga) == Share(sum(kept), len(kept))
