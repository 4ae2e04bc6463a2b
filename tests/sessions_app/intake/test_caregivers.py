"""A caregiver has a form of their own: their words, their language, their answers, and nothing of the client's."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.device_lock import _LOCK
from alliance.measurement import instruments
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import access_log
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, Rating
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.courses.tokens import hash_of_token
from sessions_app.intake import hand_over_actions, sending_actions, session_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from tests import cast
from tests.sessions_app.intake.rate_form import DONE, FORM, HELP, NOT_TODAY, marks, put_lock

pytestmark = pytest.mark.django_db
CAREGIVERS = instruments.get("caregiver-session-rating")
LINES = dict(zip(("relationship", "goals", "approach", "overall"), ("51", "52", "53", "54"), strict=True))


def form_for(label="", language="", instrument=CAREGIVERS):
    return Forms(rating=False, questionnaires=(ToFillIn(instrument, Rater.CAREGIVER, label, language),))


def link(clinic, session, label="", **form):
    return sending_actions.make_link(
        episode=session.episode, session=session, by=clinic.olga, forms=form_for(label, **form)
    )


@pytest.fixture
def child(clinic, session):
    """K-1 is a child, at whose page caregivers are asked."""
    session.episode.client.age_band = "child"
    session.episode.client.save()
    return session


def page_of(episode):
    return reverse("dashboard:raters", args=[episode.code])


def asked(browser, session, way="link", **typed):
    page = page_of(session.episode)
    form = browser.get(page).context["form"]
    sent = {name: form[name].value() for name in ("session", "language", "form_key")}
    return browser.post(page, {**sent, "instrument": CAREGIVERS.id, "way": way, **typed})


# --- Several caregivers --------------------------------------------------------------------------


def test_each_caregiver_has_a_link_of_their_own_and_a_new_one_takes_the_place_of_theirs_alone(
    clinic, session
):
    mother, father = link(clinic, session, "mother"), link(clinic, session, "father")
    again = link(clinic, session, "Mother ")
    out = RatingGrant.every.awaiting(timezone.now())
    assert set(out.values_list("pk", flat=True)) == {father.grant.pk, again.grant.pk}
    assert RatingGrant.every.get(pk=mother.grant.pk).withdrawn_at is not None


def test_two_caregivers_at_once_are_two_answers_and_two_series(clinic, session):
    for label, total in (("mother", 210), ("father", 310)):
        grant = link(clinic, session, label).grant
        cast.answered(grant, cast.answers(total))
    mother, father = QuestionnaireResponse.objects.standing().order_by("pk")
    assert [(one.said_by, one.total) for one in (mother, father)] == [
        ("Caregiver (mother)", 210),
        ("Caregiver (father)", 310),
    ]
    assert mother.series != father.series
    assert not Rating.objects.exists()
    assert not session.flags.exists()


def test_a_label_that_nobody_sees_is_refused_and_none_at_all_is_well(clinic, child, sign_in):
    browser = sign_in(clinic.olga)
    refused = asked(browser, child, label="mo\u200bther")
    assert refused.status_code == 422
    assert "cannot be seen" in refused.text
    assert asked(browser, child).status_code == 200
    assert RatingGrant.every.get(rater=Rater.CAREGIVER).rater_label == ""


def test_a_form_of_a_caregiver_leaves_that_of_the_client_out_and_the_other_way_round(clinic, session):
    client_grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    mother = link(clinic, session, "mother").grant
    found = hand_over_actions.take_back_of(session=session, by=clinic.olga)
    assert found.was_out
    out = RatingGrant.every.awaiting(timezone.now())
    assert list(out) == [mother]
    assert hand_over_actions.take_back_of(session=session, by=clinic.olga).was_out is False
    assert RatingGrant.every.get(pk=client_grant.pk).withdrawn_at is not None


def test_what_a_caregiver_has_out_is_no_rating_that_the_session_awaits(clinic, child, sign_in):
    link(clinic, child, "mother")
    page = sign_in(clinic.olga).get(reverse("dashboard:client", args=[child.episode.code]))
    assert "Sent, not opened" not in page.text
    assert page_of(child.episode) in page.text


# --- The caregiver's language, and the client's --------------------------------------------------


def test_a_caregiver_who_reads_on_in_another_language_does_not_change_the_clients(clinic, session, client):
    cast.choose(clinic.adam, languages=["en", "de", "ar"])
    grant, token = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=form_for(language="de"))
    put_lock(client, token)
    assert "Wie läuft die Therapie?" in client.get(FORM).text
    assert 'dir="rtl"' in client.post(FORM, {"language": "ar"}).text
    session.episode.client.refresh_from_db()
    assert (session.episode.client.language, RatingGrant.every.get(pk=grant.pk).language) == ("en", "ar")
    log = list(AuditEvent.objects.filter(action__contains="language").values_list("action", flat=True))
    assert log == ["form language chosen"]


def test_the_phone_of_a_caregiver_does_not_choose_for_anybody(clinic, session):
    cast.choose(clinic.adam, languages=["en", "de"])
    grant = link(clinic, session, "mother").grant
    sending_actions.open_on_phone(grant=grant, language="de")
    session.episode.client.refresh_from_db()
    assert (session.episode.client.language, grant.language) == ("en", "en")


def test_the_control_a_client_changes_their_own(clinic, session):
    cast.choose(clinic.adam, languages=["en", "de"])
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    hand_over_actions.choose_language(grant=grant, language="de")
    session.episode.client.refresh_from_db()
    assert session.episode.client.language == "de"


# --- What the caregiver reads --------------------------------------------------------------------


def held(clinic, session, client, **form):
    grant, token = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=form_for(**form))
    put_lock(client, token)
    return grant


def test_the_form_help_and_review_address_a_caregiver(clinic, session, client):
    held(clinic, session, client, label="mother")
    pages = [client.get(FORM), client.get(HELP), client.post(FORM, {**marks(), "step": "review"})]
    for page in pages:
        assert page.status_code == 200
        assert "Your therapist" not in page.text
        assert "My therapist" not in page.text
    assert "The person you answer about does not see them here." in pages[0].text
    assert "The therapist’s supervisor may read this sentence too" in pages[0].text
    assert "Only the therapist may read it." in pages[2].text


def test_the_thanks_show_no_marks_and_tell_nothing_of_the_client(clinic, session, client):
    cast.choose(clinic.adam, closing="marks")
    held(clinic, session, client)
    client.post(FORM, marks(**LINES))
    thanks = client.get(DONE)
    assert "Thank you" in thanks.text
    assert "K-1" not in thanks.text
    assert "5.1" not in thanks.text


def test_a_form_that_is_past_says_who_can_start_it_again(clinic, session, client):
    grant = held(clinic, session, client)
    RatingGrant.every.filter(pk=grant.pk).update(open_until=timezone.now() - timedelta(days=1))
    closed = client.get(FORM)
    assert closed.status_code == 410
    assert "the therapist can start it again" in closed.text


def test_a_caregiver_whose_link_was_opened_before_is_not_sent_to_a_therapist_of_their_own(
    clinic, session, client
):
    sent = link(clinic, session, "mother")
    assert client.post("/go/", {"token": sent.token}).status_code == 303
    again = Client().post("/go/", {"token": sent.token})
    assert again.status_code == 410
    assert "This form was opened already. Ask the therapist for a new link." in again.text
    # What is read before anything is known of the reader is true of both.
    for page in (Client().get("/go/"), Client().post("/go/", {"token": "nobody"}), Client().get("/room/")):
        assert "our therapist" not in page.text


def test_given_back_the_log_says_who_did(clinic, session, client):
    held(clinic, session, client)
    client.post(NOT_TODAY)
    (line,) = access_log.lines(AuditEvent.objects.filter(action="form given back"))
    assert line.sentence == "A caregiver gave a form about client K-1 back without answers"
    assert not AuditEvent.objects.filter(action="rating declined").exists()


def test_a_clients_token_opens_no_form_of_a_caregiver_and_marks_never_cross(clinic, session, client):
    """The token says which form it is; what is sent through it is stored for that form, whatever the page says."""
    mother = link(clinic, session, "mother").grant
    _, token = hand_over_actions.hand_over(session=session, by=clinic.olga)
    put_lock(client, token)
    client.post(FORM, marks(**LINES))
    rating = Rating.objects.get()
    assert (rating.total, rating.grant.rater) == (210, Rater.CLIENT)
    assert not QuestionnaireResponse.objects.exists()
    assert RatingGrant.every.get(pk=mother.pk).answered_at is None


def test_a_link_of_a_caregiver_opens_the_caregivers_form_once(clinic, session, client):
    made = link(clinic, session, "mother")
    start = reverse("go:start")
    assert client.post(start, {"token": made.token}).url == FORM
    held_by = client.session[_LOCK]["token"]
    assert RatingGrant.every.get(token_hash=hash_of_token(held_by)) == made.grant
    client.post(FORM, marks(**LINES))
    client.get(DONE)
    response = QuestionnaireResponse.objects.get()
    assert (response.rater, response.rater_label, response.total) == ("caregiver", "mother", 210)
    client.session.flush()
    assert client.post(start, {"token": made.token}).status_code == 410


# --- The therapist's page ------------------------------------------------------------------------


def test_a_link_is_made_on_the_page_and_says_for_whom(clinic, child, sign_in):
    shown = asked(sign_in(clinic.olga), child, label="mother", language="de")
    assert "a form for caregiver (mother)" in shown.text
    grant = RatingGrant.every.get(rater=Rater.CAREGIVER)
    assert (grant.rater_label, grant.channel, grant.session) == ("mother", "phone", child)
    (line,) = access_log.lines(AuditEvent.objects.filter(action="link made for another"))
    assert line.sentence == "Olga made a link to a form about client K-1 for a caregiver"


def test_a_caregivers_link_that_is_reloaded_is_the_same_and_another_label_is_another_press(
    clinic, child, sign_in
):
    """With Back and one form key for two caregivers, the father would have been shown the mother's link."""
    browser, key = sign_in(clinic.olga), "11111111-1111-4111-8111-111111111111"
    links = [
        asked(browser, child, label=label, form_key=key).context["link"]
        for label in ("mother", "mother", "father")
    ]
    assert links[0] == links[1] != links[2]
    assert RatingGrant.every.count() == 2


