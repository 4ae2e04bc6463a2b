"""Approvals as pages show them: the sentence of the kind, who may do what, and whose clients a reader may be told."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect

from alliance.access import StaffRequest
from alliance.approvals import ApprovalNotice, ApprovalRequest
from alliance.models import Role, User
from clients import approval_actions
from clients.approval_kinds import kind_of
from clients.models import Episode

ASKED = "Nothing is opened yet: this waits for a second person, or for 48 hours."


def shown(rows: "QuerySet[ApprovalRequest]") -> list[ApprovalRequest]:
    return list(rows.select_related("person", "asked_by", "decided_by", "emergency_by"))


def visible_to(user: User) -> "QuerySet[ApprovalRequest]":
    """All for an administrator; for others those that they were told of."""
    rows = ApprovalRequest.objects.all()
    return rows if user.is_administrator else rows.filter(notices__person=user)


def untold(user: User) -> list[ApprovalRequest]:
    """What this person has to be told on their first page; no query where there is nothing."""
    if not user.approvals_untold:
        return []
    told = ApprovalNotice.objects.unseen().filter(person=user)
    return shown(ApprovalRequest.objects.filter(pk__in=told.values("request")))


def clients_for(request: ApprovalRequest, user: User) -> list[str]:
    """The labels that this reader may see anyway: an administrator all of them, a therapist their own clients'."""
    kind = kind_of(request.kind)
    if kind.tells_no_labels:
        return []
    rows = kind.opens(request.what, request.person) & Episode.objects.managed_by(user)
    labels = rows.order_by("client__label_key").values_list("client__label", flat=True)
    return list(dict.fromkeys(str(label) for label in labels))


def others_who_may_confirm(request: ApprovalRequest) -> list[User]:
    offices = User.objects.with_role(Role.ADMINISTRATOR)
    return [one for one in offices if approval_actions.may_confirm(request, one)]


def page_of_waiting(request: StaffRequest, made: object) -> HttpResponse | None:
    """Where whoever asked is led; None where it was done at once."""
    if not isinstance(made, ApprovalRequest):
        return None
    messages.info(request, ASKED)
    return redirect("approvals:request", made.code)
