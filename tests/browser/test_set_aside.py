"""Marks that do not count, as the therapist meets them: seen, decided, taken back, on every screen and on paper."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sessions_app.corrections import actions
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.intake.paper_entry import enter_rating
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET, case
from tests.browser.test_main_job import SOON
from tests.sessions_app.corrections.marks import disputed, withdrawn


@pytest.fixture
def page(olgas_laptop):
    return olgas_laptop


def test_from_the_work_list_to_a_decision_and_back(page, course):
    page.goto("/dashboard/")
    expect(page.get_by_text("Marks waiting for your decision")).to_have_count(0)
    disputed(course[-1], 330)
    link = page.get_by_role("link", name="K-1, session 5")
    expect(link).to_be_visible(timeout=SOON)  # the open page hears of it
    link.click()
    expect(page.get_by_role("heading", name="Session 5: marks were set aside")).to_be_in_viewport()

    page.get_by_role("link", name="Use these marks for session 5").click()
    page.get_by_label("Why").fill("She pressed too early.")
    page.get_by_role("button", name="Use these marks").click()
    expect(page.get_by_text("these marks count now")).to_be_visible()
    expect(page.locator("#course-words")).to_contain_text("the last one 33")
    expect(page.get_by_text("Below cutoff").first).to_be_visible()
    expect(page.get_by_text("Marks waiting for your decision")).to_have_count(0)

    page.get_by_text("Earlier marks, marks that were set aside").click()
    expect(page.get_by_text("She pressed too early.").first).to_be_visible()
    page.get_by_role("link", name="Use these again").click()
    page.get_by_role("button", name="Use the earlier marks").click()
    expect(page.locator("#course-words")).to_contain_text("the last one 37.8")
    expect(page.get_by_role("heading", name="Marks waiting for your decision")).to_be_visible()

    page.get_by_role("link", name="Leave them aside").click()
    page.get_by_role("button", name="Leave them aside").click()
    expect(page.get_by_text("Marks waiting for your decision")).to_have_count(0)
    page.get_by_text("that were set aside").click()
    page.get_by_role("button", name="Take up again").click()
    expect(page.get_by_role("heading", name="Marks waiting for your decision")).to_be_visible()


def test_a_mistyped_figure_is_corrected_by_keyboard_alone(page, live_clinic):
    session = cast.therapy_session(live_clinic.olgas, ago=timedelta(hours=2))
    enter_rating(
        session=session, answers=cast.answers(380, goals=28), channel=Channel.PAPER, by=live_clinic.olga
    )
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    page.get_by_role("link", name="Correct these marks, session 6").press("Enter")
    page.get_by_label("Goals and topics").press("Control+a")
    page.keyboard.type("8,2")
    page.get_by_label("Why, in one line").press("End")
    page.keyboard.type("28 for 82")
    page.keyboard.press("Enter")
    expect(page.get_by_text("the marks are corrected")).to_be_visible()
    assert Rating.objects.standing().get(session=session).answers["goals"] == 82


def test_neither_back_nor_a_second_tab_decides_twice(page, course, context, witness):
    witness.expect("status of 422")
    aside = withdrawn(cast.therapy_session(course[0].episode, ago=timedelta(hours=3)), 370)
    second = context.new_page()
    for tab in (page, second):
        tab.goto(f"/dashboard/set-aside/{aside.code}/use/")
    page.get_by_role("button", name="Use these marks").click()
    expect(page.get_by_text("these marks count now")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Somebody decided about these marks already: used")).to_be_visible()
    expect(page.get_by_role("button", name="Use these marks")).to_have_count(0)
    second.get_by_role("button", name="Use these marks").click()
    expect(second.get_by_text("Somebody decided about these marks already: used")).to_be_visible()
    assert aside.session.ratings.count() == 1


def test_what_is_folded_away_is_on_paper(page, live_clinic, course):
    aside = disputed(course[-1], 330)
    actions.leave(aside=aside, why="A slip of the finger.", by=live_clinic.olga)
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    words = page.get_by_text("A slip of the finger.")
    expect(words).not_to_be_visible()
    page.emulate_media(media="print")
    expect(words).to_be_visible()
    assert words.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")
    expect(page.get_by_role("button", name="Take up again")).not_to_be_visible()


def test_every_page_of_it_is_open_to_everybody_and_fits_every_screen(
    another_browser, live_clinic, course, sign_in_browser, axe
):
    disputed(course[-1], 330, comment="W" * 300)
    alone = withdrawn(cast.therapy_session(live_clinic.olgas, ago=timedelta(hours=3)), 370)
    left = disputed(course[-2], 330)
    actions.leave(aside=left, why="A slip.", by=live_clinic.olga)
    paper = enter_rating(
        session=cast.therapy_session(live_clinic.olgas),
        answers=cast.answers(300),
        channel=Channel.PAPER,
        by=live_clinic.olga,
    )
    corrected = actions.correct(
        rating=paper, answers=cast.answers(380), channel=Channel.PAPER, why="w", by=live_clinic.olga
    )
    waiting = SetAsideRating.objects.to_settle().exclude(pk=alone.pk).get()
    addresses = [
        "/dashboard/",
        f"/dashboard/clients/{live_clinic.olgas.code}/",
        f"/dashboard/set-aside/{waiting.code}/use/",
        f"/dashboard/set-aside/{alone.code}/use/",
        f"/dashboard/set-aside/{waiting.code}/leave/",
        f"/dashboard/ratings/{corrected.code}/correct/",
        f"/dashboard/ratings/{corrected.code}/put-back/",
        f"/dashboard/ratings/{course[0].ratings.get().code}/correct/",
    ]
    for scheme in ("light", "dark"):
        with case(scheme):
            browser = another_browser(viewport=LAPTOP, color_scheme=scheme, reduced_motion="reduce")
            sign_in_browser(browser, live_clinic.olga)
            page = browser.new_page()
            for address in addresses:
                page.goto(address)
                for folded in page.locator("details.beside").all():
                    folded.locator("summary").click()
                for viewport in (LAPTOP, TABLET, PHONE, NARROW) if scheme == "light" else (LAPTOP,):
                    page.set_viewport_size(viewport)
                    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
                page.set_viewport_size(LAPTOP)
                assert axe(page) == [], address
            browser.close()
