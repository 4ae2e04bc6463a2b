"""manage.py check_standings: the nightly check of stored conclusions; the clock runs it.

What has no standing gets one. Of the open episodes a sample is concluded again; what differed is logged, and put
right by the same step.
"""

import logging
from argparse import ArgumentParser
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand

from clients.models import Episode
from sessions_app.flags import chance_returns, checks

log = logging.getLogger("alliance.standings")
SAMPLE = 500


class Command(BaseCommand):
    help = (
        "Compares the stored standings of a sample of episodes with a fresh conclusion, and logs differences."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sample", type=int, default=SAMPLE, help=f"how many episodes ({SAMPLE})")

    def handle(self, *args: Any, sample: int, **options: Any) -> None:
        chance_returns.refresh()
        missing = checks.without_standing()
        checks.rebuild(missing)
        found = dict(checks.differing(checks.sample(sample, SystemRandom())))
        codes = dict(Episode.objects.filter(pk__in=found).values_list("pk", "code"))
        for pk, what in found.items():
            log.warning("The standing of episode %s was not what its facts say: %s.", codes[pk], what)
        checks.rebuild(found)
        if days := checks.rebuild_days():
            log.warning("The counts of %s days were not the sum over the standings: summed up anew.", days)
        self.stdout.write(
            f"{len(missing):,} without a standing, {len(found):,} differed; all are concluded again."
        )
