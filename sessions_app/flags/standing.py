"""The stored standing of an episode: concluded from facts, written where it changed, read back as flags.

`EpisodeStanding.course` holds, in JSON (tenths, ISO moments):
flags: what is not talked about and either calls for a talk or is news of the last session, each with what its
words need; points: totals of the last attended sessions; cutoff: {language or "": tenths}, maximum: of the scale;
last, rated: [number, held_at] of the last attended and the last rated session; total: tenths;
overdue: [[number, held_at, from]]; talked_through: a session's number; marks: {number: `RatingState` of its rating};
low_point: the last one, and whether it goes on (`low_points.LowPoint`); level: the client's own, that before a low
point while it goes on (`measurement.own_level`); below: how far the last total is below that, of a low start without
one below the cutoff; lowest: [lines, mark] of the last complete rating; withheld: whether marks of it were promised to
be the therapist's alone, so that the lists of whoever supervises say nothing of the whole course.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connection

from alliance.measurement import instruments
from alliance.measurement import standing as rules_of_standing
from alliance.measurement.process import day_counts
from alliance.measurement.put_off import put_off_until
from alliance.measurement.standing import POINTS, CourseEvents, FlagKey, FlagStanding, RaisedFlag, Standing
from alliance.refused import ERASED, Gone
from clients.lock import lock_episodes
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import TherapySession
from sessions_app.flags import low_points
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.expected_flags import ExpectedFlag, HeldSession
from sessions_app.flags.facts import CourseFacts, SessionFact
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import COUNTED, ProcessDay
from sessions_app.flags.turns import turns
from sessions_app.instruments.rule_settings import RuleSettings


@dataclass(frozen=True, slots=True)
class Concluded:
    """What one course means: its flags, and the values of its `EpisodeStanding`."""

    expected: Mapping[FlagKey, ExpectedFlag]
    values: dict[str, Any]


class _Raised(NamedTuple):
    """An expected flag with the moment at which it was raised."""

    rating: int | None
    on_work_list: bool
    evidence: Mapping[str, Any]
    raised_at: datetime


def concluded(
    facts: CourseFacts,
    held: list[HeldSession],
    expected: Mapping[FlagKey, ExpectedFlag],
    rules: RuleSettings,
    now: datetime,
) -> Concluded:
    """The standing under these rules. A flag that is not stored yet is raised now."""
    events = facts.events(raised_flags(facts, expected, now))
    found = rules_of_standing.standing(events)
    later = [(row, one) for row, one in zip(facts.deferrals, events.deferrals, strict=True) if one.is_later]
    put_off, until = (later[-1][0].pk, put_off_until(later[-1][1], events.visits)) if later else (None, None)
    calls_from = [one.put_off_until or one.flag.raised_at for one in found.flags if one.may_call]
    agreements = [talk for talk in facts.talks if talk.agreed]
    lows = low_points.of_course(held, expected, rules, {talk.number for talk in events.talks})
    return Concluded(
        expected,
        {
            "settings_version": rules.name,
            "calls_from": min(calls_from, default=None),
            "talk_id": facts.talks[-1].pk if facts.talks else None,
            "agreement_id": agreements[-1].pk if agreements else None,
            "words_id": _words(facts, found.last_rated),
            "deferral_id": facts.deferrals[-1].pk if facts.deferrals else None,
            "put_off_id": put_off,
            "put_off_until": until,
            "course": _course(facts, expected, found, rules) | low_points.in_standing(lows, held, rules),
            "process": _process(events, low_points.returns(lows, held)),
        },
    )


def raised_flags(
    facts: CourseFacts, expected: Mapping[FlagKey, ExpectedFlag], now: datetime
) -> Iterator[RaisedFlag]:
    """These flags as if they stood; one that was stored before keeps the moment at which it was raised first."""
    for key, flag in expected.items():
        before = facts.flags.get(key)
        raised = _Raised(flag.rating, flag.on_work_list, flag.evidence, before.raised_at if before else now)
        yield facts.raised_flag(key, flag.number, raised)


def _course(
    facts: CourseFacts,
    expected: Mapping[FlagKey, ExpectedFlag],
    found: Standing,
    rules: RuleSettings,
) -> dict[str, Any]:
    by_number = {session.number: session for session in facts.sessions}
    scale = _scale(facts, by_number, found)
    turn_of = turns(facts, expected)
    attended = sorted(session.number for session in facts.sessions if session.attendance == "attended")
    return {
        "flags": [
            _flag(one, expected[one.flag.key], by_number[one.flag.number], turn_of[one.flag.key])
            for one in found.flags
            if _is_shown(one, found)
        ],
        "points": list(found.points),
        "cutoff": {tag: rules.parameters(scale, tag).cutoff for tag in ("", *rules.languages(scale.id))},
        "maximum": scale.total_maximum,
        "last": _where(by_number, found.last_attended),
        "rated": _where(by_number, found.last_rated),
        "total": found.last_total,
        "overdue": [
            [number, by_number[number].held_at.isoformat(), found.overdue[number].isoformat()]
            for number in attended[-POINTS:]
            if number in found.overdue
        ],
        "talked_through": found.talked_through,
        "marks": {
            str(session.number): facts.ratings[session.pk].state.value
            for session in facts.sessions
            if session.pk in facts.ratings
        },
        "withheld": not all(rating.in_supervision for rating in facts.ratings.values()),
    }


def _words(facts: CourseFacts, last_rated: int | None) -> int | None:
    """The rating with the client's latest sentence that is no older than the last complete rating."""
    for session in reversed(facts.sessions):
        rating = facts.ratings.get(session.pk)
        if rating and rating.has_words:
            return rating.pk
        if session.number == last_rated:
            return None
    return None


