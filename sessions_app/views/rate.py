"""The client's pages on a tablet that was handed over. Nothing here reads `request.user`.

A grant is all the authority there is, and it can only write. The cookie is rotated where the client
arrives, at `done`, and not in the answer to the marks: an answer that was lost on the way can then
be asked for again with the cookie the page still has, and the same marks are one rating.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_safe

from alliance import tablet
from alliance.access import CLIENT, page
from sessions_app import actions
from sessions_app.forms.rate import BANDS, COMMENT_LENGTH, LanguageForm, RatingForm, wording_of_grant
from sessions_app.models import RatingGrant, SetAsideRating

IDLE_SECONDS = 300


def in_the_clients_language(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Speak the language of the grant; after handing in that of the lock, and else the browser's."""

    @wraps(view)
    def speaking(request: HttpRequest) -> HttpResponse:
        lock = tablet.lock_of(request)
        language = lock.language if lock else ""
        if lock and (grant := RatingGrant.objects.with_token(lock.token).first()):
            language = wording_of_grant(grant).language
        with translation.override(language or translation.get_language_from_request(request)):
            return view(request)

    return speaking


@require_http_methods(["GET", "HEAD", "POST"])
@page(CLIENT)
@in_the_clients_language
def form(request: HttpRequest) -> HttpResponse:
    lock = tablet.lock_of(request)
    if lock is None or lock.handed_in:
        return _already_handed_in(request)
    grant = RatingGrant.objects.with_token(lock.token).first()
    if grant is None:
        return _closed(request)
    return _step_of(request)(request, grant)


@require_safe
@page(CLIENT)
@in_the_clients_language
def done(request: HttpRequest) -> HttpResponse:
    """Where the client arrives in the end, rated or not: from here on the browser holds no grant."""
    lock = tablet.lock_of(request)
    if lock and not lock.handed_in:
        grant = RatingGrant.objects.with_token(lock.token).first()
        if grant is None or not _delivered(grant):
            return _see_other("rate:form")
        tablet.hand_in(request, rated=True, language=translation.get_language())
    lock = tablet.lock_of(request)
    return render(request, "rate/done.html", {"rated": lock is not None and lock.rated})


@require_http_methods(["GET", "HEAD", "POST"])
@page(CLIENT)
@in_the_clients_language
def not_today(request: HttpRequest) -> HttpResponse:
    """The client gives the tablet back without a rating; nothing they marked is read."""
    lock = tablet.lock_of(request)
    grant = RatingGrant.objects.with_token(lock.token).first() if lock and not lock.handed_in else None
    if grant is not None and request.method == "POST":
        actions.decline(grant=grant)
        # Marks that arrived first stay, and the page says so.
        tablet.hand_in(request, rated=_delivered(grant), language=translation.get_language())
    return _see_other("rate:done")


@require_safe
@page(CLIENT)
@in_the_clients_language
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "rate/help.html", {"lock": tablet.lock_of(request)})


Step = Callable[[HttpRequest, RatingGrant], HttpResponse]


def _step_of(request: HttpRequest) -> Step:
    if request.method != "POST":
        return _open
    # A button carries one name: those of the languages say which, and no step beside it.
    return _language if "language" in request.POST else STEPS.get(request.POST.get("step", ""), _unknown)


def _open(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    if _delivered(grant):
        return _see_other("rate:done")
    if not grant.is_open(timezone.now()):
        return _closed(request)
    return _show(request, RatingForm(grant=grant))


def _language(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    """The same form in another language, with whatever marks came along."""
    wanted = LanguageForm(request.POST, grant=grant)
    if not wanted.is_valid():
        return _unknown(request, grant)
    if not actions.choose_language(grant=grant, language=wanted.cleaned_data["language"]):
        return _open(request, grant)
    with translation.override(grant.language):
        # The script keeps the marks where they are and asks for the words alone.
        came_along = "mode" in request.POST
        return _change(request, grant) if came_along else _show(request, RatingForm(grant=grant))


def _review(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    if not marks.is_valid():
        return _show(request, marks, status=422)
    return render(request, "rate/review.html", {"form": marks})


def _change(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    return _show(request, marks, status=200 if marks.is_valid() else 422)


def _hand_in(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant, whole=True)
    if not marks.is_valid():
        return _refused(request, marks)
    reply = _stored(grant, marks)
    return reply if _by_script(request) else _see_other("rate:done")


def _unknown(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    marks.add_error(None, translation.gettext("Please send the form again."))
    return _refused(request, marks)


STEPS = {"review": _review, "change": _change, "hand-in": _hand_in}


def _stored(grant: RatingGrant, marks: RatingForm) -> JsonResponse:
    """Store the marks. `stored` tells the page that it may forget them, as the rating or kept aside."""
    cleaned = marks.cleaned_data
    status = 200 if hasattr(grant, "rating") else 201
    try:
        actions.record_rating(
            grant=grant,
            answers=marks.answers,
            mode=cleaned["mode"],
            comment=cleaned["comment"],
            share_comment=cleaned["share_comment"],
            language=marks.wording.language,
        )
    except actions.NotStored as kept_aside:
        status = 409 if kept_aside.reason == SetAsideRating.Reason.DISPUTED else 410
    sha256 = actions.hash_of_answers(
        marks.answers, cleaned["comment"], share_comment=cleaned["share_comment"]
    )
    return JsonResponse({"stored": True, "sha256": sha256}, status=status)


def _refused(request: HttpRequest, marks: RatingForm) -> HttpResponse:
    if _by_script(request):
        return JsonResponse({"stored": False, "errors": marks.sentences}, status=422)
    return _show(request, marks, status=422)


def _show(request: HttpRequest, marks: RatingForm, status: int = 200) -> HttpResponse:
    context = {
        "form": marks,
        "bands": list(BANDS),
        "comment_length": COMMENT_LENGTH,
        "idle_seconds": IDLE_SECONDS,
    }
    return render(request, "rate/form.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    if _by_script(request):
        return JsonResponse({"stored": False, "errors": {}}, status=410)
    return render(request, "rate/closed.html", status=410)


def _already_handed_in(request: HttpRequest) -> HttpResponse:
    if _by_script(request):
        return JsonResponse({"stored": False, "handed_in": True}, status=410)
    return _see_other("rate:done")


def _delivered(grant: RatingGrant) -> bool:
    """Whether marks came in through this grant: as the rating, or kept aside."""
    return hasattr(grant, "rating") or grant.set_aside.exists()


def _by_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _see_other(name: str) -> HttpResponse:
    response = redirect(name)
    response.status_code = 303
    return response
