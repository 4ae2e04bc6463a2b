"""The supervisor's page: who needs a talk first and why, and how feedback is collected and used."""

from dataclasses import astuple
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.flag_rules import STRENGTH
from alliance.measurement.process import Share
from alliance.models import AuditEvent, Role, User
from clients.models import Client, Episode, Supervision
from sessions_app import actions, caseload, process
from sessions_app.caseload import Course, Place
from sessions_app.models import Attendance, Discussion, Flag, Mode, Rating, RatingGrant, TherapySession
from tests import cast

NOW = datetime(2026, 3, 18, 12, tzinfo=ZoneInfo("Europe/Berlin"))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LENGTH = timedelta(minutes=50)


@pytest.fixture
def today(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def clinic(today, db):
    return cast.clinic()


@pytest.fixture
def overview(clinic, sign_in):
    return lambda person, **parameters: sign_in(person).get(reverse("caseload:overview"), parameters)


def read(clinic, **options):
    return caseload.read(clinic.sina, NOW, **options)


def fallen(episode, *, ago=12 * DAY, first=380):
    """A course whose last rating fell by five points and below the cutoff: C and a new A."""
    return cast.rated_course(episode, [first, first, first - 50], last_ago=ago)


def talk(session, *, by, agreed="Less homework", at=None, rules="ABCDEF"):
    flags = Flag.objects.open().filter(session=session, rule__in=list(rules))
    discussion = actions.discuss(flags=flags, said="It was too much.", agreed=agreed, by=by)
    Discussion.objects.filter(pk=discussion.pk).update(discussed_at=at or NOW)
    return discussion


def labels(rows):
    return [row.label for row in rows]


# --- The order, without a database -------------------------------------------------------------------


def course(label, *kinds, talked_about=None, last_total=330):
    """A course whose open flags are `kinds`: the rule as STRENGTH has it, and how many days ago."""
    last = TherapySession(number=100, held_at=NOW - DAY, ends_at=NOW - DAY, attendance=Attendance.ATTENDED)
    flags = [
        Flag(
            session=TherapySession(number=100 - ago, held_at=NOW - ago * DAY),
            rule=kind[0],
            is_new=kind != "A",
            on_work_list=kind in {"A+", "C", "D", "E"},
            evidence={"missing": 2, "of": 3},
            instrument="session-rating",
        )
        for kind, ago in kinds
    ]
    talks = [Discussion(session=TherapySession(number=talked_about))] if talked_about else []
    return Course(Episode(client=Client(label=label)), [last], [last_total], flags, talks)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (course("K-2", ("C", 1)), course("K-1", ("E", 60))),
        (course("K-2", ("E", 1)), course("K-1", ("D", 60))),
        (course("K-2", ("D", 1)), course("K-1", ("A+", 60))),
        (course("K-2", ("C", 9)), course("K-1", ("C", 8))),  # of equals the one that has waited longest
        (course("K-2", ("C", 20)), course("K-1", ("C", 2), ("A+", 30))),  # the wait of the strongest reason
        (course("K-2", ("C", 2)), course("K-1", ("D", 9), ("E", 9), ("A+", 9))),  # strength, not how many
        (course("K-1", ("C", 2)), course("K-2", ("C", 2))),  # the same in all: by the label
        (course("K-2", ("A+", 9)), course("K-1", ("A+", 8), ("A", 60), ("B", 60))),  # the quiet do not count
    ],
)
def test_the_strongest_reason_stands_first_then_who_has_waited_longest(first, then):
    assert sorted([then, first], key=caseload.urgency) == [first, then]


def test_the_page_names_the_order_that_the_rules_have(clinic):
    named = ["sudden fall", "below own range", "decline", "below cutoff"]
    assert [kind for kind in STRENGTH if kind in {"A+", "C", "D", "E"}] == ["C", "E", "D", "A+"]
    places = [read(clinic).order.index(name) for name in named]
    assert all(one < after for one, after in pairwise(places))
    assert "never of people" in read(clinic).order


