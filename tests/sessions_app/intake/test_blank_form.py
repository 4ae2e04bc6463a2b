"""The page of an unmarked form is rendered once for many clients: nobody's value is in it, and none is stale."""

import json
import re
from dataclasses import fields, replace

import pytest
from django.conf import settings as site
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from alliance import device_lock
from alliance.device_lock import DeviceLock
from alliance.measurement import instruments
from sessions_app.courses.grants import RatingGrant
from sessions_app.instruments import actions
from sessions_app.intake import blank_form, hand_over_actions, sealed_upload
from sessions_app.intake.rate_forms import RatingForm
from sessions_app.intake.views import rate
from tests import cast
from tests.sessions_app.intake.rate_form import FORM, marks, put_lock

pytestmark = pytest.mark.django_db

OURS = instruments.get(instruments.SESSION_RATING)
CSRF = re.compile(r'(name="csrfmiddlewaretoken" value=")\w+')


@pytest.fixture(autouse=True)
def _nothing_kept():
    blank_form._page_of.cache_clear()


@pytest.fixture
def request_of_a_client(client):
    request = RequestFactory().get(FORM)
    request.session = client.session
    return request


def handed_over(clinic, episode=None) -> RatingGrant:
    session = cast.therapy_session(episode or clinic.olgas)
    return hand_over_actions.hand_over(session=session, by=session.episode.therapist)[0]


def page_of(grant, request=None, *, channel=device_lock.TABLET, language=None):
    with translation.override(language or grant.language):
        lock = DeviceLock(token="x", return_to="", channel=channel)
        return blank_form.page(request or RequestFactory().get(FORM), grant, lock)


def rendered_whole(request, grant, channel, language):
    """As the page is rendered where marks came along: with its grant, and nothing kept."""
    request.session["device_lock"] = {"token": "x", "return_to": "", "channel": channel}
    with translation.override(language):
        # The one that is kept goes without its indentation.
        return re.sub(r"\n[ \t]+", "\n", rate._show(request, RatingForm(grant=grant)).text)


class TestItIsTheSamePage:
    @pytest.mark.parametrize("channel", [device_lock.TABLET, device_lock.PHONE, device_lock.PAIRED])
    @pytest.mark.parametrize("language", [tag for tag, _name in site.LANGUAGES])
    def test_as_one_rendered_for_this_client_alone(self, clinic, request_of_a_client, channel, language):
        grant = handed_over(clinic)
        grant.language = language
        for _ in range(2):
            kept = page_of(grant, request_of_a_client, channel=channel)
            whole = rendered_whole(request_of_a_client, grant, channel, language)
            assert CSRF.sub(r"\1", kept) == CSRF.sub(r"\1", whole)

    def test_also_in_a_wording_of_the_clinic(self, clinic, request_of_a_client):
        cast.wording(clinic.adam, title="Ours & <theirs>")
        cast.wording(clinic.adam, language="de")
        cast.choose(clinic.adam, instrument="srs")
        grant = handed_over(clinic)
        kept = page_of(grant, request_of_a_client)
        whole = rendered_whole(request_of_a_client, grant, device_lock.TABLET, "en")
        assert "Ours &amp; &lt;theirs&gt;" in kept
        assert CSRF.sub(r"\1", kept) == CSRF.sub(r"\1", whole)


class TestNothingOfOneClientIsInAnothersPage:
    def test_each_page_has_its_own_permission_and_token(self, clinic):
        grants = [handed_over(clinic), handed_over(clinic, clinic.carls)]
        pages = [page_of(grant) for grant in grants]
        tokens = [sealed_upload.token_for(grant) for grant in grants]
        assert blank_form._page_of.cache_info().misses == 1
        for here, there in ((0, 1), (1, 0)):
            assert f'data-token="{tokens[here]}"' in pages[here]
            assert tokens[there] not in pages[here]
        csrf = [CSRF.search(page)[0] for page in pages]
        assert csrf[0] != csrf[1]

    def test_what_is_kept_holds_neither(self, clinic, request_of_a_client):
        grant = handed_over(clinic)
        page = page_of(grant, request_of_a_client)
        kept = blank_form._page_of(
            blank_form.Blank.of(grant, DeviceLock("x", "", channel=device_lock.TABLET))
        )
        secret = sealed_upload.token_for(grant)
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)', page)[1]
        for value in (secret, csrf, grant.code.hex, grant.token_hash, "K-1", "Olga"):
            assert value not in kept
        assert blank_form._TOKEN not in page
        assert blank_form._CSRF not in page

    def test_and_it_is_made_of_texts_that_are_no_persons(self):
        known = {field.name for field in fields(blank_form.Blank)}
        assert known == {
            *("instrument", "version", "language", "title", "introduction", "items", "languages"),
            *("spoken", "channel", "is_demo", "sealed_to", "release", "urgent_help", "promise"),
            # Of a questionnaire. Where its words name the therapist, they do so in the words themselves: whoever is
            # treated by another one is given another page.
            *("points", "sections", "stem", "copyright", "ranges", "place"),
        }

    def test_marks_that_came_along_are_kept_for_nobody(self, client, grant, clinic):
        client.get(FORM)
        mine = client.post(FORM, marks(step="change", comment="Mine alone.", relationship="33"))
        assert "Mine alone." in mine.text
        other = Browser()
        second, token = hand_over_actions.hand_over(
            session=cast.therapy_session(clinic.carls), by=clinic.carl
        )
        put_lock(other, token)
        page = other.get(FORM).text
        assert "Mine alone." not in page
        assert 'data-tenths="33"' not in page
        assert sealed_upload.token_for(second) in page

    def test_each_token_on_it_hands_in(self, grant, client):
        strict = Browser(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        for _ in range(2):
            found = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)', strict.get(FORM).text))
            for token in found:
                posted = strict.post(FORM, marks(step="review", csrfmiddlewaretoken=token))
                assert posted.status_code == 200


