"""What a therapist guessed beside what the client marked: read by this therapist alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from alliance.measurement import guess_figures, instruments
from alliance.measurement.guess_figures import GuessFigures
from alliance.measurement.scoring import points, points_apart
from alliance.models import User
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.scales import series_of
from sessions_app.questionnaires.guesses import Guess


@dataclass(frozen=True)
class Line:
    """One line of the form: what was guessed, what was marked; "–" where nothing was."""

    label: str
    guessed: str
    marked: str


@dataclass(frozen=True)
class Pair:
    """One session. lines: of both; marked is empty as long as nothing came. difference: of the totals, in tenths."""

    session: TherapySession
    made_at: datetime
    is_marked: bool
    lines: list[Line]
    difference: int | None

    @property
    def apart(self) -> str:
        """The difference in words; empty where a total is missing."""
        if self.difference is None:
            return ""
        if self.difference == 0:
            return "as marked"
        way = "higher" if self.difference > 0 else "lower"
        return f"{points_apart(abs(self.difference))} {way} than marked"


@dataclass(frozen=True)
class Guesses:
    pairs: list[Pair]  # the newest first
    figures: GuessFigures
    clients: int  # of how many clients the figures are

    def of_client(self, code: UUID) -> list[Pair]:
        return [pair for pair in self.pairs if pair.session.client_code == code]


def read(therapist: User) -> Guesses:
    """All guesses of this therapist about clients whose course they still read; two queries."""
    marks = Prefetch(
        "session__ratings", Rating.objects.standing().select_related("wording"), to_attr="standing_ratings"
    )
    rows = Guess.objects.own(therapist).filter(session__voided_at__isnull=True)
    found = list(
        rows.select_related("session__episode__client").prefetch_related(marks).order_by("-made_at", "-pk")
    )
    pairs = [_pair(guess) for guess in found]
    compared = [pair for pair in pairs if pair.difference is not None]
    return Guesses(pairs, _figures(compared), len({pair.session.client_code for pair in compared}))


def _figures(pairs: Iterable[Pair]) -> GuessFigures:
    return guess_figures.figures([pair.difference for pair in pairs if pair.difference is not None])


def _pair(guess: Guess) -> Pair:
    rating = next(iter(guess.session.standing_ratings), None)
    # Another form than the guessed one has other lines: the two are never compared.
    if rating is not None and (rating.is_blank or _form(rating) != _form(guess)):
        rating = None
    marks = rating.marks if rating else {}
    items = instruments.get(guess.instrument, guess.instrument_version).items
    lines = [
        Line(
            item.label[:1].upper() + item.label[1:],
            _said(guess.marks[item.id]),
            _said(marks.get(item.id)) if rating else "",
        )
        for item in items
    ]
    marked = rating.total if rating else None
    difference = None if guess.total is None or marked is None else guess.total - marked
    return Pair(guess.session, guess.made_at, rating is not None, lines, difference)


def _form(row: Rating | Guess) -> str:
    return series_of(row.instrument, row.instrument_version, None)


def _said(tenths: int | None) -> str:
    return "–" if tenths is None else points(tenths)
