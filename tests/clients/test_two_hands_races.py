"""A confirmation against a refusal in the same moment: with real threads and connections, on both databases."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from alliance.approvals import ApprovalRequest
from alliance.models import AuditEvent
from clients import approval_actions
from clients.models import Supervision
from tests.clients.two_hands import ASK, asked
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def confirming(request, by):
    return lambda: approval_actions.confirm(request=ApprovalRequest.objects.get(pk=request.pk), by=by)


def refusing(request, by):
    return lambda: approval_actions.decline(request=ApprovalRequest.objects.get(pk=request.pk), by=by)


def is_open(clinic) -> bool:
    return Supervision.objects.filter(supervisor=clinic.stefan, therapist=clinic.olga).exists()


def test_refused_and_confirmed_at_once_it_is_one_of_both_and_never_open_and_refused(clinic):
    request = asked(clinic, "supervision")
    for number in range(ROUNDS):
        if number:
            request = ASK["supervision"](clinic)
        outcomes = at_once(confirming(request, clinic.bea), refusing(request, clinic.olga))
        assert [str(one) for one in unexpected(outcomes)] == ["This was decided already."]
        request.refresh_from_db()
        assert is_open(clinic) == (request.outcome == "approved")
        Supervision.objects.filter(supervisor=clinic.stefan, therapist=clinic.olga).delete()


def test_taken_by_the_clock_and_by_two_readers_at_once_it_takes_effect_once(clinic, time_machine):
    request = asked(clinic, "supervision")
    time_machine.move_to(timezone.now() + timedelta(hours=49), tick=True)
    outcomes = at_once(*[approval_actions.take_due] * 3)
    assert unexpected(outcomes) == []
    request.refresh_from_db()
    assert request.outcome == "waited"
    assert AuditEvent.objects.filter(action="approval waited").count() == 1


@pytest.mark.postgresql
def test_control_without_the_lock_it_is_open_and_refused(clinic, monkeypatch):
    request = asked(clinic, "supervision")
    both_read, is_confirmed = threading.Barrier(2, timeout=MEET_WITHIN), threading.Event()
    decide = approval_actions._decide

    def read_without_lock(request):
        stored = ApprovalRequest.objects.select_related("person", "asked_by").get(pk=request.pk)
        both_read.wait()
        return stored

    def refused_last(request, outcome, *of, **more):
        if outcome == "refused":
            is_confirmed.wait(MEET_WITHIN)
        return decide(request, outcome, *of, **more)

    def confirm_then_say():
        confirming(request, clinic.bea)()
        is_confirmed.set()

    monkeypatch.setattr(approval_actions, "_open", read_without_lock)
    monkeypatch.setattr(approval_actions, "_decide", refused_last)
    at_once(confirm_then_say, refusing(request, clinic.olga))
    request.refresh_from_db()
    assert (request.outcome, is_open(clinic)) == ("refused", True)