def test_handed_over_this_browser_holds_the_caregivers_form(clinic, child, sign_in):
    browser = sign_in(clinic.olga)
    assert asked(browser, child, way="tablet", label="mother").url == FORM
    assert "How is the therapy going?" in browser.get(FORM).text
    assert browser.get(reverse("dashboard:work_list")).url == FORM


def test_a_form_is_taken_back_once_and_then_it_is_said(clinic, child, sign_in):
    browser, grant = sign_in(clinic.olga), link(clinic, child, "mother").grant
    take_back = reverse("dashboard:take_form_back", args=[grant.code])
    assert "Taken back: Caregiver (mother), session 1." in browser.post(take_back, follow=True).text
    assert "Nothing was taken back" in browser.post(take_back, follow=True).text
    # The client's own form has a way back of its own, and Carl has none.
    own, _ = hand_over_actions.hand_over(session=child, by=clinic.olga)
    assert browser.post(reverse("dashboard:take_form_back", args=[own.code])).status_code == 404
    assert sign_in(clinic.carl).post(take_back).status_code == 404


def test_what_came_in_stands_beside_who_answered(clinic, child, sign_in):
    cast.answered(link(clinic, child, "mother").grant, cast.answers(210), comment="He sleeps again.")
    shown = sign_in(clinic.olga).get(page_of(child.episode)).text
    for said in ("Session 1: Caregiver (mother)", "21.0", "He sleeps again."):
        assert said in shown
    assert sign_in(clinic.carl).get(page_of(child.episode)).status_code == 404
    assert sign_in(clinic.sina).get(page_of(child.episode)).status_code in {403, 404}


