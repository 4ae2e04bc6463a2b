"""Nobody alone: what would let somebody see ratings takes a second person, or 48 hours in which one may refuse."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from alliance.approvals import ApprovalNotice, ApprovalRequest
from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import approval_actions, approved_staff, approved_supervision, supervision_actions
from clients.access_log import lines
from clients.models import Cover, Episode, Supervision
from tests import cast
from tests.alliance.sign_in import just_asked
from tests.clients import two_hands
from tests.clients.two_hands import ASK, LINKS, TODAY, asked, ready, standing, with_marks

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def browser_of(person) -> Browser:
    browser = Browser()
    browser.force_login(person, backend=BACKEND)
    return just_asked(browser)


def confirm(request, by):
    return approval_actions.confirm(request=request, by=by)


# --- Every act ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASK)
def test_one_hand_opens_no_ratings_and_a_second_one_does(clinic, name):
    ready(with_marks(clinic), name)
    before = standing()
    request = ASK[name](clinic)
    if name == "supervision prolonged":  # the test itself shortened it
        before = standing()
    assert standing() == before, "asking changes nothing"
    for first_hand in [clinic.adam, *([request.person] if request.person else []), clinic.stefan]:
        with pytest.raises(Refused, match="second person"):
            confirm(request, first_hand)
    confirm(request, clinic.bea if request.person != clinic.bea else cast.person("Cleo", "administrator"))
    if name in LINKS:
        assert "/password/reset/key/" in ASK[name](clinic), "now the link may be drawn, once"
        assert isinstance(ASK[name](clinic), ApprovalRequest)
    elif name != "administrator":
        assert standing() != before


@pytest.mark.parametrize("name", sorted(set(ASK) - {"link of an administrator"}))
def test_in_a_clinic_without_ratings_the_office_sets_up_everything_at_once(clinic, name):
    ready(clinic, name)
    before = standing()
    if name in {"supervisor", "therapist", "administrator", "signing in again"}:
        with pytest.raises(IndexError):  # nothing waits
            ASK[name](clinic)
    else:
        assert not isinstance(ASK[name](clinic), ApprovalRequest)
    assert standing() != before
    assert not ApprovalRequest.objects.exists()


@pytest.mark.parametrize("name", sorted(set(ASK) - LINKS))
def test_after_48_hours_it_takes_effect_and_not_before(clinic, name, time_machine):
    start = timezone.now().replace(hour=10, minute=0)
    time_machine.move_to(start, tick=False)
    request = asked(clinic, name)
    before = standing()
    time_machine.move_to(start + timedelta(hours=48, seconds=-1), tick=False)
    assert approval_actions.take_due() == 0
    assert standing() == before
    time_machine.move_to(start + timedelta(hours=48), tick=False)
    approval_actions.take_due()
    request.refresh_from_db()
    if request.outcome == "failed":
        assert name == "cover", f"{name}: {request.why}"  # its only day is over by then
    else:
        assert (request.outcome, standing() != before) == ("waited", True)
    assert approval_actions.take_due() == 0


def test_no_page_command_or_import_goes_past_the_second_person():
    """What does these things at once is called by nothing but `approved_...` and by what takes them back."""
    past = re.compile(
        r"supervision_actions\.(start|end)_supervision|day_actions\.correct_supervision|cover_actions\.start\b"
        r"|caseload_transfer\.transfer\b|merge_actions\.(merge_clients|move_episode)\b|\bactions\.open_episode"
        r"|staff_actions\.(add_person|change_person|change_email|invite|remove_second_factor|let_back_in)\b"
        r"|group_actions\.(change_leaders|add_member)\b"
    )
    may = {
        *("approved_staff.py", "approved_records.py", "approved_supervision.py", "approved_leaders.py"),
        "create_administrator.py",  # by `approved_staff`, and then the link
        "caseload_transfer.py",  # an episode of a transfer that was approved
        "staff_actions.py",  # whom `approved_staff` lets go
    }
    found = [
        f"{path.name}: {line.strip()}"
        for room in ("alliance", "clients", "sessions_app")
        for path in (ROOT / room).rglob("*.py")
        if path.name not in may
        for line in path.read_text().splitlines()
        if past.search(line)
    ]
    assert found == []


# --- As attackers do it ---------------------------------------------------------------------------


def test_an_administrator_who_makes_themselves_a_supervisor_reads_no_caseload(clinic):
    with_marks(clinic)
    browser = browser_of(clinic.adam)
    page = reverse("clinic:person", args=[clinic.adam.pk])
    form = browser.get(page).context["form"]
    sent = {
        "name": "Adam",
        "roles": ["administrator", "supervisor"],
        "is_active": "on",
        "opened_with": form["opened_with"].value(),
    }
    answer = browser.post(page, sent, follow=True)
    assert "Waiting for a second person" in answer.text
    start = {"supervisor": clinic.stefan.pk, "therapist": clinic.olga.pk, "starts_on": f"{TODAY()}"}
    assert (
        "Waiting for a second person"
        in browser.post(reverse("clinic:start_supervision"), start, follow=True).text
    )
    assert browser.get(reverse("caseload:overview")).status_code == 403
    assert not Episode.objects.visible_to(clinic.stefan).filter(pk=clinic.olgas.pk).exists()


def test_a_second_administrator_whom_the_first_one_made_up_confirms_nothing(clinic):
    cast.rated_course(clinic.olgas, [380])
    puppet = approved_staff.add_person(
        email="puppet@clinic.example", name="Puppet", roles={Role.ADMINISTRATOR}, by=clinic.adam
    )
    puppet.refresh_from_db()
    assert puppet.roles == []
    assert {notice.person for notice in ApprovalNotice.objects.filter(request__person=puppet)} == {
        *(clinic.olga, clinic.carl, clinic.sina, clinic.stefan)
    }
    request = two_hands.ASK["supervision"](clinic)
    with pytest.raises(Refused):
        confirm(request, puppet)


def test_a_form_that_invited_somebody_draws_no_link_to_what_they_see_by_now(clinic, administrator):
    page = administrator.get(reverse("clinic:add_person"))
    sent = {"name": "Nora", "email": "nora@clinic.example", "roles": ["therapist"]}
    sent["form_key"] = page.context["form"]["form_key"].value()
    administrator.post(reverse("clinic:add_person"), sent)
    nora = User.objects.get(email=sent["email"])
    cast.rated_course(cast.episode(nora, "K-9"), [380])
    mail.outbox.clear()
    assert "/password/reset/key/" not in administrator.post(reverse("clinic:add_person"), sent).text
    assert not [one for one in mail.outbox if "/password/reset/key/" in one.body]


def test_a_supervision_in_a_file_waits_as_one_on_its_page_does(clinic):
    from sessions_app.moving_in.columns import Kind
    from tests.sessions_app.moving_in import files

    with_marks(clinic)
    line = f"{clinic.stefan.email};{clinic.olga.email};{TODAY()};"
    files.imported(Kind.SUPERVISIONS, f"supervisor;therapist;from;to\n{line}\n".encode(), clinic.adam)
    assert not Episode.objects.visible_to(clinic.stefan).filter(pk=clinic.olgas.pk).exists()
    assert ApprovalRequest.objects.get().kind == "supervision"


@pytest.mark.usefixtures("as_owner")  # the site's role is refused before a trigger speaks
def test_the_database_refuses_one_who_confirms_for_themselves(clinic):
    request = asked(clinic, "supervision")
    rows = ApprovalRequest.objects.filter(pk=request.pk)
    now = timezone.now()
    for alone in (
        {"outcome": "approved", "decided_at": now, "decided_by": clinic.adam},
        {"outcome": "approved", "decided_at": now, "decided_by": clinic.stefan},
        {"outcome": "waited", "decided_at": now},
        {"what": {"supervisor": str(clinic.adam.pk)}},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**alone)


# --- Those whom it concerns -----------------------------------------------------------------------


def test_the_therapist_is_told_on_the_work_list_and_by_mail_and_can_refuse(
    clinic, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        request = asked(clinic, "supervision")
    (sent,) = [one for one in mail.outbox if "second person" in one.subject]
    assert sorted(sent.bcc) == ["bea@clinic.example", "olga@clinic.example"]
    assert "Stefan supervises Olga" in sent.body
    assert "K-1" not in sent.body
    olgas, carls = browser_of(clinic.olga), browser_of(clinic.carl)
    page = reverse("approvals:request", args=[request.code])
    assert page in olgas.get(reverse("dashboard:work_list")).text
    assert page not in carls.get(reverse("dashboard:work_list")).text
    assert carls.get(page).status_code == carls.post(f"{page}decline/").status_code == 404
    olgas.post(f"{page}decline/", {"why": "I know nothing of it"})
    request.refresh_from_db()
    assert (request.outcome, request.why) == ("refused", "I know nothing of it")
    with pytest.raises(Refused, match="decided already"):
        confirm(request, clinic.bea)
    assert page in olgas.get(reverse("dashboard:work_list")).text, "told how it ended"
    olgas.get(page)
    assert page not in olgas.get(reverse("dashboard:work_list")).text, "and then put away"


def test_the_only_therapist_concerned_agrees_and_one_of_two_does_not(clinic):
    request = asked(clinic, "supervision")
    assert confirm(request, clinic.olga).outcome == "approved"
    cast.rated_course(clinic.carls, [380])
    merge = two_hands.ASK["merge"](clinic)
    for one_of_two in (clinic.olga, clinic.carl):
        with pytest.raises(Refused):
            confirm(merge, one_of_two)


def test_who_supervises_somebody_without_a_phone_confirms_a_new_factor(clinic):
    request = asked(clinic, "second factor")
    with pytest.raises(Refused):
        confirm(request, clinic.stefan)
    assert confirm(request, clinic.sina).outcome == "approved"


def test_who_asked_withdraws_it_once(clinic):
    request = asked(clinic, "cover")
    done = approval_actions.decline(request=request, by=clinic.adam)
    assert (done.outcome, Cover.objects.count()) == ("withdrawn", 0)
    with pytest.raises(Refused, match="decided already"):
        approval_actions.decline(request=request, by=clinic.olga)


def test_asked_twice_it_waits_once(clinic):
    request = asked(clinic, "supervision")
    with pytest.raises(Refused, match="asked for already"):
        two_hands.ASK["supervision"](clinic)
    assert ApprovalRequest.objects.get() == request


def test_what_would_be_refused_is_refused_at_once(clinic):
    with_marks(clinic)
    with pytest.raises(Refused, match="supervises themselves"):
        approved_supervision.start_supervision(
            supervisor=clinic.olga, therapist=clinic.olga, starts_on=TODAY(), by=clinic.adam
        )
    assert not ApprovalRequest.objects.exists()


def test_a_therapist_lets_a_colleague_cover_without_the_office(clinic):
    with_marks(clinic)
    days = {"starts_on": TODAY(), "ends_on": TODAY()}
    (made,) = approved_supervision.start_cover(
        episodes=[clinic.olgas], colleague=clinic.carl, **days, by=clinic.olga
    )
    assert made.colleague == clinic.carl


def test_taking_away_never_waits(clinic):
    with_marks(clinic)
    _, waiting = approved_staff.change_person(
        person=clinic.olga, name="Olga", roles=set(), is_active=False, successor=clinic.carl, by=clinic.adam
    )
    clinic.olga.refresh_from_db()
    assert (clinic.olga.is_active, [one.kind for one in waiting]) == (False, ["transfer"])
    assert Episode.objects.unseen().get() == clinic.olgas
    confirm(waiting[0], clinic.bea)
    assert Episode.objects.open().get(client=clinic.olgas.client).therapist == clinic.carl
    approved_supervision.end_supervision(
        supervision=Supervision.objects.get(supervisor=clinic.stefan), last_day=TODAY(), by=clinic.adam
    )


# --- The 48 hours ---------------------------------------------------------------------------------


def test_the_supervisors_next_read_opens_it_where_no_clock_runs(clinic, time_machine):
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    asked(clinic, "supervision")
    time_machine.move_to(start + timedelta(hours=47), tick=False)
    browser = browser_of(clinic.stefan)
    address = reverse("caseload:client", args=[clinic.olgas.code])
    assert browser.get(address).status_code == 404
    time_machine.move_to(start + timedelta(hours=48), tick=False)
    assert browser_of(clinic.stefan).get(address).status_code == 200


def test_what_an_administrator_asked_who_is_none_any_more_is_void(clinic, time_machine):
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    request = asked(clinic, "supervision")
    User.objects.filter(pk=clinic.adam.pk).update(is_administrator=False)
    with pytest.raises(Refused, match="no administrator any more"):
        confirm(request, clinic.bea)
    time_machine.move_to(start + timedelta(hours=49), tick=False)
    approval_actions.take_due()
    request.refresh_from_db()
    assert (request.outcome, Supervision.objects.filter(supervisor=clinic.stefan).count()) == ("failed", 1)


# --- An emergency ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "who"), [("supervision", "stefan"), ("cover", "carl")], ids=["supervision", "cover"]
)
def test_the_glass_is_broken_for_twelve_hours_with_a_reason_that_the_therapist_reads(
    clinic, name, who, time_machine, django_capture_on_commit_callbacks
):
    start = timezone.localtime().replace(hour=8, minute=0)  # twelve hours later it is the same day
    time_machine.move_to(start, tick=False)
    request = asked(clinic, name)
    person = getattr(clinic, who)
    sees = lambda: Episode.objects.visible_to(person).filter(pk=clinic.olgas.pk).exists()  # noqa: E731
    browser = browser_of(clinic.adam)
    page = reverse("approvals:emergency", args=[request.code])
    assert browser.post(page, {"reason": " "}).status_code == 422
    assert not sees()
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(page, {"reason": "She called from the bridge"}).status_code == 302
    assert sees()
    (told,) = [one for one in mail.outbox if "emergency" in one.subject]
    assert clinic.olga.email in told.bcc
    assert "She called from the bridge" in told.body
    assert "She called from the bridge" in browser_of(clinic.olga).get(reverse("dashboard:work_list")).text
    time_machine.move_to(start + timedelta(hours=12, seconds=1), tick=False)
    assert not sees()
    with pytest.raises(Refused, match="emergency already"):
        approval_actions.open_in_emergency(request=request, reason="again", by=clinic.bea)
    confirm(request, clinic.bea)
    assert sees()


def test_refused_by_the_therapist_an_emergency_ends_at_once(clinic):
    request = asked(clinic, "supervision")
    approval_actions.open_in_emergency(request=request, reason="x", by=clinic.adam)
    assert Episode.objects.visible_to(clinic.stefan).filter(pk=clinic.olgas.pk).exists()
    approval_actions.decline(request=request, why="no", by=clinic.olga)
    assert not Episode.objects.visible_to(clinic.stefan).filter(pk=clinic.olgas.pk).exists()
    supervision_actions.start_supervision(
        supervisor=clinic.stefan, therapist=clinic.olga, starts_on=TODAY(), by=clinic.bea
    )


def test_a_link_is_no_emergency(clinic):
    with pytest.raises(Refused, match="opens in no emergency"):
        approval_actions.open_in_emergency(request=asked(clinic, "link"), reason="x", by=clinic.adam)


# --- The command of the server --------------------------------------------------------------------


def test_the_command_gives_no_therapists_account_away_at_once(clinic, capsys, time_machine):
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    cast.rated_course(clinic.olgas, [380])
    before = standing()
    call_command("create_administrator", clinic.olga.email)
    printed = capsys.readouterr().out
    assert "waits for a second person" in printed
    assert "/password/" not in printed
    assert standing() == before
    time_machine.move_to(start + timedelta(hours=49), tick=False)
    approval_actions.take_due()
    assert standing() == before
    call_command("create_administrator", clinic.olga.email)
    assert "/password/reset/key/" in capsys.readouterr().out
    call_command("create_administrator", clinic.olga.email)
    assert "waits for a second person" in capsys.readouterr().out, "one link for one request"


def test_the_command_breaks_the_glass_and_everybody_who_sees_ratings_may_shut_it(clinic, capsys):
    cast.rated_course(clinic.olgas, [380])
    call_command("create_administrator", clinic.adam.email, "--break-glass", "He lost his phone")
    printed = capsys.readouterr().out
    assert "Good for 12 hours" in printed
    link = re.search(r"(/accounts/password/reset/key/\S+)", printed)[1]
    assert "He lost his phone" in browser_of(clinic.olga).get(reverse("dashboard:work_list")).text
    request = ApprovalRequest.objects.get()
    assert Browser().get(link).status_code == 302, "control: it is good"
    approval_actions.decline(request=request, why="He did not", by=clinic.olga)
    assert Browser().get(link).status_code == 200, "void"


# --- The log --------------------------------------------------------------------------------------


def test_the_log_tells_each_step_and_no_client(clinic):
    confirm(asked(clinic, "cover"), clinic.bea)
    told = [line.sentence for line in lines(AuditEvent.objects.filter(action__startswith="approval"))]
    assert told == [
        "Bea confirmed as the second person: a cover, for Carl",
        "Adam asked for a second person’s word: a cover, for Carl",
    ]


def test_the_list_takes_as_many_queries_for_many_as_for_few(clinic, django_assert_max_num_queries):
    asked(clinic, "supervision")
    browser = browser_of(clinic.adam)
    with django_assert_max_num_queries(30) as few:
        browser.get(reverse("approvals:list"))
    for number in range(10):
        two_hands.approved_supervision.start_supervision(
            supervisor=cast.person(f"S{number}", Role.SUPERVISOR),
            therapist=clinic.olga,
            starts_on=TODAY(),
            by=clinic.adam,
        )
    with django_assert_max_num_queries(len(few)):
        browser.get(reverse("approvals:list"))
