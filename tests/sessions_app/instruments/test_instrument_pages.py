"""The administrator's pages about instruments and settings."""

import re
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from tests import cast
from tests.measurement.wording_files import a_file
from tests.opened import opened, save

pytestmark = pytest.mark.django_db
LIST, LOAD, LICENCE = (reverse(f"instruments:{name}") for name in ("list", "load", "record_licence"))
SETTINGS = reverse("settings:change")
LANGUAGES = {"languages": [tag for tag, _name in site.LANGUAGES]}


@pytest.fixture
def adam(clinic, sign_in):
    """Adam's browser, where he has just shown once more that it is he."""
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def said(response):
    return response.content.decode()


def upload(browser, text, **more):
    raw = text if isinstance(text, bytes) else text.encode()
    return browser.post(LOAD, {"file": SimpleUploadedFile("wording.toml", raw), **more})


def kept_text(response):
    return re.search(r'name="text" value="([^"]*)"', said(response)).group(1)


class TestLoading:
    def test_a_look_stores_nothing_and_shows_the_form_as_clients_see_it(self, adam):
        shown = upload(adam, a_file(language="ar", title="عنوان"))
        page = said(shown)
        assert shown.status_code == 200
        assert not ClinicWording.objects.exists()
        assert '<html lang="ar" dir="rtl">' in page
        assert "عنوان" in page
        assert page.count("data-line=") == 4
        for part in ("question", "low_end", "high_end"):
            assert f"Invented {part} about goals" in page
        assert (
            '<form class="notice" method="post" action="/clinic/instruments/load/" lang="en" dir="ltr">'
            in page
        )

    def test_after_the_look_it_is_kept_switched_off(self, adam, clinic):
        text = kept_text(upload(adam, a_file())).replace("&#x27;", "'")
        answer = adam.post(LOAD, {"step": "keep", "text": text}, follow=True)
        loaded = ClinicWording.objects.get()
        assert (loaded.title, loaded.loaded_by, loaded.is_on) == ("Invented title", clinic.adam, False)
        assert "SRS, edition 2026 in English is loaded." in said(answer)
        assert list(loaded.wording.items) == list(cast.ITEMS)

    def test_the_second_step_checks_the_text_again(self, adam):
        answer = adam.post(LOAD, {"step": "keep", "text": a_file(title=None)})
        assert answer.status_code == 422
        assert "title: this is missing." in said(answer)
        assert not ClinicWording.objects.exists()

    def test_faults_are_listed_and_the_text_comes_back_to_be_put_right(self, adam):
        answer = upload(adam, a_file(goals__low_end="", language="pt"))
        page = said(answer)
        assert answer.status_code == 422
        assert "items.goals.low_end: this is empty." in page
        assert "language: the form does not speak “pt”." in page
        assert "<textarea" in page
        assert "Invented question about goals" in page
        assert adam.post(LOAD, {"text": a_file()}).status_code == 200

    @pytest.mark.parametrize(
        ("raw", "sentence"),
        [
            (a_file(title="Täglich").encode("latin-1"), "is not UTF-8 text"),
            (b"#" * (64 * 1024 + 1), "larger than 64 KB"),
            (b"PK\x03\x04 a spreadsheet", "not TOML"),
            (b"", "empty"),
            (b"title = 'a\x00b'", "not TOML"),
        ],
    )
    def test_a_file_of_another_kind_is_said_in_a_sentence(self, adam, raw, sentence):
        answer = upload(adam, raw)
        assert answer.status_code == 422
        assert sentence in said(answer)

    def test_no_file_at_all(self, adam):
        assert "Choose a file." in said(adam.post(LOAD))

    def test_markup_in_a_wording_is_text(self, adam):
        page = said(upload(adam, a_file(goals__question="<script>x</script> {{ form }}")))
        assert "<script>x" not in page
        assert "&lt;script&gt;x" in page

    def test_a_text_that_is_there_already_is_refused_and_stays_on_the_page(self, adam, clinic):
        cast.wording(clinic.adam, on=False)
        answer = adam.post(LOAD, {"step": "keep", "text": a_file(title="Another")})
        assert answer.status_code == 422
        assert "give it an edition of its own" in said(answer)
        assert "Another" in said(answer)

    def test_a_loaded_one_can_be_looked_at_again_and_not_loaded_again(self, adam, clinic):
        loaded = cast.wording(clinic.adam, on=False)
        page = said(adam.get(reverse("instruments:wording", args=[loaded.code])))
        assert "Invented question about goals" in page
        assert "Load this wording" not in page


