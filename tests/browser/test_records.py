"""Files, the printed record and erasure, as the people who do it meet them."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from clients.models import Client
from sessions_app.records import sheets
from sessions_app.records.sheets import ErasedMeanwhile
from tests import cast
from tests.browser.conftest import NARROW
from tests.sessions_app.records.courses import full_course

ARABIC = "لم أشعر أنك سمعتني"


def signed_in(context, person, sign_in_browser) -> Page:
    sign_in_browser(context, person)
    page = context.new_page()
    page.goto("/accounts/reauthenticate/?next=/export/")
    page.get_by_label("Password").fill(cast.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "reauthenticate" not in url)
    return page


@pytest.fixture
def olga(context, live_clinic, sign_in_browser) -> Page:
    full_course(live_clinic.olgas)
    cast.rating(cast.therapy_session(live_clinic.olgas), 360, comment=ARABIC)
    return signed_in(context, live_clinic.olga, sign_in_browser)


def test_a_download_says_when_it_is_complete_and_says_when_it_broke_off(olga, witness, monkeypatch, axe):
    assert axe(olga) == []
    with olga.expect_download() as download:
        olga.get_by_role("button", name="Download").press("Enter")
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert archive.testzip() is None
    assert download.value.suggested_filename.startswith("records-own-")
    expect(olga.get_by_text("The file is complete")).to_be_visible()

    # A client is erased while the next one is made: what came so far is not offered as a file.
    def breaks_off(self):
        raise ErasedMeanwhile

    witness.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
    witness.expect("ERR_CONTENT_LENGTH_MISMATCH")
    monkeypatch.setattr(sheets.Scope, "refuse_if_erased_meanwhile", breaks_off)
    olga.get_by_label("File").select_option("json")
    olga.get_by_role("button", name="Download").click()
    expect(olga.get_by_text("The file is not whole")).to_be_visible()
    expect(olga.get_by_text("The file is complete")).to_be_hidden()
    olga.set_viewport_size(NARROW)
    assert olga.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_printed_record_is_a_pdf_of_some_pages_that_reads_from_right_to_left_too(olga, live_clinic, axe):
    olga.goto(f"/dashboard/clients/{live_clinic.olgas.code}/")
    olga.get_by_role("link", name="Record", exact=True).click()
    with olga.expect_download() as download:
        olga.get_by_role("button", name="Download as JSON").click()
    assert ARABIC in Path(download.value.path()).read_text("utf-8")
    json.loads(Path(download.value.path()).read_text("utf-8"))
    olga.get_by_role("button", name="Open to print").click()
    words = olga.get_by_text(ARABIC)
    expect(words).to_be_visible()
    assert words.evaluate("element => getComputedStyle(element).direction") == "rtl"
    expect(olga.get_by_role("button", name="Print or save as PDF")).to_be_visible()
    assert axe(olga) == []
    pdf = olga.pdf(prefer_css_page_size=True, tagged=True)
    assert pdf.startswith(b"%PDF")
    assert 1 < pdf.count(b"/Type /Page\n") < 12
    olga.emulate_media(media="print")
    expect(olga.get_by_role("button", name="Print or save as PDF")).to_be_hidden()
    olga.emulate_media(media="screen")
    olga.set_viewport_size(NARROW)
    assert olga.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_client_is_erased_by_two_people(olga, live_clinic, another_browser, sign_in_browser, witness, axe):
    witness.expect("404")  # for *Back* at the end
    adam = signed_in(another_browser(), live_clinic.adam, sign_in_browser)
    label = Client.objects.get(pk=live_clinic.olgas.client_id).label
    adam.goto(f"/clients/{live_clinic.olgas.client.code}/")
    with adam.expect_navigation():
        adam.get_by_role("link", name="Erase this client").press("Enter")
    assert axe(adam) == []
    adam.get_by_label("Reason").select_option("asked")
    adam.get_by_label("For the second person").fill("The letter lies in the folder.")
    adam.keyboard.press("Enter")
    expect(adam.get_by_text("A second person has to confirm it: Olga")).to_be_visible()
    expect(adam.get_by_role("button", name="for good")).to_have_count(0)

    olga.goto(f"/clients/{live_clinic.olgas.client.code}/")
    olga.get_by_role("link", name="Look at it").click()
    expect(olga.get_by_text("The letter lies in the folder.")).to_be_visible()
    assert axe(olga) == []
    olga.set_viewport_size(NARROW)
    assert olga.evaluate("document.documentElement.scrollWidth <= innerWidth")
    olga.get_by_role("button", name=f"Erase {label} for good").click()
    expect(olga.get_by_text("The client is erased.")).to_be_visible()
    assert not Client.objects.filter(pk=live_clinic.olgas.client_id).exists()

    adam.goto("/clinic/erasures/")
    expect(adam.get_by_role("row").filter(has_text="Olga")).to_contain_text(
        str(live_clinic.olgas.client.code)
    )
    assert axe(adam) == []
    adam.goto(f"/clients/?q={label}&show=all")
    expect(adam.get_by_text("No client matches")).to_be_visible()
    olga.go_back()
    expect(olga.get_by_text(label)).to_have_count(0)
