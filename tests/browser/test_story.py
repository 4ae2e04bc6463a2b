"""The story of a rupture and its repair as it is read, and the page that therapist and client look at together."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW, PHONE, TABLET, case

DAY = timedelta(days=1)
NOT_FOR_CLIENTS = ("cutoff", "usual range", "flag", "sudden fall", "recovered", "by chance", "of 40")


@pytest.fixture
def repaired(live_clinic):
    """A fall three weeks ago, a talk, and a rating since; the next session is today."""
    cast.rated_course(live_clinic.olgas, [380, 375, 385, 380], last_ago=28 * DAY)
    low = cast.therapy_session(live_clinic.olgas, ago=21 * DAY)
    cast.rating(low, None, comment="Nobody asked me.", relationship=90, goals=58, approach=91, overall=90)
    said = {"said": "We talk too little about my job.", "agreed": "Start with work."}
    discussion_actions.discuss(flags=low.flags.all(), **said, by=live_clinic.olga)
    Discussion.objects.update(discussed_at=timezone.now() - 20 * DAY)
    cast.rating(cast.therapy_session(live_clinic.olgas, ago=14 * DAY), 376)
    cast.therapy_session(live_clinic.olgas, ago=-timedelta(minutes=1), attendance="planned")
    return live_clinic.olgas


@pytest.fixture
def page(context, live_clinic, repaired, sign_in_browser):
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    page = context.new_page()
    page.set_viewport_size(LAPTOP)
    page.goto(f"/dashboard/clients/{repaired.code}/")
    return page


def test_the_story_is_read_asked_about_and_looked_at_together(page, repaired):
    expect(page.get_by_role("heading", name="Last time")).to_be_in_viewport()
    story = page.locator(".chapter")
    expect(story).to_contain_text("32.9 after 38.0; largest fall: goals and topics")
    expect(story).to_contain_text("37.6, back once near the earlier level")
    # The low point is a bar, with its name beside it.
    expect(page.locator("[data-chart] .ytick text", has_text="low point")).to_be_visible()

    page.get_by_role("button", name="It helped a little").click()
    expect(page.locator("#messages")).to_contain_text("Noted with what was agreed.")
    expect(story).to_contain_text("Did it help? It helped a little.")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("A rating has come since.")).to_be_visible()
    assert not FollowUp.objects.standing().exists()
    page.get_by_role("button", name="It helped", exact=True).click()
    expect(story).to_contain_text("Did it help? It helped.")

    page.get_by_role("link", name="Look at it together").click()
    page.get_by_label("Nobody asked me.").uncheck()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="You said, we changed")).to_be_visible()
    expect(page.get_by_text("Start with work.")).to_be_visible()
    expect(page.get_by_text("Nobody asked me.")).to_have_count(0)
    assert page.title() == "You said, we changed"
    for medium in ("screen", "print"):
        page.emulate_media(media=medium)
        read = page.locator("main").inner_text().lower()
        assert [words for words in NOT_FOR_CLIENTS if words in read] == []
    expect(page.get_by_role("link", name="Back to the course")).not_to_be_visible()  # it is not on paper
    expect(page.locator("svg.marks").first).to_be_visible()
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") in (1, 2)
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Back to the course").click()
    expect(page.get_by_role("heading", name="Last time")).to_be_visible()


def test_it_is_open_to_everybody_and_fits_every_screen(
    another_browser, live_clinic, repaired, sign_in_browser, axe
):
    for scheme in ("light", "dark"):
        with case(scheme):
            browser = another_browser(viewport=LAPTOP, color_scheme=scheme, reduced_motion="reduce")
            sign_in_browser(browser, live_clinic.olga)
            page = browser.new_page()
            code = Discussion.objects.get().code
            client = repaired.client
            for language in ("en", "ar"):
                client.language = language
                client.save()
                for address in (
                    f"/dashboard/clients/{repaired.code}/",
                    f"/together/{repaired.code}/choose/",
                    f"/together/{repaired.code}/?chosen=1&show={code}",
                ):
                    page.goto(address)
                    for viewport in (LAPTOP, TABLET, PHONE, NARROW):
                        page.set_viewport_size(viewport)
                        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (
                            address
                        )
                    page.set_viewport_size(LAPTOP)
                    assert axe(page) == [], address
            browser.close()
