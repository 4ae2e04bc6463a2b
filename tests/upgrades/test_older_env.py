"""The upgrade of a clinic whose `.env` is of the first compose file: fewer variables, one role of the database."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from tests.test_start import one_at_a_time, wait_until  # noqa: F401 - they share the folder of the collected files
from tests.upgrades import restored
from tests.upgrades.restored import ROOT

# What the first .env.example named, filled in as a clinic does; a blank line counts as not set.
OLDER = {
    **{"SECRET_KEY": secrets.token_urlsafe(64), "ALLOWED_HOSTS": "alliance.clinic.example"},
    **{"DATABASE_PASSWORD": "of_the_site", "TIME_ZONE": "Europe/Berlin", "TRUSTED_PROXIES": "1"},
    **{"SECRET_KEY_FALLBACKS": "", "EMAIL_URL": "", "MAIL_FROM": "", "DATABASE_POOL": "4", "WORKERS": "1"},
    **{"BIND": "127.0.0.1", "PORT": "8000", "DATABASE_URL": "", "HTTPS": "on", "SECOND_FACTOR": "on"},
    **{"DEMO": "off", "DEMO_ON_POSTGRESQL": "off", "DEBUG": "off"},
}
ADDED = {"DATABASE_OWNER_PASSWORD": "of_the_owner", "DATABASE_BACKUP_PASSWORD": "of_the_backup"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>[A-Z_]+)(?P<kind>:\?|:-)(?P<rest>[^}]*)\})")


class Missing(Exception):
    """What compose says before it starts anything."""


def filled(text, env):
    """`$$`, `${NAME:-default}` and `${NAME:?sentence}`, as compose fills them in; it has no other form here."""

    def value(found):
        if found[0] == "$$":
            return "$"
        if given := env.get(found["name"]):
            return given
        if found["kind"] == ":?":
            raise Missing(f"{found['name']} {found['rest']}")
        return found["rest"]

    assert "${" not in VARIABLE.sub("", text), text
    return VARIABLE.sub(value, text)


def texts(node):
    if isinstance(node, dict):
        for one in node.values():
            yield from texts(one)
    elif isinstance(node, list):
        for one in node:
            yield from texts(one)
    elif isinstance(node, str):
        yield node


def missing(env):
    found = set()
    for text in texts(COMPOSE):
        try:
            filled(text, env)
        except Missing as error:
            found.add(str(error))
    return found


def test_compose_says_which_two_passwords_an_older_env_lacks_and_nothing_else():
    assert missing(OLDER) == {
        f"{name} is missing in .env; make a long one of letters and digits" for name in ADDED
    }
    assert missing({**OLDER, **ADDED}) == set()
    notes = (ROOT / "docs" / "deployment.md").read_text("utf-8").partition("### Upgrade notes")[2]
    assert "has neither `DATABASE_OWNER_PASSWORD` nor `DATABASE_BACKUP_PASSWORD`" in notes


# --- Executed ------------------------------------------------------------------------------------


@pytest.fixture
def server():
    """(address, name): a database of an earlier release, owned by the one role that its site had."""
    if "THROW_AWAY_DATABASE" not in os.environ:
        pytest.fail('Run these with scripts/with_postgresql.sh, or leave them out with -m "not postgresql".')
    given, name = urlsplit(os.environ["DATABASE_URL"]), f"older_{os.getpid()}"
    with psycopg.connect(given.geturl(), autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {name}_former LOGIN PASSWORD 'former'")
        superuser.execute(f"CREATE DATABASE {name} OWNER {name}_former TEMPLATE template0")
        address = f"{given.hostname}:{given.port}/{name}"
        restored.restore_on_postgresql(restored.releases()[-1], f"postgres://{name}_former:former@{address}")
        yield address, name
        superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in ("", "_site", "_backup", "_former"):
            superuser.execute(f"DROP ROLE IF EXISTS {name}{role}")


def run(env, *command):
    around = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", **env}
    return subprocess.run(command, env=around, cwd=ROOT, capture_output=True, text=True, check=False)


def manage(env, *command):
    return run(env, "python", "manage.py", *command)


def doctor(env):
    """{key: (state, sentence)} of everything that is not well; of one key the worst."""
    said = json.loads(manage(env, "doctor", "--json").stdout)
    found = said["findings"] if isinstance(said, dict) else said
    return {one["key"]: one["sentence"] for one in reversed(found) if one["state"] != "ok"}


@contextmanager
def serving(env):
    """scripts/start.sh, as the unit and the image start it, until the site says that it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    around = {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", **env, "PORT": port}
    process = subprocess.Popen([ROOT / "scripts" / "start.sh"], env=around)
    headers = {"Host": OLDER["ALLOWED_HOSTS"], "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}

    def asked(address):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{address}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own process
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    try:
        wait_until(lambda: process.poll() is not None or asked("/readyz") == 200)
        yield asked
    finally:
        process.terminate()
        process.wait(timeout=30)


# Of the kept database and this test alone: it was sealed with another key, its people have no second factor, and no
# clock runs here.
OF_THIS_TEST = {"words.key", "second person", "clock"}


@pytest.mark.postgresql
def test_with_its_variables_alone_it_migrates_serves_and_doctor_says_what_is_new(server):
    """Without containers: nothing but the backups and the role has to be seen to, and nothing stops the start."""
    address, name = server
    env = {**OLDER, "DATABASE_URL": f"postgres://{name}_former:former@{address}"}
    assert run(env, "python", "manage.py", "collectstatic", "--no-input", "--verbosity", "0").returncode == 0
    with serving(env) as asked:
        assert asked("/readyz") == 200
        assert asked("/accounts/login/") == 200
        said = doctor(env)
    assert set(said) - OF_THIS_TEST == {"backups", "site_role"}
    assert said["backups"] == "BACKUP_RECIPIENTS is missing, so no backup is made at night."
    assert f"{name}_former owns tables" in said["site_role"]
    # And once they have been seen to, as the upgrade notes say: the roles, and the tables to their owner.
    host, port = address.partition("/")[0].split(":")
    given = urlsplit(os.environ["DATABASE_URL"])
    superuser = {"PGHOST": host, "PGPORT": port, "PGUSER": given.username, "PGPASSWORD": given.password}
    passwords = {**ADDED, "DATABASE_PASSWORD": OLDER["DATABASE_PASSWORD"], "DATABASE_NAME": name}
    made = run({**superuser, **passwords}, "deploy/postgresql/roles.sh")
    assert made.returncode == 0, made.stderr
    env = as_compose_fills_in("web", address, name)
    assert manage(env, "doctor", "--start").returncode == 2, (
        "the control: the tables are somebody else's still"
    )
    with psycopg.connect(given._replace(path=f"/{name}").geturl(), autocommit=True) as reassigning:
        reassigning.execute(f"REASSIGN OWNED BY {name}_former TO {name}")
    migrated = manage(as_compose_fills_in("migrate", address, name), "migrate_in_turn")
    assert migrated.returncode == 0, migrated.stderr
    with serving(env) as asked:
        assert asked("/readyz") == 200
        assert asked("/accounts/login/") == 200
        assert set(doctor(env)) - OF_THIS_TEST == {"backups"}


def as_compose_fills_in(service, address, name):
    """What the service gets from an older .env with the two passwords added; the database is the test's."""
    given = {
        one: filled(text, {**OLDER, **ADDED})
        for one, text in COMPOSE["services"][service]["environment"].items()
    }
    for one in ("DATABASE_URL", "DATABASE_OWNER_URL", "BACKUP_DATABASE_URL"):
        if one in given:
            given[one] = (
                given[one].replace("@db:5432/alliance", f"@{address}").replace("//alliance", f"//{name}")
            )
    return {
        **given,
        "BACKUP_FOLDER": str(ROOT / "var" / "older_env"),
        "AUDIT_ARCHIVE": str(ROOT / "var" / "older_env"),
    }