def _is_shown(one: FlagStanding, found: Standing) -> bool:
    """What calls or may call, however old; what is quiet, and what was decided about, only where it is news."""
    is_news = one.flag.number == found.last_attended
    return not one.is_settled and (is_news or (one.flag.on_work_list and not one.is_not_needed))


def _scale(
    facts: CourseFacts, by_number: Mapping[int, SessionFact], found: Standing
) -> instruments.Instrument:
    """The instrument of the last complete rating among the points; our own where there is none."""
    if found.last_rated is None or all(total is None for total in found.points):
        return instruments.get(instruments.SESSION_RATING)
    return instruments.get(facts.ratings[by_number[found.last_rated].pk].instrument.id)


def _flag(one: FlagStanding, flag: ExpectedFlag, session: SessionFact, turn: int) -> dict[str, Any]:
    return {
        "rule": flag.key.rule,
        "instrument": flag.key.instrument,
        "is_new": flag.is_new,
        "on_work_list": flag.on_work_list,
        "evidence": flag.evidence,
        "session": [session.pk, session.number, session.held_at.isoformat()],
        "turn": turn,
        "is_not_needed": one.is_not_needed,
        "is_same_fall": one.is_same_fall,
        "put_off_until": one.put_off_until.isoformat() if one.put_off_until else None,
    }


def _where(by_number: Mapping[int, SessionFact], number: int | None) -> list[Any] | None:
    return None if number is None else [number, by_number[number].held_at.isoformat()]


# --- Process counts ------------------------------------------------------------------------------


def _process(events: CourseEvents, returns: Iterable[tuple[int, bool]]) -> dict[str, list[int]]:
    counts = day_counts(events, returns)
    return {day.isoformat(): list(astuple(counted)) for day, counted in sorted(counts.items())}


# --- Stored --------------------------------------------------------------------------------------


def lock(episodes: Collection[int]) -> dict[int, EpisodeStanding]:
    """Take the lock of these episodes, in the order of their row numbers, and read each standing behind it.

    One that has no standing is given an unsaved, empty one.
    """
    if len(episodes) > 1:
        lock_episodes(episodes)
    found = _locked(episodes)
    if missing := [pk for pk in episodes if pk not in found]:
        lock_episodes(missing)
        found |= _locked(missing)  # somebody may have stored one while this waited
        for episode in Episode.objects.filter(pk__in=missing).select_related("client"):
            found.setdefault(episode.pk, EpisodeStanding(episode=episode, course=None, process={}))
    return found


def _locked(episodes: Collection[int]) -> dict[int, EpisodeStanding]:
    """The episode first: the order of OF is the order in which PostgreSQL locks, and every action has it locked first.

    With the standing first, a batch and a rating that arrives waited for each other, and the rating was the victim.
    The client is not locked: its row is written by others, and in another order.
    """
    rows = EpisodeStanding.objects.filter(episode__in=episodes).select_related("episode__client")
    locked = rows.select_for_update(of=("episode", "self")).order_by("episode")
    return {row.pk: row for row in locked}


