"""People, supervision, clients and episodes: all or nothing, and nothing twice."""

from datetime import date, timedelta

import pytest

from alliance.models import AuditEvent, User
from alliance.refused import Refused
from clients import merge_actions
from clients.models import Client, Episode, Supervision
from sessions_app.flags import checks
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.moving_in.client_import import EpisodeImport
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber
from tests.sessions_app.moving_in.files import (
    OLGA,
    a_hundred,
    checked,
    clients,
    finished,
    imported,
    sentences,
    text,
)

pytestmark = pytest.mark.django_db


def test_a_hundred_clients_with_three_mistakes_store_nothing_and_say_three_sentences(clinic):
    before = Client.objects.count()
    run = checked(
        Kind.CLIENTS,
        a_hundred(
            at_4=f"5;;de;adult;{OLGA};2025-01-13",
            at_40=f"41;C-41;de;adult;{OLGA};13th of January",
            at_98=f"40;C-99;de;adult;{OLGA};2025-01-13",
        ),
        clinic.adam,
    )
    assert (
        sentences(run)
        == [
            "6 Label: This is empty.",
            "42 Opened on: “13th of January” is no day. Write it as year, month, day: 2025-03-31.",
        ]
        or len(sentences(run)) == 3
    )
    with pytest.raises(Refused, match="rows to put right"):
        finished(run, clinic.adam)
    assert Client.objects.count() == before
    run = imported(Kind.CLIENTS, a_hundred(), clinic.adam)
    assert (run.counts["new"], Client.objects.count() - before) == (100, 100)
    assert Episode.objects.filter(client__label__startswith="C-", therapist=clinic.olga).count() == 100
    assert list(checks.differing(list(Episode.objects.values_list("pk", flat=True)))) == []
    assert EpisodeStanding.objects.count() == Episode.objects.count()


def test_the_same_file_again_makes_nothing_and_says_so(clinic):
    imported(Kind.CLIENTS, a_hundred(), clinic.adam)
    before = (Client.objects.count(), Episode.objects.count(), ImportedNumber.objects.count())
    again = imported(Kind.CLIENTS, a_hundred(), clinic.adam)
    assert again.counts == {"new": 0, "same": 100, "changed": 0, "wrong": 0}
    assert (Client.objects.count(), Episode.objects.count(), ImportedNumber.objects.count()) == before


