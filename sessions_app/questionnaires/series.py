"""The questionnaires of one course as they are read: a series for each instrument, version, edition and rater.

Never pooled: what two raters say, or two editions, are two courses. Only answers that count have a place in a course;
the others stand beside it with the reason, and with a way back where somebody decided.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.db.models import Prefetch, QuerySet

from alliance.measurement import instruments, outcome
from alliance.measurement.instruments import Instrument, Wording
from alliance.measurement.outcome import Reading, Step
from alliance.measurement.scoring import Score
from clients.models import Episode
from sessions_app.courses.raters import Rater, said_by
from sessions_app.courses.responses import Held, QuestionnaireResponse, ResponseDecision
from sessions_app.courses.scales import series_of
from sessions_app.instruments import missing_answers
from sessions_app.instruments.missing_answers import SwitchedOn
from sessions_app.instruments.offers import wording_of
from sessions_app.instruments.promises import Door

THERAPIST_LEFT_OPEN = "___"  # who it was may have changed since


def read_words(response: QuestionnaireResponse) -> Wording | None:
    """The words that were read, with a blank for the therapist's name; None where nobody knows them."""
    if response.wording is not None:
        read: Wording = response.wording.wording
    elif response.scored_by.wordings:
        read = wording_of(response.scored_by, response.language)
    else:
        return None
    return read.named(THERAPIST_LEFT_OPEN)


@dataclass(frozen=True)
class Answered:
    """One set of answers. decision: the newest, None where nobody decided. rules: about missing answers."""

    response: QuestionnaireResponse
    instrument: Instrument
    decision: ResponseDecision | None
    rules: SwitchedOn

    @cached_property
    def score(self) -> Score:
        return self.rules.score(self.instrument, self.response.marks)

    @property
    def prorated(self) -> str:
        """How its total came about, where that was by the owner's rule about missing answers; else empty."""
        return missing_answers.in_words(self.score, self.instrument)

    @property
    def total(self) -> int | None:
        return self.score.total

    @property
    def at(self) -> datetime:
        """When the session was at which they were given: it orders a course, as for the alliance."""
        moment: datetime = self.response.session.held_at
        return moment

    @property
    def number(self) -> int:
        number: int = self.response.session.number
        return number

    @property
    def is_readable(self) -> bool:
        return self.response.held != Held.INVALID

    @property
    def counts(self) -> bool:
        if self.response.session.is_voided:
            return False
        return self.decision.counts if self.decision else not self.response.held

    @property
    def waits(self) -> bool:
        """Held, and nobody has decided."""
        return bool(self.response.held) and self.decision is None


@dataclass
class Series:
    """counting: in the order of the sessions, one for each form that was given. others: the newest first."""

    instrument: Instrument
    edition: str
    rater: Rater
    rater_label: str = ""
    counting: list[Answered] = field(default_factory=list)
    others: list[Answered] = field(default_factory=list)

    @property
    def totals(self) -> list[tuple[Answered, int]]:
        return [(one, one.total) for one in self.counting if one.total is not None]

    @cached_property
    def reading(self) -> Reading:
        return outcome.read(self.instrument, [total for _, total in self.totals])

    def step_to(self, answered: Answered) -> Step | None:
        """From the total before; None at the first one, and where there is no total."""
        places = [one for one, _ in self.totals]
        if answered not in places or (place := places.index(answered)) == 0:
            return None
        return outcome.step(self.instrument, self.totals[place - 1][1], self.totals[place][1])

    @property
    def last(self) -> Answered | None:
        return self.counting[-1] if self.counting else None

    @property
    def last_total_is(self) -> str:
        """Of the last total: "pro-rated from 9 of 10"; empty where it is of all answers."""
        return self.totals[-1][0].prorated if self.totals else ""

    @property
    def said_by(self) -> str:
        """Who answered, as pages say it."""
        return said_by(self.rater, self.rater_label)

    @property
    def waits(self) -> bool:
        return any(one.waits for one in self.others)

    @property
    def is_companion(self) -> bool:
        """Whether it is read beside the alliance: an outcome scale that the client marks."""
        return self.instrument.companion and self.rater == Rater.CLIENT


