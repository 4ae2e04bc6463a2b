"""A therapist guesses what the client will mark, and later reads both. For this therapist alone."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.measurement.guesses import guess_wording
from alliance.models import Role
from clients.models import Episode
from sessions_app.intake import guess_actions, which_session
from sessions_app.intake.guess_forms import GuessForm
from sessions_app.intake.views.therapy_sessions import chosen_session
from sessions_app.plans import which_forms
from sessions_app.questionnaires import guess_pairs

SHOWN_AT_ONCE = 30


@require_safe
@page(Role.THERAPIST)
def listing(request: StaffRequest) -> HttpResponse:
    """All own guesses beside what was marked, and how far they lie; `?client=` shows those about one alone."""
    guesses = guess_pairs.read(request.user)
    episode = None
    pairs = guesses.pairs
    if code := request.GET.get("client"):
        episode = own_or_404(request, Episode.objects.select_related("client"), _uuid(code))
        pairs = guesses.of_client(episode.client_code)
    shows_all = "all" in request.GET
    shown = pairs if shows_all else pairs[:SHOWN_AT_ONCE]
    with transaction.atomic():
        audit.write(audit.listing({pair.session.client_code for pair in shown}, by=request.user))
    context = {
        "guesses": guesses,
        "episode": episode,
        "pairs": shown,
        "rest": 0 if shows_all else max(0, len(pairs) - SHOWN_AT_ONCE),
        "query": request.GET.urlencode(),
    }
    return render(request, "dashboard/guesses.html", context)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)  # nobody's


@require_POST
@page(Role.THERAPIST)
def choose(request: StaffRequest) -> HttpResponse:
    on = request.POST.get("guess") == "on"
    guess_actions.choose_guessing(on=on, by=request.user)
    messages.success(
        request,
        "Switched on. The page that hands a form over leads to the guess."
        if on
        else "Switched off. What you guessed so far stays below.",
    )
    return redirect("dashboard:guesses")


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def guess(request: StaffRequest, code: UUID) -> HttpResponse:
    """Four lines, quickly, before the tablet is handed over."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    if not request.user.guesses_first:
        messages.info(request, guess_actions.SWITCHED_OFF)
        return redirect("dashboard:guesses")
    instrument = which_forms.alliance_form(episode)
    wording = guess_wording(instrument.id)
    form = GuessForm(posted(request), instrument=instrument, wording=wording)
    chosen = {key: value for key, value in chosen_session(request, episode).items() if key != "form_key"}
    if made := written(form, guess_actions.guess_now, episode=episode, by=request.user, **chosen):
        messages.success(request, f"Your guess at session {made.session.number} is kept. Only you see it.")
        address = reverse("dashboard:hand_over", args=[episode.code])
        return redirect(f"{address}?session={made.session.code}")
    choice = which_session.choice(
        episode, timezone.now(), named=chosen.get("session"), new=chosen.get("new", False)
    )
    context = {"episode": episode, "wording": wording, "choice": choice, "is_rating": True}
    return form_page(request, "dashboard/guess.html", form, **context)