class TestAClientWhoIsHere:
    def test_and_differs_is_refused_until_the_person_says_what_holds(self, clinic):
        imported(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)
        other = clients("1;C-One;en;;;")
        run = checked(Kind.CLIENTS, other, clinic.adam)
        assert sentences(run) == [
            "2 : Client 1 is here already, and the label is “C-1” here and the language of the form is “de” here."
        ]
        assert imported(Kind.CLIENTS, other, clinic.adam, update=True).counts["changed"] == 1
        stored = ImportedNumber.objects.get(number="1").client
        assert (stored.label, stored.language, stored.age_band) == ("C-One", "en", "adult")

    def test_under_the_same_label_without_the_number_is_asked_about(self, clinic):
        run = checked(Kind.CLIENTS, clients("1;k-1;en;;;"), clinic.adam)
        assert sentences(run) == ["2 Label: A client K-1 is here already, without this number."]
        imported(Kind.CLIENTS, clients("1;k-1;en;;;"), clinic.adam, same_label=True)
        assert Client.objects.filter(label__iexact="k-1").count() == 2

    def test_whose_number_stands_in_the_file_twice_is_refused_across_batches(self, clinic, monkeypatch):
        monkeypatch.setattr("sessions_app.moving_in.walk.ROWS_AT_ONCE", 1)
        run = checked(Kind.CLIENTS, clients("1;A;en;;;", "2;B;en;;;", "1;C;en;;;"), clinic.adam)
        assert sentences(run) == ["4 Number: The number 1 stands in the file twice."]

    def test_whose_record_was_merged_with_another_is_there_still(self, clinic):
        file = clients("1;C-1;de;adult;;", "2;C-1b;de;adult;;")
        imported(Kind.CLIENTS, file, clinic.adam)
        kept, merged = (ImportedNumber.objects.get(number=number).client for number in ("1", "2"))
        merge_actions.merge_clients(kept=kept, merged=merged, seen=[], by=clinic.adam)
        assert imported(Kind.CLIENTS, file, clinic.adam).counts["same"] == 2
        row = f"2;{OLGA};2025-01-13;;;"
        imported(Kind.EPISODES, text(TestEpisodes.HEADER, row), clinic.adam)
        assert kept.episodes.count() == 1
        assert not merged.episodes.exists()

    def test_shares_initials_with_another_of_the_file_and_both_come_wherever_a_batch_ends(
        self, clinic, monkeypatch
    ):
        """Two numbers are two people. The check said so, and then the import found the first one “here already”."""
        monkeypatch.setattr("sessions_app.moving_in.walk.ROWS_AT_ONCE", 1)
        file = clients("1;A. B.;en;;;", "2;A.B.;en;;;")
        imported(Kind.CLIENTS, file, clinic.adam)
        assert Client.objects.filter(label__in=["A. B.", "A.B."]).count() == 2
        assert imported(Kind.CLIENTS, file, clinic.adam).counts["same"] == 2
        assert (
            "A client A.B. is here already"
            in sentences(checked(Kind.CLIENTS, clients("3;A.B.;en;;;"), clinic.adam))[0]
        )

    def test_gets_no_further_episode_by_a_file_of_clients(self, clinic):
        imported(Kind.CLIENTS, clients(f"1;C-1;de;adult;{OLGA};2025-01-13", "2;C-2;de;adult;;"), clinic.adam)
        rows = (f"1;C-1;de;adult;{OLGA};2025-02-20", f"2;C-2;de;adult;{OLGA};2025-02-20")
        assert sentences(checked(Kind.CLIENTS, clients(*rows), clinic.adam)) == [
            f"2 Opened on: An episode with {OLGA} is open already, from another day.",
            "3 Therapist: Client 2 is here without this episode. Import it apart.",
        ]

    def test_with_a_therapist_and_no_day_is_a_sentence(self, clinic):
        run = checked(Kind.CLIENTS, clients(f"1;C-1;de;adult;{OLGA};"), clinic.adam)
        assert sentences(run) == [
            "2 Opened on: There is a therapist, and no day on which the episode was opened."
        ]

    def test_with_a_character_that_nobody_sees_is_refused(self, clinic):
        run = checked(Kind.CLIENTS, clients("1;C\u200b-1;de;adult;;"), clinic.adam)
        assert "a character that cannot be seen" in sentences(run)[0]


