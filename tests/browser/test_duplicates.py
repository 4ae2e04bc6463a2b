"""One person, two records: found, merged and taken apart again by keyboard alone."""

import pytest
from playwright.sync_api import expect

from clients.models import Client
from tests import cast
from tests.browser.conftest import NARROW


@pytest.fixture
def page(context, live_clinic, sign_in_browser):
    cast.episode(live_clinic.carl, "k–1")
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.adam)
    return context.new_page()


def test_a_duplicate_is_found_merged_and_taken_apart_again_by_keyboard_alone(page, axe):
    page.goto("/clients/")
    with page.expect_navigation():
        page.get_by_role("link", name="Possible duplicates").press("Enter")
    assert axe(page) == []
    with page.expect_navigation():
        page.get_by_role("link", name="Merge K-1 and k–1").press("Enter")
    assert axe(page) == []
    expect(page.get_by_role("radio", name="K-1, registered on")).to_be_checked()
    page.get_by_role("radio", name="K-1, registered on").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="k–1, registered on")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1, name="k–1")).to_be_visible()
    expect(page.get_by_text("K-1 is merged into k–1.")).to_be_visible()
    assert Client.objects.get(label="K-1").merged_into.label == "k–1"
    assert axe(page) == []
    with page.expect_navigation():
        page.get_by_role("link", name="Undo the merge with K-1").press("Enter")
    assert axe(page) == []
    page.get_by_role("button", name="Undo the merge").press("Enter")
    expect(page.get_by_text("K-1 and k–1 are two records again.")).to_be_visible()
    assert not Client.objects.filter(merged_into__isnull=False).exists()


def test_another_record_is_looked_for_in_place_and_stands_in_no_address(page):
    page.set_viewport_size(NARROW)
    one = Client.objects.get(label="K-2")
    page.goto(f"/clients/{one.code}/merge/")
    expect(page.get_by_text("No label reads like this one")).to_be_visible()
    page.get_by_label("Label of the other record").fill("K-1")
    page.get_by_role("button", name="Find").press("Enter")
    expect(page.get_by_role("link", name="k–1")).to_be_visible()
    assert page.url.endswith("/merge/")
    page.get_by_role("link", name="K-1", exact=True).click()
    expect(page.get_by_role("heading", name="Are K-2 and K-1 one person?")).to_be_visible()
