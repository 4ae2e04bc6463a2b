"""What a device keeps to open without a connection: the worker and the page that says so."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from sessions_app.views import offline

pytestmark = pytest.mark.django_db
WORKER = reverse("rate:worker")
TAGS = [tag for tag, _name in settings.LANGUAGES]


def kept(response):
    return json.loads(re.search(r"const FILES = new Set\((\[.*?\])\)", response.text)[1])


class TestTheWorker:
    def test_keeps_every_file_of_the_devices_pages_and_nothing_else(self, client):
        files = kept(client.get(WORKER))
        wanted = [path for folder in ("rate", "room", "go") for path in Path("static", folder).iterdir()]
        assert sorted(files) == sorted(f"/{path.as_posix()}" for path in wanted)

    def test_may_answer_for_its_folders_and_no_cache_hides_a_newer_one(self, client):
        response = client.get(WORKER)
        assert response.headers["Content-Type"] == "text/javascript"
        assert response.headers["Service-Worker-Allowed"] == "/"
        assert response.headers["Cache-Control"] == "no-cache"

    def test_asked_again_it_costs_nothing(self, client):
        first = client.get(WORKER)
        again = client.get(WORKER, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")

    def test_is_another_one_when_a_file_or_a_word_changed(self, client, monkeypatch, settings):
        before = client.get(WORKER).headers["ETag"]
        monkeypatch.setattr(offline, "static_files", lambda: ["/static/rate/form.0123.js"])
        renamed = client.get(WORKER).headers["ETag"]
        settings.DEMO = True  # the page without a connection says so then
        reworded = client.get(WORKER).headers["ETag"]
        assert len({before, renamed, reworded}) == 3

    def test_keeps_no_file_whose_name_does_not_change_with_its_content(self, settings):
        settings.DEBUG = True
        offline.static_files.cache_clear()
        assert offline.static_files() == []
        offline.static_files.cache_clear()

    def test_is_named_by_no_page_of_staff(self, client, sign_in, clinic):
        for page in (
            client.get(reverse("account_login")),
            sign_in(clinic.olga).get(reverse("dashboard:work_list")),
        ):
            assert WORKER not in page.text
        assert WORKER in client.get(reverse("room:home")).text


class TestThePageWithoutAConnection:
    @pytest.mark.parametrize("tag", TAGS)
    def test_speaks_its_language_and_needs_nobody(self, client, tag):
        response = client.get(reverse("rate:offline", args=[tag]))
        assert response.status_code == 200
        assert f'<html lang="{tag}"' in response.text
        assert not response.cookies

    @pytest.mark.parametrize("tag", ["xx", "EN", "../en", "en-GB"])
    def test_another_language_is_not_there(self, client, tag):
        assert client.get(f"/rate/offline/{tag}/").status_code == 404
