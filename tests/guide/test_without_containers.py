"""The page "Without containers", done as it is written: set up, signed in, killed, backed up, restored elsewhere.

One server for all of them: to set it up takes most of the time.
"""

import base64
import hmac
import json
import re
import shutil
import socket
import threading
import time

import pytest

from tests.guide.blocks import block_with
from tests.guide.server import MODE_OF_SETTINGS, installed, new_server, wait_until
from tests.guide.visitor import NAME

pytestmark = [pytest.mark.postgresql, pytest.mark.xdist_group("guide")]
PASSWORD = "heather bottle evening 47 canyon"
EMAIL = "ada@clinic.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with new_server(tmp_path_factory.mktemp("server")) as made:
        installed(made)
        made.type("openssl req")
        made.type("nginx -t")
        with made.started("site"), made.started("clock") as made.clock, made.proxy():
            wait_until(lambda: made.is_well("web"))
            yield made


@pytest.fixture(scope="module")
def keys(server, tmp_path_factory):
    """(file of the private key, public key), as part 6 makes them."""
    printed = server.type("backup_keys --new")
    file = tmp_path_factory.mktemp("safe") / "key.txt"
    file.write_text(printed)
    return file, re.search(r"public key: (age1\w+)", printed)[1]


@pytest.fixture(scope="module")
def backup(server, keys, administrator):
    said = server.type('echo "BACKUP_RECIPIENTS', **{"age1...": keys[1]})
    assert "It was restored into a copy and is whole." in said
    secrets = dict(line.split("=", 1) for line in said.splitlines() if re.match(r"SECRET_KEY\w*=", line))
    (file,) = (server.at / "var" / "backups").glob("alliance-*.tar.age")
    return file, secrets


@pytest.fixture(scope="module")
def administrator(server):
    """Signed in through the proxy, with a second factor; and the secret of her app."""
    said = server.type("create_administrator")
    link = re.search(rf"https://{NAME}(/\S+)", said)[1]
    ada = server.visitor()
    form = ada.get(link).leads_to or link
    ada.post(form, password1=PASSWORD, password2=PASSWORD)
    ada.post("/accounts/login/", login=EMAIL, password=PASSWORD)
    page = ada.get("/accounts/2fa/totp/activate/")
    secret = re.search(r"<textarea[^>]*>(\w+)</textarea>", page.text)[1]
    ada.secret = secret
    done = ada.post("/accounts/2fa/totp/activate/", page, code=code(secret))  # each page draws a new one
    assert done.status == 302, done.text
    return ada


