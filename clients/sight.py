"""Whose ratings somebody would see, and whether there are any: what decides that a second person is asked.

Roles and "may sign in" are left out on purpose: what is asked is what a person *would* see, once they have both.
"""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from alliance.models import User
from clients.closing import courses
from clients.models import Cover, Episode, EpisodeQuerySet, Supervision


def clinic_has_marks() -> bool:
    """Until the first rating there is nothing to see, and whoever sets the clinic up does it alone."""
    return courses().with_marks(Episode.objects.order_by()).exists()


def of_person(person: User) -> EpisodeQuerySet:
    """The episodes that this person's roles would open: treated, supervised, covered, now or to come."""
    today = timezone.localdate()
    supervised = Supervision.objects.filter(supervisor=person).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today)
    )
    covered = Cover.objects.not_over().filter(colleague=person)
    return Episode.objects.order_by().filter(
        Q(therapist=person)
        | Q(therapist__in=supervised.values("therapist"))
        | Q(pk__in=covered.values("episode"))
    )


def sees_marks(person: User) -> bool:
    return courses().with_marks(of_person(person)).exists()


def whose(episodes: EpisodeQuerySet, *, but: Iterable[User | None] = ()) -> list[User]:
    """The therapists of those of these episodes in which there are marks, without the people in `but`."""
    marked = courses().with_marks(episodes.order_by())
    out = [person.pk for person in but if person is not None]
    return list(User.objects.filter(episodes__in=marked.values("pk")).exclude(pk__in=out).distinct())


def supervisors_of(therapists: Iterable[User]) -> list[User]:
    """Those who see these therapists' clients already, today."""
    today = Supervision.objects.today().filter(
        therapist__in=list(therapists), supervisor__is_active=True, supervisor__is_supervisor=True
    )
    return list(User.objects.filter(pk__in=today.values("supervisor")))
