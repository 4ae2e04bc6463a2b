"""One protection taken away, so that the runs must not end in zeros: the judge is known to see."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from unittest import mock
from uuid import uuid4

from sessions_app.courses.grants import RatingGrant
from sessions_app.intake import record_rating, sealed_upload
from sessions_app.intake.rate_forms import RatingForm
from sessions_app.intake.views import upload
from tests.torture.world import World

FORGETFUL = """
export const keep = async () => true, forget = async () => {}, waiting = async () => [];
export const speak = async () => {}, spoken = async () => undefined;
"""


@contextmanager
def _forgets(world: World) -> Iterator[None]:
    """The device says that it keeps the marks, and keeps nothing."""
    world.site.files["rate/store.js"] = FORGETFUL
    yield
    del world.site.files["rate/store.js"]


def _pretends(world: World) -> AbstractContextManager[Any]:
    """The server answers that the marks are stored, and stores nothing."""
    return mock.patch.object(upload, "_stored", lambda delivery: upload._forget(201, "0" * 64, delivery))


def _takes_each_for_another(world: World) -> AbstractContextManager[Any]:
    """Marks that come twice are not known again."""
    return mock.patch.object(record_rating, "hash_of_answers", side_effect=lambda *_, **__: uuid4().hex * 2)


def _changes(world: World) -> AbstractContextManager[Any]:
    """What is stored is a tenth off."""
    as_rating = RatingForm.as_rating

    def a_tenth_off(form: RatingForm) -> dict[str, Any]:
        given = as_rating(form)
        answers = {item: abs((mark or 0) - 1) for item, mark in given["answers"].items()}
        return {**given, "answers": answers}

    return mock.patch.object(RatingForm, "as_rating", a_tenth_off)


def _mixes_up(world: World) -> AbstractContextManager[Any]:
    """A permission to deliver opens the grant of somebody else."""

    def of_another(token: str) -> RatingGrant | None:
        grant = grant_of(token)
        others = RatingGrant.objects.exclude(session=grant.session_id if grant else None)
        return others.select_related("session__episode__client").first()

    grant_of = sealed_upload.grant_of
    return mock.patch.object(sealed_upload, "grant_of", of_another)


CONTROLS: dict[str, Callable[[World], AbstractContextManager[Any]]] = {
    "forgets": _forgets,
    "pretends": _pretends,
    "takes each for another": _takes_each_for_another,
    "changes": _changes,
    "mixes up": _mixes_up,
}


def taken_away(world: World, name: str | None) -> AbstractContextManager[Any]:
    if name is None:
        return nullcontext()
    if name not in CONTROLS:
        raise SystemExit(f"Not known: {name}. There are: {', '.join(CONTROLS)}.")
    return CONTROLS[name](world)
