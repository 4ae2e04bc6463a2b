"""A kept database of an earlier release, restored, read row by row, and brought up to date with the present code."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(__file__).resolve().parent
SQLITE, POSTGRESQL = "sqlite.sql.gz", "postgresql.sql.gz"
# The order of rows is that of these, or of whatever comes first.
Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def releases() -> list[str]:
    """Every version of which a database was kept."""
    return sorted(path.name for path in FOLDER.iterdir() if path.name[0].isdigit())


def dump_of(release: str, name: str) -> str:
    return gzip.decompress((FOLDER / release / name).read_bytes()).decode()


def manage(url: str, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command of the present code on that database, as a clinic would run it."""
    environment = {
        **{"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "only-for-tests-" + "0" * 50},
        **{"ALLOWED_HOSTS": "localhost", "HTTPS": "off", "SECOND_FACTOR": "off", **more},
    }
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *command],
        **{"env": environment, "cwd": ROOT, "capture_output": True, "text": True, "check": False},
    )


def state_of(url: str) -> dict[str, Any]:
    """What the present code finds there: the triggers that are missing, and each table's columns."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.upgrades.state"],
        env={
            **{"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "only-for-tests-" + "0" * 50},
            **{"ALLOWED_HOSTS": "localhost", "HTTPS": "off", "SECOND_FACTOR": "off"},
        },
        **{"cwd": ROOT, "capture_output": True, "text": True, "check": True},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- SQLite --------------------------------------------------------------------------------------


def restore_on_sqlite(release: str, path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(dump_of(release, SQLITE))
        database.commit()
    return f"sqlite:///{path}"


def rows_on_sqlite(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        return {name: _read(database.execute(f'SELECT * FROM "{name}" ORDER BY 1')) for (name,) in tables}


# --- PostgreSQL ----------------------------------------------------------------------------------


def pg_dump(url: str) -> str:
    options = ["--no-owner", "--no-privileges", "--schema=public", "--inserts", "--rows-per-insert=200"]
    done = subprocess.run([_tool("pg_dump"), *options, url], check=True, capture_output=True, text=True)
    # A newer psql refuses what an older one does not know, and the other way round.
    return "".join(line for line in done.stdout.splitlines(True) if not line.startswith(("\\", "SET ")))


def restore_on_postgresql(release: str, url: str) -> None:
    import psycopg

    with psycopg.connect(url) as database:
        database.execute("DROP SCHEMA public CASCADE")
        database.execute(dump_of(release, POSTGRESQL))  # type: ignore[arg-type]


def rows_on_postgresql(url: str) -> Rows:
    import psycopg

    with psycopg.connect(url) as database:
        tables = database.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        return {
            name: _read(database.execute(f'SELECT * FROM public."{name}" ORDER BY 1'))  # type: ignore[arg-type]
            for (name,) in tables
        }


def _tool(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or str(newest[-1])


def _read(cursor: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    return [column[0] for column in cursor.description], cursor.fetchall()


# --- Compared ------------------------------------------------------------------------------------

# {(table, column): why a migration changed what was stored}; a table or column that was taken away is named here too.
CHANGED: dict[tuple[str, str], str] = {}
# Django's own notes of what is there.
OF_DJANGO = frozenset({"django_migrations", "django_content_type", "auth_permission"})


def lost(before: Rows, after: Rows) -> Iterator[str]:
    """What was stored before and is not there afterwards, value by value; further rows and columns are none."""
    for table, (columns, rows) in before.items():
        if table in OF_DJANGO or (table, "") in CHANGED:
            continue
        if table not in after:
            yield f"{table} is gone."
            continue
        kept, now = after[table]
        compared = [name for name in columns if (table, name) not in CHANGED]
        if missing := [name for name in compared if name not in kept]:
            yield f"{table} lost {', '.join(missing)}."
            continue
        key = "id" if "id" in columns else columns[0]
        found = {row[kept.index(key)]: row for row in now}
        if len(found) < len(now):
            yield f"The rows of {table} cannot be told apart by {key}."
        for row in rows:
            of = row[columns.index(key)]
            if of not in found:
                yield f"{table} lost the row {of}."
                continue
            for name in compared:
                was, is_now = row[columns.index(name)], found[of][kept.index(name)]
                if was != is_now:
                    yield f"{table}.{name} of {of} was {was!r} and is {is_now!r}."


def refused_inserts(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Why the code of the release, which names the columns it knows, could not go on writing."""
    for table, columns in before["columns"].items():
        now = after["columns"].get(table)
        if now is None:
            yield f"{table} is gone."
            continue
        for name in columns:
            if name not in now:
                yield f"{table} has no {name} any more."
        for name, column in now.items():
            if name not in columns and column["required"]:
                yield f"{table}.{name} is new, must be filled in and has no default of the database."
