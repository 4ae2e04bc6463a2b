"""A client's course as a page shows it, drawn once for each reader and kept until anything in it changes."""

import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.http import QueryDict
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from alliance.access import StaffRequest
from alliance.kept_values import Kept
from alliance.measurement.session_times import MAY_BEGIN_EARLY
from alliance.models import User
from clients.models import Episode
from sessions_app.conversations import asking
from sessions_app.courses.grants import RatingGrant
from sessions_app.dashboards import change_stamp, client_page
from sessions_app.dashboards.client_page import ClientPage
from sessions_app.flags import chance_returns
from sessions_app.flags.facts import beginning_of
from sessions_app.instruments import rule_settings
from sessions_app.supervision import beside

# Stands in kept pieces where each answer has its own token. Nobody outside this process can know it.
_TOKEN = f"token-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class KeptCourse:
    """drawn: with `_TOKEN` in its forms. people: {staff who are named in it: their names}."""

    drawn: str
    has_rating: bool
    people: dict[UUID, tuple[str, str]]
    since: datetime
    valid_until: datetime


_kept: Kept[KeptCourse] = Kept(300)  # 30 to 150 KB each


@dataclass(frozen=True)
class DrawnCourse:
    """What the page of a client puts into its frame."""

    course: SafeString
    has_rating: bool


def read(request: StaffRequest, viewer: User, episode: Episode, now: datetime) -> DrawnCourse:
    """The course of `episode`, which `viewer` must be allowed to see.

    Everything that it shows is in the key, is asked for again (the names of staff), or has its moment.
    """
    # The stamp first: what is read after it may be newer, never older.
    stamp = change_stamp.stamp(Episode.objects.filter(pk=episode.pk))
    rules, questions = rule_settings.in_force(), asking.of(viewer)
    shows_all = asks_for_all(request)
    chance = chance_returns.under(rules.name)
    is_own, rights = episode.is_worked_by(viewer), beside.rights(episode, viewer)
    key = (
        *(get_language(), episode.code, stamp, viewer.pk, is_own, rights, shows_all, questions.key),
        *(
            rules.version,
            repr(rules.rules),
            *chance.key,
            episode.client.label,
            episode.opened_on,
            episode.closed_on,
        ),
    )
    kept = _kept.get(key)
    if kept is None or not kept.since <= now < kept.valid_until or kept.people != _names(kept.people):
        page = client_page.build(
            episode,
            viewer,
            now,
            rules=rules,
            chance=chance,
            questions=questions,
            stamp=stamp,
            is_own=is_own,
            shows_all=shows_all,
            rights=rights,
        )
        kept = _drawn(page, now)
        if not shows_all:  # a megabyte for a course of many years, and seldom asked for
            _kept.put(key, kept)
    return DrawnCourse(
        mark_safe(kept.drawn.replace(_TOKEN, get_token(request))),  # noqa: S308 - drawn by our own template
        kept.has_rating,
    )


def asks_for_all(request: StaffRequest) -> bool:
    """Whether the reader asked for the whole of a long course, now or before: its address then says so."""
    return "all" in request.GET or "all" in QueryDict(urlsplit(request.htmx.current_url or "").query)


def _drawn(page: ClientPage, now: datetime) -> KeptCourse:
    moments = [moment for moment in _moments(page, now) if moment > now]
    return KeptCourse(
        render_to_string("components/_course.html", {"page": page, "csrf_token": _TOKEN}),
        page.latest is not None,
        {person.pk: (person.name, person.email) for person in _people(page)},
        now,
        min(moments),
    )


def _moments(page: ClientPage, now: datetime) -> Iterator[datetime]:
    """When the clock changes what the page says."""
    yield beginning_of(timezone.localdate(now) + timedelta(days=1))
    for row in page.rows:
        session = row.session
        yield session.held_at - MAY_BEGIN_EARLY
        yield session.ends_at
        yield session.overdue_from
        yield session.not_rated_from
    grants = RatingGrant.every.filter(session__episode=page.episode, withdrawn_at__isnull=True)
    for open_until, accept_until in grants.filter(rating__isnull=True, answered_at__isnull=True).values_list(
        "open_until", "accept_until"
    ):
        yield open_until
        yield accept_until
    yield from page.put_off_until


def _people(page: ClientPage) -> Iterator[User]:
    """The staff who are named, as they were named."""
    yield from page.supervision.people
    for row in page.rows:
        for talk in (*row.discussions, *row.talks_taken_back):
            yield talk.discussed_by
            yield from (one.by for one in talk.earlier)
        yield from (deferral.deferred_by for deferral in (*row.deferrals, *row.deferrals_taken_back))
        yield from (one.undone_by for one in row.deferrals_taken_back if one.undone_by)
        yield from row.beside.people
    yield from (voided.session.voided_by for voided in page.voided if voided.session.voided_by)
    for voided in page.voided:
        yield from voided.beside.people


def _names(people: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    if not people:
        return {}
    rows = User.objects.filter(pk__in=list(people)).values_list("pk", "name", "email")
    return {pk: (name, email) for pk, name, email in rows}
