"""pgbouncer in transaction mode, with the settings of the guide: what is read through it is whole."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from alliance.models import AuditEvent
from tests.alliance.operations.processes import environment, url_of_the_tests
from tests.guide.blocks import ROOT, block_with
from tests.guide.clusters import as_server, free_port
from tests.guide.server import is_open, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
LINES = 5000
# Each transaction gets another connection of the server than the one before, from the first on.
SWITCHES = "server_round_robin = 1\nmin_pool_size = 4\n"
EXPORT = """
import django
django.setup()
from django.test import Client
from tests import cast
from tests.alliance.sign_in import sign_in
adam = Client()
assert sign_in(adam, "adam@clinic.example")
answer = adam.post("/clinic/log/export/?since=2000-01-01")
assert answer.status_code == 200, answer
print(b"".join(answer.streaming_content).count(b"\\r\\n"))
"""
READ = """
import django
django.setup()
from alliance.models import AuditEvent
print(sum(1 for line in AuditEvent.objects.filter(entity="canary").iterator(chunk_size=500)))
"""


@contextmanager
def pooler() -> Iterator[str]:
    """The address of the database of the tests, through pgbouncer as the guide sets it up."""
    database, port = urlsplit(url_of_the_tests()), free_port()
    folder = Path(tempfile.mkdtemp())
    settings = block_with("several-servers.md", "pool_mode").text
    for there, here in {
        r"^alliance = .*$": f"{database.path[1:]} = host={database.hostname} port={database.port}",
        r"^listen_addr = .*$": "listen_addr = 127.0.0.1",
        r"^listen_port = .*$": f"listen_port = {port}",
        r"/etc/pgbouncer/": f"{folder}/",
        r"^(logfile|pidfile|unix_socket_dir) = .*$": rf"\1 = {folder}/\1",
    }.items():
        settings, found = re.subn(there, here, settings, flags=re.M)
        assert found, there
    (folder / "pgbouncer.ini").write_text(settings.replace(f"{folder}/unix_socket_dir", "") + SWITCHES)
    (folder / "userlist.txt").write_text(f'"{database.username}" "{unquote(database.password)}"\n')
    if os.getuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "postgres")
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
    process = subprocess.Popen(as_server(program, "--quiet", folder / "pgbouncer.ini"), cwd="/")
    try:
        wait_until(lambda: is_open(port))
        yield url_of_the_tests().replace(f"{database.hostname}:{database.port}", f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def run(script: str, url: str, pooled: str) -> subprocess.CompletedProcess[str]:
    around = {**environment(url), "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_POOLER": pooled}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=around, capture_output=True, text=True, check=False
    )


def test_an_export_of_the_access_log_through_pgbouncer_is_not_cut_short(clinic):
    AuditEvent.objects.bulk_create(
        AuditEvent(action="viewed", entity="canary", actor=clinic.olga.pk) for _ in range(LINES)
    )
    with pooler() as url:
        exported = run(EXPORT, url, "on")
        assert exported.returncode == 0, exported.stderr[-3000:]
        assert LINES < int(exported.stdout) < LINES + 50, "beside them the head, and what the sign-in wrote"
        read = run(READ, url, "on")
        assert read.stdout.strip() == str(LINES), read.stderr[-3000:]
        control = run(READ, url, "off")
        assert "does not exist" in control.stderr, "without the setting a cursor outlives its transaction"
