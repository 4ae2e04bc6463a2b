"""How feedback is collected and used, in words: each share with its uncertainty, the period before, and the trend.

No score is in here, and nothing is ordered by a figure: any order of people but the alphabet's would be read as a
ranking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from alliance.measurement.process import Change, DayCounts, Share
from alliance.measurement.returns import Table
from alliance.models import User
from clients.models import Supervision
from sessions_app.conversations import repairs
from sessions_app.dashboards.periods import Period
from sessions_app.flags import chance_returns, process_measures
from sessions_app.flags.process_measures import Measures
from sessions_app.instruments import rule_settings


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share in words: the counts always, the rest as far as they carry it."""

    label: str
    counts: str
    note: str


class Measure(NamedTuple):
    """One figure: what it is called, of which things, what exactly is counted."""

    field: str
    label: str
    things: str
    says: str


MEASURES = (
    Measure(
        "rated",
        "Rated",
        "sessions",
        "Of the sessions that took place: those with a complete rating.",
    ),
    Measure(
        "seen",
        "Seen before the session",
        "sessions",
        "Of the sessions with an earlier rating: those before which the client’s page, or a list with the client on "
        "it, was opened in the 24 hours before.",
    ),
    Measure(
        "talked",
        "Talked about in time",
        "sessions",
        "Of the sessions with a reason to talk whose next session is over: those talked about by a day after that one. "
        "Sessions are counted and not flags: one talk answers all flags of a session.",
    ),
    Measure(
        "not_needed",
        "Decided: no talk needed",
        "sessions",
        "Of the same sessions: those never talked about, where it was decided that no talk is needed.",
    ),
    Measure(
        "back",
        "Back once near the earlier level",
        "low points",
        "Low points followed by at least three ratings: how many had a rating back near the earlier level by then.",
    ),
    Measure(
        "missed",
        "Did not attend",
        "sessions",
        "Of the sessions that were to take place: those to which the client did not come.",
    ),
)


def rows_of(of: Measures, chance: Table) -> tuple[ShareRow, ...]:
    """Every measure of one person in one period; chance: what low points do by chance under the clinic's rules."""
    return tuple(_row(measure, getattr(of, measure.field), chance) for measure in MEASURES)


def _row(measure: Measure, share: Share, chance: Table) -> ShareRow:
    row = share_in_words(measure.label, share, measure.things)
    if measure.field != "back":
        return row
    # A rate of repairs, never without what chance alone would give.
    said = "; ".join(part for part in (row.note, repairs.rate_by_chance(chance)) if part)
    return replace(row, note=said)


def share_in_words(label: str, share: Share, things: str) -> ShareRow:
    if share.total == 0:
        return ShareRow(label, f"no {things}", "")
    counts = f"{share.done} of {share.total}"
    if share.percent is None or share.interval is None:
        return ShareRow(label, counts, "too few for a rate")
    doubt = "" if share.is_dependable else ", not dependable"
    lower, upper = share.interval
    return ShareRow(label, f"{counts} ({share.percent} %)", f"95 % interval: {lower} to {upper} %{doubt}")


# --- Two periods side by side --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure in a period and in the one before; trend: what can be said of the two."""

    label: str
    says: str
    now: ShareRow
    before: ShareRow
    trend: str


@dataclass(frozen=True, slots=True)
class PersonFigures:
    name: str
    figures: tuple[Figure, ...]


def of_people(people: Iterable[User], period: Period) -> list[PersonFigures]:
    """The figures of each in this period and in the one before; a fixed number of queries, however many."""
    chosen = list(people)
    now, before = (
        process_measures.counts_between([one.pk for one in chosen], days.first, days.last)
        for days in (period, period.before)
    )
    nothing, chance = DayCounts(), chance_returns.under(rule_settings.in_force().name).table
    return [
        PersonFigures(
            str(person),
            _figures(
                Measures.of(now.get(person.pk, nothing)),
                Measures.of(before.get(person.pk, nothing)),
                period.name,
                chance,
            ),
        )
        for person in chosen
    ]


def _figures(now: Measures, before: Measures, length: str, chance: Table) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            measure.label,
            measure.says,
            in_now,
            in_before,
            trend(Change(getattr(now, measure.field), getattr(before, measure.field)), length),
        )
        for measure, in_now, in_before in zip(
            MEASURES, rows_of(now, chance), rows_of(before, chance), strict=True
        )
    )


def trend(change: Change, length: str) -> str:
    """What changed since the period before, as a sentence; length: "4 weeks"."""
    before = f"in the {length} before"
    if change.difference is None or change.interval is None:
        return f"Too few {'now' if change.now.percent is None else before} to compare."
    size = abs(change.difference)
    said = f"{size} {'more' if change.difference > 0 else 'fewer'} of 100 than {before}"
    if size == 0:
        said = f"As many of 100 as {before}"
    if change.is_clear:
        lower, upper = sorted(map(abs, change.interval))
        return f"{said} (95 % interval: {lower} to {upper})."
    return f"{said}; too few to say whether that is more than chance."


# --- Who else sees them --------------------------------------------------------------------------


def readers_of(therapist: User, now: datetime) -> list[Supervision]:
    """Who supervises this therapist today and so sees the same figures, by the alphabet."""
    rows = Supervision.objects.today().filter(therapist=therapist).select_related("supervisor")
    return list(rows.order_by("supervisor__name_key", "supervisor__email"))
