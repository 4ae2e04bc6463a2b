"""Sign-ins in the access log: each is told, in words, and nobody can flood what can never be shortened."""

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from alliance.models import AuditEvent, User
from clients import access_log
from tests import cast
from tests.alliance.sign_in import SECRET, SECURITY, SOMEWHERE_ELSE, code, enter, fail, give_an_app, sign_in

pytestmark = pytest.mark.django_db
CHOSEN = "a heron over quiet water"
# What the cast comes with.
BEFORE = frozenset({"person added"})


def told() -> list[str]:
    """What the log tells, the oldest first, but for what the cast comes with."""
    events = AuditEvent.objects.exclude(action__in=BEFORE).order_by("pk")
    return [line.sentence for line in access_log.lines(events)]


def came_in(clinic) -> Browser:
    browser = Browser()
    assert sign_in(browser, clinic.olga.email)
    AuditEvent.objects.filter(action="signed in").get()
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def test_in_and_out_with_the_address(clinic):
    browser = Browser()
    sign_in(browser, clinic.olga.email, REMOTE_ADDR=SOMEWHERE_ELSE)
    browser.post(reverse("account_logout"))
    assert told() == ["Olga signed in", "Olga was signed out"]
    event = AuditEvent.objects.get(action="signed in")
    assert (event.actor, event.entity_code, event.address) == (clinic.olga.pk, clinic.olga.pk, SOMEWHERE_ELSE)


def test_a_sign_in_is_told_when_it_is_whole(clinic):
    give_an_app(clinic.olga)
    browser = Browser()
    sign_in(browser, clinic.olga.email)
    assert told() == []
    enter(browser, code())
    assert told() == ["Olga signed in"]


def test_the_hand_over_and_the_clock_sign_out_too(clinic, time_machine):
    time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
    tablet = came_in(clinic)
    tablet.post(reverse("dashboard:hand_over", args=[clinic.olgas.code]))
    assert told()[-2:] == ["Olga handed over to client K-1", "Olga was signed out"]
    sign_in(tablet, clinic.olga.email)
    tablet.get(SECURITY)
    time_machine.move_to("2026-03-02 09:20:00+00:00", tick=False)
    tablet.get(reverse("dashboard:work_list"))
    assert told()[-2:] == ["Olga signed in", "Olga was signed out"]


class TestFailures:
    def test_are_told_once_in_ten_minutes_for_each_person(self, clinic, time_machine):
        time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
        fail("OLGA@clinic.example", 4, REMOTE_ADDR=SOMEWHERE_ELSE)
        fail(clinic.carl.email, 1)
        assert told() == ["Somebody failed to sign in as Olga", "Somebody failed to sign in as Carl"]
        event = AuditEvent.objects.get(entity_code=clinic.olga.pk, action="sign-in failed")
        assert (event.actor, event.client, event.address, event.detail) == (None, None, SOMEWHERE_ELSE, {})
        for minute, lines in (("09:09:59", 2), ("09:10:01", 3)):
            time_machine.move_to(f"2026-03-02 {minute}+00:00", tick=False)
            fail(clinic.olga.email, 1)
            assert len(told()) == lines

    def test_of_nobody_here_leave_no_trace(self, clinic):
        before = AuditEvent.objects.count()
        fail("canary@elsewhere.example", 3)
        assert AuditEvent.objects.count() == before

    def test_of_somebody_who_may_not_sign_in_any_more_are_told(self, clinic):
        User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
        assert not sign_in(Browser(), clinic.olga.email)
        assert told() == ["Somebody failed to sign in as Olga"]

    def test_at_the_second_factor_are_told_apart(self, clinic):
        give_an_app(clinic.olga)
        browser = Browser()
        sign_in(browser, clinic.olga.email)
        for _ in range(3):
            enter(browser, "000000")
        assert told() == ["Somebody had the password of Olga and failed at the second factor"]

    def test_no_address_and_no_password_is_kept(self, clinic):
        fail(clinic.olga.email, 2)
        kept = str(list(AuditEvent.objects.values("action", "entity", "detail")))
        assert clinic.olga.email not in kept
        assert "wrong" not in kept


