"""No lost updates: a walk over every form of staff, with a page that is older than what is stored."""

import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django import forms
from django.http import QueryDict
from django.test import RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from alliance import stale_forms
from alliance.models import AuditEvent, User
from alliance.stale_forms import NAME, Opened, Stale, as_shown, changed, opened_with
from clients import cover_actions, earlier_courses, merge_actions, staff_actions
from clients.models import Client, Episode, Supervision
from sessions_app.instruments import actions as instrument_actions
from tests import cast
from tests.alliance.page_table import OURS, addresses, browser_of, snapshot, with_rows
from tests.alliance.stale_acts import ACTS
from tests.alliance.stale_pages import EDITS, language_chosen_by_the_client, moving, olga, person
from tests.built_once import built_once, copy_of
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


@pytest.fixture
def browser_for(clinic):
    def signed_in(name):
        browser = browser_of(clinic, name)
        browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
        return browser

    return signed_in


@pytest.mark.parametrize("name", ACTS)
def test_each_reason_has_its_test(name):
    reason, test = ACTS[name]
    assert reason
    assert [one for one in names_of_tests() if one.startswith(test)], f"{name}: there is no {test}"


@cache
def names_of_tests() -> frozenset[str]:
    # Formatted as they are, a line that begins with `def` is a function; to parse them all took seconds.
    written = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)
    return frozenset(name for path in TESTS.rglob("test_*.py") for name in written.findall(path.read_text()))


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, lambda: with_rows(cast.clinic())) as made:
        yield made


class TestEveryForm:
    @pytest.fixture
    def world(self, built, db):
        return copy_of(built)

    @pytest.fixture
    def clinic(self, world):
        return world

    def test_every_page_of_staff_that_writes_has_its_stale_page_or_its_reason(self, world):
        writes = set()
        for name, entry in OURS:
            address = addresses(world, name, entry)[0]
            view = resolve(urlsplit(address).path)
            # Past the site, which refuses this method before any page is asked.
            allowed = view.func(RequestFactory().put(address), *view.args, **view.kwargs).headers.get(
                "Allow", ""
            )
            assert allowed, f"{name} does not say which methods it takes"
            writes |= {name} if "POST" in allowed else set()
        assert not EDITS.keys() & ACTS.keys()
        assert writes == EDITS.keys() | ACTS.keys()

    @pytest.mark.parametrize("name", EDITS)
    def test_a_stale_save_is_refused_with_both_versions_and_nothing_is_overwritten(
        self, world, browser_for, name
    ):
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
    staff_actions.change_person(person=clinic.sina, name="Sina", roles=set(), is_active=False, by=clinic.adam)
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
    cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
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
    cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=timezone.localdate(), by=clinic.adam)
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
