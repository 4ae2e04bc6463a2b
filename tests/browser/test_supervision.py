"""Supervisor and therapist at work: a question and its answer, an agenda put in order and printed on one page."""

import re

from playwright.sync_api import Page, expect

from tests import cast
from tests.browser.conftest import NARROW

ASKED, ANSWER = "What did the homework mean to her?", "A test she could only fail."


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_a_question_is_asked_and_answered(browser, context, live_clinic, sign_in_browser, axe):
    cast.rated_course(live_clinic.olgas, [380, 384, 330])
    code = live_clinic.olgas.code
    sign_in_browser(context, live_clinic.sina)
    page = context.new_page()
    page.goto(f"/caseload/clients/{code}/")
    page.get_by_role("link", name="Leave a question").press("Enter")
    page.get_by_label("Your question").fill(ASKED)
    page.get_by_label("Your question").press("Enter")
    expect(page.get_by_text("Olga finds it at the next talk.")).to_be_visible()
    assert axe(page) == []

    sign_in_browser(context, live_clinic.olga)
    page.goto("/dashboard/")
    page.locator("[id^=asked-]").first.press("Enter")
    answer = page.get_by_label("Your answer")
    answer.fill(ANSWER)
    answer.press("Enter")
    expect(page.get_by_text("Sina reads it at this client.")).to_be_visible()
    page.set_viewport_size(NARROW)
    assert fits(page)
    assert axe(page) == []

    sign_in_browser(context, live_clinic.sina)
    page.goto(f"/caseload/clients/{code}/")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    # A printed course may be given away; what is printed of supervision is the agenda.
    page.emulate_media(media="print")
    expect(page.get_by_text(ANSWER)).to_be_hidden()
    expect(page.locator("#supervision")).to_be_hidden()


def test_everyone_else_is_folded_on_the_screen_and_stands_open_on_paper(
    context, live_clinic, sign_in_browser
):
    cast.rated_course(live_clinic.olgas, [380, 384, 382])
    sign_in_browser(context, live_clinic.sina)
    page = context.new_page()
    page.goto("/caseload/")
    row = page.locator(".others").get_by_text("K-1")
    expect(page.get_by_text("Everyone else (1)")).to_be_visible()
    expect(row).to_be_hidden()
    page.emulate_media(media="print")
    expect(row).to_be_visible()


def test_an_agenda_is_put_in_order_ticked_and_printed_on_one_page(context, live_clinic, sign_in_browser, axe):
    for number in range(14):
        cast.rated_course(cast.episode(live_clinic.olga, f"K-{number + 20}"), [380, 384, 300 + number])
    sign_in_browser(context, live_clinic.sina)
    page = context.new_page()
    page.goto(f"/supervision/with/{live_clinic.olga.pk}/")
    page.get_by_role("button", name="Make the agenda").press("Enter")
    items = page.locator(".agenda__line")
    expect(items).to_have_count(14)
    first = items.nth(0).get_by_role("link").first.inner_text()
    items.nth(0).get_by_role("button", name="Down").press("Enter")
    expect(items.nth(1)).to_contain_text(first)
    # The same button has the focus: pressed again, it moves the same item on.
    page.keyboard.press("Enter")
    expect(items.nth(2)).to_contain_text(first)
    items.nth(2).get_by_role("button", name="Tick").press("Enter")
    expect(page.get_by_text("1 of 14 ticked")).to_be_visible()
    page.get_by_label("Something else to talk about").fill("The holidays")
    page.get_by_label("Something else to talk about").press("Enter")
    expect(items.nth(14)).to_contain_text("The holidays")
    assert axe(page) == []
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1
    page.set_viewport_size(NARROW)
    assert fits(page)
    assert axe(page) == []
    page.goto("/caseload/figures/")
    assert fits(page)
    assert axe(page) == []
