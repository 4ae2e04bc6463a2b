"""The number of a session is its place in time."""

from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import F, Max, QuerySet, Window
from django.db.models.functions import RowNumber

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


def number_many_by_date(episodes: Collection[int]) -> None:
    """The same for many episodes, by row number, in four statements: a file may have all its rows in another order."""
    wrong = set(_placed(episodes).exclude(number=F("place")).values_list("episode", flat=True))
    if not wrong:
        return
    table = TherapySession._meta.db_table
    of_wrong = TherapySession.objects.filter(episode__in=wrong)
    beyond = of_wrong.aggregate(last=Max("number"))["last"]
    placed, parameters = _placed(wrong).values("pk", "place").query.sql_with_params()
    with connection.cursor() as cursor:
        # The ORM updates from no subquery with two columns.
        cursor.execute(
            f"UPDATE {table} SET number = placed.place + %s FROM ({placed}) AS placed"  # noqa: S608 - our own names
            f" WHERE placed.pk = {table}.id",
            [beyond, *parameters],
        )
    of_wrong.update(number=F("number") - beyond)


def _placed(episodes: Collection[int]) -> "QuerySet[Any]":
    place = Window(RowNumber(), partition_by=F("episode"), order_by=["held_at", "number"])
    sessions: QuerySet[Any] = TherapySession.objects.filter(episode__in=episodes)
    placed: QuerySet[Any] = sessions.annotate(place=place).order_by()
    return placed
