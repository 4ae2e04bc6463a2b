"""The seals of the access log: what is hashed, many lines and many at once; tampering: `test_log_seals`."""

import re
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from alliance import log_seals
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, AuditSeal
from alliance.operations import clock_tasks
from tests.alliance.sealed_lines import NOT_WHOLE, WHOLE, newest_head, written
from tests.alliance.tampering import tamper

# --- As it should be -----------------------------------------------------------------------------


def test_a_log_that_nobody_touched_is_said_to_be_whole_and_that_is_noted(ids, verify):
    said, error = verify()
    assert error is None
    assert said[-1] == WHOLE
    assert "10 lines under 3 seals were compared." in said
    assert said[-2].startswith(f"Head of the access log: {newest_head()} (seal 3 of ")
    assert AuditEvent.objects.latest("pk").action == LogEvent.LOG_VERIFIED
    said, error = verify()
    assert error is None
    assert "11 lines under 4 seals were compared." in said, "new lines are sealed first"


def test_what_was_found_is_noted_too(ids, verify):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[0])
    assert verify()[1] == NOT_WHOLE
    assert AuditEvent.objects.latest("pk").action == LogEvent.LOG_FOUND_CHANGED


def test_the_shell_sees_1_where_something_was_found(ids):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[0])
    with pytest.raises(CommandError) as raised:
        call_command("audit_verify")
    assert raised.value.returncode == 1


@pytest.mark.django_db
def test_an_empty_log_is_whole(verify):
    said, error = verify()
    assert (said[-2:], error) == (["The access log has no seal yet.", WHOLE], None)
    assert not AuditEvent.objects.exists(), "there is no seal to note"


def test_on_a_copy_nothing_is_written(ids, verify):
    written()
    before = AuditEvent.objects.count(), AuditSeal.objects.count()
    verify("--read-only")
    assert (AuditEvent.objects.count(), AuditSeal.objects.count()) == before


def test_lines_that_were_never_committed_are_not_missed(ids, found):
    with transaction.atomic():
        written(3)
        transaction.set_rollback(True)
    written(2)
    log_seals.seal()
    assert found() == []


# --- What is hashed ------------------------------------------------------------------------------


def test_a_digest_is_the_same_on_every_database_and_in_every_release(db):
    """Written down here: with another one, no log that was ever sealed would be whole."""
    line = AuditEvent.objects.create(
        at=datetime(2026, 11, 28, 10, 55, 3, 120, tzinfo=UTC),
        actor=UUID(int=1),
        action="viewed",
        entity="episode",
        entity_code=UUID(int=2),
        client=UUID(int=3),
        clients=["b", "a"],
        address="2001:db8::1",
        detail={"z": 1, "a": ["é", None, True, 1.5]},
    )
    values = AuditEvent.objects.filter(pk=line.pk).values(*log_seals.COLUMNS).get() | {"id": 7}
    assert (
        log_seals.digest(values).hex() == "1286eb63ee068c1c0f281594397ef6a08145162211ee097c2f2d480b5fa2303c"
    )
    seal = AuditSeal(number=1, previous="0" * 64, after=0, upto=7, count=1, sealed_at=values["at"])
    seal.entries = log_seals.ENTRY.pack(7, log_seals.digest(values))
    assert log_seals.hash_of(seal) == "b04b7d90c52f8e02d8479738eb05278257b24a29d94a90b749ac2a6e2819c059"


def test_a_column_that_is_added_later_and_empty_leaves_the_digest(db):
    line = AuditEvent.objects.filter(pk=written()[0].pk).values(*log_seals.COLUMNS).get()
    assert log_seals.digest(line) == log_seals.digest(line | {"later": None})
    assert log_seals.digest(line) != log_seals.digest(line | {"later": ""})


# --- Many lines, and many at once ----------------------------------------------------------------


