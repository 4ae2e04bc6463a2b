"""An invitation from end to end: the link, the password, the sign-in. And the command that makes the first one."""

import re

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse

from alliance.models import AuditEvent, Role, User
from clients.access_log import lines
from tests import cast
from tests.alliance.sign_in import give_an_app

pytestmark = pytest.mark.django_db
NORA = {"name": "Nora", "email": "nora@clinic.example", "roles": ["therapist"]}
ADD = "/clinic/people/new/"
CHOSEN = "a heron over quiet water"
DUMMY = "django.core.mail.backends.dummy.EmailBackend"


def link_in(text):
    return re.search(r"https?://[^/\s]+(/accounts/password/reset/key/[^\s<]+)", text)[1]


def choose_password(browser, link, password=CHOSEN):
    form = browser.get(link)
    assert form.status_code == 302, "the key leaves the address bar"
    return browser.post(form.url, {"password1": password, "password2": password})


def signed_in(browser, email, password=CHOSEN):
    browser.post(reverse("account_login"), {"login": email, "password": password})
    return browser.get(reverse("account_security")).status_code == 200


def test_from_the_link_to_the_first_page(administrator, settings):
    settings.EMAIL_BACKEND = DUMMY
    page = administrator.post(ADD, NORA)
    link = link_in(page.text)
    assert "Good for 3 days" in page.text
    noras = Browser()
    assert choose_password(noras, link, "too short").status_code == 200
    assert not signed_in(Browser(), NORA["email"], "too short")
    assert choose_password(noras, link).status_code == 302
    assert signed_in(noras, NORA["email"])
    assert noras.get(reverse("clients:list")).status_code == 200
    again = Browser()
    assert again.get(link).status_code == 200, "used once, the link only says that it is used"
    assert {"person added", "invited"} <= set(AuditEvent.objects.values_list("action", flat=True))
    assert link.split("/")[-2] not in str(list(AuditEvent.objects.values()))


def test_an_invitation_ends_at_the_sign_in_in_our_own_words(administrator, settings):
    settings.EMAIL_BACKEND = DUMMY
    page = administrator.post(ADD, NORA)
    assert "Copy the link" in page.text
    noras = Browser()
    end = noras.get(choose_password(noras, link_in(page.text)).url)
    assert "Your password is saved" in end.text
    assert f'href="{reverse("account_login")}"' in end.text
    assert "Change Password" not in end.text


def test_a_link_is_good_for_three_days(administrator, settings, time_machine):
    settings.EMAIL_BACKEND = DUMMY
    time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
    administrator.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    link = link_in(administrator.post(ADD, NORA).text)
    time_machine.move_to("2026-03-05 08:59:00+00:00", tick=False)
    assert Browser().get(link).status_code == 302
    time_machine.move_to("2026-03-05 09:01:00+00:00", tick=False)
    assert Browser().get(link).status_code == 200


def test_where_mail_is_set_up_the_administrator_never_sees_the_link(administrator):
    page = administrator.post(ADD, NORA)
    assert "/password/reset/key/" not in page.text
    (sent,) = mail.outbox
    assert sent.to == [NORA["email"]]
    assert choose_password(Browser(), link_in(sent.body)).status_code == 302


def test_a_mail_that_does_not_leave_is_replaced_by_the_link(administrator, monkeypatch):
    def down(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    assert link_in(administrator.post(ADD, NORA).text)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"email": "OLGA@clinic.example"}, "email"),
        ({"email": "x"}, "email"),
        ({"roles": []}, "roles"),
        ({"name": " "}, "name"),
    ],
)
def test_a_wrong_entry_is_named_and_nobody_is_added(administrator, wrong, field):
    before = User.objects.count()
    response = administrator.post(ADD, {**NORA, **wrong})
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert (User.objects.count(), mail.outbox) == (before, [])


def test_a_new_password_signs_out_everywhere(clinic, administrator, settings):
    settings.EMAIL_BACKEND = DUMMY
    olgas = Browser()
    assert signed_in(olgas, clinic.olga.email, cast.PASSWORD)
    link = link_in(administrator.post(f"/clinic/people/{clinic.olga.pk}/invite/").text)
    assert olgas.get(reverse("account_security")).status_code == 200
    choose_password(Browser(), link)
    assert olgas.get(reverse("account_security")).status_code == 302
    assert not signed_in(Browser(), clinic.olga.email, cast.PASSWORD)
    assert signed_in(Browser(), clinic.olga.email)


def test_who_may_not_sign_in_is_not_invited(clinic, administrator):
    User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
    response = administrator.post(f"/clinic/people/{clinic.olga.pk}/invite/")
    assert response.status_code == 422
    assert "Olga may not sign in." in response.text


# --- The first administrator -----------------------------------------------------------------------


def test_the_command_makes_the_first_administrator(capsys):
    call_command(
        "create_administrator", "ada@clinic.example", "Ada", "--site", "https://alliance.clinic.example/"
    )
    printed = capsys.readouterr().out
    assert "https://alliance.clinic.example/accounts/" in printed
    browser = Browser()
    choose_password(browser, link_in(printed))
    assert signed_in(browser, "ada@clinic.example")
    assert browser.get(reverse("clinic:people")).status_code == 200
    assert {event.actor for event in AuditEvent.objects.filter(action__in=["person added", "invited"])} == {
        None
    }


def test_the_command_is_also_the_way_back_in(clinic, capsys):
    User.objects.filter(pk=clinic.olga.pk).update(is_active=False)
    call_command("create_administrator", "Olga@clinic.example", "Olga")
    clinic.olga.refresh_from_db()
    assert (clinic.olga.roles, clinic.olga.is_active) == ([Role.THERAPIST, Role.ADMINISTRATOR], True)
    assert link_in(capsys.readouterr().out)
    with pytest.raises(CommandError, match="valid e"):
        call_command("create_administrator", "nobody", "Nobody")
    with pytest.raises(CommandError, match="write their name too"):
        call_command("create_administrator", "nobody@clinic.example")


def test_the_sole_administrator_who_lost_the_second_factor_is_asked_for_it_no_more(clinic, capsys):
    give_an_app(clinic.adam)
    open_session = Browser()
    open_session.force_login(clinic.adam, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert not signed_in(Browser(), clinic.adam.email, cast.PASSWORD), "control: the factor is asked for"
    call_command("create_administrator", clinic.adam.email)
    printed = capsys.readouterr().out
    assert "Password and second factors are taken away" in printed
    assert open_session.get(reverse("account_security")).status_code == 302, "signed out everywhere"
    assert not signed_in(Browser(), clinic.adam.email, cast.PASSWORD), "the old password alone opens nothing"
    browser = Browser()
    choose_password(browser, link_in(printed))
    assert signed_in(browser, clinic.adam.email)
    assert browser.get(reverse("clinic:people")).status_code == 200
    clinic.adam.refresh_from_db()
    assert clinic.adam.name == "Adam", "a name that is left out stays"
    (line,) = lines(AuditEvent.objects.filter(action="second factor removed"))
    assert (line.sentence, line.who) == ("The system removed the second factor of Adam", "")