class TestChanges:
    @pytest.fixture
    def olgas(self, clinic) -> Browser:
        return came_in(clinic)

    def test_of_the_password(self, olgas, mailoutbox):
        form = {"oldpassword": cast.PASSWORD, "password1": CHOSEN, "password2": CHOSEN}
        assert olgas.post(reverse("account_change_password"), form).status_code == 302
        assert told()[1:] == ["Olga changed their password"]
        assert [one.subject for one in mailoutbox] == ["Your password was changed"]

    def test_of_the_password_through_a_link(self, clinic, mailoutbox):
        browser = Browser()
        browser.post(reverse("account_reset_password"), {"email": clinic.olga.email})
        link = next(word for word in mailoutbox[0].body.split() if "/reset/key/" in word)
        browser.post(browser.get(link).url, {"password1": CHOSEN, "password2": CHOSEN})
        assert told() == ["Olga chose a password through a link"]
        assert [one.subject for one in mailoutbox][1:] == ["Your password was chosen anew"]
        assert link.split("/")[-2] not in str(list(AuditEvent.objects.values()))

    def test_of_the_second_factor(self, clinic, olgas, mailoutbox, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            olgas.get(reverse("mfa_activate_totp"))
            kept = olgas.session
            kept["mfa.totp.secret"] = SECRET
            kept.save()
            assert olgas.post(reverse("mfa_activate_totp"), {"code": code()}).status_code == 302
        with django_capture_on_commit_callbacks(execute=True):
            olgas.post(reverse("mfa_generate_recovery_codes"))
        olgas.post(reverse("mfa_deactivate_totp"))
        assert told()[1:] == [
            "Olga added an app with one-time codes to their account",
            "Olga added recovery codes to their account",
            "Olga made new recovery codes",
            "Olga took an app with one-time codes off their account",
            "Olga took recovery codes off their account",
        ]
        assert [one.subject for one in mailoutbox] == [
            "An app with one-time codes was added",
            "New recovery codes were made",
            "The app with one-time codes was taken off",
        ]

    def test_a_passkey_is_told_as_one(self, clinic, client):
        """It is there without the ceremony that only a browser can hold, and taken off through the page."""
        assert sign_in(client, clinic.olga.email)
        give_an_app(clinic.olga)
        key = Authenticator.objects.create(user=clinic.olga, type=Authenticator.Type.WEBAUTHN, data={})
        client.post(reverse("mfa_reauthenticate"), {"code": code()})
        client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
        assert told()[1:] == ["Olga took a passkey off their account"]


def test_the_administrator_reads_and_asks_for_them(clinic, client):
    fail(clinic.olga.email, 1)
    assert sign_in(client, clinic.adam.email)
    page = client.get(reverse("clinic:log"), {"action": "sign-in failed"})
    assert [line.sentence for line in page.context["lines"]] == ["Somebody failed to sign in as Olga"]
    assert "Sign-in failed</option>" in page.text


def test_none_of_them_is_about_a_client(clinic):
    browser = came_in(clinic)
    browser.post(reverse("account_logout"))
    fail(clinic.olga.email, 1)
    assert not AuditEvent.objects.filter(client__isnull=False).exists()
    assert set(AuditEvent.objects.values_list("entity", flat=True)) == {"user"}


def test_a_notice_says_what_when_and_from_where_and_no_more(clinic):
    browser = came_in(clinic)
    form = {"oldpassword": cast.PASSWORD, "password1": CHOSEN, "password2": CHOSEN}
    browser.post(
        reverse("account_change_password"), form, REMOTE_ADDR=SOMEWHERE_ELSE, HTTP_USER_AGENT="call 555-0100"
    )
    (notice,) = mail.outbox
    assert notice.to == [clinic.olga.email]
    assert notice.body.startswith("The password of your account was changed.\n\nWhen: ")
    assert f"From the network address: {SOMEWHERE_ELSE}\n" in notice.body
    assert "tell your administrator" in notice.body
    assert notice.body.endswith("Session alliance, http://testserver")
    assert "555" not in notice.body, "a browser's name is whatever its user writes there"
