"""Back on a client's phone: to the line before with every mark, never off the form by surprise, never back into it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.careless import PATIENCE, neither_rotates_nor_forbids_to_keep
from tests.browser.conftest import PHONE
from tests.browser.devices import DONE, FORM, WAYS, Device
from tests.browser.test_former_client import go, left, mark, through_the_history
from tests.browser.test_former_client import in_hand as in_hand
from tests.browser.test_rate import to_review
from tests.browser.traces import CLIENTS_WORDS, entries, everything_in, shown, step

LINES = ("relationship", "goals", "approach", "overall")
PUSHES = "history.pushState(++depth, "


@pytest.fixture
def phone(in_hand) -> Device:
    return in_hand("own phone", viewport=PHONE)


def marked(page: Page) -> list[str]:
    return [page.locator(f"input[name={item}]").input_value() for item in LINES]


def mark_each(page: Page) -> list[str]:
    for place, item in enumerate(LINES):
        page.locator(f"#line-{item} [data-strip]").click(position={"x": 90, "y": 30})
        if place % 2:
            page.locator("[data-next]").click()
    page.locator("#comment").fill(CLIENTS_WORDS)
    return marked(page)


def go_over(page: Page, by: int, times: int) -> list[str]:
    """What is on the screen after each step: the first line of two, the sentence, the review."""
    seen = []
    for _ in range(times):
        page.evaluate("by => void setTimeout(() => history.go(by))", by)
        page.wait_for_timeout(150)
        now = page.locator("[data-now]")
        line = now.locator("[data-line]").first
        shown = line.get_attribute("data-line") if line.count() else "comment"
        seen.append(shown if now.is_visible() else "review")
    return seen


def hand_in(page: Page) -> None:
    to_review(page)
    page.locator("button[value=hand-in]").click()
    page.wait_for_url("**" + DONE + "*")


class TestWhileAnswering:
    def test_goes_to_the_line_before_and_forward_again_and_keeps_every_mark(self, phone):
        page = phone.next_form()
        marks = mark_each(page)
        page.locator(".last button").click()
        assert "" not in marks
        assert go_over(page, -1, 3) == ["comment", "approach", "relationship"]
        assert go_over(page, 1, 3) == ["approach", "comment", "review"]
        assert marked(page) == marks
        expect(page.locator("#review [data-comment]")).to_have_text(CLIENTS_WORDS)

    def test_the_buttons_of_the_page_and_back_agree(self, phone):
        page = phone.next_form()
        mark_each(page)
        page.locator("[data-back]").click()
        expect(page.locator("#line-approach")).to_be_focused()
        assert go_over(page, -1, 1) == ["relationship"]
        to_review(page)
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.locator("#line-relationship")).to_be_visible()
        assert page.evaluate("history.state") == 1

    def test_at_the_first_line_it_says_what_the_next_back_does_and_keeps_the_mark(self, phone):
        page = phone.next_form()
        page.locator("#line-relationship [data-strip]").click(position={"x": 90, "y": 30})
        before = marked(page)
        assert go_over(page, -1, 1) == ["relationship"]
        expect(page.locator("#sending")).to_contain_text("Going back once more leaves the form")
        assert marked(page) == before
        page.locator("#line-relationship [data-nudge='1']").click()
        expect(page.locator("#sending")).to_be_empty()
        assert go_over(page, -1, 1) == ["relationship"]
        page.evaluate("void setTimeout(() => history.back())")
        page.wait_for_url("**/go/")
        assert left(page, shown(page)) == []

    def test_control_without_entries_of_its_own_back_leaves_the_form(self, in_hand):
        one = in_hand("own phone", viewport=PHONE)
        one.context.route("**/rate/turns.js", without_entries)
        page = one.next_form()
        mark_each(page)
        page.evaluate("void setTimeout(() => history.back())")
        page.wait_for_url("**/go/")

    def test_its_entries_hold_a_place_and_nothing_else(self, phone):
        page = phone.next_form()
        mark_each(page)
        assert page.evaluate("history.state") == 3
        assert CLIENTS_WORDS not in str(entries(page))
        assert {entry["url"].rpartition("/rate/")[2] for entry in entries(page)[-3:]} == {""}

    def test_loaded_again_in_the_middle_it_begins_with_the_first_line(self, phone):
        page = phone.next_form()
        mark_each(page)
        page.reload()
        expect(page.locator("#line-relationship")).to_be_visible()
        page.wait_for_function("() => history.state === null")
        assert marked(page) == [""] * 4

    def test_a_wide_screen_adds_no_entry(self, in_hand):
        page = in_hand("own phone").next_form()
        before = len(entries(page))
        mark(page)
        page.locator(".last button").click()
        assert len(entries(page)) == before


def without_entries(route) -> None:
    text = route.fetch().text()
    assert PUSHES in text
    route.fulfill(body=text.replace(PUSHES, "void (++depth, "), content_type="text/javascript")


class TestAfterHandingIn:
    @pytest.mark.parametrize("way", WAYS)
    def test_ten_times_back_shows_nothing_and_neither_does_the_next_form(self, in_hand, way):
        one = in_hand(way, viewport=PHONE)
        mark_each(one.next_form())
        hand_in(one.page)
        assert through_the_history(one.page, 10) == []
        assert CLIENTS_WORDS not in everything_in(one.page)
        one.next_form()
        assert left(one.page, shown(one.page)) == []

    def test_one_back_is_off_the_form(self, phone):
        mark_each(phone.next_form())
        hand_in(phone.page)
        step(phone.page, -1)
        phone.page.wait_for_url("**/go/")

    def test_the_page_alone_is_enough(self, in_hand, monkeypatch):
        neither_rotates_nor_forbids_to_keep(monkeypatch)
        for _ in range(3):
            one = in_hand("own phone", viewport=PHONE)
            mark_each(one.next_form())
            hand_in(one.page)
            assert through_the_history(one.page, 10) == []

    def test_control_with_script_and_server_careless_the_words_come_back(self, in_hand, monkeypatch):
        neither_rotates_nor_forbids_to_keep(monkeypatch)
        for _ in range(PATIENCE):
            one = in_hand("own phone", viewport=PHONE, careless=True)
            mark_each(one.next_form())
            hand_in(one.page)
            if any(left(one.page, go(one.page, by)) for by in (-1, 1, 1)):
                return
        pytest.fail("The leak did not show: these tests see nothing.")


def test_a_half_filled_form_on_a_narrow_tablet_is_gone_with_the_next(in_hand):
    one = in_hand("room", viewport=PHONE)
    mark_each(one.next_form())
    one.next_form()
    assert left(one.page, everything_in(one.page)) == []
    assert through_the_history(one.page, 10) == []
    assert FORM in one.page.url
