"""Half-written notes: kept sealed in the browser, offered to the same person again, read by nobody else."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from alliance.models import BrowserSession
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion, Flag
from tests import cast
from tests.browser.careless import without_script
from tests.browser.conftest import LAPTOP
from tests.browser.test_main_job import SOON, sign_in
from tests.browser.traces import shown, stored

SAID = "Bilbysaid: nobody asked me about school."
AGREED = "Dunnartagreed: school comes first."
OFFER = re.compile(r"You began to write here on \d+ \w+, \d\d:\d\d and did not save it\.")
# What the page tells once the words are on the disk.
KEPT = "form[data-kept]"


@pytest.fixture
def course(live_clinic):
    *_, low = cast.rated_course(live_clinic.olgas, [380, 384, 330])
    return low


@pytest.fixture
def page(context, live_clinic, course, sign_in_browser) -> Page:
    context.set_default_timeout(SOON)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    page.goto(address(live_clinic))
    return page


def address(clinic) -> str:
    return f"/dashboard/clients/{clinic.olgas.code}/"


def fill(page: Page) -> None:
    """Both lines of the talk, and the moment until they are kept."""
    page.get_by_label("What the client said").fill(SAID)
    page.get_by_label("What we change").fill(AGREED)
    expect(page.locator(KEPT)).to_have_count(1)
    page.wait_for_timeout(400)


def note(page: Page) -> None:
    page.get_by_role("button", name="We talked about it").click()


def words_of(text: str) -> set[str]:
    return {word for word in (SAID, AGREED, "K-1") if word in text}


def drafts_in(page: Page) -> str:
    """What lies in the store of drafts; htmx notes the page of a tab in a storage of its own."""
    return stored(page).partition("\ndrafts\n")[2]


def end_the_sign_in() -> None:
    BrowserSession.objects.all().delete()


def expect_the_words(page: Page) -> None:
    expect(page.get_by_label("What the client said")).to_have_value(SAID)
    expect(page.get_by_label("What we change")).to_have_value(AGREED)


def test_note_lost_words_of_a_talk_survive_a_sign_in_that_ends_and_are_offered_at_the_same_client(
    page, live_clinic, axe
):
    """Case 12: sign-in page without a word, words gone, Back empty; afterwards one landed on the work list."""
    fill(page)
    assert SAID not in stored(page)
    end_the_sign_in()
    note(page)
    page.wait_for_url("**/accounts/login/**")
    expect(page.get_by_text("Your words are kept, sealed")).to_be_visible()
    assert SAID not in shown(page) + stored(page)
    assert not Discussion.objects.exists()

    sign_in(page, "olga")
    page.wait_for_url(f"**{address(live_clinic)}")
    expect(page.get_by_text(OFFER)).to_be_visible()
    assert axe(page) == []
    expect(page.get_by_label("What the client said")).to_have_value("")
    page.get_by_role("button", name="Use it").click()
    expect_the_words(page)
    note(page)
    expect(page.get_by_text("Noted.")).to_be_visible()
    assert (Discussion.objects.get().said, Discussion.objects.get().agreed) == (SAID, AGREED)

    page.reload()  # saved: nothing is offered any more
    page.goto(f"/dashboard/discussions/{Discussion.objects.get().code}/edit/")
    expect(page.get_by_label("Why")).to_be_visible()
    assert '"sealed"' not in stored(page)


def test_another_person_is_offered_nothing_and_finds_nothing_to_read(page, context, live_clinic):
    fill(page)
    end_the_sign_in()
    live_clinic.olgas.therapist = live_clinic.carl  # the same page, of somebody else
    live_clinic.olgas.save()
    context.clear_cookies()
    sign_in(page, "carl")
    page.goto(address(live_clinic))
    expect(page.get_by_label("What the client said")).to_have_value("")
    page.wait_for_timeout(500)
    expect(page.get_by_text(OFFER)).to_have_count(0)
    assert not {SAID, AGREED} & words_of(stored(page))
    held = drafts_in(page)
    assert '"sealed"' in held
    for code in (live_clinic.olgas.code, live_clinic.olga.pk, Flag.objects.first().session.code):
        assert str(code) not in held
    # It is still there for her.
    live_clinic.olgas.therapist = live_clinic.olga
    live_clinic.olgas.save()
    context.clear_cookies()
    sign_in(page, "olga")
    page.goto(address(live_clinic))
    page.get_by_role("button", name="Use it").click()
    expect_the_words(page)


def test_after_a_hand_over_nothing_can_be_read_and_no_key_is_given(page, context, live_clinic):
    other_tab = context.new_page()
    other_tab.goto(address(live_clinic))
    fill(other_tab)
    fill(page)
    page.get_by_role("link", name="Hand over").first.click()
    page.get_by_role("button", name=re.compile("^Hand over")).click()
    page.wait_for_url("**/rate/")
    expect(other_tab.get_by_role("heading", name="K-1")).to_have_count(0)
    for tab in (page, other_tab):
        assert not {SAID, AGREED, "K-1"} & words_of(shown(tab) + stored(tab))
        assert '"sealed"' in drafts_in(tab)
        assert str(live_clinic.olgas.code) not in drafts_in(tab)
    answer = page.evaluate("fetch('/accounts/draft-keys/').then(async (one) => [one.url, await one.text()])")
    assert answer[0].endswith("/rate/")
    assert '"keys"' not in answer[1]


@pytest.mark.parametrize("way", ["reload", "closed tab"])
def test_a_reload_and_a_closed_tab_lose_nothing(page, context, live_clinic, way):
    fill(page)
    if way == "reload":
        page.reload()
    else:
        page.close()
        page = context.new_page()
        page.goto(address(live_clinic))
    expect(page.get_by_text(OFFER)).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text(OFFER)).to_have_count(0)
    page.reload()
    expect(page.get_by_label("What the client said")).to_have_value("")
    page.wait_for_timeout(500)
    expect(page.get_by_text(OFFER)).to_have_count(0)


def test_a_lost_network_is_told_in_plain_words_and_loses_nothing(page, context, live_clinic, witness):
    for complaint in ("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest"):
        witness.expect(complaint)
    fill(page)
    context.set_offline(True)
    note(page)
    expect(page.get_by_text("What you typed is still here")).to_be_visible()
    expect_the_words(page)
    context.set_offline(False)
    page.reload()
    page.get_by_role("button", name="Use it").click()
    note(page)
    expect(page.get_by_text("Noted.")).to_be_visible()
    assert Discussion.objects.get().said == SAID


def test_a_page_that_is_too_old_is_refused_and_the_words_stay(page, context, live_clinic, witness):
    """Signed in anew in another tab, the token of this page is worth nothing (403)."""
    for complaint in ("status of 403", "Status Error Code 403"):
        witness.expect(complaint)
    fill(page)
    context.clear_cookies()
    other = context.new_page()
    sign_in(other, "olga")
    note(page)
    expect(page.get_by_text("What you typed is still here")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Use it").click()
    expect_the_words(page)


def test_a_form_that_is_sent_as_a_whole_page_is_kept_until_it_is_saved(page, live_clinic, course, witness):
    """Another page, without htmx: refused with an error it keeps its words, saved it offers them no more."""
    witness.expect("status of 422")
    words = {"said": "Too fast.", "agreed": "", "by": live_clinic.olga}
    code = discussion_actions.discuss(flags=course.flags.all(), **words).code
    page.goto(f"/dashboard/discussions/{code}/edit/")
    said = page.get_by_label("What the client said")
    said.fill(SAID)
    expect(page.locator(KEPT)).to_have_count(1)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Why: Write in one line why.")).to_be_visible()
    expect(said).to_have_value(SAID)
    expect(page.locator(KEPT)).to_have_count(1)  # kept further, and nothing is offered beside it
    expect(page.get_by_text(OFFER)).to_have_count(0)
    page.reload()
    page.goto(f"/dashboard/discussions/{code}/edit/")
    expect(said).to_have_value("Too fast.")
    page.get_by_role("button", name="Use it").click()
    page.get_by_label("Why").fill("A slip.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The earlier words stay readable")).to_be_visible()
    page.get_by_role("link", name="Edit the note").click()
    expect(said).to_have_value(SAID)
    page.wait_for_timeout(500)
    expect(page.get_by_text(OFFER)).to_have_count(0)
    assert '"sealed"' not in stored(page)


def test_control_without_the_module_the_words_are_lost(context: BrowserContext, live_clinic, course):
    without_script(context, "drafts/drafts.js")
    page = context.new_page()
    sign_in(page, "olga")
    page.goto(address(live_clinic))
    page.get_by_label("What the client said").fill(SAID)
    page.wait_for_timeout(500)
    end_the_sign_in()
    note(page)
    page.wait_for_url("**/accounts/login/**")
    expect(page.get_by_text("Sign in, then do it once more.")).to_be_visible()
    sign_in(page, "olga")
    page.wait_for_url(f"**{address(live_clinic)}")
    expect(page.get_by_label("What the client said")).to_have_value("")
    page.wait_for_timeout(500)
    expect(page.get_by_text(OFFER)).to_have_count(0)
