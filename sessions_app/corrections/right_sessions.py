"""The sessions that marks in the wrong record may be of, for the person who moves them."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Prefetch, Q
from django.utils import timezone
from django.utils.formats import date_format

from alliance.labels import search_key
from alliance.measurement.session_times import still_to_come
from alliance.models import User
from clients.models import Client, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import (
    Rating,
    SetAsideRating,
    TherapySession,
    TherapySessionQuerySet,
)
from sessions_app.courses.rating_state import RatingState, marks_state

NEAR = timedelta(days=1)
NEW = "new"  # in front of the code of an episode: a session that is not there yet
ASIDE = "aside"
ONLY_ASIDE = (ASIDE, "Set them aside only")
Choice = tuple[str, str]
MARKED = {RatingState.PARTLY: ", a line is missing", RatingState.NOTHING_MARKED: ", nothing marked"}


def choices(
    marks: Rating | SetAsideRating, user: User, episode: Episode | None
) -> list[Choice | tuple[str, list[Choice]]]:
    """What may become of `marks`: set aside only, or moved to a session of a client whom `user` may see.

    Offered are the sessions of about the same time, and all of `episode` where one is chosen, and a new one. Those
    with a whole rating have no place for another, and one that was still to come when the marks came is not theirs.
    """
    own = marks.session.episode_id
    about = Q(held_at__range=(marks.session.held_at - NEAR, marks.session.held_at + NEAR))
    about |= Q(episode=own)
    if episode is not None:
        about |= Q(episode=episode)
    sessions = TherapySession.objects.visible_to(user).filter(about).exclude(pk=marks.session_id)
    found: list[Choice | tuple[str, list[Choice]]] = [ONLY_ASIDE]
    by_client = groupby(_to_offer(sessions), key=lambda session: session.episode)
    groups = {of: [_choice(one) for one in rows if _may_be_of(one, marks)] for of, rows in by_client}
    if episode is not None:
        groups.setdefault(episode, [])
    for of in sorted(groups, key=lambda of: (of != episode, of.pk == own, of.client.label)):
        offered = groups[of]
        if of == episode and of.is_open and of.pk != own:
            when = date_format(timezone.localtime(marks.session.held_at), "j F Y, H:i")
            offered = [*offered, (f"{NEW}:{of.code}", f"A new session, {when}")]
        if offered:
            found.append((_whose(of, own), offered))
    return found


def _whose(episode: Episode, own: int) -> str:
    if episode.pk == own:
        return f"{episode.client.label}, another session"
    closed = "" if episode.closed_on is None else f", closed {date_format(episode.closed_on, 'j F Y')}"
    return f"{episode.client.label}{closed}"


def _to_offer(sessions: TherapySessionQuerySet) -> TherapySessionQuerySet:
    """Those up to tomorrow, by client, with the rating that stands and the first form in the room."""
    standing = Prefetch("ratings", Rating.objects.standing(), to_attr="standing_ratings")
    given = RatingGrant.every.given_in_the_room().first_of_sessions()
    near = sessions.filter(held_at__lt=timezone.now() + NEAR).select_related("episode__client")
    rows: TherapySessionQuerySet = near.annotate(given_at=given).prefetch_related(standing)
    return rows.order_by("episode", "-held_at")


def _may_be_of(session: TherapySession, marks: Rating | SetAsideRating) -> bool:
    was_to_come = still_to_come(session.held_at, marks.received_at, session.given_at)
    return not was_to_come and all(rating.total is None for rating in session.standing_ratings)


def _choice(session: TherapySession) -> Choice:
    when = date_format(timezone.localtime(session.held_at), "j F Y, H:i")
    marked = "".join(MARKED[marks_state(rating)] for rating in session.standing_ratings)
    return str(session.code), f"Session {session.number}, {when}{marked}"


def clients(user: User, marks: Rating | SetAsideRating) -> Iterator[Choice]:
    """Every record this person may see, but the one the marks are in: by code, with the label of its client."""
    rows = Episode.objects.visible_to(user).exclude(pk=marks.session.episode_id)
    for one in rows.select_related("client").order_by("client__label_key", "-opened_on"):
        yield str(one.code), _whose(one, marks.session.episode_id)


def chosen(value: str, user: User) -> TherapySession | Episode | None:
    """What a choice stands for; None for "only aside"."""
    if value == ASIDE:
        return None
    kind, _, code = value.rpartition(":")
    if kind == NEW:
        return Episode.objects.visible_to(user).select_related("client").get(code=UUID(code))
    sessions = TherapySession.objects.visible_to(user).select_related("episode__client")
    session: TherapySession = sessions.get(code=UUID(code))
    return session


def named_in(text: str, user: User, own: Client) -> str:
    """The label of another client whom `user` may see and whom `text` names; empty where it names none."""
    words = f" {_words(text)} "
    labels = Episode.objects.visible_to(user).exclude(client=own).values_list("client__label", flat=True)
    for label in sorted(set(labels), key=len, reverse=True):
        if (
            len(label) > 1
            and f" {_words(label)} " in words
            and f" {_words(own.label)} " != f" {_words(label)} "
        ):
            return label
    return ""


def _words(text: str) -> str:
    return " ".join(
        "".join(sign if sign.isalnum() or sign == "-" else " " for sign in search_key(text)).split()
    )
