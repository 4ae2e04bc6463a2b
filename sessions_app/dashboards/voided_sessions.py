"""The voided sessions of a client, to be read: what was entered and marked, why it counts no more, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Prefetch

from alliance.measurement import instruments
from alliance.measurement.scoring import points
from clients.models import Episode
from sessions_app.corrections import set_aside
from sessions_app.courses.models import Rating, TherapySession
from sessions_app.flags.models import Discussion
from sessions_app.instruments import promises
from sessions_app.instruments.promises import Door


@dataclass(frozen=True)
class VoidedSession:
    """total, marks, comment: of the rating that stood, empty where there was none or the reader may not read it."""

    session: TherapySession
    total: str
    marks: str
    comment: str
    language: str
    discussions: list[Discussion]
    beside: set_aside.OfSession = field(default_factory=set_aside.OfSession)


def read(
    episode: Episode, beside: Mapping[int, set_aside.OfSession], *, reads_comments: bool
) -> list[VoidedSession]:
    """Newest first; one query where there are none, as nearly always, else two more."""
    rows = TherapySession.every.voided().filter(episode=episode).order_by("-held_at", "-pk")
    standing = Rating.objects.filter(replaced_by__isnull=True).select_related("promise")
    said = Discussion.objects.filter(withdrawn_at__isnull=True)
    found = []
    for session in rows.select_related("voided_by").prefetch_related(
        Prefetch("ratings", standing, to_attr="standing_ratings"),
        Prefetch("discussions", said, to_attr="said"),
    ):
        session.episode = episode
        found.append(_voided(session, beside.get(session.pk), reads_comments=reads_comments))
    return found


def _voided(
    session: TherapySession, beside: set_aside.OfSession | None, *, reads_comments: bool
) -> VoidedSession:
    rating = session.standing_ratings[0] if session.standing_ratings else None
    said: list[Discussion] = session.said  # type: ignore[attr-defined]
    of_session = beside or set_aside.OfSession()
    if rating is None:
        return VoidedSession(session, "", "", "", "", said, of_session)
    if not (reads_comments or promises.allows(rating, Door.SUPERVISOR)):
        return VoidedSession(session, "", set_aside.WITHHELD, "", "", said, of_session)
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    return VoidedSession(
        session,
        total="" if rating.total is None else points(rating.total),
        marks=set_aside.in_words(instrument, rating.answers),
        comment=promises.comment_for(rating, reads_all=reads_comments),
        language=rating.language,
        discussions=said,
        beside=of_session,
    )
