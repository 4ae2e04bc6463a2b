"""Questionnaires that the therapist answers on their own screen, or enters as others answered on paper."""

from uuid import UUID

import pytest
from django.urls import reverse

from alliance.measurement import instruments
from alliance.models import AuditEvent
from alliance.refused import Refused
from clients import access_log
from sessions_app.courses.grants import Channel, RatingGrant
from sessions_app.courses.raters import Rater
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.promises import Door
from sessions_app.intake import staff_answer_actions
from tests import cast

pytestmark = pytest.mark.django_db
OBSERVED = instruments.get("caregiver-session-rating")  # any questionnaire of ours
KEY = UUID("11111111-1111-4111-8111-111111111111")


def entered(clinic, session, total=210, **more):
    return staff_answer_actions.enter_response(
        **{
            "session": session,
            "instrument": OBSERVED,
            "rater": Rater.CAREGIVER,
            "answers": cast.answers(total),
            "by": clinic.olga,
            **more,
        }
    )


def standing():
    return list(QuestionnaireResponse.objects.standing().values_list("total", flat=True))


# --- The action ----------------------------------------------------------------------------------


def test_sent_twice_it_is_stored_once(clinic, session):
    first = entered(clinic, session, form_key=KEY)
    assert entered(clinic, session, form_key=KEY) == first
    assert (QuestionnaireResponse.objects.count(), RatingGrant.every.count()) == (1, 1)


def test_a_correction_is_a_new_row_and_the_earlier_one_counts_no_more(clinic, session):
    first = entered(clinic, session, 210)
    second = entered(clinic, session, 250, seen=first.code, why="mistyped")
    assert standing() == [250]
    (decision,) = first.decisions.all()
    assert (decision.counts, decision.why, decision.decided_by) == (False, "mistyped", clinic.olga)
    assert second.total == 250
    assert QuestionnaireResponse.objects.count() == 2


def test_a_correction_says_why_and_is_of_what_was_seen(clinic, session):
    first = entered(clinic, session, 210)
    for more, sentence in (
        ({"seen": first.code}, "Say in one line why"),
        ({"why": "x"}, "Other answers stand"),
        ({"seen": first.code, "why": "x", "answers": cast.answers(210)}, "stand already"),
    ):
        with pytest.raises(Refused, match=sentence):
            entered(clinic, session, **{"total": 250, **more})
    assert standing() == [210]


def test_raters_are_never_pooled(clinic, session):
    """What the mother answered is not corrected by what the father did, nor by an observer."""
    entered(clinic, session, 210, label="mother")
    entered(clinic, session, 250, label="father")
    entered(clinic, session, 300, rater=Rater.OBSERVER)
    assert sorted(standing()) == [210, 250, 300]
    assert len({one.series for one in QuestionnaireResponse.objects.all()}) == 3


def test_it_is_no_rating_of_the_session_and_raises_no_flag(clinic, session):
    entered(clinic, session, 0)
    session.refresh_from_db()
    assert not session.ratings.exists()
    assert not session.flags.exists()


def test_where_the_course_is_over_or_the_session_was_not_held_it_is_refused(clinic, session):
    session.attendance = "did_not_attend"
    session.save()
    with pytest.raises(Refused, match="did not take place"):
        entered(clinic, session)
    closed = cast.episode(clinic.olga, "K-5", closed_on=cast.STARTED, ending="planned")
    with pytest.raises(Refused, match="closed"):
        entered(clinic, cast.therapy_session(closed))
    assert not QuestionnaireResponse.objects.exists()


def test_it_keeps_what_was_promised_to_its_rater(clinic, session):
    before = entered(clinic, session)
    cast.promise(clinic.adam, rater="caregiver", supervisor=False)
    later = entered(clinic, cast.therapy_session(clinic.olgas), 250)
    assert list(QuestionnaireResponse.objects.through(Door.SUPERVISOR)) == [before]
    assert later.promise.version == 1


