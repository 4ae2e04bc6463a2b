"""Pieces that are rendered once hold nothing of anybody, and are never those of another language or release."""

import json
import re
from collections import namedtuple
from datetime import UTC, datetime

import pytest
from django.conf import settings as site
from django.template import RequestContext, Template
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from alliance import kept_pieces, kept_values
from alliance.kept_pieces import drawn, kept
from alliance.models import User

Row = namedtuple("Row", "label of")
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


class TestDrawnOfAValue:
    """What a piece shows is its key, so that no stale one can be shown."""

    @pytest.fixture(autouse=True)
    def row(self, theirs):
        kept_values.forget_everything()
        theirs.write_text("{{ row.label }}, {{ row.of }} {{ user }}")

    @pytest.fixture
    def renderings(self, monkeypatch):
        """How often a template is rendered."""
        counted = []
        render = Template.render
        monkeypatch.setattr(Template, "render", lambda *a: counted.append(a) or render(*a))
        return counted

    def test_the_same_value_is_drawn_once_and_escaped(self, renderings):
        first = drawn("piece.html", [Row("<b>", 1), Row("K-2", 1)])
        assert first == ["&lt;b&gt;, 1 ", "K-2, 1 "]
        assert drawn("piece.html", [Row("<b>", 1), Row("K-2", 1)]) == first
        assert len(renderings) == 2

    @pytest.mark.parametrize("of", [1.0, True, "1"])
    def test_equal_values_of_other_kinds_are_other_pieces(self, of):
        assert drawn("piece.html", [Row("K-1", 1)]) == ["K-1, 1 "]
        assert drawn("piece.html", [Row("K-1", of)]) == [f"K-1, {of} "]

    def test_a_text_and_the_same_html_within_a_value_are_other_pieces(self, theirs):
        theirs.write_text("{{ row.label.0 }}")
        for label, shown in (("<b>", "&lt;b&gt;"), (SafeString("<b>"), "<b>"), ("<b>", "&lt;b&gt;")):
            assert drawn("piece.html", [Row((label,), 1)]) == [shown]

    def test_a_line_that_names_thousands_is_not_kept(self, renderings):
        for _ in range(2):
            drawn("piece.html", [Row("K-1" * 3000, 1)])
        assert len(renderings) == 2
        assert kept_pieces._rows.values() == []

    def test_another_time_zone_is_another_piece(self, theirs):
        theirs.write_text("{{ row.of|date:'H:i' }}")
        at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        for zone, shown in (("UTC", "12:00"), ("Asia/Tokyo", "21:00")):
            with timezone.override(zone):
                assert drawn("piece.html", [Row("K-1", at)]) == [shown]

    def test_another_template_or_language_is_another_piece(self, theirs, settings, renderings):
        drawn("piece.html", [Row("K-1", 1)])
        with translation.override("de"):
            drawn("piece.html", [Row("K-1", 1)])
        assert len(renderings) == 2
        theirs.write_text("another")
        settings.TEMPLATES = [*settings.TEMPLATES]
        assert drawn("piece.html", [Row("K-1", 1)]) == ["another"]

    def test_who_is_erased_is_in_no_piece_afterwards(self, renderings):
        drawn("piece.html", [Row("K-1", 1)])
        kept_values.forget_everything()
        assert kept_pieces._rows.values() == []
        drawn("piece.html", [Row("K-1", 1)])
        assert len(renderings) == 2
