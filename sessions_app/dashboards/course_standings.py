"""The stored standings of many episodes, as the work list and the caseload read them: one query, no rule."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from alliance.kept_values import Kept
from alliance.measurement.overdue import STAYS_OVERDUE
from alliance.measurement.repairs import RepairState
from alliance.measurement.talk_groups import Group, Situation, group_of
from clients.models import Episode
from sessions_app.conversations import repairs
from sessions_app.courses.models import Rating
from sessions_app.courses.rating_state import RatingState
from sessions_app.dashboards.sparkline import sparkline
from sessions_app.flags import conclude, facts, low_points, reasons, standing
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.facts import beginning_of
from sessions_app.flags.low_points import LowPoint
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments import rule_settings

JOINED = (
    "client",
    "therapist",
    "standing__talk__session",
    "standing__agreement",
    "standing__words__promise",
    "standing__deferral__session",
    "standing__deferral__deferred_by",
    "standing__put_off__session",
)

# What a standing says of marks, taken out. That a session was rated is no mark.
NOTHING_TOLD: Mapping[str, Any] = {
    **dict.fromkeys(("total", "low_point", "level", "below", "lowest")),
    "flags": [],
    "points": [],
    "told": False,
}


class Place(NamedTuple):
    """A session in a course."""

    number: int
    held_at: datetime


@dataclass(frozen=True)
class CourseStanding:
    """One open episode with its stored standing, as it is from `now` until `valid_until`.

    kept: finished pieces of pages made of it, each under everything else that it shows.
    """

    episode: Episode
    row: EpisodeStanding
    now: datetime
    kept: dict[Hashable, Any] = field(default_factory=dict, compare=False)

    @cached_property
    def in_supervision(self) -> "CourseStanding":
        """The same as whoever supervises may read it: nothing of the marks, where some are the therapist's alone.

        Level, flags and low points are made of all marks of a course, so that none of them is told.
        """
        if not self.row.course.get("withheld"):
            return self
        row = copy(self.row)
        row.course = {**row.course, **NOTHING_TOLD}
        row.words = row.put_off = row.put_off_until = row.calls_from = None
        return CourseStanding(self.episode, row, self.now)

    @property
    def is_withheld(self) -> bool:
        """Whether this says nothing of the marks, because of what was promised."""
        return self.row.course.get("told") is False

    @cached_property
    def valid_until(self) -> datetime:
        """The next moment at which the clock changes what is said here: at the latest when the day is over."""
        tomorrow = beginning_of(timezone.localdate(self.now) + timedelta(days=1))
        moments = [tomorrow]
        if self.row.put_off_until:
            moments.append(self.row.put_off_until)
        for flag in self.row.course["flags"]:
            if flag["put_off_until"]:
                moments.append(datetime.fromisoformat(flag["put_off_until"]))
        for _, _, overdue_from in self.row.course["overdue"]:
            begins = datetime.fromisoformat(overdue_from)
            moments += [begins, begins + STAYS_OVERDUE]
        return min(moment for moment in moments if moment > self.now)

    @cached_property
    def flags(self) -> list[Flag]:
        """What is not talked about: all that calls, or would, however old; the rest where it is news."""
        flags = standing.flags_in(self.row.course, self.episode.pk, self.now)
        return reasons.strongest_first(flags)

    @cached_property
    def calls(self) -> list[Flag]:
        """What calls for a talk, the strongest first, of equals the newest."""
        return [flag for flag in self.flags if flag.calls]

    @cached_property
    def put_off(self) -> list[Flag]:
        return [flag for flag in self.flags if flag.is_open and flag.is_put_off and not flag.calls]

    @cached_property
    def quiet_at_last(self) -> list[Flag]:
        """Open flags of the last session that call for no talk."""
        last = self.last
        return [
            flag
            for flag in self.flags
            if flag.is_open
            and not (flag.calls or flag.is_put_off)
            and last
            and flag.session.number == last.number
        ]

    @cached_property
    def last(self) -> Place | None:
        return self._place("last")

    @cached_property
    def last_rated(self) -> Place | None:
        return self._place("rated")

    def _place(self, name: str) -> Place | None:
        stored = self.row.course[name]
        return Place(stored[0], datetime.fromisoformat(stored[1])) if stored else None

    @property
    def last_total(self) -> int | None:
        """In tenths."""
        total: int | None = self.row.course["total"]
        return total

    @cached_property
    def low_point(self) -> LowPoint | None:
        """The last one; it may be over."""
        return low_points.read(self.row.course)

    @property
    def is_not_back(self) -> bool:
        """Whether three ratings came since its last low point began, and none was back."""
        return self.low_point is not None and self.low_point.state == RepairState.NOT_BACK

    @cached_property
    def low_point_word(self) -> str:
        """What the lists say of a low point that goes on; empty where none does, or the reason to talk says it."""
        found = self.low_point
        if found is None or not found.goes_on or found.state == RepairState.OPEN:
            return ""
        said = repairs.word(found)
        return f"Low start: {said}" if found.is_low_start else said[:1].upper() + said[1:]

    @property
    def level(self) -> int | None:
        """The client's own level in tenths: while a low point goes on the one before it."""
        level: int | None = self.row.course["level"]
        return level

    @property
    def below(self) -> int:
        """How far the last total is below that level now, in tenths: the first key of an order by need.

        Of a low start without a level, below the cutoff. 0 where nothing is known, negative above it.
        """
        below: int | None = self.row.course["below"]
        return below or 0

    @property
    def lowest_lines(self) -> tuple[list[str], int] | None:
        """The lines of the last complete rating with the lowest mark, and that mark in tenths.

        None where no line is lower than another: then no question may be about one.
        """
        stored = self.row.course["lowest"]
        return (stored[0], stored[1]) if stored else None

    @property
    def maximum(self) -> int:
        """The highest total of the scale, in tenths."""
        maximum: int = self.row.course["maximum"]
        return maximum

    @cached_property
    def sparkline(self) -> SafeString:
        cutoffs = self.row.course["cutoff"]
        cutoff = cutoffs.get(self.episode.client.language, cutoffs[""])
        return sparkline(self.row.course["points"], cutoff=cutoff, maximum=self.maximum)

    @cached_property
    def is_talked_about(self) -> bool:
        """Somebody talked about the last rating, and the next one has not come yet."""
        through: int = self.row.course["talked_through"]
        return through > 0 and (self.last_rated is None or through >= self.last_rated.number)

    @cached_property
    def group(self) -> Group:
        """Where the lists show this client today."""
        low, deferral = self.low_point, self.deferral
        return group_of(
            Situation(
                calls=bool(self.calls),
                state=low.state if low else None,
                goal=low.goal if low else 0,
                total=self.last_total,
                ratings_since_talk=low.after_talk if low else 0,
                talked_today=self.is_talked_about_today,
                is_put_off=bool(self.put_off) and self.holding is not None,
                is_not_needed=deferral is not None and deferral.kind == Deferral.Kind.NOT_NEEDED,
            )
        )

    @property
    def is_talked_about_today(self) -> bool:
        talk = self.talk
        return talk is not None and timezone.localdate(talk.discussed_at) == timezone.localdate(self.now)

    @property
    def words(self) -> Rating | None:
        """The rating with the client's latest sentence: of the last complete rating or since.

        The therapist reads it; a supervisor only where the client ticked that they may (`share_comment`).
        """
        return self.row.words

    @property
    def talk(self) -> Discussion | None:
        return self.row.talk

    @property
    def agreement(self) -> Discussion | None:
        return self.row.agreement

    @property
    def is_put_off(self) -> bool:
        """Whether the latest deferral that only puts off holds."""
        return self.row.put_off_until is not None and self.now < self.row.put_off_until

    @property
    def holding(self) -> Deferral | None:
        """The latest deferral that holds."""
        if not self.is_put_off or self.row.put_off is None:
            return None
        self.row.put_off.holds = True
        return self.row.put_off

    @cached_property
    def latest_deferral(self) -> Deferral | None:
        """The latest decision not to talk, with whether it still puts off."""
        latest = self.row.deferral
        if latest is not None:
            latest.holds = latest.pk == self.row.put_off_id and self.is_put_off
        return latest

    @cached_property
    def deferral(self) -> Deferral | None:
        """`latest_deferral` as long as it matters: it holds, or nothing was rated since."""
        latest, rated = self.latest_deferral, self.last_rated
        if latest is None or latest.holds:
            return latest
        is_latest = rated is None or latest.session.number >= rated.number
        return latest if is_latest else None

    @cached_property
    def is_deferred(self) -> bool:
        return self.deferral is not None and any(flag.is_put_off or flag.is_not_needed for flag in self.flags)

    def marks_of(self, number: int) -> RatingState | None:
        """What the rating of a session says, None where it has none."""
        state = self.row.course["marks"].get(str(number))
        return RatingState(state) if state else None

    @cached_property
    def overdue(self) -> list[Place]:
        """Sessions without a complete rating that it is not too late to ask about; later they are not rated."""
        places = [
            (Place(number, datetime.fromisoformat(held_at)), datetime.fromisoformat(overdue_from))
            for number, held_at, overdue_from in self.row.course["overdue"]
        ]
        return [place for place, begins in places if begins <= self.now < begins + STAYS_OVERDUE]


