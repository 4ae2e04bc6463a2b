"""The writes about what a supervisor asks and a therapist answers."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import User
from alliance.refused import Refused
from alliance.stale_forms import Opened, changed
from clients.lock import lock_open_episode
from clients.models import Episode
from sessions_app.supervision.kept_words import keep, locked, put_back, take_back
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.rows import supervises

Kind = SupervisionQuestionChange.Kind
NOT_THEIRS = "You do not supervise this therapist any more, so nothing was saved."
ANSWERED = (
    "It was answered meanwhile, and an answer belongs to what was asked. Ask another question. "
    "Your words are still here."
)
TAKEN_BACK = "This question was taken back meanwhile. Nothing was saved yet; your words are still here."
TREATED_BY = "Only the therapist of this client answers."


@transaction.atomic
def ask(*, episode: Episode, words: str, form_key: UUID | None = None, by: User) -> SupervisionQuestion:
    """Leave a question at a client of a supervisee. Sent twice by one form, it is asked once."""
    lock_open_episode(episode.pk)
    if form_key and (there := SupervisionQuestion.objects.filter(form_key=form_key, asked_by=by).first()):
        found: SupervisionQuestion = there
        return found
    if not supervises(by, episode):
        raise Refused(NOT_THEIRS)
    question = SupervisionQuestion.objects.create(
        episode=episode, words=words, form_key=form_key, asked_by=by
    )
    _log(LogEvent.SUPERVISION_QUESTION_ASKED, question, by)
    return question


@transaction.atomic
def ask_otherwise(
    *, question: SupervisionQuestion, words: str, by: User, opened_with: Opened | None = None
) -> SupervisionQuestion:
    """The question in other words, as long as nobody answered it."""
    stands = locked(question)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    new = changed(opened_with, stored={"words": stands.words}, typed={"words": words})
    if not new:
        return stands
    if stands.answered_at:
        raise Refused(ANSWERED)
    keep(stands, Kind.ASKED_OTHERWISE, by)
    stands.words = new["words"]
    stands.save(update_fields=["words", "version"])
    _log(LogEvent.SUPERVISION_QUESTION_CHANGED, stands, by)
    return stands


@transaction.atomic
def take_back_question(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    return take_back(question, by=by, event=LogEvent.SUPERVISION_QUESTION_CHANGED)


@transaction.atomic
def put_back_question(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    return put_back(question, by=by, event=LogEvent.SUPERVISION_QUESTION_CHANGED)


@transaction.atomic
def answer_question(
    *, question: SupervisionQuestion, answer: str, by: User, opened_with: Opened | None = None
) -> SupervisionQuestion:
    """What the therapist answers, or answers otherwise; refused where the question is another than they saw."""
    stands = locked(question)
    if stands.episode.therapist_id != by.pk:
        raise Refused(TREATED_BY)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    stored = {"answer": stands.answer, "question": stands.words}
    new = changed(opened_with, stored=stored, typed={"answer": answer, "question": stands.words})
    if "answer" not in new:
        return stands
    if stands.answered_at:
        keep(stands, Kind.ANSWERED_OTHERWISE, by)
    stands.answer, stands.answered_at, stands.answered_by = new["answer"], timezone.now(), by
    stands.save(update_fields=["answer", "answered_at", "answered_by", "version"])
    _log(LogEvent.SUPERVISION_QUESTION_ANSWERED, stands, by)
    return stands


@transaction.atomic
def take_back_answer(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    """The question is open again; the words of the answer stay readable. Twice is once."""
    stands = locked(question)
    if stands.episode.therapist_id != by.pk:
        raise Refused(TREATED_BY)
    if stands.answered_at:
        keep(stands, Kind.ANSWER_TAKEN_BACK, by)
        stands.answer, stands.answered_at, stands.answered_by = "", None, None
        stands.save(update_fields=["answer", "answered_at", "answered_by", "version"])
        _log(LogEvent.SUPERVISION_QUESTION_ANSWERED, stands, by)
    return stands


def _log(event: LogEvent, question: SupervisionQuestion, by: User, **detail: Any) -> None:
    audit.record(event, question, by=by, client=question.client_code, **detail)
