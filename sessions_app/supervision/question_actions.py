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
    stands = _locked(question)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    new = changed(opened_with, stored={"words": stands.words}, typed={"words": words})
    if not new:
        return stands
    if stands.answered_at:
        raise Refused(ANSWERED)
    _keep(stands, Kind.ASKED_OTHERWISE, by)
    stands.words = new["words"]
    stands.save(update_fields=["words", "version"])
    _log(LogEvent.SUPERVISION_QUESTION_CHANGED, stands, by)
    return stands


@transaction.atomic
def take_back_question(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    """The words stay readable. Pressed twice, it is taken back once."""
    stands = _locked(question)
    if stands.withdrawn_at is None:
        _keep(stands, Kind.TAKEN_BACK, by)
        stands.withdrawn_at, stands.withdrawn_by = timezone.now(), by
        stands.save(update_fields=["withdrawn_at", "withdrawn_by", "version"])
        _log(LogEvent.SUPERVISION_QUESTION_CHANGED, stands, by)
    return stands


@transaction.atomic
def put_back_question(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    """The way back of a question that was taken back. Pressed twice, it is put back once."""
    stands = _locked(question)
    if stands.withdrawn_at:
        _keep(stands, Kind.PUT_BACK, by)
        stands.withdrawn_at = stands.withdrawn_by = None
        stands.save(update_fields=["withdrawn_at", "withdrawn_by", "version"])
        _log(LogEvent.SUPERVISION_QUESTION_CHANGED, stands, by)
    return stands


@transaction.atomic
def answer_question(
    *, question: SupervisionQuestion, answer: str, by: User, opened_with: Opened | None = None
) -> SupervisionQuestion:
    """What the therapist answers, or answers otherwise; refused where the question is another than they saw."""
    stands = _locked(question)
    if stands.episode.therapist_id != by.pk:
        raise Refused(TREATED_BY)
    if stands.withdrawn_at:
        raise Refused(TAKEN_BACK)
    stored = {"answer": stands.answer, "question": stands.words}
    new = changed(opened_with, stored=stored, typed={"answer": answer, "question": stands.words})
    if "answer" not in new:
        return stands
    if stands.answered_at:
        _keep(stands, Kind.ANSWERED_OTHERWISE, by)
    stands.answer, stands.answered_at, stands.answered_by = new["answer"], timezone.now(), by
    stands.save(update_fields=["answer", "answered_at", "answered_by", "version"])
    _log(LogEvent.SUPERVISION_QUESTION_ANSWERED, stands, by)
    return stands


@transaction.atomic
def take_back_answer(*, question: SupervisionQuestion, by: User) -> SupervisionQuestion:
    """The question is open again; the words of the answer stay readable. Twice is once."""
    stands = _locked(question)
    if stands.episode.therapist_id != by.pk:
        raise Refused(TREATED_BY)
    if stands.answered_at:
        _keep(stands, Kind.ANSWER_TAKEN_BACK, by)
        stands.answer, stands.answered_at, stands.answered_by = "", None, None
        stands.save(update_fields=["answer", "answered_at", "answered_by", "version"])
        _log(LogEvent.SUPERVISION_QUESTION_ANSWERED, stands, by)
    return stands


def _locked(question: SupervisionQuestion) -> SupervisionQuestion:
    """As it stands once nobody else can change it."""
    lock_open_episode(question.episode_id)
    rows = SupervisionQuestion.objects.select_related("episode__client")
    stands: SupervisionQuestion = rows.get(pk=question.pk)
    return stands


def _keep(stands: SupervisionQuestion, kind: Kind, by: User) -> None:
    """Before a change: what it changes. The next version begins."""
    SupervisionQuestionChange.objects.create(
        question=stands,
        version=stands.version,
        kind=kind,
        words=stands.words,
        answer=stands.answer,
        changed_by=by,
    )
    stands.version += 1


def _log(event: LogEvent, question: SupervisionQuestion, by: User, **detail: Any) -> None:
    audit.record(event, question, by=by, client=question.client_code, **detail)
