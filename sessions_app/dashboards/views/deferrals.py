"""What the therapist decides not to talk about now: until the next session, or at all."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.models import Role
from alliance.refused import Refused
from alliance.undo import say_done
from clients.models import Episode
from sessions_app.dashboards.next_session import next_session
from sessions_app.flags import answered_flags, reasons
from sessions_app.flags import deferral_actions as actions
from sessions_app.flags.deferral_form import DeferralForm
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.discussion_form import ReasonForm
from sessions_app.flags.models import Flag


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def defer(request: StaffRequest, code: UUID) -> HttpResponse:
    """Why this client is not talked to now."""
    episode: Episode = own_or_404(request, Episode.objects.select_related("client"), code)
    own = Flag.objects.standing().filter(session__episode=episode)
    calling = reasons.strongest_first(answered_flags.calling(episode.pk, timezone.now()))
    form = DeferralForm(posted(request), standing=own, calling=calling)
    decided = written(form, actions.defer, episode=episode, by=request.user)
    if decided is not None:
        undo_it = reverse("dashboard:undo_deferral", args=[decided.code])
        done = f"{episode.client.label}: {decided.get_kind_display().lower()}."
        say_done(request, done, undo=f"{undo_it}?from={_origin(request)}")
        return redirect(_back(request, episode))
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)
    return form_page(
        request,
        "dashboard/defer.html",
        form,
        episode=episode,
        reasons=reasons.one_a_rule(calling),
        next_session=next_session(episode, timezone.now()),
        back=_back(request, episode),
        origin=_origin(request),
    )


@require_POST
@page(Role.THERAPIST)
def undo(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `defer`, from the message right after it."""
    deferral = _own(request, code)
    try:
        actions.undo(deferral=deferral, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Undone. The flags call for a talk again.")
    return redirect(_back(request, deferral.session.episode))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def take_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """The decision is taken back, with a reason."""
    deferral, form = _own(request, code), ReasonForm(posted(request))
    episode = deferral.session.episode
    if written(form, actions.take_back_deferral, deferral=deferral, by=request.user):
        messages.success(request, "Taken back. The flags call for a talk again.")
        return redirect(_back(request, episode))
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)
    return form_page(
        request,
        "dashboard/take_back_deferral.html",
        form,
        deferral=deferral,
        episode=episode,
        back=_back(request, episode),
        origin=_origin(request),
    )


def _own(request: StaffRequest, code: UUID) -> Deferral:
    found: Deferral = own_or_404(request, Deferral.objects.select_related("session__episode__client"), code)
    return found


def _origin(request: HttpRequest) -> str:
    asked = request.POST.get("from") or request.GET.get("from")
    return "client" if asked == "client" else "list"


def _back(request: HttpRequest, episode: Episode) -> str:
    if _origin(request) == "client":
        return reverse("dashboard:client", args=[episode.code])
    return reverse("dashboard:work_list")
