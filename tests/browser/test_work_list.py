"""The first page after signing in: whom to talk to and why, at a glance, and by keyboard alone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sessions_app.flags.deferrals import Deferral
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, TABLET
from tests.browser.test_main_job import SOON


@pytest.fixture
def page(context, live_clinic, sign_in_browser):
    cast.rated_course(live_clinic.olgas, [380, 330], last_ago=timedelta(days=1))
    for label in ("K-3", "K-4", "K-5"):
        cast.rated_course(cast.episode(live_clinic.olga, label), [380, 350], last_ago=timedelta(days=2))
    cast.therapy_session(live_clinic.olgas, ago=timedelta(minutes=-1), attendance="planned")
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    return page


def test_the_first_three_stand_there_with_their_reasons_without_scrolling(page):
    page.goto("/dashboard/")
    cards = page.locator(".talk")
    for size in (LAPTOP, TABLET):
        page.set_viewport_size(size)
        for place in range(3):
            expect(cards.nth(place).get_by_role("heading")).to_be_in_viewport(ratio=1)
            expect(cards.nth(place).locator(".flag__sentence")).to_be_in_viewport(ratio=1)
    expect(cards.first).to_contain_text("sees you today at")
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]


def test_put_off_with_a_reason_gone_undone_and_back_by_keyboard_alone(page, axe):
    page.goto("/dashboard/")
    card = page.locator(".talk", has_text="K-1")
    card.get_by_text("What to ask").press("Enter")
    expect(card.get_by_text("Below cutoff", exact=True)).to_be_visible()
    card.get_by_role("link", name="Not now").press("Enter")
    page.get_by_role("radio", name="Something more urgent").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="We agreed to look")).to_be_checked()
    axe(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Not before the next session")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="K-1: not before the next session")).to_be_visible()
    expect(card).to_have_count(0)
    expect(page.get_by_text("Later (1)")).to_be_visible()
    # The words first: a second Enter must not undo what the first one did.
    expect(page.get_by_text("K-1: not before the next session")).to_be_focused()
    axe(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The flags call for a talk again.")).to_be_visible()
    expect(card).to_be_visible()
    assert Deferral.objects.get().undone_at is not None


def test_what_has_the_focus_keeps_it_when_the_list_is_drawn_again(page, live_clinic):
    page.goto("/dashboard/")
    link = page.locator(".talk", has_text="K-4").get_by_role("link", name="Not now")
    link.focus()
    cast.rated_course(cast.episode(live_clinic.olga, "K-6"), [380, 320])
    expect(page.locator(".talk", has_text="K-6")).to_be_visible(timeout=SOON)
    expect(link).to_be_focused()
