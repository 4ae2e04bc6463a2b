"""That a client was in therapy here before: with whom, how long, whom to ask. Never what was in it.

With the client's consent, which is written down, the page for two of that course opens too, and nothing else of it.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.prepared import Prepared
from alliance.refused import Refused
from clients.closing import courses
from clients.lock import lock_episode
from clients.models import EarlierCourseConsent, Episode, EpisodeQuerySet, Supervision
from clients.plausible_days import NOT_AHEAD, refuse_implausible


@dataclass(frozen=True)
class EarlierCourse:
    """ask: who can tell about it, the former therapist first; nobody where both have left."""

    episode: Episode
    sessions: int
    ask: tuple[User, ...]
    consent: EarlierCourseConsent | None

    @property
    def until(self) -> date | None:
        return self.episode.closed_on


def _written_earlier(client: int, opened_on: date, therapist: UUID) -> EpisodeQuerySet:
    rows = Episode.objects.filter(client=client, closed_on__isnull=False, opened_on__lte=opened_on)
    return rows.exclude(therapist=therapist)


_EARLIER = Prepared(_written_earlier, client=int, opened_on=date, therapist=UUID)


def eligible(episode: Episode) -> "list[Episode]":
    """The earlier courses that the therapist of this one is told of: over, and with somebody else.

    One query where there are none, as for most; else another.
    """
    found = _EARLIER.rows(
        client=episode.client_id, opened_on=episode.opened_on, therapist=episode.therapist_id
    )
    if not found:
        return []
    rows = Episode.objects.filter(pk__in=[one.pk for one in found])
    return list(rows.select_related("therapist", "client").order_by("-closed_on", "-pk"))


def read(episode: Episode) -> list[EarlierCourse]:
    """The newest first; one query where there is none."""
    earlier = eligible(episode)
    if not earlier:
        return []
    out = courses().still_out({one.pk: one.closed_on for one in earlier if one.closed_on})
    asked = whom_to_ask(earlier)
    consents = EarlierCourseConsent.objects.standing().filter(episode=episode).select_related("recorded_by")
    agreed = {consent.earlier_id: consent for consent in consents}
    return [EarlierCourse(one, out[one.pk].sessions, asked[one.pk], agreed.get(one.pk)) for one in earlier]


def whom_to_ask(episodes: Collection[Episode]) -> dict[int, tuple[User, ...]]:
    """{episode: who can tell about it}: its therapist, and who supervises that therapist today; one query."""
    therapists = {one.therapist_id for one in episodes}
    today = Supervision.objects.today().filter(
        therapist__in=therapists, supervisor__is_active=True, supervisor__is_supervisor=True
    )
    supervisors: dict[object, list[User]] = defaultdict(list)
    for one in today.select_related("supervisor").order_by("supervisor__name"):
        supervisors[one.therapist_id].append(one.supervisor)
    return {
        one.pk: (
            *([one.therapist] if one.therapist.is_active and one.therapist.is_therapist else []),
            *supervisors[one.therapist_id],
        )
        for one in episodes
    }


@transaction.atomic
def record_consent(*, earlier: Episode, episode: Episode, given_on: date, by: User) -> EarlierCourseConsent:
    """The client agreed. `episode` is the course in which they did, with whoever records it."""
    stored = lock_episode(episode.pk)
    refuse_implausible(given_on, ahead=NOT_AHEAD)
    if not stored.is_open:
        raise Refused("This episode is closed. What the client agrees to is written down in an open one.")
    if earlier.pk not in {one.pk for one in eligible(stored)}:
        raise Refused("This is no earlier course of the same client.")
    if given_on < stored.opened_on:
        raise Refused("This day lies before the client came to you. Ask the client once more.")
    try:
        with transaction.atomic():
            consent = EarlierCourseConsent.objects.create(
                earlier=earlier, episode=stored, given_on=given_on, recorded_by=by
            )
    except IntegrityError as error:
        raise Refused("This consent is written down already.") from error
    audit.record(LogEvent.CONSENT_RECORDED, consent, by=by, client=stored.client_code)
    return consent


@transaction.atomic
def withdraw_consent(*, consent: EarlierCourseConsent, by: User) -> None:
    """The page closes at once. Twice is once."""
    standing = EarlierCourseConsent.objects.standing().filter(pk=consent.pk)
    if standing.update(withdrawn_at=timezone.now(), withdrawn_by=by):
        audit.record(LogEvent.CONSENT_WITHDRAWN, consent, by=by, client=consent.episode.client_code)