@pytest.mark.parametrize(
    ("known", "where"),
    [
        (course("K", ("C", 1)), Place.NEEDS_A_TALK),
        (course("K", ("C", 40), talked_about=100), Place.NEEDS_A_TALK),  # another flag is still open
        (course("K", ("G", 1), talked_about=100), Place.TALKED_ABOUT),
        (course("K", talked_about=99), Place.OTHER),  # the next rating came
        (course("K", ("A", 1), ("B", 1), ("F", 1)), Place.OTHER),
        (course("K", last_total=None), Place.GAP),
        (course("K", ("G", 1)), Place.GAP),
        (course("K"), Place.OTHER),
    ],
)
def test_a_client_stands_in_one_part_of_the_page(known, where):
    assert caseload.place(known, NOW) is where


# --- What a row says -----------------------------------------------------------------------------------


def test_a_client_with_open_flags_needs_a_talk(clinic):
    fallen(clinic.olgas)
    (row,) = read(clinic).needs_a_talk
    assert (row.label, row.therapist, row.waits) == ("K-1", "Olga", "waiting since session 3, 12 days")
    assert [(one.rule, one.word, one.where) for one in row.reasons] == [
        ("C", "Sudden fall", "Session 3, 6 Mar"),
        ("A", "Below cutoff", "Session 3, 6 Mar"),
    ]
    assert row.reasons[0].sentence.startswith("5 lower than last time.")
    assert (row.agreed, row.last_total, row.of, row.last_where) == ("", "33", "40", "Session 3, 6 Mar")
    assert "38, 38, 33" in row.sparkline
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
    assert [(one.rule, one.state) for one in shown.others[0].reasons] == [("A", "continuing")]


def test_quiet_flags_of_earlier_sessions_are_no_news(clinic):
    earlier = cast.therapy_session(clinic.olgas, ago=8 * DAY)
    cast.rating(earlier, goals=80)
    cast.rating(cast.therapy_session(clinic.olgas, ago=DAY), 384)
    assert Flag.objects.open().get().rule == "B"
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


def test_a_talk_taken_back_counts_for_nothing(clinic):
    discussion = talk(fallen(clinic.olgas)[-1], by=clinic.olga)
    actions.withdraw_discussion(discussion=discussion, by=clinic.olga)
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
    Flag.objects.update(withdrawn_at=NOW)
    assert labels(read(clinic).others) == ["K-1"]
    Episode.objects.update(closed_on=NOW.date(), ending="planned")
    assert read(clinic).clients == 0


# --- Gaps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_end", "words"),
    [
        (24 * HOUR - timedelta(seconds=1), ""),
        (24 * HOUR, "1 rating overdue (session 1)."),
        (14 * DAY - LENGTH, "1 rating overdue (session 1)."),  # it started just fourteen days ago
        (14 * DAY, ""),
    ],
)
def test_a_rating_is_overdue_from_a_day_to_two_weeks(clinic, since_end, words):
    cast.therapy_session(clinic.olgas, ago=since_end + LENGTH)
    shown = read(clinic)
    assert (shown.gaps or shown.others)[0].gap == words
    assert bool(shown.gaps) == bool(words)
    assert shown.measures[0].overdue == ("1" if words else "0")


def test_a_gap_is_said_quietly_and_is_no_reason(clinic):
    cast.rated_course(clinic.olgas, [380, None, None], last_ago=2 * DAY)
    actions.refresh_flags(episode=clinic.olgas)
    (row,) = read(clinic).gaps
    assert row.reasons == ()
    assert row.gap == (
        "No rating for 2 of the last 3 sessions. A gap is not a low score. "
        "2 ratings overdue (sessions 2 and 3)."
    )


def test_a_gap_does_not_hide_who_needs_a_talk(clinic):
    fallen(clinic.olgas)
    cast.therapy_session(clinic.olgas, ago=2 * DAY)
    (row,) = read(clinic).needs_a_talk
    assert row.gap == "1 rating overdue (session 4)."


