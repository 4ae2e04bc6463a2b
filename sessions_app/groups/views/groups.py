"""The pages about groups: who leads, who belongs, and how the group goes."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance import audit
from alliance.access import StaffRequest, managed_or_404, own_or_404, page, visible_or_404
from alliance.form_pages import form_page, posted, written
from alliance.labels import search_key
from alliance.log_events import LogEvent
from alliance.models import Role, User
from alliance.refused import Refused
from alliance.undo import say_done
from clients.approval_pages import page_of_waiting
from clients.models import Client
from sessions_app.groups import approved_leaders, group_actions, group_page
from sessions_app.groups.forms import GroupForm, LeadersForm, NewGroupForm
from sessions_app.groups.models import Group, GroupMember

FOUND_AT_ONCE = 25


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    """The groups this person leads or supervises; an administrator's are all, by name alone."""
    belongs = Q(members__left_on__isnull=True, members__episode__closed_on__isnull=True)
    groups = Group.objects.managed_by(request.user).select_related("leader", "co_leader")
    groups = groups.annotate(size=Count("members", filter=belongs, distinct=True))
    readable = set(Group.objects.visible_to(request.user).values_list("pk", flat=True))
    rows = [(group, group.pk in readable) for group in groups]
    context = {
        "standing": [row for row in rows if not row[0].is_over],
        "over": [row for row in rows if row[0].is_over],
        "may_make": request.user.is_therapist or request.user.is_administrator,
    }
    return render(request, "groups/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def make(request: StaffRequest) -> HttpResponse:
    form = NewGroupForm(posted(request), by=request.user)
    if group := written(form, group_actions.make_group, by=request.user):
        messages.success(request, f"{group} is there. Now add its members.")
        return redirect("groups:people", group.code)
    return form_page(request, "groups/new.html", form)


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR)
def group(request: StaffRequest, code: UUID) -> HttpResponse:
    """How the group goes: for its leaders and whoever supervises one of them."""
    rows = Group.objects.select_related("leader", "co_leader")
    one: Group = visible_or_404(request, rows, code, looked_at=False)
    read = group_page.read(one, request.user, timezone.now())
    with transaction.atomic():
        viewed = audit.line(LogEvent.GROUP_VIEWED, one, by=request.user)
        audit.write([viewed, *audit.listing(read.client_codes, by=request.user)])
    context = {"group": one, "page": read, "may_lead": _may_lead(one, request.user)}
    return render(request, "groups/group.html", context)


def _may_lead(group: Group, user: User) -> bool:
    return user.is_therapist and user.pk in group.leader_pks


# --- Names, kind, leaders ------------------------------------------------------------------------


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
def people(request: StaffRequest, code: UUID) -> HttpResponse:
    """Who leads and who belongs to it, by label: nothing that was marked is on this page."""
    return _people(request, _managed(request, code))


def _people(request: StaffRequest, group: Group, *, status: int = 200) -> HttpResponse:
    rows = GroupMember.objects.filter(group=group).select_related("episode__client", "episode__therapist")
    members: list[GroupMember] = list(rows.order_by("episode__client__label_key", "pk"))
    may_change = _may_change(group, request.user)
    asked = " ".join(request.GET.get("q", "").split())[:40]
    context = {
        "group": group,
        "members": [member for member in members if member.is_present],
        "former": [member for member in members if not member.is_present],
        "may_change": may_change,
        "may_read": Group.objects.visible_to(request.user).filter(pk=group.pk).exists(),
        "asked": asked,
        "found": _to_add(request.user, members, asked) if may_change else [],
    }
    return render(request, "groups/people.html", context, status=status)


def _to_add(user: User, members: list[GroupMember], asked: str) -> list[Client]:
    """Clients this person manages who are not in it; an administrator is shown those they search for."""
    if user.is_administrator and not search_key(asked):
        return []
    inside = [member.episode.client_id for member in members if member.is_present]
    rows = Client.objects.managed_by(user).filter(merged_into__isnull=True).exclude(pk__in=inside)
    if not user.is_administrator:
        rows = rows.filter(episodes__closed_on__isnull=True)
    if search_key(asked):
        rows = rows.with_label_like(asked)
    return list(rows.distinct().order_by("label_key", "registered_at")[: FOUND_AT_ONCE + 1])


def _managed(request: StaffRequest, code: UUID) -> Group:
    rows = Group.objects.select_related("leader", "co_leader")
    found: Group = managed_or_404(request, rows, code, looked_at=False)
    return found


