"""Erasure: asked for by an administrator, looked at and confirmed by somebody else; and who is due by the rule."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again, asked_first
from alliance.erasures import Erasure
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from clients.models import Client, Episode
from sessions_app.records import erasure as erasing
from sessions_app.records import erasure_actions, erasure_notice, erasure_pages, export_actions, retention
from sessions_app.records.forms import BatchForm, ErasureForm, RetentionForm
from sessions_app.records.retention_rule import RetentionRule

PER_PAGE = 50
SECONDS_A_STEP = 5.0


# --- One client ----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def ask(request: StaffRequest, code: UUID) -> HttpResponse:
    client = get_object_or_404(Client.objects.select_related("merged_into"), code=code)
    if client.merged_into:
        return redirect("erasures:ask", client.merged_into.code)
    waiting = Erasure.objects.open().filter(client=code).first()
    if waiting and request.method != "POST":
        return redirect("erasures:erasure", waiting.code)
    form = ErasureForm(posted(request))
    if erasure := written(form, erasure_actions.ask, client=client, by=request.user):
        told = ", ".join(str(person) for person in erasure_notice.send(request, erasure))
        mailed = f" A mail is on its way to {told}." if told else ""
        messages.success(request, f"Asked for. Nothing is erased before a second person confirms it.{mailed}")
        return redirect("erasures:erasure", erasure.code)
    return form_page(request, "erasures/ask.html", form, client=client, preview=erasing.preview(client))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR, Role.THERAPIST)
def erasure(request: StaffRequest, code: UUID) -> HttpResponse:
    """The request as the second person looks at it; the press that erases is here."""
    one = _erasure_or_404(request, code)
    client = Client.objects.filter(code=one.client).first()
    # Not sent by itself after the question: the press that erases is made with the page in sight.
    if request.method == "POST" and (question := asked_first(request)):
        return question
    form = forms.Form(posted(request))
    if client is not None and written(form, erasure_actions.confirm, erasure=one, by=request.user):
        messages.success(request, "The client is erased.")
        return redirect("erasures:list" if request.user.is_administrator else "home")
    context = {
        "erasure": one,
        "client": client,
        "asked_by": erasure_pages.name_of(one.asked_by),
        "preview": erasing.preview(client) if client and one.is_open else None,
        "may_confirm": erasure_actions.may_confirm(one, request.user),
        "others": erasure_pages.who_may_confirm(one),
    }
    return form_page(request, "erasures/erasure.html", form, **context)


@require_http_methods(["POST"])
@page(Role.ADMINISTRATOR, Role.THERAPIST)
def call_off(request: StaffRequest, code: UUID) -> HttpResponse:
    one = _erasure_or_404(request, code)
    if written(forms.Form(request.POST), erasure_actions.call_off, erasure=one, by=request.user):
        messages.success(request, "Called off. Nothing was erased.")
    else:
        messages.error(request, "This was decided already.")
    return redirect("erasures:erasure", code)


def _erasure_or_404(request: StaffRequest, code: UUID) -> Erasure:
    """For administrators each; for a therapist those of their own clients. Afterwards nobody knows whose it was."""
    rows: QuerySet[Erasure] = Erasure.objects.all()
    if not request.user.is_administrator:
        own = Episode.objects.own(request.user).values("client__code")
        rows = rows.filter(client__in=own)
    return get_object_or_404(rows, code=code)


# --- All of them ---------------------------------------------------------------------------------


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    done = Paginator(Erasure.objects.done().order_by("-confirmed_at", "-pk"), PER_PAGE)
    found = done.get_page(request.GET.get("page"))
    context = {"waiting": erasure_pages.waiting(), "done": found, "rows": erasure_pages.done(found)}
    return render(request, "erasures/list.html", context)


@require_http_methods(["POST"])
@page(Role.ADMINISTRATOR)
def as_file(request: StaffRequest) -> HttpResponse:
    """The list that a restored backup needs (docs/deployment.md)."""
    if question := asked_first(request):
        return question
    export_actions.note_list_of_erasures(by=request.user)
    lines = erasing.lines(Erasure.objects.done().order_by("pk").prefetch_related("grants"))
    headers = {"Content-Disposition": f'attachment; filename="erasures-{timezone.localdate()}.jsonl"'}
    return HttpResponse("".join(lines), content_type="application/jsonl", headers=headers)


# --- Retention -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def retain(request: StaffRequest) -> HttpResponse:
    now = RetentionRule.objects.in_force()
    form = RetentionForm(posted(request), now=now)
    if written(form, erasure_actions.change_rule, by=request.user):
        messages.success(request, "The rule is saved. It erases nobody: it lists who is due.")
        return redirect("erasures:retention")
    due = Paginator(retention.not_asked_for().prefetch_related("episodes__therapist"), PER_PAGE)
    context = {"now": now, "due": due.get_page(request.GET.get("page"))}
    return form_page(request, "erasures/retention.html", form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def ask_for_all_due(request: StaffRequest) -> HttpResponse:
    count = retention.not_asked_for().count()
    form = BatchForm(posted(request), initial={"seen": count})
    if batch := written(form, erasure_actions.ask_for_all_due, by=request.user):
        messages.success(request, "Asked for. Nothing is erased before a second person confirms it.")
        return redirect("erasures:batch", batch)
    return form_page(request, "erasures/ask_for_all_due.html", form, count=count)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def batch(request: StaffRequest, code: UUID) -> HttpResponse:
    """Everybody who was asked for at once. Each POST goes on for some seconds."""
    rows = Erasure.objects.filter(batch=code)
    first = rows.order_by("pk").first()
    if first is None:
        raise Http404
    form = forms.Form(posted(request))
    step: dict[str, Any] = {"batch": code, "by": request.user}
    if request.POST.get("step") == "call off":
        messages.success(
            request, f"{erasure_actions.call_off_batch(**step)} called off. They were not erased."
        )
        return redirect("erasures:batch", code)
    if written(form, erasure_actions.confirm_batch, seconds=SECONDS_A_STEP, **step) is not None:
        return redirect("erasures:batch", code)
    open_rows = rows.open()
    waiting = Paginator(
        Client.objects.filter(code__in=open_rows.values("client")).order_by("label", "pk"), PER_PAGE
    )
    context = {
        "erasure": first,
        "asked_by": erasure_pages.name_of(first.asked_by),
        "waiting": waiting.get_page(request.GET.get("page")),
        "erased": rows.done().count(),
        "may_confirm": request.user.pk != first.asked_by,
    }
    return form_page(request, "erasures/batch.html", form, **context)
