"""The administrator's pages about who sees what is filled in, as forms promise it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import get_language_info
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again_to
from alliance.form_pages import form_page, posted, written
from alliance.measurement.instruments import RATERS
from alliance.models import Role
from sessions_app.instruments import promise_actions, promise_words, promises
from sessions_app.instruments.client_form import NAMES, TAGS
from sessions_app.instruments.promise_forms import PromiseForm
from sessions_app.instruments.promise_words import PromiseWords
from sessions_app.instruments.promises import Promise, Promised

READ_BY = {
    "client": "A client",
    "caregiver": "A caregiver",
    "therapist": "A therapist who answers themselves",
    "observer": "An observer",
}
OF_STAFF = ("therapist", "observer")  # who read English


@dataclass(frozen=True)
class Reading:
    """A promise as it is read in one language."""

    tag: str
    name: str
    is_right_to_left: bool
    words: PromiseWords


@dataclass(frozen=True)
class Kind:
    """One kind of rater: what is promised now, in English, and the versions so far."""

    rater: str
    read_by: str
    words: PromiseWords
    versions: list[Promise]


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    """Of those who fill forms in at this clinic; the settings lead to the others."""
    versions = list(Promise.objects.select_related("made_by"))
    used = promises.raters_in_use() | {one.rater for one in versions}
    kinds = []
    for rater in READ_BY:
        if rater not in used:
            continue
        own = [one for one in versions if one.rater == rater]
        now = own[0].promised if own else promises.SHIPPED[rater]
        kinds.append(Kind(rater, READ_BY[rater], _read_in("en", now).words, own))
    return render(request, "settings/promises.html", {"kinds": kinds})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again_to("save")
def change(request: StaffRequest) -> HttpResponse:
    """The boxes, then how it reads in every language, then it is saved."""
    rater = request.GET.get("rater", "client")
    if rater not in RATERS:
        raise Http404
    form, step = PromiseForm(posted(request), rater=rater), request.POST.get("step")
    if step == "save":
        if made := written(form, promise_actions.change_promise, rater=rater, by=request.user):
            messages.success(
                request, f"Saved as version {made.version}. It holds for every form given from now on."
            )
            return redirect("settings:promises")
    elif step == "preview" and form.is_valid():
        return _preview(request, form)
    return form_page(request, "settings/change_promise.html", form, rater=rater, read_by=READ_BY[rater])


def _preview(request: StaffRequest, form: PromiseForm) -> HttpResponse:
    tags = ["en"] if form.rater in OF_STAFF else TAGS
    context = {
        "form": form,
        "read_by": READ_BY[form.rater],
        "before": _read_in("en", promises.in_force(form.rater)),
        "readings": _readings(tags, form.promised),
    }
    return render(request, "settings/promise_preview.html", context)


def _readings(tags: Iterable[str], promised: Promised) -> list[Reading]:
    return [_read_in(tag, promised) for tag in tags]


def _read_in(tag: str, promised: Promised) -> Reading:
    with translation.override(tag):
        words = promise_words.words(promised)
    return Reading(tag, NAMES[tag], get_language_info(tag)["bidi"], words)
