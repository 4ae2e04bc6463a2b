"""The administrator lowers the cutoff: sees its effect, saves, watches it happen; conversations stay."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sessions_app.flags import discussion_actions
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments.clinic_settings import ClinicSettings
from tests import cast
from tests.browser.conftest import NARROW

RULES = "/clinic/settings/rules/"


@pytest.fixture
def adam(context, live_clinic, sign_in_browser) -> Page:
    for number in range(10):
        episode = cast.episode(live_clinic.olga, f"L-{number}")
        cast.rated_course(episode, [390, 352], last_ago=timedelta(days=40))  # of a month that is over
    (last,) = cast.rated_course(live_clinic.olgas, [350])
    discussion_actions.discuss(
        flags=last.flags.all(), said="Too fast.", agreed="Slower.", by=live_clinic.olga
    )
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto(f"/accounts/reauthenticate/?next={RULES}")
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "reauthenticate" not in url)
    return page


def test_from_another_cutoff_to_flags_that_follow_it(adam, live_clinic, axe):
    assert axe(adam) == []
    adam.get_by_label("Cutoff", exact=True).fill("34")
    adam.get_by_role("button", name="See what this would do").press("Enter")
    expect(adam.get_by_text("Session rating: Below cutoff: cutoff 34.0 (was 36.0)")).to_be_visible()
    own = adam.get_by_role("row", name="Below cutoff").first
    expect(own).to_contain_text("about 10")
    expect(adam.get_by_role("heading", name="Where nothing is wrong")).to_be_visible(timeout=30_000)
    assert axe(adam) == []
    assert not ClinicSettings.objects.exists()

    adam.set_viewport_size(NARROW)
    assert adam.evaluate("document.documentElement.scrollWidth <= innerWidth")
    adam.get_by_role("button", name="Save").click()
    expect(adam.get_by_text("The flags of all 12 courses follow the rules")).to_be_visible(timeout=15_000)
    assert adam.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(adam) == []
    assert not Flag.objects.standing().filter(rule="A").exists()
    assert Discussion.objects.standing().get().flags.get(rule="A").withdrawn_at is not None


def test_to_the_former_list_in_one_press_after_seeing_both(adam, live_clinic, axe):
    adam.goto("/clinic/settings/")
    adam.get_by_role("link", name="Switch to the former list").press("Enter")
    # One plain sentence each, of invented clients and of this clinic, then the figures of both sides.
    expect(adam.get_by_text("of 100 sessions would call for a talk instead of")).to_be_visible()
    own = adam.get_by_text(
        "rated sessions would call for a talk, not counting first ratings; now hardly any do."
    )
    expect(own).to_be_visible(timeout=15_000)
    assert axe(adam) == []
    adam.set_viewport_size(NARROW)
    assert adam.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not ClinicSettings.objects.exists()
    adam.get_by_role("button", name="Use the former list").press("Enter")
    expect(adam.get_by_text("The flags of all 12 courses follow the rules")).to_be_visible(timeout=15_000)
    assert Flag.objects.standing().filter(rule="A", on_work_list=True).count() == 11
    adam.goto("/clinic/settings/work-list/")
    expect(adam.get_by_role("button", name="Use the list as shipped")).to_be_visible()
    assert axe(adam) == []
