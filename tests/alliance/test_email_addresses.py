"""Another e-mail address: by the person with a link, by an administrator with a notice; whose, and how often."""

import re
from threading import Barrier, Thread

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from alliance import email_addresses
from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import staff_actions
from clients.access_log import lines
from tests import cast
from tests.alliance.sign_in import sign_in
from tests.opened import opened, save

pytestmark = pytest.mark.django_db
NEW = "olga.new@clinic.example"
OWN = "/accounts/email/"
DUMMY = "django.core.mail.backends.dummy.EmailBackend"


@pytest.fixture
def olga(clinic):
    """Her browser, just after she signed in."""
    browser = Browser()
    assert sign_in(browser, clinic.olga.email)
    return browser


def links():
    return [re.search(r"http://testserver(/accounts/email/confirm/\S+)", one.body) for one in mail.outbox]


def link():
    return next(one[1] for one in reversed(links()) if one)


def of_olga(clinic):
    """Her address in both tables that hold it."""
    rows = EmailAddress.objects.filter(user=clinic.olga).values_list("email", "verified", "primary")
    return User.objects.get(pk=clinic.olga.pk).email, list(rows)


def changed_to(email):
    return email, [(email, True, True)]


# --- By the person -------------------------------------------------------------------------------


def test_a_slip_in_ones_own_address_is_put_right_by_a_link_to_the_new_one(clinic, olga):
    former = clinic.olga.email
    assert NEW in olga.post(OWN, {"email": "Olga.New@clinic.example"}).text
    assert [one.to for one in mail.outbox] == [[NEW]]
    assert of_olga(clinic) == changed_to(former), "until the link is used nothing is changed"
    assert olga.get(link()).status_code == 200
    assert of_olga(clinic) == changed_to(former), "a look changes nothing either"
    assert olga.post(link()).status_code == 302
    assert of_olga(clinic) == changed_to(NEW)
    notice = mail.outbox[-1]
    assert (notice.to, notice.subject) == ([former], "Your e-mail address was changed")
    assert NEW not in notice.body
    assert olga.get(OWN).status_code == 200, "one's own session goes on"
    assert sign_in(Browser(), NEW)
    assert not sign_in(Browser(), former)
    (line,) = lines(AuditEvent.objects.filter(action="own e-mail address changed"))
    assert line.sentence == "Olga changed their e-mail address"
    assert NEW not in str(list(AuditEvent.objects.values()))


def test_a_link_is_good_once_for_three_days_and_for_nobody_else(clinic, olga, time_machine):
    time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
    olga = Browser()
    sign_in(olga, clinic.olga.email)
    olga.post(OWN, {"email": NEW})
    carl = Browser()
    sign_in(carl, clinic.carl.email)
    strangers = Browser()
    assert strangers.post(link()).url.startswith(reverse("account_login")), "a link alone opens nothing"
    for browser, address in ((carl, link()), (olga, link() + "x"), (olga, "/accounts/email/confirm/")):
        answer = browser.post(address)
        assert (answer.status_code, "not good any more" in answer.text) == (404, True)
    time_machine.move_to("2026-03-05 09:00:02+00:00", tick=False)
    late = Browser()
    sign_in(late, clinic.olga.email)
    assert late.post(link()).status_code == 404
    assert of_olga(clinic) == changed_to("olga@clinic.example")
    time_machine.move_to("2026-03-05 08:59:00+00:00", tick=False)
    assert late.post(link()).status_code == 302
    assert late.post(link()).status_code == 404, "used"
    assert User.objects.get(pk=clinic.carl.pk).email == "carl@clinic.example"


def test_whoever_opens_the_link_elsewhere_comes_to_it_after_the_sign_in(clinic, olga):
    olga.post(OWN, {"email": NEW})
    phone = Browser()
    to_sign_in = phone.get(link()).url
    there = phone.post(to_sign_in, {"login": clinic.olga.email, "password": cast.PASSWORD})
    assert there.url == link()
    assert phone.post(there.url).status_code == 302


@pytest.mark.parametrize(
    "wrong", ["CARL@clinic.example", "olga@clinic.example", "Olga@Clinic.example", "x", ""]
)
def test_a_wrong_or_taken_address_is_a_sentence_and_no_mail(clinic, olga, wrong):
    answer = olga.post(OWN, {"email": wrong})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["email"])
    assert f'value="{wrong}"' in answer.text or not wrong
    assert mail.outbox == []


def test_an_address_that_somebody_took_meanwhile_is_refused_at_the_link(clinic, olga):
    olga.post(OWN, {"email": NEW})
    cast.person("olga.new")
    answer = olga.post(link())
    assert (answer.status_code, "has this e-mail address already" in answer.text) == (422, True)
    assert of_olga(clinic) == changed_to("olga@clinic.example")