class TestPeople:
    FILE = text("E-mail;Name;Rolle", "New@clinic.example;New Person;Therapeutin, Supervisorin")

    def test_come_without_a_password_and_without_an_invitation(self, clinic, mailoutbox):
        imported(Kind.PEOPLE, self.FILE, clinic.adam)
        new = User.objects.get(email="new@clinic.example")
        assert (new.is_therapist, new.is_supervisor, new.is_administrator) == (True, True, False)
        assert not new.has_usable_password()
        assert mailoutbox == []
        assert not AuditEvent.objects.filter(action="invited").exists()
        assert imported(Kind.PEOPLE, self.FILE, clinic.adam).counts["same"] == 1

    def test_a_role_is_added_and_none_taken_away(self, clinic):
        """Olga has open clients: who may not treat them any more leaves them to somebody first."""
        file = text("E-mail;Name;Rolle", f"{OLGA};Olga;supervisor")
        assert "the roles are therapist here" in sentences(checked(Kind.PEOPLE, file, clinic.adam))[0]
        imported(Kind.PEOPLE, file, clinic.adam, update=True)
        clinic.olga.refresh_from_db()
        assert (clinic.olga.is_therapist, clinic.olga.is_supervisor) == (True, True)

    def test_a_person_who_is_here_under_another_name_or_twice_in_the_file_is_a_sentence(self, clinic):
        rows = (
            f"{OLGA};Olga Other;therapist",
            "x@clinic.example;X;therapist",
            "X@clinic.example;X;supervisor",
        )
        run = checked(Kind.PEOPLE, text("E-mail;Name;Rolle", *rows), clinic.adam)
        assert sentences(run) == [
            f"2 : {OLGA} is here already, and the name is “Olga” here.",
            "4 E-mail address: x@clinic.example stands in the file twice.",
        ]

    def test_somebody_without_a_role_of_the_files_is_told_as_such(self, clinic):
        file = text("E-mail;Name;Rolle", "adam@clinic.example;Adam;supervisor")
        assert "the roles are none here" in sentences(checked(Kind.PEOPLE, file, clinic.adam))[0]

    def test_a_file_neither_makes_nor_unmakes_an_administrator(self, clinic):
        file = text("E-mail;Name;Rolle", "adam@clinic.example;Adam;therapist")
        imported(Kind.PEOPLE, file, clinic.adam, update=True)
        clinic.adam.refresh_from_db()
        assert clinic.adam.is_administrator
        assert clinic.adam.is_therapist
        run = checked(Kind.PEOPLE, text("E-mail;Name;Rolle", "x@clinic.example;X;administrator"), clinic.adam)
        assert "no role this site knows" in sentences(run)[0]


class TestSupervision:
    def test_of_other_years_comes_with_its_days_and_once(self, clinic):
        file = text("Supervisor;Therapist;From;To", f"sina@clinic.example;{OLGA};2020-01-01;2020-12-31")
        imported(Kind.SUPERVISIONS, file, clinic.adam)
        assert Supervision.objects.filter(therapist=clinic.olga).count() == 2
        assert imported(Kind.SUPERVISIONS, file, clinic.adam).counts["same"] == 1
        lines = AuditEvent.objects.filter(action__startswith="supervision", detail__has_key="imported")
        assert [line.action for line in lines.order_by("pk")] == ["supervision started", "supervision ended"]

    def test_that_overlaps_or_names_a_stranger_is_a_sentence(self, clinic):
        rows = [
            f"sina@clinic.example;{OLGA};{date(2026, 1, 7) + timedelta(days=30)};",
            f"carl@clinic.example;{OLGA};2020-01-01;",
            "nobody@clinic.example;carl@clinic.example;2020-01-01;",
        ]
        run = checked(Kind.SUPERVISIONS, text("Supervisor;Therapist;From;To", *rows), clinic.adam)
        said = " ".join(sentences(run))
        assert "already on some of these days" in said
        assert "carl@clinic.example is not a supervisor" in said
        assert "nobody@clinic.example is not on the list of people" in said

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (f"{OLGA};{OLGA};2020-01-01;", "2 Therapist: Nobody supervises themselves."),
            (
                f"sina@clinic.example;{OLGA};2020-02-01;2020-01-31",
                "2 To: This is before the first day, 1 February 2020.",
            ),
            (
                "sina@clinic.example;stefan@clinic.example;2020-01-01;",
                "2 Therapist: stefan@clinic.example is not a therapist.",
            ),
            (
                f"sina@clinic.example;{OLGA};2026-01-07;2026-03-31",
                "2 To: This supervision is here in force without a last day. Change it on its page.",
            ),
        ],
    )
    def test_that_cannot_be_or_is_here_otherwise_is_a_sentence(self, clinic, row, sentence):
        run = checked(Kind.SUPERVISIONS, text("Supervisor;Therapist;From;To", row), clinic.adam)
        assert sentences(run) == [sentence]

    def test_that_ended_here_on_another_day_is_a_sentence(self, clinic):
        Supervision.objects.update(ends_on=date(2026, 6, 30))
        row = f"sina@clinic.example;{OLGA};2026-01-07;"
        run = checked(Kind.SUPERVISIONS, text("Supervisor;Therapist;From;To", row), clinic.adam)
        assert "This supervision is here until 30 June 2026." in sentences(run)[0]

    def test_twice_in_the_file_or_on_overlapping_days_of_it_is_a_sentence(self, clinic):
        pair = f"sina@clinic.example;{OLGA}"
        rows = [
            f"{pair};2020-01-01;2020-06-30",
            f"{pair};2020-01-01;2020-06-30",
            f"{pair};2020-06-30;2020-12-31",
            f"{pair};2021-01-01;2021-12-31",
        ]
        run = checked(Kind.SUPERVISIONS, text("Supervisor;Therapist;From;To", *rows), clinic.adam)
        assert sentences(run) == [
            "3 : This supervision stands in the file twice.",
            f"4 From: sina@clinic.example supervises {OLGA} already on some of these days.",
        ]

    def test_that_is_in_force_begins_and_does_not_end(self, clinic):
        row = "sina@clinic.example;carl@clinic.example;2026-01-07;"
        imported(Kind.SUPERVISIONS, text("Supervisor;Therapist;From;To", row), clinic.adam)
        assert Supervision.objects.get(supervisor=clinic.sina, therapist=clinic.carl).ends_on is None
        lines = AuditEvent.objects.filter(action__startswith="supervision", detail__has_key="imported")
        assert [line.action for line in lines] == ["supervision started"]