class TestNothingIsStale:
    """Each of these changes while a page is kept; the next one is another page."""

    def test_another_edition(self, clinic):
        cast.wording(clinic.adam, title="The first text")
        cast.choose(clinic.adam, instrument="srs")
        first = handed_over(clinic)
        assert "The first text" in page_of(first)
        actions.switch_off(wording=first.wording, by=clinic.adam)
        cast.wording(clinic.adam, edition="2027", title="The second text")
        second = handed_over(clinic, clinic.carls)
        assert "The second text" in page_of(second)
        assert "The first text" in page_of(first)

    def test_another_language_switched_on(self, clinic):
        cast.wording(clinic.adam)
        cast.choose(clinic.adam, instrument="srs")
        grant = handed_over(clinic)
        assert 'value="de"' not in page_of(grant)
        cast.wording(clinic.adam, language="de")
        assert 'value="de"' in page_of(grant)

    def test_another_language_of_the_client(self, clinic):
        grant = handed_over(clinic)
        assert OURS.wordings["en"].title in page_of(grant)
        grant.language = "de"
        page = page_of(grant)
        assert OURS.wordings["de"].title in page
        assert '<html lang="de"' in page

    def test_another_version_of_the_instrument(self, clinic, monkeypatch):
        shorter = replace(OURS, version="9", items=OURS.items[:2])
        get = instruments.get
        monkeypatch.setattr(
            instruments, "get", lambda name, version=None: shorter if version == "9" else get(name, version)
        )
        grant = handed_over(clinic)
        assert page_of(grant).count("data-line=") == 4
        grant.instrument_version = "9"
        assert page_of(grant).count("data-line=") == 2

    def test_other_static_files(self, clinic, settings, tmp_path):
        settings.STATIC_ROOT = tmp_path
        manifest = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        grant, names = handed_over(clinic), set()
        for place, release in enumerate(("aaaa", "bbbb")):
            (tmp_path / "staticfiles.json").write_text(json.dumps(_manifest(release)))
            settings.STORAGES = {**site.STORAGES, "staticfiles": {"BACKEND": manifest}, f"again-{place}": {}}
            names |= set(re.findall(r"rate/rate\.(\w+)\.css", page_of(grant)))
        assert names == {"aaaa", "bbbb"}

    def test_another_key_to_seal_to(self, clinic, settings):
        grant = handed_over(clinic)
        before = re.search(r'data-key="(\w+)"', page_of(grant))[1]
        settings.SECRET_KEY = "another-" + "2" * 50
        assert re.search(r'data-key="(\w+)"', page_of(grant))[1] != before

    def test_a_try_out(self, clinic, settings):
        grant = handed_over(clinic)
        assert "A try-out" not in page_of(grant)
        settings.DEMO = True
        assert "A try-out" in page_of(grant)

    def test_another_way_to_the_device(self, clinic):
        grant = handed_over(clinic)
        assert [
            ("data-poll" in page_of(grant, channel=way)) for way in (device_lock.TABLET, device_lock.PAIRED)
        ] == [
            False,
            True,
        ]

    def test_other_templates(self, clinic, settings, tmp_path):
        grant = handed_over(clinic)
        page_of(grant)
        (tmp_path / "rate").mkdir()
        (tmp_path / "rate" / "form.html").write_text("another form")
        settings.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path]}]
        assert page_of(grant) == "another form"


def _manifest(release: str) -> dict[str, object]:
    names = [
        f"{folder}/{path.name}"
        for folder in ("rate", "room")
        for path in (site.BASE_DIR / "static" / folder).iterdir()
    ]
    paths = {name: re.sub(r"\.(\w+)$", rf".{release}.\1", name) for name in names}
    return {"version": "1.1", "paths": paths, "hash": release}


class TestCost:
    @pytest.mark.parametrize("licensed", [False, True])
    def test_at_most_four_queries_for_3_and_30_clients(self, clinic, licensed):
        if licensed:
            cast.wording(clinic.adam)
            cast.choose(clinic.adam, instrument="srs")
        counts = []
        for many in (3, 27):
            for place in range(many):
                cast.rated_course(cast.episode(clinic.olga, f"{many}-{place}"), [None, None])
            browser = Browser()
            session = cast.therapy_session(clinic.olgas)
            put_lock(browser, hand_over_actions.hand_over(session=session, by=clinic.olga)[1])
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(FORM).status_code == 200
            counts.append(len(queries))
        print(f"the form asks {counts[0]} queries")
        assert counts == [4 if licensed else 2] * 2

    def test_it_is_rendered_once(self, client, grant, monkeypatch):
        client.get(FORM)
        monkeypatch.setattr(blank_form, "UnmarkedForm", None)  # else it would be asked
        assert client.get(FORM).status_code == 200
