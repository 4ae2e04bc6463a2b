"""A form that asks about self-harm is given to nobody before an administrator read what the site does about it."""

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from alliance.measurement import instruments
from alliance.models import AuditEvent, User
from alliance.refused import Refused
from sessions_app.courses.grants import RatingGrant
from sessions_app.intake import hand_over_actions, sending_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.questionnaires import risk_confirmations
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from tests import cast
from tests.alliance.page_table import a_tablet
from tests.alliance.sign_in import just_asked
from tests.sessions_app.questionnaires.answering import SENTENCE, confirm, given, phq

pytestmark = pytest.mark.django_db
PHQ = instruments.get("phq-9")
CONFIRM = reverse("instruments:confirm_risk_items") + "?instrument=phq-9"
LIST = reverse("instruments:risk_items")


def ways(clinic, session):
    """Every way in which a questionnaire leaves the office."""
    forms = Forms(rating=False, questionnaires=(ToFillIn(PHQ),))
    beside = Forms(questionnaires=(ToFillIn(PHQ),))
    of = {"episode": session.episode, "session": session, "by": clinic.olga}
    return {
        "handed over": lambda: hand_over_actions.hand_over(session=session, by=clinic.olga, forms=forms),
        "beside the rating": lambda: hand_over_actions.hand_over(
            session=session, by=clinic.olga, forms=beside
        ),
        "by link": lambda: sending_actions.make_link(**of, forms=forms),
        "to a room": lambda: sending_actions.send(**of, tablet=a_tablet(by=clinic.olga), forms=forms),
    }


@pytest.mark.parametrize("way", ["handed over", "beside the rating", "by link", "to a room"])
def test_without_it_the_form_goes_out_in_no_way_and_with_it_in_each(clinic, way):
    session = cast.therapy_session(clinic.olgas)
    give = ways(clinic, session)[way]
    with pytest.raises(Refused, match="asks about self-harm"), transaction.atomic():
        give()
    assert not RatingGrant.every.exists()
    confirm(looks=clinic.sina, by=clinic.adam)
    ways(clinic, session)[way]()
    assert RatingGrant.every.filter(instrument="phq-9").count() == 1


