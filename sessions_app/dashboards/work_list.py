"""The therapist's day: whom to talk to first, today's sessions, ratings still to come, everyone else."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.safestring import SafeString

from alliance.measurement.scoring import one_decimal
from alliance.models import User
from clients.models import Episode
from sessions_app.conversations import asking
from sessions_app.corrections import set_aside
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.courses.rating_state import RatingState, rating_state, waits
from sessions_app.dashboards import charts, recent
from sessions_app.flags import reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments import rule_settings

# An older gap cannot be filled from memory; it stays visible on the client's page.
OVERDUE_SHOWN_FOR = timedelta(days=14)


@dataclass
class Row:
    """One client of the therapist."""

    episode: Episode
    today: date
    flags: list[Flag] = field(default_factory=list)  # all that call for a talk
    put_off: list[Flag] = field(default_factory=list)  # all that would, but for a deferral
    badges: list[Flag] = field(default_factory=list)
    last: TherapySession | None = None
    last_rated: TherapySession | None = None
    last_total: str = ""
    sparkline: SafeString | str = ""
    discussion: Discussion | None = None
    deferral: Deferral | None = None  # the one that holds
    next_session: TherapySession | None = None

    @property
    def first_reason(self) -> Flag:
        return reasons.one_a_rule(self.flags)[0]

    @property
    def other_reasons(self) -> list[Flag]:
        return reasons.one_a_rule(self.flags)[1:]

    @property
    def reasons_put_off(self) -> list[Flag]:
        return reasons.one_a_rule(self.put_off)

    @property
    def behind(self) -> list[Flag]:
        """What stands behind the first reason: the others, then what is put off and what is quiet."""
        said = {flag.rule for flag in self.flags}
        quiet = [flag for flag in (*self.put_off, *self.badges) if flag.rule not in said]
        return self.other_reasons + reasons.one_a_rule(quiet)

    @property
    def rated_since(self) -> bool:
        """Whether a complete rating came after the one that is the first reason."""
        return self.last_rated is not None and self.last_rated.number > self.first_reason.session.number

    @property
    def waiting_since(self) -> TherapySession:
        return reasons.waiting_since(self.flags)

    @property
    def is_today(self) -> bool:
        """Whether the talk can be today: that is when the next session is."""
        return self.next_session is not None and timezone.localdate(self.next_session.held_at) == self.today

    @property
    def urgency(self) -> tuple[bool, int, datetime, str]:
        return not self.is_today, *reasons.urgency(self.flags, self.episode.client.label)


@dataclass(frozen=True)
class SessionLine:
    """One session of today, or one of the last days that is not settled, and where its rating stands."""

    session: TherapySession
    state: RatingState


@dataclass(frozen=True)
class WorkList:
    talks: list[Row]
    later: list[Row]  # those who would be among the talks, but for a deferral that holds
    today: list[SessionLine]
    waiting: list[SessionLine]
    others: list[Row]
    to_look_at: list[set_aside.ToLookAt]  # sessions with marks that do not count

    @property
    def client_codes(self) -> list[UUID]:
        shown = [row.episode.client_code for row in (*self.talks, *self.later, *self.others)]
        return list(dict.fromkeys([*shown, *(one.session.client_code for one in self.to_look_at)]))

    @property
    def marks_to_look_at(self) -> int:
        return sum(one.count for one in self.to_look_at)


def build(therapist: User, now: datetime) -> WorkList:
    """Everything the first page shows, in a fixed number of queries."""
    episodes = list(Episode.objects.own(therapist).open().select_related("client").order_by("client__label"))
    rows = _rows(episodes, now)
    today, waiting = _session_lines(episodes, now)
    talks = sorted((row for row in rows if row.flags), key=lambda row: row.urgency)
    later = [row for row in rows if row.deferral and not row.flags]
    others = [row for row in rows if not (row.flags or row.deferral)]
    asking.prepare([row.first_reason for row in talks], therapist)
    return WorkList(talks, later, today, waiting, others, set_aside.to_look_at(therapist))


def _rows(episodes: list[Episode], now: datetime) -> list[Row]:
    flags, put_off, badges = _open_flags(episodes)
    deferrals, to_come = _deferrals(episodes, now), recent.next_sessions(episodes, now)
    sessions, discussions = recent.last_sessions(episodes), recent.last_discussions(episodes)
    rules = rule_settings.in_force()
    rows = []
    for episode in episodes:
        last = sessions.get(episode.pk, [])
        totals, instrument = recent.totals_of(last), recent.scale_of(last)
        rated = [(one, total) for one, total in zip(last, totals, strict=True) if total is not None]
        rows.append(
            Row(
                episode=episode,
                today=timezone.localdate(now),
                flags=flags[episode.pk],
                put_off=put_off[episode.pk],
                badges=[flag for flag in badges[episode.pk] if last and flag.session_id == last[-1].pk],
                last=last[-1] if last else None,
                last_rated=rated[-1][0] if rated else None,
                last_total=one_decimal(rated[-1][1]) if rated else "",
                sparkline=charts.sparkline(
                    totals,
                    cutoff=rules.parameters(instrument, episode.client.language).cutoff,
                    maximum=instrument.total_maximum,
                ),
                discussion=discussions.get(episode.pk),
                deferral=deferrals.get(episode.pk) if put_off[episode.pk] else None,
                next_session=to_come.get(episode.pk),
            )
        )
    return rows


Flags = dict[int, list[Flag]]


def _open_flags(episodes: list[Episode]) -> tuple[Flags, Flags, Flags]:
    """{episode: flags that call for a talk}, {episode: those put off} and {episode: the quiet ones}; one query."""
    calling: Flags = defaultdict(list)
    put_off: Flags = defaultdict(list)
    quiet: Flags = defaultdict(list)
    rows = Flag.objects.open().with_turn().filter(session__episode__in=episodes)
    for flag in rows.select_related("session"):
        kind = calling if flag.calls else put_off if flag.is_put_off else quiet
        kind[flag.session.episode_id].append(flag)
    return calling, put_off, quiet


def _deferrals(episodes: list[Episode], now: datetime) -> dict[int, Deferral]:
    """{episode: the latest deferral that holds}; one query."""
    holding = Deferral.objects.put_off(now).filter(session__episode__in=episodes).select_related("session")
    return {one.session.episode_id: one for one in holding.order_by("deferred_at")}


def _session_lines(episodes: list[Episode], now: datetime) -> tuple[list[SessionLine], list[SessionLine]]:
    start = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    own = TherapySession.objects.filter(episode__in=episodes).select_related("episode__client")
    recent_days = own.filter(held_at__gte=now - OVERDUE_SHOWN_FOR, held_at__lt=start + timedelta(days=1))
    ratings = {one.session_id: one for one in Rating.objects.standing().filter(session__in=recent_days)}
    still_waits = waits(recent_days, now)
    lines = [
        SessionLine(
            session,
            rating_state(
                session,
                rating=ratings.get(session.pk),
                waits=still_waits,
                now=now,
            ),
        )
        for session in recent_days.order_by("held_at", "number")
    ]
    settled = {
        RatingState.RATED,
        RatingState.PARTLY,  # it came; what the client left out does not come any more
        RatingState.NOTHING_MARKED,
        RatingState.CANCELLED,
        RatingState.DID_NOT_ATTEND,
        RatingState.DECLINED,
    }
    return (
        [line for line in lines if line.session.ends_at >= start],
        [line for line in lines if line.session.ends_at < start and line.state not in settled],
    )
