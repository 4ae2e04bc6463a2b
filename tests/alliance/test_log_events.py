"""Every event of the log has its sentence, is written somewhere, and nothing else is written."""

import ast
import re
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


def trees(word):
    """Of the files with this word: to parse them all took seconds."""
    code = (path for app in ("alliance", "clients", "sessions_app") for path in Path(app).rglob("*.py"))
    return {str(path): ast.parse(text) for path in code if word in (text := path.read_text())}


def test_every_event_is_written_somewhere():
    written = {
        node.attr
        for name, tree in trees("LogEvent").items()
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
        for name, tree in trees("AuditEvent").items()
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
        "sessions_app/demo/lines.py",
    }


@pytest.mark.parametrize("by", ["olga", None])
def test_every_event_reads_as_a_sentence_also_where_nobody_is_left(clinic, by):
    actor = getattr(clinic, by).pk if by else None
    rows = written(LogEvent, entity="user", actor=actor, client=uuid4)
    lines = access_log.lines(rows)
    wrong = []
    for event, line in zip(LogEvent, lines, strict=True):
        holds = (
            len(line.sentence.split()) > 2
            and "None" not in line.sentence
            and "{" not in line.sentence
            and line.sentence[0].isupper()
            # Its own sentence, not the plain one.
            and event.value not in (line.sentence, f"Olga: {event.value}")
        )
        if not holds:
            wrong.append(f"{event.name}: {line.sentence}")
    assert wrong == []
    assert len(rows) > 150


def written(events, *, client, **of_each) -> list[AuditEvent]:
    """A line for each, in this order, as it is read again."""
    made = AuditEvent.objects.bulk_create(
        AuditEvent(action=event, entity_code=uuid4(), client=client(), **of_each) for event in events
    )
    return list(AuditEvent.objects.filter(pk__in=[one.pk for one in made]).order_by("pk"))


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


# --- What the office may learn of flags -----------------------------------------------------------

# Written only where a flag, a low mark or an answer about self-harm came or was there.
ONLY_BECAUSE_OF_A_FLAG = {
    LogEvent.FLAGS_REFRESHED,
    LogEvent.RISK_ANSWER_RAISED,
    LogEvent.RISK_ANSWER_ACKNOWLEDGED,
    *(
        event
        for event in LogEvent
        if event.name.startswith(("DISCUSS", "DEFER", "FOLLOW_UP", "SUPERVISION_"))
    ),
} - {
    # Who supervises whom, from when to when: of no client.
    LogEvent.SUPERVISION_STARTED,
    LogEvent.SUPERVISION_ENDED,
    LogEvent.SUPERVISION_DAYS_CORRECTED,
}
TELLING = re.compile(
    r"\b(flag|alarm|talk|talked|conversation|put off|helped|fell|low|lower|rupture|risk|self-harm|question)",
    re.I,
)
# What the clinic chose for everybody, named by what it is about.
OF_THE_WHOLE_CLINIC = {
    *(
        event
        for event in LogEvent
        if event.name.startswith(("RULES_", "RISK_ITEMS_", "QUESTION_", "TABLET_"))
    ),
    # Written whatever is answered, or left out.
    LogEvent.QUESTIONNAIRE_ANSWERED,
    LogEvent.QUESTIONNAIRE_HELD,
    LogEvent.QUESTIONNAIRE_DECIDED,
}


def test_every_event_that_a_flag_brings_is_untold_or_reads_like_others():
    assert ONLY_BECAUSE_OF_A_FLAG <= ALIKE | UNTOLD
    ordinary = ALIKE - ONLY_BECAUSE_OF_A_FLAG
    assert len(ordinary) >= 4, "what happens in every course reads the same, or one sentence tells it all"


def test_the_office_reads_of_no_event_that_there_was_a_flag(clinic):
    """In the list, in the file and among the choices."""
    rows = written(
        LogEvent,
        entity="flag",
        actor=clinic.olga.pk,
        client=lambda: clinic.olgas.client.code,
        detail={"rule": "low total", "kind": "fall"},
    )
    wrong = []
    for event, row, line in zip(LogEvent, rows, access_log.lines(rows), strict=True):
        told = access_log.told().filter(pk=row.pk)
        in_the_file = "".join(access_log.as_csv(told))
        about_all = event in OF_THE_WHOLE_CLINIC
        reads = {
            "not as the others": event in ALIKE and line.sentence != "Olga wrote in the record of client K-1",
            "in the list": event not in UNTOLD and not about_all and TELLING.search(line.sentence),
            "the rule": "low total" in line.sentence,
            "told": event in UNTOLD and told.exists(),
            "in the file": not about_all and TELLING.search(in_the_file),
            "asked for": not about_all
            and TELLING.search(str(event.value))
            and event in access_log.asked_for(),
        }
        wrong += [f"{event.name}: {what}" for what, found in reads.items() if found]
    assert wrong == []
    assert len(rows) > 150