def test_verifying_asks_in_pages_and_keeps_no_cursor_open(ids, verify):
    with CaptureQueriesContext(connection) as few:
        verify("--read-only")
    assert not [query["sql"] for query in few if "CURSOR" in query["sql"]]
    lines = [query["sql"] for query in few if 'FROM "alliance_auditevent"' in query["sql"]]
    assert lines
    assert all("LIMIT" in sql for sql in lines)


def at_once(*works):
    """Each in a thread with a connection of its own."""
    outcomes = []

    def run(work):
        try:
            outcomes.append(work())
        except Exception as error:
            outcomes.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_clocks_seal_each_line_once(self, few_lines_a_seal, found):
        written(40)
        outcomes = at_once(*[log_seals.seal] * 3)
        assert sum(outcomes) == 40
        assert [seal.number for seal in AuditSeal.objects.order_by("number")] == list(range(1, 11))
        assert found() == []

    def test_lines_written_while_it_seals_are_sealed_once(self, few_lines_a_seal, found):
        outcomes = at_once(
            *[lambda: len(written(25))] * 3, *[lambda: sum(log_seals.seal() for _ in range(8))] * 2
        )
        assert not [one for one in outcomes if isinstance(one, Exception)]
        log_seals.seal()
        assert sum(seal.count for seal in AuditSeal.objects.all()) == 75
        assert found() == []


class Held:
    """A transaction that has written a line, and commits when it is told to."""

    def __enter__(self):
        self.wrote, self.goes_on = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.wrote.wait(30)
        return self

    def _run(self):
        with transaction.atomic():
            self.pk = written()[0].pk
            self.wrote.set()
            self.goes_on.wait(30)
        connections.close_all()

    def commits(self):
        self.goes_on.set()
        self.thread.join(30)

    def __exit__(self, *of):
        self.commits()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestALineThatIsCommittedAfterALaterOne:
    def test_is_waited_for(self, found, monkeypatch):
        monkeypatch.setattr(log_seals, "PATIENCE", 0)
        with Held() as held:
            later = written()[0].pk
            assert held.pk < later
            with pytest.raises(log_seals.StillWriting):
                log_seals.seal()
            assert not AuditSeal.objects.exists()
            held.commits()
            assert log_seals.seal() == 2
        assert found() == []

    def test_and_nobody_waits_for_the_sealing(self, found):
        with Held() as held:
            sealing = threading.Thread(target=lambda: (log_seals.seal(), connections.close_all()))
            sealing.start()
            later = [written()[0].pk for _ in range(5)]
            held.commits()
            sealing.join(30)
        log_seals.seal()
        assert sum(seal.count for seal in AuditSeal.objects.all()) == len(later) + 1
        assert found() == []

    def test_control_without_waiting_it_would_look_slipped_in(self, found, monkeypatch):
        monkeypatch.setattr(log_seals, "_writing", set)
        with Held() as held:
            written()
            assert log_seals.seal() == 1
        assert found() == [f"Line {held.pk} was inserted after seal 1, among lines that were there then."]

    def test_is_said_where_it_takes_too_long(self, monkeypatch, capsys):
        monkeypatch.setattr(log_seals, "PATIENCE", 0)
        with Held():
            written()
            call_command("audit_seal", "--head")
        assert capsys.readouterr().out.splitlines() == [
            log_seals.NOT_SEALED,
            "The access log has no seal yet.",
        ]


# --- The clock -----------------------------------------------------------------------------------


def test_sealing_says_how_many_and_prints_the_head(ids, capsys):
    call_command("audit_seal")
    assert capsys.readouterr().out == "", "nothing new, nothing to say"
    written(2)
    call_command("audit_seal", "--head")
    assert capsys.readouterr().out.splitlines() == [
        "Lines of the access log that were sealed now: 2",
        log_seals.head_in_words(),
    ]
    assert re.fullmatch(
        rf"Head of the access log: {newest_head()} \(seal 4 of \d+ \w+ \d{{4}}, \d\d:\d\d, lines up to [\d,]+\)",
        log_seals.head_in_words(),
    )


def test_the_clock_seals_and_compares():
    assert {"audit_seal", "audit_verify"} <= {task.name for task in clock_tasks.all_tasks()}
