"""What a promise keeps out of files: marks that may not go through a door, and what rests on them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from sessions_app.courses.models import Rating
from sessions_app.flags.models import Flag
from sessions_app.instruments.promises import Door, kept
from sessions_app.records.field_kinds import CLINICAL, Computed, Table


def through(rows: "QuerySet[Any]", table: Table, doors: Iterable[Door]) -> "QuerySet[Any]":
    """Those of these rows of `table` that may go through all of these doors."""
    for door in doors:
        if table.promise:
            rows = rows.filter(kept(door, table.promise))
        elif rows.model is Flag:
            # A flag compares with earlier marks: from the first that may not leave, none leaves.
            earlier = Rating.objects.filter(
                session__episode=OuterRef("session__episode"),
                session__number__lte=OuterRef("session__number"),
            )
            rows = rows.exclude(Exists(earlier.exclude(kept(door))))
    return rows


def columns(way: str = "promise") -> dict[str, Computed]:
    """What each row of marks takes along of its promise: out of the site nobody can ask for it any more."""
    return {
        "promise_version": Computed(
            CLINICAL,
            "what the form promised about who sees it; 0: as shipped",
            (f"{way}__version",),
            lambda version: version or 0,
            for_people=False,
        ),
        "may_be_used_for_research": _may(way, Door.RESEARCH, "for research, without names"),
        "may_be_in_another_system": _may(way, Door.RECORD_SYSTEM, "in another system of the clinic"),
    }


def _may(way: str, door: Door, what: str) -> Computed:
    says = f"yes where the form said that it may be used {what}; else it may not"
    return Computed(CLINICAL, says, (f"{way}__{door.value}",), bool, for_people=False)
