"""The supervisor's page: who needs a talk first and why, and how feedback is collected and used."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import Role
from clients.models import Client, Episode, Supervision
from sessions_app.conversations import follow_up_actions
from sessions_app.dashboards import caseload
from sessions_app.dashboards.caseload import Part
from sessions_app.dashboards.course_standings import CourseStanding
from sessions_app.flags import discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.episode_standing import EpisodeStanding
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.caseloads import DAY, HOUR, LENGTH, NOW, fallen, labels, read, talk

pytestmark = pytest.mark.usefixtures("today", "former_list")

# --- Which part, without a database -------------------------------------------------------------------


def course(label, *kinds, talked_about=0, last_total=330):
    """A course whose open flags are `kinds`: the rule as STRENGTH has it, and how many days ago."""
    last = [100, (NOW - DAY).isoformat()]
    flags = [
        {
            "session": [100 - ago, 100 - ago, (NOW - ago * DAY).isoformat()],
            "rule": kind[0],
            "is_new": kind != "A",
            "on_work_list": kind in {"A+", "C", "D", "E"},
            "evidence": {"missing": 2, "of": 3},
            "instrument": "session-rating",
            "turn": 0,
            "is_not_needed": False,
            "is_same_fall": False,
            "put_off_until": None,
        }
        for kind, ago in kinds
    ]
    means = {
        "flags": flags,
        "points": [last_total],
        "cutoff": {"": 360},
        "maximum": 400,
        "last": last,
        "rated": last if last_total else None,
        "total": last_total,
        "overdue": [] if last_total else [[*last, NOW.isoformat()]],
        "talked_through": talked_about,
        "marks": {},
        "low_point": None,
        "level": 380,
        "below": 380 - last_total if last_total else None,
        "lowest": None,
    }
    return CourseStanding(Episode(client=Client(label=label)), EpisodeStanding(course=means), NOW)


@pytest.mark.parametrize(
    ("known", "where"),
    [
        (course("K", ("C", 1)), Part.NEEDS_A_TALK),
        (course("K", ("C", 40), talked_about=100), Part.NEEDS_A_TALK),  # another flag is still open
        (course("K", ("G", 1), talked_about=100), Part.TALKED_ABOUT),
        (course("K", talked_about=99), Part.OTHER),  # the next rating came
        (course("K", ("A", 1), ("B", 1), ("F", 1)), Part.OTHER),
        (course("K", last_total=None), Part.GAP),
        (course("K", ("G", 1)), Part.GAP),
        (course("K"), Part.OTHER),
    ],
)
def test_a_client_stands_in_one_part_of_the_page(known, where):
    assert caseload.part_of(known) is where


# --- What a row says -----------------------------------------------------------------------------------


def test_a_client_with_open_flags_needs_a_talk(clinic):
    fallen(clinic.olgas)
    (row,) = read(clinic).needs_a_talk
    assert (row.label, row.therapist, row.waits) == ("K-1", "Olga", "waiting since session 3, 12 days")
    assert [(one.rule, one.word, one.where) for one in row.reasons] == [
        ("C", "Sudden fall", "Session 3, 6 Mar"),
        ("A", "Below cutoff", "Session 3, 6 Mar"),
    ]
    assert row.reasons[0].sentence.startswith("5.0 points lower than the rating before.")
    assert (row.agreed, row.last_total, row.of, row.last_where) == ("", "33.0", "40", "Session 3, 6 Mar")
    assert "38.0, 38.0, 33.0" in row.sparkline
    assert row.url == reverse("caseload:client", args=[clinic.olgas.code])


def test_waiting_begins_with_the_oldest_flag_and_each_rule_is_said_once(clinic):
    cast.rated_course(clinic.olgas, [380, 330, 390, 340], last_ago=DAY)  # C and A at 2 and again at 4
    (row,) = read(clinic).needs_a_talk
    assert row.waits == "waiting since session 2, 15 days"
    assert [(one.rule, one.where[:9]) for one in row.reasons] == [("C", "Session 4"), ("A", "Session 4")]


@pytest.mark.parametrize(("ago", "words"), [(HOUR, "today"), (13 * HOUR, "1 day"), (2 * DAY, "2 days")])
def test_age_is_counted_in_days_of_the_calendar(clinic, ago, words):
    fallen(clinic.olgas, ago=ago)
    assert read(clinic).needs_a_talk[0].waits == f"waiting since session 3, {words}"


def test_the_year_is_named_where_it_is_another(clinic):
    fallen(clinic.olgas, ago=100 * DAY)
    assert read(clinic).needs_a_talk[0].last_where == "Session 3, 8 Dec 2025"


def test_a_continuing_level_and_a_low_line_do_not_call_but_are_named(clinic):
    cast.rated_course(clinic.olgas, [350, 348], last_ago=DAY)
    talk(clinic.olgas.sessions.get(number=1), by=clinic.olga)
    shown = read(clinic)
    assert shown.needs_a_talk == shown.talked_about == ()
    assert [(one.rule, one.state) for one in shown.stays_low[0].reasons] == [("A", "continuing")]


def test_quiet_flags_of_earlier_sessions_are_no_news(clinic):
    earlier = cast.therapy_session(clinic.olgas, ago=8 * DAY)
    cast.rating(earlier, goals=80)
    cast.rating(cast.therapy_session(clinic.olgas, ago=DAY), 384)
    assert answered.still_open().get().rule == "B"
    assert read(clinic).others[0].reasons == ()


def test_a_talk_moves_the_client_on_and_the_next_rating_ends_the_wait(clinic):
    sessions = fallen(clinic.olgas)
    talk(sessions[-1], by=clinic.olga, at=NOW - DAY)
    shown = read(clinic)
    assert (shown.needs_a_talk, labels(shown.talked_about)) == ((), ["K-1"])
    assert (shown.talked_about[0].agreed, shown.talked_about[0].agreed_on) == ("Less homework", "17 Mar")
    cast.rating(cast.therapy_session(clinic.olgas), 370)
    after = read(clinic)
    assert (after.talked_about, labels(after.others), after.others[0].agreed) == (
        (),
        ["K-1"],
        "Less homework",
    )


def test_a_talk_about_one_flag_leaves_the_other_waiting(clinic):
    talk(fallen(clinic.olgas)[-1], by=clinic.olga, rules="C")
    (row,) = read(clinic).needs_a_talk
    assert [one.rule for one in row.reasons] == ["A"]
    assert row.agreed == "Less homework"


def test_another_reason_that_waits_longer_says_since_when(clinic):
    """Else the oldest open flag, as the measures count it, stands nowhere in the list."""
    cast.rated_course(clinic.olgas, [350, 380, 380, 330], last_ago=DAY)
    (row,) = read(clinic).needs_a_talk
    said = {one.rule: one.where for one in row.reasons}
    assert row.waits == "waiting since session 4, 1 day"
    assert said["C"] == "Session 4, 17 Mar"
    assert said["A"] == "Session 4, 17 Mar; first in session 1, 22 days"
    assert read(clinic).measures[0].open_flags.endswith("(the oldest: 22 days)")


def test_what_was_agreed_stands_with_the_answer_whether_it_helped(clinic):
    discussion = talk(fallen(clinic.olgas)[-1], by=clinic.olga, at=NOW - 5 * DAY)
    assert read(clinic).talked_about[0].helped == ""
    cast.rating(cast.therapy_session(clinic.olgas, ago=DAY), 370)
    discussion.refresh_from_db()
    follow_up = follow_up_actions.note(discussion=discussion, answer="partly", by=clinic.olga)
    assert read(clinic).others[0].helped == "It helped a little"
    follow_up_actions.undo(follow_up=follow_up, by=clinic.olga)
    assert read(clinic).others[0].helped == ""


def test_a_talk_taken_back_counts_for_nothing(clinic):
    discussion = talk(fallen(clinic.olgas)[-1], by=clinic.olga)
    discussion_actions.withdraw_discussion(discussion=discussion, by=clinic.olga)
    (row,) = read(clinic).needs_a_talk
    assert row.agreed == ""


def test_the_last_agreement_outlives_a_later_talk_without_one(clinic):
    first = fallen(clinic.olgas, ago=30 * DAY)[-1]
    talk(first, by=clinic.olga, agreed="Start with the week", at=NOW - 29 * DAY)
    later = cast.therapy_session(clinic.olgas, ago=2 * DAY)
    cast.rating(later, 280)
    talk(later, by=clinic.olga, agreed="", at=NOW - DAY)
    (row,) = read(clinic).talked_about
    assert (row.agreed, row.agreed_on) == ("Start with the week", "17 Feb")


def test_a_withdrawn_flag_and_a_closed_episode_do_not_call(clinic):
    fallen(clinic.olgas)
    cast.choose_rules(clinic.adam, enabled={"A": False, "C": False})
    cast.conclude_everything()
    assert labels(read(clinic).others) == ["K-1"]
    Episode.objects.update(closed_on=NOW.date(), ending="planned")
    assert read(clinic).clients == 0


# --- Gaps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_end", "words"),
    [
        (24 * HOUR - timedelta(seconds=1), ""),
        (24 * HOUR, "1 rating overdue (session 1)."),
        (7 * DAY - timedelta(seconds=1), "1 rating overdue (session 1)."),
        (7 * DAY, ""),
    ],
)
def test_a_rating_is_overdue_from_a_day_to_a_week(clinic, since_end, words):
    cast.therapy_session(clinic.olgas, ago=since_end + LENGTH)
    shown = read(clinic)
    assert (shown.gaps or shown.others)[0].gap == words
    assert bool(shown.gaps) == bool(words)
    assert shown.measures[0].overdue == ("1" if words else "0")


def test_a_gap_is_said_quietly_and_is_no_reason(clinic):
    cast.rated_course(clinic.olgas, [380, None, None], last_ago=2 * DAY)
    conclude(episode=clinic.olgas)
    (row,) = read(clinic).gaps
    assert row.reasons == ()
    assert row.gap == (
        "No rating for 2 of the last 3 sessions. A gap is not a low score. 1 rating overdue (session 3)."
    )


def test_a_gap_does_not_hide_who_needs_a_talk(clinic):
    fallen(clinic.olgas)
    cast.therapy_session(clinic.olgas, ago=2 * DAY)
    cast.conclude_everything()
    (row,) = read(clinic).needs_a_talk
    assert row.gap == "1 rating overdue (session 4)."


def test_a_partial_rating_is_no_rating(clinic):
    cast.rating(cast.therapy_session(clinic.olgas, ago=2 * DAY), goals=None)
    assert labels(read(clinic).gaps) == ["K-1"]


# --- Queries ---------------------------------------------------------------------------------------------


def populate(supervisor, *, supervisees, clients):
    for place in range(supervisees):
        therapist = cast.person(f"{supervisor}-{place}", Role.THERAPIST)
        Supervision.objects.create(supervisor=supervisor, therapist=therapist, starts_on=cast.STARTED)
        for number in range(clients // supervisees):
            sessions = fallen(cast.episode(therapist, f"K-{place}-{number}"))
            if number % 2:
                talk(sessions[-1], by=therapist)
            cast.therapy_session(sessions[-1].episode, ago=2 * DAY)


def test_the_number_of_queries_is_the_same_whatever_the_size(clinic):
    few, many = cast.person("Few", Role.SUPERVISOR), cast.person("Many", Role.SUPERVISOR)
    populate(few, supervisees=1, clients=3)
    populate(many, supervisees=6, clients=30)
    counts = []
    for supervisor, clients in ((few, 3), (many, 30)):
        with CaptureQueriesContext(connection) as queries:
            assert caseload.read(supervisor, timezone.now()).clients == clients
        counts.append(len(queries))
    assert counts == [6, 6]  # one more where a course is not known to the process yet
