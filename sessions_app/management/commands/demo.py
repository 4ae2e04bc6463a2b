"""manage.py demo: an invented clinic on this machine, ready to sign in; `make demo` runs it."""

import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from alliance.operations.listening import listening
from sessions_app import demo

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Makes an invented clinic, prints who can sign in, and serves it on this machine alone."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only-prepare", action="store_true", help="make the data, serve nothing")
        parser.add_argument("--fresh", action="store_true", help="throw the demo's data away and start anew")

    def handle(self, *args: Any, only_prepare: bool, fresh: bool, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("DEMO is off. Set DEMO=on, or use `make demo`.")
        port = str(listening().port)
        if not only_prepare:
            _refuse_a_taken_port(port)
        _prepare_database(fresh=fresh)
        if not settings.DEBUG and _static_files_are_stale():
            call_command("collectstatic", interactive=False, verbosity=0)
        self.stdout.write(_greeting(port))
        self.stdout.flush()
        if not only_prepare:
            _serve(port)


def _refuse_a_taken_port(port: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port)))
        except OSError as error:
            raise CommandError(
                f"Port {port} is taken by another program; choose another one: make demo PORT=8100"
            ) from error


def _prepare_database(*, fresh: bool) -> None:
    if fresh:
        _throw_away()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    if demo.holds_real_data():
        raise CommandError(
            "This database holds people or clients that the demo did not make; it stays untouched."
        )
    if not demo.is_seeded():
        demo.seed(timezone.now())
    call_command("raise_missing")


def _throw_away() -> None:
    """Delete the embedded database file, but only one that says of itself that it is a demo."""
    if connection.vendor != "sqlite":
        raise CommandError("--fresh deletes the embedded database only; empty a PostgreSQL one yourself.")
    path = Path(connection.settings_dict["NAME"])
    if not path.exists():
        return
    if connection.introspection.table_names() and not demo.is_seeded():
        raise CommandError(f"{path} was not made by the demo; it stays untouched.")
    connection.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _static_files_are_stale() -> bool:
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return True
    # Packages bring static files too: requirements.txt is as new as their versions.
    sources = [settings.BASE_DIR / "requirements.txt", *(settings.BASE_DIR / "static").rglob("*")]
    return max(path.stat().st_mtime for path in sources if path.exists()) > manifest.stat().st_mtime


def _greeting(port: str) -> str:
    rows = [(person.email, person.role.label, _whose(person)) for person in demo.STAFF]
    width = max(len(email) for email, _, _ in rows) + 2
    people = "\n".join(f"  {email:<{width}}{role:<15}{whose}".rstrip() for email, role, whose in rows)
    return f"""
An invented clinic, on this machine only. Do not enter anything about a real person.

{people}

  Password of everyone: {demo.PASSWORD}
  Open http://{HOST}:{port}/   (Ctrl-C stops it; "make demo FRESH=1" starts with new data)
"""


def _whose(person: demo.Person) -> str:
    said = f"supervised by {person.supervisor}" if person.supervisor else ""
    return f"{said}; with {person.shows}" if person.shows else said


def _serve(port: str) -> None:
    """Become the web server: Ctrl-C then reaches it and nobody else."""
    granian = Path(sys.executable).with_name("granian")
    connection.close()
    arguments = ["--interface", "asginl", "--host", HOST, "--port", port, "--workers", "1", "--no-ws"]
    # Ctrl-C reaches the worker twice, from the terminal and from its parent, and may leave it hanging.
    arguments += ["--workers-kill-timeout", "2"]
    arguments += ["--log-level", "error", "alliance.asgi:application"]
    os.execv(granian, [str(granian), *arguments])  # noqa: S606 - no shell, and nothing of the user's in it
