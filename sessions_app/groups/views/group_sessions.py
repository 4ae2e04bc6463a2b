"""The pages about one session of a group: begun, who is there, the forms, voided."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance import audit, device_lock
from alliance.access import StaffRequest, own_or_404, page, visible_or_404
from alliance.compressed import never_compressed
from alliance.form_keys import key_of
from alliance.form_pages import form_page, posted, written
from alliance.log_events import LogEvent
from alliance.models import Role
from alliance.refused import Refused
from alliance.see_other import see_other
from alliance.undo import say_done
from sessions_app.courses.models import TherapySession
from sessions_app.courses.tablets import PairedTablet
from sessions_app.groups import round_actions, session_actions, session_page, who_reads
from sessions_app.groups.forms import BeginForm, VoidGroupSessionForm
from sessions_app.groups.models import Group, GroupAttendance, GroupMember, GroupSession
from sessions_app.groups.views.groups import own_group
from sessions_app.intake import (
    form_length,
    hand_over_actions,
    qr,
    room_tablets,
    sending_actions,
    short_codes,
)

CONFLICT = 409


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def begin(request: StaffRequest, code: UUID) -> HttpResponse:
    """Who is there, and since when: one press makes the session of the group and one in each course."""
    group = own_group(request, code)
    rows = GroupMember.objects.present_now().filter(group=group).select_related("episode__client")
    members = list(rows.order_by("episode__client__label_key", "pk"))
    form = BeginForm(posted(request), members=members)
    if made := written(form, session_actions.begin_session, group=group, by=request.user):
        if made.was_there:
            began = timezone.localtime(made.held_at)
            messages.warning(
                request,
                f"{made.begun_by} began this session already, at {began:%H:%M}, so nothing was added. "
                "Look at who is noted as present.",
            )
        return redirect("groups:session", made.code)
    return form_page(request, "groups/begin.html", form, group=group, members=members)


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR)
def session(request: StaffRequest, code: UUID) -> HttpResponse:
    rows = GroupSession.objects.select_related("group__leader", "group__co_leader")
    return _page(request, visible_or_404(request, rows, code, looked_at=False))


def _page(request: StaffRequest, of: GroupSession, template: str = "groups/session.html") -> HttpResponse:
    read = session_page.read(of, request.user, timezone.now())
    with transaction.atomic():
        viewed = audit.line(LogEvent.GROUP_VIEWED, of.group, by=request.user)
        audit.write([viewed, *audit.listing(read.client_codes, by=request.user)])
    context = {
        "page": read,
        "group": of.group,
        "group_session": of,
        "form_key": uuid4(),
        "may_lead": request.user.is_therapist and request.user.pk in of.group.leader_pks,
    }
    return render(request, template, context)


def _own_session(request: StaffRequest, code: UUID) -> GroupSession:
    rows = GroupSession.objects.select_related("group__leader", "group__co_leader")
    found: GroupSession = own_or_404(request, rows, code)
    return found


@require_POST
@page(Role.THERAPIST)
def attendance(request: StaffRequest, code: UUID) -> HttpResponse:
    """One tap: a member was there, or was not. With htmx the rows come anew, else the page."""
    of = _own_session(request, code)
    member = _member_of(of.group, request.POST.get("member", ""))
    if not who_reads.may_write(request.user, of.group, member):
        raise Http404
    present = request.POST.get("present") == "1"
    try:
        session_actions.note_attendance(group_session=of, member=member, present=present, by=request.user)
    except Refused as refusal:
        messages.error(request, f"{member.episode.client.label}: {refusal}")
    if request.htmx:
        return _page(request, of, "groups/_session_rows.html")
    return redirect("groups:session", of.code)


def _member_of(group: Group, named: str) -> GroupMember:
    try:
        rows = GroupMember.objects.select_related("episode__client")
        found: GroupMember = rows.get(group=group, code=UUID(named))
        return found
    except (ValueError, GroupMember.DoesNotExist):
        raise Http404 from None


@require_POST
@page(Role.THERAPIST)
def pass_round(request: StaffRequest, code: UUID) -> HttpResponse:
    """This browser signs out and goes from hand to hand; each person types their number."""
    of = _own_session(request, code)
    try:
        with transaction.atomic():
            begun = round_actions.begin_round(
                group_session=of, by=request.user, form_key=key_of(request.POST)
            )
            device_lock.lock(
                request,
                token="",
                return_to=reverse("groups:session", args=[of.code]),
                passed=str(begun.round.code),
            )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("groups:session", of.code)
    return see_other("pass:next")


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def void(request: StaffRequest, code: UUID) -> HttpResponse:
    of = _own_session(request, code)
    form = VoidGroupSessionForm(posted(request), group_session=of)
    if written(form, session_actions.void_session, group_session=of, by=request.user):
        undo = reverse("groups:put_session_back", args=[of.code])
        say_done(request, "The session of the group is voided, and that of each member with it.", undo=undo)
        return redirect("groups:group", of.group.code)
    read = session_page.read(of, request.user, timezone.now())
    return form_page(request, "groups/void.html", form, group_session=of, group=of.group, page=read)


@require_POST
@page(Role.THERAPIST)
def put_back(request: StaffRequest, code: UUID) -> HttpResponse:
    of = _own_session(request, code)
    try:
        session_actions.put_back(group_session=of, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("groups:group", of.group.code)
    messages.success(request, "The session of the group counts again.")
    return redirect("groups:session", of.code)


# --- One member's form ---------------------------------------------------------------------------


def _part(request: StaffRequest, code: UUID) -> tuple[GroupAttendance, TherapySession]:
    """A member's part of a session of one's own group: also of a course that is with the other leader."""
    rows = GroupAttendance.objects.select_related("group_session__group", "member__episode__client")
    part: GroupAttendance = own_or_404(request, rows, code)
    if not who_reads.may_write(request.user, part.group_session.group, part.member):
        raise Http404
    return part, TherapySession.every.select_related("episode__client").get(pk=part.session_id)


def _ways(
    request: StaffRequest, part: GroupAttendance, session: TherapySession, refusal: Refused | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "part": part,
        "session": session,
        "client": session.episode.client,
        "group": part.group_session.group,
        "tablets": room_tablets.tablets_in_use(timezone.now()),
        "form_key": uuid4(),
        "refusal": refusal,
    }
    return render(request, "groups/give.html", context, status=CONFLICT if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def give(request: StaffRequest, code: UUID) -> HttpResponse:
    """The form of one member on this tablet; a page with the other ways."""
    part, session = _part(request, code)
    if request.method != "POST":
        return _ways(request, part, session)
    try:
        with transaction.atomic():
            _, token = hand_over_actions.hand_over(
                session=session, by=request.user, form_key=key_of(request.POST)
            )
            back = reverse("groups:session", args=[part.group_session.code])
            device_lock.lock(request, token=token, return_to=back)
    except Refused as refusal:
        return _ways(request, part, session, refusal)
    return see_other("rate:form")


@require_POST
@page(Role.THERAPIST)
def make_link(request: StaffRequest, code: UUID) -> HttpResponse:
    """A link for the member's own phone, shown in the answer and nowhere else."""
    part, session = _part(request, code)
    try:
        link = sending_actions.make_link(
            episode=session.episode, session=session, by=request.user, form_key=key_of(request.POST)
        )
    except Refused as refusal:
        return _ways(request, part, session, refusal)
    page_of_phone = request.build_absolute_uri(reverse("go:start"))
    address = f"{page_of_phone}{form_length.of_link(link.grant)}#{link.token}"
    context = {
        "part": part,
        "client": session.episode.client,
        "group": part.group_session.group,
        "link": address,
        "picture": qr.as_svg(address, label="QR code with the link for the client's phone"),
        "typed_at": page_of_phone.partition("://")[2],
        "short_code": short_codes.in_groups(link.short_code),
        "short_code_until": link.grant.short_code_until,
    }
    return never_compressed(render(request, "groups/link.html", context))


