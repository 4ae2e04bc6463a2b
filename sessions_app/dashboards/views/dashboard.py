"""The therapist's pages: the work list, one client's course, the conversation."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from alliance import audit
from alliance.access import StaffRequest, own_or_404, page
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.undo import say_done
from clients import cover_actions, earlier_courses, more_pages
from clients.models import Episode
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.courses.models import TherapySession
from sessions_app.dashboards import (
    change_stamp,
    client_page,
    forms_due,
    kept_course,
    to_talk_about,
    work_list,
)
from sessions_app.dashboards.kept_course import DrawnCourse
from sessions_app.flags import answered_flags, discussion_actions
from sessions_app.flags.discussion_form import DiscussionForm
from sessions_app.flags.models import Discussion, Flag
from sessions_app.intake import raters_page
from sessions_app.questionnaires import waiting

NOTHING_NEW = 204
MEANWHILE = (
    "A conversation about this session was noted meanwhile, or its flags were withdrawn. "
    "Your words are still here."
)


@require_safe
@page(Role.THERAPIST)
def day(request: StaffRequest) -> HttpResponse:
    """The work list; asked again by the open page itself, which sends the stamp of what it shows."""
    own = Episode.objects.own(request.user).open()
    stamp = change_stamp.stamp(own)
    if request.GET.get("seen") == stamp:
        return HttpResponse(status=NOTHING_NEW)
    piece = "_work_list" if request.htmx else "work_list"
    lists = work_list.build(request.user, timezone.now(), request.GET.get("show", ""))
    audit.listed(lists.client_codes, by=request.user)
    context = {"lists": lists, "stamp": stamp}
    return render(request, f"dashboard/{piece}.html", context)


@require_safe
@page(Role.THERAPIST)
def client(request: StaffRequest, code: UUID) -> HttpResponse:
    # A page that asks by itself is not another look: only what it is then shown is written to the log.
    if change_stamp.is_current(request, Episode.objects.own(request.user).filter(code=code)):
        return HttpResponse(status=NOTHING_NEW)
    episodes = waiting.with_responses(Episode.objects.select_related("client", "therapist"))
    episode = own_or_404(request, episodes, code)
    note_the_look(request, episode)
    drawn = kept_course.read(request, request.user, episode, timezone.now())
    if request.htmx:
        due = {"episode": episode, "forms": forms_due.of_client(episode, timezone.now()), "oob": True}
        forms = render_to_string("dashboard/_forms_of_client.html", due, request) if due["forms"] else ""
        return HttpResponse(drawn.course + forms)
    context = {"episode": episode, "drawn": drawn}
    return render(request, "dashboard/client.html", {**context, **_beside(request.user, episode)})


@require_POST
@page(Role.THERAPIST)
def discuss(request: StaffRequest, code: UUID) -> HttpResponse:
    """Note the conversation about the open flags of one session, or about a low point that stays low without one."""
    session = own_or_404(request, TherapySession.objects.select_related("episode__client"), code)
    form = to_talk_about.discussion_form(session, request.POST)
    if "low_point" in request.POST:
        return _after_note(
            request, form, session, partial(discussion_actions.discuss_low_point, session=session)
        )
    flags = Flag.objects.standing().filter(session=session, code__in=_uuids(request.POST.getlist("flag")))
    # Said twice by a second tab or a second press, unless the person was told and wants it.
    if "as_well" in request.POST:
        fresh = list(flags)
    else:
        answered = answered_flags.read(session.episode_id, timezone.now())
        settled = {flag.pk for flag in answered if flag.is_settled}
        fresh = [flag for flag in flags if flag.pk not in settled]
    if not fresh:
        form.add_error(None, MEANWHILE)
    return _after_note(request, form, session, partial(discussion_actions.discuss, flags=fresh))


def _after_note(
    request: StaffRequest, form: DiscussionForm, session: TherapySession, note: Callable[..., Discussion]
) -> HttpResponse:
    """The course after the note, or with the form as it was typed and why it is not noted."""
    if not form.is_valid():
        return course_after(request, session.episode, form=form)
    try:
        noted = note(**form.cleaned_data, by=request.user)
    except Refused as refusal:
        form.add_error(None, f"{refusal} Your words are still here.")
        session.episode.refresh_from_db()
        return course_after(request, session.episode, form=form)
    done = "Noted. The next rating shows whether it helped."
    return course_after(request, session.episode, done=done, undo=undo_address("discussion", noted))


def note_the_look(request: StaffRequest, episode: Episode) -> None:
    with transaction.atomic():
        audit.record(LogEvent.VIEWED, episode, by=request.user, client=episode.client_code)


def course_after(
    request: StaffRequest,
    episode: Episode,
    *,
    form: DiscussionForm | None = None,
    done: str = "",
    undo: str = "",
) -> HttpResponse:
    """The client's course after a write: the piece for htmx, else the page. `undo`: see `say_done`."""
    if done:
        say_done(request, done, undo=undo)
        if not request.htmx:
            return redirect("dashboard:client", episode.code)
    note_the_look(request, episode)
    shows_all = kept_course.asks_for_all(request)
    page = client_page.build(episode, request.user, timezone.now(), form, shows_all=shows_all)
    course = render_to_string("components/_course.html", {"page": page, "oob": request.htmx}, request)
    status = 200 if done else 422
    if request.htmx:
        return HttpResponse(course, status=status)
    drawn = DrawnCourse(course, page.latest is not None)
    context = {"episode": episode, "drawn": drawn, **_beside(request.user, episode)}
    return render(request, "dashboard/client.html", context, status=status)


def _beside(user: User, episode: Episode) -> dict[str, Any]:
    """What stands above the course: other pages about it, who covers, and that there was an earlier one."""
    return {
        "more_pages": more_pages.of_course(user, episode),
        "has_caregivers": raters_page.may_have_caregivers(episode),
        "covers": cover_actions.of_episode(episode),
        "earlier": earlier_courses.read(episode) if episode.is_open else [],
        "forms": forms_due.of_client(episode, timezone.now()) if episode.is_open else None,
    }


def undo_address(what: str, row: Discussion | FollowUp) -> str:
    return reverse(f"dashboard:undo_{what}", args=[row.code])


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