def code(secret, steps=0):
    """RFC 6238."""
    counter = (int(time.time()) // 30 + steps).to_bytes(8, "big")
    padded = secret + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), counter, "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def test_the_site_answers_behind_tls_and_leads_there(server):
    answer = server.visitor().get("/accounts/login/")
    assert (answer.status, "Sign in" in answer.text) == (200, True)
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    with socket.create_connection(("127.0.0.1", server.plain), timeout=20) as plain:
        plain.sendall(f"GET /x HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        assert f"Location: https://{NAME}/x" in plain.recv(4000).decode()
    server.type("curl --fail")
    # The server alone, under another name, and without the proxy's word that it is HTTPS.
    assert server.tried(f"curl --fail http://127.0.0.1:{server.port}/readyz").returncode != 0


def test_the_program_that_serves_does_not_have_the_owner_s_password(server):
    _, given = server.unit("site")
    assert "DATABASE_OWNER_URL" in given
    found = server.run("scripts/manage.sh check_site_role")
    assert "and nothing more" in found
    drop = 'from django.db import connection as c; c.cursor().execute("DROP TABLE alliance_auditevent")'
    refused = server.tried(f"scripts/manage.sh shell --command '{drop}'")
    assert "must be owner of table" in refused.stderr
    owners = (server.folders["etc"] / "owner.env").stat().st_mode & 0o777
    assert (owners, (server.at / ".env").stat().st_mode & 0o777) == (0o600, MODE_OF_SETTINGS)
    processes = server.run("cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' || true")
    assert (server.folders["etc"] / "owner.env").read_text().strip() not in processes


def test_the_administrator_invites_a_colleague(server, administrator):
    olga = {"name": "Olga Example", "email": "olga@clinic.example", "roles": ["therapist"]}
    done = administrator.post("/clinic/people/new/", **olga)
    link = re.search(rf"https://{NAME}:{server.tls}(/accounts/password/reset/key/[^<\s]+)", done.text)
    assert link, done.text
    colleague = server.visitor()
    form = colleague.get(link[1]).leads_to
    colleague.post(form, password1=PASSWORD, password2=PASSWORD)
    inside = colleague.post("/accounts/login/", login="olga@clinic.example", password=PASSWORD)
    assert inside.status == 302
    assert colleague.get("/accounts/2fa/totp/activate/").status == 200, "a second factor is set up first"
    assert colleague.get("/clinic/").status != 200


def test_a_database_that_is_killed_under_load_comes_back_and_the_site_with_it(server, administrator):
    answers, enough = [], threading.Event()

    def ask():
        while not enough.is_set():
            answers.append(administrator.get("/clinic/").status)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    wait_until(lambda: len(answers) > 8)
    try:
        server.cluster.kill()
        wait_until(lambda: answers[-1] == 503)
        away = server.visitor().get("/readyz")
        server.cluster.start()
        wait_until(lambda: answers[-1] == 200)
    finally:
        enough.set()
        for one in asking:
            one.join()
    assert (away.status, "database does not answer" in away.text) == (503, True)
    assert set(answers) <= {200, 503}
    assert administrator.get("/clinic/").status == 200, "and whoever was signed in still is"


def test_last_night_s_backup_restores_on_another_machine_and_the_second_factor_signs_in(
    server, backup, keys, administrator, tmp_path
):
    file, secrets = backup
    with new_server(tmp_path / "another") as another:
        another.type("make static\ninstall")
        another.type("roles.sh")
        settings = another.at / ".env"
        settings.write_text(
            re.sub(r"^SECRET_KEY=.*", f"SECRET_KEY={secrets['SECRET_KEY']}", settings.read_text(), flags=re.M)
        )
        another.type("cp deploy/systemd/*.service /etc/systemd/system/\n")
        shutil.copy(file, another.at)
        shutil.copy(keys[0], another.at)
        said = another.type("restore var/restore", **{"alliance-2026-11-28T010000Z.tar.age": file.name})
        assert "rows in" in said
        shutil.copytree(server.folders["tls"], another.folders["tls"], dirs_exist_ok=True)
        another.type("nginx -t")
        with another.started("site"), another.proxy():
            wait_until(lambda: another.is_well("web"))
            ada = another.visitor()
            asked = ada.post("/accounts/login/", login=EMAIL, password=PASSWORD)
            assert asked.leads_to == "/accounts/2fa/authenticate/"
            wrong = ada.post(asked.leads_to, code="000000")
            assert wrong.status == 200
            done = ada.post(asked.leads_to, code=code(administrator.secret, steps=1))
            assert done.status == 302
            assert ada.get("/clinic/").status == 200


@pytest.fixture(scope="module")
def tried_backup(server, backup, keys):
    """The clinic has opened it with its own key; until then `doctor` warns."""
    wait_until(lambda: server.is_well("clock"))
    shutil.copy(keys[0], server.at / "var" / "key.txt")
    server.type("verify_backup", **{"alliance-2026-11-28T010000Z.tar.age": backup[0].name})
    assert not (server.at / "var" / "key.txt").exists()


def test_doctor_says_nothing_but_ok(server, tried_backup):
    said = server.run("scripts/manage.sh doctor")
    assert [line for line in said.splitlines() if not line.startswith("ok ")] == []


def test_what_is_typed_when_something_happens(server, tried_backup):
    page = "when-something-happens.md"
    wait_until(lambda: "audit_seal" in server.type("clock --tasks", page=page))
    said = server.type("maintenance on", page=page)
    assert "was made" in said or "alliance-" in said
    server.run("scripts/manage.sh maintenance off")
    looked = server.type("audit_verify", page=page)
    assert "and nothing more" in looked
    assert "AGE-SECRET-KEY" in server.type("backup_keys --new", page=page)
    stranger = server.visitor()
    asked = stranger.post("/accounts/login/", login=EMAIL, password=PASSWORD)
    assert stranger.get(asked.leads_to).status == 200
    server.type("BrowserSession", page=page)
    assert stranger.get(asked.leads_to).leads_to == "/accounts/login/", "everybody is signed out"


def test_the_time_limits_of_a_role(server):
    command = block_with("several-servers.md", "ALTER ROLE").text
    server.run(server.here(command))
    shown = server.run(
        "psql --no-psqlrc --tuples-only --command \"SELECT rolconfig FROM pg_roles WHERE rolname = 'alliance_site'\""
    )
    assert "lock_timeout=5s,statement_timeout=30s" in shown
    server.run("psql --no-psqlrc --command 'ALTER ROLE alliance_site RESET ALL'")


# --- doctor, over the real command, in the real folder ----------------------------------------------


def found(server, key):
    done = server.tried("scripts/manage.sh doctor --json")
    findings = {one["key"]: one for one in json.loads(done.stdout)["findings"]}
    return done.returncode, findings.get(key, {}).get("sentence", "")


def psql(server, sql):
    server.run(f'psql --no-psqlrc --quiet --dbname alliance --command "{sql}"')


def setting(server, name, value):
    """Another value in .env; what undoes it."""
    file = server.at / ".env"
    before = file.read_text()
    file.write_text(
        "".join(line for line in before.splitlines(True) if not line.startswith(f"{name}="))
        + f"{name}={value}\n"
    )
    return lambda: file.write_text(before)


def another_key(server):
    return setting(
        server, "SECRET_KEY", "Zq8-" + "another-key-9Xw2Lk7Vb4Nc1Md6Rt3Fg5Hy8Ju0Po_" + "QwErTz4821"
    )


def dropped_trigger(server):
    psql(server, "ALTER TABLE sessions_app_rating DISABLE TRIGGER ALL")
    return lambda: psql(server, "ALTER TABLE sessions_app_rating ENABLE TRIGGER ALL")


def missing_constraint(server):
    psql(server, "ALTER INDEX user_email_whatever_the_case RENAME TO gone")
    return lambda: psql(server, "ALTER INDEX gone RENAME TO user_email_whatever_the_case")


def missing_migration(server):
    psql(server, "UPDATE django_migrations SET name = 'x' || name WHERE app = 'sessions_app'")
    return lambda: psql(
        server, "UPDATE django_migrations SET name = substr(name, 2) WHERE app = 'sessions_app'"
    )


def no_static_files(server):
    files = server.at / "var" / "static"
    files.rename(server.at / "var" / "gone")
    return lambda: (server.at / "var" / "gone").rename(files)


def silent_mail(server):
    return setting(server, "EMAIL_URL", "smtp://127.0.0.1:1")


def site_that_may_too_much(server):
    psql(server, "GRANT TRUNCATE ON alliance_auditevent TO alliance_site")
    return lambda: psql(server, "REVOKE TRUNCATE ON alliance_auditevent FROM alliance_site")


def open_settings(server):
    (server.at / ".env").chmod(0o644)
    return lambda: (server.at / ".env").chmod(MODE_OF_SETTINGS)


def clock_that_ended(server):
    server.clock.terminate()
    server.clock.wait(timeout=30)
    psql(server, "UPDATE alliance_clockbeat SET beat_at = beat_at - interval '3 hours'")
    return lambda: psql(server, "UPDATE alliance_clockbeat SET beat_at = now()")


def database_away(server):
    server.cluster.kill()
    return server.cluster.start


SABOTAGES = [
    (another_key, "key", 2, "SECRET_KEY is another one than before: 2 of 2 second factors"),
    (dropped_trigger, "triggers", 2, "of the database not as declared"),
    (missing_constraint, "constraints", 2, "so that rows could be doubled or wrong"),
    (missing_migration, "migrations", 2, "The database is older than the site: "),
    (no_static_files, "static", 2, "The static files are not there"),
    (silent_mail, "mail", 2, "The mail server does not answer"),
    (site_that_may_too_much, "site_role", 1, "may TRUNCATE"),
    (open_settings, "settings.file", 1, "Other users of this machine may read .env"),
    (clock_that_ended, "clock", 2, "has given no sign of life for 3 hours"),
    (database_away, "database", 2, "The database does not answer."),
]


@pytest.mark.parametrize(("sabotage", "key", "status", "sentence"), SABOTAGES)
def test_doctor_turns_red_in_the_folder_of_a_clinic(server, backup, sabotage, key, status, sentence):
    undo = sabotage(server)
    try:
        exits_with, said = found(server, key)
    finally:
        undo()
    assert (exits_with, sentence in said) == (status, True), said
