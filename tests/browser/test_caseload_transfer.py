"""A caseload of 22 changes hands, an episode is closed while a form is out, and a colleague covers: as people do it."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Cover, Episode
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.browser.conftest import LAPTOP, NARROW


@pytest.fixture
def page_of(context, sign_in_browser):
    context.set_default_timeout(10_000)

    def opened(person):
        sign_in_browser(context, person)
        page = context.new_page()
        page.set_viewport_size(LAPTOP)
        return page

    return opened


def fits(page):
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    page.set_viewport_size(LAPTOP)


def test_a_caseload_of_22_is_moved_and_taken_back(page_of, live_clinic, axe):
    for number in range(21):
        cast.episode(live_clinic.olga, f"A-{number:02}")
    page = page_of(live_clinic.adam)
    page.goto("/clients/")
    page.get_by_label("Therapist").select_option("Olga")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("22 clients").first).to_be_visible()
    assert axe(page) == []
    page.get_by_label("Choose all on this page").check()
    expect(page.get_by_label("Choose A-20")).to_be_checked()
    page.get_by_label("Choose A-20").uncheck()
    expect(page.get_by_label("Choose all on this page")).not_to_be_checked()
    page.get_by_label("Choose A-20").check()
    fits(page)
    page.get_by_role("button", name="Transfer the ticked clients").click()

    expect(page.get_by_role("heading", name="Transfer 22 clients")).to_be_visible()
    page.get_by_label("New therapist", exact=True).select_option("Carl")
    page.get_by_label("New therapist of A-00").select_option("Stays with Olga")
    assert axe(page) == []
    fits(page)
    page.get_by_role("button", name="Transfer", exact=True).click()

    expect(page.get_by_role("heading", name="21 clients transferred")).to_be_visible()
    assert Episode.objects.open().filter(therapist=live_clinic.carl).count() == 22
    assert axe(page) == []
    fits(page)
    page.get_by_role("button", name="Take this transfer back").click()
    expect(page.get_by_text("every client is with their former therapist again")).to_be_visible()
    assert Episode.objects.open().filter(therapist=live_clinic.olga).count() == 22


def test_without_scripts_all_that_match_are_transferred(browser, live_server, live_clinic, sign_in_browser):
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto(f"/clients/?therapist={live_clinic.olga.pk}")
    expect(page.get_by_label("Choose all on this page")).to_be_hidden()
    page.get_by_role("button", name="Transfer all that match").click()
    page.get_by_label("New therapist", exact=True).select_option("Carl")
    page.get_by_role("button", name="Transfer", exact=True).click()
    expect(page.get_by_role("heading", name="1 client transferred")).to_be_visible()
    context.close()


def test_an_episode_is_closed_while_a_form_is_out_and_the_marks_are_told(page_of, live_clinic, axe, witness):
    witness.expect("422")
    session = cast.therapy_session(live_clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=live_clinic.olga)
    page = page_of(live_clinic.olga)
    page.goto(f"/clients/episodes/{live_clinic.olgas.code}/close/")
    expect(page.get_by_text("1 form handed over or opened")).to_be_visible()
    assert axe(page) == []
    fits(page)
    page.get_by_label("Closed on").fill("2026-01-07")
    page.get_by_label("As planned", exact=True).check()
    page.get_by_role("button", name="Close the episode").click()
    expect(page.get_by_role("alert")).to_contain_text("1 session of K-1 took place after 7 January 2026")
    page.get_by_role("button", name="the day of the last session").click()
    expect(page.get_by_text("1 form is still out: marks count until")).to_be_visible()

    cast.record_rating(grant=grant, answers=cast.answers(330), mode="line")
    page.goto("/dashboard/")
    late = page.get_by_role("region", name="Arrived after the end of a course")
    expect(late).to_contain_text("K-1")
    assert axe(page) == []
    late.get_by_role("button", name="Seen").click()
    expect(late).to_have_count(0)


def test_a_colleague_covers_named_clients(page_of, live_clinic, axe):
    cast.episode(live_clinic.olga, "K-3")
    page = page_of(live_clinic.olga)
    page.goto("/clients/cover/")
    page.get_by_role("link", name="Arrange cover").first.click()
    page.get_by_label("Colleague").select_option("Carl")
    page.get_by_label("To and including").fill(timezone.localdate().isoformat())
    page.get_by_label("K-3").uncheck()
    assert axe(page) == []
    fits(page)
    page.get_by_role("button", name="Arrange cover").click()
    expect(page.get_by_role("heading", name="Carl for Olga")).to_be_visible()
    assert axe(page) == []
    assert [cover.episode for cover in Cover.objects.today()] == [live_clinic.olgas]