def test_an_adults_page_says_nothing_of_caregivers(clinic, session, sign_in):
    browser = sign_in(clinic.olga)
    for name in ("client", "hand_over"):
        shown = browser.get(reverse(f"dashboard:{name}", args=[session.episode.code])).text
        assert "Other raters" not in shown
        assert "Somebody else than the client" not in shown


def test_without_a_session_it_says_what_to_do(clinic, sign_in):
    episode = cast.episode(clinic.olga, "K-9")
    shown = sign_in(clinic.olga).get(page_of(episode)).text
    assert "Add a session" in shown
    assert "Make a link" not in shown


def test_as_many_queries_for_thirty_forms_as_for_three(clinic, child, sign_in):
    browser, page = sign_in(clinic.olga), page_of(child.episode)
    for number in range(3):
        cast.answered(link(clinic, child, f"aunt {number}").grant, cast.answers(200 + number))
    browser.get(page)
    with CaptureQueriesContext(connection) as few:
        browser.get(page)
    for number in range(3, 30):
        cast.answered(link(clinic, child, f"aunt {number}").grant, cast.answers(200 + number))
    with CaptureQueriesContext(connection) as many:
        browser.get(page)
    assert len(few) == len(many)


# --- The session it hangs on ---------------------------------------------------------------------


def test_a_planned_session_with_a_form_of_a_caregiver_can_be_moved_and_not_cancelled(clinic):
    planned = cast.therapy_session(clinic.olgas, ago=timedelta(days=-2), attendance=Attendance.PLANNED)
    link(clinic, planned, "mother")
    changed = {"modality": "phone", "by": clinic.olga}
    session_actions.change_session(
        session=planned, held_at=planned.held_at, attendance=Attendance.PLANNED, **changed
    )
    with pytest.raises(Refused, match="A form of this session is out"):
        session_actions.change_session(
            session=planned, held_at=planned.held_at, attendance=Attendance.CANCELLED, **changed
        )


def test_sealed_marks_of_a_caregiver_arrive_through_the_same_door(clinic, session, client):
    """Late, after the form was taken back: kept, and not counted."""
    grant = held(clinic, session, client)
    hand_over_actions.take_back(grant=grant, by=clinic.olga)
    client.post(FORM, marks(**LINES))
    (kept,) = QuestionnaireResponse.objects.all()
    assert (kept.held, kept.rater) == ("withdrawn", "caregiver")
    assert not QuestionnaireResponse.objects.standing().exists()
