"""The manifest of a backup: of which moment it is, what it holds, and by what it is known to be whole."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.apps import apps

from alliance import sealing
from alliance.models import AuditSeal
from alliance.operations import kept_rows
from alliance.operations.databases import Ask
from alliance.operations.failed import Failed
from alliance.operations.version import site_version

FORMAT = 1
KEPT_MIGRATIONS = "django_migrations"


def of(engine: str, engine_version: str, ask: Ask, now: datetime) -> dict[str, Any]:
    """What `ask` finds, all of one moment."""
    return {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "version": site_version(),
        "engine": engine,
        "engine_version": engine_version,
        "migrations": migrations(ask),
        "rows": {table: _one(ask(f'SELECT count(*) FROM "{table}"')) for table in _tables(ask, engine)},  # noqa: S608
        "newest": {kept.table: _newest(ask, kept) for kept in kept_rows.kept()},
        "log_head": log_head(ask),
        # The name of a public key that every browser gets: it tells whether SECRET_KEY is the same, and not the key.
        "sealing_key": sealing.public_key()[0],
    }


def check(found: dict[str, Any], engine: str) -> None:
    """Raise `Failed` where this site cannot read a backup with this manifest."""
    try:
        if found["format"] > FORMAT:
            raise Failed("This backup is of a later version of the program: install that one first.")
        if found["engine"] != engine:
            raise Failed(
                f"This backup is of {found['engine']} and the database of this site is {engine}: "
                "name one of the same kind in DATABASE_URL."
            )
        if unknown := sorted(set(found["migrations"]) - set(_known_migrations())):
            raise Failed(
                f"This backup is of version {found['version']} of the program, this is {site_version()}, which does "
                f"not know {unknown[0]}: install the version of the backup first."
            )
    except (KeyError, TypeError) as error:
        raise Failed("The manifest of this backup cannot be read.") from error


def migrations(ask: Ask) -> list[str]:
    return [
        f"{app}.{name}" for app, name in ask("SELECT app, name FROM django_migrations ORDER BY app, name")
    ]


def log_head(ask: Ask) -> dict[str, Any] | None:
    """The newest seal of the access log."""
    table = AuditSeal._meta.db_table
    found = ask(f"SELECT number, hash, upto FROM {table} ORDER BY number DESC LIMIT 1")  # noqa: S608
    return dict(zip(("number", "hash", "upto"), found[0], strict=True)) if found else None


def differing_rows(found: dict[str, Any], ask: Ask) -> Iterator[str]:
    """A sentence for each table that does not hold what the manifest says."""
    for table, expected in sorted(found["rows"].items()):
        # The manifest comes out of the file: no name of it becomes SQL that is none of ours.
        if table not in _our_tables():
            continue
        if (held := _one(ask(f'SELECT count(*) FROM "{table}"'))) != expected:  # noqa: S608
            yield f"{table} holds {held:,} rows instead of {expected:,}."
    if (head := log_head(ask)) != found["log_head"]:
        was = found["log_head"]["hash"] if found["log_head"] else "none"
        yield f"The newest seal of the access log is {head['hash'] if head else 'none'} instead of {was}."


def lines_newer(found: dict[str, Any], ask: Ask) -> list[str]:
    """What the database has that came after this backup, counted in words."""
    said = []
    for kept in kept_rows.kept():
        newest = found["newest"].get(kept.table)
        where = ""
        if newest:
            moment = datetime.fromisoformat(newest["at"]).astimezone(UTC)
            where = f" WHERE id > {int(newest['id'])} OR {kept.moment} > '{moment:%Y-%m-%d %H:%M:%S.%f}{_zone(found)}'"
        if count := _one(ask(f"SELECT count(*) FROM {kept.table}{where}")):  # noqa: S608
            said.append(kept.counted(count))
    return said


def _zone(found: dict[str, Any]) -> str:
    """SQLite keeps moments as text, in UTC; compared as text."""
    return "" if found["engine"] == "sqlite" else "+00"


def _newest(ask: Ask, kept: kept_rows.Kept) -> dict[str, Any] | None:
    pk, at = ask(f"SELECT max(id), max({kept.moment}) FROM {kept.table}")[0]  # noqa: S608
    if pk is None:
        return None
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
    return {"id": pk, "at": moment.astimezone(UTC).isoformat()}


def _tables(ask: Ask, engine: str) -> list[str]:
    names = (
        "SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false))"
        if engine == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    return sorted(_our_tables() & {name for (name,) in ask(names)})


def _our_tables() -> set[str]:
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if model._meta.managed}


def _known_migrations() -> Iterator[str]:
    from django.db.migrations.loader import MigrationLoader

    for app, name in MigrationLoader(None).disk_migrations:
        yield f"{app}.{name}"


def _one(rows: list[tuple[Any, ...]]) -> int:
    return int(rows[0][0])
