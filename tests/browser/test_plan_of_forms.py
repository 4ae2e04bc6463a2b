"""An administrator plans a form, its therapist sees it due at the session and gives it with the rating, by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.grants import RatingGrant
from sessions_app.plans import plan_actions
from sessions_app.plans.models import PlannedForm
from tests import cast
from tests.browser.conftest import LAPTOP
from tests.browser.pictures import picture


@pytest.fixture
def page_of(another_browser, sign_in_browser):
    """A page in a browser of their own; with or without scripts."""

    def opened(person, **options) -> Page:
        browser = another_browser(complains=("status of 422",), **options)
        sign_in_browser(browser, person)
        return browser.new_page()

    return opened


@pytest.mark.pictures
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_planned_looked_at_saved_and_undone(live_clinic, page_of, axe, scripts):
    cast.rated_course(live_clinic.olgas, [380, 370, 390])
    page = page_of(live_clinic.adam, java_script_enabled=scripts)
    page.goto("/clinic/plan/")
    page.get_by_role("link", name="Plan a form").first.click()
    page.get_by_role("button", name="See what it asks").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    page.get_by_label("Form", exact=True).select_option("life-lines")
    page.get_by_role("radio", name="At the end of a session").check()
    page.get_by_role("radio", name="At these sessions").check()
    page.get_by_role("textbox", name="These sessions").fill("3 and 9")
    if scripts:
        assert axe(page) == []
    page.get_by_role("button", name="See what it asks").click()
    expect(page.get_by_text("Every client: Life lines at the end of sessions 3 and 9.")).to_be_visible()
    expect(page.get_by_role("row", name="Minutes a session")).to_be_visible()
    if scripts:
        assert axe(page) == []
        page.set_viewport_size(LAPTOP)
        picture(page, "plan")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Planned. Every client")).to_be_visible()
    if scripts:
        assert axe(page) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert not PlannedForm.objects.standing().exists()


@pytest.mark.pictures
def test_due_at_the_session_ticked_and_given_in_one_press(live_clinic, page_of, axe):
    plan_actions.plan_form(
        **{"instrument": "life-lines", "moment": "end", "frequency": "each", "every": None, "numbers": ""},
        **{"for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""},
        by=live_clinic.adam,
    )
    cast.therapy_session(live_clinic.olgas)
    page = page_of(live_clinic.olga)
    page.goto("/dashboard/")
    expect(page.get_by_text("end: session rating, Life lines")).to_be_visible()
    page.set_viewport_size(LAPTOP)
    picture(page, "due")
    page.get_by_role("link", name="Hand over", exact=False).first.press("Enter")
    ticked = page.get_by_role("checkbox", name="Life lines")
    expect(ticked).to_be_checked()
    assert axe(page) == []
    page.get_by_text("Another form").click()
    expect(page.get_by_role("checkbox", name="GAD-7")).to_be_visible()
    page.get_by_role("button", name="Hand over").press("Enter")
    expect(page.get_by_role("heading", name="How was this session?")).to_be_visible()
    assert list(RatingGrant.every.order_by("place_in_set").values_list("instrument", flat=True)) == [
        "session-rating",
        "life-lines",
    ]
