"""The writes about people: what is done and logged, and what is refused with a sentence."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import actions, day_actions, staff_actions, supervision_actions
from clients.models import Client, ClientQuerySet, Ending, Episode, Supervision
from tests import cast

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def logged(action):
    return AuditEvent.objects.filter(action=action)


def refused(match, action, **arguments):
    """Refused with a sentence, and nothing was written, not even to the log."""
    before = AuditEvent.objects.count()
    with pytest.raises(Refused, match=match) as refusal:
        action(**arguments)
    assert AuditEvent.objects.count() == before
    assert str(refusal.value).endswith(".")


# --- Staff ---------------------------------------------------------------------------------------


def test_a_person_is_added_once_whatever_the_case_of_the_address(clinic):
    nora = {"email": "Nora@clinic.example", "name": "Nora", "roles": {Role.THERAPIST}, "by": clinic.adam}
    person = staff_actions.add_person(**nora)
    assert (person.email, person.roles, person.has_usable_password()) == (
        "nora@clinic.example",
        [Role.THERAPIST],
        False,
    )
    assert logged("person added").first().entity_code == person.pk
    refused("already exists", staff_actions.add_person, **nora)
    refused("valid e?-?mail", staff_actions.add_person, **{**nora, "email": "nobody"})


def pressed_at_once(monkeypatch, rows, look, press):
    """What the first of two presses of one form makes, where the other one comes after its look at what is there."""
    looks, before = getattr(rows, look), []

    def looks_then_is_overtaken(self, *arguments, **options):
        found = looks(self, *arguments, **options)
        if not before:
            before.append(None)
            before.append(press())
        return found

    monkeypatch.setattr(rows, look, looks_then_is_overtaken)
    outcome = press()
    assert len(before) == 2
    return before[1], outcome


def test_the_same_press_twice_at_once_adds_one_person(clinic, monkeypatch):
    nora = {"email": "nora@clinic.example", "name": "Nora", "roles": {Role.THERAPIST}, "by": clinic.adam}
    key = uuid4()
    rows = type(User.objects.all())
    first, second = pressed_at_once(
        monkeypatch, rows, "first", lambda: staff_actions.add_person(**nora, form_key=key)
    )
    assert first == second == User.objects.get(email=nora["email"])
    assert logged("person added").filter(entity_code=first.pk).count() == 1


def test_two_who_add_one_address_at_once_add_it_once(clinic, monkeypatch):
    """Both looked before either wrote, so only the database can tell."""
    monkeypatch.setattr(User, "full_clean", lambda self, **_: None)
    nora = {"email": "nora@clinic.example", "name": "Nora", "roles": {Role.THERAPIST}, "by": clinic.adam}
    staff_actions.add_person(**nora, form_key=uuid4())
    refused("on the list already", staff_actions.add_person, **{**nora, "name": "N."}, form_key=uuid4())
    assert User.objects.get(email=nora["email"]).name == "Nora"


def test_the_cast_is_as_people_become_who_are_added(clinic):
    """`cast.people` writes its rows itself, for speed."""

    def written(person):
        fields = {f.attname: f.value_from_object(person) for f in person._meta.fields}
        (address,) = person.emailaddress_set.all()
        (event,) = logged("person added").filter(entity_code=person.pk)
        by_chance = ("id", "joined_at", "draft_salt")
        for each in (*by_chance, "name", "name_key", "name_look", "email", "password"):
            del fields[each]
        return (
            fields,
            (address.verified, address.primary, address.email == person.email),
            event.actor,
            event.detail,
        )

    added = cast.person("Otto", Role.THERAPIST)
    assert added.check_password(cast.PASSWORD)
    assert clinic.olga.check_password(cast.PASSWORD)
    assert written(added) == written(clinic.olga)


def test_roles_change_and_the_last_administrator_stays(clinic):
    keep = {"name": "Adam", "by": clinic.adam}
    for roles, is_active in (({Role.THERAPIST}, True), ({Role.ADMINISTRATOR}, False), (set(), False)):
        refused(
            "only administrator",
            staff_actions.change_person,
            person=clinic.adam,
            roles=roles,
            is_active=is_active,
            **keep,
        )
    eve = cast.person("Eve", Role.ADMINISTRATOR)
    staff_actions.change_person(
        person=clinic.adam, roles={Role.SUPERVISOR}, is_active=True, name="Ada", by=eve
    )
    clinic.adam.refresh_from_db()
    assert (clinic.adam.name, clinic.adam.roles) == ("Ada", [Role.SUPERVISOR])
    refused(
        "only administrator",
        staff_actions.change_person,
        person=eve,
        name="Eve",
        roles=set(),
        is_active=True,
        by=eve,
    )


def test_an_administrator_who_may_not_sign_in_does_not_count_as_one_left(clinic):
    eve = cast.person("Eve", Role.ADMINISTRATOR)
    staff_actions.change_person(
        person=eve, name="Eve", roles={Role.ADMINISTRATOR}, is_active=False, by=clinic.adam
    )
    refused(
        "only administrator",
        staff_actions.change_person,
        person=clinic.adam,
        name="Adam",
        roles=set(),
        is_active=True,
        by=clinic.adam,
    )


def test_to_disable_a_person_ends_their_sessions_and_no_one_elses(clinic):
    olga, carl = Browser(), Browser()
    for browser, person in ((olga, clinic.olga), (carl, clinic.carl)):
        browser.post(reverse("account_login"), {"login": person.email, "password": cast.PASSWORD})
        assert browser.get(reverse("clients:list")).status_code == 200
    leave = {"person": clinic.olga, "name": "Olga", "roles": {Role.THERAPIST}, "is_active": False}
    staff_actions.change_person(**leave, successor=clinic.carl, by=clinic.adam)
    assert not olga.session.exists(olga.cookies["session"].value)
    assert [one.user for one in UserSession.objects.all()] == [clinic.carl]
    assert olga.get(reverse("clients:list")).status_code == 302
    assert carl.get(reverse("clients:list")).status_code == 200


def test_an_earlier_invitation_becomes_void_until_a_password_is_chosen(clinic, client):
    nora = staff_actions.add_person(email="nora@clinic.example", name="Nora", roles=set(), by=clinic.adam)
    first, second = (staff_actions.invite(person=nora, by=clinic.adam) for _ in range(2))
    assert client.get(first).status_code == 200  # the page that says so
    assert client.get(second).status_code == 302
    assert logged("invited").count() == 2
    for_olga = staff_actions.invite(person=clinic.olga, by=clinic.adam)
    assert client.get(for_olga).status_code == 302
    clinic.olga.refresh_from_db()
    assert clinic.olga.check_password(cast.PASSWORD), "an invitation alone takes no password away"
    clinic.olga.is_active = False
    refused("may not sign in", staff_actions.invite, person=clinic.olga, by=clinic.adam)


def test_a_lost_second_factor_is_removed_by_somebody_else(clinic):
    for person in (clinic.olga, clinic.adam):
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    staff_actions.remove_second_factor(person=clinic.olga, by=clinic.adam)
    assert not Authenticator.objects.filter(user=clinic.olga).exists()
    assert logged("second factor removed").get().entity_code == clinic.olga.pk
    refused("no second factor", staff_actions.remove_second_factor, person=clinic.olga, by=clinic.adam)
    refused("your own", staff_actions.remove_second_factor, person=clinic.adam, by=clinic.adam)
    assert Authenticator.objects.filter(user=clinic.adam).exists()


# --- Supervision ---------------------------------------------------------------------------------


def test_a_supervision_starts_between_a_supervisor_and_a_therapist(clinic):
    start = {"starts_on": TODAY(), "by": clinic.adam}
    made = supervision_actions.start_supervision(supervisor=clinic.stefan, therapist=clinic.olga, **start)
    assert Episode.objects.visible_to(clinic.stefan).filter(pk=clinic.olgas.pk).exists()
    assert logged("supervision started").get().detail == {
        "supervisor": str(clinic.stefan.pk),
        "therapist": str(clinic.olga.pk),
    }
    for supervisor, therapist, why in (
        (clinic.stefan, clinic.olga, "already"),
        (clinic.olga, clinic.olga, "themselves"),
        (clinic.carl, clinic.olga, "not a supervisor"),
        (clinic.stefan, clinic.adam, "not a therapist"),
    ):
        refused(
            why, supervision_actions.start_supervision, supervisor=supervisor, therapist=therapist, **start
        )
    assert Supervision.objects.filter(pk=made.pk, ends_on=None).exists()


def test_a_supervision_ends_after_its_last_day(clinic):
    one = Supervision.objects.get(supervisor=clinic.sina)
    end = {"supervision": one, "by": clinic.adam}
    refused(
        "before it starts",
        supervision_actions.end_supervision,
        last_day=cast.STARTED - timedelta(days=2),
        **end,
    )
    supervision_actions.end_supervision(last_day=TODAY(), **end)
    assert Episode.objects.visible_to(clinic.sina).exists()
    supervision_actions.end_supervision(last_day=TODAY() - timedelta(days=1), **end)
    assert not Episode.objects.visible_to(clinic.sina).exists()
    refused("over already", supervision_actions.end_supervision, last_day=TODAY(), **end)


def test_the_last_day_that_stands_is_not_written_again(clinic):
    one = Supervision.objects.get(supervisor=clinic.sina)
    for _ in range(2):
        supervision_actions.end_supervision(supervision=one, last_day=TODAY(), by=clinic.adam)
    assert logged("supervision ended").count() == 1


def test_a_supervision_that_was_taken_back_meanwhile_is_neither_ended_nor_corrected(clinic):
    made = supervision_actions.start_supervision(
        supervisor=clinic.sina, therapist=clinic.carl, starts_on=TODAY(), by=clinic.adam
    )
    stale = Supervision.objects.get(pk=made.pk)
    yesterday = TODAY() - timedelta(days=1)
    supervision_actions.end_supervision(supervision=made, last_day=yesterday, by=clinic.adam)
    end, correct = supervision_actions.end_supervision, day_actions.correct_supervision
    refused("taken back meanwhile", end, supervision=stale, last_day=TODAY(), by=clinic.adam)
    refused("taken back meanwhile", correct, supervision=stale, starts_on=yesterday, why="x", by=clinic.adam)


def test_a_correction_does_not_make_two_supervisions_of_a_pair_that_go_on(clinic):
    one = Supervision.objects.get(supervisor=clinic.sina)
    supervision_actions.end_supervision(supervision=one, last_day=TODAY(), by=clinic.adam)
    supervision_actions.start_supervision(
        supervisor=clinic.sina, therapist=clinic.olga, starts_on=TODAY() + timedelta(days=1), by=clinic.adam
    )
    refused(
        "Sina supervises Olga already. Give this one a last day",
        day_actions.correct_supervision,
        supervision=one,
        starts_on=cast.STARTED,
        why="x",
        by=clinic.adam,
    )
    assert Supervision.objects.get(pk=one.pk).ends_on == TODAY()


def test_a_supervision_that_was_a_mistake_ends_at_once(clinic):
    begun = supervision_actions.start_supervision(
        supervisor=clinic.sina, therapist=clinic.carl, starts_on=TODAY(), by=clinic.adam
    )
    assert clinic.carls in Episode.objects.visible_to(clinic.sina)
    supervision_actions.end_supervision(
        supervision=begun, last_day=TODAY() - timedelta(days=1), by=clinic.adam
    )
    assert clinic.carls not in Episode.objects.visible_to(clinic.sina)
    assert AuditEvent.objects.filter(action="supervision ended").exists()


# --- Clients and episodes ------------------------------------------------------------------------


def test_a_client_is_registered_with_a_first_episode_or_not_at_all(clinic):
    new = {"label": "K-9", "language": "en", "age_band": "adult", "opened_on": TODAY(), "by": clinic.adam}
    episode = actions.register_client(therapist=clinic.olga, **new)
    assert (episode.client.label, episode.therapist, episode.is_open) == ("K-9", clinic.olga, True)
    assert {logged(one).get().client for one in ("client registered", "episode opened")} == {
        episode.client.code
    }
    refused("not a therapist", actions.register_client, therapist=clinic.sina, **{**new, "label": "K-10"})
    assert not Client.objects.filter(label="K-10").exists()


def test_the_same_press_twice_at_once_registers_one_client(clinic, monkeypatch):
    new = {"label": "K-9", "language": "en", "age_band": "adult", "opened_on": TODAY(), "by": clinic.olga}
    key = uuid4()
    first, second = pressed_at_once(
        monkeypatch,
        ClientQuerySet,
        "exists",
        lambda: actions.register_client(therapist=clinic.olga, **new, form_key=key),
    )
    assert first == second
    assert Client.objects.filter(label="K-9").count() == logged("client registered").count() == 1


def test_the_details_of_a_client_change_and_the_log_holds_no_label(clinic):
    actions.change_client(
        client=clinic.olgas.client, label="Zebra", language="en", age_band="child", by=clinic.olga
    )
    assert Client.objects.get(label="Zebra").age_band == "child"
    assert "Zebra" not in str(logged("client changed").values())


def test_an_episode_closes_once_and_reopens(clinic):
    close = {"episode": clinic.olgas, "ending": Ending.PLANNED, "by": clinic.olga}
    refused("before it was opened", actions.close_episode, closed_on=date(2025, 1, 1), **close)
    actions.close_episode(closed_on=TODAY(), **close)
    refused("closed already", actions.close_episode, closed_on=TODAY(), **close)
    actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
    clinic.olgas.refresh_from_db()
    assert (clinic.olgas.closed_on, clinic.olgas.ending) == (None, "")
    refused("is open", actions.reopen_episode, episode=clinic.olgas, by=clinic.olga)
    assert [logged(f"episode {what}").count() for what in ("closed", "reopened")] == [1, 1]


def test_what_a_second_tab_believes_does_not_close_an_episode_twice(clinic):
    stale = Episode.objects.get(pk=clinic.olgas.pk)
    actions.close_episode(episode=clinic.olgas, closed_on=TODAY(), ending=Ending.UNPLANNED, by=clinic.olga)
    refused(
        "closed already",
        actions.close_episode,
        episode=stale,
        closed_on=TODAY(),
        ending=Ending.PLANNED,
        by=clinic.olga,
    )
    assert Episode.objects.get(pk=stale.pk).ending == Ending.UNPLANNED


def test_days_are_not_corrected_of_an_episode_that_was_closed_or_reopened_meanwhile(clinic):
    stale = Episode.objects.get(pk=clinic.olgas.pk)
    correct = {"opened_on": cast.STARTED - timedelta(days=1), "why": "x", "by": clinic.olga}
    actions.close_episode(episode=clinic.olgas, closed_on=TODAY(), ending=Ending.PLANNED, by=clinic.olga)
    refused("closed or reopened meanwhile", day_actions.correct_days, episode=stale, **correct)
    actions.reopen_episode(episode=clinic.olgas, by=clinic.olga)
    refused("closed or reopened", day_actions.correct_days, episode=stale, closed_on=TODAY(), **correct)
    assert Episode.objects.get(pk=stale.pk).opened_on == cast.STARTED


def test_a_pair_has_one_open_episode(clinic):
    again = {"client": clinic.olgas.client, "therapist": clinic.olga, "opened_on": TODAY(), "by": clinic.olga}
    refused("in therapy with Olga already", actions.open_episode, **again)
    actions.close_episode(episode=clinic.olgas, closed_on=TODAY(), ending=Ending.PLANNED, by=clinic.olga)
    actions.open_episode(**again)
    refused("again already", actions.reopen_episode, episode=clinic.olgas, by=clinic.olga)


def test_a_transfer_closes_one_episode_and_opens_another(clinic):
    move = {"episode": clinic.olgas, "on": TODAY(), "by": clinic.adam}
    refused("with Olga already", cast.transfer, therapist=clinic.olga, **move)
    refused("not a therapist", cast.transfer, therapist=clinic.sina, **move)
    clinic.olgas.refresh_from_db()
    assert clinic.olgas.is_open, "a refused transfer leaves everything as it was"
    new = cast.transfer(therapist=clinic.carl, **move)
    clinic.olgas.refresh_from_db()
    assert (clinic.olgas.ending, new.therapist, new.opened_on) == (Ending.TRANSFERRED, clinic.carl, TODAY())
    assert not Episode.objects.visible_to(clinic.carl).filter(pk=clinic.olgas.pk).exists()
    assert not Episode.objects.visible_to(clinic.olga).filter(pk=new.pk).exists()


def test_only_an_administrator_takes_a_transfer_back(clinic):
    cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=TODAY(), by=clinic.adam)
    again = {"client": clinic.olgas.client, "therapist": clinic.olga, "opened_on": TODAY()}
    refused("was transferred", actions.reopen_episode, episode=clinic.olgas, by=clinic.olga)
    refused("was transferred", actions.open_episode, by=clinic.olga, **again)
    actions.open_episode(by=clinic.adam, **again)


def test_who_left_the_clinic_manages_no_client(clinic):
    """Neither by what they are to the client nor by what they were to the clinic."""
    assert list(Episode.objects.managed_by(clinic.olga)) == [clinic.olgas]
    for change in ({"is_active": False}, {"is_active": True, "is_therapist": False}):
        User.objects.filter(pk=clinic.olga.pk).update(**change)
        left = User.objects.get(pk=clinic.olga.pk)
        assert not Episode.objects.managed_by(left).exists()
        assert not Episode.objects.treated_by(left).exists()
    User.objects.filter(pk=clinic.adam.pk).update(is_active=False)
    assert not Episode.objects.managed_by(User.objects.get(pk=clinic.adam.pk)).exists()


def test_who_left_the_clinic_gets_no_client(clinic):
    User.objects.filter(pk=clinic.carl.pk).update(is_active=False)
    clinic.carl.refresh_from_db()
    refused(
        "not a therapist who may sign in",
        cast.transfer,
        episode=clinic.olgas,
        therapist=clinic.carl,
        on=TODAY(),
        by=clinic.adam,
    )
