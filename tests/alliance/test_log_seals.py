"""The hash chain over the access log: what a database owner does to it past the triggers is said, and ends with 1."""

import re
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alliance import log_seals, log_verification, triggers
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, AuditSeal
from alliance.operations import clock_tasks
from tests.alliance.tampering import tamper, without_triggers

WHOLE = "The access log is as it was sealed."
NOT_WHOLE = "The access log is not as it was sealed."


def written(count=1, **fields):
    return [
        AuditEvent.objects.create(action=LogEvent.SIGNED_IN, entity="user", **fields) for _ in range(count)
    ]


@pytest.fixture
def few_lines_a_seal(monkeypatch):
    monkeypatch.setattr(log_seals, "LINES_A_SEAL", 4)
    monkeypatch.setattr(log_verification, "LINES_A_PAGE", 3)
    monkeypatch.setattr(log_verification, "SEALS_A_PAGE", 2)


@pytest.fixture
def ids(db, few_lines_a_seal):
    """Ten lines under three seals."""
    made = [line.pk for line in written(10)]
    assert log_seals.seal() == 10
    assert [seal.count for seal in AuditSeal.objects.order_by("number")] == [4, 4, 2]
    return made


@pytest.fixture
def verify(capsys):
    """What `audit_verify` prints, and the error with which it ended, if any."""

    def verify(*options):
        error = None
        try:
            call_command("audit_verify", *options)
        except CommandError as raised:
            error = str(raised)  # the shell sees 1: `returncode`
        said = re.sub(r"(?<=\d),(?=\d{3})", "", capsys.readouterr().out)  # 21,875: ids grow with each test
        return said.splitlines(), error

    return verify


@pytest.fixture
def found(verify):
    """The sentences about what was found; that the command failed is looked at too."""

    def found(*options):
        said, error = verify("--read-only", *options)
        sentences = [one for one in said if not re.search(r"compared\.$|^Head of|as it was sealed\.$", one)]
        assert error == (NOT_WHOLE if sentences else None)
        return [re.sub(r" of \d+ \w+ \d{4}, \d\d:\d\d", "", one) for one in sentences]

    return found


def newest_head():
    return AuditSeal.objects.latest("number").hash


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


# --- Each kind of tampering ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "at = '2020-01-01 10:00:00'",
        "actor = '00000000000000000000000000000001'",
        "action = 'signed out'",
        "entity = 'client'",
        "entity_code = '00000000000000000000000000000001'",
        "client = '00000000000000000000000000000001'",
        "clients = '[\"0\"]'",
        "address = '10.0.0.9'",
        "detail = '{\"a\": 1}'",
    ],
)
def test_a_changed_line(ids, found, change):
    tamper(f"UPDATE alliance_auditevent SET {change} WHERE id = {ids[5]}")  # noqa: S608
    assert found() == [f"Line {ids[5]} was changed after seal 2."]


def test_every_column_of_a_line_is_under_its_digest():
    columns = {field.column for field in AuditEvent._meta.concrete_fields}
    assert set(log_seals.COLUMNS) == columns
    assert columns == {
        *("id", "at", "actor", "action", "entity", "entity_code", "client", "clients", "address", "detail")
    }


def test_a_removed_line(ids, found):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[1])
    tamper("DELETE FROM alliance_auditevent WHERE id BETWEEN %s AND %s", ids[4], ids[6])
    assert found() == [
        f"Line {ids[1]} was removed after seal 1.",
        f"Lines {ids[4]} to {ids[6]} were removed after seal 2.",
    ]


def test_the_newest_sealed_line_removed(ids, found):
    tamper("DELETE FROM alliance_auditevent WHERE id >= %s", ids[9])
    assert found() == [f"Line {ids[9]} was removed after seal 3."]


COPY = (
    "INSERT INTO alliance_auditevent (id, at, action, entity, detail)"
    " SELECT {pk}, at, action, entity, detail FROM alliance_auditevent WHERE id = %s"
)


def test_a_line_slipped_in_among_sealed_ones(ids, found):
    with transaction.atomic():
        gone = written()[0].pk
        transaction.set_rollback(True)
    later = written(2)
    log_seals.seal()
    if gone in {line.pk for line in later}:  # SQLite uses the id again
        gone = later[0].pk
        tamper("DELETE FROM alliance_auditevent WHERE id = %s", gone)
        assert found() == [f"Line {gone} was removed after seal 4."]
        return
    tamper(COPY.format(pk=gone), ids[0])
    assert found() == [f"Line {gone} was inserted after seal 4, among lines that were there then."]


@pytest.mark.parametrize("pk", [0, -7])
def test_a_line_slipped_in_below_the_first(ids, found, pk):
    tamper(COPY.format(pk=pk), ids[0])
    assert found() == [f"Line {pk} was inserted after seal 1, among lines that were there then."]


def test_a_line_put_in_the_place_of_another(ids, found):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[2])
    tamper(COPY.format(pk=ids[2]), ids[7])
    changed = AuditEvent.objects.get(pk=ids[7]).at != AuditEvent.objects.get(pk=ids[2]).at
    assert not changed
    assert found() == [f"Line {ids[2]} was changed after seal 1."]


