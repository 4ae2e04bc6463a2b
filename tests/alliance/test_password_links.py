"""Links for a password: one at a time, for its time, and never beside a password that was chosen since."""

import re

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from alliance.models import Role
from clients import staff_actions
from tests import cast
from tests.alliance.sign_in import sign_in

pytestmark = pytest.mark.django_db
NEW = "a heron over quiet water"


def is_good(link: str) -> bool:
    return Browser().get(link).status_code == 302


def asked_for(person) -> str:
    """The link that the sign-in page sends."""
    Browser().post(reverse("account_reset_password"), {"email": person.email})
    return re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)[1]


def invited(person, by) -> str:
    return staff_actions.invite(person=person, by=by)


def test_an_earlier_invitation_lives_on_no_longer(clinic):
    """Also of somebody who has a password, which neither of the links has changed."""
    for person in (
        clinic.olga,
        cast.add_person(email="n@clinic.example", name="N", roles=set(), by=clinic.adam),
    ):
        first, second = invited(person, clinic.adam), invited(person, clinic.adam)
        assert [is_good(first), is_good(second)] == [False, True]


def test_a_link_that_one_asks_for_ends_the_invitation_and_the_other_way_round(clinic):
    invitation, reset = invited(clinic.olga, clinic.adam), asked_for(clinic.olga)
    clinic.olga.refresh_from_db()
    assert [is_good(invitation), is_good(reset)] == [False, True]
    invitation = invited(clinic.olga, clinic.adam)
    assert [is_good(invitation), is_good(reset)] == [True, False]


def test_a_link_from_the_sign_in_page_is_good_for_an_hour_and_no_longer(clinic, time_machine):
    time_machine.move_to("2026-03-02 09:00:00+00:00", tick=False)
    link = asked_for(clinic.olga)
    assert "one hour" in mail.outbox[-1].body
    time_machine.move_to("2026-03-02 09:59:00+00:00", tick=False)
    assert is_good(link)
    time_machine.move_to("2026-03-02 10:01:00+00:00", tick=False)
    assert not is_good(link)


def test_once_a_password_was_chosen_an_invitation_is_void(clinic):
    link = invited(clinic.olga, clinic.adam)
    assert is_good(link), "control"
    clinic.olga.set_password(NEW)
    clinic.olga.save(update_fields=["password"])
    assert not is_good(link)


def test_who_may_not_sign_in_any_more_has_no_good_link(clinic):
    link = invited(clinic.olga, clinic.adam)
    clinic.olga.is_active = False
    clinic.olga.save(update_fields=["is_active"])
    assert not is_good(link)


class TestTheLastAdministrator:
    """Counts only those who can sign in: who was invited and never came lets nobody in."""

    def leave(self, clinic):
        staff_actions.change_person(
            person=clinic.adam, name="Adam", roles={Role.THERAPIST}, is_active=True, by=clinic.adam
        )

    def test_one_who_never_came_is_no_second_administrator(self, clinic):
        never = staff_actions.add_person(
            email="never@clinic.example", name="Never", roles={Role.ADMINISTRATOR}, by=clinic.adam
        )
        with pytest.raises(staff_actions.Refused, match="only administrator who can sign in"):
            self.leave(clinic)
        never.set_password(NEW)
        never.save()
        self.leave(clinic)

    def test_nor_one_who_still_owes_the_second_factor(self, clinic, settings):
        settings.SECOND_FACTOR_REQUIRED = True
        cast.person("Bea", Role.ADMINISTRATOR)
        with pytest.raises(staff_actions.Refused, match="only administrator who can sign in"):
            self.leave(clinic)


# --- Passwords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "guessable",
    [
        *("aaaaaaaaaaaa", "123456789012", "abcabcabcabc", "qwertyuiop12", "password2026", "P@ssw0rd1234"),
        *("olgaolgaolga", "Olga.clinic.example", "sessionalliance", "a" * 4000),
    ],
)
def test_a_password_that_is_long_and_easy_to_guess_is_refused_in_a_sentence(clinic, guessable):
    browser = Browser()
    form = browser.get(invited(clinic.olga, clinic.adam))
    answer = browser.post(form.url, {"password1": guessable, "password2": guessable})
    assert answer.status_code == 200
    assert "easy to guess" in answer.text or "too similar" in answer.text or "too common" in answer.text
    assert not sign_in(Browser(), clinic.olga.email, guessable)


@pytest.mark.parametrize("good", [NEW, cast.PASSWORD, "lantern-river-maple-27", "Wx7!kd93-pfQ2"])
def test_words_that_do_not_belong_together_are_taken(clinic, good):
    browser = Browser()
    form = browser.get(invited(clinic.olga, clinic.adam))
    assert browser.post(form.url, {"password1": good, "password2": good}).status_code == 302
    assert sign_in(Browser(), clinic.olga.email, good)
