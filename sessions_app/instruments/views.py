"""The administrator's pages about the forms: which there are, their licences and their wording."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again, ask_again_to
from alliance.form_pages import form_page, posted, written
from alliance.measurement import stated_parts
from alliance.measurement.instruments import Instrument, Wording
from alliance.models import Role
from alliance.stale_forms import StateForm
from sessions_app.instruments import actions, choices, client_form, instrument_pages, packs
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.forms import LicenceForm, PackForm, WordingFileForm
from sessions_app.instruments.lines import BANDS, lines_to_read
from sessions_app.instruments.packs import InstrumentPack

# Where the form has the therapist's name, the preview has the gap of a paper form.
GAP = "________"


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    shown = instrument_pages.build(timezone.localdate())
    return render(request, "instruments/list.html", {"page": shown, "history": instrument_pages.history()})


# --- Wording -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again_to("keep")
def load(request: StaffRequest) -> HttpResponse:
    """Read a file, show the form as clients would see it, and only then keep it."""
    form = WordingFileForm(posted(request), request.FILES if request.method == "POST" else None)
    if request.POST.get("step") == "keep":
        if loaded := written(form, actions.load_wording, by=request.user):
            messages.success(
                request, f"{loaded} in {loaded.language_name} is loaded. Switch it on to use it."
            )
            return redirect("instruments:list")
    elif form.is_valid() and form.read:
        read, text = form.read, str(form.data["text"])
        return _preview(request, read.scored, read.wording, edition=read.edition, text=text)
    return form_page(request, "instruments/load.html", form)


@require_safe
@page(Role.ADMINISTRATOR)
def wording(request: StaffRequest, code: UUID) -> HttpResponse:
    """A loaded wording, as clients see it."""
    one = get_object_or_404(ClinicWording, code=code)
    return _preview(request, one.scored, one.wording, edition=one.edition)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def switch_on(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(ClinicWording, code=code)
    form = StateForm(posted(request), row=one.code, says=actions.switched_off_by(one))
    if written(form, actions.switch_on, wording=one, by=request.user):
        messages.success(request, f"{one} is switched on in {one.language_name}.")
        return redirect("instruments:list")
    others = actions.others_switched_off_by(one)
    unread = instrument_pages.pages_not_signed_off(one.language)
    return form_page(
        request, "instruments/switch_on.html", form, wording=one, others=others, not_signed_off=unread
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def switch_off(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(ClinicWording, code=code)
    form = forms.Form(posted(request))
    if written(form, actions.switch_off, wording=one, by=request.user):
        messages.success(request, f"{one} is switched off in {one.language_name}.")
        return redirect("instruments:list")
    rest = ClinicWording.objects.switched_on().filter(instrument=one.instrument).exclude(pk=one.pk)
    return form_page(request, "instruments/switch_off.html", form, wording=one, is_last=not rest.exists())


def _preview(
    request: StaffRequest, instrument: Instrument, shown: Wording, *, edition: str, text: str = ""
) -> HttpResponse:
    shown = shown.named(GAP)
    context = {
        "instrument": instrument,
        "wording": shown,
        "edition": edition,
        "text": text,
        "bands": list(BANDS),
        "facts": stated_parts.in_words(instrument),
    }
    with translation.override(shown.language):
        if instrument.format == "choices":
            context["sections"] = choices.sections_to_read(instrument, shown)
        else:
            context["lines"] = lines_to_read(instrument, shown)
        return render(request, "instruments/preview.html", context)


# --- Licences ------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def record_licence(request: StaffRequest) -> HttpResponse:
    form = LicenceForm(posted(request), initial={"instrument": request.GET.get("instrument", "")})
    if made := written(form, actions.record_licence, by=request.user):
        messages.success(request, f"{made} is on record.")
        return redirect("instruments:list")
    return form_page(request, "instruments/record_licence.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def end_licence(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(Licence, code=code)
    form = forms.Form(posted(request))
    if written(form, actions.end_licence, licence=one, by=request.user):
        messages.success(request, f"{one} is ended.")
        return redirect("instruments:list")
    return form_page(request, "instruments/end_licence.html", form, licence=one)


# --- Packs ---------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def switch_on_pack(request: StaffRequest) -> HttpResponse:
    """The terms of a pack that lies on the server, to be read and confirmed."""
    name = request.GET.get("folder", "")
    found = packs.folder(name)
    if found is None or found.pack is None:
        raise Http404
    pack = found.pack
    form = PackForm(posted(request), pack=pack)
    if made := written(form, actions.switch_on_pack, pack=pack, by=request.user):
        messages.success(request, f"{made} is switched on.")
        return redirect("instruments:list")
    there = [(read.edition, client_form.NAMES[read.wording.language]) for read in pack.wordings]
    return form_page(request, "instruments/switch_on_pack.html", form, pack=pack, folder=name, there=there)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def switch_off_pack(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(InstrumentPack, code=code)
    form = forms.Form(posted(request))
    if written(form, actions.switch_off_pack, pack=one, by=request.user):
        messages.success(request, f"{one} is switched off.")
        return redirect("instruments:list")
    return form_page(request, "instruments/switch_off_pack.html", form, pack=one)
