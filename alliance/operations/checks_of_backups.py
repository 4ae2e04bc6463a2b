"""Whether there is a backup of last night, and when one was last restored to see that it can be."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.timesince import timesince

from alliance.operations import backup_keys, databases
from alliance.operations.backup_made import BackupMade
from alliance.operations.backup_verified import BackupVerified, WhichKey
from alliance.operations.failed import Failed
from alliance.operations.findings import ASKED, PAGE, Finding, check, failed, ok, warning

KEY = "backups"
# One night may be missed, or run late; a week without any is no plan.
LATE, GONE = timedelta(hours=30), timedelta(days=7)
VERIFIED_LATE = timedelta(days=8)
TRIED_LATE = timedelta(days=100)
LOOK = "Look at what the clock says, and try it: manage.py backup --verify"


@check(KEY, at=PAGE | ASKED)
def backups() -> Iterator[Finding]:
    if settings.DEMO:
        return  # invented people
    yield from _recipients()
    yield from _age()
    yield from _verified()


@check("backup tools", at=ASKED)
def tools() -> Iterator[Finding]:
    site = databases.of_the_site()
    if site.engine != "postgresql" or settings.DEMO:
        return
    try:
        site.find_tools()  # type: ignore[attr-defined]
    except Failed as problem:
        yield failed("backup tools", str(problem), "Then try it: manage.py backup --verify")
    else:
        yield ok("backup tools", "pg_dump and pg_restore can read this server.")


def _recipients() -> Iterator[Finding]:
    if not settings.BACKUP_RECIPIENTS:
        yield warning(
            KEY,
            "BACKUP_RECIPIENTS is missing, so no backup is made at night.",
            "Make a pair of keys (manage.py backup_keys --new) and put the public one into the settings.",
        )
        return
    try:
        backup_keys.recipients(settings.BACKUP_RECIPIENTS)
    except Failed as problem:
        yield failed(KEY, str(problem), "Put a public key of age there.")


def _age() -> Iterator[Finding]:
    last = BackupMade.objects.first()
    if last is None:
        yield warning(KEY, "No backup was ever made.", LOOK)
        return
    sentence = f"The newest backup is {_ago(last.made_at)} old."
    age = timezone.now() - last.made_at
    yield ok(KEY, sentence) if age < LATE else (warning if age < GONE else failed)(KEY, sentence, LOOK)
    if not last.encrypted:
        yield warning(KEY, "The newest backup is not encrypted.", "Put a public key into BACKUP_RECIPIENTS.")


def _verified() -> Iterator[Finding]:
    last = BackupVerified.objects.first()
    if last is not None and not last.is_whole:
        yield failed(
            KEY,
            f"The backup {last.file} was restored into a copy and is not as it has to be: {last.found[0]}",
            "Read docs/backups.md; then look again: manage.py backup --verify",
        )
    whole = BackupVerified.objects.filter(is_whole=True).first()
    if whole is None or timezone.now() - whole.verified_at > VERIFIED_LATE:
        when = "never" if whole is None else f"{_ago(whole.verified_at)} ago"
        yield warning(KEY, f"A backup was last restored and found whole: {when}.", LOOK)
    else:
        yield ok(KEY, f"A backup was last restored and found whole {_ago(whole.verified_at)} ago.")
    tried = BackupVerified.objects.filter(is_whole=True, key=WhichKey.CLINIC).first()
    if settings.BACKUP_RECIPIENTS and (tried is None or timezone.now() - tried.verified_at > TRIED_LATE):
        yield warning(
            KEY,
            "Nobody has opened a backup with the clinic's private key in the last quarter of a year.",
            "Try it where the key is: manage.py verify_backup FILE --identity KEYFILE",
        )


def _ago(at: datetime) -> str:
    return timesince(at).replace("\xa0", " ").partition(",")[0]
