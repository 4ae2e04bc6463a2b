"""Two people save one row at once: with real threads and real connections, on both databases."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.models import Role, User
from alliance.stale_forms import NAME, Stale
from clients import actions, staff_actions, supervision_actions
from clients.forms import ClientForm, EndSupervisionForm, PersonForm
from clients.models import Client, Episode, Supervision
from sessions_app.intake import hand_over_actions
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def opened(form):
    return form.fields[NAME].clean(form[NAME].value())


def saving(person, by, **typed):
    """As a request does it: with a row of its own, on a page that was opened before."""
    seen = opened(PersonForm(person=person))
    stands = {"name": person.name, "roles": set(person.roles), "is_active": person.is_active}
    return lambda: staff_actions.change_person(
        person=User.objects.get(pk=person.pk), **{**stands, **typed}, by=by, opened_with=seen
    )


def stored(person):
    row = User.objects.get(pk=person.pk)
    return row.name, set(row.roles), row.is_active


def test_of_two_administrators_who_save_at_once_one_sees_what_the_other_wrote(clinic):
    for number in range(ROUNDS):
        one = cast.person(f"Nora{number}", Role.SUPERVISOR)
        ways = saving(one, clinic.adam, name=f"Nora B. {number}"), saving(one, clinic.adam, is_active=False)
        outcomes = at_once(*ways)
        assert unexpected(outcomes, Stale) == []
        (stale,) = [outcome for outcome in outcomes if isinstance(outcome, Stale)]
        assert stored(one) in [
            (f"Nora B. {number}", {Role.SUPERVISOR}, True),
            (f"Nora{number}", {Role.SUPERVISOR}, False),
        ]
        assert stale.stored == dict(zip(("name", "roles", "is_active"), stored(one), strict=True))


@pytest.mark.postgresql
def test_control_without_the_lock_the_second_save_overwrites_the_first_unseen(clinic, monkeypatch):
    one, looked = cast.person("Nora", Role.SUPERVISOR), threading.Barrier(2, timeout=MEET_WITHIN)

    def looks_then_waits(*people):
        rows = {person.pk: User.objects.get(pk=person.pk) for person in people}
        looked.wait()
        return rows

    monkeypatch.setattr(staff_actions, "lock_staff", looks_then_waits)
    outcomes = at_once(*(saving(one, clinic.adam, name=name) for name in ("Nora B.", "Nora C.")))
    assert unexpected(outcomes) == [], "both were told that it is saved"
    assert stored(one)[0] in {"Nora B.", "Nora C."}, "and one of the two is nowhere"


def test_a_language_that_the_client_chooses_while_the_label_is_saved_is_never_lost(clinic):
    for number in range(ROUNDS):
        episode = cast.episode(clinic.olga, f"R-{number}")
        grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(episode), by=clinic.olga)
        seen = opened(ClientForm(by=clinic.olga, client=episode.client))
        details = {"label": f"R-{number}b", "language": "en", "age_band": "adult"}

        def change(client=episode.client, details=details, seen=seen):
            row = Client.objects.get(pk=client.pk)
            return actions.change_client(client=row, **details, by=clinic.olga, opened_with=seen)

        def choose(grant=grant):
            hand_over_actions.choose_language(grant=grant, language="ar")

        outcomes = at_once(change, choose)
        assert unexpected(outcomes, Stale) == []
        stands = Client.objects.get(pk=episode.client_id)
        was_refused = any(isinstance(one, Stale) for one in outcomes)
        assert (stands.label, stands.language) == (f"R-{number}" if was_refused else f"R-{number}b", "ar")


def test_two_last_days_at_once_are_one(clinic):
    for number in range(ROUNDS):
        therapist = cast.person(f"T{number}", Role.THERAPIST)
        one = Supervision.objects.create(supervisor=clinic.sina, therapist=therapist, starts_on=cast.STARTED)
        seen, today = opened(EndSupervisionForm(supervision=one)), timezone.localdate()
        ways = [
            lambda day=day, pk=one.pk, seen=seen: supervision_actions.end_supervision(
                supervision=Supervision.objects.select_related("supervisor", "therapist").get(pk=pk),
                last_day=day,
                by=clinic.adam,
                opened_with=seen,
            )
            for day in (today, today + timedelta(days=30))
        ]
        outcomes = at_once(*ways)
        assert unexpected(outcomes, Stale) == []
        assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 1


def test_a_client_registered_four_times_at_once_is_one_client(clinic):
    for number in range(ROUNDS):
        details = {"label": f"N-{number}", "language": "en", "age_band": "adult", "form_key": uuid4()}
        about = {**details, "therapist": clinic.olga, "opened_on": timezone.localdate(), "by": clinic.olga}
        outcomes = at_once(*[lambda about=about: actions.register_client(**about)] * 4)
        assert unexpected(outcomes) == []
        assert {one.pk for one in outcomes} == {Episode.objects.get(client__label=f"N-{number}").pk}
