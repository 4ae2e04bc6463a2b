"""Each command of the guide is run by a test, which stands in the table here, or the guide says that none runs it."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from tests.guide.blocks import PAGES, ROOT, all_blocks, block_with, blocks, text_of

WALK = "tests/guide/test_without_containers.py"
ROLES = "tests/alliance/operations/test_two_roles.py::test_the_site_works_on_a_database_whose_tables_it_does_not_own"
SIGNED_IN = f"{WALK}::administrator"
SERVER = f"{WALK}::server"
BACKUP = f"{WALK}::backup"
ELSEWHERE = f"{WALK}::test_last_night_s_backup_restores_on_another_machine_and_the_second_factor_signs_in"
WELL = f"{WALK}::test_doctor_says_nothing_but_ok"
HAPPENS = f"{WALK}::test_what_is_typed_when_something_happens"
POOLER = "tests/guide/test_pooler.py::test_an_export_of_the_access_log_through_pgbouncer_is_not_cut_short"
STANDBY = "tests/guide/test_standby.py::test_when_the_primary_dies_the_site_goes_on_with_the_standby"
WAL = (
    "tests/alliance/operations/test_wal_archive.py::test_a_rating_acknowledged_before_the_fault_is_there_after_recovery"
    "_and_the_mistake_after_it_is_not"
)
KEYS = "tests/guide/test_guide.py::test_the_guide_s_ways_to_make_a_key_make_good_ones"
# Where commands of compose are read: the file itself, since there is no Docker here.
COMPOSE = "tests/guide/test_guide.py::test_compose_commands_name_services_of_the_file"

# What stands after `manage.py` or `scripts/manage.sh`, by its first words: the test that runs it.
MANAGED = {
    "audit_archive": "tests/alliance/test_log_archive.py::"
    "test_each_month_is_one_file_and_every_line_is_in_a_file_or_in_the_table",
    "audit_verify": HAPPENS,
    "backup": BACKUP,
    "backup --verify": BACKUP,
    "backup_keys": BACKUP,
    "backup_keys --new": f"{WALK}::keys",
    "check_site_role": HAPPENS,
    "check_site_role --grant": ROLES,
    "clock --tasks": HAPPENS,
    "create_administrator": SIGNED_IN,
    "doctor": WELL,
    "maintenance": HAPPENS,
    "migrate_in_turn": SERVER,
    "recompute_flags": "tests/sessions_app/flags/test_recompute.py::test_a_change_of_the_rules_begins_one",
    "restore": ELSEWHERE,
    "shell --command": HAPPENS,
    "verify_backup": WELL,
}
# Whole lines of the other blocks.
LINES = {
    r"make static": SERVER,
    r"install --directory .* var": SERVER,
    r"umask 0[72][72]|secret\(\) .*|(export|unset) DATABASE_PASSWORD.*": SERVER,
    r"runuser -u postgres -- deploy/postgresql/roles.sh": SERVER,
    r"cat >\.env <<END|END|(SECRET_KEY|ALLOWED_HOSTS|TIME_ZONE|DATABASE_URL)=.*": SERVER,
    r"mkdir --parents /etc/(alliance|ssl/alliance)|echo \"(DATABASE_OWNER|BACKUP_DATABASE)_URL=.*": SERVER,
    r"chown root:alliance .env && chmod 0640 .env|cp deploy/systemd/\*.service /etc/systemd/system/": SERVER,
    r"openssl req .*|export SITE=.*|sed .*|nginx -t": SERVER,
    r"curl --fail .*": f"{WALK}::test_the_site_answers_behind_tls_and_leads_there",
    r"echo \"BACKUP_RECIPIENTS=.*": BACKUP,
    r"install .* var/restore/?|rm --recursive var/restore": ELSEWHERE,
    r"rm var/key.txt": WELL,
    r"runuser -u postgres -- psql --command \"ALTER ROLE .*": f"{WALK}::test_the_time_limits_of_a_role",
    r"\[(databases|pgbouncer)\]|alliance = .*|[a-z_]+ = [\w/.*-]+": POOLER,
    r"DATABASE_POOLER=on": POOLER,
    r"(archive|restore|recovery)_\w+ = .*|pg_basebackup .*": WAL,
    r"python3 -c 'import secrets; .*'": KEYS,
    r"cp .env.example .env && chmod 600 .env|nano .env|git clone .* alliance && cd alliance|git pull": COMPOSE,
    r"docker compose .*": COMPOSE,
}


def managed(command):
    found = re.search(r"manage\.(?:py|sh)(?: --owner)? (.+)", command)
    return found and found[1]


def test_of(command):
    if given := managed(command):
        known = [name for name in MANAGED if given == name or given.startswith(f"{name} ")]
        return MANAGED[max(known, key=len)] if known else None
    return next((test for line, test in LINES.items() if re.fullmatch(line, command)), None)


test_of.__test__ = False


@pytest.mark.parametrize("name", PAGES)
def test_each_command_is_run_by_a_test_or_marked(name):
    unknown = [
        command
        for block in blocks(name)
        if not block.is_marked
        for command in block.commands
        if not command.startswith("#") and not test_of(command)
    ]
    assert unknown == [], "Name the test that runs it, or write above it: *Not executed by a test*, and why."


def test_the_tests_of_the_table_are_there():
    for named in {*MANAGED.values(), *LINES.values()}:
        path, name = named.split("::")
        text = (ROOT / path).read_text("utf-8")
        assert f"def {name}" in text, named
        assert "def test_" in text


def test_nothing_stands_in_the_table_that_no_page_has():
    commands = [command for block in all_blocks() if not block.is_marked for command in block.commands]
    given = [managed(command) for command in commands if managed(command)]
    assert [name for name in MANAGED if not any(f"{one} ".startswith(f"{name} ") for one in given)] == []
    assert [line for line in LINES if not any(re.fullmatch(line, one) for one in commands)] == []


def test_a_page_says_that_some_of_it_was_not_executed_wherever_a_block_is_marked():
    marked = [block for block in all_blocks() if block.is_marked]
    assert len(marked) >= 8
    assert "`tests/guide/test_guide.py`" in text_of("deployment.md")


def test_control_an_unknown_command_has_no_test():
    assert test_of("systemctl enable everything") is None
    assert test_of("scripts/manage.sh doctor --json") == WELL
    assert test_of("scripts/manage.sh doctors") is None


def test_compose_commands_name_services_of_the_file():
    """There is no Docker where the tests run. So: the services that commands name, folders that are mounted, files."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    commands = [one for block in all_blocks() for one in block.commands if one.startswith("docker compose ")]
    assert len(commands) > 15
    for command in commands:
        words = command.split()
        if words[2] in {"exec", "run", "stop"}:
            assert set(words) & set(compose["services"]), command
        if "--owner" in command or "restore" in command or "audit_archive" in command:
            assert "migrate" in words, f"the owner's address is that service's alone: {command}"
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.rsplit(":", 2)[0] if volume.count(":") > 1 else volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), volume
        for needed in service.get("depends_on", {}):
            assert needed in compose["services"]
    assert (ROOT / ".env.example").is_file()