def test_a_form_without_such_a_question_asks_for_nothing(clinic, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert risk_confirmations.is_confirmed(instruments.get("phq-8"))
    given(cast.therapy_session(clinic.olgas), "phq-8")


def test_ended_it_is_given_no_more_and_what_is_out_is_taken(clinic):
    confirmation = confirm(looks=clinic.sina, by=clinic.adam)
    session = cast.therapy_session(clinic.olgas)
    grant = given(session, "phq-9")
    risk_confirmations.end(confirmation=confirmation, by=clinic.adam)
    with pytest.raises(Refused, match="asks about self-harm"):
        given(session, "phq-9")
    response = phq(session, grant=grant, ninth=20)
    assert (response.held, response.risk_answers.count()) == ("", 1)
    with pytest.raises(Refused, match="ended already"):
        risk_confirmations.end(confirmation=confirmation, by=clinic.adam)


def test_whoever_was_named_and_left_looks_no_more_so_it_is_given_no_more(clinic):
    confirm(looks=clinic.sina, by=clinic.adam)
    User.objects.filter(pk=clinic.sina.pk).update(is_active=False)
    with pytest.raises(Refused, match="Sina, who looks at such answers"):
        given(cast.therapy_session(clinic.olgas), "phq-9")
    confirm(looks=clinic.olga, by=clinic.adam)
    given(cast.therapy_session(clinic.olgas), "phq-9")


@pytest.mark.parametrize(
    ("of", "why"),
    [
        ({"text_version": 0}, "changed since you opened it"),
        ({"sentences": {"en": ""}}, "in at least one language"),
        ({"instrument": "phq-8"}, "no such question"),
    ],
)
def test_what_is_not_read_or_not_written_is_refused(clinic, of, why):
    with pytest.raises(Refused, match=why):
        confirm(**{"looks": clinic.sina, "by": clinic.adam, **of})


@pytest.mark.parametrize("name", ["adam", "strange"])
def test_an_administrator_as_such_is_named_by_nobody(clinic, name):
    with pytest.raises(Refused, match="no therapist or supervisor"):
        confirm(looks=getattr(clinic, name), by=clinic.adam)


def test_another_sentence_is_another_confirmation_and_the_one_before_stays_readable(clinic):
    first = confirm(looks=clinic.sina, by=clinic.adam)
    second = confirm(looks=clinic.sina, by=clinic.adam, sentences={"en": "Call us."})
    first.refresh_from_db()
    assert (first.stands, second.stands, first.sentences) == (False, True, {"en": SENTENCE})
    with pytest.raises(Refused, match="Nothing is different"):
        confirm(looks=clinic.sina, by=clinic.adam, sentences={"en": "Call us."})
    with pytest.raises(DatabaseError), transaction.atomic():
        RiskConfirmation.objects.filter(pk=second.pk).update(sentences={})


def test_the_client_reads_the_nearest_language(clinic):
    confirm(looks=clinic.sina, by=clinic.adam, sentences={"de": "Rufen Sie an.", "en": "Call."})
    said = {tag: risk_confirmations.sentence_for(PHQ, tag).text for tag in ("de", "en", "ar")}
    assert said == {"de": "Rufen Sie an.", "en": "Call.", "ar": "Call."}
    assert risk_confirmations.sentence_for(instruments.get("phq-8"), "en") is None


class TestThePages:
    def typed(self, clinic, browser, **of):
        page = browser.get(CONFIRM)
        initial = {name: page.context["form"][name].value() for name in page.context["form"].fields}
        return {**{k: v for k, v in initial.items() if v is not None}, "accepted": "on", **of}

    def test_an_administrator_reads_and_confirms(self, clinic, sign_in):
        browser = just_asked(sign_in(clinic.adam))
        page = browser.get(CONFIRM).content.decode()
        assert "It sends nothing by itself" in page
        assert "It is not an emergency service" in page
        typed = self.typed(clinic, browser, looks_when_away=clinic.sina.pk, sentence_en=SENTENCE)
        refused = browser.post(CONFIRM, {**typed, "accepted": ""})
        assert (refused.status_code, SENTENCE in refused.content.decode()) == (422, True)
        assert not RiskConfirmation.objects.exists()
        assert browser.post(CONFIRM, typed).url == LIST
        stands = RiskConfirmation.objects.get()
        assert (stands.looks_when_away, stands.confirmed_by, stands.sentences) == (
            *(clinic.sina, clinic.adam),
            {"en": SENTENCE},
        )
        assert SENTENCE in browser.get(LIST).content.decode()

    def test_what_another_administrator_wrote_meanwhile_is_shown(self, clinic, sign_in):
        browser = just_asked(sign_in(clinic.adam))
        confirm(looks=clinic.sina, by=clinic.adam)
        typed = self.typed(clinic, browser, sentence_en="Mine")
        confirm(looks=clinic.olga, by=clinic.adam, sentences={"en": "Theirs"})
        answer = browser.post(CONFIRM, typed)
        text = answer.content.decode()
        assert (answer.status_code, "Theirs" in text, "Mine" in text) == (409, True, True)
        assert RiskConfirmation.objects.standing().get().sentences == {"en": "Theirs"}
        again = {name: field.value() for name, field in ((f.name, f) for f in answer.context["form"])}
        browser.post(CONFIRM, {**again, "accepted": "on"})
        stands = RiskConfirmation.objects.standing().get()
        # Who looks, which nobody touched here, stays as the other administrator left it.
        assert (stands.sentences, stands.looks_when_away) == ({"en": "Mine"}, clinic.olga)

    def test_end(self, clinic, sign_in):
        browser = just_asked(sign_in(clinic.adam))
        one = confirm(looks=clinic.sina, by=clinic.adam)
        address = reverse("instruments:end_risk_items", args=[one.code])
        assert "Forms that are handed over are still taken" in browser.get(address).content.decode()
        assert browser.post(address).url == LIST
        assert "Not confirmed" in browser.get(LIST).content.decode()

    def test_another_instrument_is_not_there(self, clinic, sign_in):
        browser = just_asked(sign_in(clinic.adam))
        assert browser.get(reverse("instruments:confirm_risk_items") + "?instrument=phq-8").status_code == 404

    def test_no_page_of_an_administrator_shows_an_answer(self, clinic, sign_in):
        confirm(looks=clinic.sina, by=clinic.adam)
        phq(cast.therapy_session(clinic.olgas), ninth=20, comment="canary-comment")
        browser = just_asked(sign_in(clinic.adam))
        pages = (LIST, CONFIRM, "/clinic/instruments/", "/clinic/log/", "/clients/")
        text = "".join(browser.get(page).content.decode() for page in pages)
        for canary in ("canary-comment", "2 of 3", "More than half the days", "self-harm answer"):
            assert canary not in text
        events = set(AuditEvent.objects.values_list("action", flat=True))
        assert {"self-harm questions confirmed", "self-harm answer raised"} <= events


def test_on_paper_it_is_neither_printed_nor_typed_in(clinic, sign_in):
    browser, session = sign_in(clinic.olga), cast.therapy_session(clinic.olgas)
    forms, blank = (
        reverse(f"dashboard:{name}", args=[session.code]) for name in ("paper_forms", "blank_paper_form")
    )
    typed = {f"item-{n}": "1" for n in range(1, 10)} | {"channel": "paper", "rater": "client"}
    assert "PHQ-9" not in browser.get(forms).content.decode()
    assert browser.get(f"{blank}?form=phq-9").status_code == 404
    assert browser.post(f"{forms}?form=phq-9", typed).status_code == 404
    assert not RatingGrant.every.exists()
    confirm(looks=clinic.sina, by=clinic.adam)
    assert "PHQ-9" in browser.get(forms).content.decode()
    assert browser.get(f"{blank}?form=phq-9").status_code == 200
    assert browser.post(f"{forms}?form=phq-9", typed).status_code == 302
    assert RatingGrant.every.get().responses.get().risk_answers.count() == 1


def test_it_is_not_planned(clinic, sign_in):
    browser = just_asked(sign_in(clinic.adam))
    there = reverse("instruments:list")
    assert LIST in browser.get(there).content.decode(), "the way to the page that has to be read"
    assert not risk_confirmations.not_confirmed(instruments.get("phq-8"))
    assert "asks about self-harm" in risk_confirmations.not_confirmed(PHQ)
    confirm(looks=clinic.sina, by=clinic.adam)
    assert risk_confirmations.not_confirmed(PHQ) == ""
