"""What a therapist does with one therapy session: plan it, hand the tablet over, enter a paper rating."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from alliance import device_lock
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.refused import Refused
from alliance.see_other import see_other
from clients.models import AgeBand, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, Modality, Rating, TherapySession
from sessions_app.instruments import offers
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.intake import hand_over_actions, paper_entry, room_tablets, session_actions
from sessions_app.intake.session_forms import CompletionForm, PaperRatingForm, SessionForm, session_as_initial

CONFLICT = 409
MADE_FOR = {"13+": {AgeBand.ADULT, AgeBand.ADOLESCENT}, "6-12": {AgeBand.CHILD}}


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def hand_over(request: StaffRequest, code: UUID) -> HttpResponse:
    """Give the tablet to the client of an episode, for today's session, or for the one that is named."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    if request.method != "POST":
        return ways_to_ask(request, episode)
    try:
        with transaction.atomic():
            session = named_session(request, episode)
            _, token = hand_over_actions.hand_over_now(episode=episode, session=session, by=request.user)
            device_lock.lock(request, token=token, return_to=reverse("dashboard:client", args=[episode.code]))
    except Refused as refusal:
        return ways_to_ask(request, episode, refusal)
    return see_other("rate:form")


def ways_to_ask(request: StaffRequest, episode: Episode, refusal: Refused | None = None) -> HttpResponse:
    """Whom, which session, which form, and on which device: the check before a form goes to a client."""
    now, form = timezone.now(), ClinicSettings.objects.in_force().form
    session = named_session(request, episode) or session_actions.session_to_rate(episode, now)
    offer, refused = None, refusal
    try:
        offer = offers.offer(form, episode.client.language, timezone.localdate(now))
    except Refused as no_form:
        refused = no_form
    context = {
        "episode": episode,
        "session": session,
        "stands": Rating.objects.standing().filter(session=session).first() if session else None,
        "is_out": RatingGrant.objects.awaiting(now).filter(session=session).first() if session else None,
        "instrument": form,
        "offer": offer,
        "not_made_for": episode.client.age_band not in MADE_FOR.get(form.ages, set(AgeBand)),
        "next_number": _next(episode, now),
        "tablets": room_tablets.tablets_in_use(now),
        "refusal": refused,
    }
    return render(request, "dashboard/hand_over.html", context, status=CONFLICT if refusal else 200)


@require_POST
@page(Role.THERAPIST)
def take_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of a hand-over: nobody waits for this session's rating any more. Says so where marks came first."""
    session = own_or_404(request, TherapySession.objects.select_related("episode__client"), code)
    found = hand_over_actions.take_back_of(session=session, by=request.user)
    say = messages.success if found.was_out else messages.warning
    say(request, _taken_back(session, found))
    return redirect("dashboard:client", session.episode.code)


def _taken_back(session: TherapySession, found: hand_over_actions.TakenBack) -> str:
    if found.was_out:
        return (
            f"Session {session.number}: the hand-over was taken back. "
            "If the session did not take place, say so under Change."
        )
    if found.stands:
        return format_html(
            'Session {}: nothing was taken back. The marks came {} and stand. <a href="{}">Set them aside</a>, '
            "if they are not of this client and session.",
            session.number,
            found.stands.came,
            reverse("marks:set_aside", args=[found.stands.code]),
        )
    why = "The client chose not to rate." if found.declined else "No form was out for this session any more."
    return f"Session {session.number}: nothing was taken back. {why}"


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def enter_rating(request: StaffRequest, code: UUID) -> HttpResponse:
    """A rating the client gave on paper or aloud, or the lines that were missing."""
    session = own_or_404(request, TherapySession.objects.select_related("episode__client"), code)
    instrument = ClinicSettings.objects.in_force_on(timezone.localdate(session.held_at)).form
    last = Rating.objects.last_of(session, instrument.id)
    marked = last if last and last.is_partial else None
    if marked:
        form: PaperRatingForm = CompletionForm(posted(request), rating=marked)
    else:
        form = PaperRatingForm(posted(request), instrument=instrument)
    if written(form, paper_entry.enter_rating, session=session, by=request.user):
        messages.success(request, f"The rating of session {session.number} is stored.")
        return redirect("dashboard:client", session.episode.code)
    if isinstance(form, CompletionForm) and form.is_bound:
        form.shows_what_stands()
    context = {
        "episode": session.episode,
        "session": session,
        "marked": marked,
        "paper": offers.on_paper(instrument, session.episode.client.language) or instrument.name,
    }
    return form_page(request, "dashboard/enter_rating.html", form, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def add_session(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    initial = {"held_at": now, "modality": Modality.IN_PERSON, "attendance": Attendance.PLANNED}
    form = SessionForm(posted(request), episode=episode, initial=initial)
    if session := written(form, session_actions.add_session, episode=episode, by=request.user):
        messages.success(request, f"Session {session.number} is added.")
        return redirect("dashboard:client", episode.code)
    return form_page(request, "dashboard/session.html", form, episode=episode)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def change_session(request: StaffRequest, code: UUID) -> HttpResponse:
    session = own_or_404(request, TherapySession.objects.select_related("episode__client"), code)
    form = SessionForm(posted(request), episode=session.episode, initial=session_as_initial(session))
    if written(form, session_actions.change_session, session=session, by=request.user):
        messages.success(request, f"Session {session.number} is changed.")
        return redirect("dashboard:client", session.episode.code)
    return form_page(request, "dashboard/session.html", form, episode=session.episode, session=session)


def _next(episode: Episode, now: datetime) -> int:
    """The number a session held now will have."""
    return episode.sessions.filter(held_at__lte=now).count() + 1


def named_session(request: StaffRequest, episode: Episode) -> TherapySession | None:
    """The session named in the address, if one is."""
    named = request.GET.get("session") or request.POST.get("session")
    if not named:
        return None
    try:
        code = UUID(named)
    except ValueError as error:
        raise Http404 from error
    found: TherapySession = own_or_404(request, TherapySession.objects.filter(episode=episode), code)
    return found
