"""The owners' published rules about answers that are missing, and which of them the clinic has switched on.

A rule is data of the definition (`MissingRule`) and off until an administrator switches it on. It changes how answers
are read, never what is stored: switched off again, the totals are gone again.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django.db.models import Subquery
from django.utils import timezone

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import Score
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_settings import ClinicSettings

Answers = Mapping[str, int | None]


class SwitchedOn:
    """The rules in force. Asked once, and only where an answer is missing that a rule is about: most are whole."""

    def __init__(self, named: Iterable[str] | None = None) -> None:
        """named: which are, where the caller has read it."""
        if named is not None:
            self._named = frozenset(named)

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(ClinicSettings.objects.in_force().prorated)

    def score(self, instrument: Instrument, answers: Answers) -> Score:
        """Pro-rated where the clinic has switched the owner's rule on, and the answers are enough for it."""
        is_concerned = instrument.missing is not None and None in answers.values()
        return scoring.score(instrument, answers, prorate=is_concerned and instrument.id in self._named)


IN_FORCE = "rules_about_missing_answers"


def beside() -> dict[str, Subquery]:
    """The column that brings the rules in force along with each row of another query, for `came_with`."""
    return {IN_FORCE: Subquery(ClinicSettings.objects.order_by("-version").values("prorated")[:1])}


def came_with(column: Any) -> SwitchedOn:
    """The rules as they came `beside` a row; none where the clinic has saved no settings yet."""
    return SwitchedOn(json.loads(column) if isinstance(column, str) else column or ())


def in_words(score: Score, instrument: Instrument) -> str:
    """How its total came about: "pro-rated from 9 of 10"; empty for any other total, and where there is none."""
    if score.prorated_from is None:
        return ""
    return f"pro-rated from {score.prorated_from} of {len(instrument.items)}"


def of_subscale(name: str, score: Score, instrument: Instrument) -> str:
    """The same of a subscale."""
    number = score.subscales_prorated_from.get(name)
    return "" if number is None else f"pro-rated from {number} of {len(instrument.subscales[name])}"


def rule_in_words(instrument: Instrument) -> str:
    """What the owner permits, and where that is said; for an instrument that has a rule."""
    assert instrument.missing is not None
    sizes = {name: len(items) for name, items in instrument.subscales.items()}
    scales = [
        f"{name} from {number} of {sizes.get(name, len(instrument.items))} answers on"
        for name, number in instrument.missing.fewest.items()
    ]
    return f"{', '.join(scales)} ({instrument.missing.source.rstrip('.')})"


def to_choose(now: ClinicSettings) -> list[Instrument]:
    """Those with a rule that this clinic may use, or has switched on: the others are not spoken of."""
    return [
        one
        for one in instruments.newest()
        if one.missing is not None and (one.id in now.prorated or not _not_permitted(one))
    ]


def _not_permitted(instrument: Instrument) -> str:
    return offers.not_permitted(instrument, timezone.localdate())
