"""A form of 5 to 80 questions in a client's hands: what its page shows, what it stores, what it refuses."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance import device_lock
from alliance.measurement import instruments
from sessions_app.courses.grants import TIME_TO_FINISH, RatingGrant, time_to_finish
from sessions_app.courses.models import Mode, Rating
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import Held, QuestionnaireResponse
from sessions_app.instruments import actions
from sessions_app.instruments.clinic_wording import Licence
from sessions_app.intake import blank_form, form_facts, sealed_upload
from sessions_app.intake.views.offline import static_files
from tests import cast
from tests.bench.sealed import parcel
from tests.measurement.wording_files import a_form
from tests.sessions_app.intake import inventories
from tests.sessions_app.intake.rate_form import DONE, FORM, HELP, HiddenFields, put_lock
from tests.sessions_app.intake.test_rate_pages import BUDGET, zipped
from tests.sessions_app.intake.test_upload import post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    blank_form._page_of.cache_clear()


@pytest.fixture
def handed(clinic, client):
    """Hand `client` over with this instrument, whose wording is switched on first, unless it has one."""

    def handed(instrument="wai-sr", *others, session=None, **head):
        if not instruments.get(instrument).wordings:
            inventories.loaded(clinic.adam, instrument, **head)
        session = session or cast.therapy_session(clinic.olgas)
        grant, token = inventories.given(session, instrument, *others, by=clinic.olga)
        put_lock(client, token)
        return grant

    return handed


def answers(instrument="wai-sr", **changed):
    """Every question answered with the highest of its answers, as the page without scripts sends them."""
    given = {item.id: str(item.maximum) for item in instruments.get(instrument).items}
    return {"step": "hand-in", "mode": "number", **given, **changed}


def stored() -> QuestionnaireResponse:
    return QuestionnaireResponse.objects.get()


class TestThePage:
    def test_shows_every_question_as_it_is_worded_with_every_answer(self, client, handed):
        handed()
        page = client.get(FORM).text
        assert page.count("data-choices") == 12
        assert page.count('type="radio"') == 12 * 5
        said = html.unescape(page)
        for label in (*inventories.LABELS["en"][:4], inventories.LABELS["en"][-1], inventories.COPYRIGHT):
            assert label in said
        assert "Questions: 12. About one minute." in page
        assert "<textarea" not in page  # a sentence of one's own belongs to a session's rating

    def test_has_the_therapists_name_as_text_whatever_it_holds(self, client, handed, clinic):
        clinic.olga.name = 'O\'<b>"Neil" & {therapist}'
        clinic.olga.save()
        handed()
        page = client.get(FORM).text
        assert "<b>&quot;Neil" not in page
        assert "The garden of O&#x27;&lt;b&gt;&quot;Neil&quot; &amp; {therapist} has room" in page
        review = client.post(FORM, answers(step="review")).text
        assert "The garden of O&#x27;&lt;b&gt;&quot;Neil&quot; &amp; {therapist} has room" in review

    def test_a_page_that_is_kept_names_no_other_therapist(self, client, handed, clinic):
        handed()
        assert "The garden of Olga has" in client.get(FORM).text
        other = Browser()
        put_lock(other, inventories.given(cast.therapy_session(clinic.carls), "wai-sr", by=clinic.carl)[1])
        page = other.get(FORM).text
        assert "The garden of Carl has" in page
        assert "Olga" not in page

    def test_sections_stem_and_own_labels(self, client, handed, clinic):
        sections = "".join(
            f"[[sections]]\ntitle = '{name}'\nintroduction = 'About {name}.'\nitems = {ids}\n"
            for name, ids in (("the boat", [1, 2, 3]), ("the mountain", [4, 5, 6, 7, 8, 9, 10, 11, 12]))
        )
        own = "[items.item-2]\nquestion = 'Invented two'\npoints = { 1 = 'By foot', 5 = 'By train' }\n"
        text = a_form(stem="An invented stem", more=sections).replace(
            "item-2 = 'Invented question 2 about {therapist}'\n", ""
        )
        inventories.loaded(clinic.adam, text=text.replace("[[sections]]", f"{own}[[sections]]", 1))
        handed_over = inventories.given(cast.therapy_session(clinic.olgas), "wai-sr", by=clinic.olga)
        put_lock(client, handed_over[1])
        page = client.get(FORM).text
        assert re.findall(r'class="part-title" tabindex="-1">([^<]+)', page) == ["the boat", "the mountain"]
        assert page.count("An invented stem") == 2
        # One set of labels stands over questions in a row that share it; a question with its own has them itself.
        assert [len(re.findall("data-choices", block)) for block in page.split('<div class="block')[1:]] == [
            1,
            1,
            1,
            9,
        ]
        assert (page.count("By foot"), page.count("By train")) == (1, 1)

    def test_says_which_of_several_forms_it_is(self, client, handed, clinic):
        inventories.loaded(clinic.adam, "haq-ii")
        handed("wai-sr", "haq-ii", "gad-7")
        assert "Form 1 of 3." in client.get(FORM).text
        assert "More forms follow: 2." in client.get(FORM).text
        client.post(FORM, answers())
        assert client.get(DONE).url == FORM
        page = client.get(FORM).text
        assert "Form 2 of 3." in page
        assert "One more form follows." in page
        posted = client.post(FORM, answers("haq-ii", step="change")).text
        assert "Form 2 of 3." in posted

    def test_a_form_by_itself_says_nothing_of_others(self, client, handed):
        handed()
        page = client.get(FORM).text
        assert "Form 1 of" not in page
        assert "follow" not in page

    def test_its_help_speaks_of_questions_and_not_of_lines(self, client, handed):
        handed()
        page = client.get(HELP).text
        assert "How do I answer?" in page
        assert "How do I mark a line?" not in page

    def test_our_own_lines_as_a_questionnaire_have_no_place_for_a_sentence(self, client, handed):
        handed("life-lines")
        page = client.get(FORM).text
        assert "<textarea" not in page
        assert page.count("data-strip") == 4
        lines = dict.fromkeys(("feeling", "everyday", "people", "coping"), "55")
        client.post(FORM, {"step": "hand-in", "mode": "line", "comment": "canary", **lines})
        assert (stored().total, stored().comment) == (220, "")

    @pytest.mark.parametrize("instrument", ["wai-sr", "vpps", "phq-8"])
    def test_its_queries_are_the_same_for_3_and_30_clients(self, clinic, instrument):
        if instrument != "phq-8":
            inventories.loaded(clinic.adam, instrument)
        counts = []
        for many in (3, 27):
            for place in range(many):
                cast.rated_course(cast.episode(clinic.olga, f"{many}-{place}"), [None, None])
            browser = Browser()
            rater = Rater(instruments.get(instrument).raters[0])
            session = cast.therapy_session(clinic.olgas)
            put_lock(browser, inventories.given(session, instrument, by=clinic.olga, rater=rater)[1])
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(FORM).status_code == 200
            counts.append(len(queries))
        assert counts == [2 if instrument == "phq-8" else 4] * 2

    def test_80_questions_weigh_less_than_the_budget_of_a_bad_line(self, client, handed):
        """Cold: the page, the worker and all that it keeps."""
        handed("vpps")
        page = client.get(FORM)
        assert page.text.count("data-choices") == 80
        names = {address.removeprefix("/static/") for address in static_files()}
        sizes = [zipped(answer.content) for answer in (page, client.get(reverse("rate:worker")))]
        sizes += [zipped((Path("static") / name).read_bytes()) for name in names]
        print(f"page {sizes[0]} bytes, with everything {sum(sizes)} bytes")
        assert sum(sizes) <= BUDGET


class TestHandingIn:
    @pytest.mark.parametrize("instrument", ["wai-sr", "wai", "vpps", "phq-8"])
    def test_stores_exactly_what_was_answered(self, client, handed, instrument):
        handed(instrument)
        items = instruments.get(instrument).items
        given = {item.id: item.minimum + item.step * (place % 4) for place, item in enumerate(items)}
        client.post(FORM, answers(instrument, **{name: str(tenths) for name, tenths in given.items()}))
        assert stored().answers == given
        assert stored().mode == Mode.NUMBER
        assert Rating.objects.count() == 0

    def test_without_scripts_through_the_review(self, client, handed):
        handed()
        given = answers(step="review", **{"item-3": "", "item-5-declined": "on"})
        del given["item-4"]  # radios of which none is chosen send nothing
        review = client.post(FORM, given)
        assert review.status_code == 200
        hidden = HiddenFields.of(review.text)
        open_ones = re.findall(r'data-unmarked-line="(item-\d+)" >', review.text)
        assert open_ones == ["item-3", "item-4"]
        back = client.post(FORM, {**hidden, "step": "change"}).text
        assert back.count("checked") == 9 + 1  # and the tick of the one that was left out on purpose
        client.post(FORM, {**hidden, "step": "hand-in"})
        assert [name for name, mark in stored().marks.items() if mark is None] == [
            "item-3",
            "item-4",
            "item-5",
        ]
        assert stored().total is None

    def test_an_error_costs_nobody_an_answer(self, client, handed):
        handed()
        page = client.post(FORM, answers(**{"item-2": "55"}))
        assert page.status_code == 422
        assert "Please answer this question again." in page.text
        assert page.text.count("checked") == 11
        assert QuestionnaireResponse.objects.count() == 0

    @pytest.mark.parametrize(
        "wrong", ["0", "60", "-10", "11", "1e1", "٣٠", "10.0", "NaN", " 10", "\0", "9" * 5000]
    )
    def test_what_no_page_sends_is_refused(self, client, handed, wrong):
        handed()
        assert client.post(FORM, answers(**{"item-1": wrong})).status_code == 422
        assert QuestionnaireResponse.objects.count() == 0

    def test_fields_that_the_form_does_not_have_are_not_read(self, client, handed):
        handed()
        more = {
            "item-13": "10",
            "item-1-tenths": "5",
            "comment": "canary",
            "share_comment": "on",
            "total": "1",
        }
        client.post(FORM, answers(**more))
        assert set(stored().answers) == {f"item-{n}" for n in range(1, 13)}
        assert (stored().comment, stored().share_comment, stored().total) == ("", False, 600)

    def test_an_answer_that_comes_twice_is_refused(self, client, handed):
        handed()
        assert client.post(FORM, {**answers(), "item-1": ["10", "20"]}).status_code == 422

    def test_answers_below_zero_are_stored_where_the_owners_form_has_them(self, client, handed, clinic):
        stated = "[stated]\nrange = [-3, 3]\nreverse = []\ndiffers = ['range']"
        inventories.loaded(clinic.adam, "haq", text=a_form("haq", points=(-3, 3), stated=stated))
        session = cast.therapy_session(clinic.olgas)
        put_lock(client, inventories.given(session, "haq", by=clinic.olga)[1])
        page = client.get(FORM).text
        assert "−3" in page
        given = answers("haq", **{f"item-{n}": "-30" for n in range(1, 12)})
        client.post(FORM, given)
        assert stored().marks["item-1"] == -30
        assert stored().total == -330

    def test_sealed_and_unreadable_they_are_kept_for_a_person(self, handed):
        token = sealed_upload.token_for(handed())
        reply = post(parcel(token, answers(**{"item-1": "999"})))
        assert (reply.status_code, reply.json()["stored"]) == (422, True)
        assert stored().held == Held.INVALID

    def test_sealed_80_answers_arrive_once(self, handed):
        token = sealed_upload.token_for(handed("vpps"))
        sent = parcel(token, answers("vpps"))
        assert [post(sent).status_code for _ in range(2)] == [201, 200]
        assert len(stored().answers) == 80


class TestWhatChangesWhileItIsOut:
    def test_a_form_of_an_older_version_is_shown_and_stored_as_it_was(self, client, handed, monkeypatch):
        handed()
        given = answers()
        get, now = instruments.get, replace(instruments.get("wai-sr"), version="2", items=())
        monkeypatch.setattr(
            instruments,
            "get",
            lambda name, version=None: now if (name, version) == ("wai-sr", None) else get(name, version),
        )
        assert client.get(FORM).text.count("data-choices") == 12
        client.post(FORM, given)
        assert (stored().instrument_version, stored().total) == ("1", 600)

    def test_switched_off_and_without_a_licence_it_is_filled_in_all_the_same(self, client, handed, clinic):
        grant = handed()
        actions.switch_off(wording=grant.wording, by=clinic.adam)
        actions.end_licence(licence=Licence.objects.get(), by=clinic.adam)
        assert client.get(FORM).status_code == 200
        client.post(FORM, answers())
        assert stored().held == ""

    def test_taken_back_the_answers_are_kept(self, client, handed):
        grant = handed()
        token = sealed_upload.token_for(grant)
        RatingGrant.every.update(withdrawn_at=timezone.now(), withdrawn_by=grant.made_by)
        assert client.get(FORM).status_code == 410
        assert post(parcel(token, answers())).status_code == 410
        assert stored().held == Held.WITHDRAWN

    def test_another_delivery_with_other_answers_is_kept_beside_the_first(self, handed):
        token = sealed_upload.token_for(handed())
        assert post(parcel(token, answers())).status_code == 201
        other = parcel(token, answers(**{"item-1": "10"}), delivery=str(uuid4()))
        assert post(other).status_code == 409
        assert QuestionnaireResponse.objects.standing().count() == 1


class TestTimeByLength:
    @pytest.mark.parametrize(
        ("instrument", "channel", "seconds"),
        [
            ("session-rating", device_lock.TABLET, 300),
            ("session-rating", device_lock.PHONE, 300),
            ("wai", device_lock.TABLET, 480),
            ("vpps", device_lock.PAIRED, 780),
            ("wai", device_lock.PHONE, 1800),
        ],
    )
    def test_a_longer_form_waits_longer_before_it_clears_what_was_answered(
        self, instrument, channel, seconds
    ):
        assert form_facts.idle_seconds(instruments.get(instrument), channel) == seconds

    def test_begun_in_the_last_minute_there_is_time_for_80_questions(
        self, client, handed, clinic, time_machine
    ):
        grant = handed("vpps")
        assert time_to_finish("session-rating") == time_to_finish("wai-sr") == TIME_TO_FINISH
        assert time_to_finish("vpps") == timedelta(minutes=27)
        for seconds, status in ((-1, 200), (1, 410)):
            time_machine.move_to(grant.open_until + timedelta(minutes=27, seconds=seconds), tick=False)
            shown = RatingGrant.every.on_a_screen(timezone.now()).filter(pk=grant.pk)
            assert shown.exists() == (status == 200)
            assert client.post(FORM, answers("vpps", step="review")).status_code == status
