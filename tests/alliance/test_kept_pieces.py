"""Pieces that are rendered once hold nothing of anybody, and are never those of another language or release."""

import json
import re

import pytest
from django.conf import settings as site
from django.template import RequestContext
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import translation

from alliance.kept_pieces import kept
from alliance.models import User

TEMPLATES = site.BASE_DIR / "templates"
PAGES = [path.read_text() for path in TEMPLATES.rglob("*.html")]
KEPT = sorted({name for page in PAGES for name in re.findall(r'{% kept "(.+?)" %}', page)})


@pytest.fixture
def theirs(settings, tmp_path):
    """A template that shows what it is given, and which names its files have."""
    (tmp_path / "piece.html").write_text(
        "{% load i18n static %}{% get_current_language as tag %}{{ tag }} {{ user }} {% static 'rate/rate.css' %}"
    )
    settings.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path]}]
    return tmp_path / "piece.html"


def test_there_are_some():
    assert len(KEPT) > 3


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_piece_asks_for_nothing_of_the_page_around_it(name):
    source = (TEMPLATES / name).read_text()
    assert re.findall(r"{{|{% (?:if|for|with|include|csrf_token|block)\b", source) == []
    request = RequestFactory().get("/dashboard/")
    request.user = User(name="Olga", is_therapist=True)
    around = {"user": request.user, "messages": ["x"], "oob": True, "demo": True}
    assert kept(name) == get_template(name).template.render(RequestContext(request, around))


def test_it_is_given_no_person(theirs):
    request = RequestFactory().get("/")
    request.user = User(name="Olga")
    assert "Olga" in render_to_string("piece.html", {"user": request.user})
    assert "Olga" not in kept("piece.html")


def test_another_language_is_another_piece(theirs):
    for language in ("de", "en", "de"):
        with translation.override(language):
            assert kept("piece.html").split()[0] == language


def test_other_static_files_are_another_piece(theirs, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    for place, release in enumerate(("aaaa", "bbbb")):
        paths = {"rate/rate.css": f"rate/rate.{release}.css"}
        told = {"version": "1.1", "paths": paths, "hash": release}
        (tmp_path / "staticfiles.json").write_text(json.dumps(told))
        settings.STORAGES = {**site.STORAGES, "staticfiles": {"BACKEND": manifest}, f"again-{place}": {}}
        assert kept("piece.html").endswith(f"rate/rate.{release}.css")


def test_other_templates_are_another_piece(theirs, settings):
    kept("piece.html")
    theirs.write_text("another")
    settings.TEMPLATES = [*settings.TEMPLATES]
    assert kept("piece.html") == "another"
