"""No lost updates: a walk over every form of staff, with a page that is older than what is stored."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from alliance import stale_forms
from alliance.models import AuditEvent, User
from alliance.stale_forms import NAME, Opened, Stale, as_shown, changed, opened_with
from clients import actions, cover_actions, earlier_courses, merge_actions
from clients.models import Client, Ending, Episode, Supervision
from sessions_app.courses.models import TherapySession
from sessions_app.instruments import actions as instrument_actions
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.intake import hand_over_actions, session_actions
from sessions_app.records import erasure_actions
from sessions_app.records.retention_rule import RetentionRule
from tests import cast
from tests.alliance.test_access_matrix import OURS, addresses, browser_of, snapshot, with_rows
from tests.opened import save

pytestmark = pytest.mark.django_db
TESTS = Path(__file__).parents[1]


def sent(form: forms.BaseForm) -> dict[str, Any]:
    """The form as a browser sends it, with what is in its fields now."""
    data = {}
    for one in form:
        value = one.value() if one.name == NAME else as_shown(one.field, one.value())
        if value not in (False, "", None):
            data[one.name] = "on" if value is True else value
    return data


def table(answer: Any) -> str:
    """The words of the table with both versions."""
    inside = answer.text.split('<table class="versions">')[1].split("</table>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", inside).split())


# --- Every form of staff -------------------------------------------------------------------------


@dataclass
class Edit:
    """A page that changes what is stored. meanwhile: what somebody else does after it was opened.

    shows: words of both versions; kept: what holds after the second press, of theirs and of ours.
    """

    row: Callable[[Any], object]
    meanwhile: Callable[[Any], object]
    shows: tuple[str, ...]
    kept: Callable[[Any], object]
    typed: Mapping[str, Any] = field(default_factory=dict)
    who: str = "adam"
    query: Callable[[Any], str] = lambda world: ""


def language_chosen_by_the_client(world):
    grant, _ = hand_over_actions.hand_over(session=cast.therapy_session(world.olgas), by=world.olga)
    hand_over_actions.choose_language(grant=grant, language="ar")


def person(world, **values):
    User.objects.filter(pk=world.olga.pk).update(**values)


def olga(world):
    return User.objects.get(pk=world.olga.pk)


def a_session(world):
    world.session = getattr(world, "session", None) or cast.therapy_session(
        cast.episode(world.olga, "Stale 1"), ago=timedelta(days=2)
    )
    return world.session.code


def stored_session(world):
    return TherapySession.every.get(pk=world.session.pk)


def ended_course(world):
    world.ended = getattr(world, "ended", None) or cast.episode(
        world.olga, "Stale 2", closed_on=cast.STARTED + timedelta(days=9), ending=Ending.PLANNED
    )
    return world.ended.code


def closed_otherwise(world):
    actions.reopen_episode(episode=world.ended, by=world.adam)
    today = timezone.localdate()
    actions.close_episode(episode=world.ended, closed_on=today, ending=Ending.UNPLANNED, by=world.olga)


def with_a_second_factor(world):
    Authenticator.objects.get_or_create(user=world.olga, type=Authenticator.Type.TOTP, defaults={"data": {}})
    return world.olga.pk


def another_second_factor(world):
    Authenticator.objects.filter(user=world.olga).delete()
    made = Authenticator.objects.create(user=world.olga, type=Authenticator.Type.TOTP, data={})
    Authenticator.objects.filter(pk=made.pk).update(created_at=timezone.now() + timedelta(hours=1))


def moving(world):
    if not hasattr(world, "moving"):
        first, second, third = (cast.episode(world.carl, f"Stale M{n}").client for n in range(3))
        world.records = [first, second, third]
        world.moving = cast.episode(world.olga, "Stale M9")
        Episode.objects.filter(pk=world.moving.pk).update(client=first)
    return world.moving.code


def moved_elsewhere(world):
    second = world.records[1]
    episode = Episode.objects.get(pk=world.moving.pk)
    merge_actions.move_episode(episode=episode, to=second, why="x", by=world.adam)


def other_wording(world):
    world.on = ClinicWording.objects.get(edition="2026", language="en")
    world.off = getattr(world, "off", None) or cast.wording(world.adam, on=False, edition="2027")
    return world.off.code


def another_text_on(world):
    cast.wording(world.adam, edition="2026", language="de")


def settings_now(world):
    now = ClinicSettings.objects.in_force()
    return now.instrument, now.closing


def rules_now(world):
    values = rule_settings.in_force().values("session-rating")
    return {name: values.get(name) for name in ("cutoff", "sudden_fall")}


EDITS = {
    "clients:change": Edit(
        row=lambda world: world.olgas.client.code,
        typed={"label": "K-1b"},
        meanwhile=language_chosen_by_the_client,
        shows=("Language of the form English Arabic nothing new", "Label K-1 K-1 K-1b"),
        kept=lambda world: (
            list(Client.objects.filter(pk=world.olgas.client_id).values_list("label", "language"))
            == [("K-1b", "ar")]
        ),
        who="olga",
    ),
    "clinic:person": Edit(
        row=lambda world: world.sina.pk,
        typed={"name": "Sina B."},
        meanwhile=lambda world: User.objects.filter(pk=world.sina.pk).update(
            is_active=False, is_therapist=True
        ),
        shows=(
            "May sign in yes no nothing new",
            "Name Sina Sina Sina B.",
            "Therapist: sees their own clients",
        ),
        # Roles that nobody touched here stay as the other administrator left them.
        kept=lambda world: (
            list(User.objects.filter(pk=world.sina.pk).values_list("name", "is_active", "is_therapist"))
            == [("Sina B.", False, True)]
        ),
    ),
    "clinic:change_email": Edit(
        row=lambda world: world.olga.pk,
        typed={"email": "olga.c@clinic.example"},
        meanwhile=lambda world: person(world, email="olga.b@clinic.example"),
        shows=("olga@clinic.example olga.b@clinic.example olga.c@clinic.example",),
        kept=lambda world: olga(world).email == "olga.c@clinic.example",
    ),
    "clinic:end_supervision": Edit(
        row=lambda world: Supervision.objects.get(therapist=world.olga).code,
        typed={"last_day": f"{timezone.localdate() + timedelta(days=9)}"},
        meanwhile=lambda world: Supervision.objects.filter(therapist=world.olga).update(
            ends_on=timezone.localdate() + timedelta(days=3)
        ),
        shows=(
            f"not set {timezone.localdate() + timedelta(days=3):%-d %B %Y} "
            f"{timezone.localdate() + timedelta(days=9):%-d %B %Y}",
        ),
        kept=lambda world: (
            Supervision.objects.get(therapist=world.olga).ends_on == timezone.localdate() + timedelta(days=9)
        ),
    ),
    "dashboard:change_session": Edit(
        row=a_session,
        typed={"modality": "phone"},
        meanwhile=lambda world: session_actions.change_session(
            session=stored_session(world),
            held_at=stored_session(world).held_at,
            modality="in_person",
            attendance="cancelled",
            by=world.olga,
        ),
        shows=("Attendance Attended Cancelled", "How In person In person Phone"),
        # And the seconds of the time that the page does not show are those of before.
        kept=lambda world: (
            (
                stored_session(world).modality,
                stored_session(world).attendance,
                stored_session(world).held_at,
            )
            == ("phone", "cancelled", world.session.held_at)
        ),
        who="olga",
    ),
    "settings:change": Edit(
        row=lambda world: "",
        typed={"instrument": "srs"},
        meanwhile=lambda world: cast.choose(world.adam, closing="thanks"),
        shows=("After a rating the client sees", "Only thanks", "Form of every session Session rating"),
        kept=lambda world: settings_now(world) == ("srs", "thanks"),
    ),
    "settings:rules": Edit(
        row=lambda world: "",
        typed={"cutoff": "34.0", "step": "save"},
        meanwhile=lambda world: cast.choose_rules(world.adam, sudden_fall=57),
        shows=("Below cutoff: Cutoff 36.0 36.0 34.0", "Sudden fall: Smallest fall 4.0 5.7 nothing new"),
        kept=lambda world: rules_now(world) == {"cutoff": 340, "sudden_fall": 57},
    ),
    "clients:correct_days": Edit(
        row=ended_course,
        typed={"opened_on": "2026-01-02", "why": "It began earlier"},
        meanwhile=lambda world: Episode.objects.filter(pk=world.ended.pk).update(
            closed_on=cast.STARTED + timedelta(days=3)
        ),
        shows=("Closed on", f"{cast.STARTED + timedelta(days=3):%-d %B %Y}", "2 January 2026"),
        kept=lambda world: (
            list(Episode.objects.filter(pk=world.ended.pk).values_list("opened_on", "closed_on"))
            == [(date(2026, 1, 2), cast.STARTED + timedelta(days=3))]
        ),
        who="olga",
    ),
    "clinic:correct_supervision": Edit(
        row=lambda world: Supervision.objects.get(therapist=world.olga).code,
        typed={"starts_on": "2026-01-02", "why": "It began earlier"},
        meanwhile=lambda world: Supervision.objects.filter(therapist=world.olga).update(
            ends_on=timezone.localdate() + timedelta(days=3)
        ),
        shows=("To and including not set", "2 January 2026"),
        kept=lambda world: (
            list(Supervision.objects.filter(therapist=world.olga).values_list("starts_on", "ends_on"))
            == [(date(2026, 1, 2), timezone.localdate() + timedelta(days=3))]
        ),
    ),
    "erasures:retention": Edit(
        row=lambda world: "",
        typed={"years": "10"},
        meanwhile=lambda world: erasure_actions.change_rule(years=20, years_young=25, by=world.adam),
        shows=("last episode not set 20 10", "For those under 18 not set 25 nothing new"),
        kept=lambda world: RetentionRule.objects.in_force().says == {"years": 10, "years_young": 25},
    ),
    # Pages with a button: what they say of how things stand is what is compared.
    "settings:use_again": Edit(
        row=lambda world: ClinicSettings.objects.get(version=1).code,
        meanwhile=lambda world: cast.choose(world.adam, instrument="srs"),
        shows=("Version in force 1 2",),
        kept=lambda world: settings_now(world) == ("session-rating", "marks"),
    ),
    "clients:reopen_episode": Edit(
        row=ended_course,
        meanwhile=closed_otherwise,
        shows=("Planned ending Unplanned ending",),
        kept=lambda world: Episode.objects.get(pk=world.ended.pk).is_open,
        who="olga",
    ),
    "clients:move_episode": Edit(
        row=moving,
        query=lambda world: f"?other={world.records[2].code}",
        typed={"why": "Opened under the wrong client"},
        meanwhile=moved_elsewhere,
        shows=("Stale M0, registered on", "Stale M1, registered on"),
        kept=lambda world: Episode.objects.get(pk=world.moving.pk).client == world.records[2],
    ),
    "clinic:remove_second_factor": Edit(
        row=with_a_second_factor,
        meanwhile=another_second_factor,
        shows=("Second factor set up on",),
        kept=lambda world: not Authenticator.objects.filter(user=world.olga).exists(),
    ),
    "instruments:switch_on": Edit(
        row=other_wording,
        meanwhile=another_text_on,
        shows=("Switched off by this", "German"),
        kept=lambda world: list(ClinicWording.objects.switched_on()) == [world.off],
    ),
    "dashboard:void_session": Edit(
        row=a_session,
        typed={"why": "Entered twice"},
        meanwhile=lambda world: cast.rating(world.session, 380),
        shows=("Marks none came on",),
        kept=lambda world: stored_session(world).is_voided,
        who="olga",
    ),
}

HERE = "alliance/test_stale_forms.py"
TWICE = "intake/test_sent_twice.py"
SET_ASIDE = "corrections/test_set_aside.py"
MISFILED = "corrections/test_misfiling.py"
# Pages that add a row, or act on a state: why they carry no version, and the test of the changed state.
ACTS = {
    "discard_unsaved": ("throws away what waits in one's own session", "test_it_can_be_thrown_away"),
    "still_here": ("writes nothing but that somebody is there", "test_saying_that_one_is_there_keeps_it"),
    "change_email": (
        "stores nothing: it sends a link, which names both addresses",
        "test_a_link_is_good_once_",
    ),
    "confirm_email": ("the link names the address it replaces", "test_a_link_is_good_once_"),
    "clients:register": ("adds; its key makes it once", "test_a_client_registered_twice_"),
    "clients:open_episode": ("adds; a pair has one open episode", "test_a_pair_has_one_open_episode"),
    "clients:close_episode": (
        "refused where it is closed",
        "test_what_a_second_tab_believes_does_not_close_",
    ),
    "clients:transfer_episode": ("refused where it is closed", "test_a_transfer_on_a_stale_page_is_refused"),
    "clients:transfer": (
        "names its episodes",
        "test_who_was_transferred_meanwhile_is_left_out_and_it_is_said",
    ),
    "clients:undo_transfer": ("refused where it is taken back", "test_a_transfer_is_taken_back_as_one_act"),
    "clients:arrange_cover": ("adds", "test_a_therapist_lets_a_colleague_cover_named_clients"),
    "clients:end_cover": ("says so where it is over", "test_a_cover_that_is_over_is_said"),
    "caseload:let_read": ("adds", "test_a_course_that_ended_long_ago_is_opened_to_its_therapist_by_a_cover"),
    "caseload:late_marks_seen": ("the same again is nothing", "test_after_the_end_the_therapist_is_told_"),
    "dashboard:late_marks_seen": ("the same again is nothing", "test_after_the_end_the_therapist_is_told_"),
    "dashboard:record_consent": ("adds", "test_the_clients_consent_opens_the_page_for_two_and_nothing_else"),
    "dashboard:withdraw_consent": ("the same again is nothing", "test_a_consent_is_withdrawn_once"),
    "dashboard:edit_discussion": ("carries its version", "test_two_tabs_that_edit_one_note_read_both_texts_"),
    "dashboard:take_back_discussion": (
        "carries its version",
        "test_of_words_that_changed_meanwhile_shows_them_",
    ),
    "dashboard:put_back_discussion": (
        "refused where it stands",
        "test_noted_again_meanwhile_it_is_not_put_back_",
    ),
    "dashboard:undo_discussion": (
        "refused where it was edited",
        "test_words_that_were_edited_since_are_not_",
    ),
    "dashboard:take_back_deferral": (
        "the same again is nothing",
        "test_a_decision_is_taken_back_with_a_reason_",
    ),
    "dashboard:change_follow_up": ("refused where it is another", "test_a_stale_page_changes_nothing"),
    "clients:merge": ("carries the episodes it showed", "test_what_was_not_shown_does_not_move"),
    "clients:undo_merge": ("refused where it is undone", "test_a_merge_is_undone_once"),
    "clients:undo_move": ("refused where it is undone", "test_a_move_is_undone_once"),
    "clients:tell_apart": (
        "adds once; refused where one was merged",
        "test_a_pair_that_was_merged_meanwhile_",
    ),
    "clients:undo_telling_apart": (
        "takes out once, and says so",
        "test_what_is_compared_again_already_is_said",
    ),
    "clinic:add_person": ("adds; its key makes it once", "test_a_person_added_twice_"),
    "clinic:invite": ("refused who may not sign in", "test_who_may_not_sign_in_is_not_invited"),
    "clinic:start_supervision": ("adds; a pair has one open one", "test_a_supervision_is_started_and_ended"),
    "clinic:export_log": ("writes nothing but that it was exported", "test_an_export_writes_its_line_alone"),
    "tablets:pair": ("a code pairs once", "test_a_code_pairs_once_and_for_ten_minutes"),
    "tablets:revoke": ("says so where it is revoked", "test_twice_is_told_and_sending_to_it_is_refused"),
    "instruments:load": ("adds; an edition is there once", "test_a_text_that_is_there_already_is_refused_"),
    "instruments:switch_off": ("the same again is nothing", "test_off_and_on_again_and_twice_the_same"),
    "instruments:record_licence": ("adds", "test_a_licence_is_recorded_with_who_accepted_it_and_ended"),
    "instruments:end_licence": ("refused where it is ended", "test_a_licence_is_ended_once"),
    "exports:export": (
        "writes nothing but that it was exported",
        "test_the_log_names_the_clients_whose_rows_left",
    ),
    "records:client": (
        "writes nothing but that it was made",
        "test_it_is_asked_whether_it_is_still_you_and_written_",
    ),
    "erasures:file": ("writes nothing but that it was made", "test_the_list_is_a_file_that_asks_who_you_are"),
    "erasures:ask": ("adds; one request is open", "test_a_request_can_be_called_off_and_asked_for_again"),
    "erasures:ask_for_all_due": (
        "carries how many it showed",
        "test_two_administrators_erase_who_is_due_and_the_log_",
    ),
    "erasures:batch": ("calls off who is not due any more", "test_who_comes_back_meanwhile_is_left_out"),
    "erasures:erasure": ("done once", "test_confirmed_by_two_at_once_it_is_done_once"),
    "erasures:call_off": (
        "says where it is decided",
        "test_confirmed_and_called_off_at_once_it_is_one_of_the_two",
    ),
    "import:load": ("adds a file that waits", "test_is_sealed_while_it_waits_and_gone_with_the_import"),
    "import:columns": (
        "the check of just these columns follows",
        "test_what_changed_since_the_check_stops_the_",
    ),
    "import:layout": ("the check is made anew", "test_what_changed_since_the_check_stops_the_import"),
    "import:check": ("writes what it found alone", "test_a_check_changes_nothing_and_an_import_says_"),
    "import:confirm": ("done once, as it was checked", "test_two_presses_on_one_file_import_it_once"),
    "import:remove": ("refused where it is imported", "test_a_file_can_be_removed"),
    "settings:recomputation": ("goes on with what is left", "test_it_goes_on_where_it_stopped_"),
    "rules:choose_language": ("one's own choice of one field", "test_a_choice_of_language_writes_it_alone"),
    "rules:add_question": ("adds; the same is there once", "test_one_that_is_there_already_is_refused"),
    "rules:take_out_question": ("the same again is nothing", "test_a_question_is_taken_out_once"),
    "rules:put_back_question": ("says why not", "test_what_cannot_be_put_back_says_why"),
    "dashboard:hand_over": (
        "carries the sessions it showed",
        "test_a_session_that_was_added_in_another_tab_",
    ),
    "dashboard:make_link": ("its key makes it once", "test_a_link_page_that_is_reloaded_shows_the_same_"),
    "dashboard:send": ("its key makes it once", "test_another_button_of_the_same_page_is_another_press"),
    "dashboard:on_paper": ("only leads on", "test_on_paper_only_leads_on"),
    "dashboard:enter_new_rating": ("its key makes it once", "test_a_paper_rating_sent_twice_is_stored_once_"),
    "dashboard:enter_rating": ("carries what stood", "test_marks_that_came_meanwhile_are_shown_before_"),
    "dashboard:add_session": ("its key makes it once", "test_the_same_form_sent_three_times_is_one_session_"),
    "dashboard:put_session_back": ("the same again is nothing", "test_void_read_and_put_back"),
    "dashboard:take_back": ("says whether marks came first", "test_says_so_where_it_was_taken_back"),
    "dashboard:discuss": ("words kept where flags went", "test_flags_somebody_discussed_meanwhile_lose_no_"),
    "dashboard:defer": (
        "refused where nothing calls any more",
        "test_what_was_talked_about_meanwhile_is_refused",
    ),
    "dashboard:undo_deferral": ("the same again is nothing", "test_twice_is_once"),
    "dashboard:note_follow_up": (
        "another answer is refused",
        "test_a_double_press_is_one_answer_and_another_",
    ),
    "dashboard:undo_follow_up": (
        "the same again is nothing",
        "test_undo_opens_the_question_and_keeps_the_row",
    ),
    "dashboard:use_marks": (
        "carries what stood",
        "test_is_refused_where_something_else_stands_than_was_seen",
    ),
    "dashboard:leave_marks": ("refused where it is decided", "test_use_and_leave_at_once_are_one_decision"),
    "dashboard:take_up_marks": ("refused where it is decided", "test_is_settled_and_can_be_taken_up_again"),
    "dashboard:misfile_marks": (
        "refused where it is decided",
        "test_taken_up_again_they_wait_for_a_decision",
    ),
    "dashboard:correct_rating": ("of a row that never changes", "test_what_was_corrected_meanwhile_is_not_"),
    "dashboard:put_back": (
        "of a row that never changes",
        "test_correcting_and_putting_back_at_once_leave_one_",
    ),
    "marks:set_aside": ("refused where it is done", "test_twice_and_twice_back_are_refused"),
    "marks:put_back": ("refused where it is done", "test_twice_and_twice_back_are_refused"),
}


@pytest.fixture
def world(clinic):
    return with_rows(clinic)


@pytest.fixture
def browser_for(clinic):
    def signed_in(name):
        browser = browser_of(clinic, name)
        browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
        return browser

    return signed_in


def test_every_page_of_staff_that_writes_has_its_stale_page_or_its_reason(world, browser_for):
    browsers, writes = [browser_for(one) for one in ("adam", "olga", "sina")], set()
    for name, entry in OURS:
        address = addresses(world, name, entry)[0]
        allowed = [browser.put(address).headers.get("Allow", "") for browser in browsers]
        assert any(allowed), f"{name} does not say which methods it takes"
        writes |= {name} if any("POST" in one for one in allowed) else set()
    assert not EDITS.keys() & ACTS.keys()
    assert writes == EDITS.keys() | ACTS.keys()


@pytest.mark.parametrize("name", ACTS)
def test_each_reason_has_its_test(name):
    reason, test = ACTS[name]
    assert reason
    assert [one for one in names_of_tests() if one.startswith(test)], f"{name}: there is no {test}"


@cache
def names_of_tests() -> frozenset[str]:
    found = [one for path in TESTS.rglob("test_*.py") for one in ast.walk(ast.parse(path.read_text()))]
    return frozenset(one.name for one in found if isinstance(one, ast.FunctionDef))


@pytest.mark.parametrize("name", EDITS)
def test_a_stale_save_is_refused_with_both_versions_and_nothing_is_overwritten(world, browser_for, name):
    edit, browser = EDITS[name], browser_for(EDITS[name].who)
    row = edit.row(world)
    address = reverse(name, args=[row] if row else []) + edit.query(world)
    form = {**sent(browser.get(address).context["form"]), **edit.typed}
    edit.meanwhile(world)
    before = snapshot()
    for data in ({**form, NAME: "forged"}, {**form, NAME: ""}, form):
        refused = browser.post(address, data)
        assert refused.status_code == 409, data[NAME]
        assert snapshot() == before
    words = table(refused)
    for shown in edit.shows:
        assert shown in words
    again = {**edit.typed, **sent(refused.context["form"])}
    for one, value in edit.typed.items():
        if one in refused.context["form"].fields:
            assert again[one] == value, "what was typed is still there"
    saved = browser.post(address, again)
    assert saved.status_code == 302
    assert edit.kept(world)


# --- Case 5, and its like ------------------------------------------------------------------------


@pytest.fixture
def olgas_page(clinic, sign_in):
    browser, address = sign_in(clinic.olga), reverse("clients:change", args=[clinic.olgas.client.code])
    return browser, address, sent(browser.get(address).context["form"])


def details(clinic):
    client = Client.objects.get(pk=clinic.olgas.client_id)
    return client.label, client.language, client.age_band


def test_a_stale_page_does_not_take_back_the_language_the_client_chose(clinic, olgas_page):
    browser, address, form = olgas_page
    language_chosen_by_the_client(clinic)
    refused = browser.post(address, {**form, "label": "K-1b"})
    assert (refused.status_code, details(clinic)) == (409, ("K-1", "ar", "adult"))
    assert "so nothing was saved" in refused.text
    assert 'value="K-1b"' in refused.text
    assert browser.post(address, sent(refused.context["form"])).status_code == 302
    assert details(clinic) == ("K-1b", "ar", "adult")


def test_whoever_wants_the_old_value_after_all_says_so(clinic, olgas_page):
    browser, address, form = olgas_page
    language_chosen_by_the_client(clinic)
    again = sent(browser.post(address, {**form, "label": "K-1b"}).context["form"])
    assert browser.post(address, {**again, "language": "en"}).status_code == 302
    assert details(clinic) == ("K-1b", "en", "adult")


def test_it_is_asked_again_as_often_as_it_changes_again(clinic, olgas_page):
    browser, address, form = olgas_page
    rows = Client.objects.filter(pk=clinic.olgas.client_id)
    for language in ("ar", "de", "fr"):
        rows.update(language=language)
        refused = browser.post(address, {**form, "label": "K-1b"})
        assert refused.status_code == 409
        form = sent(refused.context["form"])
    assert form["language"] == "fr"


def test_who_only_pressed_save_on_an_old_page_is_shown_what_is_new(clinic, olgas_page):
    browser, address, form = olgas_page
    language_chosen_by_the_client(clinic)
    refused = browser.post(address, form)
    assert (refused.status_code, "Arabic" in table(refused)) == (409, True)


def test_the_same_as_what_is_stored_is_saved_already(clinic, olgas_page):
    browser, address, form = olgas_page
    Client.objects.filter(pk=clinic.olgas.client_id).update(label="K-1b")
    lines = AuditEvent.objects.filter(action="client changed")
    assert browser.post(address, {**form, "label": " K-1b "}).status_code == 302
    assert not lines.exists(), "nothing was written"
    assert save(browser, address, label="K-1c", language="en", age_band="adult").status_code == 302
    assert lines.count() == 1


def test_a_change_of_another_row_is_in_nobodys_way(clinic, olgas_page):
    browser, address, form = olgas_page
    Client.objects.filter(pk=clinic.carls.client_id).update(language="ar")
    Episode.objects.filter(pk=clinic.olgas.pk).update(opened_on=cast.STARTED + timedelta(days=1))
    assert browser.post(address, {**form, "label": "K-1b"}).status_code == 302


def test_a_wrong_entry_on_a_stale_page_is_said_first_and_the_page_stays_stale(clinic, olgas_page):
    browser, address, form = olgas_page
    language_chosen_by_the_client(clinic)
    wrong = browser.post(address, {**form, "label": ""})
    assert wrong.status_code == 422
    assert browser.post(address, {**sent(wrong.context["form"]), "label": "K-1b"}).status_code == 409


def test_what_one_page_was_opened_with_is_good_for_no_other(clinic, olgas_page):
    browser, address, form = olgas_page
    other = cast.episode(clinic.olga, "K-1")
    at = reverse("clients:change", args=[other.client.code])
    refused = browser.post(at, {**form, "label": "K-1b"})
    assert (refused.status_code, "does not say what it was opened with" in refused.text) == (409, True)
    assert "not known" in table(refused)
    signed_for_another_form = browser.get(reverse("clients:reopen_episode", args=[clinic.olgas.code]))
    form[NAME] = signed_for_another_form.context["form"][NAME].value()
    assert browser.post(address, {**form, "label": "K-1b"}).status_code == 409


def test_the_hidden_value_holds_what_the_page_shows_and_no_more(clinic, olgas_page):
    browser, address, form = olgas_page
    shown = browser.get(address).context["form"].fields[NAME].clean(form[NAME])
    assert shown.values == {"label": "K-1", "language": "en", "age_band": "adult"}


def test_roles_taken_away_meanwhile_do_not_come_back_with_a_new_name(clinic, browser_for):
    browser, address = browser_for("adam"), reverse("clinic:person", args=[clinic.sina.pk])
    form = sent(browser.get(address).context["form"])
    actions.change_person(person=clinic.sina, name="Sina", roles=set(), is_active=False, by=clinic.adam)
    refused = browser.post(address, {**form, "name": "Sina B."})
    assert refused.status_code == 409
    browser.post(address, sent(refused.context["form"]))
    stands = User.objects.get(pk=clinic.sina.pk)
    assert (stands.name, stands.roles, stands.is_active) == ("Sina B.", [], False)


# --- Acts on a state that changed ----------------------------------------------------------------


def test_a_supervision_that_was_taken_back_meanwhile_is_said(clinic, browser_for):
    browser, one = browser_for("adam"), Supervision.objects.get(therapist=clinic.olga)
    address = reverse("clinic:end_supervision", args=[one.code])
    form = sent(browser.get(address).context["form"])
    one.delete()
    assert "was taken back meanwhile" in browser.post(address, form, follow=True).text


def test_a_pair_that_was_merged_meanwhile_is_not_noted_as_two(clinic, sign_in):
    one, other = (cast.episode(clinic.olga, f"Pair {n}").client for n in range(2))
    Client.objects.filter(pk=other.pk).update(merged_into=one)
    address = f"{reverse('clients:tell_apart', args=[one.code])}?other={other.code}"
    answer = sign_in(clinic.adam).post(address, follow=True)
    assert "Pair 1 was merged with another record meanwhile. Nothing was noted." in answer.text


def test_what_is_compared_again_already_is_said(clinic, sign_in):
    told = merge_actions.tell_apart(one=clinic.olgas.client, other=clinic.carls.client, by=clinic.adam)
    address, browser = reverse("clients:undo_telling_apart", args=[told.code]), sign_in(clinic.adam)
    assert "are compared again." in browser.post(address, follow=True).text
    assert "are compared again already" in browser.post(address, follow=True).text
    assert AuditEvent.objects.filter(action="clients compared again").count() <= 1


def test_a_move_is_undone_once(clinic, sign_in):
    moving_of(clinic)
    move = merge_actions.move_episode(episode=clinic.moving, to=clinic.records[1], why="x", by=clinic.adam)
    address, browser = reverse("clients:undo_move", args=[move.code]), sign_in(clinic.adam)
    assert browser.post(address).status_code == 302
    again = browser.post(address)
    assert (again.status_code, "moved back already" in again.text) == (422, True)


def moving_of(world):
    moving(world)
    world.moving.refresh_from_db()


def test_who_was_transferred_meanwhile_is_left_out_and_it_is_said(clinic, sign_in):
    other, browser = cast.episode(clinic.olga, "K-8"), sign_in(clinic.adam)
    form = {"episode": [str(clinic.olgas.code), str(other.code)], "therapist": str(clinic.carl.pk)}
    form["on"] = f"{timezone.localdate()}"
    actions.transfer_episode(
        episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam
    )
    refused = browser.post(reverse("clients:transfer"), form)
    assert (refused.status_code, "K-1 was closed or transferred meanwhile" in refused.text) == (422, True)
    assert Episode.objects.get(pk=other.pk).is_open, "nothing is done yet"
    assert str(clinic.olgas.code) not in refused.text
    assert (
        browser.post(reverse("clients:transfer"), {**form, "episode": [str(other.code)]}).status_code == 302
    )
    assert not Episode.objects.get(pk=other.pk).is_open


def test_a_cover_that_is_over_is_said(clinic, sign_in):
    today = timezone.localdate()
    days = {"starts_on": today, "ends_on": today + timedelta(days=7)}
    episodes = Episode.objects.filter(pk=clinic.olgas.pk)
    (cover,) = cover_actions.start(episodes=episodes, colleague=clinic.carl, **days, by=clinic.olga)
    address, browser = reverse("clients:end_cover", args=[cover.code]), sign_in(clinic.olga)
    assert "does not cover any more" in browser.post(address, follow=True).text
    assert "This cover is over already." in browser.post(address, follow=True).text


def test_a_consent_is_withdrawn_once(clinic):
    actions.transfer_episode(
        episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam
    )
    new = Episode.objects.open().get(client=clinic.olgas.client_id)
    clinic.olgas.refresh_from_db()
    asked = {"earlier": clinic.olgas, "episode": new, "given_on": timezone.localdate(), "by": clinic.carl}
    consent = earlier_courses.record_consent(**asked)
    for _ in range(2):
        earlier_courses.withdraw_consent(consent=consent, by=clinic.carl)
    assert AuditEvent.objects.filter(action="consent withdrawn").count() == 1


def test_a_transfer_on_a_stale_page_is_refused(clinic, sign_in):
    address, browser = reverse("clients:transfer_episode", args=[clinic.olgas.code]), sign_in(clinic.adam)
    form = {"therapist": str(clinic.carl.pk), "on": f"{timezone.localdate()}"}
    assert browser.post(address, form).status_code == 302
    again = browser.post(address, form)
    assert (again.status_code, "closed already" in again.text) == (422, True)
    assert Episode.objects.filter(client=clinic.olgas.client_id).count() == 2


def test_a_licence_is_ended_once(clinic, browser_for):
    licence, browser = cast.licence(clinic.adam), browser_for("adam")
    address = reverse("instruments:end_licence", args=[licence.code])
    assert browser.post(address).status_code == 302
    again = browser.post(address)
    assert (again.status_code, "ended already" in again.text) == (422, True)


def test_a_question_is_taken_out_once(clinic, sign_in):
    question, browser = cast.question(clinic.adam), sign_in(clinic.adam)
    for _ in range(2):
        assert browser.post(reverse("rules:take_out_question", args=[question.code])).status_code == 302
    assert AuditEvent.objects.filter(action="question taken out").count() == 1


def test_a_choice_of_language_writes_it_alone(clinic, sign_in):
    browser = sign_in(clinic.olga)
    browser.get(reverse("account_security"))
    person(clinic, name="Olga B.")
    browser.post(reverse("rules:choose_language"), {"language": "de"})
    assert (olga(clinic).name, olga(clinic).question_language) == ("Olga B.", "de")


def test_on_paper_only_leads_on(clinic, sign_in):
    address, browser = reverse("dashboard:on_paper", args=[clinic.olgas.code]), sign_in(clinic.olga)
    before = snapshot()
    assert browser.post(address, {"session": "new"}).status_code == 302
    assert snapshot() == before


def test_an_export_writes_its_line_alone(clinic, browser_for):
    browser = browser_for("adam")
    before = snapshot()
    assert browser.post(reverse("clinic:export_log")).status_code == 200
    assert snapshot() == before


# --- Forms that add ------------------------------------------------------------------------------


def test_a_client_registered_twice_is_one_client(clinic, sign_in):
    browser, address = sign_in(clinic.olga), reverse("clients:register")
    form = {**sent(browser.get(address).context["form"]), "label": "K-9"}
    pressed = [browser.post(address, form) for _ in range(3)]
    (episode,) = Episode.objects.filter(client__label="K-9")
    assert [one.url for one in pressed] == [reverse("dashboard:client", args=[episode.code])] * 3
    assert AuditEvent.objects.filter(action="client registered").count() == 1
    # Typed anew it is asked about, and can be another client.
    fresh = {**sent(browser.get(address).context["form"]), "label": "K-9"}
    assert browser.post(address, fresh).status_code == 422
    assert browser.post(address, {**fresh, "same_label": "on"}).status_code == 302
    assert Client.objects.filter(label="K-9").count() == 2


def test_a_key_of_a_colleagues_page_registers_a_client_of_ones_own(clinic, sign_in):
    form = {"label": "K-9", "language": "en", "age_band": "adult", "opened_on": "2026-01-08"}
    form["form_key"] = str(uuid4())
    for who in (clinic.olga, clinic.carl):
        assert sign_in(who).post(reverse("clients:register"), form).status_code == 302
    assert {one.therapist for one in Episode.objects.filter(client__label="K-9")} == {
        clinic.olga,
        clinic.carl,
    }


def test_a_person_added_twice_is_one_person_with_an_invitation_that_opens(clinic, browser_for, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    browser, address = browser_for("adam"), reverse("clinic:add_person")
    form = sent(browser.get(address).context["form"])
    form |= {"name": "Nora", "email": "nora@clinic.example", "roles": ["therapist"]}
    pressed = [browser.post(address, form) for _ in range(2)]
    assert [one.status_code for one in pressed] == [200, 200]
    assert User.objects.filter(name="Nora").count() == 1
    link = re.search(r"/accounts/password/reset/key/[^\s<\"]+", pressed[1].text)[0]
    assert "set-password" in type(browser)().get(link).url
    other = {**form, "form_key": str(uuid4())}
    assert browser.post(address, other).status_code == 422


# --- The mechanism itself ------------------------------------------------------------------------


class _Form(forms.Form):
    name = forms.CharField()
    on = forms.BooleanField(required=False)
    kinds = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")], required=False)
    at = forms.DateTimeField(required=False, widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M"))

    def __init__(self, data=None, *, stored):
        super().__init__(data, initial=stored)
        opened_with(self, row=1, stored=stored)


STORED = {"name": "x", "on": True, "kinds": ["b", "a"], "at": None}


def read(form: _Form) -> Opened:
    return form.fields[NAME].clean(form[NAME].value())


@pytest.mark.parametrize(
    "typed",
    [{"name": "y"}, {"on": False}, {"kinds": ["a"]}, {"at": timezone.now()}, {"name": "y", "on": False}],
)
def test_only_what_was_changed_is_to_be_written(typed):
    found = changed(read(_Form(stored=STORED)), stored=STORED, typed={**STORED, **typed})
    assert found == typed
    assert changed(None, stored=STORED, typed={**STORED, **typed}) == typed, "nobody opened a page"


def test_values_that_a_page_shows_alike_are_one():
    stored = {**STORED, "at": timezone.now().replace(second=31)}
    typed = {**stored, "at": stored["at"].replace(second=0, microsecond=0), "kinds": {"a", "b"}}
    assert changed(read(_Form(stored=stored)), stored=stored, typed=typed) == {}


def test_both_versions_on_a_form_without_a_page_of_before():
    form = _Form(QueryDict("name=y&kinds=a"), stored=STORED)
    assert form.is_valid()
    with pytest.raises(Stale) as stale:
        changed(form.cleaned_data[NAME], stored=STORED, typed={**STORED, "name": "y"})
    stale_forms.show_both(form, stale.value)
    assert [(one.label, one.opened, one.stored, one.typed) for one in form.versions] == [
        ("Name", None, "x", "y"),
        ("On", None, "yes", "no"),
        ("Kinds", None, "A, B", "A"),
        ("At", None, "not set", "not set"),
    ]
    assert sent(form) | {NAME: ""} == {"name": "y", "kinds": ["a"], NAME: ""}


def test_switching_on_twice_is_once(clinic):
    wording = cast.wording(clinic.adam)
    seen = Opened({"Switched off by this": "something else"}, {})
    assert instrument_actions.switch_on(wording=wording, by=clinic.adam, opened_with=seen).is_on
