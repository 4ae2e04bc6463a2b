"""The administrator's pages about staff: who is in, with which roles, and who supervises whom."""

from uuid import UUID

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again
from alliance.compressed import never_compressed
from alliance.email_addresses import tell_former_address
from alliance.form_pages import form_page, posted, written
from alliance.models import Role, User
from alliance.stale_forms import StateForm
from clients import approval_actions, approved_staff, approved_supervision, staff_actions, supervision_actions
from clients.approval_pages import page_of_waiting
from clients.caseload_forms import SupervisionDaysForm
from clients.forms import (
    EmailForm,
    EndSupervisionForm,
    InviteForm,
    PersonForm,
    PersonSearch,
    SupervisionForm,
)
from clients.invitations import DAYS, mailed
from clients.models import Episode, Supervision

PER_PAGE = 50
NAMES_IN_A_WARNING = 10


# --- People --------------------------------------------------------------------------------------


@require_safe
@page(Role.ADMINISTRATOR)
def people(request: StaffRequest) -> HttpResponse:
    search = PersonSearch(request.GET)
    has_second_factor = Exists(Authenticator.objects.filter(user=OuterRef("pk")))
    rows = search.found().annotate(has_second_factor=has_second_factor)
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "clinic/people.html", {"people": found, "search": search})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def add_person(request: StaffRequest) -> HttpResponse:
    form = InviteForm(posted(request), by=request.user)
    if person := written(form, approved_staff.add_person, by=request.user):
        asked = person.approvals_asked_for.open().exists()
        # Sent again later, it finds somebody who may see ratings by now: then the link waits too.
        link = approved_staff.invite(person=person, by=request.user)
        return page_of_waiting(request, link) or _invitation(request, person, str(link), office_waits=asked)
    return form_page(request, "clinic/add_person.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def person(request: StaffRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    form = PersonForm(posted(request), person=one)
    if saved := written(form, approved_staff.change_person, person=one, by=request.user):
        _, waiting = saved
        if waiting:
            messages.success(request, f"{one} is saved, but for what waits for a second person.")
            return (
                redirect("approvals:request", waiting[0].code)
                if len(waiting) == 1
                else redirect("approvals:list")
            )
        messages.success(request, f"{one} is saved.")
        return redirect("clinic:people" if request.user != one else "home")
    left_open = Episode.objects.open().filter(therapist=one).count()
    factor = Authenticator.objects.filter(user=one).exists()
    return form_page(request, "clinic/person.html", form, person=one, left_open=left_open, factor=factor)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def change_email(request: StaffRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    former = one.email
    form = EmailForm(posted(request), person=one)
    if done := written(form, approved_staff.change_email, person=one, by=request.user):
        if waits := page_of_waiting(request, done):
            return waits
        tell_former_address(former, one)
        messages.success(request, f"{one} signs in with {one.email} now.")
        return redirect("clinic:person", pk)
    return form_page(request, "clinic/change_email.html", form, person=one)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def invite(request: StaffRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    form = forms.Form(posted(request))
    if path := written(form, approved_staff.invite, person=one, by=request.user):
        return page_of_waiting(request, path) or _invitation(request, one, path)
    waits = approved_staff.has_a_say(one) and not approval_actions.usable(approved_staff.INVITATION, one)
    return form_page(request, "clinic/invite.html", form, person=one, days=DAYS, waits=waits)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def remove_second_factor(request: StaffRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    form = StateForm(posted(request), row=one.pk, says=staff_actions.second_factor_of(one))
    if done := written(form, approved_staff.remove_second_factor, person=one, by=request.user):
        if waits := page_of_waiting(request, done):
            return waits
        messages.success(request, f"{one} sets up a new second factor at the next sign-in.")
        return redirect("clinic:people")
    return form_page(request, "clinic/remove_second_factor.html", form, person=one)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def end_sign_ins(request: StaffRequest, pk: UUID) -> HttpResponse:
    one = get_object_or_404(User, pk=pk)
    form = forms.Form(posted(request))
    if written(form, staff_actions.end_sign_ins, person=one, by=request.user):
        messages.success(request, f"{one} is signed out everywhere.")
        return redirect("clinic:person", pk)
    return form_page(request, "clinic/end_sign_ins.html", form, person=one)


def _invitation(
    request: StaffRequest, person: User, path: str, *, office_waits: bool = False
) -> HttpResponse:
    """The answer to the POST itself, never a page of its own: the link is stored nowhere."""
    link = request.build_absolute_uri(path)
    context = {"person": person, "days": DAYS, "link": None if mailed(person, link) else link}
    context["office_waits"] = office_waits
    return never_compressed(render(request, "clinic/invitation.html", context))


# --- Supervision ---------------------------------------------------------------------------------


@require_safe
@page(Role.ADMINISTRATOR)
def supervision(request: StaffRequest) -> HttpResponse:
    is_over = Q(ends_on__lt=timezone.localdate())
    over = request.GET.get("show") == "over"
    rows = Supervision.objects.filter(is_over if over else ~is_over | Q(ends_on__isnull=True))
    rows = rows.select_related("supervisor", "therapist").order_by(
        "supervisor__name", "therapist__name", "pk"
    )
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    alone = list(_without_supervisor()[: NAMES_IN_A_WARNING + 1])
    context = {"supervisions": found, "over": over, "alone": alone, "shown": NAMES_IN_A_WARNING}
    return render(request, "clinic/supervision.html", {**context, "today": timezone.localdate()})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def start_supervision(request: StaffRequest) -> HttpResponse:
    form = SupervisionForm(posted(request))
    if made := written(form, approved_supervision.start_supervision, by=request.user):
        if waits := page_of_waiting(request, made):
            return waits
        messages.success(request, f"{made}, from {made.starts_on:%-d %B %Y}.")
        return redirect("clinic:supervision")
    return form_page(request, "clinic/start_supervision.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def end_supervision(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = Supervision.objects.select_related("supervisor", "therapist")
    if request.method == "POST" and not rows.filter(code=code).exists():
        messages.warning(request, supervision_actions.TAKEN_BACK)
        return redirect("clinic:supervision")
    one = get_object_or_404(rows, code=code)
    form = EndSupervisionForm(posted(request), supervision=one)
    if done := written(form, approved_supervision.end_supervision, supervision=one, by=request.user):
        if waits := page_of_waiting(request, done):
            return waits
        until = f"until {one.ends_on:%-d %B %Y}" if one.ends_on else "no longer: it was taken back"
        messages.success(request, f"{one} {until}.")
        return redirect("clinic:supervision")
    return form_page(request, "clinic/end_supervision.html", form, supervision=one)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def correct_supervision(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = Supervision.objects.select_related("supervisor", "therapist")
    if request.method == "POST" and not rows.filter(code=code).exists():
        messages.warning(request, supervision_actions.TAKEN_BACK)
        return redirect("clinic:supervision")
    one = get_object_or_404(rows.prefetch_related("day_corrections__corrected_by"), code=code)
    form = SupervisionDaysForm(posted(request), supervision=one)
    if done := written(form, approved_supervision.correct_supervision, supervision=one, by=request.user):
        if waits := page_of_waiting(request, done):
            return waits
        messages.success(request, f"The days are corrected: {one}.")
        return redirect("clinic:supervision")
    return form_page(request, "clinic/correct_supervision.html", form, supervision=one)


def _without_supervisor() -> QuerySet[User]:
    """Therapists whose clients no supervisor sees today."""
    in_force = Supervision.objects.today().filter(supervisor__is_supervisor=True, supervisor__is_active=True)
    return User.objects.with_role(Role.THERAPIST).exclude(Exists(in_force.filter(therapist=OuterRef("pk"))))
