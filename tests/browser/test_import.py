"""The administrator moves a clinic in, from a file with mistakes to ratings at the therapist. In a real browser."""

import pytest
from playwright.sync_api import Page, expect

from clients.models import Client
from sessions_app.courses.models import Rating
from sessions_app.moving_in.models import ImportedNumber
from tests import cast
from tests.browser.conftest import NARROW

LOAD = "/clinic/import/new/"
CLIENTS = "Klientennummer;Kürzel;Therapeut;Therapiebeginn"
SESSIONS = "Klient;Datum;Beziehung;Ziele;Ansatz;Gesamt;Gesamtwert"


@pytest.fixture
def adam(context, live_clinic, sign_in_browser) -> Page:
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto(LOAD)  # it asks before the file is chosen
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Load a file")
    return page


def load(page: Page, kind: str, name: str, *rows: str) -> None:
    page.goto(LOAD)
    page.get_by_label(kind, exact=True).check()
    raw = "\r\n".join(rows).encode("cp1252")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": raw}
    )
    page.get_by_role("button", name="Load the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which column is which?")


def check(page: Page, heading: str) -> None:
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imported")


def test_from_a_file_with_mistakes_to_ratings_at_the_therapist(
    adam, live_clinic, another_browser, sign_in_browser, axe
):
    right = [f"{number};Ä-{number};olga@clinic.example;13.01.2025" for number in range(1, 101)]
    wrong = [*right]
    wrong[4], wrong[40], wrong[98] = "5;;;", "41;Ä-41;olga@clinic.example;13. Jänner", "40;Ä-99;;"
    load(adam, "Clients", "klienten.csv", CLIENTS, *wrong)
    expect(adam.get_by_label("Encoding")).to_have_value("cp1252")
    expect(adam.get_by_role("cell", name="Ä-1 · Ä-2 · Ä-3 · Ä-4 · –")).to_be_visible()
    assert axe(adam) == []
    check(adam, "Rows to put right")
    expect(adam.get_by_role("row")).to_have_count(4)
    expect(adam.get_by_role("row", name="42 Opened on “13. Jänner” is no day")).to_be_visible()
    assert axe(adam) == []
    adam.set_viewport_size(NARROW)
    assert adam.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not Client.objects.filter(label__startswith="Ä-").exists()

    load(adam, "Clients", "klienten.csv", CLIENTS, *right)
    check(adam, "This would be imported")
    confirm(adam)
    assert Client.objects.filter(label__startswith="Ä-").count() == 100

    rows = ["7;20.01.2025;8,2;7,9;8,5;8,0;", "7;27.01.2025;;;;;34,5"]
    load(adam, "Sessions", "sitzungen.csv", SESSIONS, *rows)
    expect(adam.get_by_role("row", name="Beziehung Relationship Marks are not shown")).to_be_visible()
    expect(adam.get_by_text("34,5")).to_have_count(0)
    check(adam, "This would be imported")
    confirm(adam)
    assert sorted(Rating.objects.values_list("total", flat=True)) == [326, 345]

    laptop = another_browser()
    sign_in_browser(laptop, live_clinic.olga)
    page = laptop.new_page()
    page.goto(f"/dashboard/clients/{ImportedNumber.objects.get(number='7').client.episodes.get().code}/")
    expect(
        page.get_by_role("row", name="Session 2 27 Jan 2025 Total 34.5 Total only, imported")
    ).to_be_visible()
    expect(page.get_by_text("Imported from another system.")).to_have_count(2)


def test_without_scripts_the_way_is_the_same(another_browser, live_clinic, sign_in_browser):
    context = another_browser(java_script_enabled=False)
    sign_in_browser(context, live_clinic.adam)
    page = context.new_page()
    page.goto(LOAD)
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Load a file")
    load(page, "Clients", "klienten.csv", CLIENTS, "1;Ä-1;olga@clinic.example;13.01.2025")
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("link", name="See what came of it").click()
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("link", name="See what came of it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imported")
