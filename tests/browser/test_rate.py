"""The client's form in a real browser: exact marks by every way, review, trouble on the line, everybody."""

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Mode, Rating, SetAsideRating
from tests import cast
from tests.browser.conftest import NARROW, PHONE, TABLET, case

FORM, DONE, HELP = "/rate/", "/rate/done/", "/rate/help/"
VALUES = ((0, 1, 49, 50), (51, 99, 100, 50))


def strip(page: Page, item: str):
    return page.locator(f"#line-{item} [data-strip]")


def point(page: Page, item: str, tenths: int) -> tuple[float, float]:
    """The point of the screen that stands for this mark."""
    strip(page, item).scroll_into_view_if_needed()
    box = strip(page, item).bounding_box()
    share = tenths / 100
    if page.evaluate("document.documentElement.dir") == "rtl":
        share = 1 - share
    return box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2


def by_mouse(page, finger, item, tenths):
    page.mouse.click(*point(page, item, tenths))


def by_mouse_drag(page, finger, item, tenths):
    x, y = point(page, item, 20)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*point(page, item, tenths), steps=4)
    page.mouse.up()


def by_tap(page, finger, item, tenths):
    finger.touch(point(page, item, tenths))


def by_slide(page, finger, item, tenths):
    x, y = point(page, item, 30)
    finger.touch((x, y), (x + 15, y), (x + 40, y + 3), point(page, item, tenths))


def by_keyboard(page, finger, item, tenths):
    line = page.locator(f"#line-{item} input[type=range]")
    ahead = ("ArrowRight", "ArrowLeft")
    up, down = ahead if page.evaluate("document.documentElement.dir") == "ltr" else reversed(ahead)
    keys = {
        0: ["Home"],
        1: ["Home", up],
        49: [down],
        50: ["Enter"],
        51: [up],
        99: ["End", down],
        100: ["PageUp"] * 5,
    }[tenths]
    for key in keys:
        line.press(key)


def by_switch(page, finger, item, tenths):
    """Nothing but one button and a way to press it."""
    button = page.locator(f"#line-{item} [data-nudge='{1 if tenths >= 50 else -1}']")
    button.focus()
    for _ in range(abs(tenths - 50) + 1):
        page.keyboard.press("Enter")


def by_number(page, finger, item, tenths):
    """A number, and the tenths beyond it: two native controls, with or without a script."""
    over = tenths % 10
    page.locator(f"#line-{item} label", has=page.locator(f"input[value='{tenths - over}']")).click()
    if over:
        page.locator(f"#line-{item} select").select_option(str(over))


WAYS = [by_mouse, by_mouse_drag, by_tap, by_slide, by_keyboard, by_switch]


def to_review(page: Page) -> None:
    next_line = page.locator("[data-next]")
    while next_line.is_visible():
        next_line.click()
    page.locator(".last button").click()


def hand_in(page: Page) -> Rating:
    to_review(page)
    return hand_in_from_the_review(page)


def hand_in_from_the_review(page: Page) -> Rating:
    before = set(Rating.objects.values_list("pk", flat=True))
    page.locator("button[value=hand-in]").click()
    page.wait_for_url("**" + DONE)
    return Rating.objects.exclude(pk__in=before).get()


class TestExactlyWhatWasMarkedIsStored:
    """Each row of values by the next session of the same client, on the same tablet."""

    @pytest.mark.parametrize("language", ["en", "ar"])
    @pytest.mark.parametrize("way", WAYS)
    def test_on_the_line(self, open_form, finger, way, language):
        for values in VALUES:
            with case(values):
                page = open_form(language)
                touch = finger(page)
                for item, tenths in zip(cast.ITEMS, values, strict=True):
                    way(page, touch, item, tenths)
                rating = hand_in(page)
                assert tuple(rating.answers[item] for item in cast.ITEMS) == values
                assert rating.mode == Mode.LINE
                page.close()

    @pytest.mark.parametrize("language", ["en", "ar"])
    def test_by_choosing_a_number(self, open_form, language):
        for values in VALUES:
            with case(values):
                page = open_form(language)
                page.locator("input[name=way][value=number]").check()
                for item, tenths in zip(cast.ITEMS, values, strict=True):
                    by_number(page, None, item, tenths)
                rating = hand_in(page)
                assert tuple(rating.answers[item] for item in cast.ITEMS) == values
                assert rating.mode == Mode.NUMBER
                page.close()

    @pytest.mark.parametrize("language", ["en", "ar"])
    def test_without_javascript(self, another_browser, open_form, language):
        browser = another_browser(java_script_enabled=False)
        for values in VALUES:
            with case(values):
                page = open_form(language, within=browser)
                for item, tenths in zip(cast.ITEMS, values, strict=True):
                    by_number(page, None, item, tenths)
                page.locator("#comment").fill("Thanks.")
                rating = hand_in(page)
                assert tuple(rating.answers[item] for item in cast.ITEMS) == values
                assert (rating.mode, rating.comment) == (Mode.NUMBER, "Thanks.")
                page.close()

    def test_nothing_marked_is_nothing_and_never_the_middle(self, open_form):
        page = open_form()
        line = page.locator("#line-goals input[type=range]")
        empty = line.screenshot()
        line.evaluate("line => line.value = 20")
        assert line.screenshot() == empty, "a thumb shows on a line that nobody touched"
        assert line.get_attribute("aria-valuetext") == "not answered"
        assert hand_in(page).answers == dict.fromkeys(cast.ITEMS)

    def test_the_last_way_used_is_the_one_stored(self, open_form):
        page = open_form()
        by_mouse(page, None, "goals", 73)
        page.get_by_label("Choose a number").check()
        expect(page.locator("#line-goals [data-chosen] input[value='70']")).to_be_checked()
        expect(page.locator("#line-goals select")).to_have_value("3")
        page.locator("#line-goals [data-chosen] input[value='70']").click()
        rating = hand_in(page)
        assert (rating.answers["goals"], rating.mode) == (70, Mode.NUMBER)


