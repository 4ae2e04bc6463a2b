"""Two sessions on one day, by keyboard and finger; a form that is sent twice; a session voided and put back."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import TherapySession
from tests import cast


@pytest.fixture
def page(context, live_clinic, sign_in_browser):
    sign_in_browser(context, live_clinic.olga)
    return context.new_page()


def to_hand_over(page: Page, clinic: cast.Clinic) -> None:
    page.goto(f"/dashboard/clients/{clinic.olgas.code}/")
    page.get_by_role("link", name="Hand over", exact=True).click()


def test_of_two_sessions_of_today_the_one_that_is_chosen_is_rated(page, live_clinic, axe):
    """Written so that both are of today at any hour of the day."""
    now = timezone.now()
    ended, ends = now - timedelta(minutes=2), {"attendance": "attended"}
    first = cast.therapy_session(
        live_clinic.olgas, held_at=now - timedelta(minutes=4), ends_at=now - timedelta(minutes=3), **ends
    )
    second = cast.therapy_session(live_clinic.olgas, held_at=ended, ends_at=now + timedelta(hours=1), **ends)
    to_hand_over(page, live_clinic)
    likely = page.get_by_role("radio", name="Session 2")
    expect(likely).to_be_checked()
    expect(page.get_by_text("on now")).to_be_visible()
    assert axe(page) == []
    likely.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Session 1")).to_be_checked()
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("heading", name="How was this session?")).to_be_visible()
    assert RatingGrant.objects.get().session == first
    assert not second.grants.exists()


def test_the_hand_over_of_one_client_and_one_session_is_two_presses(page, live_clinic):
    to_hand_over(page, live_clinic)
    expect(page.get_by_text("Session 1, a new one, now")).to_be_visible()
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("heading", name="How was this session?")).to_be_visible()
    assert TherapySession.objects.get().number == 1


def test_a_double_click_and_back_and_save_again_add_one_session(page, live_clinic, witness):
    witness.expect("status of 422")
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/sessions/add/")
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("Session 1 is added.")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Save").click()
    # Pages of staff are drawn anew on Back: this is another form, and a person is asked.
    expect(page.get_by_role("checkbox", name="This is another session at the same time")).to_be_visible()
    assert TherapySession.objects.count() == 1


def test_without_scripts_a_double_click_adds_one_session(another_browser, live_clinic, sign_in_browser):
    browser = another_browser(java_script_enabled=False)
    sign_in_browser(browser, live_clinic.olga)
    page = browser.new_page()
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/sessions/add/")
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_text("Session 1 is added.")).to_be_visible()
    assert TherapySession.objects.count() == 1


def test_a_reloaded_link_page_shows_the_same_code(page, live_clinic):
    to_hand_over(page, live_clinic)
    page.get_by_role("button", name="Send to the phone").click()
    code = page.locator(".short-code").inner_text()
    page.reload()
    expect(page.locator(".short-code")).to_have_text(code)
    assert (RatingGrant.objects.count(), TherapySession.objects.count()) == (1, 1)


def test_a_session_is_voided_with_a_reason_and_put_back(page, live_clinic, axe):
    first, _ = cast.rated_course(live_clinic.olgas, [380, 370])
    page.goto(f"/dashboard/sessions/{first.code}/change/")
    page.get_by_role("link", name="Void this session").click()
    page.get_by_label("Why").fill("Entered twice")
    page.get_by_role("button", name="Void this session").click()
    expect(page.get_by_text("The session is voided")).to_be_visible()
    expect(page.locator("#course-words").get_by_text("1 complete rating")).to_be_visible()
    page.get_by_text("Voided sessions: 1").click()
    assert axe(page) == []
    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_text("The session is back: it is session 1.")).to_be_visible()
    expect(page.locator("#course-words").get_by_text("2 complete ratings")).to_be_visible()
