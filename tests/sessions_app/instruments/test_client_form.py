"""The languages that a clinic switches on, and its own words on where to find help now."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from alliance.measurement import instruments
from sessions_app.courses import wordings
from sessions_app.courses.models import Rating
from sessions_app.instruments import client_form, clinic_settings, offers
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.intake import hand_over_actions
from sessions_app.rulebook import settings_pages
from tests import cast
from tests.opened import opened, save
from tests.sessions_app.intake.rate_form import marks, put_lock
from tests.test_repository import ROOT

pytestmark = pytest.mark.django_db
SETTINGS = reverse("settings:change")
FORM, DONE, HELP = reverse("rate:form"), reverse("rate:done"), reverse("rate:help")
ALL = [tag for tag, _name in settings.LANGUAGES]
OURS = instruments.get(instruments.SESSION_RATING)


@pytest.fixture
def new_clinic(clinic, monkeypatch):
    """As it is installed: nobody has chosen anything."""
    monkeypatch.setattr(clinic_settings, "AT_FIRST", ("en",))
    return clinic


@pytest.fixture
def adam(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


@pytest.fixture
def german(clinic):
    """A session of a client who reads German."""
    client = clinic.olgas.client
    client.language = "de"
    client.save()
    return cast.therapy_session(clinic.olgas)


def sent(**changed):
    """The form of the settings as a browser sends it."""
    as_it_is = {"instrument": "session-rating", "closing": "thanks", "languages": ALL}
    return {**as_it_is, **changed}


def page(response):
    return response.content.decode()


class TestLanguages:
    def test_a_language_nobody_has_switched_on_is_given_to_no_client(self, new_clinic, client, german):
        grant, token = hand_over_actions.hand_over(session=german, by=new_clinic.olga)
        assert (grant.language, wordings.languages_of(grant)) == ("en", ["en"])
        put_lock(client, token)
        form = page(client.get(FORM))
        assert OURS.wordings["en"].title in form
        assert 'value="de"' not in form
        assert client.post(FORM, {"language": "de"}).status_code == 422

    def test_it_says_beside_the_switch_that_no_clinician_has_signed_it_off(self, new_clinic, adam):
        said = page(adam.get(SETTINGS))
        for name in ("English", "Spanish", "German", "French", "Arabic"):
            assert f"{name} (not signed off by a clinician yet)" in said
        assert "No clinician has signed off our wording in English yet." in page(
            adam.get(reverse("instruments:list"))
        )

    def test_it_says_so_before_a_loaded_wording_is_switched_on_too(self, new_clinic, adam):
        loaded = cast.wording(new_clinic.adam, language="de", on=False)
        said = page(adam.get(reverse("instruments:switch_on", args=[loaded.code])))
        assert "No clinician has signed off what we say around the lines in German" in said

    def test_a_language_that_is_signed_off_says_nothing(self, new_clinic, monkeypatch):
        assert client_form.not_signed_off(OURS, ["de", "ar"]) == ["German", "Arabic"]
        object.__setattr__(OURS, "signed_off", frozenset({"de"}))
        try:
            assert client_form.not_signed_off(OURS, ["de", "ar"]) == ["Arabic"]
        finally:
            object.__setattr__(OURS, "signed_off", frozenset())

    def test_switched_on_it_is_the_language_of_the_next_form(self, new_clinic, adam, german):
        assert save(adam, SETTINGS, **sent(languages=["en", "de"])).status_code == 302
        assert offers.offer(OURS, "de", german.held_at.date()).language == "de"
        grant, _ = hand_over_actions.hand_over(session=german, by=new_clinic.olga)
        assert (grant.language, wordings.languages_of(grant)) == ("de", ["en", "de"])
        assert settings_pages.versions()[0].changed == [
            "Languages of our own form: English, German (were English)"
        ]

    def test_switched_off_a_form_that_is_out_stays_as_it_was_read(self, clinic, client, german):
        grant, token = hand_over_actions.hand_over(session=german, by=clinic.olga)
        put_lock(client, token)
        cast.choose(clinic.adam, languages=["en", "fr"])
        form = page(client.get(FORM))
        assert OURS.wordings["de"].title in form
        assert wordings.languages_of(grant) == ["en", "de", "fr"]
        client.post(FORM, marks(step="hand-in", read_in="de"))
        assert Rating.objects.get().language == "de"

    def test_without_any_nothing_is_saved(self, adam):
        answer = save(adam, SETTINGS, **sent(languages=[]))
        assert answer.status_code == 422
        assert "Choose at least one language." in page(answer)
        assert not ClinicSettings.objects.exists()

    def test_what_the_handbook_says_is_signed_off_is_what_the_definition_says(self):
        rows = re.findall(
            r"^\| (\w+) \| ours[^|]*\| ([^|]+) \|$", (ROOT / "docs/handbook.md").read_text("utf-8"), re.M
        )
        said = {name for name, by in rows if by.strip() != "no"}
        assert len(rows) == len(ALL)
        assert said == {client_form.NAMES[tag] for tag in OURS.signed_off}


EN = "Call 020 7946 0123.\nOr come to the gate."
DE = "Rufen Sie 030 23125 012 an."


class TestWhereToFindHelp:
    @pytest.fixture
    def handed(self, client, clinic):
        grant, token = hand_over_actions.hand_over(session=cast.therapy_session(clinic.olgas), by=clinic.olga)
        put_lock(client, token)
        return grant

    def test_is_on_the_form_and_under_the_thanks_in_the_words_of_the_clinic(self, client, clinic, handed):
        cast.choose(clinic.adam, urgent_help_en=EN, urgent_help_de=DE)
        for address in (FORM, HELP):
            assert "If you need help now" in page(client.get(address))
            assert EN in page(client.get(address))
        client.post(FORM, marks(step="hand-in"))
        assert EN in page(client.get(DONE))

    def test_where_nothing_is_written_nothing_is_said(self, client, handed):
        assert "If you need help now" not in page(client.get(FORM))
        assert "If you need help now" not in page(client.get(HELP))
        client.post(FORM, marks(step="hand-in"))
        assert "If you need help now" not in page(client.get(DONE))

    def test_a_text_in_another_language_is_better_than_none_and_says_which(self, client, clinic, handed):
        cast.choose(clinic.adam, urgent_help_de=DE)
        assert f'lang="de" dir="auto">{DE}' in page(client.get(FORM))

    def test_a_change_is_on_the_next_page(self, client, clinic, handed):
        cast.choose(clinic.adam, urgent_help_en=EN)
        assert EN in page(client.get(FORM))
        cast.choose(clinic.adam, urgent_help_en="Another line.")
        assert EN not in page(client.get(FORM))
        assert "Another line." in page(client.get(FORM))

    def test_is_plain_text_without_anything_that_nobody_sees(self, adam):
        answer = save(adam, SETTINGS, **sent(urgent_help_en="Call \u202e321"))
        assert answer.status_code == 422
        assert "a character that changes the direction of writing" in page(answer)
        assert save(adam, SETTINGS, **sent(urgent_help_en="1\n2\n3\n4\n5\n6\n7")).status_code == 422
        assert save(adam, SETTINGS, **sent(urgent_help_en="x" * 401)).status_code == 422
        assert save(adam, SETTINGS, **sent(urgent_help_en="<b>Call</b>  us \r\n now")).status_code == 302
        assert ClinicSettings.objects.get().urgent_help == {"en": "<b>Call</b> us\nnow"}

    def test_markup_is_shown_as_typed(self, client, clinic, handed):
        cast.choose(clinic.adam, urgent_help_en="<b>Call</b> us")
        assert "&lt;b&gt;Call&lt;/b&gt; us" in page(client.get(FORM))

    def test_saved_again_unread_the_other_texts_stay(self, clinic, adam):
        cast.choose(clinic.adam, urgent_help_en=EN, urgent_help_de=DE)
        form = opened(adam, SETTINGS, **sent(urgent_help_en="", urgent_help_de=DE))
        adam.post(SETTINGS, form)
        assert ClinicSettings.objects.in_force().urgent_help == {"de": DE}
        assert settings_pages.versions()[0].changed == ["Where to find help now, in English: taken out"]


class TestALanguageThatIsSwitchedOff:
    """It stays on a form that is out already, and appears on no other page that a client reads."""

    @pytest.fixture
    def english_alone(self, clinic):
        cast.choose(clinic.adam, languages=["en"])
        clinic.olgas.client.language = "de"
        clinic.olgas.client.save()

    def test_does_not_appear_on_the_start_page(self, clinic, client, english_alone):
        there = {"headers": {"Accept-Language": "de"}}
        assert 'lang="en"' in client.get(reverse("go:start"), **there).text
        cast.choose(clinic.adam, languages=["en", "de"])
        assert 'lang="de"' in client.get(reverse("go:start"), **there).text

    def test_does_not_appear_on_the_pages_for_two(self, clinic, english_alone, sign_in):
        cast.rated_course(clinic.olgas, [380, 370])
        olga, course = sign_in(clinic.olga), [clinic.olgas.code]
        shown = reverse("together:show", args=course)
        assert "It is in English;" in olga.get(reverse("together:choose", args=course)).text
        text = olga.get(shown, {"chosen": 1}).text
        assert '<html lang="en"' in text
        assert OURS.wordings["en"].items["goals"].question in text
        cast.choose(clinic.adam, languages=["en", "de"])
        assert "It is in German;" in olga.get(reverse("together:choose", args=course)).text
        text = olga.get(shown, {"chosen": 1}).text
        assert '<html lang="de"' in text
        assert OURS.wordings["de"].items["goals"].question in text

    def test_a_code_that_is_wrong_is_refused_in_a_language_that_is_given(self, client, english_alone):
        answer = client.post(reverse("go:start"), {"code": "x"}, headers={"Accept-Language": "de"})
        assert "This code is not right." in answer.text
