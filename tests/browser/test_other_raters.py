"""A caregiver rates by link, a therapist guesses first, an administrator changes a promise: by keyboard too."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Rating
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.instruments.promises import Promise
from sessions_app.intake import guess_actions
from sessions_app.questionnaires.guesses import Guess
from tests import cast
from tests.browser.conftest import LAPTOP, PHONE
from tests.browser.pictures import picture
from tests.browser.test_channels import rate, seen_whole


@pytest.fixture
def page_of(another_browser, sign_in_browser):
    """A page in a browser of their own."""

    def opened(person, **options) -> Page:
        browser = another_browser(complains=("status of 422",), **options)
        sign_in_browser(browser, person)
        page = browser.new_page()
        page.set_viewport_size(LAPTOP)
        return page

    return opened


@pytest.mark.pictures
def test_a_caregiver_rates_by_a_link_in_another_language_than_the_clients(
    live_clinic, page_of, another_browser, axe
):
    cast.choose(live_clinic.adam, languages=["en", "ar"])
    cast.therapy_session(live_clinic.olgas)
    client = live_clinic.olgas.client
    client.age_band = "child"
    client.save()
    olga = page_of(live_clinic.olga)
    olga.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    with olga.expect_navigation():
        olga.get_by_role("link", name="Other raters").press("Enter")
    assert axe(olga) == []
    olga.get_by_label("Who fills it in").fill("mother")
    olga.get_by_label("Language of this form").select_option("ar")
    picture(olga, "caregiver")
    olga.get_by_role("button", name="Make a link").press("Enter")
    expect(olga.get_by_role("heading", name="a form for caregiver (mother)")).to_be_visible()
    link = olga.get_by_label("Link for this caregiver alone").input_value()

    mother = another_browser(viewport=PHONE, locale="ar").new_page()
    mother.goto(link)
    mother.locator("#link button").click()
    expect(mother.locator("html")).to_have_attribute("dir", "rtl")
    expect(mother.get_by_role("heading", name="كيف يسير العلاج؟")).to_be_visible()
    assert axe(mother) == []
    picture(mother, "caregiver-on-a-phone")
    mother.locator("[data-next]").click()
    mother.locator("[data-next]").click()
    expect(mother.locator(".comment")).to_contain_text("والشخص الذي تجيب عنه لا يراها هنا.")
    assert seen_whole(mother)
    mother.locator("[data-back]").click()
    mother.locator("[data-back]").click()
    for item in cast.ITEMS:
        if not mother.locator(f"#line-{item}").is_visible():
            mother.locator("[data-next]").click()
        mother.locator(f"#line-{item} [data-strip]").click(position={"x": 120, "y": 30})
    mother.locator("[data-next]").click()
    mother.locator(".last button").click()
    mother.locator("#review button[value='hand-in']").click()
    expect(mother.locator(".sign")).to_be_visible()

    response = QuestionnaireResponse.objects.get()
    assert (response.rater_label, response.language, Rating.objects.count()) == ("mother", "ar", 0)
    client.refresh_from_db()
    assert client.language == "en"
    olga.get_by_role("link", name="Back to K-1").click()
    expect(olga.get_by_role("heading", name="Session 1: Caregiver (mother)")).to_be_visible()
    assert axe(olga) == []


def test_guess_first_then_read_both(live_clinic, page_of, axe):
    session = cast.therapy_session(live_clinic.olgas)
    guess_actions.choose_guessing(on=True, by=live_clinic.olga)
    olga = page_of(live_clinic.olga)
    olga.goto(f"/dashboard/clients/{live_clinic.olgas.code}/hand-over/")
    with olga.expect_navigation():
        olga.get_by_role("link", name="Guess first").press("Enter")
    assert axe(olga) == []
    for place, mark in enumerate(("8.5", "9", "7,5", "8")):
        olga.get_by_role("textbox").nth(place).fill(mark)
    olga.get_by_role("button", name="Keep the guess, then hand over").press("Enter")
    expect(olga.get_by_text("Only you see it.").first).to_be_visible()
    assert Guess.objects.get().total == 330
    olga.get_by_role("button", name="Hand over").click()
    rate(olga)
    expect(olga.get_by_role("heading", name="Thank you.")).to_be_visible()
    assert Rating.objects.get().session == session

    again = page_of(live_clinic.olga)
    again.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    again.get_by_role("link", name="Your guesses").click()
    expect(again.get_by_role("row", name="Relationship 8.5")).to_be_visible()
    expect(again.get_by_text("1 of 10 sessions")).to_be_visible()
    assert axe(again) == []


@pytest.mark.pictures
def test_from_ten_sessions_on_an_interval_says_how_far_guesses_lie(live_clinic, page_of, axe):
    guess_actions.choose_guessing(on=True, by=live_clinic.olga)
    for weeks in range(10, 0, -1):
        session = cast.therapy_session(live_clinic.olgas, ago=timedelta(weeks=weeks))
        guessed = dict(zip(cast.ITEMS, (90, 88, 84, 80 + weeks), strict=True))
        guess_actions.guess(session=session, answers=guessed, by=live_clinic.olga)
        cast.rating(session, 330 + 4 * weeks)
    olga = page_of(live_clinic.olga)
    olga.goto("/dashboard/guesses/")
    expect(olga.get_by_text("Over 10 sessions your guesses were on average")).to_contain_text("95 % interval")
    assert axe(olga) == []
    picture(olga, "guesses")


def test_a_promise_is_read_in_every_language_before_it_is_saved(live_clinic, page_of, axe):
    adam = page_of(live_clinic.adam)
    adam.goto("/accounts/reauthenticate/?next=/clinic/settings/")
    adam.get_by_label("Password").fill(cast.PASSWORD)
    adam.get_by_label("Password").press("Enter")
    adam.wait_for_url(lambda url: "reauthenticate" not in url)
    with adam.expect_navigation():
        adam.get_by_role("link", name="Read it, or change it").press("Enter")
    assert axe(adam) == []
    adam.get_by_role("link", name="Change what is promised: A client").press("Enter")
    adam.get_by_label("Whoever supervises the therapist sees the marks").uncheck()
    adam.get_by_role("button", name="How it reads").press("Enter")
    expect(adam.get_by_role("alert")).to_contain_text("Whoever may not see the marks")
    adam.get_by_label("They also read the sentence beside the marks").uncheck()
    assert axe(adam) == []
    adam.get_by_role("button", name="How it reads").press("Enter")
    expect(adam.get_by_text("Your therapist sees your marks. Nobody else does.", exact=False)).to_be_visible()
    expect(adam.get_by_text("يرى علاماتك معالجك أو معالجتك.", exact=False)).to_be_visible()
    assert axe(adam) == []
    adam.get_by_role("button", name="Save").press("Enter")
    expect(adam.get_by_text("Version 1, saved by Adam", exact=False)).to_be_attached()
    assert Promise.objects.get().supervisor is False