_kept: Kept[CourseStanding] = Kept(4000)  # about 5 KB each
# What the pages show of a course beside its standing. Complete: whatever is not here may not be shown.
SHOWN = (
    "code",
    "standing__revision",
    "client__label",
    "client__language",
    "client__code",
    "therapist__name",
    "therapist__email",
    "standing__deferral__deferred_by__name",
    "standing__deferral__deferred_by__email",
)


def read(
    episodes: QuerySet[Episode], now: datetime, *order: Combinable | str, beside: Sequence[str] = ()
) -> list[tuple[CourseStanding, dict[str, Any]]]:
    """These episodes with their standings, ordered, each with the values of its annotations `beside`.

    One query where all are known to this process and none has changed; one more for those that are not.
    """
    return of_rows(list(columns(episodes, *order, beside=beside)), now, beside=beside)


def columns(
    episodes: QuerySet[Episode], *order: Combinable | str, beside: Sequence[str] = ()
) -> QuerySet[Episode, tuple[Any, ...]]:
    """The query of `read`, for a list that puts it together once (`alliance.prepared`)."""
    return episodes.order_by(*order).values_list("pk", *SHOWN, *beside)


def of_rows(
    rows: Sequence[tuple[Any, ...]], now: datetime, *, beside: Sequence[str] = ()
) -> list[tuple[CourseStanding, dict[str, Any]]]:
    """As `read`, of the rows that `columns` found."""
    end = 1 + len(SHOWN)
    keys = {row[0]: (get_language(), *row[1:end]) for row in rows}
    known = {pk: course for pk, key in keys.items() if (course := _kept_course(key, now))}
    unknown = [pk for pk in keys if pk not in known]
    if unknown:
        for course in _read(unknown, now):
            known[course.episode.pk] = course
            _keep(keys[course.episode.pk], course)
    # What was written between the two queries is shown as it is now.
    return [(known[row[0]], dict(zip(beside, row[end:], strict=True))) for row in rows if row[0] in known]


