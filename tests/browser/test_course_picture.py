"""The picture of a course: what its points tell, in each size and theme, on paper, and where no script runs."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Flag
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET
from tests.sessions_app.dashboards.long_course import long_course

WIDE = {"width": 1920, "height": 1080}
TURNED = {"width": 1180, "height": 820}
PAGES = re.compile(rb"/Type /Page\b")


@pytest.fixture
def fallen(live_clinic):
    """A fall with a comment that was talked about, a session without a rating, and two ratings since."""
    cast.rated_course(live_clinic.olgas, [380, 375, 385, 380], last_ago=timedelta(weeks=5))
    low = cast.therapy_session(live_clinic.olgas, ago=timedelta(weeks=4))
    cast.rating(low, None, comment="Nobody asked me.", relationship=90, goals=58, approach=91, overall=90)
    said = {"said": "We talk too little about my job.", "agreed": "Start with work."}
    discussion_actions.discuss(flags=low.flags.all(), **said, by=live_clinic.olga)
    cast.therapy_session(live_clinic.olgas, ago=timedelta(weeks=3))
    cast.rating(cast.therapy_session(live_clinic.olgas, ago=timedelta(weeks=2)), 340)
    cast.rating(cast.therapy_session(live_clinic.olgas, ago=timedelta(weeks=1)), 345)
    return live_clinic.olgas


def opened(context, live_clinic, sign_in_browser, viewport=TABLET):
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(viewport)
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    drawn(page, viewport)
    return page


def drawn(page, viewport):
    """The chart is drawn for the place it has now, and nothing stands out of it."""
    picture = page.locator("[data-picture]")
    width = str(picture.evaluate("one => one.clientWidth"))
    expect(picture).to_have_attribute("data-drawn", width)
    expect(page.locator("[data-chart] .main-svg").first).to_have_attribute("width", width)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def place_of(page, number):
    """Where the point of a session is in the window."""
    chart = page.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    box = page.locator("[data-chart] .yaxislayer-above, [data-chart] .plot").first
    assert box.count()
    points = page.locator("[data-chart] .trace.scatter:has(.point)").all()
    total = next(one for one in points if one.locator(".point").count() == 7)
    at = total.locator(".point").nth(number).bounding_box()
    return at["x"] + at["width"] / 2, at["y"] + at["height"] / 2


def test_each_point_tells_by_mouse_by_finger_and_by_keys_and_leads_to_its_row(
    context, live_clinic, fallen, sign_in_browser, axe
):
    page = opened(context, live_clinic, sign_in_browser)
    point, chart = page.locator("[data-point]"), page.locator("[data-chart]")
    expect(point).not_to_be_visible()

    low = place_of(page, 4)
    page.mouse.move(*low)
    for told in (
        "Session 5",
        "32.9 of 40",
        "Goals and topics 5.8",
        "Sudden fall",
        "Nobody asked me.",
        "Start with work.",
    ):
        expect(point).to_contain_text(told)
    assert axe(page) == []
    page.mouse.move(5, 5)
    expect(point).not_to_be_visible()

    page.touchscreen.tap(*low)
    expect(point).to_contain_text("Session 5")
    page.keyboard.press("Escape")
    expect(point).not_to_be_visible()

    page.get_by_role("link", name="Who looked").focus()
    while page.evaluate("document.activeElement.getAttribute('role')") != "slider":
        page.keyboard.press("Tab")
    expect(point).to_contain_text("Session 5")  # where one was
    page.keyboard.press("End")
    expect(chart).to_have_attribute(
        "aria-valuetext", re.compile(r"^Session 8, .* 34\.5 of 40, Relationship 8\.7")
    )
    for key, told in (
        ("ArrowLeft", "Session 7"),
        ("ArrowLeft", "Session 6"),
        ("Home", "Session 1"),
        ("PageUp", "Session 8"),
    ):
        page.keyboard.press(key)
        expect(point).to_contain_text(told)
        if told == "Session 7":
            expect(point).to_contain_text("34.0 of 40")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(point).to_contain_text("no complete rating")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("#session-5")).to_be_focused()
    expect(page.locator("#session-5")).to_be_in_viewport()

    # The numbered talk opens what was agreed.
    talk = page.locator("[data-chart] .textpoint text", has_text="1").bounding_box()
    page.mouse.click(talk["x"] + 3, talk["y"] + 5)
    expect(point).to_contain_text("Start with work.")


def test_it_is_drawn_anew_after_turning_in_another_theme_and_when_a_fold_opens(
    context, live_clinic, fallen, sign_in_browser
):
    page = opened(context, live_clinic, sign_in_browser, TURNED)
    for viewport in (TABLET, LAPTOP, PHONE, NARROW, WIDE):
        page.set_viewport_size(viewport)
        drawn(page, viewport)
    line = page.locator("[data-chart] .js-line").first
    light = line.evaluate("one => getComputedStyle(one).stroke")
    page.emulate_media(color_scheme="dark")
    expect(line).not_to_have_css("stroke", light)
    page.set_viewport_size(LAPTOP)
    drawn(page, LAPTOP)
    page.evaluate(
        """() => {
          const fold = document.createElement("details");
          const place = document.querySelector(".course__chart");
          place.before(fold);
          fold.append(place);
        }"""
    )
    page.set_viewport_size(TABLET)
    page.locator("details:has(> .course__chart)").evaluate("one => { one.open = true; }")
    drawn(page, TABLET)


def test_a_very_wordy_course_prints_on_two_pages_and_says_what_is_left_to_the_screen(
    context, live_clinic, sign_in_browser
):
    """Two courses of many words printed on three pages."""
    episode, olga = live_clinic.olgas, live_clinic.olga
    long_course(
        episode, 24, words="I wanted to say more about my work, and we had no time left. " * 5, words_each=1
    )
    for low in Flag.objects.standing().filter(session__episode=episode, on_work_list=True):
        said = "We spoke for long about what is hard to say aloud here, and what is not. " * 6
        discussion_actions.discuss(flags=[low], said=said[:500], agreed=said[:500], by=olga)
    page = opened(context, live_clinic, sign_in_browser, LAPTOP)
    page.emulate_media(media="print")
    assert len(PAGES.findall(page.pdf(prefer_css_page_size=True))) == 2
    expect(page.get_by_text("in the picture, and with their words on the screen").last).to_be_visible()
    expect(page.locator("#session-24")).to_be_visible()
    expect(page.locator("#session-1")).not_to_be_visible()
    page.emulate_media(media="screen")
    expect(page.locator("#session-1")).to_be_visible()


def test_a_long_course_is_whole_on_two_pages_and_leads_to_a_row_that_is_not_there_yet(
    context, live_clinic, sign_in_browser
):
    long_course(live_clinic.olgas, 120)
    page = opened(context, live_clinic, sign_in_browser, LAPTOP)
    page.emulate_media(media="print")
    expect(page.locator("svg.drawing")).to_be_visible()
    expect(page.locator("[data-chart]")).not_to_be_visible()
    assert len(PAGES.findall(page.pdf(prefer_css_page_size=True))) == 2
    page.emulate_media(media="screen")
    expect(page.locator("svg.drawing")).not_to_be_visible()

    expect(page.locator("#session-3")).to_have_count(0)
    chart = page.locator("[data-chart]")
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-point]")).to_contain_text("Session 3")
    page.keyboard.press("Enter")
    expect(page.locator("#session-3")).to_be_focused()
    assert page.url.endswith("?all=1")


def test_without_scripts_the_drawing_shows_the_same(
    another_browser, live_clinic, fallen, sign_in_browser, axe
):
    browser = another_browser(java_script_enabled=False, viewport=LAPTOP)
    sign_in_browser(browser, live_clinic.olga)
    page = browser.new_page()
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    expect(page.get_by_role("img", name=re.compile("^Course: "))).to_be_visible()
    expect(page.locator("svg.drawing .talk")).to_have_count(1)