def test_a_partial_rating_is_no_rating(clinic):
    cast.rating(cast.therapy_session(clinic.olgas, ago=2 * DAY), goals=None)
    assert labels(read(clinic).gaps) == ["K-1"]


# --- Measures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "counts", "note"),
    [
        (Share(0, 0), "no sessions yet", ""),
        (Share(0, 1), "0 of 1", "too few for a rate"),
        (Share(9, 9), "9 of 9", "too few for a rate"),
        (Share(8, 10), "8 of 10 (80 %)", "95 % interval: 49 to 95 %, not dependable"),
        (Share(29, 29), "29 of 29 (100 %)", "95 % interval: 88 to 100 %, not dependable"),
        (Share(41, 48), "41 of 48 (85 %)", "95 % interval: 72 to 93 %"),
    ],
)
def test_a_share_in_words(share, counts, note):
    assert astuple(caseload.share_in_words("Rated", share, "sessions")) == ("Rated", counts, note)


def test_nothing_at_all_is_no_rate(clinic):
    (row,) = read(clinic).measures
    assert (row.name, row.active, row.open_flags, row.overdue) == ("Olga", "1", "0", "0")
    assert [share.counts for share in row.shares] == ["no sessions yet", "no flags yet", "no sessions yet"]


def test_collected_counts_the_sessions_of_90_days_whose_rating_is_due(clinic):
    def held(ago, total=None, **fields):
        session = cast.therapy_session(clinic.olgas, ago=ago, **fields)
        if total:
            cast.rating(session, total)

    held(90 * DAY, 380)  # just too old
    held(90 * DAY - HOUR, 380)
    held(50 * DAY, 380)
    held(40 * DAY)
    held(30 * DAY, attendance=Attendance.DID_NOT_ATTEND)
    held(20 * DAY, attendance=Attendance.CANCELLED)
    held(24 * HOUR + LENGTH)  # its day has just ended
    held(24 * HOUR, 380)  # there is still time
    held(-DAY, attendance=Attendance.PLANNED)
    rated, missed = process.collected(Episode.objects.all(), NOW)
    assert rated == {clinic.olga.pk: Share(2, 4)}
    assert missed == {clinic.olga.pk: Share(1, 5)}


def test_a_corrected_rating_counts_once_and_a_closed_episode_still_counts(clinic):
    session = cast.therapy_session(clinic.olgas, ago=5 * DAY)
    rating = cast.rating(session, 380)
    correct(rating)
    Episode.objects.update(closed_on=NOW.date(), ending="planned")
    assert process.collected(Episode.objects.all(), NOW)[0] == {clinic.olga.pk: Share(1, 1)}


def correct(rating):
    again = RatingGrant.objects.get(pk=rating.grant_id)
    again.pk, again.code, again.token_hash = None, uuid4(), "of another grant"
    again.save()
    fields = {name: getattr(rating, name) for name in ("session", "instrument", "instrument_version", "mode")}
    Rating.objects.create(**fields, grant=again, answers=rating.answers, total=370, replaces=rating)


NEXT_ENDED = NOW - 5 * DAY + LENGTH


@pytest.mark.parametrize(
    ("talked_at", "share"),
    [
        (NOW - 12 * DAY, Share(1, 1)),  # in the session
        (NEXT_ENDED, Share(1, 1)),  # in the next
        (NEXT_ENDED + 24 * HOUR, Share(1, 1)),  # noted the day after it
        (NEXT_ENDED + 24 * HOUR + timedelta(seconds=1), Share(0, 1)),
        (None, Share(0, 1)),
    ],
)
def test_talked_about_in_time_is_by_the_next_session(clinic, talked_at, share):
    session = flagged_twelve_days_ago(clinic)
    cast.therapy_session(clinic.olgas, ago=5 * DAY)
    if talked_at:
        talk(session, by=clinic.olga, at=talked_at)
    assert process.discussed(Episode.objects.all(), NOW) == {clinic.olga.pk: share}


