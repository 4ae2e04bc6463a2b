"""The administrator's pages about what the clinic has chosen, and what a choice would do."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance import stale_forms
from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again, ask_again_to
from alliance.form_pages import form_page, posted, written
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import ANY_CHANGE, Parameters
from alliance.models import Role
from alliance.stale_forms import Opened, StateForm
from sessions_app.flags import recompute
from sessions_app.instruments import instrument_pages, rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.rule_settings import EVERY_LANGUAGE
from sessions_app.rulebook import (
    impact_preview,
    list_words,
    settings_actions,
    settings_pages,
    unused_parts,
)
from sessions_app.rulebook.rule_forms import RulesForm
from sessions_app.rulebook.settings_forms import SettingsForm
from sessions_app.rulebook.settings_pages import Step

SECONDS_A_STEP = 1.0


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def change(request: StaffRequest) -> HttpResponse:
    """The form of every session and the closing moment; from here to the flag rules."""
    now = ClinicSettings.objects.in_force()
    unused = unused_parts.read()
    form = SettingsForm(posted(request), now=now, unused=unused)
    if written(form, settings_actions.change_settings, by=request.user):
        messages.success(request, "The settings are saved. They hold for every new form.")
        return redirect("settings:change")
    context = {
        "now": now,
        "obstacle": instrument_pages.obstacle(now.form),
        "scales": settings_pages.scales(now.instrument, rule_settings.of(now), unused),
        "unused": unused,
        "address_of_guesses": request.build_absolute_uri(reverse("dashboard:guesses")),
        "run": recompute.pending(),
        "work_list": list_words.page(rule_settings.of(now).parameters(now.form)),
        "is_former": rule_settings.of(now).work_list == ANY_CHANGE,
    }
    return form_page(request, "settings/change.html", form, **context)


# --- Flag rules ----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again_to("save")
def rules(request: StaffRequest) -> HttpResponse:
    """The rules for one instrument: filled in, then looked at, then saved. Only the last step stores anything."""
    form, step = _rules_form(request, posted(request)), request.POST.get("step")
    if step == "shipped":
        shipped = RulesForm(**_about(form), shown=form.below)
        return _rules_page(request, shipped, is_reset=True)
    about = {"instrument": form.instrument, "language": form.language}
    if step == "preview" and written(form, _as_seen(form)):
        return _preview(request, form)
    if step == "save" and written(form, settings_actions.change_rules, by=request.user, **about):
        messages.success(request, "The rules are saved.")
        return redirect("settings:recomputation")
    return _rules_page(request, form)


@require_safe
@page(Role.ADMINISTRATOR)
def effect(request: StaffRequest) -> HttpResponse:
    """What rules that are not saved would do here."""
    form = _rules_form(request, request.GET)
    shown = {"effect": _effect(request, form) if form.is_valid() else None}
    return render(request, "settings/_effect.html" if request.htmx else "settings/effect.html", shown)


@require_safe
@page(Role.ADMINISTRATOR)
def simulated(request: StaffRequest) -> HttpResponse:
    """What they do to invented clients: a page with everything, or one step of it as a piece."""
    form, asked = _rules_form(request, request.GET), request.GET.get("part", "")
    step = Step(asked) if request.htmx and asked in set(Step) else None
    context: dict[str, Any] = {"simulated": None}
    if form.is_valid():
        steps = [step] if step else Step
        shown = settings_pages.simulated(form.now, form.cleaned_data["parameters"], steps)
        context = {"simulated": shown, "query": _query(form), "step": step.next if step else None}
    template = "settings/_simulated.html" if request.htmx else "settings/simulated.html"
    return render(request, template, context)


def _rules_form(request: StaffRequest, data: Any) -> RulesForm:
    now = rule_settings.in_force()
    chosen = request.GET.get("instrument") or ClinicSettings.objects.in_force().instrument
    instrument = next((one for one in instruments.session_scales() if one.id == chosen), None)
    language = request.GET.get("language", EVERY_LANGUAGE)
    if instrument is None or language not in {EVERY_LANGUAGE, *settings_pages.LANGUAGES}:
        raise Http404
    return RulesForm(data, rules=now, instrument=instrument, language=language)


def _as_seen(form: RulesForm) -> Callable[..., bool]:
    """Says before the look, too, that the rules were changed meanwhile."""

    def look(parameters: Parameters, opened_with: Opened) -> bool:
        about = (form.rules, form.instrument, form.language)
        settings_actions.refuse_unless_seen(*about, parameters, opened_with)
        return True

    return look


def _about(form: RulesForm) -> dict[str, Any]:
    return {"rules": form.rules, "instrument": form.instrument, "language": form.language}


def _rules_page(request: StaffRequest, form: RulesForm, *, is_reset: bool = False) -> HttpResponse:
    context = {
        "instrument": form.instrument,
        "for_language": form.language,
        "language_name": settings_pages.LANGUAGES.get(form.language, ""),
        "languages": settings_pages.LANGUAGES,
        "with_their_own": form.rules.languages(form.instrument.id),
        "is_reset": is_reset,
    }
    return form_page(request, "settings/rules.html", form, **context)


def _preview(request: StaffRequest, form: RulesForm) -> HttpResponse:
    after = form.rules.with_values(form.instrument, form.language, form.cleaned_data["parameters"])
    changed = list(settings_pages.rules_changed(form.rules, after))
    if not changed:
        form.add_error(None, "This is what is in force already.")
        return _rules_page(request, form)
    context: dict[str, Any] = {"form": form, "changed": changed, "query": _query(form)}
    if "lazy" not in request.POST:  # without scripts, everything is on the page at once
        simulated = settings_pages.simulated(form.now, form.cleaned_data["parameters"])
        context |= {"effect": _effect(request, form), "simulated": simulated, "is_whole": True}
    else:
        context["step"] = Step.WORK_LIST
    return render(request, "settings/preview.html", context)


def _query(form: RulesForm) -> str:
    """The form once more, as the address of the pieces that take their time."""
    typed = {name: form.data[name] for name in form.fields if name in form.data and name != stale_forms.NAME}
    return urlencode({**typed, "instrument": form.instrument.id, "language": form.language})


def _effect(request: StaffRequest, form: RulesForm) -> impact_preview.ImpactPreview:
    instrument: Instrument = form.instrument
    settings_actions.note_try_out(instrument=instrument.id, language=form.language, by=request.user)
    after = form.rules.with_values(instrument, form.language, form.cleaned_data["parameters"])
    return impact_preview.look(instrument, form.rules, after, timezone.now())


# --- The work list -------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def work_list(request: StaffRequest) -> HttpResponse:
    """The list in force beside the other one, and the step to it."""
    now = ClinicSettings.objects.in_force()
    in_force, other = list_words.both(rule_settings.of(now).work_list)
    chosen = request.POST.get("work_list", other)
    if chosen not in (in_force, other):
        raise Http404
    form = StateForm(posted(request), row="work list", says=settings_actions.version_in_force(now))
    if written(form, settings_actions.change_work_list, work_list=chosen, by=request.user):
        messages.success(request, f"The work list goes by {chosen} now.")
        return redirect("settings:recomputation" if recompute.pending() else "settings:change")
    sides = list_words.two_sides(rule_settings.of(now).parameters(now.form))
    context = {
        "in_force": list_words.NAMES[in_force],
        "other": other,
        "other_name": list_words.NAMES[other],
        "sides": sides,
        "sentence": list_words.comparison(*sides),
        "is_former": other == ANY_CHANGE,
    }
    return form_page(request, "settings/work_list.html", form, **context)


@require_safe
@page(Role.ADMINISTRATOR)
def work_list_effect(request: StaffRequest) -> HttpResponse:
    """What the other list would have done in this clinic."""
    now = ClinicSettings.objects.in_force()
    before = rule_settings.of(now)
    settings_actions.note_try_out(instrument=now.form.id, language=EVERY_LANGUAGE, by=request.user)
    after = before.with_work_list(list_words.both(before.work_list)[1])
    shown = {"effect": impact_preview.look(now.form, before, after, timezone.now())}
    return render(request, "settings/_effect.html" if request.htmx else "settings/effect.html", shown)


# --- Computing again, and earlier versions --------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def recomputation(request: StaffRequest) -> HttpResponse:
    """How far the flags follow the rules; each POST goes on for about a second."""
    run = recompute.go_on_for(SECONDS_A_STEP) if request.method == "POST" else recompute.latest()
    if request.htmx:
        return render(request, "settings/_recomputation.html", {"run": run})
    if request.method == "POST":
        return redirect("settings:recomputation")
    return render(request, "settings/recomputation.html", {"run": run})


@require_safe
@page(Role.ADMINISTRATOR)
def versions(request: StaffRequest) -> HttpResponse:
    return render(request, "settings/versions.html", {"versions": settings_pages.versions()})


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
@ask_again
def use_again(request: StaffRequest, code: UUID) -> HttpResponse:
    earlier = get_object_or_404(ClinicSettings, code=code)
    now = ClinicSettings.objects.in_force()
    says = settings_actions.version_in_force(now)
    form = StateForm(posted(request), row=earlier.code, says=says)
    if made := written(form, settings_actions.use_again, earlier=earlier, by=request.user):
        messages.success(request, f"Version {made.version} is in force, as version {earlier.version} was.")
        return redirect("settings:recomputation" if recompute.pending() else "settings:versions")
    changed = settings_pages.changed(now, earlier)
    return form_page(request, "settings/use_again.html", form, earlier=earlier, changed=changed)
