"""Whether what was agreed helped: one press after the next rating, and its undo."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from alliance.access import StaffRequest, own_or_404, page
from alliance.form_pages import form_page, posted, written
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.conversations import follow_up_actions as actions
from sessions_app.conversations.follow_up_form import FollowUpForm
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.dashboards.views.dashboard import course_after, note_the_look, undo_address
from sessions_app.flags.models import Discussion


@require_POST
@page(Role.THERAPIST)
def note(request: StaffRequest, code: UUID) -> HttpResponse:
    discussions = Discussion.objects.standing().select_related("session__episode__client")
    discussion = own_or_404(request, discussions, code)
    answer = request.POST.get("answer", "")
    try:
        if answer not in FollowUp.Answer.values:
            raise Refused("Choose one of the answers.")
        noted = actions.note(discussion=discussion, answer=answer, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return course_after(request, discussion.session.episode)
    undo_it = undo_address("follow_up", noted)
    return course_after(request, discussion.session.episode, done="Noted with what was agreed.", undo=undo_it)


@require_POST
@page(Role.THERAPIST)
def undo(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `note`, from the message right after it."""
    follow_up = _own(request, code)
    try:
        actions.undo(follow_up=follow_up, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Taken back. You can answer it again.")
    return redirect("dashboard:client", follow_up.session.episode.code)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def change(request: StaffRequest, code: UUID) -> HttpResponse:
    """Another answer, or none any more."""
    follow_up = _own(request, code)
    form = FollowUpForm(posted(request), initial={"answer": follow_up.answer})
    if written(form, actions.change_follow_up, follow_up=follow_up, by=request.user):
        messages.success(request, "Saved. The earlier answer stays readable beside the note, under Earlier.")
        return redirect("dashboard:client", follow_up.session.episode.code)
    episode = follow_up.session.episode
    note_the_look(request, episode)
    return form_page(request, "dashboard/change_follow_up.html", form, follow_up=follow_up, episode=episode)


def _own(request: StaffRequest, code: UUID) -> FollowUp:
    rows = FollowUp.objects.select_related("session__episode__client", "discussion__session")
    found: FollowUp = own_or_404(request, rows, code)
    return found