class TestSwitchingAndLicences:
    def test_the_way_from_nothing_to_a_form_that_can_be_given(self, adam, clinic):
        loaded = cast.wording(clinic.adam, on=False)
        on = reverse("instruments:switch_on", args=[loaded.code])
        assert "No licence to use SRS on screens is on record." in said(adam.get(LIST))
        refused = adam.post(on)
        assert (refused.status_code, "Record a licence" in said(refused)) == (422, True)
        adam.post(LICENCE, terms())
        assert "No wording of SRS is switched on." in said(adam.get(LIST))
        save(adam, on)
        assert "Can be given on tablets and phones in English." in said(adam.get(LIST))

    def test_the_question_says_what_else_is_switched_off(self, adam, clinic):
        cast.wording(clinic.adam, edition="2024", language="de")
        loaded = cast.wording(clinic.adam, on=False)
        page = said(adam.get(reverse("instruments:switch_on", args=[loaded.code])))
        assert "This switches off edition 2024 in German." in page

    def test_the_last_one_says_that_it_is(self, adam, clinic):
        german, english = (cast.wording(clinic.adam, language=one) for one in ("de", "en"))
        off = reverse("instruments:switch_off", args=[german.code])
        assert "It is the last one" not in said(adam.get(off))
        adam.post(off)
        assert "It is the last one" in said(adam.get(reverse("instruments:switch_off", args=[english.code])))

    def test_a_licence_is_recorded_with_who_accepted_it_and_ended(self, adam, clinic):
        last_day = timezone.localdate() + timedelta(days=30)
        adam.post(LICENCE, terms(valid_to=last_day.isoformat()))
        licence = Licence.objects.get()
        assert (licence.holder, licence.valid_to, licence.accepted_by) == ("We", last_day, clinic.adam)
        end = reverse("instruments:end_licence", args=[licence.code])
        assert f"End the licence for {licence.instrument_name}?" in said(adam.get(end))
        page = said(adam.post(end, follow=True))
        assert "Ended" in page
        again = adam.post(reverse("instruments:end_licence", args=[licence.code]))
        assert "was ended already" in said(again)

    def test_a_licence_whose_form_is_sent_twice_stands_once(self, adam):
        for _ in range(2):
            assert adam.post(LICENCE, terms()).status_code == 302
        first = Licence.objects.get()
        adam.post(reverse("instruments:end_licence", args=[first.code]))
        adam.post(LICENCE, terms())  # accepted anew, after it ended
        assert Licence.objects.count() == 2

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"accepted": ""}, "Say that you have read the terms."),
            ({"holder": ""}, "This field is required."),
            ({"instrument": "session-rating"}, "Select a valid choice."),
            ({"valid_to": "2020-01-01"}, "past its last day already"),
            ({"valid_to": "soon"}, "year, month, day"),
        ],
    )
    def test_what_a_licence_must_say(self, adam, changed, sentence):
        answer = adam.post(LICENCE, terms(**changed))
        assert (answer.status_code, sentence in said(answer)) == (422, True)
        assert not Licence.objects.exists()

    def test_past_licences_are_marked(self, adam, clinic):
        yesterday = timezone.localdate() - timedelta(days=1)
        cast.licence(clinic.adam, valid_to=yesterday)
        assert "Past" in said(adam.get(LIST))

    def test_the_history_names_who_did_what(self, adam, clinic):
        assert "Nothing was changed yet" in said(adam.get(LIST))
        cast.wording(clinic.adam)
        assert "Adam switched on the wording of SRS, English, edition 2026" in said(adam.get(LIST))

    def test_the_list_asks_the_same_number_of_queries_however_much_is_loaded(
        self, adam, clinic, django_assert_max_num_queries
    ):
        counts = []
        cast.wording(clinic.adam)
        for more in range(2):
            for number in range(8 * more):
                cast.wording(clinic.adam, edition=f"{number}", language="de")
                cast.licence(clinic.adam)
            with django_assert_max_num_queries(40) as queries:
                adam.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[1]


def terms(**changed):
    whole = {"instrument": "srs", "holder": "We", "kind": "group", "medium": "both", "accepted": "on"}
    return {**whole, **changed}


class TestSettings:
    def test_are_saved_as_a_version_with_who_and_when(self, adam, clinic):
        assert "Nobody has changed anything yet." in said(adam.get(SETTINGS))
        assert (
            save(adam, SETTINGS, instrument="session-rating", closing="marks", **LANGUAGES).status_code == 302
        )
        assert "Version 1, saved by Adam" in said(adam.get(SETTINGS))
        assert ClinicSettings.objects.get().made_by == clinic.adam

    def test_say_which_form_cannot_be_given_yet(self, adam, clinic):
        assert "SRS (ages 13+, from paper for now)" in said(adam.get(SETTINGS))
        cast.choose(clinic.adam, instrument="srs")
        assert "Until then SRS is entered from paper only." in said(adam.get(SETTINGS))
        cast.choose(clinic.adam, instrument="child-srs")
        assert said(adam.get(SETTINGS)).count("Child SRS is entered from paper only") == 1  # no "until then"
        cast.choose(clinic.adam, instrument="srs")
        cast.wording(clinic.adam)
        assert "from paper for now" not in said(adam.get(SETTINGS)).replace(
            "Group SRS (ages 13+, from paper", ""
        )

    @pytest.mark.parametrize("instrument", ["ors", "wai-sr", "mood-ring", ""])
    def test_know_the_four_line_scales_only(self, adam, instrument):
        answer = save(adam, SETTINGS, instrument=instrument, closing="thanks", **LANGUAGES)
        assert answer.status_code == 422
        assert not ClinicSettings.objects.exists()

    def test_of_somebody_else_meanwhile_are_not_overwritten(self, adam, clinic):
        form = opened(adam, SETTINGS, instrument="srs", closing="thanks", **LANGUAGES)
        cast.choose(clinic.adam, closing="marks")
        answer = adam.post(SETTINGS, form)
        assert (answer.status_code, "changed since you opened the page" in said(answer)) == (409, True)
        assert ClinicSettings.objects.count() == 1
        # Only what was touched: the other's choice stays.
        again = answer.context["form"]
        adam.post(SETTINGS, {name: again[name].value() for name in again.fields})
        now = ClinicSettings.objects.in_force()
        assert (now.version, now.instrument, now.closing) == (2, "srs", "marks")


@pytest.mark.parametrize("address", [LOAD, LICENCE, SETTINGS])
def test_sensitive_pages_ask_again_who_it_is(clinic, sign_in, client, address):
    sign_in(clinic.adam)
    assert client.get(address).status_code == 200
    assert client.post(address, {"step": "keep"}).url.startswith(reverse("account_reauthenticate"))


def test_reading_the_list_does_not(clinic, sign_in):
    assert sign_in(clinic.adam).get(LIST).status_code == 200
