"""What goes wrong in the room and is put right: the wrong client was handed over to, a form came back empty."""

import pytest
from playwright.sync_api import Page, expect

from sessions_app.corrections import misfiling_actions
from sessions_app.courses.models import Mode, Rating
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET, case
from tests.browser.test_former_client import hand_in, mark

SENTENCE = "My sister said so."


@pytest.fixture
def page(olgas_laptop):
    return olgas_laptop


def of_client(page: Page, episode) -> None:
    page.goto(f"/dashboard/clients/{episode.code}/")


def test_rate_the_wrong_client_and_put_it_right(page, live_clinic, witness):
    """Under K-1, while K-106 sits in the room; then moved, by keyboard where there is something to type, and back."""
    witness.expect("status of 422")
    other = cast.episode(live_clinic.olga, "K-106")
    wrong = cast.rating(cast.therapy_session(live_clinic.olgas), 210, comment=SENTENCE)
    right = cast.therapy_session(other)
    of_client(page, live_clinic.olgas)
    expect(page.get_by_text(SENTENCE).first).to_be_visible()

    page.get_by_role("link", name="Set aside or move these marks, session 6").click()
    page.get_by_label("Session 1,").check()
    page.get_by_label("Why, in one line").fill("It was K-106")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("names another client")
    page.get_by_label("Why, in one line").fill("The wrong name was open.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("moved to session 1 of K-106")).to_be_visible()
    expect(page.get_by_text(SENTENCE)).to_have_count(0)
    expect(page.locator("#course-words")).to_contain_text("the last one 37.8")
    of_client(page, other)
    expect(page.get_by_text(SENTENCE).first).to_be_visible()

    of_client(page, live_clinic.olgas)
    page.get_by_role("link", name="Put back the marks of session 6").click()
    page.get_by_role("button", name="Put them back").click()
    expect(page.get_by_text("the marks are put back")).to_be_visible()
    expect(page.get_by_text(SENTENCE).first).to_be_visible()
    assert [row.total for row in Rating.objects.standing().filter(session=wrong.session)] == [210]
    assert not Rating.objects.standing().filter(session=right).exists()


def test_hand_in_an_empty_form_and_ask_again(page, live_clinic, context, sign_in_browser):
    session = cast.therapy_session(live_clinic.olgas)
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/hand-over/?session={session.code}")
    page.get_by_role("button", name="Hand over").click()
    page.wait_for_url("**/rate/")
    hand_in(page)

    sign_in_browser(context, live_clinic.olga)
    page.goto("/dashboard/")
    expect(page.get_by_text("Nothing marked")).to_be_visible()
    page.get_by_role("link", name="Ask again").click()
    expect(page.get_by_text("The form came back empty")).to_be_visible()
    page.get_by_role("button", name="Hand over").click()
    page.wait_for_url("**/rate/")
    mark(page)
    hand_in(page)

    sign_in_browser(context, live_clinic.olga)
    of_client(page, live_clinic.olgas)
    page.get_by_role("link", name="Add what was said").click()
    expect(page.get_by_label("Goals and topics")).to_be_disabled()
    for line in ("Relationship", "Approach", "Overall"):
        page.get_by_label(line).fill("8")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The rating of session 6 is stored.")).to_be_visible()
    page.locator("details.beside summary").click()
    expect(page.get_by_text("Nothing marked.")).to_be_visible()
    assert Rating.objects.standing().get(session=session).total is not None


def test_take_back_on_a_page_that_is_older_than_the_marks_says_so(page, live_clinic, witness):
    witness.expect("ERR_FAILED")
    session = cast.therapy_session(live_clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=live_clinic.olga)
    page.route("**/*seen=*", lambda route: route.abort())  # the open page hears of nothing
    of_client(page, live_clinic.olgas)
    rating = record_rating(grant=grant, answers=cast.answers(380), mode=Mode.LINE)
    page.get_by_role("button", name="Take back the hand-over of session 6").click()
    expect(page.get_by_text("The marks came at")).to_be_visible()
    page.get_by_role("link", name="Set them aside").click()
    page.wait_for_url(f"**/marks/{rating.code}/set-aside/")


def test_every_page_of_it_is_open_to_everybody_and_fits_every_screen(
    another_browser, live_clinic, course, sign_in_browser, axe
):
    other = cast.episode(live_clinic.olga, "K-106")
    wrong = cast.rating(cast.therapy_session(live_clinic.olgas), 210, comment="W" * 300)
    cast.therapy_session(other)
    partial = cast.rating(cast.therapy_session(live_clinic.olgas), 390, goals=None)
    misfiling = misfiling_actions.move(
        rating=course[0].ratings.get(), to=other, why="W" * 190, by=live_clinic.olga
    )
    addresses = [
        "/dashboard/",
        f"/dashboard/clients/{live_clinic.olgas.code}/",
        f"/dashboard/clients/{other.code}/",
        f"/dashboard/clients/{live_clinic.olgas.code}/hand-over/?session={partial.session.code}",
        f"/dashboard/sessions/{partial.session.code}/rating/",
        f"/marks/{wrong.code}/set-aside/",
        f"/marks/{misfiling.code}/put-back/",
    ]
    for scheme in ("light", "dark"):
        with case(scheme):
            browser = another_browser(viewport=LAPTOP, color_scheme=scheme, reduced_motion="reduce")
            sign_in_browser(browser, live_clinic.olga)
            page = browser.new_page()
            for address in addresses:
                page.goto(address)
                for viewport in (LAPTOP, TABLET, PHONE, NARROW) if scheme == "light" else (LAPTOP,):
                    page.set_viewport_size(viewport)
                    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
                page.set_viewport_size(LAPTOP)
                assert axe(page) == [], address
            browser.close()
