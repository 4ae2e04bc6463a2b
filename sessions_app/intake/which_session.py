"""Which session of a client is meant: the choice of every page that asks for marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.utils import timezone

from alliance.days import day, near_day
from alliance.measurement import session_times
from alliance.models import User
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import (
    SESSION_LENGTH,
    Attendance,
    Rating,
    TherapySession,
    TherapySessionQuerySet,
)
from sessions_app.courses.rating_state import declined

COMES = (Attendance.PLANNED, Attendance.ATTENDED)
NEW = "new"
AT_MOST = 6  # of other clients' sessions that a sentence names


@dataclass(frozen=True)
class Candidate:
    """A session that can be meant. out: the form for it that may still be filled in, if there is one."""

    session: TherapySession
    when: str
    out: RatingGrant | None
    stands: Rating | None  # a form that came back empty, or with a line missing
    is_declined: bool  # named all the same: the client changed their mind


@dataclass(frozen=True)
class NotOffered:
    """A session that cannot be meant, and why. It can be named all the same where that may be right."""

    session: TherapySession
    when: str
    why: str
    is_to_come: bool
    may_be_asked_for: bool


@dataclass(frozen=True)
class Choice:
    """What a page asks: one of the candidates, or a new session, `number`, that ends now.

    moves_others: sessions still to come have that number or a higher one until then, and move up by one.
    """

    candidates: list[Candidate]
    chosen: TherapySession | None  # None: the new one
    number: int
    moves_others: bool
    not_offered: list[NotOffered]

    @property
    def seen(self) -> list[UUID]:
        """The sessions of which the person knows who chooses a new one."""
        sessions = [one.session for one in self.candidates] + [one.session for one in self.not_offered]
        return [session.code for session in sessions]


def choice(
    episode: Episode,
    now: datetime,
    *,
    named: TherapySession | None = None,
    new: bool = False,
    for_rating: bool = True,
) -> Choice:
    """What can be meant now, the latest first. named, new: what the person chose; else the most likely one is.

    for_rating: else for questionnaires, which are also given before a session, and after its rating.
    """
    today = list(_with_what_is_known(_of_today(episode, now), now))
    rows = {one.pk: one for one in today}
    if named is not None and named.pk not in rows:
        rows[named.pk] = _with_what_is_known(TherapySession.objects.filter(pk=named.pk), now).get()
    why_not = {
        pk: _why_not(one, now) if for_rating else _why_no_questionnaire(one, now) for pk, one in rows.items()
    }
    possible = [
        one
        for pk, one in rows.items()
        if not why_not[pk] or (for_rating and named and pk == named.pk and _may_be_asked_for(one, now))
    ]
    chosen = next((one for one in possible if named and one.pk == named.pk), None)
    if chosen is None and not new:
        of_today = [one for one in possible if one in today]
        chosen = _most_likely(of_today, now) if for_rating else _on_or_next(of_today, now)
    out = (
        {}
        if not for_rating
        else {
            grant.session_id: grant
            for grant in RatingGrant.objects.awaiting(now).filter(session__in=possible).order_by("pk")
        }
    )
    is_before = Q(held_at__lte=start_of_new(today, now))
    counted = episode.sessions.aggregate(all=Count("pk"), before=Count("pk", filter=is_before))
    return Choice(
        candidates=[
            Candidate(
                one,
                when(one, now),
                out.get(one.pk),
                _came_back(one) if for_rating else None,
                for_rating and _was_declined(one),
            )
            for one in sorted(possible, key=lambda one: one.held_at, reverse=True)
        ],
        chosen=chosen,
        number=counted["before"] + 1,
        moves_others=counted["before"] < counted["all"],
        not_offered=[
            NotOffered(
                one,
                when(one, now),
                why_not[pk],
                is_to_come=for_rating and one.attendance in COMES and _is_to_come(one, now),
                may_be_asked_for=for_rating and _may_be_asked_for(one, now),
            )
            for pk, one in rows.items()
            if one not in possible
        ],
    )


def session_to_rate(episode: Episode, now: datetime) -> TherapySession | None:
    """The session that a form handed over now is about, where nobody says which; None: a new one.

    A form that came back empty can be asked for again. Where lines were marked, new marks take their place only
    where somebody says so.
    """
    today = _with_what_is_known(_of_today(episode, now), now)
    return _most_likely([one for one in today if not _why_not(one, now) and not _has_some_marks(one)], now)


def start_of_new(before: Sequence[TherapySession], now: datetime) -> datetime:
    """When a session that ends now began. before: those of the same episode, of today or of more."""
    held = [one.times for one in before if one.attendance in COMES]
    return session_times.start_of_new(held, now, SESSION_LENGTH)


def of_today(episode: Episode, now: datetime) -> list[TherapySession]:
    return list(_of_today(episode, now))


def _of_today(episode: Episode, now: datetime) -> TherapySessionQuerySet:
    """One that began before midnight and ended after it is today's too: the client is still in the room."""
    begins = timezone.make_aware(datetime.combine(timezone.localdate(now), time.min))
    ends = begins + timedelta(days=1)
    today: TherapySessionQuerySet = episode.sessions.filter(
        Q(held_at__lt=ends, held_at__gte=begins) | Q(ends_at__lt=ends, ends_at__gte=begins)
    )
    return today.select_related("episode__client").order_by("held_at", "number")


