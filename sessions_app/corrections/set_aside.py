"""Marks that do not count, as pages show them: why, what to do, and side by side with those that stand."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, QuerySet, Subquery

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument, Item
from alliance.measurement.scoring import one_decimal, points
from alliance.models import User
from alliance.prepared import Prepared
from clients.models import Ending, Episode
from sessions_app.corrections.actions import TYPED
from sessions_app.courses.decisions import Correction, Settlement
from sessions_app.courses.models import (
    Mode,
    Rating,
    SetAsideQuerySet,
    SetAsideRating,
    TherapySession,
    rivals_of,
)
from sessions_app.intake import sealed_upload

Reason = SetAsideRating.Reason
WHY = {
    Reason.DISPUTED: "Other marks had been stored for this session before.",
    Reason.WITHDRAWN: "The hand-over had been taken back when they came.",
    Reason.LATE: "They came after the last day on which ratings are taken.",
    "invalid": "They could not be read as marks.",
}
DECLINED = "The client had said on the form that they did not want to rate."
LEFT_OPEN = "The time to fill in this form was past. It may have lain open."
ADVICE = {
    Reason.DISPUTED: "Ask the client which marks they meant.",
    Reason.WITHDRAWN: "Use them if you know that they are this client's, of this session. If in doubt, ask.",
    Reason.LATE: "Use them if they are of this session: they take their place in the course.",
    "invalid": "Ask the client and enter the rating from paper. What arrived stays here as it came.",
}


@dataclass(frozen=True)
class Mark:
    """One answer: in words, and how far along the line it is, in hundredths."""

    said: str
    place: int | None


@dataclass(frozen=True)
class Line:
    """One line of a form in both sets of marks."""

    label: str
    stands: Mark
    arrived: Mark

    @property
    def differs(self) -> bool:
        return self.stands != self.arrived


@dataclass(frozen=True)
class SetAside:
    """One set of marks that does not count, beside the rating that stands."""

    row: SetAsideRating
    stands: Rating | None
    lines: tuple[Line, ...]
    total: str
    comment: str  # as far as the reader may read it
    decision: Settlement | None

    @property
    def why(self) -> str:
        if self.row.reason == Reason.WITHDRAWN and self.row.grant.declined:
            return DECLINED
        if self._was_left_open:
            return LEFT_OPEN
        return WHY.get(self.row.reason, self.row.get_reason_display())

    @property
    def advice(self) -> str:
        reason = Reason.WITHDRAWN if self._was_left_open else self.row.reason
        return ADVICE.get(reason, ADVICE[Reason.DISPUTED])

    @property
    def _was_left_open(self) -> bool:
        """Late for the form, and not for the seven days in which marks are taken that were made in time."""
        return self.row.reason == Reason.LATE and self.row.received_at < self.row.grant.accept_until

    @property
    def raw(self) -> str:
        """What arrived, where nobody could read it as marks."""
        return self.row.raw or ""

    @property
    def claimed_at(self) -> datetime | None:
        """What the clock of the device said. Never trusted: it may say 1970, in rows of before anything."""
        return sealed_upload.claim(self.row.claimed_at)

    @property
    def can_be_used(self) -> bool:
        return self.decision is None and bool(self.lines)

    @property
    def can_be_taken_out(self) -> bool:
        """Whether these marks are the rating now, and none stood before them."""
        if self.decision is None or self.stands is None:
            return False
        return self.decision.rating_id == self.stands.pk and self.stands.replaces_id is None

    @property
    def now(self) -> str:
        """The total that stands."""
        return one_decimal(self.stands.total) if self.stands and self.stands.total is not None else ""

    @property
    def marks(self) -> str:
        return ", ".join(f"{line.label} {line.arrived.said}" for line in self.lines)

    @property
    def difference(self) -> str:
        """In words, what is different from the marks that stand; empty where none stand."""
        if self.stands is None or not self.lines:
            return ""
        when = "later" if self.row.received_at >= self.stands.received_at else "earlier"
        found = [
            f"{line.label}: {line.stands.said} stands, {line.arrived.said} arrived {when}"
            for line in self.lines
            if line.differs
        ]
        if self.row.comment != self.stands.comment:
            found.append("the client's sentence differs")
        elif self.row.share_comment != self.stands.share_comment:
            found.append("who may read the client's sentence differs")
        text = "; ".join(found) or "all lines are the same"
        return f"{text[:1].upper()}{text[1:]}."


@dataclass(frozen=True)
class Earlier:
    """Marks that counted before others took their place."""

    rating: Rating
    marks: str
    comment: str
    correction: Correction | None
    replaced_by: Rating
    can_be_put_back: bool


@dataclass
class OfSession:
    """What one session has beside its rating."""

    to_settle: list[SetAside] = field(default_factory=list)
    settled: list[SetAside] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)

    @property
    def people(self) -> Iterator[User]:
        """The staff who are named."""
        for aside in self.settled:
            if aside.decision:
                yield aside.decision.settled_by
        for one in self.earlier:
            if one.correction:
                yield one.correction.corrected_by


@dataclass(frozen=True)
class ToLookAt:
    """A session with marks that wait for a decision, for the work list."""

    session: TherapySession
    count: int


def can_be_corrected(rating: Rating | None) -> bool:
    """Whether somebody typed these marks, who may have mistyped them."""
    return rating is not None and Mode(rating.mode) in TYPED


def _written_to_look_at(therapist: UUID) -> QuerySet[SetAsideRating]:
    rows = SetAsideRating.objects.to_settle().filter(session__episode__therapist=therapist)
    return rows.exclude(session__episode__ending=Ending.TRANSFERRED)


_TO_LOOK_AT = Prepared(_written_to_look_at, therapist=UUID)


def to_look_at(therapist: User, covered: Collection[int] = ()) -> list[ToLookAt]:
    """Of the therapist's own clients, closed episodes too: late marks come when they come. And of those covered.

    One query where there are none, as on most days; else one more.
    """
    waiting = _TO_LOOK_AT.rows(therapist=therapist.pk)
    if covered:
        waiting += SetAsideRating.objects.to_settle().filter(session__episode__in=covered)
    if not waiting:
        return []
    rows = SetAsideRating.objects.own(therapist).filter(pk__in=[row.pk for row in waiting])
    found = list(rows.select_related("session__episode__client").order_by("received_at"))
    sessions = {row.session_id: row.session for row in found}
    counts = Counter(row.session_id for row in found)
    return [ToLookAt(session, counts[pk]) for pk, session in sessions.items()]


def count_of(episode: OuterRef) -> Subquery:
    """How many sets of marks of an episode wait for the therapist's decision, for a list of episodes."""
    rows = SetAsideRating.objects.to_settle().filter(session__episode=episode).order_by()
    return Subquery(rows.values("session__episode").annotate(count=Count("pk")).values("count"))


