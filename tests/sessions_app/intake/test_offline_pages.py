"""What a device keeps to open without a connection: the workers and the page that says so."""

import gzip
import json
import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from whitenoise import WhiteNoise

from sessions_app.intake.views import offline
from tests import cast

pytestmark = pytest.mark.django_db
WORKERS = [reverse(f"{folder}:worker") for folder in offline.FOLDERS]
WORKER = WORKERS[0]
TAGS = [tag for tag, _name in settings.LANGUAGES]


def held(response, name):
    """A table in the worker's script."""
    return json.loads(re.search(rf"const {name} = new Map\(Object\.entries\((.*)\)\);", response.text)[1])


@pytest.fixture
def fresh():
    """What was looked up under other settings is forgotten, before and after."""
    offline.static_files.cache_clear()
    yield
    offline.static_files.cache_clear()


class TestTheWorker:
    def test_keeps_every_file_of_the_devices_pages_and_nothing_else(self, client):
        files = held(client.get(WORKER), "FILES")
        wanted = [path for folder in ("rate", "room", "go") for path in Path("static", folder).iterdir()]
        assert sorted(files) == sorted(f"/{path.as_posix()}" for path in wanted)

    def test_knows_what_each_must_be(self, client, fresh):
        for address, digest in held(client.get(WORKER), "FILES").items():
            assert sha256(Path(address.removeprefix("/")).read_bytes()).digest() == b64decode(digest)

    def test_knows_what_a_clinic_serves_however_it_is_packed(self, settings, tmp_path, fresh):
        """With hashed names, which change the files that name others."""
        settings.STATIC_ROOT = tmp_path
        hashed = {"BACKEND": "alliance.static_files.HashedFiles"}
        settings.STORAGES = {**settings.STORAGES, "staticfiles": hashed}
        call_command("collectstatic", interactive=False, verbosity=0)
        files, unpack = offline.static_files(), {"": bytes, "br": brotli.decompress, "gzip": gzip.decompress}
        served = WhiteNoise(None, root=tmp_path, prefix="static/").files
        ways = set()
        for address, digest in files.items():
            assert re.fullmatch(r"/static/(rate|room|go)/\w+\.[0-9a-f]{12}\.(js|css)", address)
            for accepted in unpack:
                answer = served[address].get_response("GET", {"HTTP_ACCEPT_ENCODING": accepted})
                way = dict(answer.headers).get("Content-Encoding", "")
                assert sha256(unpack[way](answer.file.read())).digest() == b64decode(digest)
                answer.file.close()
                ways.add(way)
        assert ways == set(unpack)

    @pytest.mark.parametrize("address", WORKERS)
    def test_answers_for_its_own_folder_and_no_cache_hides_a_newer_one(self, client, address):
        response = client.get(address)
        assert response.headers["Content-Type"] == "text/javascript"
        assert "Service-Worker-Allowed" not in response.headers
        assert response.headers["Cache-Control"] == "no-cache"

    def test_is_the_same_in_each_folder(self, client):
        """They share one store: a version of its own for each would throw the others' away."""
        assert len({client.get(address).content for address in WORKERS}) == 1

    @pytest.mark.parametrize("address", WORKERS)
    def test_is_renewed_while_the_device_is_in_a_clients_hands(self, client, clinic, address):
        link = cast.link(cast.therapy_session(clinic.olgas), by=clinic.olga)
        client.post(reverse("go:start"), {"token": link.token})
        assert client.get(address).status_code == 200

    def test_asked_again_it_costs_nothing(self, client):
        first = client.get(WORKER)
        again = client.get(WORKER, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    def test_is_another_one_when_a_file_or_a_word_changed(self, client, monkeypatch, settings):
        before = client.get(WORKER).headers["ETag"]
        monkeypatch.setattr(offline, "static_files", lambda: {"/static/rate/form.0123.js": "0"})
        renamed = client.get(WORKER).headers["ETag"]
        settings.DEMO = True  # the page without a connection says so then
        reworded = client.get(WORKER).headers["ETag"]
        assert len({before, renamed, reworded}) == 3

    def test_is_the_same_from_every_process(self, client, monkeypatch):
        """The policy is put together from a set: its order is another one in each."""
        policy = offline.build_policy()
        answers = []
        for order in (1, -1):
            shuffled = "; ".join(policy.split("; ")[::order])
            monkeypatch.setattr(offline, "build_policy", lambda shuffled=shuffled: shuffled)
            answers.append(client.get(WORKER).content)
        assert answers[0] == answers[1]

    def test_keeps_no_file_whose_name_does_not_change_with_its_content(self, settings, fresh):
        settings.DEBUG = True
        assert offline.static_files() == {}

    def test_is_named_by_no_page_of_staff(self, client, sign_in, clinic):
        as_clients_see_it = reverse("instruments:wording", args=[cast.wording(clinic.adam).code])
        for page in (
            client.get(reverse("account_login")),
            sign_in(clinic.olga).get(reverse("dashboard:work_list")),
            sign_in(clinic.adam).get(as_clients_see_it),
        ):
            assert page.status_code == 200
            assert "data-worker" not in page.text
        assert "data-worker" in Client().get(reverse("room:home")).text


class TestThePageWithoutAConnection:
    @pytest.mark.parametrize("tag", TAGS)
    def test_speaks_its_language_and_needs_nobody(self, client, tag):
        response = client.get(WORKER)
        assert f'<html lang="{tag}"' in held(response, "SHELLS")[tag]
        assert not response.cookies

    def test_is_there_in_every_language_and_under_the_policy_of_every_page(self, client):
        response = client.get(WORKER)
        assert list(held(response, "SHELLS")) == TAGS
        policy = re.search(r'const POLICY = "(.*)";', response.text)[1]
        assert set(policy.split("; ")) == set(response.headers["Content-Security-Policy"].split("; "))
