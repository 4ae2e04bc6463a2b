"""The way back of a note of a conversation: said in other words, taken back with a reason, put back."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.refused import Refused
from alliance.undo import say_done
from sessions_app.dashboards.views.dashboard import note_the_look
from sessions_app.flags import discussion_actions as actions
from sessions_app.flags.discussion_form import DiscussionChangeForm, ReasonForm
from sessions_app.flags.models import Discussion


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def edit(request: StaffRequest, code: UUID) -> HttpResponse:
    """Both lines in other words. Where somebody else changed them meanwhile, both texts are shown."""
    note = _own(request, code)
    form = DiscussionChangeForm(posted(request), initial={"said": note.said, "agreed": note.agreed})
    seen = _version(request)
    if written(form, actions.edit_discussion, discussion=note, version=seen, by=request.user):
        say_done(request, "Saved. The earlier words stay readable beside the note, under Earlier.")
        return _back(note)
    return _about(request, "edit_talk", note, form, seen)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def take_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Take the whole note back, with a reason."""
    note, form, seen = _own(request, code), ReasonForm(posted(request)), _version(request)
    if written(form, actions.withdraw_discussion, discussion=note, version=seen, by=request.user):
        put_back_again = reverse("dashboard:put_back_discussion", args=[note.code])
        say_done(request, "Taken back. The flag is open again.", undo=put_back_again)
        return _back(note)
    return _about(request, "take_back_talk", note, form, seen)


@require_POST
@page(Role.THERAPIST)
def undo(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `discuss`, from the message right after it."""
    return _done(request, code, actions.undo_discussion, "Taken back. The flag is open again.")


@require_POST
@page(Role.THERAPIST)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """The way back of a note that was taken back."""
    return _done(request, code, actions.put_back_discussion, "The note stands again.")


def _done(request: StaffRequest, code: UUID, action: Any, done: str) -> HttpResponse:
    note = _own(request, code)
    try:
        action(discussion=note, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return _back(note)


def _own(request: StaffRequest, code: UUID) -> Discussion:
    rows = Discussion.objects.select_related("session__episode__client", "discussed_by")
    found: Discussion = own_or_404(request, rows, code)
    return found


def _version(request: StaffRequest) -> int:
    """Of the words that the page showed; 0, which never stands, where it does not say."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _about(
    request: StaffRequest, template: str, note: Discussion, form: forms.Form, seen: int
) -> HttpResponse:
    note.refresh_from_db(fields=["said", "agreed", "version", "withdrawn_at"])
    last = note.changes.select_related("changed_by").last()
    meanwhile = form.is_bound and seen != note.version
    note_the_look(request, note.session.episode)
    return form_page(
        request,
        f"dashboard/{template}.html",
        form,
        note=note,
        last_change=last,
        meanwhile=meanwhile,
        episode=note.session.episode,
    )


def _back(note: Discussion) -> HttpResponse:
    return redirect("dashboard:client", note.session.episode.code)
