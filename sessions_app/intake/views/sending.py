"""What a therapist sends elsewhere: a link for the client's own phone, the form to the tablet of a room."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from alliance.access import StaffRequest, own_or_404, page
from alliance.compressed import never_compressed
from alliance.models import Role
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.courses.rating_state import RatingState, link_state
from sessions_app.courses.tablets import PairedTablet
from sessions_app.intake import form_length, form_sets, given_forms, qr, sending_actions, short_codes
from sessions_app.intake.views.therapy_sessions import chosen_session, ways_to_ask


@require_POST
@page(Role.THERAPIST)
def make_link(request: StaffRequest, code: UUID) -> HttpResponse:
    """A link for the client's phone. It is shown in the answer and nowhere else: only hashes are stored."""
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    try:
        link = sending_actions.make_link(
            episode=episode,
            by=request.user,
            forms=given_forms.read(request),
            **chosen_session(request, episode),
        )
    except Refused as refusal:
        return ways_to_ask(request, episode, refusal)
    return show_link(request, episode, link)


def show_link(request: StaffRequest, episode: Episode, link: sending_actions.Link) -> HttpResponse:
    """The page with what the therapist shows or sends, to the client or to a caregiver."""
    page_of_phone = request.build_absolute_uri(reverse("go:start"))
    given = form_sets.instruments_of(link.grant)
    address = f"{page_of_phone}{form_length.of_link(link.grant)}#{link.token}"
    context = {
        "episode": episode,
        "session": link.grant.session,
        "grant": link.grant,
        "given": given,
        # Sent again by a reload or by Back, the page says where its link stands by now.
        "state": _state_of(link.grant),
        "link": address,
        "picture": qr.as_svg(address, label="QR code with the link to the form"),
        "typed_at": page_of_phone.partition("://")[2],
        "short_code": short_codes.in_groups(link.short_code),
        "short_code_until": link.grant.short_code_until,
    }
    return never_compressed(render(request, "dashboard/link.html", context))


@require_POST
@page(Role.THERAPIST)
def send(request: StaffRequest, code: UUID) -> HttpResponse:
    episode = own_or_404(request, Episode.objects.select_related("client"), code)
    try:
        room = PairedTablet.objects.in_use().get(code=UUID(request.POST.get("tablet", "")))
        grant = sending_actions.send(
            episode=episode,
            tablet=room,
            by=request.user,
            forms=given_forms.read(request),
            **chosen_session(request, episode),
        )
    except (ValueError, PairedTablet.DoesNotExist):
        return ways_to_ask(request, episode, Refused("That tablet is not paired any more."))
    except Refused as refusal:
        return ways_to_ask(request, episode, refusal)
    given = form_sets.instruments_of(grant)
    forms = (
        f": {', '.join(one.name for one in given)}"
        if [one.use for one in given] != ["session_alliance"]
        else ""
    )
    messages.success(request, f"Sent to {room}{forms}. The form shows there within a few seconds.")
    return redirect("dashboard:client", episode.code)


@require_safe
@page(Role.THERAPIST)
def sent(request: StaffRequest, code: UUID) -> HttpResponse:
    """Where one link stands, for the page that shows it."""
    links = RatingGrant.every.select_related("session__episode__client")
    grant = own_or_404(request, links, code)
    return render(request, "dashboard/_sent.html", {"grant": grant, "state": _state_of(grant)})


def _state_of(grant: RatingGrant) -> RatingState:
    rating = None
    if grant.is_of_the_alliance:
        rating = Rating.objects.standing().filter(session=grant.session).first()
    return link_state(grant, rating=rating, now=timezone.now())
