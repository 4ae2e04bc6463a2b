"""The first page after signing in: whom to talk to and why, at a glance, and by keyboard alone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sessions_app.flags.deferrals import Deferral
from sessions_app.intake import hand_over_actions
from sessions_app.intake.record_rating import record_rating
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET, case
from tests.browser.test_main_job import SOON


@pytest.fixture
def page(context, live_clinic, sign_in_browser):
    cast.rated_course(live_clinic.olgas, [380, 310], last_ago=timedelta(days=1))
    for label in ("K-3", "K-4", "K-5"):
        cast.rated_course(cast.episode(live_clinic.olga, label), [380, 315], last_ago=timedelta(days=2))
    cast.therapy_session(live_clinic.olgas, ago=timedelta(minutes=-1), attendance="planned")
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    return page


def test_the_first_three_stand_there_with_level_and_reason_without_scrolling(page):
    page.goto("/dashboard/")
    lines = page.locator(".spoken")
    for size in (LAPTOP, TABLET):
        page.set_viewport_size(size)
        for place in range(3):
            expect(lines.nth(place).get_by_role("heading")).to_be_in_viewport(ratio=1)
            expect(lines.nth(place).locator(".spoken__level")).to_be_in_viewport(ratio=1)
    expect(lines.first).to_contain_text("today at")
    for size in (PHONE, NARROW):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_the_list_by_keys_alone_and_the_switch_that_turns_them_off(page, axe, live_clinic):
    page.goto("/dashboard/")
    first = page.locator("#talk-" + str(live_clinic.olgas.code))
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(first).not_to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("j")  # nothing moves behind the dialog
    page.get_by_role("checkbox", name="Keys are on").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find a client")).not_to_be_focused()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("checkbox", name="Keys are on").check()
    page.get_by_role("button", name="Close").click()

    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Find a client")
    expect(search).to_be_focused()
    page.keyboard.type("jnh?k")  # typed, and no key of the list
    expect(search).to_have_value("jnh?k")
    search.fill("K-")
    page.keyboard.press("Enter")
    expect(page.locator("#found-clients").get_by_role("link", name="K-3")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#found-clients")).to_be_empty()
    search.fill("K-4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="K-4")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="K-5")).to_be_visible()

    page.goto("/dashboard/")
    first.focus()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="To talk about: session 2")).to_be_visible()
    page.goto("/dashboard/")
    first.focus()
    page.keyboard.press("h")
    expect(page).to_have_url(
        f"{page.url.split('/dashboard')[0]}/dashboard/clients/{live_clinic.olgas.code}/hand-over/"
    )


def test_the_talk_panel_stands_whole_on_the_first_screen_words_first(page, live_clinic):
    """The sentence stood 2,050 px down on a tablet of 1,180."""
    grant, _ = hand_over_actions.hand_over(
        session=cast.therapy_session(live_clinic.olgas), by=live_clinic.olga
    )
    marks = cast.answers(None, relationship=20, goals=8, approach=20, overall=15)
    record_rating(grant=grant, answers=marks, mode="line", comment="I did not feel heard today.")
    for size in (LAPTOP, TABLET):
        with case(size):
            page.set_viewport_size(size)
            page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
            stands_whole(page)


def stands_whole(page) -> None:
    words, marks = page.get_by_text("I did not feel heard today.").first, page.locator(".four-marks").first
    why, note = (
        page.locator(".talk-panel__why").first,
        page.get_by_role("button", name="We talked about it").first,
    )
    for part in (words, marks, why, note):
        expect(part).to_be_in_viewport(ratio=1)
    tops = [part.bounding_box()["y"] for part in (words, marks, note)]
    assert tops == sorted(tops)
    assert why.bounding_box()["y"] >= words.bounding_box()["y"] - 20
    expect(marks.get_by_role("row", name="Goals and topics")).to_contain_text("0.8")
    expect(marks.get_by_role("row", name="Goals and topics")).to_contain_text("usually")


def test_the_table_is_filtered_in_place_and_a_form_begins_where_a_page_begins(page, axe):
    page.goto("/dashboard/")
    page.get_by_role("link", name="Today 1").click()
    expect(page.locator(".list-table tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Today 1")).to_have_attribute("aria-current", "true")
    assert axe(page) == []
    page.reload()
    expect(page.locator(".list-table tbody tr")).to_have_count(1)
    left = page.get_by_role("heading", name="Work list").bounding_box()["x"]
    page.get_by_role("link", name="Register a client").click()
    assert page.get_by_role("heading", level=1).bounding_box()["x"] == left


def test_put_off_with_a_reason_gone_undone_and_back_by_keyboard_alone(page, axe):
    page.goto("/dashboard/")
    card = page.locator(".spoken", has_text="K-1")
    card.locator("summary").press("Enter")
    expect(card.get_by_text("Below cutoff", exact=True)).to_be_visible()
    card.get_by_role("link", name="Not now").press("Enter")
    page.get_by_role("radio", name="Something more urgent").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="We agreed to look")).to_be_checked()
    assert axe(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Not before the next session")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").filter(has_text="K-1: not before the next session")).to_be_visible()
    expect(card).to_have_count(0)
    expect(page.get_by_text("Later (1)")).to_be_visible()
    # The words first: a second Enter must not undo what the first one did.
    expect(page.get_by_text("K-1: not before the next session")).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The flags call for a talk again.")).to_be_visible()
    expect(card).to_be_visible()
    assert Deferral.objects.get().undone_at is not None


def test_what_has_the_focus_keeps_it_when_the_list_is_drawn_again(page, live_clinic):
    page.goto("/dashboard/")
    link = page.locator(".spoken", has_text="K-4").get_by_role("link", name="Not now")
    link.focus()
    cast.rated_course(cast.episode(live_clinic.olga, "K-6"), [380, 300])
    expect(page.locator(".spoken", has_text="K-6")).to_be_visible(timeout=SOON)
    expect(link).to_be_focused()


def filled(page):
    """The names of the main buttons that are in sight."""
    return page.evaluate(
        """() => {
          const accent = document.createElement("i");
          accent.style.background = "var(--accent)";
          document.querySelector("main").append(accent);
          const colour = getComputedStyle(accent).backgroundColor;
          accent.remove();
          return [...document.querySelectorAll("main button, main .button")]
            .filter((one) => one.checkVisibility() && getComputedStyle(one).backgroundColor === colour)
            .map((one) => one.textContent.trim());
        }"""
    )


def test_hand_over_and_we_talked_about_it_are_not_both_the_main_button(context, live_clinic, sign_in_browser):
    """Which it is follows from the moment: the talk, or while a session waits for its rating to hand over."""
    cast.rated_course(live_clinic.olgas, [380, 310], last_ago=timedelta(days=1))
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    address = f"/dashboard/clients/{live_clinic.olgas.code}/"
    page.goto(address)
    assert filled(page) == ["We talked about it"]
    page.get_by_label("What the client said").fill("You were far away.")
    page.get_by_role("button", name="We talked about it").click()
    expect(page.get_by_text("Noted.")).to_be_visible()
    page.mouse.move(0, 0)
    assert filled(page) == ["Hand over"]
    cast.rating(cast.therapy_session(live_clinic.olgas, ago=timedelta(hours=3)), 200)
    cast.therapy_session(live_clinic.olgas, ago=timedelta(minutes=-1), attendance="planned")
    page.goto(address)
    expect(page.get_by_role("button", name="We talked about it")).to_be_visible()
    assert filled(page) == ["Hand over"]