def _with_what_is_known(sessions: TherapySessionQuerySet, now: datetime) -> TherapySessionQuerySet:
    """Each with `standing_ratings`, `awaits`, `is_declined` and `given_at`: of the first form in the room."""
    of_session = RatingGrant.objects.filter(session=OuterRef("pk"))
    known: TherapySessionQuerySet = sessions.annotate(
        awaits=Exists(of_session.awaiting(now)),
        is_declined=Exists(declined(of_session)),
        given_at=RatingGrant.every.given_in_the_room().first_of_sessions(),
    ).prefetch_related(Prefetch("ratings", Rating.objects.standing(), to_attr="standing_ratings"))
    return known


def _came_back(session: TherapySession) -> Rating | None:
    """The marks that stand and are not whole: the client can be asked again."""
    return next((rating for rating in session.standing_ratings if rating.total is None), None)


def _has_some_marks(session: TherapySession) -> bool:
    return any(not rating.is_blank for rating in session.standing_ratings)


def _is_rated(session: TherapySession) -> bool:
    return any(rating.total is not None for rating in session.standing_ratings)


def _was_declined(session: TherapySession) -> bool:
    return bool(session.is_declined and not session.awaits)  # type: ignore[attr-defined]


def _most_likely(sessions: Sequence[TherapySession], now: datetime) -> TherapySession | None:
    place = session_times.most_likely([one.times for one in sessions], now)
    return None if place is None else sessions[place]


def _why_not(session: TherapySession, now: datetime) -> str:
    """Why this session cannot be meant; empty where it can."""
    if session.attendance not in COMES:
        return "it did not take place"
    if _is_rated(session):
        return "it has its marks already"
    if _is_to_come(session, now):
        return "it is still to come"
    if session.not_rated_from <= now:
        return "it is more than seven days ago: enter what the client says now from paper or voice"
    return "the client chose not to rate it" if _was_declined(session) else ""


def _why_no_questionnaire(session: TherapySession, now: datetime) -> str:
    """The same for questionnaires: they hang on a session that is still to come, or rated already, as well."""
    if session.attendance not in COMES:
        return "it did not take place"
    return "it is more than seven days ago" if session.not_rated_from <= now else ""


def _on_or_next(sessions: Sequence[TherapySession], now: datetime) -> TherapySession | None:
    """The one that is on, else the next of today, else the one that ended last."""
    to_come = [one for one in sessions if one.ends_at > now]
    if to_come:
        return min(to_come, key=lambda one: one.held_at)
    return max(sessions, key=lambda one: one.ends_at, default=None)