def test_the_log_names_who_entered_it_and_nothing_of_the_answers(clinic, session):
    entered(clinic, session)
    (line,) = access_log.lines(AuditEvent.objects.filter(action="questionnaire answered"))
    assert line.sentence == "Olga entered a questionnaire of client K-1"


# --- The page ------------------------------------------------------------------------------------


@pytest.fixture
def inventory(clinic):
    """WAI-SR of the therapist, in invented words, under a licence."""
    cast.inventory(clinic.adam, "wai-sr-therapist")
    return instruments.get("wai-sr-therapist")


def address(session, instrument, by="therapist"):
    return f"{reverse('dashboard:staff_form', args=[session.code])}?form={instrument.id}&by={by}"


def sent(browser, page, **answers):
    form = browser.get(page).context["form"]
    hidden = {name: form[name].value() or "" for name in ("seen", "form_key")}
    return browser.post(page, {**hidden, **answers})


def test_the_therapist_answers_each_question_on_their_own_screen(clinic, session, inventory, sign_in):
    browser, page = sign_in(clinic.olga), address(session, inventory)
    shown = browser.get(page).text
    assert shown.count('type="radio"') == len(inventory.items) * 6  # five points, and "not answered"
    answers = {item.id: "30" for item in inventory.items}
    assert sent(browser, page, **answers).status_code == 302
    response = QuestionnaireResponse.objects.get()
    assert (response.rater, response.grant.channel) == (Rater.THERAPIST, Channel.SCREEN)
    assert set(response.answers.values()) == {30}
    listed = browser.get(reverse("dashboard:raters", args=[session.episode.code])).text
    assert "Session 1: Therapist" in listed


def test_answers_that_came_meanwhile_are_shown_first(clinic, session, inventory, sign_in):
    browser, page = sign_in(clinic.olga), address(session, inventory)
    hidden = browser.get(page).context["form"]
    key = hidden["form_key"].value()
    staff_answer_actions.enter_response(
        session=session,
        instrument=inventory,
        rater=Rater.THERAPIST,
        answers={item.id: 20 for item in inventory.items},
        by=clinic.olga,
    )
    answers = {item.id: "40" for item in inventory.items}
    refused = browser.post(page, {**answers, "seen": "", "form_key": key})
    assert refused.status_code == 422
    assert QuestionnaireResponse.objects.count() == 1
    # The next press is about those that stand, and says why.
    form = refused.context["form"]
    again = {**answers, "seen": form["seen"].value(), "form_key": key, "why": "answered anew"}
    assert browser.post(page, again).status_code == 302
    assert [set(one.answers.values()) for one in QuestionnaireResponse.objects.standing()] == [{40}]


def test_what_cannot_be_an_answer_is_refused_and_what_was_typed_stays(clinic, session, sign_in):
    browser, page = sign_in(clinic.olga), address(session, OBSERVED, by="caregiver")
    answer = sent(browser, page, relationship="11", goals="8.2", comment="kept words")
    assert answer.status_code == 422
    assert "Please give a number from 0 to 10." in answer.text
    assert 'value="8.2"' in answer.text
    assert "kept words" in answer.text
    assert sent(browser, page).status_code == 422  # nothing answered
    assert not QuestionnaireResponse.objects.exists()


def test_nobody_else_reaches_it_and_no_form_that_cannot_be_given(clinic, session, inventory, sign_in):
    for person in (clinic.carl, clinic.sina, clinic.adam):
        assert sign_in(person).get(address(session, inventory)).status_code in {403, 404}
    browser = sign_in(clinic.olga)
    assert browser.get(address(session, inventory, by="caregiver")).status_code == 404
    assert browser.get(address(session, inventory, by="client")).status_code == 404
    assert browser.get(reverse("dashboard:staff_form", args=[session.code])).status_code == 404


def test_an_instrument_without_a_licence_is_not_offered(clinic, session, sign_in):
    unlicensed = instruments.get("wai-sr-therapist")
    assert sign_in(clinic.olga).get(address(session, unlicensed)).status_code == 404
