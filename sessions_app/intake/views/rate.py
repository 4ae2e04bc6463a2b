"""The client's pages on a tablet that was handed over. Nothing here reads `request.user`.

A grant is all the authority there is, and it can only write. The cookie is rotated where the client
arrives, at `done`, and not in the answer to the marks: an answer that was lost on the way can then
be asked for again with the cookie the page still has, and the same marks are one rating.
"""

from collections.abc import Callable
from functools import wraps

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_safe

from alliance import device_lock, languages, sealing
from alliance.access import CLIENT, page
from alliance.compressed import compressed
from alliance.device_lock import DeviceLock
from alliance.measurement import instruments
from alliance.prepared import Prepared
from alliance.refused import Gone, Refused
from alliance.see_other import see_other
from sessions_app.courses import wordings
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.raters import Rater
from sessions_app.courses.tokens import hash_of_token
from sessions_app.instruments import client_form, promise_words, promises
from sessions_app.instruments.choices import has_choices
from sessions_app.instruments.client_form import UrgentHelp
from sessions_app.instruments.lines import BANDS
from sessions_app.instruments.promise_words import PromiseWords
from sessions_app.intake import (
    blank_form,
    closing,
    deliveries,
    form_facts,
    form_sets,
    hand_over_actions,
    help_now,
    sealed_upload,
)
from sessions_app.intake.rate_forms import COMMENT_LENGTH, LanguageForm, RatingForm, lines_of
from sessions_app.intake.record_rating import NotStored, TooManySetAside

JUST_NOW = "now"  # in the address of `done`: which delivery the page has just made


