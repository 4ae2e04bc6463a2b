"""The administrator's pages: staff and supervision. Nobody else reaches them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role, User
from clients import staff_actions
from clients.models import Episode, Supervision
from tests import cast
from tests.opened import save

pytestmark = pytest.mark.django_db


def page(name, *args, query=""):
    return reverse(f"clinic:{name}", args=args) + query


def day(offset):
    return (timezone.localdate() + timedelta(days=offset)).isoformat()


def every_page(clinic):
    supervision = Supervision.objects.get(supervisor=clinic.sina)
    return [
        *(
            page(name)
            for name in ("people", "add_person", "supervision", "start_supervision", "log", "export_log")
        ),
        *(
            page(name, clinic.olga.pk)
            for name in ("person", "change_email", "invite", "end_sign_ins", "remove_second_factor")
        ),
        page("end_supervision", supervision.code),
    ]


# --- Who reaches them ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["olga", "carl", "sina", "stefan", "strange"])
def test_only_an_administrator_reaches_the_clinic(clinic, sign_in, who):
    browser = sign_in(getattr(clinic, who))
    people = list(User.objects.values())
    for url in every_page(clinic):
        assert browser.get(url).status_code == 403, url
        assert browser.post(url).status_code in {403, 405}, url
    assert list(User.objects.values("pk", "is_active", "password")) == [
        {name: person[name if name != "pk" else "id"] for name in ("pk", "is_active", "password")}
        for person in people
    ]


def test_nobody_signed_in_is_led_to_the_sign_in(clinic, client):
    for url in every_page(clinic):
        assert client.get(url).url.startswith(reverse("account_login")), url


def test_an_administrator_reaches_every_page(clinic, administrator):
    for url in every_page(clinic):
        assert administrator.get(url).status_code == 200, url
    for name in ("person", "invite", "end_sign_ins", "remove_second_factor", "end_supervision"):
        assert administrator.get(page(name, uuid4())).status_code == 404


def test_what_changes_people_asks_again_who_it_is_and_looking_does_not(clinic, sign_in):
    browser = sign_in(clinic.adam)
    before = list(User.objects.values())
    for url in every_page(clinic):
        assert browser.get(url).status_code == 200, url
        answer = browser.post(url)
        if answer.status_code != 405:
            assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("account_reauthenticate"))
    assert list(User.objects.values()) == before


def test_what_was_typed_survives_the_question_who_it_is(clinic, sign_in):
    browser = sign_in(clinic.adam)
    form = {"name": "Nora", "email": "nora@clinic.example", "roles": ["therapist"]}
    asked = browser.post(page("add_person"), form)
    assert not User.objects.filter(name="Nora").exists()
    answer = browser.post(asked.url, {"password": cast.PASSWORD})
    assert "Nora is invited" in answer.text
    assert User.objects.get(name="Nora").roles == [Role.THERAPIST]


def test_who_lost_the_role_meanwhile_is_refused_after_the_question(clinic, sign_in):
    eve = cast.person("Eve", Role.ADMINISTRATOR)
    browser = sign_in(eve)
    asked = browser.post(
        page("add_person"), {"name": "N", "email": "n@clinic.example", "roles": ["therapist"]}
    )
    staff_actions.change_person(
        person=eve, name="Eve", roles={Role.THERAPIST}, is_active=True, by=clinic.adam
    )
    assert browser.post(asked.url, {"password": cast.PASSWORD}).status_code == 403
    assert not User.objects.filter(email="n@clinic.example").exists()


# --- People --------------------------------------------------------------------------------------


def test_the_list_tells_who_may_sign_in_and_with_what(clinic, sign_in):
    Authenticator.objects.create(user=clinic.olga, type=Authenticator.Type.TOTP, data={})
    User.objects.filter(pk=clinic.carl.pk).update(is_active=False)
    staff_actions.add_person(email="nora@clinic.example", name="Nora", roles=set(), by=clinic.adam)
    browser = sign_in(clinic.adam)
    response = browser.get(page("people"))
    told = {person.name: person.has_second_factor for person in response.context["people"]}
    assert told == {name: name == "Olga" for name in told}
    assert list(told)[-1] == "Carl", "who may not sign in comes last"
    for words in ("May not sign in", "Invited", "Set up", "never"):
        assert words in response.text
    assert [person.name for person in browser.get(page("people", query="?q=OLG")).context["people"]] == [
        "Olga"
    ]
    assert "Nobody matches" in browser.get(page("people", query="?q=zzz")).text


@pytest.mark.parametrize("name", ["people", "supervision"])
def test_thirty_people_cost_no_more_queries_than_three(clinic, sign_in, name):
    browser = sign_in(clinic.adam)

    def queries():
        browser.get(page(name))
        with CaptureQueriesContext(connection) as captured:
            browser.get(page(name))
        return len(captured)

    few = queries()
    for number in range(30):
        therapist = cast.person(f"T{number}", Role.THERAPIST)
        if number % 2:
            Supervision.objects.create(supervisor=clinic.sina, therapist=therapist, starts_on=cast.STARTED)
    assert queries() == few


def test_a_person_is_changed(clinic, administrator):
    url = page("person", clinic.strange.pk)
    form = {"name": "Stranger", "roles": ["therapist", "supervisor"], "is_active": "on"}
    assert administrator.post(url, {**form, "name": ""}).status_code == 422
    assert administrator.post(url, {**form, "roles": ["superuser"]}).status_code == 422
    assert save(administrator, url, **form).url == page("people")
    clinic.strange.refresh_from_db()
    assert (clinic.strange.name, clinic.strange.roles) == ("Stranger", [Role.THERAPIST, Role.SUPERVISOR])


def test_the_last_administrator_is_told_why_they_stay(clinic, administrator):
    url = page("person", clinic.adam.pk)
    response = save(administrator, url, name="Ada", roles=["therapist"], is_active="on")
    assert response.status_code == 422
    assert "This is the only administrator who can sign in." in response.text
    assert 'value="Ada"' in response.text
    cast.person("Eve", Role.ADMINISTRATOR)
    assert save(administrator, url, name="Ada", roles=[], is_active="on").url == reverse("home")
    assert administrator.get(page("people")).status_code == 403


def test_a_disabled_person_is_out_on_the_next_request(clinic, administrator):
    browser = type(administrator)()
    browser.post(reverse("account_login"), {"login": clinic.olga.email, "password": cast.PASSWORD})
    assert browser.get(reverse("clients:list")).status_code == 200
    text = administrator.get(page("person", clinic.olga.pk)).text
    assert "1 open episode" in text
    leaves = {"name": "Olga", "roles": ["therapist"]}
    assert save(administrator, page("person", clinic.olga.pk), **leaves).status_code == 422
    save(administrator, page("person", clinic.olga.pk), **leaves, successor=clinic.carl.pk)
    assert browser.get(reverse("clients:list")).url.startswith(reverse("account_login"))
    again = browser.post(reverse("account_login"), {"login": clinic.olga.email, "password": cast.PASSWORD})
    assert again.status_code == 302
    assert again.url == reverse("account_inactive")
    assert not Episode.objects.visible_to(User.objects.get(pk=clinic.olga.pk)).exists()


def test_a_second_factor_is_removed_after_a_question(clinic, administrator):
    url = page("remove_second_factor", clinic.olga.pk)
    assert administrator.post(url).status_code == 422
    Authenticator.objects.create(user=clinic.olga, type=Authenticator.Type.TOTP, data={})
    assert "Remove the second factor of Olga?" in administrator.get(url).text
    assert save(administrator, url).url == page("people")
    assert AuditEvent.objects.filter(action="second factor removed").count() == 1


def test_an_administrator_signs_one_person_out_everywhere(clinic, administrator):
    olga, elsewhere, carl = (sign_in_of(who) for who in (clinic.olga, clinic.olga, clinic.carl))
    UserSession.objects.filter(user=clinic.olga).first().delete()  # one that her own list does not have
    url = page("end_sign_ins", clinic.olga.pk)
    assert url in administrator.get(page("person", clinic.olga.pk)).text
    assert "Sign Olga out everywhere?" in administrator.get(url).text
    assert olga.get(reverse("clients:list")).status_code == 200, "asking ends nothing"
    for _ in range(2):
        assert administrator.post(url).url == page("person", clinic.olga.pk)
    assert {one.get(reverse("clients:list")).status_code for one in (olga, elsewhere)} == {302}
    assert carl.get(reverse("clients:list")).status_code == 200
    line = AuditEvent.objects.filter(action="sign-ins ended").first()
    assert (line.actor, line.entity_code) == (clinic.adam.pk, clinic.olga.pk)
    # Nothing else was taken away.
    again = sign_in_of(clinic.olga)
    assert again.get(reverse("clients:list")).status_code == 200
    own = page("end_sign_ins", clinic.adam.pk)
    assert own not in administrator.get(page("person", clinic.adam.pk)).text
    assert "Account and security" in administrator.post(own).text


def sign_in_of(person):
    browser = Browser()
    browser.post(reverse("account_login"), {"login": person.email, "password": cast.PASSWORD})
    return browser


# --- Supervision ---------------------------------------------------------------------------------


def test_who_supervises_whom_now_and_before(clinic, sign_in):
    Supervision.objects.create(
        supervisor=clinic.sina,
        therapist=clinic.carl,
        starts_on=cast.STARTED,
        ends_on=timezone.localdate() - timedelta(days=1),
    )
    browser = sign_in(clinic.adam)
    now, over = browser.get(page("supervision")), browser.get(page("supervision", query="?show=over"))
    pairs = [[str(one) for one in response.context["supervisions"]] for response in (now, over)]
    assert pairs == [["Sina supervises Olga", "Stefan supervises Carl"], ["Sina supervises Carl"]]


def test_a_therapist_whom_nobody_supervises_is_named(clinic, sign_in):
    browser = sign_in(clinic.adam)
    warning = "Without a supervisor today"
    assert warning not in browser.get(page("supervision")).text
    User.objects.filter(pk=clinic.sina.pk).update(is_supervisor=False)
    text = browser.get(page("supervision")).text
    assert f"{warning}: Olga." in text
    assert "sees no clients" in text
    for number in range(12):
        cast.person(f"T{number:02}", Role.THERAPIST)
    assert "and others." in browser.get(page("supervision")).text


def test_a_supervision_is_started_and_ended(clinic, administrator):
    form = {"supervisor": clinic.stefan.pk, "therapist": clinic.olga.pk, "starts_on": day(0)}
    assert administrator.post(page("start_supervision"), form).url == page("supervision")
    again = administrator.post(page("start_supervision"), form)
    assert again.status_code == 422
    assert "Stefan supervises Olga already." in again.text
    assert (
        administrator.post(page("start_supervision"), {**form, "supervisor": clinic.carl.pk}).status_code
        == 422
    )
    one = Supervision.objects.get(supervisor=clinic.stefan, therapist=clinic.olga)
    ending = page("end_supervision", one.code)
    assert save(administrator, ending, last_day=day(-2)).status_code == 422
    assert save(administrator, ending, last_day=day(0)).status_code == 302
    one.refresh_from_db()
    assert one.ends_on == timezone.localdate()


@pytest.mark.parametrize("name", ["end_supervision", "correct_supervision"])
def test_what_is_pressed_about_a_supervision_that_was_taken_back_is_answered_with_a_sentence(
    clinic, administrator, name
):
    one = Supervision.objects.get(supervisor=clinic.sina)
    url = page(name, one.code)
    assert administrator.get(url).status_code == 200
    one.delete()
    answer = administrator.post(url, {"last_day": day(0), "starts_on": day(0), "why": "x"}, follow=True)
    assert answer.redirect_chain == [(page("supervision"), 302)]
    assert "taken back meanwhile, as if it had never been" in answer.text
    assert administrator.get(url).status_code == 404


def test_a_supervision_is_corrected_on_its_page(clinic, administrator):
    one = Supervision.objects.get(supervisor=clinic.sina)
    url = page("correct_supervision", one.code)
    assert save(administrator, url, starts_on=day(-9), ends_on="", why=" ").status_code == 422
    done = save(administrator, url, starts_on=day(-9), ends_on="", why="It began later")
    assert done.url == page("supervision")
    one.refresh_from_db()
    assert (one.starts_on, one.ends_on) == (timezone.localdate() - timedelta(days=9), None)
    assert "It began later" in administrator.get(url).text
