"""The client's own phone: a link or a short code becomes a grant, once. No name is shown before or after.

The link's token stands in the fragment of the address, which no browser sends: looking at the page
consumes nothing and leaves nothing in a log. The page's script asks the server whether the link still opens a
form, so that a link that was used says so at once; only the press of *Start* opens the form.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from alliance import device_lock, rate_limits
from alliance.access import PUBLIC, page
from alliance.refused import Refused
from alliance.see_other import see_other
from sessions_app.courses.grants import RatingGrant, RatingGrantQuerySet
from sessions_app.courses.tokens import hash_of_token
from sessions_app.instruments import client_form
from sessions_app.intake import form_length, sending_actions, short_codes
from sessions_app.intake.sending_words import ask_for_a_new_link, leads_to_no_form
from sessions_app.intake.views.rate import in_the_clients_language, language_known_to

GONE = 410


@sensitive_post_parameters("token", "look", "code")
@require_http_methods(["GET", "HEAD", "POST"])
@page(PUBLIC)
@in_the_clients_language
def start(request: HttpRequest) -> HttpResponse:
    """Where nothing is known of the client the browser says what they read, as far as the clinic gives it."""
    known = language_known_to(request)
    browsers = translation.get_language_from_request(request)
    with translation.override(known or client_form.in_force().spoken_to(browsers)):
        return _start(request)


def _start(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _start_page(request)
    if "look" in request.POST:
        return _link_status(request, request.POST["look"])
    if "token" in request.POST:
        return _by_link(request, request.POST["token"])
    return _by_short_code(request, short_codes.cleaned(request.POST.get("code", "")))


def _start_page(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    context = {"error": error, "length": form_length.sentence(request.GET.get("minutes", ""))}
    return render(request, "go/start.html", context, status=status)


def _by_link(request: HttpRequest, token: str) -> HttpResponse:
    grant = _grant_of(token)
    if grant is None:
        return _closed(request, leads_to_no_form(), status=404)
    return _open(request, grant)


def _link_status(request: HttpRequest, token: str) -> HttpResponse:
    """Why a link opens nothing, as JSON; an empty message where *Start* opens its form. Nothing is written."""
    grant = _grant_of(token)
    if grant is None:
        message = leads_to_no_form()
    else:
        message = "" if _goes_on(request, grant) else sending_actions.why_it_opens_nothing(grant=grant)
    return JsonResponse({"message": message})


def _grant_of(token: str) -> RatingGrant | None:
    found: RatingGrant | None = _grants().filter(link_hash=hash_of_token(token)).first()
    return found


def _goes_on(request: HttpRequest, grant: RatingGrant) -> bool:
    """Whether this browser holds the form already."""
    lock = device_lock.lock_of(request)
    return lock is not None and grant.token_hash == hash_of_token(lock.token)


def _by_short_code(request: HttpRequest, code: str) -> HttpResponse:
    try:
        take_back = rate_limits.one_try(request, "short_code")
    except rate_limits.TooOften:
        return rate_limits.wait(request, "go/too_often.html")
    grant = _grants().filter(short_code_hash=short_codes.hash_of_code(code)).first()
    if grant is None:
        error = _("This code is not right. Look at it again, letter by letter.")
        return _start_page(request, error=error, status=422)
    take_back()
    if grant.short_code_until and grant.short_code_until <= timezone.now():
        return _closed(request, f"{_('This code has expired.')} {ask_for_a_new_link(grant)}")
    return _open(request, grant)


def _open(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    if not _goes_on(request, grant):
        try:
            language = translation.get_language_from_request(request)
            token = sending_actions.open_on_phone(grant=grant, language=language)
        except Refused as refusal:
            return _closed(request, str(refusal))
        device_lock.lock(request, token=token, return_to="", channel=device_lock.PHONE)
    return see_other("rate:form")


def _closed(request: HttpRequest, sentence: str, status: int = GONE) -> HttpResponse:
    return render(request, "go/closed.html", {"sentence": sentence}, status=status)


def _grants() -> RatingGrantQuerySet:
    return RatingGrant.every.select_related("session__episode__client")
