"""The therapist looks who looked, by keyboard, on a desktop and on a phone; the office reads its log."""

from playwright.sync_api import Page, expect

from alliance import audit
from alliance.log_events import LogEvent
from tests.browser.conftest import NARROW


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_from_the_client_to_who_looked_and_back(context, live_clinic, sign_in_browser, axe):
    episode = live_clinic.olgas
    for by in (live_clinic.sina, live_clinic.sina, live_clinic.adam):
        audit.record(LogEvent.VIEWED, episode, by=by, client=episode.client_code)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.goto(f"/dashboard/clients/{episode.code}/")
    page.get_by_role("link", name="Who looked").press("Enter")
    expect(page.get_by_role("heading", name="Who looked at K-1")).to_be_visible()
    expect(page.get_by_text("Adam viewed client K-1")).to_be_visible()
    expect(page.get_by_role("row", name="Sina viewed client K-1")).to_contain_text("2 times since")
    assert axe(page) == []
    page.get_by_text("You looked 2 times").press("Enter")
    expect(page.get_by_role("listitem").filter(has_text="2 times")).to_be_visible()

    page.get_by_label("To and including").fill("2026-01-08")
    page.get_by_label("From").fill("2026-01-07")
    page.get_by_role("button", name="Find").press("Enter")
    expect(page.get_by_text("Nobody else in these days")).to_be_visible()
    page.set_viewport_size(NARROW)
    assert fits(page)
    page.reload()
    expect(page.get_by_text("Adam viewed client K-1")).to_be_visible()
    assert fits(page)
    assert axe(page) == []
    page.get_by_role("navigation", name="You are here").get_by_role("link").press("Enter")
    page.wait_for_url("**/dashboard/clients/**")


def test_the_log_by_days_fits_a_phone(context, live_clinic, sign_in_browser, axe):
    codes = [live_clinic.olgas.client_code, live_clinic.carls.client_code]
    audit.listed(codes, by=live_clinic.sina)
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto("/clinic/log/?action=everything")
    page.get_by_text("Sina saw 2 clients in a list").press("Enter")
    expect(page.get_by_text("K-1, K-2")).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size(NARROW)
    assert fits(page)
    assert axe(page) == []