def test_a_line_that_is_dated_back(ids, found):
    """Put at the end, where the seal covers it: its time does not go with its place."""
    back = written(at=timezone.now() - timedelta(days=3))[0].pk
    written()
    log_seals.seal()
    assert found() == [
        f"Line {back} was dated earlier than lines that were written before: dated back, or a clock was put back."
    ]


def test_a_line_that_is_dated_ahead_does_not_cast_doubt_on_those_after_it(ids, found):
    ahead = written(at=timezone.now() + timedelta(days=3))[0].pk
    written(3)
    log_seals.seal()
    assert found() == [f"Line {ahead} was dated later than seal 4: dated ahead, or a clock was put back."]


def test_servers_whose_clocks_differ_by_minutes_are_no_finding(ids, found):
    written(at=timezone.now() + timedelta(minutes=20))
    written(at=timezone.now() - timedelta(minutes=20))
    log_seals.seal()
    assert found() == []


def test_a_removed_seal(ids, found):
    tamper("DELETE FROM alliance_auditseal WHERE number = 2")
    assert found() == [f"Seal 2 was removed. Lines {ids[4]} to {ids[7]} are not covered any more."]


def test_the_first_seals_removed(ids, found):
    tamper("DELETE FROM alliance_auditseal WHERE number < 3")
    assert found() == [f"Seals 1 to 2 were removed. Lines 1 to {ids[7]} are not covered any more."]


OTHER_BYTES = "'\\x00'::bytea" if connection.vendor == "postgresql" else "x'00'"


@pytest.mark.parametrize(
    "change",
    [
        "count = 3",
        "upto = upto - 1",
        "sealed_at = '2020-01-01 10:00:00'",
        f"hash = '{'0' * 64}'",
        f"entries = {OTHER_BYTES}",
    ],
)
def test_a_changed_seal(ids, found, change):
    tamper(f"UPDATE alliance_auditseal SET {change} WHERE number = 3")  # noqa: S608
    assert "Seal 3 was changed." in found()


def test_a_seal_made_anew_over_changed_lines_does_not_carry_the_next(ids, found):
    tamper("UPDATE alliance_auditevent SET action = 'signed out' WHERE id = %s", ids[5])
    seal = AuditSeal.objects.get(number=2)
    lines = AuditEvent.objects.filter(pk__gt=seal.after, pk__lte=seal.upto).order_by("pk")
    seal.entries = b"".join(
        log_seals.ENTRY.pack(line["id"], log_seals.digest(line)) for line in lines.values(*log_seals.COLUMNS)
    )
    seal.hash = log_seals.hash_of(seal)
    with without_triggers():
        seal.save()
    assert found() == ["Seal 3 does not continue the one before it: one of them was made anew."]


def test_all_seals_made_anew_have_another_head_than_the_printed_one(ids, found):
    printed = newest_head()
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[5])
    tamper("DELETE FROM alliance_auditseal")
    log_seals.seal()
    assert found() == [], "control: without the printed head nothing is seen"
    (sentence,) = found("--head", printed)
    assert sentence.startswith("No seal has the head that was given: seals were removed or made anew")


def test_the_newest_seals_removed_are_seen_by_the_printed_head_alone(ids, found):
    printed = newest_head()
    tamper("DELETE FROM alliance_auditseal WHERE number = 3")
    tamper("DELETE FROM alliance_auditevent WHERE id > %s", ids[8])
    assert found() == []
    assert len(found("--head", printed)) == 1
    log_seals.seal()
    assert len(found("--head", printed)) == 1, "a seal made at another time has another hash"


def test_a_head_that_was_printed_on_an_earlier_day_is_in_the_chain(ids, verify):
    earlier = AuditSeal.objects.get(number=1).hash
    for typed in (earlier, f" {earlier.upper()}"):
        said, error = verify("--read-only", "--head", typed)
        assert (said[0], error) == ("The head that was given is that of seal 1.", None)


@pytest.mark.usefixtures("as_owner")
def test_missing_triggers_are_named(ids, verify):
    name = "alliance_auditevent_append_only" + ("" if connection.vendor == "postgresql" else "_delete")
    (lost,) = (one for one in triggers.declared(connection) if one.name == name)
    with connection.cursor() as cursor:
        cursor.execute(triggers.drop(connection, lost))
    said, error = verify("--read-only")
    triggers.put_back(using=connection.alias)
    assert said[0].startswith(f"The trigger {name} is not as it has to be")
    assert error == NOT_WHOLE


def test_once_what_was_found_is_known_one_goes_on_from_a_later_head(ids, found, verify):
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[1])
    known = AuditSeal.objects.get(number=2).hash
    assert found("--after", known) == []
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", ids[9])
    assert found("--after", known) == [f"Line {ids[9]} was removed after seal 3."]
    said, error = verify("--after", "0" * 64)
    assert (said, error) == ([], "No seal has the head that --after names.")


def test_whoever_rewrites_everything_is_told_of_in_some_sentences(ids, verify, monkeypatch):
    monkeypatch.setattr("alliance.management.commands.audit_verify.SENTENCES", 1)
    tamper("UPDATE alliance_auditevent SET action = 'signed out'")
    said, error = verify("--read-only")
    assert error == NOT_WHOLE
    assert said[0].startswith(f"Lines {ids[0]} to {ids[3]} were changed after seal 1")
    assert said[1] == "And 2 more."


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
