"""The client's form without scrolling or searching: on a tablet at once, on a phone in few taps, in larger text."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Rating
from tests import cast
from tests.browser.conftest import NARROW, PHONE, TABLET
from tests.browser.devices import DONE
from tests.browser.test_former_client import in_hand as in_hand
from tests.browser.test_rate import hand_in_from_the_review, strip, to_review, too_small
from tests.browser.test_rate_languages import choose, cut_off

LANGUAGES = [tag for tag, _name in settings.LANGUAGES]
ON_ITS_SIDE = {"width": 1024, "height": 768}
HELP = "Our duty line, day and night: 020 7946 0123.\nOr the nearest hospital."
OUT_OF_SIGHT = """() => [...document.querySelectorAll("[data-strip], #comment, .last button, .foot > .link, summary")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().bottom > innerHeight)
  .map((one) => one.textContent.trim() || one.className)"""


@pytest.mark.parametrize("size", [TABLET, ON_ITS_SIDE], ids=lambda size: str(size["width"]))
def test_nothing_of_the_form_lies_below_the_screen_of_a_tablet(another_browser, open_form, live_clinic, size):
    cast.choose(live_clinic.adam, urgent_help_en=HELP)
    page = open_form(within=another_browser(viewport=size, color_scheme="dark"))
    found = {}
    for language in LANGUAGES:
        if language != "en":
            choose(page, language)
        assert page.locator("[data-strip]:visible").count() == 4
        found[language] = page.evaluate(OUT_OF_SIGHT)
        if page.evaluate("document.documentElement.scrollHeight > innerHeight"):
            found[language].append("scrolls")
    assert {language: problems for language, problems in found.items() if problems} == {}


class TestOnAPhone:
    def test_nine_taps_from_the_link_to_thanks(self, in_hand):
        page = in_hand("own phone", viewport=PHONE).next_form()
        taps = 1  # Start
        for item in cast.ITEMS:
            if not strip(page, item).is_visible():
                taps += tap(page, "[data-next]")
            taps += tap(page, f"#line-{item} [data-strip]")
        taps += tap(page, "[data-next]")
        taps += tap(page, ".last button")
        taps += tap(page, "button[value=hand-in]")
        page.wait_for_url("**" + DONE + "*")
        assert taps <= 9
        assert None not in Rating.objects.get().answers.values()

    def test_a_skipped_line_is_repaired_in_two_taps_where_the_review_names_it(
        self, another_browser, open_form
    ):
        page = open_form(within=another_browser(viewport=PHONE))
        strip(page, "relationship").click()
        to_review(page)
        tap(page, "#review [data-to=approach]")
        expect(page.locator("#line-approach")).to_be_focused()
        tap(page, "#line-approach [data-strip]")
        assert page.locator("#review [data-to=approach]").is_hidden()
        expect(page.locator("#review [data-to=overall]")).to_be_visible()
        # And back in its place, where the form is opened once more.
        page.locator("#review .actions [value=change]").click()
        page.locator("[data-next]").click()
        assert page.locator("[data-turn] #line-approach[data-marked]").is_visible()
        to_review(page)
        answers = hand_in_from_the_review(page).answers
        assert (answers["relationship"], answers["approach"], answers["goals"]) == (50, 50, None)

    def test_the_way_on_is_at_the_same_place_on_every_step(self, another_browser, open_form):
        page = open_form(within=another_browser(viewport=PHONE))
        places = [page.locator("[data-next]").bounding_box()]
        page.locator("[data-next]").click()
        places.append(page.locator("[data-next]").bounding_box())
        page.locator("[data-next]").click()
        places.append(page.locator(".last").bounding_box())
        assert len({(round(box["x"]), round(box["y"] + box["height"])) for box in places}) == 1
        assert places[0]["y"] > PHONE["height"] - 100

    def test_not_rating_today_is_in_sight_on_every_step(self, another_browser, open_form):
        page = open_form(within=another_browser(viewport=PHONE))
        refusal = page.get_by_role("button", name="I do not want to rate today")
        for step in range(3):
            expect(refusal).to_have_count(1)
            expect(refusal).to_be_in_viewport()
            if step < 2:
                page.locator("[data-next]").click()
        refusal.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("That is fine.")
        assert not Rating.objects.exists()


def tap(page: Page, what: str) -> int:
    page.locator(what).tap()
    return 1


class TestTextSize:
    def test_the_largest_breaks_nothing_from_320_pixels_on(self, another_browser, open_form, axe):
        browser, found = another_browser(viewport=NARROW), {}
        for language in ("en", "de", "ar"):
            page = open_form(language, within=browser)
            larger = page.locator("[data-larger='1']")
            for _ in range(2):
                larger.click()
            expect(larger).to_have_attribute("aria-disabled", "true")
            for size in (NARROW, PHONE, TABLET, ON_ITS_SIDE):
                page.set_viewport_size(size)
                found[language, size["width"]] = axe(page) + too_small(page) + cut_off(page)
            page.close()
        assert {state: problems for state, problems in found.items() if problems} == {}

    def test_it_stays_for_this_form_and_goes_with_it(self, in_hand):
        one = in_hand("handed over")
        page = one.next_form()
        page.locator("[data-larger='1']").click()
        assert size_of(page) == "1"
        choose(page, "de")
        page.reload()
        page.wait_for_function("document.documentElement.dataset.text === '1'")
        assert size_of(one.next_form()) == "0"
        assert page.evaluate("JSON.parse(sessionStorage.getItem('text-size')).size") == 0

    def test_without_scripts_there_is_no_dead_control(self, another_browser, open_form):
        page = open_form(within=another_browser(java_script_enabled=False))
        expect(page.locator("[data-text-size]")).to_be_hidden()


def size_of(page: Page) -> str:
    page.wait_for_function("sessionStorage.getItem('text-size') !== null")
    return str(page.evaluate("document.documentElement.dataset.text"))
