"""The way in, as a new member of staff finds it: an invitation, a password, a passkey, and in."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LAPTOP, NARROW, PHONE
from tests.browser.test_main_job import sign_in

CHOSEN = "a heron over quiet water"


@pytest.fixture(autouse=True)
def _without_mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"


def test_from_a_copied_invitation_to_a_sign_in_with_a_passkey(context, another_browser, live_clinic, axe):
    office = another_browser(viewport=LAPTOP, permissions=["clipboard-read", "clipboard-write"]).new_page()
    sign_in(office, "adam")
    office.goto("/clinic/people/new/")
    office.get_by_label("Name").fill("Nora")
    office.get_by_label("E-mail address").fill("nora@clinic.example")
    office.get_by_label("Therapist:").check()
    office.get_by_role("button", name="Add and invite").click()
    office.get_by_role("button", name="Copy the link").press("Enter")
    expect(office.get_by_text("Copied.")).to_be_visible()
    assert axe(office) == []

    noras = context.new_page()
    noras.set_viewport_size(PHONE)
    noras.goto(office.evaluate("navigator.clipboard.readText()"))
    noras.get_by_label("New password", exact=True).fill(CHOSEN)
    noras.get_by_label("New password once more").fill(CHOSEN)
    with noras.expect_navigation():
        noras.get_by_role("button", name="Save the password").press("Enter")
    assert axe(noras) == []
    noras.get_by_role("link", name="Go to the sign-in page").press("Enter")

    def give_the_password() -> None:
        noras.get_by_label("E-mail address").fill("nora@clinic.example")
        noras.get_by_label("Password", exact=True).fill(CHOSEN)
        noras.keyboard.press("Enter")

    give_the_password()
    expect(noras.get_by_role("heading", level=1)).to_have_text("Work list")
    _a_device_with_passkeys(context, noras)
    noras.goto("/accounts/2fa/")
    assert axe(noras) == []
    noras.get_by_role("link", name="Add a passkey").click()  # just signed in: nothing is asked again
    noras.wait_for_load_state()
    noras.get_by_role("button", name="Add the passkey").press("Enter")
    expect(noras.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    noras.set_viewport_size(NARROW)
    assert noras.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe(noras) == []
    noras.goto("/accounts/logout/")
    noras.locator("main").get_by_role("button", name="Sign out").click()
    give_the_password()
    expect(noras.get_by_role("heading", level=1)).to_have_text("Now the second factor")
    noras.wait_for_load_state()
    assert axe(noras) == []
    noras.get_by_role("button", name="Use a passkey").press("Enter")
    expect(noras.get_by_role("heading", level=1)).to_have_text("Work list")


def _a_device_with_passkeys(context, page) -> None:
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**options, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )


def test_without_scripts_the_link_is_there_to_be_marked(another_browser, live_clinic):
    office = another_browser(java_script_enabled=False).new_page()
    sign_in(office, "adam")
    office.goto(f"/clinic/people/{live_clinic.olga.pk}/invite/")
    office.locator("main").get_by_role("button", name="Invite").click()
    expect(office.get_by_label("Link for Olga")).to_contain_text("/accounts/password/reset/key/")
    expect(office.get_by_role("button", name="Copy the link")).to_have_count(0)
