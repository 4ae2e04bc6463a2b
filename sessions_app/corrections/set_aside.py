"""Marks that do not count, as pages show them: why, what to do, and side by side with those that stand."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from alliance.measurement import instruments, scoring
from alliance.measurement.instruments import Instrument, Item
from alliance.measurement.scoring import points
from alliance.models import User
from alliance.prepared import Prepared
from clients.models import Ending, Episode
from sessions_app.corrections import families
from sessions_app.courses.decisions import Correction, Misfiling, Settlement
from sessions_app.courses.models import TYPED, Mode, Rating, SetAsideQuerySet, SetAsideRating, TherapySession
from sessions_app.instruments import promises
from sessions_app.instruments.promises import Door
from sessions_app.intake import sealed_upload

Reason = SetAsideRating.Reason
WHY = {
    Reason.DISPUTED: "Other marks had been stored for this session before.",
    Reason.WITHDRAWN: "The hand-over had been taken back when they came.",
    Reason.LATE: "They came after the last day on which ratings are taken.",
    "invalid": "They could not be read as marks.",
}
DECLINED = "The client had said on the form that they did not want to rate."
VOIDED = "The session was voided. To use them, put it back first, below under Voided sessions."
LEFT_OPEN = "The time to fill in this form was past. It may have lain open."
ADVICE = {
    Reason.DISPUTED: "Ask the client which marks they meant.",
    Reason.WITHDRAWN: "Use them if you know that they are this client's, of this session. If in doubt, ask.",
    Reason.LATE: "Use them if they are of this session: they take their place in the course.",
    "invalid": "Ask the client and enter the rating from paper. What arrived stays here as it came.",
}


WITHHELD = "marks that the therapist alone sees"  # in the place of marks of which that was promised


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
        if self.row.session.is_voided:
            return VOIDED
        reason = Reason.WITHDRAWN if self._was_left_open else self.row.reason
        return ADVICE.get(reason, ADVICE[Reason.DISPUTED])

    @property
    def _was_left_open(self) -> bool:
        """Late for the form, and not for the seven days in which marks are taken that were made in time."""
        return self.row.reason == Reason.LATE and self.row.received_at < self.row.grant.accept_until

    @property
    def raw(self) -> str:
        """What arrived, where nobody could read it as marks."""
        return "" if self.is_misfiled else self.row.raw or ""

    @property
    def is_misfiled(self) -> bool:
        """Whether somebody decided that these marks are not of this session."""
        return self.decision is not None and self.decision.outcome == Settlement.Outcome.MISFILED

    @property
    def claimed_at(self) -> datetime | None:
        """What the clock of the device said. Never trusted: it may say 1970, in rows of before anything."""
        return sealed_upload.claim(self.row.claimed_at)

    @property
    def can_be_used(self) -> bool:
        return self.decision is None and bool(self.lines) and not self.row.session.is_voided

    @property
    def is_standing(self) -> bool:
        """Whether these marks are the rating now."""
        return (
            self.decision is not None
            and self.stands is not None
            and self.decision.rating_id == self.stands.pk
        )

    @property
    def can_be_taken_out(self) -> bool:
        """Whether these marks are the rating now, and none stood before them."""
        before = self.stands.replaces if self.stands else None
        return self.is_standing and (before is None or before.is_taken_out)

    @property
    def now(self) -> str:
        """The total that stands."""
        return points(self.stands.total) if self.stands and self.stands.total is not None else ""

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
    correction: Correction | None  # None where the client was asked again
    replaced_by: Rating
    can_be_put_back: bool
    can_be_set_aside: bool


@dataclass(frozen=True)
class Misfiled:
    """Marks that left this session, or came to it, because they had been in the wrong record. Never which."""

    at: datetime
    by: User
    undone_at: datetime | None
    undone_by: User | None
    came_here: bool
    way_back: Misfiling | None = None  # of marks that left; what arrived here and left is among the settled


@dataclass
class OfSession:
    """What one session has beside its rating."""

    to_settle: list[SetAside] = field(default_factory=list)
    settled: list[SetAside] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)
    misfiled: list[Misfiled] = field(default_factory=list)

    @property
    def people(self) -> Iterator[User]:
        """The staff who are named."""
        yield from (aside.decision.settled_by for aside in self.settled if aside.decision)
        for one in self.earlier:
            if one.correction:
                yield one.correction.corrected_by
            else:
                yield one.replaced_by.grant.made_by
        for misfiled in self.misfiled:
            yield misfiled.by
            if misfiled.undone_by:
                yield misfiled.undone_by


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
    """{session: what it has beside its rating}, in five queries."""
    found: dict[int, OfSession] = defaultdict(OfSession)
    # Of most sessions the page has read the one rating there is: only those with more are read here.
    more = Rating.objects.filter(session=OuterRef("session"), replaces__isnull=False)
    aside = SetAsideRating.objects.filter(session=OuterRef("session"))
    ratings = Rating.objects.filter(Exists(more) | Exists(aside), session__episode=episode).order_by("pk")
    rows = list(ratings.select_related("correction__corrected_by", "settlement", "grant__made_by", "promise"))
    by_pk = {row.pk: row for row in rows}
    for row in rows:
        if row.replaces_id:
            row.replaces = by_pk[row.replaces_id]
    misfilings = _misfilings(episode)
    not_here = families.hidden(rows, misfilings)
    for session, misfiled in _misfiled(episode, misfilings):
        found[session].misfiled.append(misfiled)
    replaced = {row.replaces_id: row for row in rows if row.replaces_id}
    for row in rows:
        by = replaced.get(row.pk)
        if by is None or row.is_taken_out or row.pk in not_here:
            continue
        if _waits_again(row) and not reads_comments:
            continue  # they are set aside again: a supervisor learns how many, not which
        can_be_put_back = (
            by.pk not in replaced
            and not _waits_again(row)
            and families.can_count_again(by.pk, rows, not_here) is not None
        )
        earlier = _earlier(row, by, can_be_put_back=can_be_put_back, reads_comments=reads_comments)
        found[by.session_id].earlier.append(earlier)
    standing = [row for row in rows if row.pk not in replaced]
    stands = {row.session_id: row for row in standing}
    asides = with_decisions(SetAsideRating.objects.filter(session__episode=episode))
    for row in asides.order_by("received_at"):
        its_rating = stands.get(row.session_id)
        one = shown(row, its_rating, reads_comments=reads_comments)
        of_session = found[row.session_id]
        (of_session.settled if one.decision else of_session.to_settle).append(one)
    return found


def _misfiled(episode: Episode, misfilings: Iterable[Misfiling]) -> Iterator[tuple[int, Misfiled]]:
    """By session, what left it and stands so, and what came to it, even if it went back."""
    for one in misfilings:
        said = (one.set_aside_at, one.set_aside_by, one.undone_at, one.undone_by)
        if one.rating.session.episode_id == episode.pk and one.undone_at is None:
            yield one.rating.session_id, Misfiled(*said, came_here=False, way_back=one)
        if one.moved_to and one.moved_to.session.episode_id == episode.pk:
            yield one.moved_to.session_id, Misfiled(*said, came_here=True)
    arrived = Settlement.objects.filter(outcome=Settlement.Outcome.MISFILED, rating__session__episode=episode)
    for settlement in arrived.select_related("rating", "settled_by", "undone_by"):
        said = (settlement.settled_at, settlement.settled_by, settlement.undone_at, settlement.undone_by)
        assert settlement.rating is not None  # it was found by its rating
        yield settlement.rating.session_id, Misfiled(*said, came_here=True)


def _misfilings(episode: Episode) -> list[Misfiling]:
    inside = Q(rating__session__episode=episode) | Q(moved_to__session__episode=episode)
    rows = Misfiling.objects.filter(inside).select_related(
        "rating__session", "moved_to__session", "set_aside_by", "undone_by"
    )
    return list(rows.order_by("set_aside_at"))


def with_decisions(rows: SetAsideQuerySet) -> SetAsideQuerySet:
    """With all that `shown` reads of a row."""
    decisions = Settlement.objects.standing().select_related("settled_by")
    return rows.select_related("session__episode__client", "grant__promise").prefetch_related(
        Prefetch("settlements", queryset=decisions, to_attr="decisions")
    )


def shown(aside: SetAsideRating, stands: Rating | None, *, reads_comments: bool) -> SetAside:
    """One set of marks as a page shows it, beside `stands`, the rating of the session that counts."""
    instrument = instruments.get(aside.grant.instrument, aside.grant.instrument_version)
    stands = stands if stands and not stands.is_blank and _may_read(stands, reads_comments) else None
    decided: list[Settlement] = getattr(aside, "decisions", [])
    decision = decided[0] if decided else None
    if decision is not None and decision.outcome == Settlement.Outcome.MISFILED:
        # Somebody else's: this record says that marks came, and neither which nor with what words.
        return SetAside(row=aside, stands=stands, lines=(), total="", comment="", decision=decision)
    if not _may_read(aside, reads_comments):
        return SetAside(row=aside, stands=None, lines=(), total="", comment="", decision=decision)
    return SetAside(
        row=aside,
        stands=stands,
        lines=compared(instrument, aside.answers, stands.answers if stands else {}),
        total=_total(instrument, aside.answers),
        comment=promises.comment_for(aside, reads_all=reads_comments),
        decision=decision,
    )


def _may_read(marks: Rating | SetAsideRating, is_own: bool) -> bool:
    """is_own: whether the reader treats the client; else they supervise, and read what was promised."""
    return is_own or promises.allows(marks, Door.SUPERVISOR)


def _earlier(rating: Rating, by: Rating, *, can_be_put_back: bool, reads_comments: bool) -> Earlier:
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    marks = _marks_in_words(instrument, rating)
    return Earlier(
        rating=rating,
        marks=marks if _may_read(rating, reads_comments) else WITHHELD,
        comment=promises.comment_for(rating, reads_all=reads_comments),
        correction=getattr(by, "correction", None),
        replaced_by=by,
        can_be_put_back=can_be_put_back,
        can_be_set_aside=not rating.is_blank,
    )


def _marks_in_words(instrument: Instrument, rating: Rating) -> str:
    if rating.is_total_only and rating.total is not None:
        return f"total {points(rating.total)}, imported without lines"
    return "nothing marked" if rating.is_blank else in_words(instrument, rating.answers)


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
    return Mark(points(tenths), round(item.along(tenths)))


def _total(instrument: Instrument, answers: Mapping[str, int | None]) -> str:
    total = scoring.score(instrument, answers).total if answers else None
    return "" if total is None else points(total)
