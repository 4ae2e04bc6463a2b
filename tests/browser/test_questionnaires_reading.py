"""Questionnaires as their readers meet them: panels that come by themselves, and what has to be looked at first."""

import pytest
from playwright.sync_api import expect

from sessions_app.questionnaires.risk_answers import RiskNote
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, TABLET
from tests.browser.pictures import picture
from tests.sessions_app.questionnaires.answering import confirm, life, phq


@pytest.fixture
def answered(live_clinic, course):
    """Life lines at each session, and at the last one an answer about self-harm."""
    confirm(looks=live_clinic.sina, by=live_clinic.adam)
    for place, session in enumerate(course):
        life(session, 180 + 20 * place, comment="A long sentence about this week. " * 4 if place == 2 else "")
    phq(course[-1], 10, ninth=20)
    return live_clinic.olgas


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.pictures
def test_the_panels_come_by_themselves_and_move_nobody(olgas_laptop, answered, axe):
    page = olgas_laptop
    page.goto(f"/dashboard/clients/{answered.code}/")
    panels = page.locator(".questionnaire-panel")
    expect(panels).to_have_count(2)
    expect(panels.first).to_contain_text(
        "26.0 at the last time; better by 8.0 points than at the first (18.0)."
    )
    # Nothing takes the focus from whoever reads or types meanwhile, and what was drawn stays.
    assert page.evaluate("document.activeElement === document.body")
    expect(page.locator("#course .picture[data-drawn]")).to_be_visible()
    panels.first.get_by_text("Figures of 5 times").press("Enter")
    expect(panels.first.get_by_role("table")).to_be_visible()
    assert axe(page) == []
    panels.first.scroll_into_view_if_needed()
    picture(page, "questionnaire")

    page.get_by_role("link", name="Alliance and outcome together").press("Enter")
    page.get_by_role("link", name="Life lines").click()
    expect(page.locator(".drawing--small")).to_have_count(2)
    for size in (LAPTOP, TABLET, NARROW):
        page.set_viewport_size(size)
        assert fits(page), size
    assert axe(page) == []


@pytest.mark.pictures
def test_one_sentence_says_what_to_look_at_first(olgas_laptop, live_clinic, course):
    for session in course:
        phq(session, 10, instrument="gad-7")
    cast.rating(last := cast.therapy_session(live_clinic.olgas), 320)
    phq(last, 10, instrument="gad-7")
    page = olgas_laptop
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    page.get_by_role("link", name="Alliance and outcome together").click()
    expect(page.get_by_text("the alliance is low: look at the alliance first.")).to_be_visible()
    page.set_viewport_size({**LAPTOP, "height": 1000})
    picture(page, "alliance-and-outcome")


def test_what_has_to_be_looked_at_stands_first_until_it_is_written_down(olgas_laptop, answered, axe):
    page = olgas_laptop
    page.goto("/dashboard/")
    first = page.get_by_role("heading", name="Look at this first")
    expect(first).to_be_in_viewport()
    expect(page.locator(".look-first")).to_contain_text("answered 2 of 3, “More than half the days” to")
    page.set_viewport_size(NARROW)
    assert fits(page)
    assert axe(page) == []
    page.set_viewport_size(LAPTOP)
    page.get_by_role("link", name="Look, and write down what you did").press("Enter")
    page.get_by_label("What did you do?").fill("Called at 14:10, we meet tomorrow.")
    assert axe(page) == []
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_text("Noted. The answer stays in the client’s course")).to_be_visible()
    expect(first).to_have_count(0)
    assert RiskNote.objects.get().note == "Called at 14:10, we meet tomorrow."

    page.goto(f"/dashboard/clients/{answered.code}/")
    expect(page.get_by_role("heading", name="Answers that were looked at")).to_be_visible()


def test_an_answer_that_arrives_is_first_on_a_page_that_lies_open(olgas_laptop, live_clinic, course):
    confirm(looks=live_clinic.sina, by=live_clinic.adam)
    page = olgas_laptop
    page.goto("/dashboard/")
    expect(page.get_by_role("heading", name="Work list")).to_be_visible()
    phq(cast.therapy_session(live_clinic.olgas), ninth=30)
    expect(page.get_by_role("heading", name="Look at this first")).to_be_visible()
