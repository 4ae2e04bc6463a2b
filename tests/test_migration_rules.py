"""A migration that the release before could not live with is named by `make check`."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import migrations, models

from scripts.migration_rules import faults

ROOT = Path(__file__).resolve().parent.parent


def said(*operations, **attributes):
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})
    return [sentence.partition(": ")[2] for sentence in faults(made("0003_late", "clients"), ("0.1.0",))]


def added(**of):
    return migrations.AddField("client", "late", models.BooleanField(**of))


REMOVED = migrations.RemoveField("client", "late")
UNIQUE = migrations.AddConstraint("client", models.UniqueConstraint(fields=["late"], name="late"))


def test_old_code_fails_on_the_new_schema_because_a_column_has_no_default_of_the_database():
    (sentence,) = said(added(default=False))
    assert sentence.endswith("its inserts fail; give it a db_default, or null=True.")
    assert said(added(db_default=False)) == said(added(null=True)) == []


@pytest.mark.parametrize(
    "operation",
    [
        REMOVED,
        migrations.DeleteModel("Client"),
        migrations.RenameField("client", "late", "later"),
        migrations.RenameModel("Client", "Person"),
        migrations.AlterModelTable("client", "person"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_old_code_names_is_taken_away_one_release_later(operation):
    assert "the release before still names it" in said(operation)[0]
    assert "the release before still names it" in said(operation, unused_since="0.2.0")[0]
    assert said(operation, unused_since="0.1.0") == []


def test_what_refuses_more_than_before_says_why_it_is_harmless():
    narrower = migrations.AlterField("client", "late", models.CharField(max_length=2))
    for operation in (UNIQUE, narrower):
        assert "say why it does not, with `harmless`" in said(operation)[0]
        assert said(operation, harmless="No release has written it.") == []


def test_there_is_a_way_back():
    nothing = migrations.RunPython.noop
    assert "there is no way back" in said(migrations.RunPython(nothing), harmless="x")[0]
    assert "there is no way back" in said(migrations.RunSQL("SELECT 1"))[0]
    assert said(migrations.RunPython(nothing, nothing), migrations.RunSQL("SELECT 1", "SELECT 1")) == []


def test_what_begins_and_what_is_made_in_the_same_migration_is_free():
    made = migrations.CreateModel("Client", [("id", models.BigAutoField(primary_key=True))])
    assert said(made, added(default=False), UNIQUE) == []
    assert said(REMOVED, initial=True) == []


def test_our_own_migrations_keep_the_rules():
    environment = {
        "SECRET_KEY": "k" * 64,
        "ALLOWED_HOSTS": "localhost",
        "HTTPS": "off",
        "SECOND_FACTOR": "off",
    }
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "lint_migrations.py"],
        **{"env": environment, "capture_output": True, "text": True, "check": False},
    )
    assert done.returncode == 0, done.stdout + done.stderr