def flagged_twelve_days_ago(clinic):
    session = cast.therapy_session(clinic.olgas, ago=12 * DAY)
    cast.rating(session, 340)  # a new A alone: the first rating of the episode
    Flag.objects.update(raised_at=session.ends_at)
    return session


@pytest.mark.parametrize(
    ("next_ago", "attendance", "counted"),
    [
        (24 * HOUR + LENGTH, Attendance.ATTENDED, True),
        (24 * HOUR + LENGTH - timedelta(seconds=1), Attendance.ATTENDED, False),
        (5 * DAY, Attendance.DID_NOT_ATTEND, False),
        (5 * DAY, Attendance.CANCELLED, False),
        (None, None, False),
    ],
)
def test_a_flag_counts_once_its_next_session_is_over(clinic, next_ago, attendance, counted):
    flagged_twelve_days_ago(clinic)
    if next_ago:
        cast.therapy_session(clinic.olgas, ago=next_ago, attendance=attendance)
    assert process.discussed(Episode.objects.all(), NOW) == ({clinic.olga.pk: Share(0, 1)} if counted else {})


@pytest.mark.parametrize(
    "changed",
    [{"raised_at": NOW - DAY}, {"withdrawn_at": NOW}, {"on_work_list": False}],
    ids=["raised after its time", "withdrawn", "quiet"],
)
def test_a_flag_that_could_not_have_been_talked_about_does_not_count(clinic, changed):
    flagged_twelve_days_ago(clinic)
    cast.therapy_session(clinic.olgas, ago=5 * DAY)
    Flag.objects.update(**changed)
    assert process.discussed(Episode.objects.all(), NOW) == {}


def test_open_flags_are_counted_with_the_age_of_the_oldest(clinic):
    fallen(clinic.olgas, ago=2 * DAY)
    fallen(cast.episode(clinic.olga, "K-3"), ago=20 * DAY)
    assert read(clinic).measures[0].open_flags == "4 (the oldest: 20 days)"


def test_supervisees_stand_by_the_alphabet_and_no_score_is_among_their_figures(clinic):
    for name in ("bea", "Zoe", "Anna"):
        therapist = cast.person(name, Role.THERAPIST)
        Supervision.objects.create(supervisor=clinic.sina, therapist=therapist, starts_on=cast.STARTED)
        fallen(cast.episode(therapist, f"of {name}"), first=370)
    rows = read(clinic).measures
    assert [row.name for row in rows] == ["Anna", "bea", "Olga", "Zoe"]
    assert not any("37" in text or "32" in text for row in rows for text in map(str, astuple(row)))


# --- Who sees whom ---------------------------------------------------------------------------------------


def test_a_supervisor_sees_their_supervisees_clients_and_nobody_elses(clinic, overview):
    fallen(clinic.olgas)
    fallen(clinic.carls)
    assert b"K-1" in overview(clinic.sina).content
    assert b"K-2" not in overview(clinic.sina).content
    assert b"K-2" in overview(clinic.stefan).content
    assert b"K-1" not in overview(clinic.stefan).content


def test_the_end_of_a_supervision_ends_the_sight_of_it(clinic, overview):
    fallen(clinic.olgas)
    supervision = Supervision.objects.get(supervisor=clinic.sina)
    supervision.ends_on = NOW.date()  # the last day counts
    supervision.save()
    assert b"K-1" in overview(clinic.sina).content
    supervision.ends_on = NOW.date() - DAY
    supervision.save()
    gone = overview(clinic.sina)
    assert b"K-1" not in gone.content
    assert b"Olga" not in gone.content
    assert b"An administrator can assign" in gone.content


def test_a_supervision_that_starts_tomorrow_shows_nothing_yet(clinic):
    Supervision.objects.filter(supervisor=clinic.sina).update(starts_on=NOW.date() + DAY)
    assert (read(clinic).supervisees, read(clinic).clients) == ((), 0)


@pytest.mark.parametrize("who", ["olga", "adam", "strange"])
def test_others_may_not_open_the_page(clinic, overview, who):
    assert overview(getattr(clinic, who)).status_code == 403
    assert not AuditEvent.objects.filter(action="viewed caseload").exists()


