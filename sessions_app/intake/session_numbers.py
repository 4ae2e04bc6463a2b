"""The number of a session is its place in time."""

from clients.models import Episode
from sessions_app.courses.models import TherapySession


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