def _may_change(group: Group, user: User) -> bool:
    """Its members and its name: whoever leads it, and administrators. Whoever supervises names leaders alone."""
    return not group.is_over and (user.is_administrator or _may_lead(group, user))


def _changed(request: StaffRequest, code: UUID) -> Group:
    """A group whose members and name this person may change."""
    group = _managed(request, code)
    if not (request.user.is_administrator or _may_lead(group, request.user)):
        raise Http404
    return group


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def change(request: StaffRequest, code: UUID) -> HttpResponse:
    group = _changed(request, code)
    form = GroupForm(posted(request), group=group)
    if written(form, group_actions.change_group, group=group, by=request.user):
        messages.success(request, "Saved.")
        return redirect("groups:people", group.code)
    return form_page(request, "groups/change.html", form, group=_managed(request, code))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
def leaders(request: StaffRequest, code: UUID) -> HttpResponse:
    """Name who leads it: a leader, whoever supervises one, or an administrator, when a leader has left."""
    group = _managed(request, code)
    form = LeadersForm(posted(request), group=group)
    if led := written(form, approved_leaders.change_leaders, group=group, by=request.user):
        if waits := page_of_waiting(request, led):
            return waits
        went_on = [str(member.episode.client.label) for member in led.went_on]
        more = (
            f" From now on these members’ sessions are in a course with {led.group.leader}: {', '.join(went_on)}."
            if went_on
            else ""
        )
        messages.success(request, f"Led by {' and '.join(map(str, led.group.leaders))}.{more}")
        still = Group.objects.managed_by(request.user).filter(pk=group.pk).exists()
        return redirect("groups:people", group.code) if still else redirect("groups:list")
    return form_page(request, "groups/leaders.html", form, group=_managed(request, code))


# --- Members -------------------------------------------------------------------------------------


@require_POST
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def add_member(request: StaffRequest, code: UUID) -> HttpResponse:
    group = _changed(request, code)
    client = _client_to_add(request)
    try:
        joined = approved_leaders.add_member(group=group, client=client, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        opened = (
            f" An episode with {joined.member.episode.therapist} was opened for it." if joined.opened else ""
        )
        undo = reverse("groups:take_out", args=[joined.member.code])
        say_done(request, f"{client.label} is in the group.{opened}", undo=undo)
    return redirect("groups:people", group.code)


def _client_to_add(request: StaffRequest) -> Client:
    """One of those this person manages; anybody else is not there."""
    try:
        named = UUID(request.POST.get("client", ""))
    except ValueError:
        raise Http404 from None
    found = Client.objects.managed_by(request.user).filter(code=named).first()
    if found is None:
        raise Http404
    return found


def _member(request: StaffRequest, code: UUID) -> GroupMember:
    rows = GroupMember.objects.select_related("group", "episode__client")
    member: GroupMember = managed_or_404(request, rows, code, looked_at=False)
    if not (request.user.is_administrator or _may_lead(member.group, request.user)):
        raise Http404
    return member


@require_POST
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def take_out(request: StaffRequest, code: UUID) -> HttpResponse:
    member = _member(request, code)
    group_actions.take_out(member=member, by=request.user)
    undo = reverse("groups:put_back", args=[member.code])
    say_done(request, f"{member.episode.client.label} has left the group. Their course goes on.", undo=undo)
    return redirect("groups:people", member.group.code)


@require_POST
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    member = _member(request, code)
    done = f"{member.episode.client.label} is in the group again."
    _done(request, group_actions.put_back, done, member=member)
    return redirect("groups:people", member.group.code)


@require_POST
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def end(request: StaffRequest, code: UUID) -> HttpResponse:
    group = _changed(request, code)
    group_actions.end_group(group=group, by=request.user)
    undo = reverse("groups:take_up", args=[group.code])
    say_done(request, f"{group} has ended. The courses of its members go on.", undo=undo)
    return redirect("groups:people", group.code)


@require_POST
@page(Role.THERAPIST, Role.ADMINISTRATOR)
def take_up(request: StaffRequest, code: UUID) -> HttpResponse:
    group = _changed(request, code)
    group_actions.take_up_group(group=group, by=request.user)
    messages.success(request, f"{group} goes on.")
    return redirect("groups:people", group.code)


def _done(request: StaffRequest, action: Callable[..., Any], done: str, **of: Any) -> None:
    try:
        action(**of, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)


def own_group(request: StaffRequest, code: UUID) -> Group:
    """A group that this person leads."""
    rows = Group.objects.select_related("leader", "co_leader")
    found: Group = own_or_404(request, rows, code)
    return found
