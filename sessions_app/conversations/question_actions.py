"""The writes about what can be asked at a flag: the clinic's own questions, and the language a person reads them in."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.questions import languages, questions
from alliance.models import User
from alliance.refused import Refused
from sessions_app.conversations.own_questions import OwnQuestion

TWICE = "This question is there already, at the same rule and line."


@transaction.atomic
def add_question(*, rule: str, item: str, language: str, text: str, by: User) -> OwnQuestion:
    """One more question of the clinic."""
    question = OwnQuestion(rule=rule, item=item, language=language, text=text, added_by=by)
    _refuse_the_same_again(question)
    _save_once(question)
    _note(LogEvent.QUESTION_ADDED, question, by)
    return question


@transaction.atomic
def take_out_question(*, question: OwnQuestion, by: User) -> OwnQuestion:
    """From now on it is not shown. The row stays, so that it can be put back."""
    locked = OwnQuestion.objects.select_for_update().get(pk=question.pk)
    if locked.removed_at is None:
        locked.removed_at, locked.removed_by = timezone.now(), by
        locked.save(update_fields=["removed_at", "removed_by"])
        _note(LogEvent.QUESTION_TAKEN_OUT, locked, by)
    return locked


@transaction.atomic
def put_back_question(*, question: OwnQuestion, by: User) -> OwnQuestion:
    """Undo of `take_out_question`."""
    locked = OwnQuestion.objects.select_for_update().get(pk=question.pk)
    if locked.removed_at is not None:
        _refuse_the_same_again(locked)
        locked.removed_at = locked.removed_by = None
        _save_once(locked)
        _note(LogEvent.QUESTION_PUT_BACK, locked, by)
    return locked


@transaction.atomic
def choose_language(*, language: str, by: User) -> User:
    """In which language `by` reads the questions; their pages stay as they are."""
    if by.question_language != language:
        by.question_language = language
        by.save(update_fields=["question_language"])
        audit.record(LogEvent.QUESTION_LANGUAGE_CHOSEN, by, by=by, language=language)
    return by


def _refuse_the_same_again(question: OwnQuestion) -> None:
    same = {name: getattr(question, name) for name in ("rule", "item", "language", "text")}
    ours = questions(question.language).get(question.rule, {}) if question.language in languages() else {}
    if question.text in {text for asked in ours.values() for text in asked}:
        raise Refused("This is one of the questions that are there already.")
    if OwnQuestion.objects.in_use().filter(**same).exists():
        raise Refused(TWICE)


def _save_once(question: OwnQuestion) -> None:
    try:
        with transaction.atomic():
            question.save()
    except IntegrityError as error:  # somebody else was first at this moment
        raise Refused(TWICE) from error


def _note(event: LogEvent, question: OwnQuestion, by: User) -> None:
    audit.record(event, question, by=by, rule=question.rule, language=question.language)