def _kept_course(key: tuple[Any, ...], now: datetime) -> CourseStanding | None:
    course = _kept.get(key)
    if course is None or not course.now <= now < course.valid_until:
        return None
    return course


def _keep(key: tuple[Any, ...], course: CourseStanding) -> None:
    """Where it was read as the key says: a write or a rename between the two queries makes another key."""
    if (get_language(), *_shown_by(course.episode)) == key:
        _kept.put(key, course)


def _shown_by(episode: Episode) -> Iterator[Any]:
    """The values of `SHOWN`, of a row that was read with everything."""
    for path in SHOWN:
        value: Any = episode
        for name in path.split("__"):
            value = getattr(value, name, None)
        yield value


def _read(episodes: Sequence[int], now: datetime) -> list[CourseStanding]:
    rows = list(Episode.objects.filter(pk__in=episodes).select_related(*JOINED))
    missing = _fresh([episode for episode in rows if not hasattr(episode, "standing")], now)
    return [CourseStanding(episode, missing.get(episode.pk) or episode.standing, now) for episode in rows]


def _fresh(episodes: Sequence[Episode], now: datetime) -> dict[int, EpisodeStanding]:
    """What would be stored where no row is: a backup of before, or rows made by hand. The next write stores it."""
    if not episodes:
        return {}
    rules = rule_settings.in_force()
    found = facts.read([episode.pk for episode in episodes])
    return {
        pk: EpisodeStanding(episode_id=pk, **conclude.fresh(one, rules, now).values)
        for pk, one in found.items()
    }
