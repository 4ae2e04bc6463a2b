"""The pages of one's own account: each is ours in words and look, and of allauth's no other is there."""

from pathlib import Path

import pytest
from allauth.account.urls import urlpatterns as account_pages
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.template.loader import get_template
from django.test import Client as Browser
from django.urls import NoReverseMatch, get_resolver, reverse

from alliance.access import PACKAGE_PAGES
from tests import cast
from tests.alliance.page_table import routes
from tests.alliance.sign_in import code, enter, give_an_app, sign_in

pytestmark = pytest.mark.django_db
OURS = Path(settings.BASE_DIR) / "templates"
# What allauth brings and nobody reaches here: signing up, several addresses, codes by mail.
NOT_HERE = {
    "account_signup",
    "account_email",
    "account_email_verification_sent",
    "account_confirm_email",
    "account_set_password",
    "account_confirm_login_code",
}
BY_ITSELF = {"account_reset_password_from_key"}  # tests/clients/test_invitations.py
MESSAGES = (
    "account/messages/password_changed.txt",
    "usersessions/messages/sessions_logged_out.txt",
    *(f"mfa/messages/{name}.txt" for name in ("totp_activated", "totp_deactivated", "webauthn_added")),
    *(f"mfa/messages/{name}.txt" for name in ("webauthn_removed", "recovery_codes_generated")),
)


def test_every_page_of_allauth_is_named_here_or_not_there(client):
    reached = {name for name, entry in routes() if entry.callback.__module__.startswith("allauth.")}
    assert reached == set(PACKAGE_PAGES)
    assert {page.name for page in account_pages} - reached == NOT_HERE
    for name in NOT_HERE:
        with pytest.raises(NoReverseMatch):
            reverse(name, kwargs={"key": "x"} if name == "account_confirm_email" else None)
    for address in ("signup/", "confirm-email/", "confirm-email/x/", "password/set/", "login/code/confirm/"):
        assert client.get(f"/accounts/{address}").status_code == 404
    assert get_resolver().resolve("/accounts/email/").func.__module__ == "alliance.account_views"


@pytest.fixture
def equipped(clinic, monkeypatch):
    """Olga's browser just after the sign-in, with every kind of second factor; the passkey's device is not there."""
    browser = Browser()
    assert sign_in(browser, clinic.olga.email)
    give_an_app(clinic.olga)
    assert browser.post(reverse("mfa_generate_recovery_codes")).status_code == 302
    for views in ("base.views.webauthn_auth", "webauthn.views.auth"):
        monkeypatch.setattr(f"allauth.mfa.{views}.begin_authentication", lambda user: {})
    monkeypatch.setattr("allauth.mfa.webauthn.views.auth.begin_registration", lambda user, passwordless: {})
    key = Authenticator.objects.create(
        user=clinic.olga, type=Authenticator.Type.WEBAUTHN, data={"name": "My phone", "credential": {}}
    )
    return browser, key


def test_every_page_of_the_account_library_is_ours_in_words_and_look(equipped, clinic):
    browser, key = equipped
    seen = {}
    for name in set(PACKAGE_PAGES) - BY_ITSELF:
        asked = {"account_login", "account_inactive", "mfa_authenticate"}
        by = Browser() if name.startswith("account_reset") or name in asked else browser
        if name == "mfa_authenticate":
            sign_in(by, clinic.olga.email)
        if name == "mfa_activate_totp":
            continue  # below: only where no app is set up
        args = [key.pk] if name in {"mfa_remove_webauthn", "mfa_edit_webauthn"} else []
        answer = by.get(reverse(name, args=args))
        assert answer.status_code == 200, name
        seen[name] = answer
    Authenticator.objects.filter(type=Authenticator.Type.TOTP).delete()
    seen["mfa_activate_totp"] = browser.get(reverse("mfa_activate_totp"))
    for name, answer in seen.items():
        drawn = [one for one in answer.templates if one.origin and "allauth" in one.origin.name]
        theirs = {one.name for one in drawn if OURS not in Path(one.origin.name).parents}
        assert theirs <= STRUCTURE, name
        for word in (
            "Authenticator",
            "ecurity key",
            "Two-Factor",
            "Current Password",
            "Email address",
            "placeholder=",
        ):
            # Above it is our own search for a client.
            assert word not in answer.text.partition("<main")[2], (name, word)


