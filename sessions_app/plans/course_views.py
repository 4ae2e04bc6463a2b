"""The therapist's pages about the forms of one client: what is planned, given otherwise, or not given, and why."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.measurement.form_plan import Moment
from alliance.measurement.instruments import Instrument
from alliance.models import Role
from clients.models import Episode
from sessions_app.plans import can_be_given, choice_actions, plan_pages, plan_words, which_forms
from sessions_app.plans.forms import CourseScaleForm, CourseTimingForm, SwitchOffForm
from sessions_app.plans.models import PlannedForm


@require_safe
@page(Role.THERAPIST)
def forms_of_client(request: StaffRequest, code: UUID) -> HttpResponse:
    """Every form of this client, with when it is given and who said so."""
    episode = _episode(request, code)
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)
    former = [(row, plan_words.what(row)) for row in plan_pages.former_of_course(episode)]
    scale = plan_pages.scale_of_course(episode)
    context = {
        "episode": episode,
        "forms": plan_pages.forms_of_course(episode),
        "rating_form": which_forms.alliance_form(episode),
        "scale": scale,
        "former": former,
    }
    return render(request, "plan/client.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def give(request: StaffRequest, code: UUID) -> HttpResponse:
    """Give this client a form, or give it at another time than the clinic plans."""
    episode = _episode(request, code)
    named = _named(request)
    offered = [named] if named else _offered(episode)
    chosen, planned = _stands(episode, named) if named else (None, None)
    form = CourseTimingForm(
        posted(request), offered=offered, row=episode.code, chosen=chosen, planned=planned
    )
    if made := written(form, choice_actions.give_in_course, episode=episode, by=request.user):
        return _done(request, episode, f"{plan_words.what(made)}.")
    return form_page(request, "plan/give.html", form, episode=episode, named=named)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def choose_scale(request: StaffRequest, code: UUID) -> HttpResponse:
    """Rate the sessions of this client on another scale than the others'."""
    episode = _episode(request, code)
    form = CourseScaleForm(posted(request), row=episode.code, chosen=_own_scale(episode))
    if made := written(form, choice_actions.give_in_course, episode=episode, by=request.user):
        return _done(request, episode, f"From now on {plan_words.what(made)}.")
    now = which_forms.alliance_form(episode)
    return form_page(request, "plan/scale.html", form, episode=episode, rating_form=now)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def switch_off(request: StaffRequest, code: UUID) -> HttpResponse:
    """Do not give this client a form any more."""
    episode = _episode(request, code)
    named = _named(request)
    if named is None:
        raise Http404
    chosen, _planned = _stands(episode, named)
    form = SwitchOffForm(posted(request), row=episode.code, form=named, chosen=chosen)
    if written(form, choice_actions.switch_off, episode=episode, named=named, by=request.user):
        return _done(request, episode, f"{named.name} is not given to {episode.client.label} any more.")
    return form_page(request, "plan/switch_off.html", form, episode=episode, named=named)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def by_the_plan(request: StaffRequest, code: UUID) -> HttpResponse:
    """Let the plan of the clinic hold again for one form."""
    rows = PlannedForm.objects.select_related("episode__client")
    chosen = own_or_404(request, rows, code)
    episode = chosen.episode
    form = forms.Form(posted(request))
    if written(form, choice_actions.by_the_plan, chosen=chosen, by=request.user):
        return _done(request, episode, f"{chosen.form.name}: the plan of the clinic holds again.")
    return form_page(
        request, "plan/by_the_plan.html", form, episode=episode, chosen=chosen, what=plan_words.what(chosen)
    )


def _episode(request: StaffRequest, code: UUID) -> Episode:
    found: Episode = own_or_404(request, Episode.objects.select_related("client", "therapist"), code)
    return found


def _named(request: StaffRequest) -> Instrument | None:
    """The form that the address names; 404 where there is none of this name."""
    name = request.GET.get("form", "")
    if not name:
        return None
    found = next((one for one in instruments.questionnaires() if one.id == name), None)
    if found is None:
        raise Http404
    return found


def _offered(episode: Episode) -> list[Instrument]:
    """What can be given today and is not planned for this client yet, short forms first."""
    there = {one.instrument.id for one in plan_pages.forms_of_course(episode)}
    free = [one for one in instruments.questionnaires() if one.id not in there]
    why_not = can_be_given.obstacles(free, timezone.localdate())
    return sorted((one for one in free if not why_not[one.id]), key=which_forms.length)


def _stands(episode: Episode, form: Instrument) -> tuple[PlannedForm | None, PlannedForm | None]:
    """What is chosen of this form in the course, and what the clinic plans of it."""
    found = next((one for one in plan_pages.forms_of_course(episode) if one.instrument == form), None)
    if found is None:
        return None, None
    rows = [row for row in (*found.rows, *found.planned) if not row.episode_id]
    return found.chosen, rows[0] if rows else None


def _own_scale(episode: Episode) -> PlannedForm | None:
    rows = PlannedForm.objects.standing().filter(episode=episode, moment=Moment.RATING)
    found: PlannedForm | None = rows.first()
    return found


def _done(request: StaffRequest, episode: Episode, done: str) -> HttpResponse:
    messages.success(request, done)
    return redirect("dashboard:forms", episode.code)