@require_POST
@page(Role.THERAPIST)
def send(request: StaffRequest, code: UUID) -> HttpResponse:
    part, session = _part(request, code)
    try:
        room = PairedTablet.objects.in_use().get(code=UUID(request.POST.get("tablet", "")))
        sending_actions.send(
            episode=session.episode,
            session=session,
            tablet=room,
            by=request.user,
            form_key=key_of(request.POST),
        )
    except (ValueError, PairedTablet.DoesNotExist):
        return _ways(request, part, session, Refused("That tablet is not paired any more."))
    except Refused as refusal:
        return _ways(request, part, session, refusal)
    messages.success(request, f"{session.episode.client.label}: sent to {room}.")
    return redirect("groups:session", part.group_session.code)


@require_POST
@page(Role.THERAPIST)
def take_back(request: StaffRequest, code: UUID) -> HttpResponse:
    """Nobody waits for this member's form any more."""
    part, session = _part(request, code)
    found = hand_over_actions.take_back_of(session=session, by=request.user)
    label = session.episode.client.label
    if found.was_out:
        messages.success(request, f"{label}: the form was taken back.")
    elif found.stands:
        messages.warning(
            request, f"{label}: nothing was taken back. The marks came {found.stands.came} and stand."
        )
    else:
        why = "The client chose not to rate." if found.declined else "No form was out any more."
        messages.warning(request, f"{label}: nothing was taken back. {why}")
    return redirect("groups:session", part.group_session.code)