# Of allauth's own files these hold no words: each says only which of our layouts is meant.
STRUCTURE = {
    "account/base_entrance.html",
    "account/base_manage.html",
    "mfa/base_entrance.html",
    "mfa/base_manage.html",
    "usersessions/base_manage.html",
    "allauth/elements/p.html",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_allauth_says_in_passing_is_ours_too(name):
    assert OURS in Path(get_template(name).origin.name).parents


def test_without_mail_the_forgotten_password_says_whom_to_ask(client, settings):
    assert "Send the link" in client.get(reverse("account_reset_password")).text
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    page = client.get(reverse("account_reset_password")).text
    assert "Ask an administrator" in page
    assert "Send the link" not in page


# --- Is it still you? ----------------------------------------------------------------------------

SETTINGS = "/clinic/settings/"


def test_settings_seconds_after_the_sign_in_ask_no_password(clinic, time_machine):
    time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
    browser = Browser()
    assert sign_in(browser, clinic.adam.email)
    assert browser.get(SETTINGS).status_code == 200
    nora = {"name": "Nora", "email": "nora@clinic.example", "roles": ["therapist"]}
    assert browser.post("/clinic/people/new/", nora).status_code == 200
    time_machine.shift(299)
    assert browser.post(f"/clinic/people/{clinic.olga.pk}/invite/").status_code == 200
    time_machine.shift(2)
    assert browser.get(SETTINGS).status_code == 200, "a look asks nothing"
    asked = browser.post(f"/clinic/people/{clinic.olga.pk}/invite/")
    assert asked.url.startswith(reverse("account_reauthenticate"))


def test_a_password_without_its_second_factor_is_no_sign_in_that_counts(clinic):
    give_an_app(clinic.adam)
    browser = Browser()
    assert not sign_in(browser, clinic.adam.email)
    assert browser.post(f"/clinic/people/{clinic.olga.pk}/invite/").url.startswith(reverse("account_login"))


def test_the_file_of_the_log_comes_after_the_question_at_its_own_page(clinic, sign_in):
    browser = sign_in(clinic.adam)
    asked = browser.post("/clinic/log/export/?action=invited")
    back = browser.post(asked.url, {"password": cast.PASSWORD})
    assert back.url == "/clinic/log/export/?action=invited"
    assert browser.post(back.url)["Content-Type"].startswith("text/csv")


# --- Codes of an app -----------------------------------------------------------------------------


def second_factor_of(person):
    browser = Browser()
    sign_in(browser, person.email)
    return browser


@pytest.mark.parametrize(("steps", "lets_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_of_a_clock_half_a_minute_off_is_taken_as_the_standard_allows(
    clinic, time_machine, steps, lets_in
):
    time_machine.move_to("2026-03-02 09:00:15+00:00", tick=False)
    give_an_app(clinic.olga)
    assert enter(second_factor_of(clinic.olga), code(steps)) is lets_in


def test_a_code_opens_once_for_as_long_as_it_is_good(clinic, time_machine):
    """RFC 6238, 5.2. allauth alone forgets it after half a minute, while with the tolerance it is still good."""
    time_machine.move_to("2026-03-02 09:00:01+00:00", tick=False)
    give_an_app(clinic.olga)
    ahead = code(1)
    assert enter(second_factor_of(clinic.olga), ahead)
    for _ in range(2):
        time_machine.shift(31)
        page = second_factor_of(clinic.olga).post(
            reverse("mfa_authenticate"), {"code": f" {ahead[:3]} {ahead[3:]}"}
        )
        assert "used already" in page.text
    assert not enter(second_factor_of(clinic.olga), "000000")
    assert enter(second_factor_of(clinic.olga), code()), "a new one opens"


def test_a_passkey_is_asked_for_where_there_is_one_alone(clinic):
    """Whoever has one: tests/browser/test_accounts.py."""
    give_an_app(clinic.olga)
    page = second_factor_of(clinic.olga).get(reverse("mfa_authenticate")).text
    assert "Now the second factor" in page
    assert "Use a passkey" not in page
    assert "webauthn_form" not in page


def test_control_without_our_memory_a_code_opens_twice(clinic, time_machine, settings):
    settings.MFA_FORMS = {}
    time_machine.move_to("2026-03-02 09:00:01+00:00", tick=False)
    give_an_app(clinic.olga)
    ahead = code(1)
    assert enter(second_factor_of(clinic.olga), ahead)
    time_machine.shift(31)
    assert enter(second_factor_of(clinic.olga), ahead)
