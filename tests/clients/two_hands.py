"""Every act that would let somebody see ratings, as an administrator asks for it; and what they would change."""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.models import Role, User
from clients import approved_records, approved_staff, approved_supervision
from clients.caseload_transfer import Move
from clients.models import Cover, Episode, Supervision
from sessions_app.groups import approved_leaders, group_actions
from sessions_app.groups.models import Group
from tests import cast
from tests.alliance.sign_in import give_an_app

TODAY = timezone.localdate


def with_marks(clinic):
    """Olga's client has a rating; Bea is the second administrator, and nothing else."""
    cast.rated_course(clinic.olgas, [380])
    clinic.bea = cast.person("Bea", Role.ADMINISTRATOR)
    return clinic


def _staff(person, *more, **changed):
    fields = {"name": person.name, "roles": {*person.roles, *more}, "is_active": True, **changed}
    return lambda clinic: approved_staff.change_person(person=person, **fields, by=clinic.adam)[1][0]


def _prolonged(clinic):
    one = Supervision.objects.get(supervisor=clinic.sina)
    Supervision.objects.filter(pk=one.pk).update(ends_on=TODAY())
    return approved_supervision.end_supervision(
        supervision=one, last_day=TODAY() + timedelta(days=90), by=clinic.adam
    )


def _put_back_in_force(clinic):
    one = Supervision.objects.get(supervisor=clinic.sina)
    days = {"starts_on": cast.STARTED, "ends_on": None}
    return approved_supervision.correct_supervision(supervision=one, **days, why="x", by=clinic.adam)


def _cover(clinic):
    days = {"starts_on": TODAY(), "ends_on": TODAY()}
    return approved_supervision.start_cover(
        episodes=[clinic.olgas], colleague=clinic.carl, **days, by=clinic.adam
    )


def _transfer(clinic):
    return approved_records.transfer(moves=[Move(clinic.olgas, clinic.carl)], on=TODAY(), by=clinic.adam)


def _merge(clinic):
    seen = [clinic.olgas.code, clinic.carls.code]
    return approved_records.merge_clients(
        kept=clinic.carls.client, merged=clinic.olgas.client, seen=seen, by=clinic.adam
    )


def _move(clinic):
    return approved_records.move_episode(
        episode=clinic.olgas, to=clinic.carls.client, why="it is hers", by=clinic.adam
    )


def _leaders(clinic):
    return approved_leaders.change_leaders(
        group=Group.objects.get(), leader=clinic.olga, co_leader=clinic.carl, by=clinic.adam
    )


ASK = {
    "supervisor": lambda c: _staff(c.adam, Role.SUPERVISOR)(c),
    "therapist": lambda c: _staff(c.sina, Role.THERAPIST)(c),
    "administrator": lambda c: _staff(c.carl, Role.ADMINISTRATOR)(c),
    "signing in again": lambda c: _staff(c.left)(c),
    "supervision": lambda c: approved_supervision.start_supervision(
        supervisor=c.stefan, therapist=c.olga, starts_on=TODAY(), by=c.adam
    ),
    "supervision prolonged": _prolonged,
    "supervision put back in force": _put_back_in_force,
    "link": lambda c: approved_staff.invite(person=c.olga, by=c.adam),
    "link of an administrator": lambda c: approved_staff.invite(person=c.bea, by=c.adam),
    "e-mail address": lambda c: approved_staff.change_email(
        person=c.olga, email="adams@clinic.example", by=c.adam
    ),
    "second factor": lambda c: approved_staff.remove_second_factor(person=c.olga, by=c.adam),
    "transfer": _transfer,
    "cover": _cover,
    "episode": lambda c: approved_records.open_episode(
        client=c.olgas.client, therapist=c.carl, opened_on=TODAY(), by=c.adam
    ),
    "merge": _merge,
    "move": _move,
    "leaders": _leaders,
}
# They open one step to an administrator and change nothing by themselves.
LINKS = {"link", "link of an administrator"}


def ready(clinic, name: str):
    """What has to be there before the act of this name."""
    if name == "signing in again":
        clinic.left = cast.person("Left", Role.THERAPIST)
        User.objects.filter(pk=clinic.left.pk).update(is_active=False)
        clinic.left.refresh_from_db()
    if name == "second factor":
        give_an_app(clinic.olga)
    if name == "supervision put back in force":
        yesterday = TODAY() - timedelta(days=1)
        Supervision.objects.filter(supervisor=clinic.sina).update(ends_on=yesterday)
    if name == "move":
        Episode.objects.create(client=clinic.olgas.client, therapist=clinic.stefan, opened_on=cast.STARTED)
    if name == "leaders":
        group = group_actions.make_group(
            name="Thursday", kind="group", leader=clinic.olga, co_leader=None, by=clinic.olga
        )
        group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga)
    return clinic


def standing() -> dict[str, list]:
    """All that these acts change."""
    return {
        "people": list(
            User.objects.order_by("pk").values_list(
                *("pk", "email", "password", "link_salt", "is_active"),
                *("is_therapist", "is_supervisor", "is_administrator"),
            )
        ),
        "factors": list(Authenticator.objects.values_list("user", flat=True)),
        "supervisions": list(Supervision.objects.order_by("pk").values_list()),
        "covers": list(Cover.objects.order_by("pk").values_list()),
        "episodes": list(Episode.objects.order_by("pk").values_list("client", "therapist", "closed_on")),
        "groups": list(Group.objects.values_list("leader", "co_leader")),
    }


def asked(clinic, name: str) -> ApprovalRequest:
    made = ASK[name](ready(with_marks(clinic), name))
    assert isinstance(made, ApprovalRequest)
    return made
