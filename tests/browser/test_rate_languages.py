"""The client's form in every language and at every size, in a real browser."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from clients.models import Client
from sessions_app.courses.models import Rating
from tests.browser.conftest import PHONE, TABLET, case
from tests.browser.test_rate import FORM, by_mouse, by_number, hand_in, to_review, too_small

LANGUAGES = [tag for tag, _name in settings.LANGUAGES]
LINES = ["relationship", "goals", "approach", "overall"]
LONGEST = ["de", "fr", "ar"]
ZOOMED = {"width": 320, "height": 256}  # 1280 by 1024 at 400 %


def choose(page: Page, language: str) -> None:
    page.locator(f".languages [value={language}]").click()
    expect(page.locator("html")).to_have_attribute("lang", language)


def mark(page: Page, item: str) -> str:
    return page.locator(f"input[type=hidden][name={item}]").input_value()


class TestEveryLanguageForEverybody:
    @pytest.mark.parametrize("size", [TABLET, PHONE], ids=lambda size: str(size["width"]))
    def test_axe_finds_nothing_and_everything_can_be_hit(self, another_browser, open_form, axe, size):
        page = open_form(within=another_browser(viewport=size))
        found = {}
        for language in LANGUAGES[1:]:
            choose(page, language)
            by_mouse(page, None, "relationship", 73)
            found[language, "lines"] = axe(page) + too_small(page)
            page.locator("input[name=way][value=number]").check()
            found[language, "numbers"] = axe(page) + too_small(page)
            to_review(page)
            found[language, "review"] = axe(page) + too_small(page)
            page.locator("#review .actions [value=change]").click()
            page.locator("input[name=way][value=line]").check()
        hand_in(page)
        found["done"] = axe(page) + too_small(page)
        assert {state: problems for state, problems in found.items() if problems} == {}

    def test_it_holds_at_large_text_and_high_contrast_and_zoomed(self, another_browser, open_form, axe):
        """Text at 200 %, 400 % zoom, high contrast, dark, reduced motion, wider spacing: no word is cut off."""
        context = another_browser(
            viewport=ZOOMED, color_scheme="dark", contrast="more", reduced_motion="reduce"
        )
        for language in LONGEST:
            with case(language):
                self.holds(open_form(language, within=context), axe)

    def holds(self, page: Page, axe) -> None:
        found = {"zoomed": axe(page) + too_small(page) + cut_off(page)}
        page.locator("input[name=way][value=number]").check()
        by_number(page, None, "relationship", 49)
        found["zoomed numbers"] = axe(page) + too_small(page) + cut_off(page)
        for size in (PHONE, TABLET):
            page.set_viewport_size(size)
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            found[f"large at {size['width']}"] = too_small(page) + cut_off(page)
            page.evaluate(SPACED)
            found[f"spaced at {size['width']}"] = cut_off(page)
            page.locator("input[name=way][value=line]").check()
            found[f"lines at {size['width']}"] = cut_off(page)
        assert page.evaluate("document.getAnimations().length") == 0
        assert {state: problems for state, problems in found.items() if problems} == {}
        page.close()


# WCAG 1.4.12: what a reader may set without losing anything.
SPACED = """() => {
  for (const one of document.querySelectorAll("body *")) {
    one.style.lineHeight = "1.5";
    one.style.letterSpacing = "0.12em";
    one.style.wordSpacing = "0.16em";
  }
}"""


def cut_off(page: Page) -> list[str]:
    """Words that reach out of their box or of the screen."""
    return page.evaluate("""() => {
      const found = [];
      const wide = document.documentElement.scrollWidth;
      if (wide > innerWidth) found.push(`wide: ${wide}`);
      for (const one of document.querySelectorAll("main *:not(.heard):not(option)")) {
        if (!one.checkVisibility({ visibilityProperty: true }) || one.closest(".heard")) continue;
        if (getComputedStyle(one).clipPath !== "none") continue; // heard and not seen, on this screen
        const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!words) continue;
        const name = one.textContent.trim();
        if (one.clientWidth && one.scrollWidth > one.clientWidth + 1) found.push(`cut off: ${name}`);
        const box = one.getBoundingClientRect();
        if (box.width && (box.left < -1 || box.right > innerWidth + 1)) found.push(`outside: ${name}`);
      }
      return found;
    }""")


class TestChangingTheLanguage:
    def test_the_page_is_told_anew_and_keeps_everything(self, open_form, context):
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        page.locator("input[name=approach-declined]").check()
        page.locator("#comment").fill("Kept.")
        before = page.evaluate("history.length")
        choose(page, "ar")
        assert page.locator("html").get_attribute("dir") == "rtl"
        expect(page.locator("#title")).to_be_focused()
        expect(page).to_have_title("كيف كانت هذه الجلسة؟")
        line = page.locator("#line-relationship input[type=range]")
        assert line.get_attribute("aria-valuetext") == "أقرب إلى «جيد جدًا»"
        by_mouse(page, None, "goals", 1)
        assert (mark(page, "relationship"), mark(page, "goals"), mark(page, "approach")) == ("73", "1", "")
        expect(page.locator("input[name=approach-declined]")).to_be_checked()
        choose(page, "de")
        assert page.locator("#comment").input_value() == "Kept."
        # No entry of the history, and so no body that the browser could send again, holds a mark.
        assert page.evaluate("history.length") == before
        rating = hand_in(page)
        assert (rating.answers["relationship"], rating.answers["goals"], rating.comment) == (73, 1, "Kept.")
        assert rating.language == "de"
        assert Client.objects.get(episodes=rating.session.episode).language == "de"
        expect(page.get_by_role("heading")).to_have_text("Danke. Bitte geben Sie das Tablet zurück.")

    def test_marks_never_travel_for_it(self, open_form):
        page, sent = open_form(), []
        page.on(
            "request", lambda request: sent.append(request.post_data) if request.method == "POST" else None
        )
        by_mouse(page, None, "relationship", 73)
        choose(page, "es")
        assert len(sent) == 1
        assert sorted(part.split("=")[0] for part in sent[0].split("&")) == [
            "csrfmiddlewaretoken",
            "language",
        ]

    @pytest.mark.parametrize("trouble", ["no network", "captive portal"])
    def test_trouble_on_the_line_costs_no_mark(self, open_form, context, witness, trouble):
        witness.expect("ERR_INTERNET_DISCONNECTED")
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        if trouble == "no network":
            context.set_offline(True)
        else:
            page.route(
                "**" + FORM, lambda route: route.fulfill(body="<h1>Sign in</h1>", content_type="text/html")
            )
        page.locator(".languages [value=fr]").click()
        expect(page.locator("#sending")).to_contain_text("The language cannot be changed just now.")
        assert (page.locator("html").get_attribute("lang"), mark(page, "relationship")) == ("en", "73")
        context.set_offline(False)
        page.unroute_all()
        choose(page, "fr")
        assert hand_in(page).answers["relationship"] == 73

    def test_without_javascript(self, another_browser, open_form):
        page = open_form(within=another_browser(java_script_enabled=False))
        by_number(page, None, "relationship", 49)
        page.locator("#comment").fill("Kept.")
        page.locator(".languages [value=ar]").click()
        assert page.locator("html").get_attribute("dir") == "rtl"
        by_number(page, None, "goals", 1)
        rating = hand_in(page)
        assert (rating.answers["relationship"], rating.answers["goals"]) == (49, 1)
        assert (rating.comment, rating.language) == ("Kept.", "ar")
        assert page.locator("html").get_attribute("lang") == "ar"


class TestTwoLinesAtATime:
    def test_on_a_phone_with_the_keyboard_alone(self, another_browser, open_form):
        page = open_form(within=another_browser(viewport=PHONE))
        shown = page.locator("[data-turn]:visible")
        expect(shown).to_have_count(1)
        expect(page.locator("[data-back]")).to_be_hidden()
        for first, second in (("relationship", "goals"), ("approach", "overall")):
            if first == "approach":
                expect(page.locator("#line-approach")).to_be_focused()
            for item in (first, second):
                number = LINES.index(item) + 1
                expect(shown.locator(f"#line-{item}")).to_contain_text(f"{number} of 4")
                page.locator(f"#line-{item} input[type=range]").press("Home")
            expect(page.locator(".last")).to_be_hidden()
            page.locator("[data-next]").press("Enter")
        expect(page.locator(".comment")).to_be_focused()
        expect(shown).to_contain_text("Is there anything you would like to say?")
        expect(page.locator("[data-next]")).to_be_hidden()
        page.locator("[data-back]").press("Enter")
        expect(page.locator("#line-approach")).to_be_focused()
        page.locator("input[name=overall-declined]").check()
        page.locator("[data-next]").press("Enter")
        page.locator(".last button").press("Enter")
        page.locator("#review .actions [value=change]").click()
        expect(page.locator("#line-relationship")).to_be_visible()
        rating = hand_in(page)
        assert rating.answers == {"relationship": 0, "goals": 0, "approach": 0, "overall": None}

    def test_a_wider_screen_and_one_without_scripts_show_all(self, another_browser, open_form):
        page = open_form(within=another_browser(viewport=PHONE))
        page.locator("[data-next]").click()
        page.set_viewport_size({"width": 844, "height": 390})
        expect(page.locator("[data-turn]:visible")).to_have_count(3)
        expect(page.locator(".last")).to_be_visible()
        expect(page.locator("[data-next]")).to_be_hidden()
        page = open_form(within=another_browser(viewport=PHONE, java_script_enabled=False))
        expect(page.locator("[data-turn]:visible")).to_have_count(3)
        assert not Rating.objects.exists()
