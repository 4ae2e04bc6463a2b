"""A group of five: begun by its leader, rated on one tablet that goes from hand to hand, read on the group's page."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Mode, Rating
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET
from tests.browser.pictures import picture
from tests.browser.test_main_job import mark, sign_in
from tests.sessions_app.groups import a_group

WIDER_THAN_THE_SCREEN = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def group(live_clinic):
    """With six sessions behind it; K-11 falls away in the last three."""
    group = a_group.of_five(live_clinic)
    for weeks in range(6, 0, -1):
        held = a_group.begun(group, ago=timedelta(weeks=weeks), without=["K-31"])
        for label, total in (
            ("K-1", 340),
            ("K-11", 340 - 45 * max(0, 4 - weeks)),
            ("K-12", 350),
            ("K-21", 331),
        ):
            cast.rating(a_group.part_of(held, label), total)
    return group


@pytest.mark.pictures
def test_a_group_of_five_passes_a_tablet(context, live_clinic, group, finger, axe, witness):
    witness.expect("422")  # a number that is nobody's
    page = context.new_page()
    sign_in(page, "olga")
    page.get_by_role("link", name="Clients").first.click()
    page.get_by_role("link", name="Groups").click()
    page.get_by_role("link", name="Thursday group").click()
    page.set_viewport_size(LAPTOP)
    picture(page, "group")
    looks_right(page, axe)
    expect(page.get_by_text("Falls away from the group")).to_have_count(2)
    page.set_viewport_size(TABLET)  # "32.2 to 36.5" was broken into three lines
    assert page.evaluate(LINES_OF_THE_FOOT) == [1]
    page.set_viewport_size(LAPTOP)
    page.get_by_role("link", name="Members").click()
    looks_right(page, axe)
    page.go_back()
    page.get_by_role("link", name="Begin a session").click()
    page.get_by_label("K-12").uncheck()
    looks_right(page, axe)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("4 of 5 there · 0 rated")).to_be_visible()
    page.get_by_role("button", name=re.compile(r"There\W+K-12$")).click()
    expect(page.get_by_text("5 of 5 there · 0 rated")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"There\W+K-12$"))).to_have_attribute(
        "aria-pressed", "true"
    )
    picture(page, "group-session")
    looks_right(page, axe)
    page.get_by_role("button", name="Pass this tablet round").click()

    between = page.get_by_role("heading", name="Please pass the tablet to the next person.")
    first = page.get_by_role("heading", name="Please type your number")
    for place, label in enumerate(["K-31", "K-1", "K-21", "K-12", "K-11"]):
        expect(between if place else first).to_be_visible()
        assert place > 1 or axe(page) == []
        if not place:
            page.get_by_label("Your number").fill("1")
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_role("alert")).to_contain_text("No form waits for this number")
        page.get_by_label("Your number").fill(str(live_clinic.members[label].number))
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("heading", name="How was this group session?")).to_be_visible()
        expect(page.get_by_text("The therapists of this session see your marks").first).to_be_visible()
        for item in cast.ITEMS:
            mark(page, finger(page), item, 0.5 + place / 10)
        page.get_by_role("button", name="Check, then hand in").click()
        page.get_by_role("button", name="Hand in").click()
    expect(between).to_be_visible()
    picture(page, "group-between")
    page.go_back()
    expect(page.get_by_role("slider")).to_have_count(0)

    last = Rating.objects.order_by("-pk")[:5]
    assert [one.session.episode.client.label for one in last] == ["K-11", "K-12", "K-21", "K-1", "K-31"]
    assert {one.mode for one in last} == {Mode.LINE}
    totals = [one.total for one in last]
    assert totals == sorted(totals, reverse=True)
    page.goto("/pass/")
    page.get_by_role("link", name="Staff: sign in").click()
    sign_in(page, "olga")
    expect(page.get_by_text("5 of 5 there · 5 rated")).to_be_visible()
    expect(page.get_by_text("of 5 ratings.")).to_be_visible()


# How many lines the figures under the totals take: each figure is one piece of text.
LINES_OF_THE_FOOT = """[...new Set([...document.querySelectorAll(".totals tfoot .number")].map((cell) => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    return words.getClientRects().length;
}))]"""


def looks_right(page: Page, axe) -> None:
    """No finding of axe, nothing wider than the screen, light and dark."""
    for size in (NARROW, PHONE, TABLET, LAPTOP):
        page.set_viewport_size(size)
        assert not page.evaluate(WIDER_THAN_THE_SCREEN), size
    page.set_viewport_size(TABLET)
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe(page) == []
    page.emulate_media(color_scheme="light")
