"""Whether a therapist had looked at a client before the session: found in the access log, once, and kept.

*Seen before* means: in the 24 hours before the session began, and after the session before it was over, its therapist
or a colleague who covered for them opened a page of the client or a list with the client on it, the work list above
all. It is asked of the attended sessions before which marks of an earlier one had come in
(`CourseFacts.with_something_to_see`): before the others there is nothing to see.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from alliance.log_by_client import NamesAny
from alliance.log_events import LogEvent
from alliance.models import AuditEvent
from clients.covers import Cover
from clients.merges import codes_of_records
from clients.models import Client, Episode, EpisodeMove
from sessions_app.courses.models import EpisodeRows, TherapySession
from sessions_app.flags.facts import CourseFacts, SessionFact

# As long as a therapist prepares a day. Longer, and everybody who opens the work list once a day has seen everything.
BEFORE = timedelta(hours=24)
LOOKED = (LogEvent.VIEWED.value, LogEvent.LISTED.value)


class LookBefore(models.Model):
    """What was found for one session. A conclusion from the log, which is only ever added to: found once, it stands.

    held_at: when the session began when it was found; moved since, it is found anew.
    """

    session = models.OneToOneField(
        TherapySession, models.PROTECT, primary_key=True, related_name="look_before"
    )
    held_at = models.DateTimeField()
    looked = models.BooleanField()

    objects = EpisodeRows.as_manager()

    def __str__(self) -> str:
        return f"{self.session_id}: {self.looked}"


def found(
    read: Mapping[int, CourseFacts], episodes: Iterable[Episode], now: datetime, *, anew: bool = False
) -> dict[int, CourseFacts]:
    """These facts with what the log says of the sessions that nobody asked about yet; kept from now on.

    Under the locks of the episodes. anew: also of those that were asked about. Four queries for an episode with
    such sessions, usually after one that has just begun; none for the others.
    """
    complete, rows = dict(read), []
    for episode in episodes:
        facts = read[episode.pk]
        unknown = [
            session
            for session in facts.with_something_to_see()
            if session.held_at <= now and (anew or session.judged_for != session.held_at)
        ]
        if unknown:
            answers = dict(_answers(episode, unknown, facts.sessions))
            complete[episode.pk] = replace(facts, sessions=[answers.get(s.pk, s) for s in facts.sessions])
            rows += [
                LookBefore(session_id=s.pk, held_at=s.held_at, looked=bool(s.looked))
                for s in answers.values()
            ]
    if rows:
        LookBefore.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["session"], update_fields=["held_at", "looked"]
        )
    return complete


def _answers(
    episode: Episode, unknown: list[SessionFact], sessions: Collection[SessionFact]
) -> Iterator[tuple[int, SessionFact]]:
    looks = _looks(episode, unknown[0].held_at - BEFORE, unknown[-1].held_at)
    for session in unknown:
        ended = [other.ends_at for other in sessions if other.number < session.number]
        since = max([session.held_at - BEFORE, *ended[-1:]])
        looked = any(since <= at < session.held_at for at in looks)
        yield session.pk, session._replace(judged_for=session.held_at, looked=looked)


def _looks(episode: Episode, since: datetime, until: datetime) -> list[datetime]:
    """When somebody who treats the client, or covered then, looked at the client, under whichever record it stood."""
    moved_from = EpisodeMove.objects.filter(episode=episode).values("from_client")
    records = Client.objects.filter(Q(pk=episode.client_id) | Q(pk__in=moved_from))
    covers = list(Cover.objects.filter(episode=episode))
    lines = AuditEvent.objects.filter(
        NamesAny(codes_of_records(records)),
        actor__in={episode.therapist_id, *(cover.colleague_id for cover in covers)},
        action__in=LOOKED,
        at__gte=since,
        at__lt=until,
    )
    return [
        at
        for actor, at in lines.order_by().values_list("actor", "at")
        if actor == episode.therapist_id or any(cover.opens_to(actor, at) for cover in covers)
    ]
