"""What a therapist does with one therapy session: plan it, hand the tablet over, enter a paper rating."""

from typing import Any
from uuid import UUID, uuid4

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
from alliance.days import day
from alliance.form_keys import key_of
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.refused import Refused
from alliance.see_other import see_other
from clients.models import AgeBand, Episode
from sessions_app.courses.models import Attendance, Modality, Rating, TherapySession
from sessions_app.instruments import offers
from sessions_app.intake import (
    form_facts,
    given_forms,
    grants,
    hand_over_actions,
    paper_entry,
    raters_page,
    room_tablets,
    session_actions,
    which_session,
)
from sessions_app.intake.session_forms import CompletionForm, NewRatingForm, SessionForm, VoidForm
from sessions_app.plans import forms_of_sessions, the_plan, which_forms
from sessions_app.questionnaires.guesses import has_guessed

CONFLICT = 409
MADE_FOR = {"13+": {AgeBand.ADULT, AgeBand.ADOLESCENT}, "6-12": {AgeBand.CHILD}}


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def hand_over(request: StaffRequest, code: UUID) -> HttpResponse:
    """Give the tablet to the client of an episode, for the session that is named, or for the one that is likely."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    if request.method != "POST":
        return ways_to_ask(request, episode)
    try:
        with transaction.atomic():
            _, token = hand_over_actions.hand_over_now(
                episode=episode,
                by=request.user,
                forms=given_forms.read(request),
                **chosen_session(request, episode),
            )
            device_lock.lock(request, token=token, return_to=reverse("dashboard:client", args=[episode.code]))
    except Refused as refusal:
        return ways_to_ask(request, episode, refusal)
    return see_other("rate:form")


def ways_to_ask(request: StaffRequest, episode: Episode, refusal: Refused | None = None) -> HttpResponse:
    """Whom, which session, which form, and on which device: the check before a form goes to a client."""
    now, plan = timezone.now(), the_plan.standing([episode.pk])
    is_rating = not plan.rows or given_forms.mode_of(request) == given_forms.WITH_RATING
    asked = chosen_session(request, episode)
    named, new = asked.get("session"), asked.get("new", False)
    choice = which_session.choice(episode, now, named=named, new=new, for_rating=is_rating)
    of_its_own = forms_of_sessions.own_form(choice.chosen) if choice.chosen else None
    form = of_its_own or which_forms.alliance_form(episode, plan=plan)
    offer, refused = None, refusal
    try:
        grants.refuse_before_its_day(episode)
        if is_rating:
            offer = offers.offer(form, episode.client.language, timezone.localdate(now))
    except Refused as no_form:
        refused = no_form
    forms = given_forms.choice(request, episode, choice.chosen, plan, now, can_be_rated=offer is not None)
    context = {
        "episode": episode,
        "choice": choice,
        "forms": forms,
        "is_rating": is_rating,
        "instrument": form,
        "offer": offer,
        "can_be_sent": offer is not None if forms is None or is_rating else forms.has_any,
        "opens_later": timezone.localdate(now) < episode.opened_on,
        "not_made_for": episode.client.age_band not in MADE_FOR.get(form.ages, set(AgeBand)),
        "seeing": which_session.seeing_now(request.user, episode, now) if choice.chosen is None else None,
        "tablets": room_tablets.tablets_in_use(now),
        "has_other_raters": raters_page.is_used(episode),
        "form_key": uuid4(),
        "has_guessed": choice.chosen is not None and has_guessed(choice.chosen, request.user),
        "refusal": refused,
    }
    return render(request, "dashboard/hand_over.html", context, status=CONFLICT if refusal else 200)


@require_POST
@page(Role.THERAPIST)
def on_paper(request: StaffRequest, code: UUID) -> HttpResponse:
    """To the page on which the marks of the chosen session are entered, which no press here has made yet."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    session = chosen_session(request, episode).get("session")
    if session is None:
        return redirect("dashboard:enter_new_rating", episode.code)
    return redirect("dashboard:enter_rating", session.code)