class TestMarkingALine:
    def test_words_are_said_at_the_end_of_a_change(self, open_form):
        page = open_form()
        line = page.locator("#line-relationship input[type=range]")
        for tenths, words in (
            (0, "all the way at “Very badly”"),
            (50, "exactly in the middle"),
            (73, "nearer to “Very well”"),
        ):
            by_mouse(page, None, "relationship", tenths)
            assert line.get_attribute("aria-valuetext") == words
            expect(page.locator("#line-relationship [data-said]")).to_have_text(words)

    def test_a_finger_that_scrolls_marks_nothing(self, open_form, finger):
        page = open_form()
        x, y = point(page, "relationship", 40)
        finger(page).touch((x, y), (x, y - 20), (x + 1, y - 60), (x + 1, y - 120))
        assert page.locator("#line-relationship input[name=relationship]").input_value() == ""

    def test_the_second_mouse_button_marks_nothing(self, open_form):
        page = open_form()
        page.mouse.click(*point(page, "goals", 40), button="right")
        assert page.locator("input[name=goals]").input_value() == ""

    def test_a_held_button_goes_on(self, open_form):
        page = open_form()
        box = page.locator("#line-goals [data-nudge='1']").bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        page.wait_for_timeout(1000)
        page.mouse.up()
        assert int(page.locator("input[name=goals]").input_value()) > 52

    def test_preferring_not_to_answer_can_be_undone(self, open_form):
        page = open_form()
        by_mouse(page, None, "goals", 30)
        box = page.locator("input[name=goals-declined]")
        box.check()
        assert page.locator("input[name=goals]").input_value() == ""
        box.uncheck()
        assert page.locator("input[name=goals]").input_value() == "30"
        box.check()
        by_mouse(page, None, "goals", 60)
        expect(box).not_to_be_checked()
        assert hand_in(page).answers["goals"] == 60


class TestReview:
    def test_shows_the_marks_without_a_number_and_leads_back(self, open_form):
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        page.locator("input[name=approach-declined]").check()
        page.locator("#comment").fill("More about work.")
        page.get_by_label("My therapist's supervisor may read").check()
        to_review(page)
        review = page.locator("#review")
        expect(review.get_by_role("heading", level=1)).to_be_focused()
        assert not any(sign.isdigit() for sign in review.inner_text())
        assert review.locator("[data-seen=relationship] .mark").get_attribute("x1") == "73%"
        expect(review.locator("[data-seen=approach]")).to_contain_text("You prefer not to answer")
        expect(review.locator("[data-seen=overall]")).to_contain_text("Not answered")
        expect(review).to_contain_text("More about work.")
        missing = review.locator("[data-unmarked] button:visible")
        assert missing.count() == 2
        missing.last.click()
        expect(page.locator("#line-overall")).to_be_focused()
        expect(review.get_by_role("heading", level=1)).to_be_visible()
        by_mouse(page, None, "overall", 12)
        assert missing.count() == 1
        rating = hand_in_from_the_review(page)
        assert rating.answers == {"relationship": 73, "goals": None, "approach": None, "overall": 12}
        assert (rating.comment, rating.share_comment) == ("More about work.", True)

    def test_change_keeps_everything(self, open_form):
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        to_review(page)
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.locator("#title")).to_be_focused()
        assert page.locator("input[name=relationship]").input_value() == "73"

    def test_marks_that_only_a_broken_page_can_hold_are_kept_for_a_person(self, open_form, witness):
        witness.expect("422")
        witness.expect("NaN%")  # the review of such a mark
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        page.locator("input[name=goals]").evaluate("field => field.value = '5,5'")
        to_review(page)
        page.locator("button[value=hand-in]").click()
        page.wait_for_url("**" + DONE)
        aside = SetAsideRating.objects.get()
        assert aside.reason == SetAsideRating.Reason.INVALID
        assert "relationship=73" in aside.raw

    def test_not_today_stores_nothing(self, open_form):
        page = open_form()
        by_mouse(page, None, "relationship", 73)
        page.get_by_role("button", name="I do not want to rate today").click()
        expect(page.get_by_role("heading")).to_contain_text("Please hand the tablet back")
        assert not Rating.objects.exists()


