"""A new database as the guide makes it: the script of the roles, migrations as the owner, the site as the other."""

import os
import subprocess
from urllib.parse import urlsplit

import psycopg
import pytest

from alliance.operations import owner
from alliance.operations.backup_keys import one_for_the_moment
from tests.upgrades.restored import ROOT, manage, pg_dump

pytestmark = pytest.mark.postgresql


@pytest.fixture
def addresses():
    """(of the owner, of the site), made by the script; both are gone afterwards."""
    if "THROW_AWAY_DATABASE" not in os.environ:
        pytest.fail('Run these with scripts/with_postgresql.sh, or leave them out with -m "not postgresql".')
    given, name = urlsplit(os.environ["DATABASE_URL"]), f"roles_{os.getpid()}"
    environment = {
        **{
            "PATH": os.environ["PATH"],
            "PGHOST": given.hostname,
            "PGPORT": str(given.port),
            "PGUSER": given.username,
        },
        **{"PGPASSWORD": given.password, "DATABASE_NAME": name},
        **{
            "DATABASE_PASSWORD": "of the 'site'",
            "DATABASE_OWNER_PASSWORD": "of_the_owner",
            "DATABASE_BACKUP_PASSWORD": "of_the_backup",
        },
    }
    script = ROOT / "deploy" / "postgresql" / "roles.sh"
    subprocess.run([script], env=environment, check=True)
    subprocess.run([script], env={**environment, "DATABASE_PASSWORD": "of_the_site"}, check=True)
    server = f"{given.hostname}:{given.port}/{name}"
    yield f"postgres://{name}:of_the_owner@{server}", f"postgres://{name}_site:of_the_site@{server}"
    with psycopg.connect(given.geturl(), autocommit=True) as superuser:
        left = superuser.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        for (database,) in left.fetchall():
            superuser.execute(f"DROP DATABASE {database} WITH (FORCE)")
        superuser.execute(f"DROP ROLE {name}")
        superuser.execute(f"DROP ROLE {name}_site")
        superuser.execute(f"DROP ROLE {name}_backup")


def test_the_site_works_on_a_database_whose_tables_it_does_not_own(addresses):
    owners, sites = addresses
    refused = manage(sites, "migrate", "--no-input", "--verbosity", "0")
    assert "permission denied for schema public" in refused.stderr
    done = manage(sites, "migrate", "--no-input", "--verbosity", "0", DATABASE_OWNER_URL=owners)
    assert (done.returncode, "were set on" in done.stderr) == (0, True), done.stderr
    again = manage(sites, "migrate", "--no-input", "--verbosity", "0", DATABASE_OWNER_URL=owners)
    assert (again.returncode, again.stderr) == (0, "")
    # At each start, without the owner: nothing to do, and so nothing that the site may not.
    assert manage(sites, "migrate", "--no-input", "--verbosity", "0").returncode == 0
    checked = manage(sites, "check_site_role")
    assert (checked.returncode, "and nothing more" in checked.stdout) == (0, True)
    made = manage(sites, "create_administrator", "ada@clinic.example", "Ada Example")
    assert made.returncode == 0, made.stderr
    backups = sites.replace("_site:of_the_site@", "_backup:of_the_backup@")
    with psycopg.connect(backups) as reading:
        assert reading.execute("SELECT count(*) FROM alliance_auditevent").fetchone()[0] > 0
        with pytest.raises(psycopg.Error, match="permission denied"):
            reading.execute("INSERT INTO django_migrations SELECT * FROM django_migrations")
    assert "CREATE TABLE public.alliance_auditevent" in pg_dump(backups)
    with psycopg.connect(owners) as tables:
        tables.execute(f"GRANT TRUNCATE ON alliance_auditevent TO {urlsplit(sites).username}")
    found = manage(sites, "check_site_role")
    assert (found.returncode, "may TRUNCATE on alliance_auditevent." in found.stdout) == (1, True)
    assert manage(sites, "check_site_role", "--grant", DATABASE_OWNER_URL=owners).returncode == 0
    for sql in (
        "TRUNCATE alliance_auditevent",
        "CREATE TEMPORARY TABLE x (id int)",
        "DELETE FROM alliance_auditevent",
    ):
        with psycopg.connect(sites) as site, pytest.raises(psycopg.Error, match="permission denied"):
            site.execute(sql)


def test_a_migration_waits_for_a_table_and_all_others_behind_it(addresses, monkeypatch):
    """It lets go after some seconds, and tries again. The control: it is refused as long as the table is held."""
    owners, _ = addresses
    monkeypatch.setattr(owner, "PAUSE_SECONDS", 0)
    said = []
    with (
        psycopg.connect(owners) as site,
        psycopg.connect(owners, options="-c lock_timeout=100ms") as migrating,
    ):
        site.execute("CREATE TABLE held (id int)")
        site.commit()
        site.execute("SELECT * FROM held")

        def change():
            try:
                migrating.execute("ALTER TABLE held ADD COLUMN x int")
                migrating.commit()
            except psycopg.Error as error:
                migrating.rollback()
                if len(said) == 1:
                    site.commit()
                raise owner.DatabaseError from error

        owner.repeated(change, said.append)
        assert said == ["Somebody is using a table that is to be changed; trying again."] * 2
        site.execute("SELECT * FROM held")
        monkeypatch.setattr(owner, "TRIES", 2)
        said.append("the control")
        with pytest.raises(owner.DatabaseError):
            owner.repeated(change, said.append)


def test_a_role_that_only_reads_makes_backups_the_owner_restores_and_the_site_goes_on(addresses, tmp_path):
    owners, sites = addresses
    private, public = one_for_the_moment()
    key = tmp_path / "key.txt"
    key.write_text(str(private))
    assert (
        manage(sites, "migrate", "--no-input", "--verbosity", "0", DATABASE_OWNER_URL=owners).returncode == 0
    )
    assert manage(sites, "create_administrator", "ada@clinic.example", "Ada Example").returncode == 0
    around = {"BACKUP_FOLDER": str(tmp_path / "backups"), "BACKUP_RECIPIENTS": str(public)}
    assert "name one that may in BACKUP_DATABASE_URL" in manage(sites, "backup", "--verify", **around).stderr
    backups = sites.replace("_site:of_the_site@", "_backup:of_the_backup@")
    made = manage(sites, "backup", "--verify", BACKUP_DATABASE_URL=backups, **around)
    assert (made.returncode, "It was restored into a copy and is whole." in made.stdout) == (0, True), (
        made.stdout + made.stderr
    )
    with psycopg.connect(backups) as reading, pytest.raises(psycopg.Error, match="permission denied"):
        reading.execute("DELETE FROM alliance_user")
    file = max((tmp_path / "backups").glob("alliance-*"))
    restoring = ["restore", str(file), "--identity", str(key), "--even-though-newer"]
    done = manage(sites, *restoring, DATABASE_OWNER_URL=owners, **around)
    assert (done.returncode, "To look at" in done.stdout) == (0, False), done.stderr
    checked = manage(sites, "check_site_role")
    assert (checked.returncode, "and nothing more" in checked.stdout) == (0, True), checked.stdout
    assert manage(sites, "backup", BACKUP_DATABASE_URL=backups, **around).returncode == 0
    with psycopg.connect(sites) as site:
        assert site.execute("SELECT email FROM alliance_user").fetchall() == [("ada@clinic.example",)]
