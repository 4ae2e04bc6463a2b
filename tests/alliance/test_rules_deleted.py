"""Deleting any single condition of who may see whose rows makes a test fail.

Each condition in the source of a door is taken out in turn, and the people here must then see something else. It is
asked of the rows and not of pages: that each page asks a door is what `test_access_matrix` holds.
"""

import inspect
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from alliance.prepared import PreparedKeys
from clients import models, supervisions
from clients.covers import CoverQuerySet
from clients.models import (
    Client,
    ClientQuerySet,
    Episode,
    EpisodeQuerySet,
    SupervisionQuerySet,
)
from sessions_app.groups.models import Group, GroupQuerySet
from sessions_app.supervision.agendas import Agenda, AgendaQuerySet
from tests.alliance.one_condition_less import Door, answers, pks, try_all
from tests.alliance.whole_cast import whole_cast

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


# --- What each sees ------------------------------------------------------------------------------

SEEN = {
    "episodes seen": pks(Episode.objects.visible_to),
    "episodes written": pks(Episode.objects.own),
    "episodes supervised": pks(Episode.objects.supervised_by),
    "episodes managed": pks(Episode.objects.managed_by),
    "pages for two": pks(Episode.objects.looked_at_together_by),
    "labels": pks(Client.objects.visible_to),
    "records managed": pks(Client.objects.managed_by),
    "groups read": pks(Group.objects.visible_to),
    "groups led": pks(Group.objects.led_by),
    "groups supervised": pks(Group.objects.supervised_by),
    "groups managed": pks(Group.objects.managed_by),
    "agendas": pks(Agenda.objects.visible_to),
}


SEES = {
    "olga": {"K-1"},
    "carl": {"K-2", "agreed", "withdrawn", "agreed once"},
    "sina": {"K-1"},
    "stefan": {"K-2", "agreed", "withdrawn", "agreed once"},
    "supervisor of today alone": {"K-1"},
    "both": {"of both", "K-2", "agreed", "withdrawn", "agreed once"},
    "covers": {"K-1"},
    "covers in an emergency": {"K-1"},
    "supervisor in an emergency": {"K-1"},
    "former therapist": {"transferred lately"},
    "therapist again": {"again"},
    "therapist of long ago": {"another"},
}


def test_each_sees_what_the_table_says_and_nobody_else_anything(clinic):
    """Former and future supervisors, people of two roles, and therapists after a transfer among them."""
    people = whole_cast(clinic)
    for name, person in people.items():
        labels = {str(one.client) for one in Episode.objects.visible_to(person).select_related("client")}
        assert labels == SEES.get(name, set()), name


# --- Each condition taken out --------------------------------------------------------------------

COURSES = ("episodes seen", "episodes written", "episodes supervised")
GROUPS = ("groups read", "groups led", "groups supervised", "groups managed")
DOORS = [
    Door(ClientQuerySet, "visible_to", ("labels",)),
    Door(ClientQuerySet, "managed_by", ("records managed",)),
    Door(EpisodeQuerySet, "treated_by", ("episodes managed",)),
    Door(EpisodeQuerySet, "own", ("episodes written",)),
    Door(EpisodeQuerySet, "visible_to", ("episodes seen",)),
    Door(EpisodeQuerySet, "supervised_by", ("episodes supervised",)),
    Door(EpisodeQuerySet, "managed_by", ("episodes managed",)),
    Door(EpisodeQuerySet, "looked_at_together_by", ("pages for two",)),
    *(
        Door(models, name, COURSES)
        for name in ("own_courses", "_supervised", "_own_or_supervised", "own_keys", "visible_keys")
    ),
    Door(supervisions, "supervisees_on", COURSES),
    Door(SupervisionQuerySet, "on", (*COURSES, "groups supervised", "agendas")),
    Door(CoverQuerySet, "standing", COURSES),
    Door(CoverQuerySet, "on", COURSES),
    *(Door(GroupQuerySet, name, GROUPS) for name in ("led_by", "supervised_by", "visible_to", "managed_by")),
    Door(AgendaQuerySet, "visible_to", ("agendas",)),
]
# What says the same a second time: taken out, nobody sees anything else. With the reason.
SAID_TWICE = {
    "AgendaQuerySet.visible_to without []": "a condition of nothing beside another adds nothing",
    "AgendaQuerySet.visible_to without [] (2)": "the same, of the other half",
    "AgendaQuerySet.visible_to without user.is_supervisor or user.is_therapist": "each half asks for its role",
    "clients.models.own_courses without Q(closed_on__isnull=True)": "open: with the same client again, by itself",
    "clients.models.own_courses without True": "of the union: whether it sorts out what is in both",
}


def put_together_anew(patch) -> None:
    """The queries that `clients.models` puts together once, from the functions as they are now."""
    kinds = {"user": UUID, "readable_from": date, "today": date, "now": datetime}
    for name, function in (
        ("_SUPERVISEES", supervisions.supervisees_on),
        ("_OWN", models.own_courses),
        ("_SUPERVISED", models._supervised),
        ("_OWN_OR_SUPERVISED", models._own_or_supervised),
    ):
        asked = {one: kinds[one] for one in inspect.signature(function).parameters}
        patch.setattr(models, name, PreparedKeys(function, **asked))


def test_each_condition_of_a_door_is_missed_by_somebody_where_it_is_taken_out(clinic, monkeypatch):
    people = whole_cast(clinic)
    stands = list(answers(people, SEEN, SEEN))
    put_together_anew(monkeypatch)
    assert stands == list(answers(people, SEEN, SEEN)), "nothing is taken out yet"
    tried = try_all(DOORS, people, SEEN, monkeypatch, put_together_anew)
    assert "\n".join(sorted(tried.unmissed)) == "\n".join(sorted(SAID_TWICE))
    assert len(tried.broken) < tried.number / 4
    assert tried.number > 40
