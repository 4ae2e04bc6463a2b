"""Questionnaires on paper: which there are, printing one empty, typing in what was answered."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.measurement.form_words import Wording
from alliance.models import Role
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.instruments import paper
from sessions_app.instruments.choices import has_choices, sections_to_read
from sessions_app.instruments.lines import lines_to_read
from sessions_app.instruments.paper import PaperForm
from sessions_app.intake import questionnaire_entry
from sessions_app.intake.questionnaire_forms import QuestionnaireEntryForm
from sessions_app.questionnaires import risk_confirmations


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def enter(request: StaffRequest, code: UUID) -> HttpResponse:
    """Type in a questionnaire that was filled in on paper, or aloud, at this session; first of all which one."""
    session = own_or_404(
        request, TherapySession.objects.select_related("episode__client", "episode__therapist"), code
    )
    if "form" not in request.GET:
        forms = _forms_of(session)
        context = {"session": session, "episode": session.episode, "forms": forms}
        return render(request, "dashboard/paper_forms.html", context)
    found = _form_of(request, session)
    form = QuestionnaireEntryForm(posted(request), form=found, wording=_named(found, session))
    stored = written(form, questionnaire_entry.enter_response, session=session, paper=found, by=request.user)
    if stored:
        given = sum(mark is not None for mark in stored.marks.values())
        by = Rater(stored.rater).label.lower()
        said = f"{found.name}, filled in by the {by} for session {session.number}, is stored"
        messages.success(request, f"{said}: {given} of {len(stored.marks)} items answered.")
        return redirect("dashboard:client", session.episode.code)
    context = {"session": session, "episode": session.episode, "paper": found}
    return form_page(request, "dashboard/enter_questionnaire.html", form, **context)


@require_safe
@page(Role.THERAPIST)
def blank(request: StaffRequest, code: UUID) -> HttpResponse:
    """An empty form of this session to print, in the client's language, with the owner's line."""
    session = own_or_404(
        request, TherapySession.objects.select_related("episode__client", "episode__therapist"), code
    )
    found = _form_of(request, session)
    wording = _named(found, session)
    if wording is None or not found.can_be_printed:
        raise Http404
    if not risk_confirmations.is_confirmed(found.instrument):
        raise Http404  # on no page that is given, either
    is_of_choices = has_choices(found.scored)
    with translation.override(wording.language):  # its numbers are the client's
        sections = sections_to_read(found.scored, wording) if is_of_choices else []
        lines = [] if is_of_choices else lines_to_read(found.scored, wording)
        direction = "rtl" if translation.get_language_bidi() else "ltr"
    context = {
        "session": session,
        "episode": session.episode,
        "paper": found,
        "wording": wording,
        "direction": direction,
        "sections": sections,
        "lines": lines,
    }
    return render(request, "dashboard/blank_paper_form.html", context)


def _form_of(request: StaffRequest, session: TherapySession) -> PaperForm:
    named = request.GET.get("form", "")
    found = next((form for form in _forms_of(session) if form.instrument.id == named), None)
    if found is None:
        raise Http404
    return found


def _forms_of(session: TherapySession) -> list[PaperForm]:
    """Without those that ask about self-harm, where nobody has confirmed who looks at the answers."""
    forms = paper.paper_forms(session.episode.client.language, timezone.localdate())
    return [form for form in forms if risk_confirmations.is_confirmed(form.instrument)]


def _named(form: PaperForm, session: TherapySession) -> Wording | None:
    return form.wording.named(session.episode.therapist.name) if form.wording else None
