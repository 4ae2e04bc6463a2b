"""What a form promises about who sees what is filled in: versions of flags, which every door to the marks asks.

The words of a form are made of the flags (`promise_words`), so that the two cannot disagree. A change is a new
version. Marks keep the version that was read with them: a changed promise reaches nothing that was marked before.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from alliance.append_only import append_only
from alliance.measurement.instruments import RATERS

_RATERS_IN_USE: list[Callable[[], set[str]]] = []


def register_raters(in_use: Callable[[], set[str]]) -> None:
    """Who fills forms in here is known to later rooms, which register how to find it."""
    if in_use not in _RATERS_IN_USE:
        _RATERS_IN_USE.append(in_use)


def raters_in_use() -> set[str]:
    """The client, and every other rater to whom this clinic gives a form."""
    return {"client"}.union(*(in_use() for in_use in _RATERS_IN_USE))


class Door(StrEnum):
    """A way on which marks reach somebody. The names are the columns of `Promise`, but for that of the therapist.

    THERAPIST: the pages of whoever treats the client; no promise closes it, since the form is for the talk with them.
    SUPERVISOR: whoever supervises the therapist, on pages and in files. COMMENT: their way to the words that were
    written, which the rater must also have agreed to. EXPORT: files of many clients. RECORD: the record of one client,
    printed or as a file. RESEARCH and RECORD_SYSTEM are ways out of the site: what is taken along says whether it may.
    FAMILY: a caregiver who sees what the client marked, or the client who sees what a caregiver marked.
    """

    THERAPIST = "therapist"
    SUPERVISOR = "supervisor"
    COMMENT = "supervisor_comment"
    EXPORT = "export"
    RECORD = "record"
    RESEARCH = "research"
    RECORD_SYSTEM = "record_system"
    FAMILY = "family"


FLAGS = tuple(door for door in Door if door != Door.THERAPIST)


@dataclass(frozen=True)
class Promised:
    """One version of what is promised to one kind of rater. version 0: as shipped.

    own: the clinic's own sentence, by language.
    """

    rater: str
    version: int = 0
    supervisor: bool = True
    supervisor_comment: bool = True
    export: bool = True
    record: bool = True
    research: bool = False
    record_system: bool = False
    family: bool = False
    own: tuple[tuple[str, str], ...] = ()

    def allows(self, door: Door) -> bool:
        return door == Door.THERAPIST or bool(getattr(self, door.value))


SHIPPED: Mapping[str, Promised] = {rater: Promised(rater) for rater in RATERS}


class PromiseQuerySet(models.QuerySet["Promise"]):
    def in_force(self, rater: str) -> "Promise | None":
        """The newest version for this kind of rater; None where it is as shipped."""
        return self.filter(rater=rater).order_by("-version").first()

    def in_force_on(self, rater: str, day: date) -> "Promise | None":
        """The one that was newest on that day: what was read on paper then."""
        return self.filter(made_at__date__lte=day).in_force(rater)


@append_only()
class Promise(models.Model):
    """One version of what forms promise to one kind of rater. The highest is in force; before any, `SHIPPED`."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    rater = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    supervisor = models.BooleanField(help_text="Whoever supervises the therapist sees the marks.")
    supervisor_comment = models.BooleanField(help_text="They read the words, where the rater agrees.")
    export = models.BooleanField(help_text="The marks are in files of many clients.")
    record = models.BooleanField(help_text="The marks are in the record of the client.")
    research = models.BooleanField()
    record_system = models.BooleanField(help_text="The clinic’s other system may hold them.")
    family = models.BooleanField(
        help_text="Caregivers see a client’s marks; the client those of a caregiver."
    )
    own = models.JSONField(default=dict, help_text="{language: the clinic’s own sentence}; plain text.")
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = PromiseQuerySet.as_manager()

    class Meta:
        ordering = ("rater", "-version")
        constraints = (
            # Of two people who change it at once, the second one looks again.
            models.UniqueConstraint(fields=["rater", "version"], name="one_promise_a_version"),
            models.CheckConstraint(condition=Q(version__gte=1), name="promise_version_from_one"),
            models.CheckConstraint(condition=Q(rater__in=RATERS), name="promise_known_rater"),
            # The words are about marks: who may not see these is told nothing of the words.
            models.CheckConstraint(
                condition=Q(supervisor=True) | Q(supervisor_comment=False), name="promise_comment_with_marks"
            ),
        )

    def __str__(self) -> str:
        return f"Promise to a {self.rater}, version {self.version}"

    @property
    def promised(self) -> Promised:
        flags = {door.value: getattr(self, door.value) for door in FLAGS}
        return Promised(self.rater, self.version, own=tuple(sorted(self.own.items())), **flags)


def promise_field() -> "models.ForeignKey[Promise | None, Promise | None]":
    """On a row that keeps which version was read. Without an index: nobody looks for rows by their version."""
    return models.ForeignKey(
        Promise,
        models.PROTECT,
        related_name="+",
        null=True,
        db_index=False,
        help_text="What was read about who sees it; null: as shipped.",
    )


class WithPromise(Protocol):
    """A row that keeps which version was read with it; null: as shipped."""

    @property
    def promise(self) -> Promise | None: ...


def promised(row: WithPromise, rater: str = "client") -> Promised:
    """What was promised with this row."""
    return row.promise.promised if row.promise else SHIPPED[rater]


def allows(row: WithPromise, door: Door) -> bool:
    """Whether these marks may go through this door, by what was promised when they were made."""
    if door == Door.THERAPIST:
        return True
    return bool(getattr(row.promise, door.value) if row.promise else getattr(_ANY, door.value))


def comment_for(row: Any, *, reads_all: bool) -> str:
    """The words of a rating or a response, as far as the reader may read them.

    reads_all: whoever treats the client. Whoever supervises reads them where the promise lets them, and the rater too.
    """
    if reads_all or (row.share_comment and allows(row, Door.COMMENT)):
        return str(row.comment)
    return ""


def kept(door: Door, way: str = "promise") -> Q:
    """The same as a condition on rows; `way`: from the row to its promise."""
    if door == Door.THERAPIST:
        return Q()
    allowed = Q(**{f"{way}__{door.value}": True})
    return Q(**{f"{way}__isnull": True}) | allowed if getattr(_ANY, door.value) else allowed


def in_force(rater: str) -> Promised:
    """What a form that is given now promises; one query."""
    newest = Promise.objects.in_force(rater)
    return newest.promised if newest else SHIPPED[rater]


# As shipped, the flags are the same for every rater, so that a row without a version says all.
_ANY: Any = SHIPPED["client"]
