"""Whose record is older than the clinic keeps records. Nobody is erased by a rule: it makes a list."""

from datetime import date

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from alliance.erasures import Erasure
from clients.models import AgeBand, Client, Episode
from sessions_app.records.retention_rule import RetentionRule

YOUNG = [band for band in AgeBand if band != AgeBand.ADULT]


def due(rule: RetentionRule | None = None, today: date | None = None) -> QuerySet[Client]:
    """The clients whose last episode ended so long ago; as `ended_on`. Who has an open episode is never due."""
    rule = rule or RetentionRule.objects.in_force()
    if rule.years is None:
        return Client.objects.none()
    day = today or timezone.localdate()
    last_days = years_before(day, rule.years), years_before(day, rule.years_young or rule.years)
    of_client = Episode.objects.filter(client=OuterRef("pk"))
    rows = Client.objects.filter(~Exists(of_client.open())).annotate(ended_on=Max("episodes__closed_on"))
    of_adults = ~Q(age_band__in=YOUNG) & Q(ended_on__lte=last_days[0])
    return rows.filter(of_adults | Q(age_band__in=YOUNG, ended_on__lte=last_days[1])).order_by(
        "ended_on", "pk"
    )


def is_due(client: Client) -> bool:
    return due().filter(pk=client.pk).exists()


def not_asked_for() -> QuerySet[Client]:
    """Those who are due and of whom no erasure waits for a second person."""
    return due().exclude(code__in=Erasure.objects.open().values("client"))


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; 28 February for 29 February where that year has none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
