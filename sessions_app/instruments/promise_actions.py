"""The one write about what forms promise: a version that is added. By an administrator."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from sessions_app.instruments.client_form import TAGS
from sessions_app.instruments.promises import FLAGS, SHIPPED, Promise

OWN = "own_"  # before the language, in the names of the fields
CHANGED_MEANWHILE = "Somebody else is changing this just now. Look at it again, then save."
NOTHING_NEW = "This is what is promised already."


@transaction.atomic
def change_promise(
    *, rater: str, by: User, opened_with: Opened | None = None, **typed: bool | str
) -> Promise:
    """The next version for this kind of rater. typed: the flags, and `own_<language>` for each sentence.

    What was marked before keeps the version that was read with it.
    """
    try:
        with transaction.atomic():
            return _next_version(rater, by, opened_with, typed)
    except IntegrityError as error:
        raise Refused(CHANGED_MEANWHILE) from error


def _next_version(
    rater: str, by: User, opened_with: Opened | None, typed: Mapping[str, bool | str]
) -> Promise:
    now = stored(rater)
    new = changed(opened_with, stored={name: now[name] for name in typed}, typed=typed)
    if not new:
        raise Refused(NOTHING_NEW)
    columns = as_columns({**now, **new})
    newest = Promise.objects.in_force(rater)
    version = newest.version + 1 if newest else 1
    made = Promise.objects.create(rater=rater, version=version, made_by=by, **columns)
    audit.record(LogEvent.PROMISE_CHANGED, made, by=by, version=made.version, rater=rater)
    return made


def stored(rater: str) -> dict[str, Any]:
    """What is in force, by the names of the fields."""
    newest = Promise.objects.in_force(rater)
    now = newest.promised if newest else SHIPPED[rater]
    texts = dict(now.own)
    flags = {door.value: getattr(now, door.value) for door in FLAGS}
    return flags | {OWN + tag: texts.get(tag, "") for tag in TAGS}


def as_columns(typed: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of `typed`, which has the names of the fields."""
    flags = {door.value: bool(typed[door.value]) for door in FLAGS}
    return {**flags, "own": {tag: typed[OWN + tag] for tag in TAGS if typed.get(OWN + tag)}}
