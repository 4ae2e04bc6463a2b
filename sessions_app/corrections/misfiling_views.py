"""Marks that are in the wrong record: set aside or moved by whoever may see them, and put back."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.models import AuditEvent, Role, User
from clients.models import Episode
from sessions_app.corrections import misfiling_actions, set_aside
from sessions_app.corrections.misfiling_forms import MisfilingForm
from sessions_app.courses.decisions import Misfiling
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.instruments import promises
from sessions_app.instruments.promises import Door

RATINGS = Rating.objects.select_related("session__episode__client", "grant", "wording")
MISFILINGS = Misfiling.objects.select_related(
    *("rating__session__episode__client", "rating__grant", "left"),
    *("moved_to__session__episode__client", "moved_to__grant", "set_aside_by"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR)
def misfile(request: StaffRequest, code: UUID) -> HttpResponse:
    """Set marks aside that are not of this client or session, or move them to the session they are of."""
    rating = visible_or_404(request, RATINGS, code)
    form = MisfilingForm(posted(request), marks=rating, user=request.user)
    if "show" in request.POST:
        form = form.drawn_anew()
    elif misfiling := written(form, _misfiled, rating=rating, by=request.user):
        messages.success(request, _done(misfiling))
        return _back(request.user, rating.session)
    return form_page(request, "marks/set_aside.html", form, **_shown(request.user, rating))


def _misfiled(*, rating: Rating, to: TherapySession | Episode | None, why: str, by: User) -> Misfiling:
    if to is None:
        return misfiling_actions.set_aside(rating=rating, why=why, by=by)
    return misfiling_actions.move(rating=rating, to=to, why=why, by=by)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def misfile_arrived(request: StaffRequest, code: UUID) -> HttpResponse:
    """The same of marks that were set aside when they arrived. Only the therapist reads which those are."""
    aside = own_or_404(request, set_aside.with_decisions(SetAsideRating.objects.all()), code)
    form = MisfilingForm(posted(request), marks=aside, user=request.user)
    if "show" in request.POST:
        form = form.drawn_anew()
    elif written(form, misfiling_actions.misfile_arrived, aside=aside, by=request.user):
        messages.success(
            request, f"Session {aside.session.number}: this record does not show these marks any more."
        )
        return _back(request.user, aside.session)
    one = set_aside.shown(aside, None, reads_comments=True)
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, aside, by=request.user, client=aside.client_code)
    context = {
        "marks": aside,
        "session": aside.session,
        "episode": aside.session.episode,
        "back": reverse("dashboard:client", args=[aside.session.episode.code]),
        "lines": one.lines,
        "comment": one.comment,
        "one": one,
    }
    return form_page(request, "marks/set_aside.html", form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of both, for whoever may see every record that it changes."""
    misfiling = visible_or_404(request, MISFILINGS, code)
    form, rating, moved = forms.Form(posted(request)), misfiling.rating, misfiling.moved_to
    may = moved is None or Rating.objects.visible_to(request.user).filter(pk=moved.pk).exists()
    if may and written(form, misfiling_actions.put_back, misfiling=misfiling, by=request.user):
        messages.success(request, f"Session {rating.session.number}: the marks are put back.")
        return _back(request.user, rating.session)
    return form_page(
        request, "marks/put_back.html", form, misfiling=misfiling, may=may, **_shown(request.user, rating)
    )


def _shown(user: User, rating: Rating) -> dict[str, object]:
    """What both pages show: the marks, and where they are."""
    episode = rating.session.episode
    is_own = episode.is_worked_by(user)
    return {
        "marks": rating,
        "session": rating.session,
        "episode": episode,
        "back": reverse(_address(user, episode), args=[episode.code]),
        "lines": set_aside.compared(
            instruments.get(rating.instrument, rating.instrument_version), rating.answers, {}
        )
        if is_own or promises.allows(rating, Door.SUPERVISOR)
        else (),
        "comment": promises.comment_for(rating, reads_all=is_own),
        "language_chosen": _language_was_chosen(rating),
        "is_out": RatingGrant.objects.awaiting(timezone.now()).filter(session=rating.session).exists(),
    }


def _language_was_chosen(rating: Rating) -> bool:
    """Whether whoever had the form changed the language in which this client is asked."""
    chosen = AuditEvent.objects.filter(client=rating.client_code, action=LogEvent.LANGUAGE_CHOSEN)
    return chosen.filter(at__gte=rating.grant.made_at, at__lte=rating.received_at).exists()


def _done(misfiling: Misfiling) -> str:
    session, moved = misfiling.rating.session, misfiling.moved_to
    where = (
        f"moved to session {moved.session.number} of {moved.session.episode.client.label}"
        if moved
        else "set aside"
    )
    return (
        f"Session {session.number}: the marks are {where}. You can put them back at the session. "
        "If the session did not take place, its therapist says so under Change."
    )


def _address(user: User, episode: Episode) -> str:
    return "dashboard:client" if episode.is_worked_by(user) else "caseload:client"


def _back(user: User, session: TherapySession) -> HttpResponse:
    return redirect(_address(user, session.episode), session.episode.code)
