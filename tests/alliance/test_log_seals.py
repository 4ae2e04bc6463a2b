"""The hash chain over the access log: what a database owner does to it past the triggers is said, and ends with 1."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alliance import log_seals, triggers
from alliance.models import AuditEvent, AuditSeal
from tests.alliance.sealed_lines import NOT_WHOLE, newest_head, written
from tests.alliance.tampering import tamper, without_triggers


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
