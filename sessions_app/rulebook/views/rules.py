"""What a flag means and what to ask: for everybody on staff who may meet one, without a word about any client."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, posted, written
from alliance.measurement.handbook import RULES
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.conversations import question_actions as actions
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.rulebook import list_words, rule_pages
from sessions_app.rulebook.question_forms import OwnQuestionForm, QuestionLanguageForm

READERS = (Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
# Where the choice of a language can be made; anything else in the form leads to the first.
ASKED_FROM = {"questions": "rules:questions", "account": "account_security"}


@require_safe
@page(*READERS)
def listing(request: StaffRequest) -> HttpResponse:
    p = rule_pages.parameters_in_force(rule_pages.form_in_use())
    shown = {"lines": rule_pages.listing(p), "work_list": list_words.page(p)}
    return render(request, "rules/list.html", shown)


@require_safe
@page(*READERS)
def rule(request: StaffRequest, slug: str) -> HttpResponse:
    found = next((one for one in RULES.values() if one.slug == slug), None)
    if found is None:
        raise Http404
    return render(request, "rules/rule.html", {"shown": rule_pages.build(found)})


@require_safe
@page(*READERS)
def conversation(request: StaffRequest) -> HttpResponse:
    return render(request, "rules/conversation.html")


# --- Questions -----------------------------------------------------------------------------------


@require_safe
@page(*READERS)
def questions(request: StaffRequest) -> HttpResponse:
    """Ours in the language of the reader, and the clinic's own in every language."""
    chosen = QuestionLanguageForm({"language": request.user.question_language})
    language = request.user.question_language if chosen.is_valid() else "en"
    context = {
        "ours": rule_pages.ours(language),
        "own": rule_pages.of_the_clinic(),
        "taken_out": rule_pages.of_the_clinic(taken_out=True) if request.user.is_administrator else {},
        "languages": rule_pages.languages_by_name(),
    }
    return render(request, "rules/questions.html", context)


@require_POST
@page(*READERS)
def choose_language(request: StaffRequest) -> HttpResponse:
    if written(QuestionLanguageForm(request.POST), actions.choose_language, by=request.user):
        messages.success(request, "The questions are shown in this language from now on.")
    else:
        messages.error(request, "There are no questions in this language.")
    return redirect(ASKED_FROM.get(request.POST.get("from", ""), "rules:questions"))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def add_question(request: StaffRequest) -> HttpResponse:
    asked = {"rule": request.GET.get("rule", ""), "language": request.user.question_language}
    form = OwnQuestionForm(posted(request), initial=asked)
    if written(form, actions.add_question, by=request.user):
        messages.success(request, "Added. It is shown in turn with the others.")
        return redirect("rules:questions")
    return form_page(request, "rules/add_question.html", form)


@require_POST
@page(Role.ADMINISTRATOR)
def take_out_question(request: StaffRequest, code: UUID) -> HttpResponse:
    actions.take_out_question(question=get_object_or_404(OwnQuestion, code=code), by=request.user)
    messages.success(request, "Taken out. It stands under “Taken out”, where it can be put back.")
    return redirect("rules:questions")


@require_POST
@page(Role.ADMINISTRATOR)
def put_back_question(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `take_out_question`."""
    try:
        actions.put_back_question(question=get_object_or_404(OwnQuestion, code=code), by=request.user)
        messages.success(request, "Put back. It is shown again.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("rules:questions")
