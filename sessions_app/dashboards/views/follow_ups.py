"""Whether what was agreed helped: one press after the next rating, and its undo."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from alliance.access import StaffRequest, own_or_404, page
from alliance.models import Role
from alliance.refused import Refused
from sessions_app.conversations import follow_up_actions as actions
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.dashboards.views.dashboard import course_after
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
        actions.note(discussion=discussion, answer=answer, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return course_after(request, discussion.session.episode)
    return course_after(request, discussion.session.episode, done="Noted with what was agreed.")


@require_POST
@page(Role.THERAPIST)
def undo(request: StaffRequest, code: UUID) -> HttpResponse:
    """Undo of `note`."""
    follow_up = own_or_404(request, FollowUp.objects.select_related("session__episode__client"), code)
    try:
        actions.undo(follow_up=follow_up, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return course_after(request, follow_up.session.episode)
    return course_after(request, follow_up.session.episode, done="Taken back. You can answer it again.")
