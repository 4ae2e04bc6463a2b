"""A page that was opened before somebody else changed what it shows: in a real browser, by keyboard."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Client, Ending, Episode
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.browser.conftest import NARROW


@pytest.fixture
def page(context, live_clinic, sign_in_browser, witness):
    context.set_default_timeout(10_000)
    sign_in_browser(context, live_clinic.olga)
    return context.new_page()


def test_a_label_is_corrected_and_the_language_the_client_chose_meanwhile_stays(
    page, live_clinic, witness, axe
):
    witness.expect("409")
    client = live_clinic.olgas.client
    page.goto(f"/clients/{client.code}/change/")
    grant, _ = hand_over_actions.hand_over(
        session=cast.therapy_session(live_clinic.olgas), by=live_clinic.olga
    )
    hand_over_actions.choose_language(grant=grant, language="ar")
    page.get_by_label("Label").fill("K-1b")
    page.get_by_label("Label").press("Enter")

    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("so nothing was saved")
    both = page.get_by_role("table", name="What is stored, and what you entered")
    expect(both.get_by_role("row", name="Language of the form")).to_contain_text("Arabic")
    expect(page.get_by_label("Label")).to_have_value("K-1b")
    expect(page.get_by_label("Language of the form")).to_have_value("ar")
    assert axe(page) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Client.objects.get(pk=client.pk).label == "K-1", "nothing is written yet"
    page.get_by_role("button", name="Save").press("Enter")

    expect(page.get_by_text("The details are saved.")).to_be_visible()
    stored = Client.objects.get(pk=client.pk)
    assert (stored.label, stored.language) == ("K-1b", "ar")


def test_words_that_came_back_with_both_versions_are_not_offered_as_a_note_of_before(
    page, live_clinic, witness
):
    witness.expect("409")
    first, last = (timezone.localdate() - timedelta(days=days) for days in (40, 9))
    over = cast.episode(live_clinic.olga, "K-9", opened_on=first, closed_on=last, ending=Ending.PLANNED)
    page.goto(f"/clients/episodes/{over.code}/days/")
    page.get_by_label("Why").fill("It began earlier")
    page.get_by_label("Opened on").fill(f"{first - timedelta(days=3)}")
    expect(page.locator("form[data-kept]")).to_be_visible()
    Episode.objects.filter(pk=over.pk).update(closed_on=last - timedelta(days=1))
    page.get_by_label("Why").press("Enter")

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Closed on")).to_have_value(f"{last - timedelta(days=1)}")
    expect(page.locator("form[data-kept]")).to_be_visible()
    expect(page.get_by_text("You began to write here")).to_have_count(0)
    page.get_by_label("Why").press("Enter")
    expect(page.get_by_text("The days are corrected.")).to_be_visible()
    over.refresh_from_db()
    assert (over.opened_on, over.closed_on) == (first - timedelta(days=3), last - timedelta(days=1))