def test_pressing_twice_sends_once(open_form):
    page, sent = open_form(), []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    by_mouse(page, None, "goals", 64)
    to_review(page)
    page.get_by_role("button", name="Hand in").dblclick()
    page.wait_for_url("**" + DONE)
    assert len(sent) == 1


class TestNobodyThere:
    def open_with_a_clock(self, open_form, context):
        context.clock.install()
        page = open_form()
        by_mouse(page, None, "goals", 64)
        page.locator("#comment").fill("Mine.")
        return page

    def test_warns_then_clears(self, open_form, context):
        page = self.open_with_a_clock(open_form, context)
        page.clock.run_for(200_000)
        expect(page.locator("#sending")).to_be_empty()
        for _ in range(8):  # where the page still scrolled to the field, the time began there
            page.clock.run_for(40_000)
            if page.locator("#sending").inner_text():
                break
        expect(page.locator("#sending")).to_contain_text("Are you still there?")
        page.clock.run_for(60_000)
        expect(page.get_by_role("heading")).to_have_text("Please hand the tablet back")
        assert page.locator("input[name=goals]").input_value() == ""
        assert page.locator("#comment").input_value() == ""
        page.get_by_role("link", name="Start again").click()
        expect(page.locator("#title")).to_be_visible()

    def test_a_touch_starts_the_time_again(self, open_form, context):
        page = self.open_with_a_clock(open_form, context)
        page.clock.run_for(250_000)
        by_mouse(page, None, "goals", 65)
        expect(page.locator("#sending")).to_be_empty()
        page.clock.run_for(100_000)
        assert page.locator("input[name=goals]").input_value() == "65"

    def test_the_time_asleep_counts(self, open_form):
        """The clock of the timers stands still then, and the next person may open the cover."""
        for minutes, is_clear in ((4, False), (6, True), (-600, True)):
            with case(f"{minutes} minutes"):
                page = open_form()
                by_mouse(page, None, "goals", 64)
                page.evaluate(
                    """minutes => {
                      const now = Date.now;
                      Date.now = () => now() + minutes * 60_000;
                      document.dispatchEvent(new Event("visibilitychange"));
                    }""",
                    minutes,
                )
                expect(page.locator("#idle")).to_be_visible(visible=is_clear)
                assert page.locator("input[name=goals]").input_value() == ("" if is_clear else "64")
                page.close()


class TestForEverybody:
    # Colours do not change with the width.
    @pytest.mark.parametrize(
        ("size", "scheme"),
        [(TABLET, "light"), (PHONE, "light"), (NARROW, "light"), (PHONE, "dark")],
        ids=lambda one: one if isinstance(one, str) else str(one["width"]),
    )
    def test_axe_finds_nothing_and_everything_can_be_hit(self, another_browser, open_form, axe, scheme, size):
        page = open_form(within=another_browser(viewport=size, color_scheme=scheme))
        found = {}

        def look(state):
            found[state] = axe(page) + too_small(page)

        look("form")
        by_mouse(page, None, "relationship", 73)
        page.locator("input[name=relationship-declined]").check()
        page.get_by_text("Help, and who sees this").click()
        look("marked")
        page.get_by_label("Choose a number").check()
        by_number(page, None, "relationship", 73)
        look("numbers")
        page.locator("#comment").evaluate("comment => comment.value = 'More about work.'")
        to_review(page)
        look("review")
        page.goto(HELP)
        look("help")
        page.goto(FORM)
        hand_in(page)
        look("done")
        assert {state: problems for state, problems in found.items() if problems} == {}

    def test_axe_finds_nothing_in_the_user_s_own_colours_and_right_to_left(
        self, another_browser, open_form, axe
    ):
        page = open_form("ar", within=another_browser(forced_colors="active", reduced_motion="reduce"))
        by_mouse(page, None, "relationship", 73)
        assert axe(page) == []

    def test_without_javascript_axe_finds_nothing(self, another_browser, open_form, axe, handed_over):
        # axe is a script itself: the page is opened without its own ones instead.
        context = another_browser()
        context.route("**/form.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page = open_form(within=context)
        assert axe(page) + too_small(page) == []
        page.get_by_role("button", name="Check, then hand in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Is this right?")
        assert axe(page) == []


def too_small(page: Page) -> list[str]:
    """Targets below 44 px, nearer than 24 px to the screen's edge, and pages that scroll sideways."""
    return page.evaluate("""() => {
      const found = [];
      const wide = document.documentElement.scrollWidth > innerWidth;
      if (wide) found.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
      const targets = "button:not(.heard), .button, a, textarea, select, summary, .numbers label, .ways label, "
        + ".choices label, label.check, [data-strip]";
      for (const target of document.querySelectorAll(targets)) {
        const box = target.getBoundingClientRect();
        if (!target.checkVisibility() || box.width === 0) continue;
        const name = target.textContent.trim() || target.className || target.id;
        if (box.height < 43.9 || box.width < 43.9) found.push(`${name}: ${box.width} x ${box.height}`);
        if (box.left < 24 || box.right > innerWidth - 24) found.push(`${name}: at ${box.left} to ${box.right}`);
      }
      return found;
    }""")
