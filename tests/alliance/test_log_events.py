"""Every event of the log has its sentence, is written somewhere, and nothing else is written."""

import ast
from pathlib import Path
from uuid import uuid4

import pytest

from alliance import audit
from alliance.log_events import ALIKE, LOOKS, STORED, UNTOLD, LogEvent
from alliance.models import AuditEvent
from clients import access_log

# Where events are told and asked for; a name that stands here alone is written by nobody.
READERS = {
    "alliance/log_events.py",
    "clients/access_log.py",
    "clients/forms.py",
    "sessions_app/instruments/instrument_pages.py",
}


def trees():
    code = (path for app in ("alliance", "clients", "sessions_app") for path in Path(app).rglob("*.py"))
    return {str(path): ast.parse(path.read_text()) for path in code}


def test_every_event_is_written_somewhere():
    written = {
        node.attr
        for name, tree in trees().items()
        if name not in READERS
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "LogEvent"
    }
    assert written == set(LogEvent.__members__)


def test_nothing_but_an_event_is_written(clinic):
    before = AuditEvent.objects.count()
    with pytest.raises(TypeError, match="log_events"):
        audit.record("viewed", clinic.olgas, by=clinic.olga)
    with pytest.raises(TypeError, match="log_events"):
        audit.write([audit.line("viewed", clinic.olgas, by=None)])
    assert AuditEvent.objects.count() == before


def test_lines_are_made_in_no_other_way():
    """Past `audit`, only the demo makes lines: those of a year that never was."""
    makers = {
        name
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("AuditEvent")
        and ast.unparse(node.func).removeprefix("AuditEvent") in ("", ".objects.create", ".objects.bulk_create")
    }  # fmt: skip
    assert makers == {
        "alliance/audit.py",
        "sessions_app/demo/__init__.py",
        "sessions_app/demo/client_form.py",
        "sessions_app/demo/rows.py",
        "sessions_app/demo/staff.py",
        "sessions_app/demo/supervision.py",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("event", LogEvent)
@pytest.mark.parametrize("by", ["olga", None])
def test_every_event_reads_as_a_sentence_also_where_nobody_is_left(clinic, event, by):
    actor = getattr(clinic, by).pk if by else None
    AuditEvent.objects.create(action=event, entity="user", entity_code=uuid4(), actor=actor, client=uuid4())
    (line,) = access_log.lines(AuditEvent.objects.order_by("-id")[:1])
    assert len(line.sentence.split()) > 2
    assert "None" not in line.sentence
    assert "{" not in line.sentence
    assert line.sentence[0].isupper()
    assert event.value not in (line.sentence, f"Olga: {event.value}"), "its own sentence, not the plain one"


def test_a_client_gives_a_rating_and_staff_enter_one():
    assert LogEvent.RATED.sentence.startswith("{who}")
    assert LogEvent.RATED.by_client == "Client {client} gave a rating"
    assert LogEvent.VIEWED.by_client == LogEvent.VIEWED.sentence


def test_what_is_stored_is_told_apart_and_fits():
    assert len(STORED) == len(LogEvent)
    assert max(map(len, STORED)) <= AuditEvent._meta.get_field("action").max_length


def test_what_would_tell_of_a_flag_cannot_be_asked_for():
    asked = access_log.asked_for()
    assert not asked & (ALIKE | UNTOLD)
    assert {LogEvent(look) for look in LOOKS} <= asked


def test_what_is_only_done_about_a_flag_reads_like_what_is_done_without_one():
    about_flags = {event for event in LogEvent if event.name.startswith(("DISCUSS", "DEFER", "FOLLOW_UP"))}
    assert len(about_flags) >= 6
    assert about_flags < ALIKE, "and something besides"
