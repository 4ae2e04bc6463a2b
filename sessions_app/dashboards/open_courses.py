"""What a caseload knows of each open episode, in a fixed number of queries whatever the size."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Lower

from clients.models import Episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.corrections import set_aside
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import recent
from sessions_app.dashboards.work_list import OVERDUE_SHOWN_FOR
from sessions_app.flags import reasons
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments.rule_settings import RuleSettings


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one open episode: its last attended sessions, open flags, standing discussions."""

    episode: Episode
    sessions: Sequence[TherapySession]
    totals: Sequence[int | None]
    flags: Sequence[Flag]
    discussions: Sequence[Discussion]
    deferrals: Sequence[Deferral] = ()  # standing, the latest last
    set_aside: int = 0  # sets of marks that do not count, and nobody decided about
    cutoff: int | None = None  # of the last form, in tenths

    @property
    def calls(self) -> list[Flag]:
        """What calls for a talk, the strongest first, of equals the newest."""
        return reasons.strongest_first(flag for flag in self.flags if flag.calls)

    @property
    def last_rated(self) -> tuple[TherapySession, int] | None:
        pairs = zip(reversed(self.sessions), reversed(self.totals), strict=True)
        return next(((session, total) for session, total in pairs if total is not None), None)

    @property
    def is_talked_about(self) -> bool:
        """Somebody talked about the last rating, and the next one has not come yet."""
        last = self.last_rated
        return any(last is None or one.session.number >= last[0].number for one in self.discussions)

    @property
    def deferral(self) -> Deferral | None:
        """What was decided last instead of a talk, as long as it matters: it holds, or nothing was rated since."""
        last, rated = (self.deferrals[-1] if self.deferrals else None), self.last_rated
        if last is None or last.holds:
            return last
        is_latest = rated is None or last.session.number >= rated[0].number
        return last if is_latest else None

    @property
    def is_deferred(self) -> bool:
        return self.deferral is not None and any(flag.is_put_off or flag.is_not_needed for flag in self.flags)

    @property
    def last_agreed(self) -> Discussion | None:
        return next((one for one in reversed(self.discussions) if one.agreed), None)

    @property
    def did_it_help(self) -> str:
        """What was answered about `last_agreed`; empty where nobody said it yet."""
        answers = self.last_agreed.follow_ups.all() if self.last_agreed else ()
        return next((one.get_answer_display() for one in answers), "")

    def overdue(self, now: datetime) -> list[TherapySession]:
        """Sessions without a complete rating that it is not too late to ask about."""
        pairs = zip(self.sessions, self.totals, strict=True)
        since = now - OVERDUE_SHOWN_FOR
        return [s for s, total in pairs if total is None and s.is_overdue(now) and s.held_at >= since]


def read(episodes: QuerySet[Episode], now: datetime, rules: RuleSettings) -> list[Course]:
    """The open episodes with what is known of them, by the client's label; eight queries."""
    rows = list(episodes.select_related("client", "therapist").order_by(Lower("client__label"), "pk"))
    sessions = recent.last_sessions(rows)
    flags = _open_flags(rows, [attended[-1].pk for attended in sessions.values()])
    discussions, deferrals, aside = _discussions(rows), _deferrals(rows, now), set_aside.counts(rows)
    return [
        Course(
            episode,
            sessions.get(episode.pk, []),
            recent.totals_of(sessions.get(episode.pk, [])),
            flags[episode.pk],
            discussions[episode.pk],
            deferrals[episode.pk],
            aside.get(episode.pk, 0),
            rules.parameters(recent.scale_of(sessions.get(episode.pk, [])), episode.client.language).cutoff,
        )
        for episode in rows
    ]


def _open_flags(episodes: list[Episode], last_sessions: list[int]) -> dict[int, list[Flag]]:
    """Flags that call for a talk, however old; the quiet ones, and those decided about, only where they are news."""
    found: dict[int, list[Flag]] = defaultdict(list)
    news = Q(on_work_list=True) | Q(session__in=last_sessions)
    undiscussed = Flag.objects.undiscussed().with_calls().filter(news, session__episode__in=episodes)
    for flag in undiscussed.select_related("session"):
        if not flag.is_not_needed or flag.session_id in last_sessions:
            found[flag.session.episode_id].append(flag)
    return found


def _discussions(episodes: list[Episode]) -> dict[int, list[Discussion]]:
    found: dict[int, list[Discussion]] = defaultdict(list)
    standing = Discussion.objects.standing().filter(session__episode__in=episodes)
    with_answers = standing.prefetch_related(Prefetch("follow_ups", FollowUp.objects.standing()))
    for discussion in with_answers.select_related("session").order_by("discussed_at", "pk"):
        found[discussion.session.episode_id].append(discussion)
    return found


def _deferrals(episodes: list[Episode], now: datetime) -> dict[int, list[Deferral]]:
    found: dict[int, list[Deferral]] = defaultdict(list)
    standing = Deferral.objects.standing().with_holds(now).filter(session__episode__in=episodes)
    for deferral in standing.select_related("session", "deferred_by").order_by("deferred_at", "pk"):
        found[deferral.session.episode_id].append(deferral)
    return found
