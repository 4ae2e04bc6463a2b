"""A log of ten lines under three seals, and what `audit_verify` says of it."""

import re

import pytest
from django.core.management import CommandError, call_command

from alliance import log_seals, log_verification
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, AuditSeal

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
