"""What a page tells the browser beside itself, and whom a stranger tells of a weakness."""

from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from whitenoise.middleware import WhiteNoiseMiddleware

from alliance.environment import Environment, SettingError

pytestmark = pytest.mark.django_db
WHERE = "/.well-known/security.txt"


@pytest.mark.parametrize("address", ["/accounts/login/", "/go/", "/room/", "/nothing/"])
def test_no_other_site_may_show_or_run_what_is_ours(address):
    assert Browser().get(address).headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_no_other_site_may_show_or_run_a_file_of_ours(settings, tmp_path):
    """As a clinic serves them: collected, and looked through when the site starts."""
    (tmp_path / "site.css").write_text("a {}")
    settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH, settings.WHITENOISE_USE_FINDERS = (
        tmp_path,
        False,
        False,
    )
    answer = WhiteNoiseMiddleware(lambda request: None)(RequestFactory().get("/static/site.css"))
    answer.close()
    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_no_page_may_be_made_to_ask_for_camera_microphone_or_place():
    policy = Browser().get("/accounts/login/").headers["Permissions-Policy"]
    assert {"camera=()", "microphone=()", "geolocation=()", "display-capture=()"} <= set(policy.split(", "))


@pytest.mark.parametrize("address", ["/accounts/login/", "/nothing/", "/healthz", "/metrics"])
def test_every_answer_has_the_policy_but_django_s_own_pages_about_an_error(settings, address):
    """These have styles in them, and are shown to nobody but whoever develops this."""
    policy = Browser().get(address).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert Browser().put(address).headers["Content-Security-Policy"] == policy
    settings.DEBUG = True
    assert ("Content-Security-Policy" in Browser().get(address)) == (address != "/nothing/")


def test_a_stranger_finds_whom_to_tell_of_a_weakness(settings):
    assert Browser().get(WHERE).status_code == 404
    settings.SECURITY_CONTACT = "mailto:security@clinic.example"
    answer = Browser().get(WHERE)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    said = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert said["Contact"] == "mailto:security@clinic.example"
    assert said["Canonical"] == f"http://testserver{WHERE}"
    expires = datetime.fromisoformat(said["Expires"])
    assert timedelta(days=170) < expires - timezone.now() < timedelta(days=365)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("a@clinic.example", "mailto:a@clinic.example"),
        ("https://clinic.example/security", "https://clinic.example/security"),
        ("tel:+49301234", "tel:+49301234"),
    ],
)
def test_the_contact_is_a_mail_address_or_a_page(monkeypatch, tmp_path, written, read):
    monkeypatch.setenv("SECURITY_CONTACT", written)
    assert Environment(tmp_path / ".env").contact("SECURITY_CONTACT") == read


@pytest.mark.parametrize(
    "written", ["ask the office", "http://clinic.example", "a@b\nContact: mailto:evil@x"]
)
def test_another_contact_stops_the_start_with_a_sentence(monkeypatch, tmp_path, capsys, written):
    monkeypatch.setenv("SECURITY_CONTACT", written)
    with pytest.raises(SettingError):
        Environment(tmp_path / ".env").contact("SECURITY_CONTACT")
    assert "write a mail address" in capsys.readouterr().err
