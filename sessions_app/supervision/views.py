"""Questions between supervisor and therapist about a client, and what was agreed in supervision."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.models import Role
from alliance.refused import Refused
from alliance.undo import say_done
from clients.models import Episode
from sessions_app.supervision import question_actions, talk_actions
from sessions_app.supervision.agendas import Agenda
from sessions_app.supervision.forms import AnswerForm, QuestionForm, SupervisionTalkForm
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.talks import SupervisionTalk

# --- A supervisor asks ---------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.SUPERVISOR)
def ask(request: StaffRequest, code: UUID) -> HttpResponse:
    """Leave a question at a client of a supervisee."""
    rows = Episode.objects.supervised_by(request.user).select_related("client", "therapist")
    episode: Episode = visible_or_404(request, rows, code, looked_at=False)
    form = QuestionForm(posted(request))
    if written(form, question_actions.ask, episode=episode, by=request.user):
        messages.success(request, f"Asked. {episode.therapist} finds it at the next talk.")
        return _back(request, episode)
    return _about(request, "ask", episode, form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.SUPERVISOR)
def change_question(request: StaffRequest, code: UUID) -> HttpResponse:
    """One's own question in other words, as long as nobody answered it."""
    question = _asked_by_me(request, code)
    form = QuestionForm(posted(request), question=question)
    if written(form, question_actions.ask_otherwise, question=question, by=request.user):
        messages.success(request, "Saved. The earlier words stay readable beside the question.")
        return _back(request, question.episode)
    return _about(request, "ask", question.episode, form, question=question)


@require_POST
@page(Role.SUPERVISOR)
def take_back_question(request: StaffRequest, code: UUID) -> HttpResponse:
    question = _asked_by_me(request, code)
    undo = reverse("supervision:put_back_question", args=[question.code])
    return _done(
        request,
        question.episode,
        question_actions.take_back_question,
        "Taken back. The words stay readable.",
        undo=undo,
        question=question,
    )


@require_POST
@page(Role.SUPERVISOR)
def put_back_question(request: StaffRequest, code: UUID) -> HttpResponse:
    question = _asked_by_me(request, code)
    action = question_actions.put_back_question
    return _done(request, question.episode, action, "The question stands again.", question=question)


def _asked_by_me(request: StaffRequest, code: UUID) -> SupervisionQuestion:
    rows = SupervisionQuestion.objects.filter(
        asked_by=request.user, episode__in=Episode.objects.supervised_by(request.user)
    )
    rows = rows.select_related("episode__client", "episode__therapist")
    found: SupervisionQuestion = visible_or_404(request, rows, code, looked_at=False)
    return found


# --- The therapist answers -----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def answer(request: StaffRequest, code: UUID) -> HttpResponse:
    """Answer a question, or answer it otherwise."""
    question = _to_me(request, code)
    form = AnswerForm(posted(request), question=question)
    if written(form, question_actions.answer_question, question=question, by=request.user):
        messages.success(request, f"Answered. {question.asked_by} reads it at this client.")
        return _back(request, question.episode)
    question.refresh_from_db(fields=["words", "answer", "withdrawn_at"])
    return _about(request, "answer", question.episode, form, question=question)


@require_POST
@page(Role.THERAPIST)
def take_back_answer(request: StaffRequest, code: UUID) -> HttpResponse:
    question = _to_me(request, code)
    done = "Taken back. The question is open again."
    return _done(request, question.episode, question_actions.take_back_answer, done, question=question)


def _to_me(request: StaffRequest, code: UUID) -> SupervisionQuestion:
    rows = SupervisionQuestion.objects.select_related("episode__client", "episode__therapist", "asked_by")
    found: SupervisionQuestion = own_or_404(request, rows, code)
    return found


# --- Talked about in supervision -----------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR)
def note(request: StaffRequest, code: UUID) -> HttpResponse:
    """That a client was talked about in supervision, and what was agreed."""
    rows = Episode.objects.select_related("client", "therapist")
    episode: Episode = visible_or_404(request, _between_two(request, rows), code, looked_at=False)
    meeting = _meeting(request)
    form = SupervisionTalkForm(posted(request), day=meeting.held_on if meeting else None)
    if written(form, talk_actions.note_supervision, episode=episode, by=request.user):
        messages.success(request, "Noted. Therapist and supervisor read it at this client.")
        return redirect("supervision:agenda", meeting.code) if meeting else _back(request, episode)
    back = reverse("supervision:agenda", args=[meeting.code]) if meeting else _course(request, episode)
    return _about(request, "talk", episode, form, back=back)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR)
def change_note(request: StaffRequest, code: UUID) -> HttpResponse:
    """One's own note with another day or in other words."""
    talk = _noted_by_me(request, code)
    form = SupervisionTalkForm(posted(request), talk=talk)
    if written(form, talk_actions.change_supervision_note, talk=talk, by=request.user):
        messages.success(request, "Saved. What stood before stays readable beside the note.")
        return _back(request, talk.episode)
    return _about(request, "talk", talk.episode, form, talk=talk)


@require_POST
@page(Role.THERAPIST, Role.SUPERVISOR)
def take_back_note(request: StaffRequest, code: UUID) -> HttpResponse:
    talk = _noted_by_me(request, code)
    return _done(
        request,
        talk.episode,
        talk_actions.take_back_supervision_note,
        "Taken back. The words stay readable.",
        undo=reverse("supervision:put_back_note", args=[talk.code]),
        talk=talk,
    )


@require_POST
@page(Role.THERAPIST, Role.SUPERVISOR)
def put_back_note(request: StaffRequest, code: UUID) -> HttpResponse:
    talk = _noted_by_me(request, code)
    return _done(
        request, talk.episode, talk_actions.put_back_supervision_note, "The note stands again.", talk=talk
    )


def _meeting(request: StaffRequest) -> Agenda | None:
    """The meeting from whose agenda one came, as a link says it; None where it names none of this person's."""
    try:
        code = UUID(request.GET.get("agenda", ""))
    except ValueError:
        return None
    return Agenda.objects.visible_to(request.user).filter(code=code).first()


def _noted_by_me(request: StaffRequest, code: UUID) -> SupervisionTalk:
    rows = SupervisionTalk.objects.filter(noted_by=request.user)
    rows = rows.select_related("episode__client", "episode__therapist")
    found: SupervisionTalk = visible_or_404(request, rows, code, looked_at=False)
    return found


def _between_two(request: StaffRequest, rows: Any) -> Any:
    """The courses that this person treats or supervises: without those of colleagues whom they cover."""
    user = request.user
    return rows.filter(therapist=user) | rows.filter(pk__in=Episode.objects.supervised_by(user).values("pk"))


# --- Shared --------------------------------------------------------------------------------------


def _done(
    request: StaffRequest, episode: Episode, action: Any, done: str, *, undo: str = "", **of: Any
) -> HttpResponse:
    try:
        action(**of, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        say_done(request, done, undo=undo)
    return _back(request, episode)


def _about(
    request: StaffRequest, template: str, episode: Episode, form: forms.BaseForm, **context: Any
) -> HttpResponse:
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)
    context = {"back": _course(request, episode), **context, "episode": episode}
    return form_page(request, f"supervision/{template}.html", form, **context)


def _back(request: StaffRequest, episode: Episode) -> HttpResponse:
    return redirect(f"{_course(request, episode)}#supervision")


def _course(request: StaffRequest, episode: Episode) -> str:
    """Where this person reads the course: as its therapist, or as who supervises them."""
    whose = "dashboard" if episode.therapist_id == request.user.pk else "caseload"
    return reverse(f"{whose}:client", args=[episode.code])
