"""`/metrics`: what it counts, over several processes, and that it tells nothing personal and not everybody."""

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.operations import heartbeat, metrics, serving, shared_metrics
from alliance.operations.backup_made import BackupMade
from sessions_app.courses.models import Mode
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import NotStored, TooManySetAside, record_rating
from tests import cast
from tests.alliance.operations.processes import ROOT, wait_until

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-monitoring-that-is-long"


def figures() -> dict[str, float]:
    lines = metrics.exposition().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[0] != "#"
    }


def grown(before: dict[str, float]) -> dict[str, float]:
    return {
        name: value - before.get(name, 0) for name, value in figures().items() if value != before.get(name, 0)
    }


# --- Who reads it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "brought",
    [{}, {"Authorization": "Bearer no"}, {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}],
)
def test_with_a_token_only_whoever_brings_it_reads(settings, brought):
    settings.METRICS_TOKEN = TOKEN
    assert Browser().get("/metrics", headers=brought).status_code == 404
    assert Browser().post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404
    answer = Browser(REMOTE_ADDR="203.0.113.7").get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"


OF_A_PROXY = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"]


@pytest.mark.parametrize("header", OF_A_PROXY)
def test_without_a_token_only_this_machine_reads_and_nobody_behind_a_proxy(header):
    assert Browser().get("/metrics").status_code == 200
    assert Browser(REMOTE_ADDR="::1").get("/metrics").status_code == 200
    assert Browser().get("/metrics", headers={header: "203.0.113.7"}).status_code == 404
    for address in ("203.0.113.7", "10.0.0.3", ""):
        assert Browser(REMOTE_ADDR=address).get("/metrics").status_code == 404, address


def test_nobody_reads_it_by_who_they_are(clinic, settings, client):
    settings.METRICS_TOKEN = TOKEN
    for person in (clinic.olga, clinic.sina, clinic.adam):
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        absent, refused = client.get("/nothing"), client.get("/metrics")
        assert refused.status_code == 404
        assert _without_number(refused) == _without_number(absent)


def _without_number(answer) -> str:
    return answer.text.replace(answer.headers["X-Request-ID"], "")


# --- What it counts ------------------------------------------------------------------------------


def test_requests_are_counted_by_the_name_of_their_page_and_nothing_personal(clinic, sign_in):
    before = figures()
    address = reverse("dashboard:client", args=[clinic.olgas.code])
    browser = sign_in(clinic.olga)
    browser.get(address, {"q": "kanarienvogel"})
    browser.get("/kanarienvogel/")
    browser.generic("KANARIENVOGEL", address)
    counted = grown(before)
    assert counted['alliance_requests_total{method="GET",route="dashboard:client",status="2xx"}'] == 1
    assert counted['alliance_requests_total{method="GET",route="none",status="4xx"}'] == 1
    # Refused before anybody looks which page it is.
    assert counted['alliance_requests_total{method="other",route="none",status="4xx"}'] == 1
    assert counted['alliance_request_seconds_count{route="dashboard:client"}'] == 1
    text = metrics.exposition().decode()
    for personal in (
        "kanarienvogel",
        str(clinic.olgas.code),
        "K-1",
        "Olga",
        clinic.olga.email,
        str(clinic.olga.pk),
    ):
        assert personal.lower() not in text.lower()


def test_marks_are_counted_as_accepted_set_aside_and_refused(clinic, django_capture_on_commit_callbacks):
    before = figures()
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)

    def deliver(value):
        record_rating(grant=grant, answers=cast.answers(value), mode=Mode.LINE, claimed_at=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):
        deliver(300)
        deliver(300)
        for value in range(100, 110):
            with pytest.raises(NotStored):
                deliver(value)
        with pytest.raises(TooManySetAside):
            deliver(20)
    counted = grown(before)
    assert counted['alliance_marks_total{form="rating",outcome="accepted"}'] == 1
    assert counted['alliance_marks_total{form="rating",outcome="set_aside"}'] == 10
    assert counted['alliance_marks_total{form="rating",outcome="refused"}'] == 1
    assert counted["alliance_delivery_delay_seconds_count"] == 1


def test_what_is_refused_at_the_door_is_counted():
    before = figures()
    Browser().post("/rate/upload/", "{}", content_type="application/json")
    assert grown(before)['alliance_marks_total{form="unknown",outcome="refused"}'] == 1


def test_marks_that_are_rolled_back_are_not_counted(django_capture_on_commit_callbacks):
    before = figures()
    with django_capture_on_commit_callbacks(execute=False):
        metrics.marks_accepted()
    assert "alliance_marks_total" not in " ".join(grown(before))


def test_the_clocks_beat_is_there_once_it_has_beaten():
    assert "alliance_clock_beat_age_seconds" not in figures()
    heartbeat.beat(host="here", pid=1, leads_since=timezone.now())
    heartbeat.ClockBeat.objects.update(beat_at=timezone.now() - timedelta(minutes=10))
    assert 600 <= figures()["alliance_clock_beat_age_seconds"] < 660


