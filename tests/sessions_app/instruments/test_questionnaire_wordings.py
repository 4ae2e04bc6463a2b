"""Wording of questionnaires: kept with what it states, given under its licence, listed without burying anybody."""

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from alliance.measurement.instruments import get, newest
from alliance.measurement.scoring import score
from alliance.measurement.wording_file import read_wording
from alliance.refused import Refused
from sessions_app.instruments import actions, instrument_pages, offers
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.forms import LicenceForm
from tests import cast
from tests.measurement.wording_files import a_form

pytestmark = pytest.mark.django_db
LIST, LOAD, LICENCE = (reverse(f"instruments:{name}") for name in ("list", "load", "record_licence"))
TAGS = [tag for tag, _name in site.LANGUAGES]
HAQ = "[stated]\nrange = [1, 5]\nreverse = [4]\ndiffers = ['range', 'reverse']"


def load(by, text):
    return actions.load_wording(read=read_wording(text, TAGS), by=by)


@pytest.fixture
def adam(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def said(response):
    return response.content.decode()


def upload(browser, text):
    return browser.post(LOAD, {"file": SimpleUploadedFile("wording.toml", text.encode())})


class TestKeeping:
    @pytest.mark.parametrize("instrument", ["wai", "vpps", "sai", "calpas", "gad-7"])
    def test_what_is_loaded_comes_back_word_for_word(self, clinic, instrument):
        """Also from PostgreSQL, which keeps no order in JSON."""
        text = a_form(instrument, language="de", stem="Invented stem", copyright="© Invented")
        read = read_wording(text, TAGS)
        kept = ClinicWording.objects.get(pk=load(clinic.adam, text).pk)
        assert (kept.wording, kept.stated, kept.scored) == (read.wording, read.stated, read.scored)
        assert list(kept.wording.items) == [item.id for item in kept.scored.items]
        assert list(kept.scored.subscales) == list(read.scored.subscales)

    def test_answers_are_scored_as_the_wording_states(self, clinic):
        kept = load(clinic.adam, a_form("haq-ii", points=(1, 5), stated=HAQ))
        answers = {item.id: 20 for item in kept.scored.items}
        assert score(kept.scored, answers).total == 18 * 20 + 40
        assert score(get("haq-ii"), answers).total == 14 * 20 + 5 * 50  # as we remember it

    def test_one_edition_is_scored_in_one_way_in_every_language(self, clinic):
        load(clinic.adam, a_form("haq-ii"))
        with pytest.raises(Refused) as refused:
            load(clinic.adam, a_form("haq-ii", language="de", points=(1, 5), stated=HAQ))
        assert "is loaded in English with answers 1 to 6; reversed items 4, 8, 11, 16, 19" in str(
            refused.value
        )
        assert "This file states answers 1 to 5; reversed items 4." in str(refused.value)
        assert load(clinic.adam, a_form("haq-ii", language="de"))
        assert load(clinic.adam, a_form("haq-ii", edition="b", points=(1, 5), stated=HAQ))

    def test_four_lines_are_kept_as_they_were(self, clinic):
        kept = cast.wording(clinic.adam, on=False)
        assert kept.form == {}
        assert set(kept.items["goals"]) == {"question", "low_end", "high_end"}
        assert kept.scored is get("srs")


class TestGiving:
    def test_under_a_licence_and_not_past_its_day(self, clinic):
        today = timezone.localdate()
        wording = load(clinic.adam, a_form("wai-therapist"))
        with pytest.raises(Refused, match="Record a licence"):
            actions.switch_on(wording=wording, by=clinic.adam)
        cast.licence(clinic.adam, instrument="wai", valid_to=today)
        actions.switch_on(wording=wording, by=clinic.adam)
        assert offers.offer(get("wai-therapist"), "en", today).wording == wording
        tomorrow = today + timedelta(days=1)
        assert offers.obstacle(get("wai-therapist"), tomorrow).startswith(
            "The licence for WAI (therapist) ended on"
        )
        assert offers.obstacle(get("wai"), today) == "No wording of WAI is switched on."
        assert offers.obstacle(get("wai-s"), today) == "No licence to use WAI-S on screens is on record."

    def test_a_free_one_comes_with_its_words_and_in_other_languages_once_they_are_loaded(self, clinic):
        today, gad = timezone.localdate(), get("gad-7")
        assert offers.obstacle(gad, today) == ""
        shipped = offers.offer(gad, "de", today)
        assert (shipped.language, shipped.wording) == ("en", None)
        german = load(clinic.adam, a_form("gad-7", language="de"))
        assert offers.offer(gad, "de", today).wording is None  # loaded, and not switched on yet
        actions.switch_on(wording=german, by=clinic.adam)
        assert offers.offer(gad, "de", today).wording == german
        assert offers.offer(gad, "en", today).wording is None
        assert (offers.on_paper(gad, "de"), offers.on_paper(gad, "en")) == (german, None)


class TestPages:
    def test_a_look_shows_each_question_with_each_answer_and_what_is_scored(self, adam):
        page = said(upload(adam, a_form("wai", stem="Invented stem", copyright="© Invented")))
        assert not ClinicWording.objects.exists()
        assert page.count("data-question=") == 36
        assert page.count('type="radio"') == 36 * 7
        for text in (
            "Invented question 36 about ________",
            "7: Invented label 7",
            "Invented stem",
            "© Invented",
        ):
            assert text in page
        assert "1, 3, 7, 9, 10, 11, 12, 15, 20, 27, 29, 31, 33, 34" in page

    def test_eighty_items_are_shown_and_kept(self, adam):
        page = upload(adam, a_form("vpps", language="ar"))
        assert said(page).count("data-question=") == 80
        adam.post(LOAD, {"step": "keep", "text": page.context["text"]})
        assert len(ClinicWording.objects.get().wording.items) == 80

    def test_script_and_markup_are_text_wherever_they_stand(self, adam):
        bad = "<script>x</script><b>y</b>"
        text = a_form("wai-sr", stem=bad, copyright=bad, title=bad).replace("Invented label 1'", f"{bad}'")
        page = said(upload(adam, text.replace("Invented question 1 about {therapist}", bad)))
        assert "<script>x" not in page
        assert "<b>y" not in page
        assert page.count("&lt;script&gt;x") >= 5

    def test_a_contradiction_comes_back_in_the_box_with_both_values(self, adam):
        answer = upload(adam, a_form("haq-ii", points=(1, 5), stated=HAQ.rsplit("\n", 1)[0]))
        assert answer.status_code == 422
        assert "1 to 5 here, 1 to 6 in our definition" in said(answer)
        assert "<textarea" in said(answer)

    def test_every_instrument_is_listed_and_questionnaires_are_folded(self, adam):
        page = said(adam.get(LIST))
        above, folded = page[: page.index("history-title")].split('<details class="panel">')
        for instrument in newest():
            assert (f"<summary>{instrument.name}" in folded) == (instrument.use == "questionnaire")
            assert (f'id="scale-{instrument.id}"' in above) == (instrument.use == "session_alliance")
        assert "Can be given on tablets" not in folded

    def test_what_the_clinic_brought_stands_above_the_fold(self, adam, clinic):
        load(clinic.adam, a_form("calpas"))
        shown = instrument_pages.build(timezone.localdate())
        assert [one.instrument.id for one in shown.begun] == ["calpas"]
        page = said(adam.get(LIST))
        assert page.index('id="scale-calpas"') < page.index('<details class="panel">')
        assert "No licence to use CALPAS on screens is on record." in page

    def test_a_licence_is_recorded_for_any_licensed_instrument_and_all_its_forms(self, adam):
        groups = dict(LicenceForm().fields["instrument"].choices)
        offered = {value for choices in groups.values() for value, _name in choices}
        assert offered == {one.form_of for one in newest() if one.licence == "licensed"}
        assert [value for value, _name in groups["Session scales"]] == [
            "child-srs", "group-child-srs", "group-srs", "srs",
        ]  # fmt: skip
        terms = {"holder": "We", "kind": "group", "medium": "both", "accepted": "on"}
        adam.post(LICENCE, {**terms, "instrument": "vpps"})
        assert Licence.objects.get().instrument == "vpps"
        assert adam.post(LICENCE, {**terms, "instrument": "gad-7"}).status_code == 422

    def test_the_list_asks_the_same_number_of_queries_however_much_is_loaded(
        self, adam, clinic, django_assert_max_num_queries
    ):
        counts = []
        for editions in (3, 30):
            for number in range(editions):
                load(clinic.adam, a_form("wai-sr", edition=f"{editions}-{number}"))
            with django_assert_max_num_queries(60) as queries:
                adam.get(LIST)
            counts.append(len(queries))
        assert counts[0] == counts[1]
