"""Fail where a migration does what the release before cannot live with: `make check`. See scripts/migration_rules.py.

Each is asked twice: by our rules about its operations, and by django-migration-linter about its SQL.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
APPS = ("alliance", "clients", "sessions_app")
# Of SQL: what our own rules judge with more knowledge, because they see a db_default and a reason that is given.
OURS = (
    "NOT_NULL",
    "DROP_COLUMN",
    "DROP_TABLE",
    "RENAME_COLUMN",
    "RENAME_TABLE",
    "ALTER_COLUMN",
    "ADD_UNIQUE",
)


def released() -> tuple[str, ...]:
    return tuple(
        sorted(path.name for path in (ROOT / "tests" / "upgrades").iterdir() if path.name[0].isdigit())
    )


def main() -> int:
    import django
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    from django_migration_linter import MigrationLinter

    from scripts.migration_rules import faults

    migrations = MigrationLoader(connection, ignore_no_migrations=True).disk_migrations
    found = [
        sentence
        for (app, _name), migration in sorted(migrations.items())
        if app in APPS
        for sentence in faults(migration, released())
    ]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    linter = MigrationLinter(
        str(ROOT),
        include_apps=APPS,
        exclude_migration_tests=OURS,
        ignore_initial_migrations=True,
        no_cache=True,
        quiet=("ok", "ignore"),
    )
    linter.lint_all_migrations()
    return 1 if found or linter.has_errors else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/lint.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")
        sys.exit(main())