def test_the_age_of_the_newest_backup_is_there_once_there_is_one():
    assert "alliance_backup_age_seconds" not in figures()
    BackupMade.objects.create(
        file="x",
        made_at=timezone.now() - timedelta(hours=2),
        seconds=1,
        size=1,
        encrypted=True,
        version="0.1.0",
        rows=1,
    )
    assert 7200 <= figures()["alliance_backup_age_seconds"] < 7260
    assert "alliance_backup_verified_age_seconds" not in figures()


def test_a_figure_that_cannot_be_read_hides_no_other(monkeypatch):
    def is_away():
        raise DatabaseError

    monkeypatch.setattr(metrics, "_MEASURES", {**metrics._MEASURES})
    metrics.measure("alliance_backup_age_seconds", "Since the last backup.", is_away)
    found = figures()
    assert found['alliance_measure_failed{measure="alliance_backup_age_seconds"}'] == 1
    assert found['alliance_measure_failed{measure="alliance_forms_out"}'] == 0
    assert "alliance_forms_out" in found


def test_what_cannot_be_counted_fails_no_request(monkeypatch):
    monkeypatch.setattr(metrics, "_requests", None)
    assert Browser().get(reverse("account_login")).status_code == 200


# --- Several processes ---------------------------------------------------------------------------

WORKER = """
import sys
import django
django.setup()
from alliance.operations import metrics
for _ in range(int(sys.argv[1])):
    metrics.request_answered(route="home", method="GET", status=200, seconds=0.02)
metrics._pool.labels("connections").set(1)
print(metrics.exposition().decode().replace("\\n", "|"), flush=True)
sys.stdin.readline()
print(metrics.exposition().decode().replace("\\n", "|"), flush=True)
sys.stdin.readline()
"""
COUNTED = re.compile(r'alliance_requests_total{method="GET",route="home",status="2xx"} ([0-9.]+)')
CONNECTIONS = re.compile(r'alliance_database_pool{what="connections"} ([0-9.]+)')


@pytest.fixture
def shared():
    made = shared_metrics.make()
    yield Path(made)
    shared_metrics.remove(made)


def worker(shared, count):
    environment = {
        **os.environ,
        shared_metrics.FOLDER: str(shared),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    command = [sys.executable, "-c", WORKER, str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)


def asked(process) -> str:
    process.stdin.write("again\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_two_workers_count_together_and_one_that_is_killed_is_followed_by_another(shared):
    first = worker(shared, 2)
    first.stdout.readline()
    second = worker(shared, 3)
    assert COUNTED.search(second.stdout.readline())[1] == "5.0"
    both = asked(first)
    assert (COUNTED.search(both)[1], CONNECTIONS.search(both)[1]) == ("5.0", "2.0")
    second.send_signal(signal.SIGKILL)
    second.communicate()
    files = sorted(shared.glob("*.db"))
    third = worker(shared, 1)
    after = third.stdout.readline()
    # Its counts stay, what it held is gone, and its files are taken over.
    assert (COUNTED.search(after)[1], CONNECTIONS.search(after)[1]) == ("6.0", "2.0")
    assert sorted(shared.glob("*.db")) == files
    for one in (first, third):
        one.kill()
        one.communicate()


def test_the_folder_is_private_and_what_a_killed_server_left_is_removed_and_not_that_of_a_living_one(shared):
    assert shared.stat().st_mode & 0o777 == 0o700
    left = shared.with_name(f"{shared_metrics.PREFIX}left")
    left.mkdir()
    (left / "owner").touch()
    another = Path(shared_metrics.make())
    assert not left.exists()
    assert shared.exists(), "this process holds it"
    shared_metrics.remove(str(another))


def test_a_folder_without_room_leaves_each_worker_to_count_for_itself(monkeypatch, tmp_path):
    monkeypatch.setenv(shared_metrics.FOLDER, str(tmp_path / "nowhere"))
    assert shared_metrics.begin() is False
    assert shared_metrics.FOLDER not in os.environ


def test_files_have_their_whole_length_from_the_beginning(shared):
    """One that grew into a full disk would end its worker without a word."""
    process = worker(shared, 1)
    process.stdout.readline()
    for kind, length in shared_metrics.LENGTHS.items():
        found = (shared / f"{kind}_0.db").stat()
        assert found.st_size == length
        assert found.st_blocks * 512 >= length
    process.kill()
    process.communicate()


def test_the_server_makes_the_folder_for_its_workers_and_takes_it_away(monkeypatch):
    seen = []
    monkeypatch.setattr(
        serving.Server, "serve", lambda _self: seen.append(os.environ[shared_metrics.FOLDER]) or 0
    )
    monkeypatch.setenv(shared_metrics.FOLDER, "")
    monkeypatch.setattr(serving.signal, "signal", lambda *_: None)
    assert serving.main() == 0
    (folder,) = seen
    assert folder.startswith(("/dev/shm/alliance-figures-", "/tmp/alliance-figures-"))  # noqa: S108
    wait_until(lambda: not Path(folder).exists())
