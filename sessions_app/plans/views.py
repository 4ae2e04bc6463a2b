"""The administrator's pages about the plan of forms: read, tried, added to, changed, ended."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance.access import StaffRequest, page
from alliance.form_pages import form_page, posted, written
from alliance.measurement import instruments
from alliance.models import Role
from alliance.refused import Refused
from alliance.undo import say_done
from sessions_app.plans import burden, can_be_given, plan_actions, plan_pages, plan_words
from sessions_app.plans.forms import PlanForm, ScaleForm
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires import risk_confirmations

SCALE = "scale"


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    """The plan as it stands, in sentences, and what it asks of clients."""
    now = timezone.now()
    today = timezone.localdate(now)
    rows = list(PlannedForm.objects.standing().of_the_clinic().select_related("added_by"))
    chosen = PlannedForm.objects.standing().filter(episode__isnull=False)
    context = {
        "groups": plan_pages.groups(plan_pages.lines(rows, today)),
        "former": plan_pages.lines(plan_pages.former_of_clinic(), today),
        "burden": burden.of_plan(rows, now) if rows else None,
        "weeks": burden.WEEKS,
        "courses_with_their_own": chosen.order_by().values("episode").distinct().count(),
    }
    return render(request, "plan/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def add(request: StaffRequest) -> HttpResponse:
    """One more sentence: written, then looked at with what it asks, and only then stored."""
    again = _former(request.GET.get("again"))
    is_scale = again.is_rating if again else request.GET.get("what") == SCALE
    form = (ScaleForm if is_scale else PlanForm)(posted(request), like=again)
    if request.POST.get("step") == "save" and (
        made := written(form, plan_actions.plan_form, by=request.user)
    ):
        return _saved(request, made, f"Planned. {_sentence(made)}")
    return _page(request, form, is_scale=is_scale)


def _former(code: str | None) -> PlannedForm | None:
    """A sentence of before that is planned again, or one like it."""
    try:
        found = PlannedForm.objects.of_the_clinic().filter(code=UUID(code or ""))
    except ValueError:
        return None
    return found.first()


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def change(request: StaffRequest, code: UUID) -> HttpResponse:
    opened = get_object_or_404(PlannedForm.objects.of_the_clinic(), code=code)
    planned = plan_actions.as_it_stands_now(opened)
    if planned.ended_at is not None and request.method != "POST":
        messages.info(request, plan_actions.OVER)
        return redirect("plan:list")
    form = (ScaleForm if planned.is_rating else PlanForm)(posted(request), planned=planned, row=opened.code)
    if request.POST.get("step") == "save":
        made = written(form, plan_actions.change_planned, planned=planned, by=request.user)
        if made and made.pk == planned.pk:
            messages.info(request, "Nothing was changed.")
            return redirect("plan:list")
        if made:
            return _saved(request, made, f"Changed. {_sentence(made)}")
    return _page(request, form, is_scale=planned.is_rating, planned=planned)


def _page(
    request: StaffRequest, form: forms.Form, *, is_scale: bool, planned: PlannedForm | None = None
) -> HttpResponse:
    """The form, or what it would do; a mistake that only shows there is said on the form."""
    context: dict[str, Any] = {"planned": planned, "is_scale": is_scale}
    if request.POST.get("step") == "preview" and written(form, _to_look_at(request, context, planned)):
        return render(request, "plan/preview.html", {"form": form, **context})
    if not is_scale:
        context["obstacles"] = _obstacles()
    return form_page(request, "plan/entry.html", form, **context)


def _obstacles() -> list[tuple[str, str]]:
    """What cannot be given on a device today: its name, and the reason."""
    all_of_them = instruments.questionnaires()
    why_not = can_be_given.obstacles(all_of_them, timezone.localdate())
    return [(one.name, why_not[one.id]) for one in all_of_them if why_not[one.id]]


def _to_look_at(
    request: StaffRequest, context: dict[str, Any], planned: PlannedForm | None
) -> Callable[..., bool]:
    """Puts on the page what the row would ask, of whom, and what stands in its way. Stores nothing."""

    def look(form_key: UUID | None = None, opened_with: Any = None, **says: Any) -> bool:
        row = plan_actions.not_stored(says, by=request.user)
        if refusal := risk_confirmations.not_confirmed(row.form):
            raise Refused(refusal)
        rows = list(PlannedForm.objects.standing().of_the_clinic())
        now = timezone.now()
        context["line"] = plan_pages.lines([row], timezone.localdate(now))[0]
        context["before"] = _sentence(planned) if planned else ""
        context["preview"] = burden.preview(rows, now, added=row, ended=planned)
        context["weeks"] = burden.WEEKS
        return True

    return look


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def end(request: StaffRequest, code: UUID) -> HttpResponse:
    """Takes a sentence out, after a look at what is not asked for any more."""
    planned = get_object_or_404(PlannedForm.objects.of_the_clinic(), code=code)
    form = forms.Form(posted(request))
    if ended := written(form, plan_actions.end_planned, planned=planned, by=request.user):
        undo = reverse("plan:put_back", args=[ended.code])
        say_done(request, f"Taken out. {_sentence(ended)}", undo=undo)
        return redirect("plan:list")
    context = {"planned": planned, "sentence": _sentence(planned), "weeks": burden.WEEKS}
    if planned.ended_at is None:
        rows = list(PlannedForm.objects.standing().of_the_clinic())
        context["preview"] = burden.preview(rows, timezone.now(), ended=planned)
    return form_page(request, "plan/end.html", form, **context)


@require_POST
@page(Role.ADMINISTRATOR)
def undo(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of what was added or changed, from the message right after it."""
    return _back(request, code, plan_actions.undo)


@require_POST
@page(Role.ADMINISTRATOR)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of what was taken out, from the message right after it."""
    return _back(request, code, plan_actions.put_back)


def _back(request: StaffRequest, code: UUID, action: Callable[..., PlannedForm]) -> HttpResponse:
    planned = get_object_or_404(PlannedForm.objects.of_the_clinic(), code=code)
    try:
        action(planned=planned, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Undone. The plan is as it was before.")
    return redirect("plan:list")


def _saved(request: StaffRequest, made: PlannedForm, done: str) -> HttpResponse:
    say_done(request, done, undo=reverse("plan:undo", args=[made.code]))
    return redirect("plan:list")


def _sentence(row: PlannedForm) -> str:
    return plan_words.sentence(row, plan_words.people_in([row]))