def test_a_supervisor_who_treats_clients_does_not_find_them_here(clinic):
    User.objects.filter(pk=clinic.sina.pk).update(is_therapist=True)
    clinic.sina.refresh_from_db()
    fallen(cast.episode(clinic.sina, "K-own"))
    shown = read(clinic)
    assert (shown.clients, [row.name for row in shown.measures]) == (1, ["Olga"])
    assert labels(shown.others) == ["K-1"]


def test_the_page_can_show_one_supervisee(clinic, overview):
    Supervision.objects.create(supervisor=clinic.sina, therapist=clinic.carl, starts_on=cast.STARTED)
    shown = read(clinic, therapist=str(clinic.carl.pk))
    assert (shown.chosen, labels(shown.others), [row.name for row in shown.measures]) == (
        clinic.carl,
        ["K-2"],
        ["Carl"],
    )
    assert len(shown.supervisees) == 2
    assert b"Caseload of Carl" in overview(clinic.sina, therapist=str(clinic.carl.pk)).content


@pytest.mark.parametrize("text", [None, "", "1", "Carl", "' or 1=1", "not-a-uuid\x00"])
def test_a_malformed_choice_is_ignored(clinic, overview, text):
    assert read(clinic, therapist=text).chosen is None
    assert overview(clinic.sina, therapist=text or "").status_code == 200


def test_somebody_elses_supervisee_cannot_be_chosen(clinic):
    shown = read(clinic, therapist=str(clinic.carl.pk))
    assert (shown.chosen, labels(shown.others)) == (None, ["K-1"])


# --- The page --------------------------------------------------------------------------------------------


def test_the_page_says_why_since_when_and_what_was_agreed(clinic, overview):
    fallen(clinic.olgas)
    html = overview(clinic.sina).content.decode()
    for words in (
        "Needs a talk",
        "1 of 1 client",
        "Sudden fall",
        "waiting since session 3, 12 days",
        "5 lower than last time.",
        "nothing agreed yet",
        'class="sparkline"',
        reverse("caseload:client", args=[clinic.olgas.code]),
        "not for pay, discipline or comparing people",
    ):
        assert words in html


def test_every_part_of_the_page_renders(clinic, overview):
    talk(fallen(clinic.olgas)[-1], by=clinic.olga)
    cast.therapy_session(cast.episode(clinic.olga, "K-gap"), ago=2 * DAY)
    cast.episode(clinic.olga, "K-other")
    html = overview(clinic.sina).content.decode()
    assert "Nobody is waiting for a talk." in html
    parts = ["Talked about, waiting", "K-1", "Ratings missing", "K-gap", "Everyone else (1)", "K-other"]
    assert all(one < after for one, after in pairwise(html.index(part) for part in parts))


def test_clients_words_never_appear_here(clinic, overview):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = actions.hand_over(session=session, by=clinic.olga)
    actions.record_rating(
        grant=grant, answers=cast.answers(340), mode=Mode.LINE, comment="We spoke of X.", share_comment=True
    )
    assert b"We spoke of X." not in overview(clinic.sina).content
    talk(session, by=clinic.olga)
    assert b"It was too much." not in overview(clinic.sina).content


def test_each_view_is_written_to_the_log_once(clinic, overview):
    overview(clinic.sina)
    overview(clinic.sina, therapist=str(clinic.olga.pk))
    events = AuditEvent.objects.filter(action="viewed caseload")
    assert {(one.actor, one.entity, one.entity_code, one.client) for one in events} == {
        (clinic.sina.pk, "user", clinic.sina.pk, None)
    }
    assert events.count() == 2


def test_a_label_is_escaped(clinic, overview):
    Client.objects.filter(label="K-1").update(label="<b>K</b>")
    assert b"&lt;b&gt;K&lt;/b&gt;" in overview(clinic.sina).content


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
    assert counts == [8, 8]
