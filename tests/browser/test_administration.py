"""What only administrators open: approvals, health, and the page of a closed site; light and dark, tablet and phone."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from alliance.operations import maintenance
from clients import approved_supervision
from tests.browser.conftest import NARROW
from tests.clients import two_hands

SIZES = ({"width": 820, "height": 1180}, NARROW)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def page(context, live_clinic, sign_in_browser):
    two_hands.with_marks(live_clinic)
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.adam)
    return context.new_page()


@pytest.fixture
def fits(axe):
    """`fits(page)`: no rule of axe is broken and nothing lies beside the page, in either scheme and size."""

    def look(page):
        for size, scheme in zip(SIZES, ("light", "dark"), strict=True):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            assert (axe(page), page.evaluate(OVERFLOW)) == ([], 0), (page.url, size, scheme)

    return look


def test_an_approval_is_read_opened_in_an_emergency_and_withdrawn(page, live_clinic, fits):
    today = two_hands.TODAY()
    approved_supervision.start_cover(
        episodes=[live_clinic.olgas],
        colleague=live_clinic.carl,
        starts_on=today,
        ends_on=today,
        by=live_clinic.adam,
    )
    page.goto(reverse("approvals:list"))
    fits(page)
    page.locator("main .card a").first.press("Enter")
    expect(page.get_by_text("A second person confirms it: Bea.")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Open it now for").press("Enter")
    fits(page)
    page.go_back()
    with page.expect_navigation():
        page.get_by_role("button", name="Withdraw it").press("Enter")
    page.goto(reverse("approvals:list"))
    expect(page.get_by_text("Nothing waits")).to_be_visible()


def test_the_state_of_the_site_and_the_page_of_a_closed_one(page, witness, fits, monkeypatch):
    page.goto(reverse("health:findings"))
    expect(page.get_by_role("heading", name="Health")).to_be_visible()
    fits(page)
    page.goto(reverse("settings:change"))
    expect(page.get_by_role("heading", name="Not in use yet")).to_be_visible()
    fits(page)
    witness.expect("503")
    closed = maintenance.Closed("A new version is put in place until 14:00.", timezone.now())
    monkeypatch.setattr(maintenance.switch, "state", lambda: closed)
    page.goto(reverse("clinic:people"))
    expect(page.get_by_text("A new version is put in place until 14:00.")).to_be_visible()
    fits(page)
