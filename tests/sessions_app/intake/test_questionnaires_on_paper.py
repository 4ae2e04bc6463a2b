"""Questionnaires on paper: printed empty, typed in once, and only by whoever treats the client."""

import html
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import actions as episode_actions
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.models import Mode, Rating
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import Held, QuestionnaireResponse
from sessions_app.instruments.paper import paper_forms
from sessions_app.intake import sealed_upload
from sessions_app.intake.form_facts import questionnaires_are_used
from sessions_app.intake.questionnaire_entry import enter_response
from sessions_app.questionnaires.risk_answers import RiskAnswer
from tests import cast
from tests.bench.sealed import parcel
from tests.measurement.wording_files import a_form
from tests.sessions_app.intake import inventories
from tests.sessions_app.intake.test_upload import post
from tests.sessions_app.questionnaires import answering

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(clinic, sign_in):
    return sign_in(clinic.olga)


def address(session, form="wai-sr", page="paper_forms"):
    return f"{reverse(f'dashboard:{page}', args=[session.code])}?form={form}"


def typed(client, session, form="wai-sr", *, items=12, **changed):
    """What a browser sends, with the key of the page it was drawn with."""
    key = client.get(address(session, form)).context["form"]["form_key"].value()
    given = {f"item-{n}": "3" for n in range(1, items + 1)}
    return {"form_key": str(key), "rater": "client", "channel": "paper", **given, **changed}


def names():
    return [form.instrument.id for form in paper_forms("en", timezone.localdate())]