def of_episode(episode: Episode, *, reads_comments: bool) -> dict[int, OfSession]:
    """{session: what it has beside its rating}, in three queries."""
    found: dict[int, OfSession] = defaultdict(OfSession)
    # Of most sessions the page has read the one rating there is: only those with more are read here.
    more = Rating.objects.filter(session=OuterRef("session"), replaces__isnull=False)
    aside = SetAsideRating.objects.filter(session=OuterRef("session"))
    ratings = Rating.objects.filter(Exists(more) | Exists(aside), session__episode=episode).order_by("pk")
    rows = {row.pk: row for row in ratings.select_related("correction__corrected_by", "settlement")}
    replaced = {row.replaces_id: row for row in rows.values() if row.replaces_id}
    for pk, by in replaced.items():
        if _waits_again(rows[pk]) and not reads_comments:
            continue  # they are set aside again: a supervisor learns how many, not which
        earlier = _earlier(rows[pk], by, last=by.pk not in replaced, reads_comments=reads_comments)
        found[by.session_id].earlier.append(earlier)
    standing = [row for row in rows.values() if row.pk not in replaced]
    stands = {(row.session_id, rivals_of(row.instrument)): row for row in standing}
    asides = with_decisions(SetAsideRating.objects.filter(session__episode=episode))
    for row in asides.order_by("received_at"):
        its_rating = stands.get((row.session_id, rivals_of(row.grant.instrument)))
        one = shown(row, its_rating, reads_comments=reads_comments)
        of_session = found[row.session_id]
        (of_session.settled if one.decision else of_session.to_settle).append(one)
    return found


def with_decisions(rows: SetAsideQuerySet) -> SetAsideQuerySet:
    """With all that `shown` reads of a row."""
    decisions = Settlement.objects.standing().select_related("settled_by")
    return rows.select_related("session__episode__client", "grant").prefetch_related(
        Prefetch("settlements", queryset=decisions, to_attr="decisions")
    )


def shown(aside: SetAsideRating, stands: Rating | None, *, reads_comments: bool) -> SetAside:
    """One set of marks as a page shows it, beside `stands`, the rating of the session that counts."""
    instrument = instruments.get(aside.grant.instrument, aside.grant.instrument_version)
    stands = stands if stands and not stands.is_blank else None
    decided: list[Settlement] = getattr(aside, "decisions", [])
    return SetAside(
        row=aside,
        stands=stands,
        lines=compared(instrument, aside.answers, stands.answers if stands else {}),
        total=_total(instrument, aside.answers),
        comment=aside.comment if reads_comments or aside.share_comment else "",
        decision=decided[0] if decided else None,
    )


def _earlier(rating: Rating, by: Rating, *, last: bool, reads_comments: bool) -> Earlier:
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    return Earlier(
        rating=rating,
        marks=in_words(instrument, rating.answers),
        comment=rating.comment if reads_comments or rating.share_comment else "",
        correction=getattr(by, "correction", None),
        replaced_by=by,
        can_be_put_back=last and not _waits_again(rating),
    )


def _waits_again(rating: Rating) -> bool:
    """Whether these marks were set aside, used and taken back: they are decided about where they wait."""
    settlement: Settlement | None = getattr(rating, "settlement", None)
    return settlement is not None and settlement.undone_at is not None


def in_words(instrument: Instrument, answers: Mapping[str, int | None]) -> str:
    lines = compared(instrument, answers, {})
    return ", ".join(f"{line.label} {line.arrived.said}" for line in lines)


def compared(
    instrument: Instrument, answers: Mapping[str, int | None], stands: Mapping[str, int | None]
) -> tuple[Line, ...]:
    """Each line of the form in both; no line at all for marks that nobody could read."""
    return tuple(
        Line(item.label, _mark(item, stands.get(item.id)), _mark(item, answers.get(item.id)))
        for item in instrument.items
        if answers
    )


def _mark(item: Item, tenths: int | None) -> Mark:
    if tenths is None:
        return Mark("no answer", None)
    return Mark(points(tenths), 100 * (tenths - item.minimum) // (item.maximum - item.minimum))


def _total(instrument: Instrument, answers: Mapping[str, int | None]) -> str:
    total = scoring.score(instrument, answers).total if answers else None
    return "" if total is None else one_decimal(total)