def _may_be_asked_for(session: TherapySession, now: datetime) -> bool:
    """Whether it can be named all the same: the client who declined may change their mind, and press amiss too."""
    if _is_rated(session) or session.attendance not in COMES:
        return False
    is_past = session.not_rated_from <= now
    return _was_declined(session) and not (is_past or _is_to_come(session, now))


def _is_to_come(session: TherapySession, now: datetime) -> bool:
    return session_times.still_to_come(session.held_at, now, session.given_at)


# --- In words ------------------------------------------------------------------------------------


def when(session: TherapySession, now: datetime) -> str:
    """Day and time of a session, and whether it is on or over."""
    begins, ends = (f"{timezone.localtime(one):%H:%M}" for one in (session.held_at, session.ends_at))
    is_today = timezone.localdate(session.held_at) == timezone.localdate(now)
    said = f"{near_day(session.held_at) if is_today else day(session.held_at, 'j F')}, {begins} to {ends}"
    if not is_today:
        return said
    if session.held_at <= now < session.ends_at:
        return f"{said}, on now"
    given = session.given_at
    if given and session_times.still_to_come(session.held_at, now) and not _is_to_come(session, now):
        return f"{said}, begun early: a form was given at {timezone.localtime(given):%H:%M}"
    if session_times.is_on(session.held_at, session.ends_at, now):
        return f"{said}, about to begin"
    return said


def overlapping(session: TherapySession, therapist: User) -> list[TherapySession]:
    """Other sessions of this therapist that share time with it: of this client, and of others."""
    own = TherapySession.objects.own(therapist).exclude(pk=session.pk).filter(attendance__in=COMES)
    at_once = own.filter(held_at__lt=session.ends_at, ends_at__gt=session.held_at)
    return list(at_once.select_related("episode__client").order_by("held_at")[:AT_MOST])


def overlap_sentence(session: TherapySession, therapist: User) -> str:
    """What shares time with this session, to be looked at once; empty where nothing does, or it does not take place."""
    if session.attendance not in COMES or not (others := overlapping(session, therapist)):
        return ""
    named = "; ".join(_overlap(one, session) for one in others)
    return f"It overlaps {named}. That may be right, for a couple or a group; if not, change one of them."


def _overlap(one: TherapySession, session: TherapySession) -> str:
    whose = "this client" if one.episode_id == session.episode_id else one.episode.client.label
    begins, ends = (f"{timezone.localtime(moment):%H:%M}" for moment in (one.held_at, one.ends_at))
    return f"session {one.number} of {whose}, {day(one.held_at, 'j F')}, {begins} to {ends}"


def at_the_same_time(
    episode: Episode,
    held_at: datetime,
    *,
    besides: TherapySession | None = None,
    form_key: UUID | None = None,
) -> TherapySession | None:
    """Another session of this episode that starts at the same minute, if there is one.

    form_key: of the form that asks. What it has made itself is not another session.
    """
    minute = held_at.replace(second=0, microsecond=0)
    same = episode.sessions.filter(held_at__gte=minute, held_at__lt=minute + timedelta(minutes=1))
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    if form_key is not None:
        same = same.exclude(form_key=form_key)
    found: TherapySession | None = same.first()
    return found


def seeing_now(therapist: User, episode: Episode, now: datetime) -> TherapySession | None:
    """By the plan, the session of another client that this therapist holds just now, if there is one.

    Said before a form goes to the wrong person.
    """
    others = TherapySession.objects.own(therapist).exclude(episode__client=episode.client_id)
    on = others.filter(attendance__in=COMES, held_at__lte=now, ends_at__gt=now)
    found: TherapySession | None = on.select_related("episode__client").order_by("-held_at").first()
    return found