def test_the_guide_s_ways_to_make_a_key_make_good_ones(capsys):
    found = re.findall(r"python3 -c '([^']+)'", block_with("deployment.md", "cp .env.example").text)
    assert len(found) == 3
    for code in found:
        exec(code)  # noqa: S102 - it stands in our own guide
    key, *passwords = capsys.readouterr().out.split()
    assert len(key) > 64
    assert all(re.fullmatch(r"[0-9a-f]{48}", one) for one in passwords), (
        "letters and digits, as compose needs them"
    )


def test_no_password_of_a_role_stays_in_the_shell_that_runs_the_rest_of_the_page():
    """Each later command, also those of the user alliance, would have the owner's password in its environment."""
    exported = set()
    for block in blocks("without-containers.md"):
        for command in block.commands:
            if command.startswith("export "):
                exported |= set(re.findall(r"\b(\w*PASSWORD)=", command))
            if command.startswith("unset "):
                exported -= set(command.split())
        assert exported == set(), block.text


def test_manage_sh_reads_settings_as_systemd_does(tmp_path):
    """An address of several databases has an "&" in it, which a shell would take for its own."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "manage.sh", tmp_path / "scripts")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" "$BACKUP_DATABASE_URL" "$DATABASE_OWNER_URL"\n')
    python.chmod(0o755)
    url = "postgres://x:y@a,b:5432/c?d=e&f=$(touch g)"
    (tmp_path / "clock.env").write_text(f"# a comment\nBACKUP_DATABASE_URL={url}\n")
    (tmp_path / "owner.env").write_text("DATABASE_OWNER_URL=owner")
    user = subprocess.check_output(["id", "-un"], text=True).strip()
    around = {"PATH": os.environ["PATH"], "SETTINGS_FOLDER": str(tmp_path), "SITE_USER": user}

    def said(*arguments):
        command = [tmp_path / "scripts" / "manage.sh", *arguments]
        return subprocess.check_output(command, env=around, text=True).strip()

    def refused(*arguments):
        command = [tmp_path / "scripts" / "manage.sh", *arguments]
        done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        return done.stderr

    assert said("backup", "--verify") == f"manage.py backup --verify {url}"
    assert said("--owner", "restore") == f"manage.py restore {url} owner"
    for written in (f'"{url}"', f"'{url}'", f"{url} \t\r\n"):
        (tmp_path / "clock.env").write_text(
            f"\n; another comment\n BACKUP_DATABASE_URL={written}", newline=""
        )
        assert said("doctor") == f"manage.py doctor {url}"
    assert not Path(tmp_path / "g").exists()
    # Else the command would run as the site's own role, and fail half-way.
    (tmp_path / "owner.env").unlink()
    assert "There is no" in refused("--owner", "restore")
    assert said("doctor") == f"manage.py doctor {url}"


def test_manage_sh_of_somebody_who_may_not_read_the_settings_is_refused():
    """It took them for not there, and a backup ran as another role than the clock's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        script = shutil.copy(ROOT / "scripts" / "manage.sh", folder)
        closed = Path(folder, "closed")
        closed.mkdir(mode=0o700 if os.getuid() == 0 else 0)
        somebody = ["runuser", "-u", "nobody", "--"] if os.getuid() == 0 else []
        command = [*somebody, "env", f"SETTINGS_FOLDER={closed}", "bash", script, "doctor"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "Run this as root" in done.stderr) == (2, True), done.stderr