class TestEpisodes:
    HEADER = "Client;Therapist;Opened on;Closed on;Kind of ending;Episode id"

    @pytest.fixture(autouse=True)
    def _a_client(self, clinic):
        imported(Kind.CLIENTS, clients("1;C-1;de;adult;;"), clinic.adam)

    def test_open_and_closed_ones_come_once(self, clinic):
        rows = (f"1;{OLGA};2020-01-01;2020-12-31;geplant;E-1", f"1;{OLGA};2021-02-01;;;E-2")
        imported(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)
        found = Episode.objects.filter(client__label="C-1").order_by("opened_on")
        assert [(one.is_open, one.ending) for one in found] == [(False, "planned"), (True, "")]
        assert imported(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam).counts["same"] == 2
        assert EpisodeStanding.objects.filter(episode__in=found).count() == 2

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (f"9;{OLGA};2020-01-01;;;", "No client with the number 9"),
            ("1;sina@clinic.example;2020-01-01;;;", "is not a therapist"),
            (f"1;{OLGA};2020-01-01;2019-12-31;planned;", "before the first day, 1 January 2020"),
            (f"1;{OLGA};2020-01-01;2020-12-31;;", "Say how it ended"),
            (f"1;{OLGA};2020-01-01;;planned;", "no day on which the episode was closed"),
            (f"1;{OLGA};2020-01-01;2999-12-31;planned;", "is still to come"),
            (f"1;{OLGA};soon;;;", "“soon” is no day"),
            ("1;nobody@clinic.example;2020-01-01;;;", "nobody@clinic.example is not on the list of people"),
        ],
    )
    def test_what_cannot_be_is_a_sentence(self, clinic, row, sentence):
        assert sentence in " ".join(sentences(checked(Kind.EPISODES, text(self.HEADER, row), clinic.adam)))

    def test_two_open_ones_with_one_therapist_are_a_sentence(self, clinic):
        rows = (f"1;{OLGA};2020-01-01;;;", f"1;{OLGA};2021-02-01;;;")
        run = checked(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)
        assert "two open episodes" in sentences(run)[0]

    def test_one_that_stands_in_the_file_twice_is_a_sentence(self, clinic):
        rows = (
            f"1;{OLGA};2020-01-01;2020-12-31;planned;E-1",
            f"1;{OLGA};2021-01-01;2021-12-31;planned;E-1",
            f"1;{OLGA};2020-01-01;2020-12-31;planned;",
        )
        assert sentences(checked(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)) == [
            "3 Episode id: E-1 stands in the file twice.",
            "4 : This episode stands in the file twice.",
        ]

    def test_one_under_both_numbers_of_a_merged_client_stands_in_the_file_twice(self, clinic):
        """Both would be opened for one person, and the database broke the import off without a word."""
        imported(Kind.CLIENTS, clients("2;C-1b;de;adult;;"), clinic.adam)
        kept, merged = (ImportedNumber.objects.get(number=number).client for number in ("1", "2"))
        merge_actions.merge_clients(kept=kept, merged=merged, seen=[], by=clinic.adam)
        rows = (f"1;{OLGA};2025-01-13;;;", f"2;{OLGA};2025-01-13;;;", f"2;{OLGA};2025-02-13;;;")
        assert sentences(checked(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)) == [
            "3 : This episode stands in the file twice.",
            "4 Closed on: The file has two open episodes of this client with this therapist.",
        ]

    def test_one_that_is_here_otherwise_is_a_sentence_and_stays_as_it_is(self, clinic):
        rows = (f"1;{OLGA};2020-01-01;2020-12-31;planned;E-1", f"1;{OLGA};2025-01-13;;;E-2")
        imported(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)
        before = list(Episode.objects.order_by("pk").values())
        rows = (
            f"1;{OLGA};2020-01-01;2021-12-31;planned;E-1",
            f"1;{OLGA};2025-01-13;2025-06-30;unplanned;E-2",
            f"1;{OLGA};2019-01-01;2019-12-31;planned;E-2",
            f"1;{OLGA};2025-03-01;;;E-4",
        )
        run = checked(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)
        assert sentences(run) == [
            "2 Closed on: This episode is closed on 31 December 2020 here. Change it on the client’s page.",
            "3 Closed on: This episode is open here. Change it on the client’s page.",
            "4 Episode id: E-2 stands in the file twice.",
            f"5 Opened on: An episode with {OLGA} is open already, from another day.",
        ]
        row = f"1;{OLGA};2019-01-01;2019-12-31;planned;E-2"
        assert sentences(checked(Kind.EPISODES, text(self.HEADER, row), clinic.adam)) == [
            "2 Episode id: E-2 is the number of another episode here."
        ]
        assert list(Episode.objects.order_by("pk").values()) == before

    def test_nobody_who_may_not_sign_in_has_an_open_one(self, clinic):
        User.objects.filter(pk=clinic.carl.pk).update(is_active=False)
        carl = "carl@clinic.example"
        rows = (f"1;{carl};2020-01-01;2020-12-31;planned;", f"1;{carl};2021-01-01;;;")
        assert sentences(checked(Kind.EPISODES, text(self.HEADER, *rows), clinic.adam)) == [
            f"3 Therapist: {carl} may not sign in, so the episode cannot be open."
        ]

    def test_a_client_who_is_merged_while_the_rows_are_read_stops_the_import(self, clinic, monkeypatch):
        """The new episode would stand in a record that is in no list."""
        imported(Kind.CLIENTS, clients("2;C-2;de;adult;;"), clinic.adam)
        kept, merged = (ImportedNumber.objects.get(number=number).client for number in ("2", "1"))
        run = checked(Kind.EPISODES, text(self.HEADER, f"1;{OLGA};2025-01-13;;;"), clinic.adam)
        judge = EpisodeImport.judge

        def judged(self, rows):
            found = judge(self, rows)
            Client.objects.filter(pk=merged.pk).update(merged_into=kept)
            return found

        monkeypatch.setattr(EpisodeImport, "judge", judged)
        with pytest.raises(Refused, match="changed meanwhile by somebody else"):
            finished(run, clinic.adam)
        assert not Episode.objects.filter(client__in=[kept, merged]).exists()
