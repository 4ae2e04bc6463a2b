"""What chance does to low points under the clinic's own rules, for clients who rate as high as the clinic's.

The simulation takes seconds, so no page asks it: the figures are computed where every flag is computed again, and
looked at once a night.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Avg, Count
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.parameters import Parameters
from alliance.measurement.returns import Table, as_data, from_data, nearest_variant, returns_table
from alliance.measurement.shipped_returns import SHIPPED
from sessions_app.courses.models import Rating
from sessions_app.instruments import rule_settings
from sessions_app.instruments.rule_settings import RuleSettings

STANDARD = "standard"
RATINGS_NEEDED = 300  # before a clinic's own mean says more than the model's
SIMULATED_CLIENTS = 2000  # about three seconds; the share of returns is right to 2 of 100


class ChanceReturns(models.Model):
    """The figures under one version of the settings. A conclusion: it can be computed again at any time."""

    settings_version = models.CharField(max_length=40, unique=True)
    population = models.CharField(
        max_length=20, help_text="Of the model: the nearest to the clinic's own mean."
    )
    figures = models.JSONField(
        help_text="{what happens: the shares of `alliance.measurement.returns.Returns`}"
    )
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Returns by chance under {self.settings_version}, {self.population}"


@dataclass(frozen=True, slots=True)
class Chance:
    """What a page needs: the figures, and whose they are. `key` changes with what it says."""

    population: str
    table: Table
    key: tuple[str, Any] = ("", None)


def under(settings_version: str) -> Chance:
    """The figures for these settings, by `RuleSettings.name`; one query. As shipped while none are computed."""
    row = ChanceReturns.objects.filter(settings_version=settings_version).first()
    if row is None:
        return Chance(STANDARD, from_data(SHIPPED[STANDARD]))
    return Chance(row.population, from_data(row.figures), (row.population, row.made_at))


def refresh(*, recompute: bool = False) -> None:
    """Make the stored figures those of the settings in force and of the clinic's ratings as they are.

    recompute: also where settings and population are the same: a release may have brought other rules.
    Never in a transaction that holds a lock: it takes seconds.
    """
    rules, population = rule_settings.in_force(), population_of_clinic()
    row = ChanceReturns.objects.filter(settings_version=rules.name).first()
    if row and row.population == population and not recompute:
        return
    figures = as_data(_computed(_parameters(rules), population))
    if row and (row.population, row.figures) == (population, figures):
        return
    ChanceReturns.objects.update_or_create(
        settings_version=rules.name,
        defaults={"population": population, "figures": figures, "made_at": timezone.now()},
    )


def _parameters(rules: RuleSettings) -> Parameters:
    return rules.parameters(instruments.get(instruments.SESSION_RATING))


def _computed(parameters: Parameters, population: str) -> Table:
    """As shipped the figures are known, from ten times as many clients."""
    if parameters == instruments.get(instruments.SESSION_RATING).parameters:
        return from_data(SHIPPED[population])
    return returns_table(population, SIMULATED_CLIENTS, parameters=parameters)


def population_of_clinic() -> str:
    """The population of the model whose mean is nearest to that of the clinic's own ratings, the first ones apart."""
    later = Rating.objects.standing().filter(total__isnull=False, session__number__gt=1)
    found = later.aggregate(mean=Avg("total"), ratings=Count("pk"))
    return nearest_variant(found["mean"] / 10) if found["ratings"] >= RATINGS_NEEDED else STANDARD
