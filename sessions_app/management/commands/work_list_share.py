"""manage.py work_list_share: how often a rated session puts a client on a therapist's work list."""

from typing import Any

from django.core.management.base import BaseCommand

from alliance.models import User
from clients.models import Episode
from sessions_app.flags import work_list_share

HEAD = "Rated sessions that put a client on the work list (aim: one in six at most), whole history"


class Command(BaseCommand):
    help = "Counts, for each therapist, the rated sessions that put a client on the work list. No score is in it."

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.filter(is_therapist=True).order_by("name", "email")
        self.stdout.write(HEAD)
        self.stdout.write(
            f"{'':<24}{'put on':>8}{'of':>7}{'share':>8}{'first rating':>14}{'still on at night':>19}"
        )
        everybody = work_list_share.WorkListShare(0, 0, 0, 0)
        for person in people:
            counted = work_list_share.count(Episode.objects.filter(therapist=person))
            self.stdout.write(_line(str(person), counted))
            everybody += counted
        self.stdout.write(_line("All", everybody))


def _line(name: str, counted: work_list_share.WorkListShare) -> str:
    shares = (counted.share.percent, counted.share_still_on.percent)
    share, still_on = ("–" if one is None else f"{one} %" for one in shares)
    night = f"{counted.still_on} ({still_on})"
    return f"{name:<24}{counted.put_on:>8}{counted.rated:>7}{share:>8}{counted.at_first:>14}{night:>19}"