@require_POST
@page(Role.THERAPIST)
def take_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of a hand-over: nobody waits for this session's rating any more. Says so where marks came first."""
    session = own_or_404(request, TherapySession.every.select_related("episode__client"), code)
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
    session = own_or_404(request, TherapySession.every.select_related("episode__client"), code)
    if request.method != "POST" and session.is_voided:
        return _is_voided(request, session)
    instrument = forms_of_sessions.alliance_form(session, timezone.localdate(session.held_at))
    last = Rating.objects.last_of(session)
    marked = last if last and last.is_partial else None
    if marked:
        form: NewRatingForm = CompletionForm(posted(request), rating=marked)
    else:
        form = NewRatingForm(posted(request), instrument=instrument)
    if written(form, paper_entry.enter_rating, session=session, by=request.user):
        return _stored(request, session)
    if isinstance(form, CompletionForm) and form.is_bound:
        form.shows_what_stands()
    said_at = day(session.held_at, "j F")
    context = {"marked": marked, "uses_questionnaires": form_facts.questionnaires_are_used()}
    return _marks_page(request, form, session.episode, session=session, when=said_at, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def enter_new_rating(request: StaffRequest, code: UUID) -> HttpResponse:
    """The same for a session that nobody has entered yet: both are stored together, or neither."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    form = NewRatingForm(posted(request), instrument=which_forms.alliance_form(episode))
    if rating := written(form, paper_entry.enter_rating_of_new_session, episode=episode, by=request.user):
        return _stored(request, rating.session)
    return _marks_page(request, form, episode, session=None, when="a new session, now")


def _stored(request: StaffRequest, session: TherapySession) -> HttpResponse:
    messages.success(request, f"The rating of session {session.number} is stored.")
    return redirect("dashboard:client", session.episode.code)


def _marks_page(request: StaffRequest, form: NewRatingForm, episode: Episode, **context: Any) -> HttpResponse:
    paper = offers.on_paper(form.instrument, episode.client.language) or form.instrument.name
    return form_page(request, "dashboard/enter_rating.html", form, episode=episode, paper=paper, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def add_session(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    now = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    initial = {"held_at": now, "modality": Modality.IN_PERSON, "attendance": Attendance.PLANNED}
    form = SessionForm(posted(request), episode=episode, initial=initial)
    if session := written(form, session_actions.add_session, episode=episode, by=request.user):
        return _written(request, session, f"Session {session.number} is added.")
    return form_page(request, "dashboard/session.html", form, episode=episode)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def change_session(request: StaffRequest, code: UUID) -> HttpResponse:
    session = own_or_404(request, TherapySession.every.select_related("episode__client"), code)
    if request.method != "POST" and session.is_voided:
        return _is_voided(request, session)
    form = SessionForm(posted(request), episode=session.episode, session=session)
    if written(form, session_actions.change_session, session=session, by=request.user):
        return _written(request, session, f"Session {session.number} is changed.")
    context = {"session": session, "uses_questionnaires": form_facts.questionnaires_are_used()}
    return form_page(request, "dashboard/session.html", form, episode=session.episode, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def void_session(request: StaffRequest, code: UUID) -> HttpResponse:
    """Let a session count nowhere that should not have been entered, or not like this."""
    session = own_or_404(request, TherapySession.every.select_related("episode__client"), code)
    if session.is_voided:
        return _is_voided(request, session)
    form = VoidForm(posted(request), session=session)
    if voided := written(form, session_actions.void_session, session=session, by=request.user):
        done = "The session is voided: it has no number and is in no figure. It stays below under Voided sessions."
        out = " A form was out for it and is taken back; marks that still arrive are set aside and shown to you."
        messages.success(request, done + out if voided.was_out else done)
        return redirect("dashboard:client", session.episode.code)
    context = {
        "episode": session.episode,
        "session": session,
        "when": which_session.when(session, timezone.now()),
    }
    return form_page(request, "dashboard/void_session.html", form, **context)


@require_POST
@page(Role.THERAPIST)
def put_session_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `void_session`."""
    session = own_or_404(request, TherapySession.every.select_related("episode__client"), code)
    try:
        session_actions.put_session_back(session=session, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("dashboard:client", session.episode.code)
    return _written(request, session, f"The session is back: it is session {session.number}.")


def _is_voided(request: StaffRequest, session: TherapySession) -> HttpResponse:
    """Pressed twice, or in another tab meanwhile. What was typed for it is refused in its form, and stays there."""
    messages.info(
        request, "This session is voided. It stays below under Voided sessions, and can be put back there."
    )
    return redirect("dashboard:client", session.episode.code)


def _written(request: StaffRequest, session: TherapySession, done: str) -> HttpResponse:
    """Back to the client, with what should be looked at once more."""
    messages.success(request, done)
    if overlap := which_session.overlap_sentence(session, request.user):
        messages.warning(request, overlap)
    return redirect("dashboard:client", session.episode.code)


def chosen_session(request: StaffRequest, episode: Episode) -> dict[str, Any]:
    """Which session a form or an address names, as `session_actions.session_now` takes it."""
    asked = request.POST if request.method == "POST" else request.GET
    named = asked.get("session", "")
    if request.method != "POST":
        return {"session": _own_session(request, episode, named)} if named else {}
    form_key = key_of(request.POST)
    begins = {"begins": True} if given_forms.mode_of(request) == given_forms.ALONE else {}
    if named == which_session.NEW:
        seen = frozenset(request.POST.getlist("seen")) if "seen" in request.POST else None
        return {"new": True, "seen": seen, "form_key": form_key, **begins}
    session = _own_session(request, episode, named) if named else None
    return {"session": session, "form_key": form_key, **begins}


def _own_session(request: StaffRequest, episode: Episode, named: str) -> TherapySession:
    try:
        code = UUID(named)
    except ValueError as error:
        raise Http404 from error
    found: TherapySession = own_or_404(request, TherapySession.objects.filter(episode=episode), code)
    return found
