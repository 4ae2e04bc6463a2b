"""The site was started with another key: nobody gets in with less than before, and everybody is told what to do."""

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.test import Client as Browser
from django.urls import reverse

from alliance.lost_key import CannotBeOpened, passing_over
from tests.alliance.sign_in import SECRET, code, give_an_app, leads_in, sign_in

pytestmark = pytest.mark.django_db
ANEW = "set up your second factor anew"


@pytest.fixture
def lost(settings):
    """To be called when the second factor is set up."""

    def lose():
        settings.SECRET_KEY = "another-" + "x" * 60

    return lose


def at_the_code(person):
    browser = Browser()
    assert not sign_in(browser, person.email)
    return browser


def give_codes(person):
    sealed = {"seed": get_adapter().encrypt("a" * 80), "used_mask": 0}
    row = Authenticator.objects.create(user=person, type=Authenticator.Type.RECOVERY_CODES, data=sealed)
    return row.wrap().get_unused_codes()


def test_lost_key_says_to_set_up_the_second_factor_anew(clinic, lost):
    give_an_app(clinic.olga)
    (recovery, *_) = give_codes(clinic.olga)
    assert leads_in(at_the_code(clinic.olga).post(reverse("mfa_authenticate"), {"code": code()}))

    lost()
    browser = at_the_code(clinic.olga)
    for typed in (code(1), recovery, "000000"):
        answer = browser.post(reverse("mfa_authenticate"), {"code": typed})
        assert (answer.status_code, ANEW in answer.text, leads_in(answer)) == (200, True, False)
    assert browser.get(reverse("dashboard:work_list")).status_code == 302, "the password alone opens nothing"


def test_once_the_factor_is_removed_a_new_one_can_be_set_up(clinic, lost):
    give_an_app(clinic.olga)
    lost()
    Authenticator.objects.filter(user=clinic.olga).delete()  # as an administrator does on Clinic
    give_an_app(clinic.olga)
    assert leads_in(at_the_code(clinic.olga).post(reverse("mfa_authenticate"), {"code": code()}))


def test_a_code_that_was_sealed_later_still_lets_in(clinic, settings):
    """The former key was taken out too early: the app is from before, the recovery codes are not."""
    give_an_app(clinic.olga)
    settings.SECRET_KEY = "another-" + "x" * 60
    recovery = give_codes(clinic.olga)[0]
    browser = at_the_code(clinic.olga)
    assert ANEW in browser.post(reverse("mfa_authenticate"), {"code": code()}).text
    assert leads_in(browser.post(reverse("mfa_authenticate"), {"code": recovery}))


def test_the_page_of_the_second_factor_says_it_too(clinic, lost, client):
    def sign_in(person):
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    give_an_app(clinic.olga)
    give_codes(clinic.olga)
    assert sign_in(clinic.olga).get(reverse("mfa_index")).status_code == 200
    lost()
    browser = sign_in(clinic.olga)
    answer = browser.get(reverse("mfa_index"))
    assert (answer.status_code, ANEW in answer.text) == (409, True)


def test_a_secret_that_cannot_be_opened_fits_no_code_that_anybody_knows(clinic, lost):
    sealed = get_adapter().encrypt(SECRET)
    lost()
    with pytest.raises(CannotBeOpened):
        get_adapter().decrypt(sealed)
    with passing_over() as noted:
        drawn = {get_adapter().decrypt(sealed) for _ in range(5)}
    assert (len(drawn), len(noted), SECRET in drawn) == (5, 5, False)
    with pytest.raises(CannotBeOpened):
        get_adapter().decrypt(sealed)
