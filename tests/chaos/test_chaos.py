"""The short way of `make chaos`: a killed worker, and on PostgreSQL ended connections, while ratings arrive.

And whether its census sees at all: each thing that it counts is put into the database once.
"""

import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from alliance.measurement import instruments
from clients.models import Client
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Mode, Rating
from sessions_app.intake.record_rating import NotStored, record_rating
from tests import cast
from tests.alliance.operations.processes import url_of_the_tests
from tests.chaos import census, faults, tickets
from tests.chaos.devices import NOTHING, STORED, Load, Told
from tests.chaos.scene import SQLITE, Scene, Site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(tmp_path):
    """A site on the database of the tests, with its web server."""
    site = Site(SQLITE, tmp_path, settings.SECRET_KEY)
    scene = Scene(site, tickets.read(tickets.make(24, 4)), url=url_of_the_tests())
    try:
        scene.serve()
        yield scene
    finally:
        scene.end()


def end_its_connections():
    """As a server does that is stopped or fails over: those of the site, and that of this test, which opens another."""
    with psycopg.connect(url_of_the_tests(), autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)",
            [connection.connection.info.backend_pid],
        )


def test_ratings_that_arrive_while_a_worker_dies_are_lost_or_doubled(scene):
    load = Load(scene.tickets, [scene.web.port], a_second=8)
    load.start()
    time.sleep(1)
    before = set(scene.web.workers())
    scene.web.kill_worker()
    time.sleep(1)
    if connection.vendor == "postgresql":
        end_its_connections()
    while not load.ran_out:
        time.sleep(0.1)
    handed_in = load.end(seconds=60)
    counts = census.judged(handed_in, census.taken(scene.tickets))
    assert counts == census.Counts(acknowledged=len(scene.tickets)), {told.last for _, told in handed_in}
    assert len(before) == 2
    assert before != set(scene.web.workers())


class TestTheCensus:
    """Olga's one client was handed a form."""

    @pytest.fixture
    def ticket(self):
        return next(one for one in tickets.read(tickets.make(1, 1)) if one.grant)

    def judge(self, ticket, said):
        return census.judged([(ticket, Told(ticket.name, said))], census.taken([ticket]))

    def rated(self, ticket, **other):
        grant = RatingGrant.objects.get(code=ticket.grant)
        return record_rating(grant=grant, answers={**ticket.marks, **other}, mode=Mode.LINE)

    def test_what_arrived_once(self, ticket):
        self.rated(ticket)
        assert self.judge(ticket, STORED) == census.Counts(acknowledged=1)

    def test_a_rating_that_is_not_there_is_lost_and_the_answer_was_untrue(self, ticket):
        assert self.judge(ticket, STORED) == census.Counts(acknowledged=1, lost=1, untrue=1)

    def test_other_marks_than_were_handed_in_are_lost_ones(self, ticket):
        self.rated(ticket, goals=(ticket.marks["goals"] + 1) % 100)
        assert self.judge(ticket, STORED) == census.Counts(acknowledged=1, lost=1)

    def test_the_same_marks_in_two_rows_are_doubled(self, ticket, monkeypatch):
        self.rated(ticket)
        monkeypatch.setattr("sessions_app.intake.record_rating.hash_of_answers", lambda *_, **__: "0" * 64)
        with pytest.raises(NotStored):
            self.rated(ticket)
        assert self.judge(ticket, STORED) == census.Counts(acknowledged=1, doubled=1)

    def test_a_client_who_is_there_twice_is_doubled(self):
        ticket = next(one for one in tickets.read(tickets.make(1, 1)) if one.label)
        for _ in range(2):
            cast.episode(cast.User.objects.get(name="Olga"), ticket.label)
        assert self.judge(ticket, STORED).doubled == 1

    def test_a_rating_without_its_line_in_the_log_and_without_conclusions_is_half_written(self, ticket):
        grant = RatingGrant.objects.get(code=ticket.grant)
        form = instruments.get(grant.instrument, grant.instrument_version)
        Rating.objects.create(
            grant=grant,
            session=grant.session,
            instrument=form.id,
            instrument_version=form.version,
            answers=ticket.marks,
            total=sum(ticket.marks.values()),
            language="en",
            mode=Mode.LINE,
            sha256="0" * 64,
        )
        assert self.judge(ticket, STORED) == census.Counts(acknowledged=1, half=1)

    def test_a_client_without_an_episode_is_half_written(self):
        ticket = next(one for one in tickets.read(tickets.make(1, 1)) if one.label)
        Client.objects.create(label=ticket.label, language="en")
        assert self.judge(ticket, STORED).half == 1

    def test_nothing_was_saved_though_it_was(self, ticket):
        self.rated(ticket)
        assert self.judge(ticket, NOTHING) == census.Counts(untrue=1)

    def test_whoever_was_told_nothing_still_waits(self, ticket):
        assert self.judge(ticket, "") == census.Counts(waiting=1)


def test_one_fault_is_chosen_by_its_name():
    assert [one.name for one in faults.named("disk full")] == ["disk full"]
    assert len(faults.named("")) == len(faults.FAULTS)
    with pytest.raises(SystemExit, match="Not known: floods"):
        faults.named("floods")