class TestTyping:
    def test_answers_are_stored_as_they_stand_on_the_paper_and_reversed_by_the_site(
        self, clinic, olga, session
    ):
        inventories.loaded(clinic.adam, "wai")
        given = typed(olga, session, "wai", items=36, **{"item-1": "7", "item-2": "", "item-3": "٢"})
        answer = olga.post(address(session, "wai"), given, follow=True)
        assert "35 of 36 items answered" in answer.text
        response = QuestionnaireResponse.objects.get()
        assert [response.marks[f"item-{n}"] for n in (1, 2, 3, 4)] == [70, None, 20, 30]
        assert (response.mode, response.rater, response.total) == (Mode.PAPER, Rater.CLIENT, None)
        assert response.grant.channel == Channel.PAPER
        assert Rating.objects.count() == 0
        assert AuditEvent.objects.filter(action="questionnaire answered").count() == 1

    def test_sent_twice_it_is_stored_once(self, clinic, olga, session):
        inventories.loaded(clinic.adam)
        given = typed(olga, session)
        for _ in range(2):
            assert olga.post(address(session), given).status_code == 302
        assert (QuestionnaireResponse.objects.count(), RatingGrant.every.count()) == (1, 1)

    def test_the_same_paper_typed_in_again_is_refused(self, clinic, olga, session):
        inventories.loaded(clinic.adam)
        assert olga.post(address(session), typed(olga, session)).status_code == 302
        again = olga.post(address(session), typed(olga, session, **{"item-1": "1"}))
        assert again.status_code == 422
        assert "is stored already: filled in by the client" in again.text
        assert QuestionnaireResponse.objects.count() == 1

    def test_what_is_wrong_is_said_at_the_item_and_nothing_typed_is_lost(self, clinic, olga, session):
        inventories.loaded(clinic.adam)
        wrong = {"item-2": "6", "item-3": "x", "item-4": "2.5", "item-5": "-1"}
        page = olga.post(address(session), typed(olga, session, **wrong))
        assert page.status_code == 422
        assert set(page.context["form"].errors) == set(wrong)
        assert "Please give a number from 1 to 5." in page.text
        for value in wrong.values():
            assert f'value="{value}"' in page.text
        assert QuestionnaireResponse.objects.count() == 0

    def test_an_empty_paper_is_no_answer(self, clinic, olga, session):
        inventories.loaded(clinic.adam)
        empty = {f"item-{n}": "" for n in range(1, 13)}
        page = olga.post(address(session), typed(olga, session, **empty))
        assert "Type at least one answer." in page.text
        assert RatingGrant.every.count() == 0

    def test_figures_below_zero_and_lines_with_a_decimal(self, clinic, olga, session):
        stated = "[stated]\nrange = [-3, 3]\nreverse = []\ndiffers = ['range']"
        inventories.loaded(clinic.adam, "haq", text=a_form("haq", points=(-3, 3), stated=stated))
        below = typed(olga, session, "haq", items=11, **{"item-1": "-3", "item-2": "−2", "item-3": "0"})
        assert olga.post(address(session, "haq"), below).status_code == 302
        marks = QuestionnaireResponse.objects.get().marks
        assert [marks[f"item-{n}"] for n in (1, 2, 3)] == [-30, -20, 0]
        lines = {"feeling": "7,5", "everyday": "10", "people": "0", "coping": "3"}
        given = typed(olga, session, "life-lines", items=0, **lines)
        assert olga.post(address(session, "life-lines"), given).status_code == 302
        assert QuestionnaireResponse.objects.get(instrument="life-lines").total == 205

    def test_a_form_that_is_out_for_the_same_rater_is_withdrawn_and_its_answers_are_kept(
        self, clinic, olga, session
    ):
        inventories.loaded(clinic.adam)
        grant, _ = inventories.given(session, "wai-sr", by=clinic.olga)
        token = sealed_upload.token_for(grant)
        olga.post(address(session), typed(olga, session))
        late = {"mode": "number", **{f"item-{n}": "10" for n in range(1, 13)}}
        assert post(parcel(token, late)).status_code == 410
        assert QuestionnaireResponse.objects.get(grant=grant).held == Held.WITHDRAWN
        assert QuestionnaireResponse.objects.standing().get().mode == Mode.PAPER

    def test_the_therapists_form_is_entered_as_the_therapists(self, clinic, olga, session):
        inventories.loaded(clinic.adam, "wai-sr-therapist")
        given = typed(olga, session, "wai-sr-therapist", items=10, rater="therapist")
        client_as_rater = olga.post(address(session, "wai-sr-therapist"), {**given, "rater": "client"})
        assert client_as_rater.status_code == 422
        olga.post(address(session, "wai-sr-therapist"), given)
        assert QuestionnaireResponse.objects.get().rater == Rater.THERAPIST

    def test_a_closed_course_takes_none(self, clinic, olga, session):
        inventories.loaded(clinic.adam)
        given = typed(olga, session)
        episode_actions.close_episode(
            episode=clinic.olgas, closed_on=timezone.localdate(), ending="planned", by=clinic.olga
        )
        page = olga.post(address(session), given)
        assert "This episode is closed." in page.text
        assert QuestionnaireResponse.objects.count() == 0

    def test_nobody_else_opens_it(self, clinic, sign_in, session):
        inventories.loaded(clinic.adam)
        for person, status in ((clinic.carl, 404), (clinic.sina, 403), (clinic.adam, 403)):
            for page in ("paper_forms", "blank_paper_form"):
                assert sign_in(person).get(address(session, page=page)).status_code == status