def of_episode(episode: Episode, door: Door = Door.THERAPIST) -> list[Series]:
    """Two queries, however many answers there are. door: on which way they go; what may not is in none."""
    rows = QuestionnaireResponse.objects.filter(session__episode=episode).through(door)
    return sorted(_grouped(_rows(rows)).values(), key=_order)


def of_grant(response: QuestionnaireResponse) -> list[Answered]:
    """Everything that came through the grant of this one, itself too."""
    return _rows(QuestionnaireResponse.objects.filter(grant=response.grant_id))


def companions(rows: "QuerySet[QuestionnaireResponse]") -> dict[int, Series]:
    """{episode: the outcome scale that was marked last there}, of those of `rows` that count; two queries.

    Of each only the ends, as a list shows them: the first total, the last two, and what stands before the first and
    after the last without one. However long the courses are, a few answers of each are scored.
    """
    standing = rows.filter(rater=Rater.CLIENT, instrument__in=companion_ids())
    by_episode: dict[int, list[_Place]] = defaultdict(list)
    columns = ("session__episode_id", "pk", "total", "instrument", "instrument_version", "wording__edition")
    for episode, pk, total, instrument, version, edition in standing.order_by(*_IN_ORDER).values_list(
        *columns
    ):
        by_episode[episode].append(_Place(pk, total, instrument, version, edition))
    if not by_episode:
        return {}
    wanted = [pk for places in by_episode.values() for pk in _ends(places)]
    rules, found = SwitchedOn(), {}
    answered = defaultdict(list)
    for row in (
        rows.model.objects.filter(pk__in=wanted).select_related("session", "wording").order_by(*_IN_ORDER)
    ):
        answered[row.session.episode_id].append(Answered(row, row.scored_by, None, rules))
    for episode, those in answered.items():
        last = those[-1].response
        found[episode] = Series(those[-1].instrument, _edition(last), Rater.CLIENT, counting=those)
    return found


_IN_ORDER = ("session__number", "received_at", "pk")


class _Place(NamedTuple):
    """Where one set of answers stands in a course. total: as stored, so none where an answer is missing."""

    pk: int
    total: int | None
    instrument: str
    version: str
    edition: str | None

    @property
    def series(self) -> str:
        """As `QuestionnaireResponse.series`, of clients: they have no label."""
        return series_of(self.instrument, self.version, self.edition)


def _ends(places: list[_Place]) -> set[int]:
    """Of the series that was marked last: those up to the first with a total, and from the last but one with one on.

    Those without are among them: the clinic may have switched on an owner's rule by which they have a total after all.
    """
    same = [one for one in places if one.series == places[-1].series]
    with_total = [number for number, one in enumerate(same) if one.total is not None]
    if len(with_total) < 3:
        return {one.pk for one in same}
    return {one.pk for one in [*same[: with_total[0] + 1], *same[with_total[-2] :]]}


def companion_ids() -> list[str]:
    return [one.id for one in instruments.newest() if one.companion]


def _rows(rows: "QuerySet[QuestionnaireResponse]") -> list[Answered]:
    decisions = ResponseDecision.objects.select_related("decided_by").order_by("pk")
    read = rows.select_related("session", "wording", "grant", "promise").prefetch_related(
        Prefetch("decisions", queryset=decisions, to_attr="all_decisions")
    )
    rules = SwitchedOn()
    return [
        Answered(row, row.scored_by, row.all_decisions[-1] if row.all_decisions else None, rules)
        for row in read.order_by("session__number", "received_at", "pk")
    ]


def _grouped(answered: Iterable[Answered]) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for one in answered:
        response = one.response
        series = found.setdefault(
            response.series,
            Series(one.instrument, _edition(response), Rater(response.rater), response.rater_label),
        )
        (series.counting if one.counts else series.others).append(one)
    for series in found.values():
        series.others.reverse()
    return found


def _edition(response: QuestionnaireResponse) -> str:
    return str(response.wording.edition) if response.wording else ""


_RATERS: Sequence[Rater] = list(Rater)


def _order(series: Series) -> tuple[bool, str, int, str]:
    """Outcome scales first, then by name; the raters of one instrument beside each other, the client first."""
    return (
        not series.instrument.companion,
        series.instrument.form_of,
        _RATERS.index(series.rater),
        series.rater_label,
    )