def in_the_clients_language(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Speak the language of the grant; after handing in that of the lock, and else the browser's."""

    @wraps(view)
    def speaking(request: HttpRequest) -> HttpResponse:
        language = language_known_to(request) or translation.get_language_from_request(request)
        with translation.override(language):
            try:
                return view(request)
            except Gone:
                return _closed(request, is_erased=True)

    return speaking


def language_known_to(request: HttpRequest) -> str:
    """What the client of this browser reads or read last; empty where nothing is known."""
    lock = device_lock.lock_of(request)
    if lock and (grant := grant_of(request, lock)):
        return spoken_around(grant, wordings.shown(grant).language)
    return lock.language if lock else ""


def spoken_around(grant: RatingGrant, language: str) -> str:
    """The language of all that is not the instrument's, as its reader is spoken to."""
    form = instruments.get(grant.instrument, grant.instrument_version)
    return languages.to_a_child(language) if form_facts.is_for_a_child(form) else language


def grant_of(request: HttpRequest, lock: DeviceLock) -> RatingGrant | None:
    """The grant that this browser holds, read once a request.

    Where the request only reads, with whether marks came in. A write must look for them after its lock.
    """
    kept: dict[str, RatingGrant | None] = request.__dict__.setdefault("grants_by_token", {})
    if lock.token not in kept:
        if request.method in {"GET", "HEAD"}:
            kept[lock.token] = _TO_READ.first(token_hash=hash_of_token(lock.token))
        else:
            grants = RatingGrant.every.with_token(lock.token)
            kept[lock.token] = grants.select_related("session__episode__client", "wording", "promise").first()
    return kept[lock.token]


def _to_read(token_hash: str) -> QuerySet[RatingGrant]:
    grants = RatingGrant.every.filter(token_hash=token_hash).with_deliveries().with_what_it_shows()
    found: QuerySet[RatingGrant] = grants.annotate(**client_form.beside())
    return found


_TO_READ = Prepared(_to_read, token_hash=str)


@require_http_methods(["GET", "HEAD", "POST"])
@page(CLIENT)
@compressed
@in_the_clients_language
def form(request: HttpRequest) -> HttpResponse:
    lock = device_lock.lock_of(request)
    if lock is None or lock.handed_in:
        return see_other("rate:done")
    grant = grant_of(request, lock)
    if grant is None:
        return _closed(request)
    step = _step_of(request)
    if step is not _hand_in and not grant.can_be_finished(timezone.now()):
        return _open(request, grant)
    return step(request, grant)


@require_safe
@page(CLIENT)
@in_the_clients_language
def done(request: HttpRequest) -> HttpResponse:
    """Where the client arrives in the end, rated or not: from here on the browser holds no grant."""
    lock = device_lock.lock_of(request)
    if lock and not lock.handed_in:
        grant = grant_of(request, lock)
        if grant is None or not grant.has_delivered:
            return see_other("rate:form")
        if token := form_sets.open_next(grant=grant):
            device_lock.go_on(request, token=token)
            return see_other("rate:form")
        device_lock.hand_in(
            request,
            rated=True,
            language=translation.get_language(),
            sentence_of=help_now.answered(grant),
        )
        # Where the tablet goes round, others sit beside: no marks are shown, and the next person's turn comes.
        if not lock.passed and closing.shows_marks(lock, grant, delivery=request.GET.get(JUST_NOW, "")):
            device_lock.show_marks(request)
            context = {
                "lines": lines_of(grant.rating),
                "seconds": closing.SECONDS,
                "urgent_help": _urgent_help(),
            }
            return render(request, "rate/closing.html", context)
    lock = device_lock.lock_of(request)
    if lock is not None and lock.passed:
        return see_other("pass:next")
    context = {
        "rated": lock is not None and lock.rated,
        "urgent_help": _urgent_help(),
        "risk_sentence": help_now.sentence_of(lock.sentence_of, translation.get_language()) if lock else None,
    }
    return render(request, "rate/done.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(CLIENT)
@in_the_clients_language
def not_today(request: HttpRequest) -> HttpResponse:
    """The client gives the tablet back without a rating; nothing they marked is read."""
    lock = device_lock.lock_of(request)
    grant = grant_of(request, lock) if lock and not lock.handed_in else None
    if grant is not None and request.method == "POST":
        hand_over_actions.decline(grant=grant)
        # Marks that arrived first stay, and the page says so.
        device_lock.hand_in(request, rated=grant.has_delivered, language=translation.get_language())
    return see_other("rate:done")


@require_safe
@page(CLIENT)
@in_the_clients_language
def help_page(request: HttpRequest) -> HttpResponse:
    lock = device_lock.lock_of(request)
    grant = grant_of(request, lock) if lock and not lock.handed_in else None
    form = wordings.instrument_of(grant) if grant else None
    context = {
        "lock": lock,
        "urgent_help": _urgent_help(),
        "promise": _promise(grant) if grant else None,
        "has_choices": form is not None and has_choices(form),
    }
    return render(request, "rate/help.html", context)


def _promise(grant: RatingGrant) -> PromiseWords:
    return blank_form.words_of(promises.promised(grant, grant.rater), wordings.instrument_of(grant))


def _urgent_help() -> UrgentHelp | None:
    """The clinic's own words on where to find help now, for a page in the language that is spoken."""
    return client_form.in_force().urgent_help(translation.get_language() or "")


Step = Callable[[HttpRequest, RatingGrant], HttpResponse]


def _step_of(request: HttpRequest) -> Step:
    if request.method != "POST":
        return _open
    # A button carries one name: those of the languages say which, and no step beside it.
    return _language if "language" in request.POST else STEPS.get(request.POST.get("step", ""), _unknown)


def _open(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    if grant.has_delivered:
        return see_other("rate:done")
    if not grant.is_open(timezone.now()):
        return _closed(request)
    return _blank(request, grant)


def _language(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    """The same form in another language, with whatever marks came along."""
    wanted = LanguageForm(request.POST, grant=grant)
    if not wanted.is_valid():
        return _unknown(request, grant)
    try:
        if not hand_over_actions.choose_language(grant=grant, language=wanted.cleaned_data["language"]):
            # It was open when this request read it, and is no more: it is read anew.
            return see_other("rate:form")
    except Refused as refusal:
        return _again(request, grant, str(refusal), status=429)
    with translation.override(spoken_around(grant, grant.language)):
        # The script keeps the marks where they are and asks for the words alone.
        came_along = "mode" in request.POST
        return _change(request, grant) if came_along else _blank(request, grant)


def _review(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    if not marks.is_valid():
        return _show(request, marks, status=422)
    context = {
        "form": marks,
        "promise": _promise(grant),
        "has_choices": has_choices(marks.instrument),
        "has_comment": form_facts.has_comment(marks.instrument),
    }
    return render(request, "rate/review.html", context)


def _change(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    return _show(request, marks, status=200 if marks.is_valid() else 422)


def _hand_in(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    """The form without its scripts; with them the marks come sealed, to `upload`.

    Out of time, marks are kept aside: a form that lay open for hours may have been filled in by somebody
    else, and the client who took longer than most loses nothing.
    """
    marks = RatingForm(request.POST, grant=grant, whole=True)
    if not marks.is_valid():
        in_time = grant.can_be_finished(timezone.now())
        return _show(request, marks, status=422) if in_time else _open(request, grant)
    try:
        deliveries.record(grant=grant, until=grant.finish_until, **marks.as_rating())
        device_lock.handed_in_just_now(request)
    except NotStored:
        pass  # kept aside: the therapist finds them, and the client has done their part
    except TooManySetAside:
        marks.add_error(None, translation.gettext("This form can no longer be filled in"))
        return _show(request, marks, status=429)
    return see_other("rate:done")


def _unknown(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    return _again(request, grant, translation.gettext("Please send the form again."), status=422)


def _again(request: HttpRequest, grant: RatingGrant, sentence: str, status: int) -> HttpResponse:
    marks = RatingForm(request.POST, grant=grant)
    marks.add_error(None, sentence)
    return _show(request, marks, status)


STEPS = {"review": _review, "change": _change, "hand-in": _hand_in}


def _blank(request: HttpRequest, grant: RatingGrant) -> HttpResponse:
    lock = device_lock.lock_of(request)
    assert lock is not None  # else `form` had led away
    return HttpResponse(blank_form.page(request, grant, lock))


def _show(request: HttpRequest, marks: RatingForm, status: int = 200) -> HttpResponse:
    lock = device_lock.lock_of(request)
    assert lock is not None  # else `form` had led away
    context = {
        "form": marks,
        "promise": _promise(marks.grant),
        **blank_form.facts(marks.instrument, form_facts.place_of(marks.grant), lock.channel),
        "bands": list(BANDS),
        "comment_length": COMMENT_LENGTH,
        "sealed_to": sealing.public_key(),
        "token": sealed_upload.token_for(marks.grant),
        "urgent_help": help_now.on_the_form(
            instruments.get(marks.grant.instrument, marks.grant.instrument_version),
            marks.wording.language,
            client_form.in_force(),
        ),
    }
    return render(request, blank_form.template_of(marks.instrument), context, status=status)


def _closed(request: HttpRequest, *, is_erased: bool = False) -> HttpResponse:
    lock = device_lock.lock_of(request)
    grant = grant_of(request, lock) if lock and not is_erased else None
    of = (
        promises.promised(grant, grant.rater) if grant else promises.SHIPPED[Rater.CAREGIVER]
    )  # "the therapist" is true of anybody
    context = {"is_erased": is_erased, "again": promise_words.words(of).again}
    return render(request, "rate/closed.html", context, status=410)
