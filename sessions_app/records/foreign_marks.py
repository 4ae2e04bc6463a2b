"""Marks in a record that are not of its client: left out of its files, and emptied when that other client is erased.

Marks that were given in one client's name and moved to another's stay as a row where they came in (docs/adr/0045).
Which rows those are is asked of `corrections.families`, as the pages do.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from clients.models import Episode
from sessions_app.corrections import families
from sessions_app.courses.decisions import Correction, Misfiling, Settlement
from sessions_app.courses.models import Mode, Rating, SetAsideRating

MISFILED = Settlement.Outcome.MISFILED


# --- What no file shows --------------------------------------------------------------------------


def left_out(rows: "QuerySet[Any]", episodes: QuerySet[Episode]) -> "QuerySet[Any]":
    """Rows of these episodes without marks that are not of their client, and without what was said about such marks."""
    if rows.model is SetAsideRating:
        standing = Settlement.objects.standing().filter(outcome=MISFILED)
        return rows.exclude(pk__in=standing.values("set_aside"))
    if rows.model not in {Rating, Correction}:
        return rows
    hidden = _hidden_in(episodes)
    if not hidden:
        return rows
    return rows.exclude(**{"pk__in" if rows.model is Rating else "rating__in": hidden})


def _hidden_in(episodes: QuerySet[Episode]) -> set[int]:
    inside = Q(rating__session__episode__in=episodes) | Q(moved_to__session__episode__in=episodes)
    misfilings = list(Misfiling.objects.filter(inside).select_related("rating", "moved_to"))
    arrived = Settlement.objects.filter(outcome=MISFILED, rating__session__episode__in=episodes)
    sessions = {one.rating.session_id for one in misfilings}
    sessions |= {one.moved_to.session_id for one in misfilings if one.moved_to}
    sessions |= set(arrived.values_list("rating__session", flat=True))
    return families.hidden(_rows_of(sessions), misfilings)


def _rows_of(sessions: Collection[int]) -> list[Rating]:
    rows = Rating.objects.filter(session__in=sessions).select_related("correction", "settlement")
    return list(rows.order_by("pk"))


# --- What goes with another client ---------------------------------------------------------------


@dataclass
class Copies:
    """Rows in the records of others that hold marks of clients who are being erased."""

    ratings: set[int] = field(default_factory=set)
    set_aside: set[int] = field(default_factory=set)

    def episodes(self) -> set[int]:
        """Whose locks an erasure needs besides."""
        found = set(Rating.objects.filter(pk__in=self.ratings).values_list("session__episode", flat=True))
        asides = SetAsideRating.objects.filter(pk__in=self.set_aside)
        return found | set(asides.values_list("session__episode", flat=True))


def copies_elsewhere(clients: Collection[int]) -> Copies:
    """Where marks of these clients came in under another name, or were moved to another one and back."""
    theirs = set(Rating.objects.filter(session__episode__client__in=clients).values_list("pk", flat=True))
    found = Copies()
    new = theirs
    while new:
        found.set_aside |= set(
            Settlement.objects.standing()
            .filter(outcome=MISFILED, rating__in=new)
            .exclude(set_aside__session__episode__client__in=clients)
            .values_list("set_aside", flat=True)
        )
        came_in_elsewhere = Misfiling.objects.standing().filter(moved_to__in=new)
        went_and_came_back = Misfiling.objects.filter(rating__in=new, undone_at__isnull=False)
        arrived_here = Settlement.objects.filter(
            outcome=MISFILED, undone_at__isnull=False, set_aside__session__episode__client__in=clients
        )
        linked = {
            *came_in_elsewhere.values_list("rating", flat=True),
            *went_and_came_back.exclude(moved_to=None).values_list("moved_to", flat=True),
            *arrived_here.exclude(rating=None).values_list("rating", flat=True),
        }
        new = set(_families_of(linked)) - theirs - found.ratings
        found.ratings |= new
    return found


def _families_of(ratings: Collection[int]) -> Iterator[int]:
    """Every row that holds the same marks."""
    sessions = Rating.objects.filter(pk__in=ratings).values_list("session", flat=True)
    first = families.families(_rows_of(set(sessions)))
    of = {first[pk] for pk in ratings}
    return (pk for pk, family in first.items() if family in of)


def empty(copies: Copies, clients: Collection[int]) -> None:
    """Take the marks out of these rows, inside an erasure; and what leads from them to rows that go."""
    ratings = Rating.objects.filter(pk__in=copies.ratings)
    Correction.objects.filter(rating__in=copies.ratings).update(why="")
    ratings.update(answers={}, total=None, comment="", mode=Mode.NONE, sha256="erased")
    for aside in SetAsideRating.objects.filter(pk__in=copies.set_aside):
        SetAsideRating.objects.filter(pk=aside.pk).update(
            answers={}, comment="", raw=None, sha256=f"erased {aside.pk}"
        )
    there = {"rating__session__episode__client__in": clients}
    elsewhere = Settlement.objects.exclude(set_aside__session__episode__client__in=clients)
    elsewhere.filter(outcome=MISFILED, **there).update(rating=None)
    Misfiling.objects.exclude(**there).filter(moved_to__session__episode__client__in=clients).update(
        moved_to=None
    )
