"""The number of a session is its place in time."""

from collections.abc import Collection
from itertools import groupby

from clients.models import Episode
from sessions_app.courses.models import TherapySession

AT_ONCE = 500


def number_by_date(episode: Episode) -> None:
    """Number the sessions as they follow each other in time: one added late belongs between the others.

    Ratings and flags hang on the row, not on the number. In two steps, past the highest number, because
    two sessions may never share one, not even for the length of a statement.
    """
    rows = list(episode.sessions.order_by("held_at", "number").values_list("pk", "number"))
    wrong = [(pk, place) for place, (pk, number) in enumerate(rows, start=1) if number != place]
    for start in (max((number for _pk, number in rows), default=0), 0):
        for pk, place in wrong:
            TherapySession.objects.filter(pk=pk).update(number=place + start)


def number_many_by_date(episodes: Collection[int]) -> None:
    """The same for many episodes, by row number, and for all sessions of each at once."""
    rows = TherapySession.objects.filter(episode__in=episodes).order_by("episode", "held_at", "number")
    wrong: list[tuple[TherapySession, int]] = []
    for _episode, of_episode in groupby(
        rows.only("pk", "episode_id", "number"), key=lambda one: one.episode_id
    ):
        sessions = list(of_episode)
        beyond = max(one.number for one in sessions)
        for place, session in enumerate(sessions, start=1):
            if session.number != place:
                session.number = place + beyond
                wrong.append((session, place))
    _store_numbers([session for session, _place in wrong])
    for session, place in wrong:
        session.number = place
    _store_numbers([session for session, _place in wrong])


def _store_numbers(sessions: list[TherapySession]) -> None:
    TherapySession.objects.bulk_update(sessions, ["number"], batch_size=AT_ONCE)
