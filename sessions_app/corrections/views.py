"""What a therapist decides about marks that do not count, and about marks they mistyped."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.measurement import instruments
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.corrections import actions, families, misfiling_actions, set_aside
from sessions_app.corrections.forms import CorrectionForm, LeaveForm, UseForm
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def use(request: StaffRequest, code: UUID) -> HttpResponse:
    """Let marks count that were set aside, after a look at both."""
    aside, form = _own_marks(request, code), UseForm(posted(request))
    if written(form, actions.use, aside=aside, by=request.user):
        return _back(request, aside.session, "these marks count now.")
    return _about(request, "use_marks", aside, form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def leave(request: StaffRequest, code: UUID) -> HttpResponse:
    """Settle that marks stay aside, with a line why if one likes."""
    aside, form = _own_marks(request, code), LeaveForm(posted(request))
    if written(form, actions.leave, aside=aside, by=request.user):
        return _back(request, aside.session, "the marks are left aside. You can take them up again.")
    return _about(request, "leave_marks", aside, form)


@require_POST
@page(Role.THERAPIST)
def take_up(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `leave`, and of marks that are not of this session."""
    aside = _own_marks(request, code)
    is_misfiled = set_aside.shown(aside, None, reads_comments=True).is_misfiled
    undo = misfiling_actions.take_up_misfiled if is_misfiled else actions.take_up_again
    try:
        undo(aside=aside, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:client", aside.session.episode.code)
    return _back(request, aside.session, "the marks wait for your decision again.")


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def correct(request: StaffRequest, code: UUID) -> HttpResponse:
    """Put right what was mistyped from paper or voice. Marks made on a device are the client's own."""
    rating = _own_rating(request, code)
    form = CorrectionForm(posted(request), rating=rating)
    if written(form, actions.correct, rating=rating, by=request.user):
        return _back(
            request, rating.session, "the marks are corrected. The earlier ones stay at the session."
        )
    theirs = "" if set_aside.can_be_corrected(rating) else actions.THEIRS
    return _looked_at(request, "correct_rating", rating, form, theirs=theirs)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of a correction and of marks that were used: the earlier ones count again, or none where none did."""
    rating, form = _own_rating(request, code), forms.Form(posted(request))
    earlier = families.replaced_by_decision(rating)
    if written(form, actions.put_back, rating=rating, by=request.user):
        done = "the earlier marks count again." if earlier else "the marks are taken out again."
        return _back(request, rating.session, done)
    instrument = instruments.get(rating.instrument, rating.instrument_version)
    return _looked_at(
        request,
        "put_back",
        rating,
        form,
        earlier=earlier,
        lines=set_aside.compared(instrument, earlier.answers, rating.answers) if earlier else (),
        can_be_taken_out=families.use_of(rating).exists(),
        label="Use the earlier marks" if earlier else "Take the marks out",
    )


def _own_marks(request: StaffRequest, code: UUID) -> SetAsideRating:
    found: SetAsideRating = own_or_404(request, set_aside.with_decisions(SetAsideRating.objects.all()), code)
    return found


def _own_rating(request: StaffRequest, code: UUID) -> Rating:
    found: Rating = own_or_404(
        request, Rating.objects.select_related("session__episode__client", "grant", "replaces__grant"), code
    )
    return found


def _about(request: StaffRequest, template: str, aside: SetAsideRating, form: forms.Form) -> HttpResponse:
    stands = Rating.objects.last_of(aside.session)
    if isinstance(form, UseForm):
        form.shows(stands)
    one = set_aside.shown(aside, stands, reads_comments=True)
    return _looked_at(request, template, aside, form, one=one)


def _looked_at(
    request: StaffRequest, template: str, row: SetAsideRating | Rating, form: forms.Form, **context: Any
) -> HttpResponse:
    """The page with somebody's marks on it, which is a look at them."""
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, row, by=request.user, client=row.client_code)
    session = row.session
    return form_page(
        request, f"dashboard/{template}.html", form, session=session, episode=session.episode, **context
    )


def _back(request: StaffRequest, session: TherapySession, done: str) -> HttpResponse:
    messages.success(request, f"Session {session.number}: {done}")
    return redirect("dashboard:client", session.episode.code)
