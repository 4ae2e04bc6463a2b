"""A missing or wrong setting stops the start: one sentence, exit code 2, no traceback."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from alliance.environment import Environment, SettingError, is_weak

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = "Vt5Jm0qT8yBz3wLr-KdX1_hGu7oSfPa2EiN6cMx9ZQkRbWeYjD"  # of nobody
COMPLETE = {
    "SECRET_KEY": SECRET_KEY,
    "ALLOWED_HOSTS": "alliance.clinic.example",
    "DATABASE_URL": "postgres://alliance:secret@127.0.0.1:1/alliance",
}
# A .env in the working folder would answer for the settings that are missing on purpose.
SHOW = """
import sys, warnings
warnings.simplefilter("error")
import environ
environ.Env.read_env = lambda *of, **how: None
import alliance.settings as settings
print(*(getattr(settings, name) for name in sys.argv[1:]), sep="|")
"""


def start(*shown: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Read the settings in a new process with nothing in its environment but what is named here."""
    wanted = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", SHOW, *shown],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **wanted},
        capture_output=True,
        text=True,
        check=False,
    )


def shown(*names: str, **changes: str | None) -> list[str]:
    done = start(*names, **changes)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split("|")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY is missing or shorter than 50 characters; make one with"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing or shorter than 50 characters"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is missing or shorter than 50 characters"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS is missing; write the address of the site"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is '*', which lets any site pose as yours"),
        ({"ALLOWED_HOSTS": "https://alliance.clinic.example"}, "ALLOWED_HOSTS holds more than names"),
        ({"ALLOWED_HOSTS": ".clinic.example"}, "ALLOWED_HOSTS holds more than names"),
        ({"ALLOWED_HOSTS": "clinic.example:8443"}, "ALLOWED_HOSTS holds more than names"),
        (
            {"DATABASE_OWNER_URL": "postgres://owner:secret@127.0.0.1:1/another"},
            "DATABASE_OWNER_URL and DATABASE_URL name different databases",
        ),
        (
            {"DATABASE_OWNER_URL": COMPLETE["DATABASE_URL"]},
            "DATABASE_OWNER_URL and DATABASE_URL name the same user; give the site a role of its own",
        ),
        ({"TRUSTED_PROXIES": "²"}, "TRUSTED_PROXIES is '²'; write a whole number"),
        ({"HTTPS": "off"}, "ALLOWED_HOSTS names a public address while HTTPS, or the second factor, is off"),
        ({"SECOND_FACTOR": "off"}, "ALLOWED_HOSTS names a public address while HTTPS, or the second factor"),
        ({"DEMO": "on"}, "ALLOWED_HOSTS names a public address"),
        ({"DEMO": "on", "ALLOWED_HOSTS": None}, "DEMO is on with a PostgreSQL database"),
        ({"DEBUG": "on"}, "ALLOWED_HOSTS names a public address"),
        (
            {"DEBUG": "on", "HTTPS": "on", "SECOND_FACTOR": "on"},
            "DEBUG is on while ALLOWED_HOSTS names a public",
        ),
        ({"SECRET_KEY": "k" * 64}, "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can be guessed"),
        ({"SECRET_KEY": SECRET_KEY[:25] * 2}, "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can be guessed"),
        ({"SECRET_KEY": "abcdefghijklmnopqrstuvwxyz0123456789" * 2}, "SECRET_KEY, or one of"),
        ({"SECRET_KEY": f"django-insecure-{SECRET_KEY}"}, "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can"),
        ({"SECRET_KEY_FALLBACKS": "k" * 64}, "SECRET_KEY, or one of SECRET_KEY_FALLBACKS, can be guessed"),
        ({"HTTPS": "perhaps"}, "HTTPS is 'perhaps'; write on or off."),
        ({"TRUSTED_PROXIES": "one"}, "TRUSTED_PROXIES is 'one'; write a whole number"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES is '-1'; write a whole number"),
        ({"TRUSTED_PROXIES": "0"}, "HTTPS is on and TRUSTED_PROXIES is 0"),
        ({"DATABASE_URL": "mysql://a:b@c/d"}, "DATABASE_URL is not understood; write postgres://"),
        ({"DATABASE_URL": "alliance"}, "DATABASE_URL is not understood"),
        ({"DATABASE_URL": "postgres://a:b@c:port/d"}, "DATABASE_URL is not understood"),
        ({"DATABASE_URL": "postgres://"}, "DATABASE_URL is not understood"),
        ({"AUDIT_ARCHIVE_KEEP": "11"}, "AUDIT_ARCHIVE_KEEP is 11; write 12 or more, or leave it blank."),
        ({"DATABASE_POOL": "many"}, "DATABASE_POOL is 'many'; write a whole number such as 4."),
        ({"TIME_ZONE": "Berlin"}, "TIME_ZONE is 'Berlin'; write a zone such as Europe/Berlin."),
        ({"EMAIL_URL": "mail.clinic.example"}, "EMAIL_URL is not understood; write smtp+tls://"),
        ({"EMAIL_URL": "pigeon://coop"}, "EMAIL_URL is not understood"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(changes, sentence):
    done = start(**changes)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"Cannot start: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_clinic_needs_three_settings_and_gets_the_safe_side_of_the_others():
    names = ("HTTPS", "SECOND_FACTOR_REQUIRED", "DEBUG", "DEMO", "SESSION_COOKIE_SECURE", "TRUSTED_PROXIES")
    assert shown(*names) == ["True", "True", "False", "False", "True", "1"]
    assert shown("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME") == ["__Host-session", "__Host-csrf"]


def test_a_blank_line_counts_as_not_set():
    blank = dict.fromkeys(["HTTPS", "DEMO", "TRUSTED_PROXIES", "TIME_ZONE", "EMAIL_URL", "MAIL_FROM"], "")
    assert shown("HTTPS", "DEMO", "TIME_ZONE", "DEFAULT_FROM_EMAIL", **blank) == [
        "True",
        "False",
        "UTC",
        "alliance@localhost",
    ]


def test_a_try_out_serves_this_machine_alone():
    hosts, https = shown("ALLOWED_HOSTS", "HTTPS", DEMO="on", ALLOWED_HOSTS=None, DATABASE_URL=None)
    assert "127.0.0.1" in hosts
    assert https == "False"
    assert start(DEMO="on", ALLOWED_HOSTS="192.0.2.7", DATABASE_URL=None).returncode == 2


def test_a_demo_and_a_clinic_never_share_a_file():
    (clinics,) = shown("DATABASES", DATABASE_URL=None)
    (demos,) = shown("DATABASES", DATABASE_URL=None, DEMO="on", ALLOWED_HOSTS=None)
    assert "var/alliance.sqlite3" in clinics
    assert "var/demo.sqlite3" in demos


def test_mail_reaches_the_server_that_is_named():
    host, port, tls = shown(
        "EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", EMAIL_URL="smtp+tls://me:pw@mail.clinic.example:587"
    )
    assert (host, port, tls) == ("mail.clinic.example", "587", "True")


def test_a_try_out_keeps_the_key_it_made(tmp_path):
    env = Environment(tmp_path / "no.env")
    kept_in = tmp_path / "var" / "secret_key"
    first = env.secret("A_KEY_NOBODY_SET", keep_in=kept_in)
    assert len(first) >= 50
    assert kept_in.stat().st_mode & 0o077 == 0
    assert env.secret("A_KEY_NOBODY_SET", keep_in=kept_in) == first
    with pytest.raises(SettingError):
        env.secret("A_KEY_NOBODY_SET", keep_in=None)


def test_the_process_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("A_NAME=file\nANOTHER_NAME=file\n")
    # Both set first, so that monkeypatch takes back what reading the file sets.
    monkeypatch.setenv("A_NAME", "process")
    monkeypatch.setenv("ANOTHER_NAME", "")
    monkeypatch.delenv("ANOTHER_NAME")
    env = Environment(tmp_path / ".env")
    assert (env.text("A_NAME"), env.text("ANOTHER_NAME")) == ("process", "file")


def test_a_path_in_front_of_the_site_is_refused_with_what_to_do():
    started = start("DEBUG", SCRIPT_NAME="/feedback")
    assert started.returncode == 2
    assert "root of a name of its own" in started.stderr


def test_keys_by_chance_are_never_called_weak_and_a_key_at_home_may_be():
    assert not any(is_weak(secrets.token_urlsafe(64)) or is_weak(secrets.token_hex(64)) for _ in range(500))
    assert shown("DEBUG", DEBUG="on", ALLOWED_HOSTS="localhost", SECRET_KEY="k" * 50) == ["True"]
