"""Beside the named cast: people of whom one condition alone of who may see whose rows is not met."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from alliance.models import Role, User
from clients.covers import Cover
from clients.models import READABLE_FOR, Client, EarlierCourseConsent, Episode, Supervision
from sessions_app.groups.models import Group
from sessions_app.supervision.agendas import Agenda
from tests import cast

DAY = timedelta(days=1)


def whole_cast(clinic) -> dict[str, User]:
    """Beside Olga's and Carl's teams: those of whom one condition alone is not met."""
    today, therapist, supervisor = timezone.localdate(), Role.THERAPIST, Role.SUPERVISOR
    people = {name: getattr(clinic, name) for name in ("olga", "carl", "sina", "stefan", "adam", "strange")}
    for name, roles in {
        "former supervisor": [supervisor],
        "future supervisor": [supervisor],
        "supervisor of today alone": [supervisor],
        "supervisor in an emergency": [supervisor],
        "supervisor after an emergency": [supervisor],
        "no supervisor any more": [therapist],
        "disabled supervisor": [supervisor],
        "disabled therapist": [therapist],
        "disabled administrator": [Role.ADMINISTRATOR],
        "no therapist any more": [supervisor],
        "both": [therapist, supervisor],
        "covers": [therapist],
        "will cover": [therapist],
        "covered": [therapist],
        "covers in an emergency": [therapist],
        "covered in an emergency": [therapist],
        "cover ended": [therapist],
        "former therapist": [therapist],
        "therapist again": [therapist],
        "therapist of long ago": [therapist],
        "earlier therapist": [therapist],
    }.items():
        people[name] = cast.person(name.replace(" ", "."), *roles)

    def supervises(who, whom, starts_on=cast.STARTED, **fields):
        Supervision.objects.create(
            supervisor=people[who], therapist=people[whom], starts_on=starts_on, **fields
        )

    supervises("former supervisor", "olga", ends_on=today - DAY)
    supervises("future supervisor", "olga", starts_on=today + DAY)
    supervises("supervisor of today alone", "olga", starts_on=today, ends_on=today)
    soon, just_now = timezone.now() + DAY, timezone.now() - timedelta(minutes=1)
    supervises("supervisor in an emergency", "olga", lapses_at=soon)
    supervises("supervisor after an emergency", "olga", lapses_at=just_now)
    supervises("no supervisor any more", "olga")
    supervises("disabled supervisor", "olga")
    supervises("both", "carl")

    cast.episode(people["disabled therapist"], "of disabled")
    cast.episode(people["no therapist any more"], "of no therapist")
    cast.episode(people["both"], "of both")

    def covers(who, first, last, **fields):
        Cover.objects.create(
            episode=clinic.olgas,
            colleague=people[who],
            starts_on=first,
            ends_on=last,
            made_by=clinic.olga,
            made_together=uuid4(),
            **fields,
        )

    covers("covers", today, today)
    covers("disabled therapist", today, today)
    covers("no therapist any more", today, today)
    covers("covers in an emergency", today, today, lapses_at=soon)
    covers("covered in an emergency", today, today, lapses_at=just_now)
    covers("will cover", today + DAY, today + 2 * DAY)
    covers("covered", today - 2 * DAY, today - DAY)
    covers("cover ended", today, today, ended_at=timezone.now(), ended_by=clinic.olga)

    long_ago = today - READABLE_FOR - DAY
    started = long_ago - DAY

    def over(who, label, on):
        return cast.episode(people[who], label, started, closed_on=on, ending="transferred")

    over("former therapist", "transferred lately", today - DAY)
    over("therapist of long ago", "over long ago", long_ago)
    cast.episode(people["therapist of long ago"], "another")
    again = over("therapist again", "again", long_ago)
    Episode.objects.create(client=again.client, therapist=people["therapist again"], opened_on=today)
    for label, fields in {
        "agreed": {},
        "withdrawn": {"withdrawn_at": timezone.now(), "withdrawn_by": clinic.carl},
    }.items():
        earlier = over("earlier therapist", label, long_ago)
        now = Episode.objects.create(client=earlier.client, therapist=clinic.carl, opened_on=today)
        EarlierCourseConsent.objects.create(
            earlier=earlier, episode=now, given_on=today, recorded_by=clinic.carl, **fields
        )
    # Carl's own, over since: his consent of then opens nothing any more.
    earlier = over("earlier therapist", "agreed once", long_ago)
    past = over("carl", "agreed once, with Carl", long_ago)
    Episode.objects.filter(pk=past.pk).update(client=earlier.client, closed_on=today)
    EarlierCourseConsent.objects.create(
        earlier=earlier, episode=past, given_on=today, recorded_by=clinic.carl
    )
    Client.objects.create(label="merged away", language="en", merged_into=clinic.carls.client)
    Group.objects.create(name="Olga's", kind="group", leader=clinic.olga)
    Group.objects.create(name="Carl's", kind="group", leader=clinic.stefan, co_leader=clinic.carl)
    for who in ("disabled therapist", "no therapist any more"):
        Group.objects.create(name=who, kind="group", leader=people[who])
        Agenda.objects.create(supervisor=clinic.stefan, therapist=people[who], held_on=today)
    for who in ("sina", "former supervisor", "no supervisor any more", "disabled supervisor"):
        Agenda.objects.create(supervisor=people[who], therapist=clinic.olga, held_on=today)
    User.objects.filter(name__startswith="disabled").update(is_active=False)
    return {name: User.objects.get(pk=person.pk) for name, person in people.items()}