def test_an_old_sign_in_is_asked_again_and_what_was_typed_goes_on(clinic, client):
    client.force_login(clinic.olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    asked = client.post(OWN, {"email": NEW})
    assert (asked.url.split("?")[0], mail.outbox) == (reverse("account_reauthenticate"), [])
    assert NEW in client.post(asked.url, {"password": cast.PASSWORD}).text
    assert mail.outbox[-1].to == [NEW]


def test_a_mail_that_does_not_leave_is_said_and_the_address_stays_typed(clinic, olga, monkeypatch):
    def down(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", down)
    answer = olga.post(OWN, {"email": NEW})
    assert answer.status_code == 422
    assert "could not be sent" in answer.text
    assert f'value="{NEW}"' in answer.text


def test_nobody_sends_mails_to_strangers_all_day(clinic, olga):
    answers = [olga.post(OWN, {"email": f"stranger{number}@elsewhere.example"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert len(mail.outbox) == 5


def test_without_mail_the_page_names_whom_to_ask(clinic, olga, sign_in, settings):
    settings.EMAIL_BACKEND = DUMMY
    assert f"Adam, {clinic.adam.email}" in olga.get(OWN).text
    assert "Adam" in olga.post(OWN, {"email": NEW}).text
    assert of_olga(clinic) == changed_to("olga@clinic.example")
    assert f"/clinic/people/{clinic.adam.pk}/email/" in sign_in(clinic.adam).get(OWN).text


# --- By an administrator -------------------------------------------------------------------------


@pytest.fixture
def adam(clinic):
    browser = Browser()
    assert sign_in(browser, clinic.adam.email)
    return browser


def at(person):
    return f"/clinic/people/{person.pk}/email/"


def test_an_administrator_puts_an_address_right_and_the_old_one_is_told(clinic, adam, olga):
    assert at(clinic.olga) in adam.get(f"/clinic/people/{clinic.olga.pk}/").text
    form = opened(adam, at(clinic.olga), email="OLGA.NEW@clinic.example")
    answer = adam.post(at(clinic.olga), form, follow=True)
    assert f"Olga signs in with {NEW} now." in answer.text
    assert of_olga(clinic) == changed_to(NEW)
    assert [one.to for one in mail.outbox] == [["olga@clinic.example"]]
    assert NEW not in mail.outbox[0].body
    assert olga.get(OWN).url.startswith(reverse("account_login")), "signed out everywhere"
    assert sign_in(Browser(), NEW), "the password is the same"
    (line,) = lines(AuditEvent.objects.filter(action="e-mail address changed"))
    assert line.sentence == "Adam changed the e-mail address of Olga"


def test_a_slip_at_the_invitation_voids_the_link_that_went_astray(clinic, adam, settings):
    settings.EMAIL_BACKEND = DUMMY
    key = r"/accounts/password/reset/key/[^\s<]+"
    nora = {"name": "Nora", "email": "nroa@clinic.example", "roles": ["therapist"]}
    astray = re.search(key, adam.post("/clinic/people/new/", nora).text)[0]
    assert Browser().get(astray).status_code == 302, "control: it opens"
    added = User.objects.get(name="Nora")
    assert "no longer works. Invite Nora again" in adam.get(at(added)).text
    save(adam, at(added), email="nora@clinic.example")
    assert "This link is used up" in Browser().get(astray).text
    again = re.search(key, adam.post(f"/clinic/people/{added.pk}/invite/").text)[0]
    assert Browser().get(again).status_code == 302


@pytest.mark.parametrize("wrong", ["CARL@clinic.example", "olga@clinic.example", "x", ""])
def test_an_administrator_is_told_what_is_wrong_with_an_address(clinic, adam, wrong):
    answer = save(adam, at(clinic.olga), email=wrong)
    assert (answer.status_code, bool(answer.context["form"].errors)) == (422, True)
    assert (of_olga(clinic), mail.outbox) == (changed_to("olga@clinic.example"), [])


def test_an_administrators_own_address_needs_the_link_unless_there_is_no_mail(clinic, adam, settings):
    refused = save(adam, at(clinic.adam), email="adam.new@clinic.example")
    assert (refused.status_code, "under Account and security" in refused.text) == (422, True)
    settings.EMAIL_BACKEND = DUMMY
    assert save(adam, at(clinic.adam), email="adam.new@clinic.example").status_code == 302
    assert adam.get(OWN).status_code == 200, "and stays signed in"
    assert sign_in(Browser(), "adam.new@clinic.example")


@pytest.mark.django_db(transaction=True)
def test_two_who_take_one_address_at_once_do_not_both_get_it():
    adam, olga, carl = cast.people(("Adam", Role.ADMINISTRATOR), ("Olga", None), ("Carl", None))
    start, said = Barrier(3), []

    def take(write):
        try:
            start.wait(10)
            write()
            said.append("taken")
        except Refused as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    writes = [
        lambda: email_addresses.change_email(person=olga, email=NEW, by=olga),
        lambda: staff_actions.change_email(person=carl, email=NEW.upper(), by=adam),
        lambda: staff_actions.add_person(email=NEW, name="Nora", roles=set(), by=adam),
    ]
    threads = [Thread(target=take, args=(write,)) for write in writes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said.count("taken") == 1, said
    assert len(said) == 3, said
    assert User.objects.filter(email__iexact=NEW).count() == 1
    assert EmailAddress.objects.filter(email__iexact=NEW).count() == 1
