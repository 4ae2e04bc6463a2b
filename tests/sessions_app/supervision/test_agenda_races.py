"""Two people put one agenda in order at the same time: with real threads and connections, on both databases."""

import threading

import pytest
from django.utils import timezone

from sessions_app.supervision import agenda_actions as actions
from sessions_app.supervision.agendas import AgendaItem
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5
# What two moves that do not know of each other leave, whichever comes first: 3 goes up, 1 goes down.
ONE_AFTER_THE_OTHER = (["3", "2", "1"], ["2", "3", "1"], ["3", "1", "2"])


def three_items(clinic):
    agenda = actions.make_agenda(
        therapist=clinic.olga, held_on=timezone.localdate(), proposals=[], by=clinic.sina
    )
    return agenda, [actions.add_item(agenda=agenda, text=text, by=clinic.olga) for text in "123"]


def moving(item, *, up, by):
    """As a request does it: with a row of its own."""
    return lambda: actions.move_item(item=AgendaItem.objects.get(pk=item.pk), up=up, by=by)


def places(agenda):
    return [(item.place, item.text) for item in agenda.items.all()]


def test_two_who_put_it_in_order_at_once_lose_no_item(clinic):
    for _ in range(ROUNDS):
        AgendaItem.objects.all().delete()
        agenda, (one, _two, three) = three_items(clinic)
        outcomes = at_once(moving(three, up=True, by=clinic.sina), moving(one, up=False, by=clinic.olga))
        assert outcomes == [None, None]
        assert [place for place, _ in places(agenda)] == [0, 1, 2]
        assert [text for _, text in places(agenda)] in ONE_AFTER_THE_OTHER


@pytest.mark.postgresql
def test_control_without_the_lock_two_items_end_in_one_place(clinic, monkeypatch):
    """Both read the order before either writes it."""
    agenda, (one, _two, three) = three_items(clinic)
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    monkeypatch.setattr(actions, "_locked", lambda agenda: agenda)
    monkeypatch.setattr(AgendaItem.objects, "bulk_update", _meets(looked, AgendaItem.objects.bulk_update))
    at_once(moving(three, up=True, by=clinic.sina), moving(one, up=False, by=clinic.olga))
    assert [text for _, text in places(agenda)] not in ONE_AFTER_THE_OTHER


def _meets(barrier, write):
    def write_together(rows, fields):
        barrier.wait()
        return write(rows, fields)

    return write_together
