"""A form of many questions in a real browser: a phone without a network, a tablet by keyboard, no scripts."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from alliance.measurement import instruments
from alliance.session_store import SessionStore
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.responses import QuestionnaireResponse
from tests import cast
from tests.browser.conftest import CUT, NARROW, PHONE, TABLET, _give_session, case, ready
from tests.browser.pictures import picture
from tests.browser.test_offline import QUEUE
from tests.browser.test_rate import DONE, FORM, too_small
from tests.browser.test_rate_languages import choose, cut_off
from tests.measurement.wording_files import a_form
from tests.sessions_app.intake import inventories

# Of a grid of points over the whole screen, those at which something else than the pause is seen or touched.
UNCOVERED = """() => {
  const found = [];
  for (let x = 1; x < innerWidth; x += 40) for (let y = 1; y < innerHeight; y += 40) {
    if (!document.elementFromPoint(x, y).closest("#pause")) found.push([x, y]);
  }
  return found;
}"""


@pytest.fixture
def opened(live_server, live_clinic, another_browser):
    """The page of a client who was just handed these questionnaires, in the language that they read."""

    def opened(*named: str, language: str = "en", within: BrowserContext | None = None, **options) -> Page:
        context = within or another_browser(**options)
        client = live_clinic.olgas.client
        client.language = language
        client.save()
        session = cast.therapy_session(live_clinic.olgas)
        _grant, token = inventories.given(session, *named, by=live_clinic.olga)
        store = SessionStore()
        store["device_lock"] = {"token": token, "return_to": "/"}
        store.create()
        _give_session(context, live_server.url, store.session_key)
        page = context.new_page()
        page.goto(FORM)
        return page

    return opened


def answer(page: Page, item: str, tenths: int) -> None:
    page.locator(f"#line-{item} label", has=page.locator(f"input[value='{tenths}']")).click()


def as_wished(instrument: str) -> dict[str, int]:
    """Another answer for each question in turn, from the lowest to the highest."""
    items = instruments.get(instrument).items
    return {
        item.id: item.minimum + item.step * (place % ((item.maximum - item.minimum) // item.step + 1))
        for place, item in enumerate(items)
    }


def by_turns(page: Page, wished: dict[str, int]) -> None:
    """On a phone, one question after the other."""
    page.locator("[data-next]").click()
    for place, (item, tenths) in enumerate(wished.items(), 1):
        answer(page, item, tenths)
        if place < len(wished):
            page.locator("[data-next]").click()
    page.locator(".last button").click()


class TestOnAPhone:
    @pytest.mark.pictures
    def test_36_questions_in_arabic_with_the_network_off_in_between_and_then_the_next_form(
        self, opened, live_clinic, another_browser, axe
    ):
        for instrument in ("wai", "wai-sr"):
            inventories.loaded(live_clinic.adam, instrument, "ar")
        phone = another_browser(viewport=PHONE, service_workers="allow", complains=CUT)
        page = ready(opened("wai", "wai-sr", language="ar", within=phone))
        found = {"first": axe(page) + too_small(page)}
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        page.locator("[data-next]").click()
        found["question"] = axe(page) + too_small(page) + cut_off(page)
        assert page.locator("[data-line]:visible").count() == 1
        picture(page, "inventory-on-a-phone")
        page.locator("[data-back]").click()
        phone.set_offline(True)
        wished = as_wished("wai")
        by_turns(page, wished)
        found["review"] = axe(page) + too_small(page) + cut_off(page)
        page.locator("button[value=hand-in]").click()
        expect(page.locator("#kept")).to_be_visible(timeout=8_000)
        expect(page.locator("#kept-title")).to_contain_text("يتبعه نموذج آخر.")
        found["kept"] = axe(page) + too_small(page)
        assert page.locator("input[type=radio]:checked").count() == 0
        assert QuestionnaireResponse.objects.count() == 0
        phone.set_offline(False)
        # The next form opens here by itself, and nothing waits any more.
        page.wait_for_function("() => document.querySelectorAll('[data-line]').length === 12", timeout=15_000)
        assert QuestionnaireResponse.objects.get().answers == wished
        assert page.evaluate(QUEUE) == "[]"
        by_turns(page, as_wished("wai-sr"))
        page.locator("button[value=hand-in]").click()
        page.wait_for_url("**" + DONE)
        assert QuestionnaireResponse.objects.get(instrument="wai-sr").answers == as_wished("wai-sr")
        assert {state: problems for state, problems in found.items() if problems} == {}

    def test_80_questions_leave_a_way_back_in_a_browser_that_keeps_50_pages(self, opened, live_clinic):
        inventories.loaded(live_clinic.adam, "vpps")
        page = opened("vpps", viewport=PHONE)
        page.evaluate("history.replaceState({ mine: true }, '')")
        for _ in range(61):
            page.locator("[data-next]").click()
        answer(page, "item-61", 30)
        assert page.evaluate("history.length") < 50
        page.go_back()
        expect(page.locator("[data-line]:visible")).to_have_id("line-item-59")
        page.locator("[data-next]").click()
        page.locator("[data-next]").click()
        assert page.locator("#line-item-61 input:checked").input_value() == "30"
        for _ in range(19):
            page.locator("[data-next]").click()
        page.locator(".last button").click()
        page.locator("button[value=hand-in]").click()
        page.wait_for_url("**" + DONE)
        page.go_back(wait_until="commit")
        expect(page.locator("[data-line]")).to_have_count(0)
        assert QuestionnaireResponse.objects.get().marks["item-61"] == 30

    def test_long_labels_stay_on_the_screen(self, opened, live_clinic, axe):
        long = a_form(title="Inventedinventorywithoutanyspacebetweenthewordsofitstitle", stem="S" * 120)
        for number in range(1, 6):
            long = long.replace(f"Invented label {number}", f"Label{number}" + "x" * 54)
        long = long.replace("Invented question 1 about", "Q" * 150)
        inventories.loaded(live_clinic.adam, text=long)
        for size in (NARROW, {"width": 320, "height": 256}):
            with case(size):
                page = opened(
                    "wai-sr", viewport=size, color_scheme="dark", contrast="more", reduced_motion="reduce"
                )
                found = {"first": axe(page) + too_small(page) + cut_off(page)}
                page.locator("[data-next]").click()
                found["question"] = axe(page) + too_small(page) + cut_off(page)
                page.evaluate("document.documentElement.style.fontSize = '200%'")
                found["large"] = too_small(page) + cut_off(page)
                page.set_viewport_size(TABLET)
                found["tablet"] = too_small(page) + cut_off(page)
                assert {state: problems for state, problems in found.items() if problems} == {}
                page.context.close()


class TestOnATablet:
    @pytest.mark.pictures
    def test_12_questions_by_keyboard_alone(self, opened, live_clinic, axe):
        inventories.loaded(live_clinic.adam)
        inventories.loaded(live_clinic.adam, language="de")
        page = opened("wai-sr", viewport=TABLET)
        found = {"form": axe(page) + too_small(page) + cut_off(page)}
        assert page.locator("[data-line]:visible").count() == 12
        wished = as_wished("wai-sr")
        wished["item-4"], wished["item-7"] = None, None
        page.locator("#line-item-1 input").first.focus()
        for place, tenths in enumerate(wished.values(), 1):
            name = page.evaluate("document.activeElement.name")
            assert name == f"item-{place}"
            if tenths is not None:
                page.keyboard.press("Space")
                for _ in range(tenths // 10 - 1):
                    page.keyboard.press("ArrowRight")
            page.keyboard.press("Tab")
            if place == 7:
                page.keyboard.press("Space")  # prefers not to answer
            page.keyboard.press("Tab")
        expect(page.locator("[data-how-far] p")).to_have_text("Answered: 11 of 12. About one minute.")
        page.evaluate("scrollTo(0, 0)")
        picture(page, "inventory")
        choose(page, "de")
        expect(page.locator("#line-item-3 legend")).to_contain_text("Unser Boot ist langsamer")
        expect(page.locator("[data-how-far] p")).to_have_text("Beantwortet: 11 von 12. Etwa eine Minute.")
        page.locator(".last button").press("Enter")
        found["review"] = axe(page) + too_small(page) + cut_off(page)
        expect(page.locator("#review [data-seen=item-2] [data-said]")).to_have_text("Selten")
        assert page.locator("#review [data-unmarked] li:visible").count() == 1
        page.locator("#review [data-to=item-4]").press("Enter")
        expect(page.locator("#line-item-4")).to_be_focused()
        found["open one"] = axe(page) + too_small(page) + cut_off(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        expect(page.locator("#review [data-unmarked]")).to_be_hidden()
        page.locator("button[value=hand-in]").press("Enter")
        page.wait_for_url("**" + DONE)
        stored = QuestionnaireResponse.objects.get()
        assert stored.marks == {**wished, "item-4": 10}
        assert stored.language == "de"
        assert {state: problems for state, problems in found.items() if problems} == {}

    def test_what_a_screen_reader_says_of_an_answer(self, opened, live_clinic):
        inventories.loaded(live_clinic.adam)
        page = opened("wai-sr", viewport=TABLET)
        question = page.get_by_role("group", name="The garden of Olga has room for every kind of tree.").first
        expect(question.get_by_role("radio", name="2 Rarely")).to_be_visible()
        expect(question.get_by_role("checkbox", name="I prefer not to answer")).to_be_visible()

    def test_labels_stay_in_sight_and_hide_no_answer_that_has_the_focus(self, opened, live_clinic):
        inventories.loaded(live_clinic.adam, "wai")
        page = opened("wai", viewport=TABLET)
        page.locator("#line-item-30 input").first.focus()
        labels = page.locator(".labels").bounding_box()
        answers = page.locator("#line-item-30 .choices").bounding_box()
        assert labels["y"] < 1
        assert answers["y"] > labels["y"] + labels["height"]
        assert answers["y"] + answers["height"] < page.locator(".inventory > .bar").bounding_box()["y"]

    def test_a_pause_covers_the_answers_until_they_are_cleared(self, opened, live_clinic, another_browser):
        inventories.loaded(live_clinic.adam, "wai")
        context = another_browser(viewport=TABLET)
        context.clock.install()
        page = opened("wai", within=context)
        answer(page, "item-1", 70)
        page.locator("[data-pause]").click()
        expect(page.get_by_role("heading", name="Pause")).to_be_visible()
        assert page.evaluate(UNCOVERED) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('form')") is None
        page.locator("[data-go-on]").click()
        assert page.locator("#line-item-1 input:checked").input_value() == "70"
        page.locator("[data-pause]").click()
        page.clock.run_for(479_000)
        expect(page.locator("#pause")).to_be_visible()
        page.clock.run_for(2_000)
        expect(page.locator("#pause")).to_be_hidden()
        expect(page.locator("#idle")).to_be_visible()
        assert page.locator("input:checked").count() == 0


def test_without_scripts_every_answer_is_handed_in_and_the_next_form_follows(opened, live_clinic):
    inventories.loaded(live_clinic.adam)
    page = opened("wai-sr", "gad-7", viewport=TABLET, java_script_enabled=False)
    wished = as_wished("wai-sr")
    for item, tenths in list(wished.items())[1:]:
        answer(page, item, tenths)
    page.locator(".last button").click()
    page.locator("[data-unmarked] button:visible").click()
    assert page.url.endswith("#line-item-1")
    answer(page, "item-1", wished["item-1"])
    page.locator(".last button").click()
    page.locator("button[value=hand-in]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("GAD-7")
    expect(page.locator(".head")).to_contain_text("Form 2 of 2.")
    assert QuestionnaireResponse.objects.get().answers == wished
    assert RatingGrant.every.filter(answered_at=None).count() == 1
