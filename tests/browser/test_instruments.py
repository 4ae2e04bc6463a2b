"""The administrator loads a wording and switches it on; the client reads it. In a real browser, without a mouse too."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sessions_app.courses.models import Rating
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording
from tests import cast
from tests.browser.conftest import NARROW
from tests.measurement.wording_files import a_file

REFUSED = "status of 422"
LIST, LOAD, SETTINGS = "/clinic/instruments/", "/clinic/instruments/load/", "/clinic/settings/"


@pytest.fixture
def adam(context, live_clinic, sign_in_browser) -> Page:
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto(f"/accounts/reauthenticate/?next={LOAD}")
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "reauthenticate" not in url)
    return page


@pytest.fixture
def file(tmp_path):
    def written(name: str = "wording.toml", **changes: str | None) -> Path:
        path = tmp_path / name
        path.write_text(a_file(**changes), "utf-8")
        return path

    return written


def look_at(page: Page, path: Path) -> None:
    page.goto(LOAD)
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Look at the form").click()


def test_from_a_file_to_a_clients_rating(adam, file, live_clinic, another_browser, sign_in_browser):
    look_at(adam, file())
    adam.get_by_role("button", name="Load this wording").click()
    adam.get_by_role("link", name="Record one for SRS", exact=True).click()
    adam.get_by_label("Holder").fill("The clinic")
    adam.get_by_label("Kind of licence").fill("group")
    adam.get_by_label("On paper and on screens").check()
    adam.get_by_label("I have read its terms").check()
    adam.get_by_role("button", name="Record").click()
    adam.get_by_role("link", name="Switch on").click()
    adam.get_by_role("button", name="Switch on").click()
    expect(adam.get_by_text("Can be given on tablets and phones in English. For ages 13+.")).to_be_visible()
    adam.goto(SETTINGS)
    adam.get_by_label("SRS (ages 13+)", exact=True).check()
    adam.get_by_role("button", name="Save").click()
    expect(adam.get_by_text("The settings are saved.")).to_be_visible()
    assert ClinicSettings.objects.in_force().instrument == "srs"

    cast.therapy_session(live_clinic.olgas)
    tablet = another_browser()
    sign_in_browser(tablet, live_clinic.olga)
    page = tablet.new_page()
    page.goto(f"/dashboard/clients/{live_clinic.olgas.code}/hand-over/")
    expect(page.get_by_text("SRS, edition 2026, English")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Hand over")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invented title")
    page.get_by_role("slider", name="Invented question about goals").press("End")
    page.get_by_role("button", name="Check, then hand in").click()
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url("**/rate/done/")
    rating = Rating.objects.get()
    assert (rating.marks["goals"], rating.wording, rating.total) == (100, ClinicWording.objects.get(), None)


def test_the_preview_is_the_form_with_lines_that_can_be_tried(adam, file, axe):
    look_at(adam, file())
    expect(adam.locator("#line-goals [data-strip]")).to_be_visible()  # the script shows it
    line = adam.locator("#line-goals [data-strip]").bounding_box()
    adam.mouse.click(line["x"] + line["width"] / 2, line["y"] + 30)
    expect(adam.locator("#line-goals")).to_have_attribute("data-marked", "")
    adam.get_by_label("Choose a number").check(force=True)
    expect(adam.locator("#line-goals .numbers")).to_be_visible()
    assert axe(adam) == []


def test_every_page_is_readable_narrow_dark_and_by_screen_reader(adam, file, live_clinic, axe, witness):
    loaded = cast.wording(live_clinic.adam, edition="2024", language="ar")
    adam.emulate_media(color_scheme="dark")
    adam.set_viewport_size(NARROW)
    for address in (
        LIST,
        "/clinic/instruments/licences/new/",
        SETTINGS,
        f"/clinic/instruments/wordings/{loaded.code}/",
        f"/clinic/instruments/wordings/{loaded.code}/on/",
    ):
        adam.goto(address)
        is_readable(adam, axe, address)
    witness.expect(REFUSED)
    look_at(adam, file(goals__low_end="", title=None))
    expect(adam.get_by_role("alert")).to_contain_text("items.goals.low_end: this is empty.")
    is_readable(adam, axe, "faults")


def is_readable(page, axe, named):
    assert axe(page) == [], named
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), named


def test_faults_are_put_right_in_the_box(adam, file, witness):
    witness.expect(REFUSED)
    look_at(adam, file(language="pt"))
    box = adam.get_by_label("Text of the file")
    box.fill(box.input_value().replace("'pt'", "'de'"))
    adam.get_by_role("button", name="Look at the form").click()
    expect(adam.get_by_role("heading", level=1)).to_have_text("Invented title")
    adam.get_by_role("button", name="Load this wording").click()
    adam.wait_for_url("**" + LIST)
    assert ClinicWording.objects.get().language == "de"
