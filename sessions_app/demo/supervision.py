"""What the invented supervisors asked and what was agreed: a question that is open, one that is answered, a meeting."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User
from clients.models import Episode, Supervision
from sessions_app.demo.lines import line
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.talks import SupervisionTalk

ASKED = "Five talks, and the ratings stay where they are. What have you not asked yet?"
ANSWERED = (
    "What did the client expect of the homework that hurt so much?",
    "To be told that the week had been hard enough. I asked, and we left it out.",
)
AGREED = "Ask what the client would change if it were their session to lead."
LINES = ("Dates of the summer break", "Who covers in the first week of August")
MEETING_AGO = timedelta(days=13)
Why = AgendaItem.Why


def write(now: datetime, *, stays_low: str, story: str) -> list[AuditEvent]:
    """At the clients with these labels; the lines that it leaves in the log."""
    open_ones = Episode.objects.open().select_related("client", "therapist")
    low, told = (open_ones.get(client__label=label) for label in (stays_low, story))
    supervisor = Supervision.objects.get(therapist=low.therapist).supervisor
    lines = [*_questions(low, told, now), *_talk(low, supervisor, now)]
    _meeting(low, told, supervisor, now)
    return lines


def _questions(low: Episode, told: Episode, now: datetime) -> Iterator[AuditEvent]:
    for episode, (asked, answer), ago in ((low, (ASKED, ""), 1), (told, ANSWERED, 9)):
        supervisor = Supervision.objects.get(therapist=episode.therapist).supervisor
        at = now - timedelta(days=ago)
        question = SupervisionQuestion.objects.create(
            episode=episode, words=asked, asked_at=at, asked_by=supervisor
        )
        yield line(LogEvent.SUPERVISION_QUESTION_ASKED, question, at, by=supervisor)
        if answer:
            at += timedelta(days=1)
            question.answer, question.answered_at, question.answered_by = answer, at, episode.therapist
            question.save()
            yield line(LogEvent.SUPERVISION_QUESTION_ANSWERED, question, at, by=episode.therapist)


def _talk(low: Episode, supervisor: User, now: datetime) -> Iterator[AuditEvent]:
    at = now - MEETING_AGO
    talk = SupervisionTalk.objects.create(
        episode=low, held_on=timezone.localdate(at), agreed=AGREED, noted_at=at, noted_by=supervisor
    )
    yield line(LogEvent.SUPERVISION_TALK_NOTED, talk, at, by=supervisor)


def _meeting(low: Episode, told: Episode, supervisor: User, now: datetime) -> None:
    """Of the therapist who has the client that stays low; what nobody ticked comes back at the next one."""
    at = now - MEETING_AGO
    agenda = Agenda.objects.create(
        supervisor=supervisor, therapist=low.therapist, held_on=timezone.localdate(at), made_at=at
    )
    items = [(low, Why.LOW, ""), *((None, Why.ADDED, text) for text in LINES)]
    if told.therapist_id == low.therapist_id:
        items.insert(1, (told, Why.TALK, ""))
    AgendaItem.objects.bulk_create(
        AgendaItem(
            agenda=agenda,
            place=place,
            episode=episode,
            why=why,
            text=text,
            added_at=at,
            added_by=supervisor,
            ticked_at=at if text != LINES[-1] else None,
            ticked_by=supervisor if text != LINES[-1] else None,
        )
        for place, (episode, why, text) in enumerate(items)
    )
