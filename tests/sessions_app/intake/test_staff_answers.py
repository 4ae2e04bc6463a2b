"""Questionnaires that the therapist answers themselves, on their own screen."""

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
from sessions_app.intake import hand_over_actions, staff_answer_actions
from sessions_app.intake.form_sets import Forms, ToFillIn
from tests import cast

pytestmark = pytest.mark.django_db
KEY = UUID("11111111-1111-4111-8111-111111111111")


@pytest.fixture
def inventory(clinic):
    """WAI-SR of the therapist, in invented words, under a licence."""
    cast.inventory(clinic.adam, "wai-sr-therapist")
    return instruments.get("wai-sr-therapist")


def answers(points, inventory):
    return {item.id: points for item in inventory.items}


@pytest.fixture
def answered(clinic, session, inventory):
    def answered(points=30, **more):
        return staff_answer_actions.answer_own_form(
            **{
                "session": session,
                "instrument": inventory,
                "answers": answers(points, inventory),
                "by": clinic.olga,
                **more,
            }
        )

    return answered


def standing():
    return [set(one.answers.values()) for one in QuestionnaireResponse.objects.standing()]


# --- The action ----------------------------------------------------------------------------------


def test_sent_twice_it_is_stored_once(answered):
    first = answered(form_key=KEY)
    assert answered(form_key=KEY) == first
    assert (QuestionnaireResponse.objects.count(), RatingGrant.every.count()) == (1, 1)


def test_a_correction_is_a_new_row_and_the_earlier_one_counts_no_more(clinic, answered):
    first = answered(30)
    answered(40, seen=first.code, why="mistyped")
    assert standing() == [{40}]
    (decision,) = first.decisions.all()
    assert (decision.counts, decision.why, decision.decided_by) == (False, "mistyped", clinic.olga)
    assert QuestionnaireResponse.objects.count() == 2


def test_a_correction_says_why_and_is_of_what_was_seen(answered, inventory):
    first = answered(30)
    for more, sentence in (
        ({"seen": first.code}, "Say in one line why"),
        ({"why": "x"}, "Other answers stand"),
        ({"seen": first.code, "why": "x", "answers": answers(30, inventory)}, "stand already"),
    ):
        with pytest.raises(Refused, match=sentence):
            answered(**{"points": 40, **more})
    assert standing() == [{30}]


def test_raters_are_never_pooled(clinic, session, answered, inventory):
    """What the client answers to the same form is another series, and neither takes the place of the other."""
    cast.inventory(clinic.adam, "wai-sr", licensed=True)
    form = Forms(rating=False, questionnaires=(ToFillIn(instruments.get("wai-sr")),))
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=form)
    cast.answered(grant, answers(20, inventory))
    answered(40)
    assert sorted(map(tuple, standing())) == [(20,), (40,)]
    assert len({one.series for one in QuestionnaireResponse.objects.all()}) == 2


def test_it_is_no_rating_of_the_session_and_raises_no_flag(session, answered):
    answered(10)
    assert not session.ratings.exists()
    assert not session.flags.exists()


def test_a_form_that_was_out_for_the_therapist_is_taken_back(clinic, session, answered, inventory):
    form = Forms(rating=False, questionnaires=(ToFillIn(inventory, Rater.THERAPIST),))
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga, forms=form)
    answered(40)
    assert RatingGrant.every.get(pk=grant.pk).withdrawn_at is not None


def test_where_the_course_is_over_or_the_session_was_not_held_it_is_refused(clinic, session, answered):
    session.attendance = "did_not_attend"
    session.save()
    with pytest.raises(Refused, match="did not take place"):
        answered()
    closed = cast.episode(clinic.olga, "K-5", closed_on=cast.STARTED, ending="planned")
    with pytest.raises(Refused, match="closed"):
        answered(session=cast.therapy_session(closed))
    assert not QuestionnaireResponse.objects.exists()


def test_it_keeps_what_was_promised_to_the_therapist(clinic, answered):
    before = answered()
    cast.promise(clinic.adam, rater="therapist", supervisor=False)
    later = answered(session=cast.therapy_session(clinic.olgas))
    assert list(QuestionnaireResponse.objects.through(Door.SUPERVISOR)) == [before]
    assert later.promise.version == 1


def test_the_log_names_who_entered_it_and_nothing_of_the_answers(answered):
    answered()
    (line,) = access_log.lines(AuditEvent.objects.filter(action="questionnaire answered"))
    assert line.sentence == "Olga entered a questionnaire of client K-1"


# --- The page ------------------------------------------------------------------------------------


def address(session, instrument):
    return f"{reverse('dashboard:own_form', args=[session.code])}?form={instrument.id}"


def sent(browser, page, **typed):
    form = browser.get(page).context["form"]
    hidden = {name: form[name].value() or "" for name in ("seen", "form_key")}
    return browser.post(page, {**hidden, **typed})


def test_the_therapist_answers_each_question_on_their_own_screen(clinic, session, inventory, sign_in):
    browser, page = sign_in(clinic.olga), address(session, inventory)
    shown = browser.get(page).text
    assert shown.count('type="radio"') == len(inventory.items) * 6  # five points, and "not answered"
    assert "Invented question 1 about Olga" in shown
    assert sent(browser, page, **{item.id: "30" for item in inventory.items}).status_code == 302
    response = QuestionnaireResponse.objects.get()
    assert (response.rater, response.grant.channel) == (Rater.THERAPIST, Channel.SCREEN)
    assert set(response.answers.values()) == {30}
    listed = browser.get(reverse("dashboard:raters", args=[session.episode.code])).text
    assert "Session 1: Therapist" in listed


def test_answers_that_came_meanwhile_are_shown_first(clinic, session, inventory, answered, sign_in):
    browser, page = sign_in(clinic.olga), address(session, inventory)
    key = browser.get(page).context["form"]["form_key"].value()
    answered(20)
    typed = {item.id: "40" for item in inventory.items}
    refused = browser.post(page, {**typed, "seen": "", "form_key": key})
    assert refused.status_code == 422
    assert standing() == [{20}]
    # The next press is about those that stand, and says why.
    form = refused.context["form"]
    again = {**typed, "seen": form["seen"].value(), "form_key": key, "why": "answered anew"}
    assert browser.post(page, again).status_code == 302
    assert standing() == [{40}]


def test_what_cannot_be_an_answer_is_refused_and_what_was_typed_stays(clinic, session, inventory, sign_in):
    browser, page = sign_in(clinic.olga), address(session, inventory)
    first, second = (item.id for item in inventory.items[:2])
    answer = sent(browser, page, **{first: "70", second: "20", "comment": "kept words"})
    assert answer.status_code == 422
    assert "kept words" in answer.text
    assert 'value="20" required' in answer.text or 'value="20" id' in answer.text
    assert sent(browser, page).status_code == 422  # nothing answered
    assert not QuestionnaireResponse.objects.exists()


def test_nobody_else_reaches_it_and_no_form_that_cannot_be_given(clinic, session, inventory, sign_in):
    for person in (clinic.carl, clinic.sina, clinic.adam):
        assert sign_in(person).get(address(session, inventory)).status_code in {403, 404}
    browser = sign_in(clinic.olga)
    for other in ("caregiver-session-rating", "haq-ii-therapist", "no-such"):
        page = f"{reverse('dashboard:own_form', args=[session.code])}?form={other}"
        assert browser.get(page).status_code == 404
    assert browser.get(reverse("dashboard:own_form", args=[session.code])).status_code == 404
