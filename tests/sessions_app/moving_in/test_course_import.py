"""Sessions and earlier ratings: kept as what they are, in the order of their dates, and never changed."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.conversations import together
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating, TherapySession
from sessions_app.dashboards import work_list
from sessions_app.flags import checks
from sessions_app.flags.models import Flag
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber
from tests import cast
from tests.built_once import copy_of, kept_open
from tests.sessions_app.moving_in.files import (
    SESSIONS,
    a_client,
    checked,
    clients,
    finished,
    imported,
    sentences,
    sessions,
    text,
    weeks,
)

pytestmark = pytest.mark.django_db
RATINGS = "Session id;Client;Date;Relationship;Goals and topics;Approach;Overall;Total"
LINES = {"relationship": 82, "goals": 79, "approach": 85, "overall": 80}
NO_LINES = dict.fromkeys(LINES)


@pytest.fixture(scope="module")
def moved_in(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        a_client(clinic.adam)
        yield clinic


@pytest.fixture(autouse=True)
def clinic(moved_in):
    return copy_of(moved_in)


def episode() -> Episode:
    return ImportedNumber.objects.get(kind="client", number="4711").client.episodes.get()


def nothing_differs() -> bool:
    everything = list(Episode.objects.values_list("pk", flat=True))
    return not list(checks.differing(everything)) and not list(checks.differing_days())


def says(clinic, row: str) -> str:
    return " ".join(sentences(checked(Kind.SESSIONS, sessions(row), clinic.adam)))


class TestMarks:
    def test_four_lines_and_a_total_alone_are_kept_as_what_they_are(self, clinic):
        rows = ("4711;2025-01-20 14:00;S-1;8,2;7.9;8,50;8;", "4711;2025-01-27;S-2;;;;;34,5")
        imported(Kind.SESSIONS, sessions(*rows), clinic.adam)
        first, second = Rating.objects.order_by("session__number")
        assert (first.answers, first.total, first.is_total_only) == (LINES, 326, False)
        assert (second.answers, second.total, second.is_total_only) == (NO_LINES, 345, True)
        assert {first.mode, second.mode} == {Mode.IMPORTED}
        assert {grant.channel for grant in RatingGrant.objects.all()} == {"imported"}
        assert not RatingGrant.objects.awaiting(timezone.now()).exists()
        assert nothing_differs()

    def test_a_line_that_is_missing_stays_missing(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;;8.2;;8.5;8.0;"), clinic.adam)
        rating = Rating.objects.get()
        assert (rating.answers["goals"], rating.total, rating.is_total_only) == (None, None, False)

    def test_no_flag_speaks_of_lines_that_nobody_knows(self, clinic):
        imported(Kind.SESSIONS, sessions(*weeks("2025-01-06", [380, 384, 330, 325])), clinic.adam)
        raised = Flag.objects.standing()
        assert {"A", "C"} <= {flag.rule for flag in raised}
        assert "B" not in {flag.rule for flag in raised}
        assert all("line" not in flag.evidence for flag in raised)

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ("4711;2025-01-20;;8.2;7.9;8.5;8.0;33", "not the sum of the lines"),
            ("4711;2025-01-20;;8.2;;8.5;8.0;33", "some lines but not all"),
            ("4711;2025-01-20;;82;79;85;80;", "Relationship: This is no number from 0 to 10."),
            ("4711;2025-01-20;;;;;;41", "Total: This is no number from 0 to 40."),
            ("4711;2025-01-20;;8.25;7.9;8.5;8.0;", "more than one decimal"),
        ],
    )
    def test_that_cannot_be_are_a_sentence_that_does_not_repeat_them(self, clinic, row, sentence):
        said = says(clinic, row)
        assert sentence in said
        assert not {"8.2", "82", "33", "41", "8.25"} & set(said.replace(":", " ").split())

    def test_the_total_beside_four_lines_may_stand_there_too(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;;8.2;7.9;8.5;8.0;32.6"), clinic.adam)
        assert Rating.objects.get().total == 326

    def test_a_total_without_lines_is_refused_by_the_database_unless_it_was_imported(self, clinic):
        session = cast.therapy_session(clinic.olgas)
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        marks = {"answers": NO_LINES, "total": 345, "language": "en", "sha256": "0" * 64}
        form = {"instrument": grant.instrument, "instrument_version": grant.instrument_version}
        with pytest.raises(DatabaseError, match="only an imported total"), transaction.atomic():
            Rating.objects.create(grant=grant, session=session, mode=Mode.LINE, **form, **marks)
        Rating.objects.create(grant=grant, session=session, mode=Mode.IMPORTED, **form, **marks)


class TestSessions:
    def test_are_numbered_by_their_dates_whatever_the_order_of_the_rows(self, clinic, monkeypatch):
        monkeypatch.setattr("sessions_app.moving_in.walk.ROWS_AT_ONCE", 2)
        native = cast.therapy_session(episode(), ago=timedelta(days=1))
        days = ["2025-03-03", "2025-01-06", "2025-02-03", "2025-01-20", "2025-04-07"]
        imported(Kind.SESSIONS, sessions(*(f"4711;{day};;;;;;38" for day in days)), clinic.adam)
        found = list(episode().sessions.order_by("number"))
        assert [one.number for one in found] == [1, 2, 3, 4, 5, 6]
        assert [f"{timezone.localdate(one.held_at)}" for one in found[:5]] == sorted(days)
        assert found[-1].pk == native.pk
        assert nothing_differs()

    def test_the_same_file_again_makes_nothing(self, clinic):
        file = sessions(
            "4711;2025-01-20 14:00;S-1;8.2;7.9;8.5;8;", "4711;2025-01-27;;;;;;34.5", "4711;2025-02-03;;;;;;"
        )
        imported(Kind.SESSIONS, file, clinic.adam)
        before = (TherapySession.objects.count(), Rating.objects.count(), RatingGrant.objects.count())
        assert imported(Kind.SESSIONS, file, clinic.adam).counts == {
            "new": 0,
            "same": 3,
            "changed": 0,
            "wrong": 0,
        }
        assert (TherapySession.objects.count(), Rating.objects.count(), RatingGrant.objects.count()) == before

    def test_in_the_hour_that_was_there_twice_makes_nothing_twice_either(self, clinic, settings):
        settings.TIME_ZONE = "Europe/Berlin"
        timezone.get_default_timezone.cache_clear()
        file = sessions("4711;2025-10-26 02:30;;;;;;34.5")
        imported(Kind.SESSIONS, file, clinic.adam)
        assert imported(Kind.SESSIONS, file, clinic.adam).counts["same"] == 1
        timezone.get_default_timezone.cache_clear()

    def test_two_on_one_day_are_two_where_they_have_times(self, clinic):
        rows = ("4711;2025-01-20 10:00;;;;;;38", "4711;2025-01-20 17:00;;;;;;36")
        imported(Kind.SESSIONS, sessions(*rows), clinic.adam)
        assert [rating.total for rating in Rating.objects.order_by("session__number")] == [380, 360]

    @pytest.mark.parametrize("rows", [("", ""), (" 10:00", ""), ("", " 10:00"), (" 10:00", " 10:00")])
    def test_two_on_one_day_that_cannot_be_told_apart_are_a_sentence(self, clinic, rows):
        file = sessions(*(f"4711;2025-01-20{time};;;;;;" for time in rows))
        assert sentences(checked(Kind.SESSIONS, file, clinic.adam)) == [
            "3 Date: The file has another session of this client at this time."
        ]

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ("9;2025-01-20;;;;;;", "No client with the number 9 was imported."),
            (
                "4711;2023-12-31;;;;;;",
                "31 December 2023 is in no episode of this client. Their episodes: since 1 Jan",
            ),
            ("4711;2999-12-31;;;;;;", "more than a year ahead"),
            (";2025-01-20;;;;;;", "Neither the client nor the episode is named."),
            ("4711;9999-12-31;;;;;;", "more than a year ahead"),
            ("4711;soon;;;;;;", "“soon” is no day"),
        ],
    )
    def test_that_cannot_be_are_a_sentence(self, clinic, row, sentence):
        assert sentence in says(clinic, row)

    def test_to_come_are_planned_and_have_no_marks(self, clinic):
        ahead = f"{timezone.localdate() + timedelta(days=7)}"
        imported(Kind.SESSIONS, sessions(f"4711;{ahead};;;;;;"), clinic.adam)
        assert episode().sessions.get().attendance == "planned"
        later = f"{timezone.localdate() + timedelta(days=9)}"
        assert "still to come, and there are marks" in says(clinic, f"4711;{later};;;;;;38")
        row = f"4711;{later};attended"
        run = checked(Kind.SESSIONS, text("Client;Date;Attendance", row), clinic.adam)
        assert sentences(run) == ["2 Attendance: This session is still to come: leave it planned."]

    def test_that_were_missed_have_no_marks(self, clinic):
        file = text("Client;Date;Attendance;Total", "4711;2025-01-20;no show;38")
        assert sentences(checked(Kind.SESSIONS, file, clinic.adam)) == [
            "2 Attendance: There are marks in this row, so the session took place."
        ]

    def test_whose_number_stands_in_the_file_twice_are_a_sentence(self, clinic):
        file = sessions("4711;2025-01-20;S-1;;;;;", "4711;2025-01-27;S-1;;;;;")
        assert sentences(checked(Kind.SESSIONS, file, clinic.adam)) == [
            "3 Session id: S-1 stands in the file twice."
        ]

    def test_more_than_an_episode_can_hold_are_a_sentence_and_store_nothing(self, clinic, monkeypatch):
        monkeypatch.setattr("sessions_app.moving_in.course_import.MOST_SESSIONS", 2)
        run = checked(Kind.SESSIONS, sessions(*weeks("2025-01-06", [380] * 3)), clinic.adam)
        with pytest.raises(Refused, match="Client 4711 would have more than 2 sessions in one episode"):
            finished(run, clinic.adam)
        assert not TherapySession.objects.exists()
        assert not Rating.objects.exists()

    def test_of_a_closed_episode_come_into_the_one_of_their_day(self, clinic):
        row = "4711;olga@clinic.example;2020-01-01;2020-12-31;planned"
        imported(Kind.EPISODES, text("Client;Therapist;Opened on;Closed on;Kind of ending", row), clinic.adam)
        imported(Kind.SESSIONS, sessions("4711;2020-03-02;;;;;;38", "4711;2025-03-03;;;;;;38"), clinic.adam)
        assert [one.sessions.count() for one in Episode.objects.filter(client__label="C-4711")] == [1, 1]

    def test_on_a_day_with_two_episodes_come_into_the_one_that_is_named(self, clinic, monkeypatch):
        header = "Client;Therapist;Opened on;Closed on;Kind of ending;Episode id"
        row = "4711;carl@clinic.example;2024-06-01;;;E-2"
        imported(Kind.EPISODES, text(header, row), clinic.adam)
        a_client(clinic.adam, "4712")
        assert "has more than one episode on 20 January 2025: name the one" in says(
            clinic, "4711;2025-01-20;;;;;;38"
        )
        rows = ("4711;E-2;2025-01-20;38", ";E-2;2025-01-27;36")
        imported(Kind.SESSIONS, text("Client;Episode id;Date;Total", *rows), clinic.adam)
        assert Rating.objects.visible_to(clinic.carl).count() == 2
        assert not Rating.objects.visible_to(clinic.olga).exists()
        rows = ("4711;E-9;2025-01-20;38", "4712;E-2;2025-02-03;38")
        run = checked(Kind.SESSIONS, text("Client;Episode id;Date;Total", *rows), clinic.adam)
        assert sentences(run) == [
            "2 Episode id: No episode with the number E-9 was imported.",
            "3 Client: Episode E-2 is not one of client 4712.",
        ]
        monkeypatch.setattr("sessions_app.moving_in.course_import.MOST_SESSIONS", 2)
        run = checked(Kind.SESSIONS, text("Client;Episode id;Date;Total", ";E-2;2025-02-03;38"), clinic.adam)
        with pytest.raises(Refused, match="Episode E-2 would have more than 2 sessions"):
            finished(run, clinic.adam)

    def test_that_are_here_by_hand_get_their_marks_and_are_not_doubled(self, clinic):
        day = timezone.localdate() - timedelta(days=3)
        here = cast.therapy_session(
            episode(), held_at=timezone.make_aware(datetime(day.year, day.month, day.day, 9))
        )
        imported(Kind.SESSIONS, sessions(f"4711;{day};;;;;;38"), clinic.adam)
        assert here.ratings.get().total == 380
        assert episode().sessions.count() == 1


class TestWhatIsHere:
    def test_a_rating_given_here_is_never_changed_nor_is_it_told_whether_it_is_the_same(self, clinic):
        """Else the office could find out what a client marked by guessing."""
        session = cast.therapy_session(episode(), ago=timedelta(days=3))
        rating = cast.rating(session, 380)
        day = timezone.localdate(session.held_at)
        said = {says(clinic, f"4711;{day};;;;;;{total}") for total in ("38", "20")}
        lines = ";".join(str(rating.answers[item] / 10) for item in LINES)
        said.add(says(clinic, f"4711;{day};;{lines};"))
        assert said == {f"2 : {HAS_MARKS}"}
        assert Rating.objects.count() == 1

    def test_a_rating_that_was_imported_with_other_marks_is_a_sentence(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;;;;;;38"), clinic.adam)
        assert "imported with other marks before" in says(clinic, "4711;2025-01-20;;;;;;37")
        assert Rating.objects.get().total == 380

    def test_imported_marks_that_were_set_aside_since_make_the_same_file_no_other_one(self, clinic):
        file = sessions("4711;2025-01-20;;;;;;38")
        imported(Kind.SESSIONS, file, clinic.adam)
        misfiling_actions.set_aside(rating=Rating.objects.get(), why="another client's", by=clinic.olga)
        assert imported(Kind.SESSIONS, file, clinic.adam).counts["same"] == 1
        assert not Rating.objects.standing().exists()
        assert nothing_differs()

    def test_a_session_that_was_voided_does_not_come_back(self, clinic):
        file = sessions("4711;2025-01-20;;;;;;")
        imported(Kind.SESSIONS, file, clinic.adam)
        session_actions.void_session(
            session=TherapySession.objects.get(), why="never took place", by=clinic.olga
        )
        assert imported(Kind.SESSIONS, file, clinic.adam).counts["same"] == 1
        assert not TherapySession.objects.exists()
        assert "was voided here" in says(clinic, "4711;2025-01-20;;;;;;38")

    def test_a_session_whose_form_is_out_waits_for_it(self, clinic):
        session = cast.therapy_session(episode(), ago=timedelta(days=1))
        hand_over_actions.hand_over(session=session, by=clinic.olga)
        day = timezone.localdate(session.held_at)
        assert "its rating may still come" in says(clinic, f"4711;{day};;;;;;38")

    def test_a_session_that_did_not_take_place_gets_no_marks(self, clinic):
        session = cast.therapy_session(episode(), ago=timedelta(days=3), attendance="cancelled")
        day = timezone.localdate(session.held_at)
        assert "did not take place here" in says(clinic, f"4711;{day};;;;;;38")

    def test_another_day_under_a_known_number_is_a_sentence(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;S-1;;;;;"), clinic.adam)
        assert "S-1 is here on 20 January 2025" in says(clinic, "4711;2025-01-21;S-1;;;;;")


HAS_MARKS = (
    "This session has a rating already, given here. Take the marks out of this row: no import changes it."
)


class TestRatingsApart:
    def test_find_their_session_by_number_or_by_day(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;S-1;;;;;", "4711;2025-01-27;;;;;;"), clinic.adam)
        file = text(RATINGS, "S-1;;;8.2;7.9;8.5;8;", ";4711;2025-01-27;;;;;34.5")
        imported(Kind.RATINGS, file, clinic.adam)
        assert [rating.total for rating in Rating.objects.order_by("session__number")] == [326, 345]
        assert imported(Kind.RATINGS, file, clinic.adam).counts["same"] == 2
        assert nothing_differs()

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ("S-9;;;;;;;38", "No session S-9 was imported"),
            (";4711;2025-01-20;;;;;38", "Client 4711 has no session on 20 January 2025"),
            (";4711;;;;;;38", "Name the session, or the client and the date."),
            ("S-9;;;;;;;", "There are no marks in this row."),
            (";9;2025-01-20;;;;;38", "No client with the number 9 was imported."),
            (";4711;9999-12-31;;;;;38", "more than a year ahead"),
        ],
    )
    def test_that_find_none_are_a_sentence(self, clinic, row, sentence):
        assert sentence in " ".join(sentences(checked(Kind.RATINGS, text(RATINGS, row), clinic.adam)))

    def test_two_sessions_on_the_day_are_told_apart_by_the_time_alone(self, clinic):
        imported(
            Kind.SESSIONS, sessions("4711;2025-01-20 10:00;;;;;;", "4711;2025-01-20 17:00;;;;;;"), clinic.adam
        )
        run = checked(Kind.RATINGS, text(RATINGS, ";4711;2025-01-20;;;;;38"), clinic.adam)
        assert sentences(run) == [
            "2 Date of the session: Client 4711 has more than one session on 20 January 2025: give the time."
        ]
        imported(Kind.RATINGS, text(RATINGS, ";4711;2025-01-20 17:00;;;;;38"), clinic.adam)
        assert Rating.objects.get().session.number == 2

    def test_marks_go_to_nobody_where_the_number_of_the_session_is_another_clients(self, clinic):
        """A shifted column of numbers would give one client's marks to another, and to their therapist."""
        a_client(clinic.adam, "4712", "carl@clinic.example")
        imported(Kind.SESSIONS, sessions("4711;2025-01-20 14:00;S-1;;;;;"), clinic.adam)
        rows = ("S-1;4712;2025-01-20;;;;;38", "S-1;9;;;;;;38", "S-1;4711;2025-01-21;;;;;38")
        said = [
            sentences(checked(Kind.RATINGS, text(RATINGS, row), clinic.adam))[0].removeprefix("2 ")
            for row in rows
        ]
        assert said == [
            "Client: Session S-1 is not one of client 4712.",
            "Client: Session S-1 is not one of client 9.",
            "Date of the session: Session S-1 is here on 20 January 2025.",
        ]
        assert not Rating.objects.exists()
        imported(Kind.RATINGS, text(RATINGS, "S-1;4711;2025-01-20 14:50;;;;;38"), clinic.adam)
        assert Rating.objects.visible_to(clinic.olga).get().total == 380

    def test_two_of_one_session_are_a_sentence(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-20;S-1;;;;;"), clinic.adam)
        run = checked(Kind.RATINGS, text(RATINGS, "S-1;;;;;;;38", ";4711;2025-01-20;;;;;38"), clinic.adam)
        assert sentences(run) == ["3 : The file has another rating of this session."]


class TestWhatCalls:
    def calling(self, clinic) -> list[str]:
        return [str(row.episode.client) for row in work_list.build(clinic.olga, timezone.now()).talks]

    def test_years_of_falls_do_not_call_for_a_talk_today(self, clinic):
        totals = [380, 384, 320, 380, 384, 320, 380, 382, 384, 383]
        imported(Kind.SESSIONS, sessions(*weeks("2025-01-06", totals)), clinic.adam)
        assert Flag.objects.standing().filter(rule="C", on_work_list=True).count() == 2
        assert self.calling(clinic) == []

    def test_the_latest_rating_does_until_another_one_follows(self, clinic):
        imported(Kind.SESSIONS, sessions(*weeks("2025-01-06", [380, 384, 383, 320])), clinic.adam)
        assert self.calling(clinic) == ["C-4711"]
        cast.rating(cast.therapy_session(episode()), 384)
        assert self.calling(clinic) == []
        assert nothing_differs()

    def test_a_rating_given_here_is_compared_with_them(self, clinic):
        imported(Kind.SESSIONS, sessions(*weeks("2025-01-06", [380, 384, 383, 382])), clinic.adam)
        cast.rating(cast.therapy_session(episode()), 330)
        assert self.calling(clinic) == ["C-4711"]


class TestThePages:
    def test_say_that_a_rating_was_imported_and_that_a_total_has_no_lines(self, clinic, sign_in):
        rows = ("4711;2025-01-20;;8.2;7.9;8.5;8;", "4711;2025-01-27;;;;;;34.5")
        imported(Kind.SESSIONS, sessions(*rows), clinic.adam)
        page = sign_in(clinic.olga).get(reverse("dashboard:client", args=[episode().code])).content.decode()
        assert page.count("Imported from another system") == 2
        assert page.count("Total only, imported") == 1
        assert "34.5" in page
        assert "8.6" not in page  # a quarter of the total

    def test_the_page_for_two_shows_no_line_of_a_total(self, clinic):
        imported(Kind.SESSIONS, sessions("4711;2025-01-27;;;;;;34.5"), clinic.adam)
        assert not any(together._has_lines(rating) for rating in Rating.objects.all())

    def test_a_total_that_counts_again_is_the_total_that_came(self, clinic):
        """Marks that had been set aside are used in its place, and taken out again."""
        day = timezone.localdate() - timedelta(days=2)
        session = cast.therapy_session(episode(), ago=timedelta(days=2))
        grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
        hand_over_actions.take_back(grant=grant, by=clinic.olga)
        imported(Kind.SESSIONS, sessions(f"4711;{day};;;;;;34.5"), clinic.adam)
        total = session.ratings.get()
        with pytest.raises(Exception, match="taken back"):
            cast.record_rating(grant=grant, answers=cast.answers(300), mode=Mode.LINE)
        used = decide.use(aside=session.set_aside.get(), seen=total.code, by=clinic.olga)
        again = decide.put_back(rating=used, by=clinic.olga)
        assert (again.total, again.is_total_only, again.mode) == (345, True, Mode.IMPORTED)


def test_marks_of_a_licensed_form_keep_its_edition(clinic):
    wording = cast.wording(clinic.adam)
    imported(Kind.SESSIONS, sessions("4711;2025-01-20;;;;;;38"), clinic.adam, form=f"srs:{wording.edition}")
    rating = Rating.objects.get()
    assert (rating.instrument, rating.wording) == ("srs", wording)


def test_the_log_names_each_client_once_a_file(clinic):
    imported(Kind.SESSIONS, sessions(*weeks("2025-01-06", [380, 384])), clinic.adam)
    line = AuditEvent.objects.get(action="course imported")
    assert (line.client, line.actor) == (episode().client.code, clinic.adam.pk)
    assert line.detail.keys() == {"imported"}


def test_an_episode_that_was_not_locked_stops_the_import(clinic):
    """A client who was moved since the check: the order of locks would not hold any more."""
    run = checked(Kind.SESSIONS, sessions("4711;2025-01-20;;;;;;38"), clinic.adam)
    run.episodes = []
    run.save()
    with pytest.raises(Refused, match="changed meanwhile"):
        finished(run, clinic.adam)
    assert not Rating.objects.exists()


def test_queries_are_the_same_for_few_and_many_rows(clinic):
    counts = []
    for many, number in ((3, "7001"), (30, "7002")):
        imported(
            Kind.CLIENTS, clients(f"{number};X-{number};en;;olga@clinic.example;2024-01-01"), clinic.adam
        )
        run = checked(Kind.SESSIONS, text(SESSIONS, *weeks("2024-01-08", [380] * many, number)), clinic.adam)
        with CaptureQueriesContext(connection) as asked:
            finished(run, clinic.adam)
        counts.append(len(asked))
    assert counts[0] == counts[1]
