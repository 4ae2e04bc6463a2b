"""The head of the log goes to a second person each day, and whoever asks sees when it did not."""

import re
from smtplib import SMTPException

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from alliance import log_seals
from alliance.environment import Environment, SettingError
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from tests.alliance.tampering import tamper

pytestmark = pytest.mark.django_db
TO = ["head@notary.example", "second@clinic.example"]


@pytest.fixture
def lines(settings):
    settings.AUDIT_HEAD_TO = TO
    return [AuditEvent.objects.create(action=LogEvent.SIGNED_IN, entity="user").pk for _ in range(3)]


def newest():
    return AuditEvent.objects.latest("pk").action


def test_the_daily_comparison_sends_the_head_to_each_of_them_alone(lines, capsys):
    call_command("audit_verify")
    assert [one.to for one in mail.outbox] == [[to] for to in TO]
    sent = mail.outbox[0]
    head = log_seals.newest().hash
    assert sent.subject.startswith("Head of the access log, ")
    assert f"audit_verify --head {head}" in sent.body
    assert "The access log is as it was sealed." in sent.body
    assert newest() == LogEvent.LOG_HEAD_SENT
    call_command("audit_verify", "--head", re.search(r"--head (\w+)", sent.body)[1])
    assert "The head that was given is that of seal 1." in capsys.readouterr().out


def test_a_changed_log_is_in_the_subject(lines):
    log_seals.seal()
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", lines[0])
    with pytest.raises(CommandError, match="not as it was sealed"):
        call_command("audit_verify")
    assert mail.outbox[0].subject.endswith(": changed")
    assert "NOT as it was sealed" in mail.outbox[0].body


def test_whoever_made_all_seals_anew_meets_the_head_that_was_sent(lines, capsys):
    call_command("audit_verify")
    kept = re.search(r"--head (\w+)", mail.outbox[0].body)[1]
    tamper("DELETE FROM alliance_auditevent WHERE id = %s", lines[0])
    tamper("DELETE FROM alliance_auditseal")
    call_command("audit_verify")
    with pytest.raises(CommandError, match="not as it was sealed"):
        call_command("audit_verify", "--head", kept)


def test_a_head_that_could_not_be_sent_is_seen(lines, monkeypatch):
    def refuses(*args):
        raise SMTPException("no")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuses)
    with pytest.raises(
        CommandError, match=r"could not be sent to head@notary\.example, second@clinic\.example"
    ):
        call_command("audit_verify")
    assert newest() == LogEvent.LOG_HEAD_NOT_SENT


def test_a_copy_sends_nothing_and_neither_does_a_site_without_the_setting(lines, settings):
    log_seals.seal()
    call_command("audit_verify", "--read-only")
    settings.AUDIT_HEAD_TO = []
    call_command("audit_verify")
    assert mail.outbox == []
    assert newest() == LogEvent.LOG_VERIFIED


def test_the_setting_is_read_strictly(monkeypatch, tmp_path, capsys):
    env = Environment(tmp_path / "none")
    monkeypatch.setenv("EMAIL_URL", "smtp://localhost")
    monkeypatch.setenv("AUDIT_HEAD_TO", "a@b.example, c@d.example")
    assert env.addresses("AUDIT_HEAD_TO", needs_mail="EMAIL_URL") == ["a@b.example", "c@d.example"]
    monkeypatch.setenv("AUDIT_HEAD_TO", "nobody")
    with pytest.raises(SettingError):
        env.addresses("AUDIT_HEAD_TO", needs_mail="EMAIL_URL")
    monkeypatch.setenv("AUDIT_HEAD_TO", "a@b.example")
    monkeypatch.setenv("EMAIL_URL", "")
    with pytest.raises(SettingError):
        env.addresses("AUDIT_HEAD_TO", needs_mail="EMAIL_URL")
    assert "sends no mail" in capsys.readouterr().err