def lock_of_grant(grant: RatingGrant) -> dict[int, EpisodeStanding]:
    """As `lock` for the episode of this grant, in one statement that also says anew whether it was withdrawn.

    Episode, standing, grant, in this order; every withdrawal waits for the episode first. The grant is locked because
    PostgreSQL, after a wait, reads anew only what it locks: else one that was withdrawn meanwhile looked as before.
    """
    episode = grant.session.episode_id
    rows = RatingGrant.every.filter(pk=grant.pk, session__episode__standing__isnull=False)
    rows = rows.select_related("session__episode__standing", "session__episode__client")
    locked = rows.select_for_update(of=("session__episode", "session__episode__standing", "self"))
    if now := next(iter(locked), None):
        before = {episode: now.session.episode.standing}
    else:
        before = lock([episode])
        now = RatingGrant.every.filter(pk=grant.pk).first()
        if now is None:
            raise Gone(ERASED)
    grant.withdrawn_at, grant.withdrawn_by_id = now.withdrawn_at, now.withdrawn_by_id
    return before


def store(concluded: Mapping[int, Concluded], before: Mapping[int, EpisodeStanding]) -> None:
    """Write each standing that changed, and what it changes in the counts of its therapist; under the lock.

    before: what `lock` found. A row that is as it should be is left alone, so that its revision tells whether a
    page has to be drawn again.
    """
    changed = {
        episode: one.values for episode, one in concluded.items() if not says(before[episode], one.values)
    }
    if not changed:
        return
    EpisodeStanding.objects.bulk_create(
        (
            EpisodeStanding(episode_id=episode, revision=uuid4(), **values)
            for episode, values in changed.items()
        ),
        batch_size=500,
        update_conflicts=True,
        unique_fields=["episode"],
        update_fields=["revision", *VALUES],
    )
    _count(before, changed)


VALUES = (
    "settings_version",
    "calls_from",
    "talk",
    "agreement",
    "words",
    "deferral",
    "put_off",
    "put_off_until",
    "course",
    "process",
)


def says(row: EpisodeStanding, values: Mapping[str, Any]) -> bool:
    """Whether a stored row says what these values say."""
    return all(getattr(row, name) == value for name, value in values.items())


def _count(before: Mapping[int, EpisodeStanding], changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Add to each therapist's days what changed. In one order, so that no two wait for each other."""
    changes: dict[tuple[UUID, str], list[int]] = {}
    nothing = [0] * len(COUNTED)
    for episode, values in changed.items():
        was, now = before[episode].process, values["process"]
        for day in was.keys() | now.keys():
            difference = [b - a for a, b in zip(was.get(day, nothing), now.get(day, nothing), strict=True)]
            if any(difference):
                key = (before[episode].episode.therapist_id, day)
                changes[key] = [*map(sum, zip(changes.get(key, nothing), difference, strict=True))]
    if changes:
        add_to_days(changes)


def add_to_days(changes: Mapping[tuple[UUID, str], list[int]]) -> None:
    """Add these counts; {(therapist, ISO day): one number for each of `COUNTED`}.

    The ORM can replace a row on conflict, and not add to it: check-then-update would lose counts in a race.
    """
    ordered = sorted(changes.items(), key=lambda change: (str(change[0][0]), change[0][1]))
    table, names = ProcessDay._meta.db_table, ", ".join(COUNTED)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTED)
    key = ProcessDay._meta.get_field("therapist")
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), 90):
            rows = ordered[start : start + 90]
            places = ", ".join(["(" + ", ".join(["%s"] * (2 + len(COUNTED))) + ")"] * len(rows))
            values = [
                value
                for (therapist, day), sums in rows
                for value in (key.get_db_prep_value(therapist, connection), date.fromisoformat(day), *sums)
            ]
            cursor.execute(
                f"INSERT INTO {table} (therapist_id, day, {names}) VALUES {places} "  # noqa: S608 - our own names
                f"ON CONFLICT (therapist_id, day) DO UPDATE SET {added}",
                values,
            )


# --- Read back -----------------------------------------------------------------------------------


def flags_in(course: Mapping[str, Any], episode: int, now: datetime) -> list[Flag]:
    """The flags of a stored standing as unsaved rows, with what is known of them now."""
    return [_as_row(stored, episode, now) for stored in course["flags"]]


def _as_row(stored: Mapping[str, Any], episode: int, now: datetime) -> Flag:
    pk, number, held_at = stored["session"]
    session = TherapySession(
        pk=pk, episode_id=episode, number=number, held_at=datetime.fromisoformat(held_at)
    )
    flag = Flag(
        session=session,
        instrument=stored["instrument"],
        rule=stored["rule"],
        is_new=stored["is_new"],
        on_work_list=stored["on_work_list"],
        evidence=stored["evidence"],
    )
    until = stored["put_off_until"]
    flag.turn = stored["turn"]
    flag.is_not_needed, flag.is_same_fall = stored["is_not_needed"], stored["is_same_fall"]
    flag.is_put_off = until is not None and now < datetime.fromisoformat(until)
    return flag