class TestWhichForms:
    def test_ours_and_free_ones_are_there_and_others_with_licence_and_wording(self, clinic):
        assert {"phq-8", "gad-7", "life-lines"} <= set(names())
        assert "wai-sr" not in names()
        cast.licence(clinic.adam, instrument="wai-sr", medium="paper")
        assert "wai-sr" in names()  # nothing of it is in doubt: the clinic has its own copies
        cast.licence(clinic.adam, instrument="haq", medium="paper")
        assert "haq" not in names()  # what it is scored by is not known before a wording states it

    def test_a_licence_that_ended_takes_its_form_out_of_the_list(self, clinic):
        cast.licence(clinic.adam, instrument="wai-sr", valid_to=timezone.localdate())
        assert "wai-sr" in names()
        tomorrow = timezone.localdate() + timedelta(days=1)
        assert "wai-sr" not in [form.instrument.id for form in paper_forms("en", tomorrow)]

    def test_a_form_that_asks_about_self_harm_only_where_somebody_has_confirmed_who_looks(
        self, clinic, olga, session
    ):
        for name in ("paper_forms", "blank_paper_form"):
            assert olga.get(address(session, "phq-9", name)).status_code == 404
        with pytest.raises(Refused, match="asks about self-harm"):
            enter_response(
                session=session,
                paper=answering.on_paper("phq-9"),
                answers={"item-9": 20},
                rater=Rater.CLIENT,
                channel=Channel.PAPER,
                by=clinic.olga,
            )
        answering.confirm(looks=clinic.carl, by=clinic.adam)
        assert olga.post(address(session, "phq-9"), typed(olga, session, "phq-9", items=9)).status_code == 302
        assert RiskAnswer.objects.count() == 1

    def test_printed_only_under_a_licence_for_paper(self, clinic, olga, session):
        cast.licence(clinic.adam, instrument="wai-sr", medium="electronic")
        inventories.loaded(clinic.adam, "wai-sr")
        assert olga.get(address(session, page="blank_paper_form")).status_code == 404
        assert (
            "use your licensed copies" in olga.get(reverse("dashboard:paper_forms", args=[session.code])).text
        )

    def test_the_list_asks_three_queries_for_them_however_many_there_are(
        self, clinic, django_assert_num_queries
    ):
        for name in ("wai", "wai-sr", "haq-ii"):
            with django_assert_num_queries(3):
                paper_forms("en", timezone.localdate())
            inventories.loaded(clinic.adam, name)

    def test_a_clinic_that_gives_no_questionnaire_reads_nothing_of_them(self, clinic, olga, session):
        page = reverse("dashboard:change_session", args=[session.code])
        assert not questionnaires_are_used()
        assert "questionnaire" not in olga.get(page).text
        inventories.loaded(clinic.adam)
        assert "A questionnaire on paper?" in olga.get(page).text


class TestPrinting:
    def test_the_empty_form_has_every_word_of_its_owner_and_the_clients_label(self, clinic, olga, session):
        inventories.loaded(clinic.adam, "wai")
        page = html.unescape(olga.get(address(session, "wai", page="blank_paper_form")).text)
        assert page.count("paper__box") == 36 * 7
        for words in (inventories.COPYRIGHT, "The garden of Olga has room", "K-1", *inventories.LABELS["en"]):
            assert words in page

    def test_in_the_language_of_the_client_with_its_own_digits(self, clinic, olga, session):
        inventories.loaded(clinic.adam, "wai", "ar")
        page = olga.get(address(session, "wai", page="blank_paper_form")).text
        assert '<article class="paper" lang="ar" dir="rtl">' in page
        assert '<span class="paper__box">٧</span>' in page

    def test_lines_are_drawn(self, olga, session):
        page = olga.get(address(session, "life-lines", page="blank_paper_form")).text
        assert page.count("paper__rule") == 4

    @pytest.mark.parametrize("form", ["", "wai", "session-rating", "nothing", "../x"])
    def test_what_is_no_questionnaire_of_this_clinic_is_not_there(self, olga, session, form):
        for page in ("paper_forms", "blank_paper_form"):
            assert olga.get(address(session, form, page)).status_code == 404

    @pytest.mark.parametrize("name", ["paper_forms", "blank_paper_form"])
    def test_its_queries_do_not_grow_with_the_caseload(self, clinic, olga, session, name):
        inventories.loaded(clinic.adam)
        olga.get(address(session, page=name))  # the first one also signs in
        counts = []
        for many in (3, 27):
            for place in range(many):
                cast.rated_course(cast.episode(clinic.olga, f"{many}-{place}"), [380])
            with CaptureQueriesContext(connection) as queries:
                olga.get(address(session, page=name))
            counts.append(len(queries))
        assert counts[0] == counts[1]
