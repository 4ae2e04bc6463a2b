"""From a flag to what it means and what to ask, in a real browser, with the keyboard, in Arabic, narrow and dark."""

import pytest
from playwright.sync_api import expect

from alliance.measurement.questions import questions
from tests import cast
from tests.browser.conftest import NARROW


@pytest.fixture
def olga(context, live_clinic, sign_in_browser):
    cast.question(live_clinic.adam, "ما رأيك أنت؟", rule="C", language="ar")
    cast.rated_course(live_clinic.olgas, [390, 330])
    sign_in_browser(context, live_clinic.olga)
    return context.new_page()


def test_from_a_flag_to_its_meaning_and_back_to_a_question_in_ones_own_language(olga, live_clinic, axe):
    page, address = olga, f"/dashboard/clients/{live_clinic.olgas.code}/"
    page.goto(address)
    page.get_by_text("Other ways to ask").press("Enter")
    expect(page.locator(".folded li .flag__question").first).to_be_visible()
    page.get_by_role("link", name="All questions, and their language").press("Enter")
    page.get_by_label("Language of the questions").select_option("ar")
    page.get_by_role("button", name="Use this language").press("Enter")
    expect(page.get_by_text("shown in this language from now on")).to_be_visible()
    page.get_by_text("Sudden fall").last.click()
    assert axe(page) == []

    page.goto(address)
    asked = page.locator(".flag .flag__question").first
    assert asked.inner_text() in {
        "ما رأيك أنت؟",
        *(text for of in questions("ar")["C"].values() for text in of),
    }
    assert asked.evaluate("one => getComputedStyle(one).direction") == "rtl"
    page.get_by_text("Other ways to ask").click()
    page.get_by_text("How to talk about it").click()
    expect(page.get_by_text("Look together at the lowest line")).to_be_visible()
    expect(page.get_by_text("(from your clinic)")).to_be_visible()
    assert axe(page) == []

    page.emulate_media(media="print")  # what nobody can press on paper
    expect(page.locator(".flag").get_by_text("Sudden fall")).to_be_visible()
    for word in ("How sure is this?", "Other ways to ask", "How to talk about it", "We talked about it"):
        expect(page.get_by_text(word, exact=True)).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Sudden fall How sure is this?").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sudden fall")
    expect(page.get_by_role("img", name="The flag is raised at session 5.")).to_be_visible()
    expect(
        page.get_by_text("In 100 sessions of clients for whom nothing is wrong, 9 have this flag.")
    ).to_be_visible()


def test_every_page_is_readable_narrow_dark_and_by_screen_reader(olga, axe):
    page = olga
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    for path in ("", "below-cutoff/", "low-line/", "questions/", "conversation/"):
        page.goto(f"/rules/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert axe(page) == [], path


def test_on_paper_everything_that_is_folded_is_open(olga):
    olga.goto("/rules/questions/")
    olga.emulate_media(media="print")
    expect(olga.get_by_text(questions("en")["F"]["overall"][0])).to_be_visible()
    expect(olga.get_by_role("button", name="Use this language")).to_be_hidden()
