"""Forms that somebody else than the client answers: caregivers, and the therapist on their own screen."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from alliance import device_lock
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.see_other import see_other
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import TherapySession
from sessions_app.courses.raters import Rater
from sessions_app.instruments import offers, promise_words, promises
from sessions_app.instruments.clinic_wording import scored_by
from sessions_app.intake import (
    hand_over_actions,
    rater_forms,
    raters_page,
    sending_actions,
    staff_answer_actions,
)
from sessions_app.intake.form_sets import Forms, ToFillIn
from sessions_app.intake.rater_forms import CaregiverForm, ResponseForm
from sessions_app.intake.sending_actions import Link
from sessions_app.intake.views.sending import show_link


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def raters(request: StaffRequest, code: UUID) -> HttpResponse:
    """What others answer about a client; from here a caregiver is given a form, by link or on this device."""
    episode = own_or_404(request, Episode.objects.select_related("client", "therapist"), code)
    sessions = rater_forms.sessions_for(episode)
    offered = rater_forms.forms_for(Rater.CAREGIVER)
    named = {"session": request.GET["session"]} if "session" in request.GET else None
    form = CaregiverForm(posted(request), episode=episode, sessions=sessions, offered=offered, initial=named)
    if request.POST.get("way") == "tablet":
        if written(form, _hand_over, episode=episode, request=request):
            return see_other("rate:form")
    elif link := written(form, _make_link, episode=episode, by=request.user):
        return show_link(request, episode, link)
    given = raters_page.given(episode, timezone.now())
    context = {
        "episode": episode,
        "sessions": sessions,
        "has_form": bool(offered),
        "given": given,
        "labels": sorted({one.grant.rater_label for one in given if one.grant.rater_label}),
        "own_forms": rater_forms.forms_for(Rater.THERAPIST),
    }
    return form_page(request, "dashboard/raters.html", form, **context)


def _hand_over(
    *, session: TherapySession, form: ToFillIn, form_key: UUID | None, episode: Episode, request: StaffRequest
) -> str:
    with transaction.atomic():
        _, token = hand_over_actions.hand_over_now(
            episode=episode,
            by=request.user,
            session=session,
            forms=Forms(rating=False, questionnaires=(form,)),
            form_key=form_key,
        )
        back = reverse("dashboard:raters", args=[episode.code])
        device_lock.lock(request, token=token, return_to=back)
    return token


def _make_link(
    *, session: TherapySession, form: ToFillIn, form_key: UUID | None, episode: Episode, by: Any
) -> Link:
    forms = Forms(rating=False, questionnaires=(form,))
    return sending_actions.make_link(episode=episode, by=by, session=session, forms=forms, form_key=form_key)


@require_POST
@page(Role.THERAPIST)
def take_form_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of a form that was given to somebody else."""
    grants = RatingGrant.every.select_related("session__episode__client").exclude(rater=Rater.CLIENT)
    grant = own_or_404(request, grants, code)
    if hand_over_actions.take_back(grant=grant, by=request.user):
        messages.success(request, f"Taken back: {grant.said_by}, session {grant.session.number}.")
    else:
        messages.warning(request, "Nothing was taken back: this form is not out any more.")
    return redirect("dashboard:raters", grant.session.episode.code)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def own_form(request: StaffRequest, code: UUID) -> HttpResponse:
    """A questionnaire that the therapist answers themselves; which one stands in the address, `?form=`."""
    rows = TherapySession.objects.select_related("episode__client", "episode__therapist")
    session = own_or_404(request, rows, code)
    offered = {one.id: one for one in rater_forms.forms_for(Rater.THERAPIST)}
    instrument = offered.get(request.GET.get("form", ""))
    if instrument is None:
        raise Http404
    stands = staff_answer_actions.standing(session, instrument)
    offer = offers.offer(instrument, staff_answer_actions.READ_IN, timezone.localdate())
    words = offer.wording.wording if offer.wording else offers.wording_of(instrument, offer.language)
    wording = words.named(str(session.episode.therapist))
    promise = promise_words.words(promises.in_force(Rater.THERAPIST), of_answers=True)
    form = ResponseForm(
        posted(request),
        instrument=scored_by(instrument.id, instrument.version, offer.wording),
        wording=wording,
        stands=stands,
        may_share=promise.may_share,
    )
    about = {"session": session, "instrument": instrument}
    if written(form, staff_answer_actions.answer_own_form, by=request.user, **about):
        messages.success(request, f"{instrument.name}, session {session.number}: your answers are stored.")
        return redirect("dashboard:raters", session.episode.code)
    if form.is_bound:
        form.shows_what_stands()
    context = {**about, "episode": session.episode, "wording": wording, "stands": stands, "promise": promise}
    return form_page(request, "dashboard/own_form.html", form, **context)
