"""The questionnaires of one client: read, decided about, and answers about self-harm that somebody has to look at."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.models import Role
from clients.models import Episode
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.dashboards import alliance_and_outcome_page, questionnaire_panels
from sessions_app.questionnaires import decision_actions, risk_actions
from sessions_app.questionnaires.forms import DecisionForm, RiskNoteForm
from sessions_app.questionnaires.risk_answers import RiskAnswer


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR)
def panels(request: StaffRequest, code: UUID) -> HttpResponse:
    """A piece of the client's page; as an address of its own a page."""
    # The client's page that asks for the piece has written down the look.
    episode = _episode(request, code, looked_at=not request.htmx)
    is_own = episode.is_worked_by(request.user)
    context = {
        "episode": episode,
        "read": questionnaire_panels.read(episode, is_own=is_own),
        "back": _back(episode, is_own=is_own),
    }
    template = "_panels" if request.htmx else "panels"
    return render(request, f"questionnaires/{template}.html", context)


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR)
def with_the_alliance(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = _episode(request, code)
    is_own = episode.is_worked_by(request.user)
    scale = request.GET.get("scale", "")
    both = alliance_and_outcome_page.read(episode, timezone.now(), scale, is_own=is_own)
    context = {"episode": episode, "both": both, "back": _back(episode, is_own=is_own)}
    return render(request, "questionnaires/with_the_alliance.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def count(request: StaffRequest, code: UUID) -> HttpResponse:
    return _decide(request, code, counts=True)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def leave(request: StaffRequest, code: UUID) -> HttpResponse:
    return _decide(request, code, counts=False)


def _decide(request: StaffRequest, code: UUID, *, counts: bool) -> HttpResponse:
    rows = QuestionnaireResponse.objects.select_related("session__episode__client", "wording", "grant")
    response = own_or_404(request, rows, code)
    episode = response.session.episode
    form = DecisionForm(posted(request))
    if written(form, decision_actions.decide, response=response, counts=counts, by=request.user):
        done = "count" if counts else "do not count. They stay readable, and you can let them count again"
        messages.success(request, f"Session {response.session.number}: these answers {done}.")
        return redirect("dashboard:client", episode.code)
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, response, by=request.user, client=response.client_code)
    shown = questionnaire_panels.of_response(response)
    return form_page(request, "questionnaires/decide.html", form, shown=shown, counts=counts, episode=episode)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR)
def risk_answer(request: StaffRequest, code: UUID) -> HttpResponse:
    """One answer at which somebody has to look: read by whoever may see it, noted by those it is shown to."""
    rows = RiskAnswer.objects.select_related(
        "response__session__episode__client", "response__session__episode__therapist", "response__wording"
    )
    found = own_or_404 if request.method == "POST" else visible_or_404
    answer: RiskAnswer = found(request, rows, code)
    notes = list(answer.notes.select_related("noted_by"))
    form = RiskNoteForm(posted(request), seen=len(notes))
    if written(form, risk_actions.acknowledge, answer=answer, by=request.user):
        messages.success(request, "Noted. The answer stays in the client’s course, with what you wrote.")
        return redirect(_home(request, answer.episode))
    form.shows(len(answer.notes.all()))
    context = {
        "answer": answer,
        "notes": answer.notes.select_related("noted_by"),
        "back": _home(request, answer.episode),
        "may_note": RiskAnswer.objects.own(request.user).filter(pk=answer.pk).exists(),
        "opens_course": Episode.objects.visible_to(request.user).filter(pk=answer.episode.pk).exists(),
    }
    return form_page(request, "questionnaires/risk_answer.html", form, **context)


def _episode(request: StaffRequest, code: UUID, *, looked_at: bool = True) -> Episode:
    episodes = Episode.objects.select_related("client", "therapist")
    found: Episode = visible_or_404(request, episodes, code, looked_at=looked_at)
    return found


def _back(episode: Episode, *, is_own: bool) -> str:
    """The name of the client's page that the reader has."""
    return "dashboard:client" if is_own else "caseload:client"


def _home(request: StaffRequest, episode: Episode) -> str:
    return "dashboard:work_list" if request.user.is_therapist else "caseload:overview"
