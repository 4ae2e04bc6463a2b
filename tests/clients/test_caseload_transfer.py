"""Clients who change hands: found, chosen, looked at, transferred in one step, and taken back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients import actions, caseload_transfer, cover_actions, staff_actions
from clients.caseload_forms import CaseloadTransferForm
from clients.caseload_transfer import Move
from clients.models import CaseloadTransfer, Client, Ending, Episode, EpisodeTransfer, Supervision
from tests import cast
from tests.opened import save

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def page(name, *args, query=""):
    return reverse(f"clients:{name}", args=args) + query


def caseload(therapist, many, prefix="A"):
    return [cast.episode(therapist, f"{prefix}-{number:02}") for number in range(many)]


def without_sign_in(person):
    User.objects.filter(pk=person.pk).update(is_active=False)
    person.refresh_from_db()


def labels_on(response):
    return [client.label for client in response.context["clients"]]


# --- Found ---------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_therapist_team_and_state(clinic, sign_in):
    caseload(clinic.carl, 2, "C")
    cast.episode(clinic.carl, "C-over", closed_on=cast.STARTED, ending="planned")
    browser = sign_in(clinic.adam)
    for query, found in (
        (f"?therapist={clinic.carl.pk}", ["C-00", "C-01", "K-2"]),
        (f"?therapist={clinic.carl.pk}&show=closed", ["C-over"]),
        (f"?supervisor={clinic.sina.pk}", ["K-1"]),
        (f"?supervisor={clinic.stefan.pk}&show=all&q=over", ["C-over"]),
        (f"?therapist={uuid4()}", ["C-00", "C-01", "K-1", "K-2"]),
        ("?show=unseen", []),
    ):
        assert labels_on(browser.get(page("list", query=query))) == found, query
    Supervision.objects.filter(supervisor=clinic.sina).update(
        ends_on=TODAY() - timedelta(days=1), starts_on=cast.STARTED
    )
    assert labels_on(browser.get(page("list", query=f"?supervisor={clinic.sina.pk}"))) == []


def test_the_filter_by_therapist_names_nobody_who_treats_nobody(clinic, sign_in):
    """The administrator and the supervisors stood in it. Who treated once stays, whatever their roles now."""
    User.objects.filter(pk=clinic.carl.pk).update(is_therapist=False, is_supervisor=True)
    form = sign_in(clinic.adam).get(page("list")).context["search"]
    said = str(form["therapist"])
    for name, is_there in (("Olga", True), ("Carl", True), ("Sina", False), ("Adam", False)):
        assert (name in said) == is_there, name
    assert "Sina" in str(form["supervisor"])
    log = sign_in(clinic.adam).get(reverse("clinic:log")).text
    assert all(name in log for name in ("Olga", "Sina", "Adam"))  # whoever works here has done something


def test_a_therapist_is_offered_no_filter_by_colleagues(clinic, sign_in):
    answer = sign_in(clinic.olga).get(page("list", query=f"?therapist={clinic.carl.pk}"))
    assert labels_on(answer) == ["K-1"]
    assert "Team of" not in answer.text
    assert "Transfer" not in answer.text


def test_open_episodes_that_nobody_sees_are_said_and_found(clinic, sign_in):
    browser = sign_in(clinic.adam)
    assert "nobody sees" not in browser.get(page("list")).text
    without_sign_in(clinic.olga)
    assert "1 open episode nobody sees" in browser.get(page("list")).text
    assert labels_on(browser.get(page("list", query="?show=unseen"))) == ["K-1"]


def test_a_client_imported_without_a_therapist_is_found_and_given_an_episode(clinic, sign_in):
    imported = Client.objects.create(label="P-7", language="en")
    merged = Client.objects.create(label="P-8", language="en", merged_into=imported)
    browser = sign_in(clinic.adam)
    answer = browser.get(page("list", query="?show=none"))
    assert labels_on(answer) == ["P-7"]
    assert "Transfer the ticked" not in answer.text
    assert page("open_episode", imported.code) in answer.text
    assert browser.get(page("client", imported.code)).status_code == 200
    assert browser.get(page("client", merged.code))["Location"] == page("client", imported.code)
    fields = {"therapist": clinic.carl.pk, "opened_on": TODAY()}
    browser.post(page("open_episode", imported.code), fields)
    assert Episode.objects.get(client=imported).therapist == clinic.carl
    assert labels_on(browser.get(page("list", query="?show=none"))) == []


def test_no_therapist_is_shown_a_client_without_an_episode(clinic, sign_in):
    imported = Client.objects.create(label="P-7", language="en")
    browser = sign_in(clinic.olga)
    assert labels_on(browser.get(page("list", query="?show=none"))) == ["K-1"]
    assert browser.get(page("client", imported.code)).status_code == 404


# --- Transferred ---------------------------------------------------------------------------------


def test_a_therapist_who_left_with_22_open_clients_is_followed_in_one_step(clinic, sign_in):
    caseload(clinic.olga, 21)
    without_sign_in(clinic.olga)
    browser = sign_in(clinic.adam)
    asked = browser.post(page("transfer"), {"all": "1", "therapist": clinic.olga.pk})
    assert asked.text.count('name="episode"') == 22
    codes = [str(episode.code) for episode in Episode.objects.filter(therapist=clinic.olga)]
    done = browser.post(
        page("transfer"), {"episode": codes, "on": TODAY().isoformat(), "therapist": clinic.carl.pk}
    )
    made = CaseloadTransfer.objects.get()
    assert done.url == page("transferred", made.code)
    assert "22 clients transferred" in browser.get(done.url).text
    assert not Episode.objects.open().filter(therapist=clinic.olga).exists()
    assert Episode.objects.open().filter(therapist=clinic.carl).count() == 23
    assert AuditEvent.objects.filter(action="episode opened").count() == 22


def test_each_client_can_go_to_somebody_else_or_stay(clinic, sign_in):
    stays, goes, other = caseload(clinic.olga, 3)
    otto = cast.person("Otto", Role.THERAPIST)
    data = {
        "episode": [one.code for one in (stays, goes, other)],
        "on": TODAY().isoformat(),
        "therapist": clinic.carl.pk,
        f"to_{stays.code}": "stays",
        f"to_{other.code}": otto.pk,
    }
    sign_in(clinic.adam).post(page("transfer"), data)
    now = {
        one.client.label: one.therapist.name
        for one in Episode.objects.open().filter(client__label__startswith="A")
    }
    assert now == {"A-00": "Olga", "A-01": "Carl", "A-02": "Otto"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"therapist": ""}, "Choose who takes over A-00, A-01."),
        ({"on": "1989-01-01"}, "This day is before 1990"),
        ({"on": "3026-01-01"}, "This day is still to come"),
        ({"therapist": "olga"}, "Everybody would stay where they are"),
        ({"therapist": "sina"}, "Select a valid choice"),
        (
            {"on": (cast.STARTED - timedelta(days=1)).isoformat()},
            "A-00: An episode cannot close before it was opened",
        ),
    ],
)
def test_a_refused_transfer_keeps_what_was_chosen_and_moves_nobody(clinic, sign_in, wrong, said):
    first, second = caseload(clinic.olga, 2)
    if wrong.get("therapist") in {"olga", "sina"}:
        wrong = {"therapist": getattr(clinic, wrong["therapist"]).pk}
    data = {"episode": [first.code, second.code], "on": TODAY().isoformat(), "therapist": clinic.carl.pk}
    answer = sign_in(clinic.adam).post(page("transfer"), {**data, **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    assert answer.text.count('name="episode"') == 2
    assert not EpisodeTransfer.objects.exists()
    assert Episode.objects.open().filter(therapist=clinic.olga).count() == 3


def test_sessions_after_the_day_are_said_once_for_all_and_nobody_moves(clinic, sign_in):
    rows = caseload(clinic.olga, 3)
    for row, days in zip(rows[:2], (2, 1), strict=True):
        cast.therapy_session(row, ago=timedelta(days=days))
    last = TODAY() - timedelta(days=1)
    data = {
        "episode": [one.code for one in rows],
        "on": (TODAY() - timedelta(days=9)).isoformat(),
        "therapist": clinic.carl.pk,
    }
    browser = sign_in(clinic.adam)
    answer = browser.post(page("transfer"), data)
    said = f"2 of these clients had sessions after this day, the last on {last:%-d %B %Y}. See the table."
    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors() == [said]
    only = browser.post(page("transfer"), {**data, f"to_{rows[0].code}": "stays"})
    assert "One of these clients had sessions after this day" in only.text
    assert not EpisodeTransfer.objects.exists()
    assert browser.post(page("transfer"), {**data, "on": last.isoformat()}).status_code == 302


def test_nothing_chosen_leads_back_to_the_list(clinic, sign_in):
    browser = sign_in(clinic.adam)
    for answer in (
        browser.post(page("transfer")),
        browser.get(page("transfer")),
        browser.post(page("transfer"), {"client": "x"}),
    ):
        assert answer.url == page("list")


def test_a_transfer_is_all_or_nothing_and_names_everybody_who_cannot_go(clinic):
    rows = caseload(clinic.olga, 3)
    for row in rows[:2]:
        Episode.objects.create(client=row.client, therapist=clinic.carl, opened_on=cast.STARTED)
    with pytest.raises(Refused) as refusal:
        caseload_transfer.transfer(moves=[Move(row, clinic.carl) for row in rows], on=TODAY(), by=clinic.adam)
    assert "A-00: A-00 is in therapy with Carl already." in str(refusal.value)
    assert "A-01: " in str(refusal.value)
    assert not CaseloadTransfer.objects.exists()
    assert Episode.objects.open().filter(therapist=clinic.olga).count() == 4


def test_a_transfer_of_nobody_is_refused(clinic):
    with pytest.raises(Refused, match="No client is chosen"):
        caseload_transfer.transfer(moves=[], on=TODAY(), by=clinic.adam)
    assert not CaseloadTransfer.objects.exists()


def test_thirty_clients_on_the_page_cost_no_more_queries_than_three(clinic, sign_in):
    browser = sign_in(clinic.adam)

    def queries(prefix, many):
        caseload(clinic.olga, many, prefix)
        with CaptureQueriesContext(connection) as found:
            answer = browser.post(page("transfer"), {"all": "1", "q": prefix})
        assert answer.text.count('name="episode"') == many
        return len(found)

    queries("W", 1)
    assert queries("X", 3) == queries("Y", 30)


def test_the_page_of_a_transfer_costs_as_much_for_thirty_as_for_three(clinic, sign_in):
    browser, counts = sign_in(clinic.adam), []
    for prefix, many in (("W", 1), ("X", 3), ("Y", 30)):
        moves = [Move(one, clinic.carl) for one in caseload(clinic.olga, many, prefix)]
        made = caseload_transfer.transfer(moves=moves, on=TODAY(), by=clinic.adam)
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page("transferred", made.code)).status_code == 200
        counts.append(len(found))
    assert counts[1] == counts[2]


# --- Taken back ----------------------------------------------------------------------------------


def transferred(clinic, *episodes):
    moves = [Move(one, clinic.carl) for one in episodes]
    return caseload_transfer.transfer(moves=moves, on=TODAY(), by=clinic.adam)


def test_a_transfer_is_taken_back_as_one_act(clinic, sign_in):
    rows = caseload(clinic.olga, 3)
    made, browser = transferred(clinic, *rows), sign_in(clinic.adam)
    assert "Take this transfer back" in browser.get(page("transferred", made.code)).text
    browser.post(page("undo_transfer", made.code))
    assert {one.is_open for one in Episode.objects.filter(pk__in=[row.pk for row in rows])} == {True}
    assert Episode.objects.filter(therapist=clinic.carl).count() == 1, (
        "the new ones, in which nothing was, are gone"
    )
    assert AuditEvent.objects.filter(action="episode taken away").count() == 3
    again = browser.post(page("undo_transfer", made.code), follow=True)
    assert "taken back already" in again.text
    assert "and taken back" in again.text


def test_is_not_taken_back_where_something_was_written_in_a_new_episode(clinic):
    first, second = caseload(clinic.olga, 2)
    made = transferred(clinic, first, second)
    new = Episode.objects.open().get(client=second.client)
    cover_actions.start(
        episodes=[new],
        colleague=cast.person("Otto", Role.THERAPIST),
        starts_on=TODAY(),
        ends_on=TODAY(),
        by=clinic.carl,
    )
    with pytest.raises(Refused, match="Something was written in the new episode already: A-01"):
        caseload_transfer.undo(made=made, by=clinic.adam)
    assert Episode.objects.open().filter(therapist=clinic.carl).count() == 3, "the other one stays too"
    first.refresh_from_db()
    assert first.ending == Ending.TRANSFERRED


def test_is_not_taken_back_where_a_new_episode_has_ended_since(clinic):
    first, second = caseload(clinic.olga, 2)
    made = transferred(clinic, first, second)
    new = Episode.objects.open().get(client=second.client)
    actions.close_episode(episode=new, closed_on=TODAY(), ending="planned", by=clinic.carl)
    for reopened in (False, True):  # that it was closed once stays written down
        if reopened:
            actions.reopen_episode(episode=new, by=clinic.carl)
        with pytest.raises(Refused, match="Something was written in the new episode already: A-01"):
            caseload_transfer.undo(made=made, by=clinic.adam)
    first.refresh_from_db()
    assert first.ending == Ending.TRANSFERRED


def test_is_not_taken_back_to_somebody_who_left(clinic):
    (row,) = caseload(clinic.olga, 1)
    made = transferred(clinic, row)
    without_sign_in(clinic.olga)
    with pytest.raises(Refused, match="Olga is not a therapist who may sign in"):
        caseload_transfer.undo(made=made, by=clinic.adam)
    assert Episode.objects.open().filter(client=row.client).get().therapist == clinic.carl


# --- Who leaves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"is_active": False}, {"roles": {Role.SUPERVISOR}}])
def test_a_therapist_who_leaves_cannot_leave_open_episodes_unseen(clinic, change):
    leave = {"person": clinic.olga, "name": "Olga", "roles": {Role.THERAPIST}, "is_active": True, **change}
    with pytest.raises(Refused, match="Olga has 1 open client, whom nobody would see"):
        staff_actions.change_person(**leave, by=clinic.adam)
    clinic.olga.refresh_from_db()
    assert (clinic.olga.is_active, clinic.olga.is_therapist) == (True, True)
    with pytest.raises(Refused, match="not a therapist"):
        staff_actions.change_person(**leave, successor=clinic.sina, by=clinic.adam)
    staff_actions.change_person(**leave, successor=clinic.carl, by=clinic.adam)
    assert not Episode.objects.unseen().exists()
    assert Episode.objects.open().get(client=clinic.olgas.client).therapist == clinic.carl


def test_whoever_treats_nobody_leaves_without_a_question(clinic, administrator):
    url = reverse("clinic:person", args=[clinic.sina.pk])
    assert "Takes over" not in administrator.get(url).text
    assert save(administrator, url, name="Sina", roles=["supervisor"]).status_code == 302


def test_the_page_of_a_person_asks_who_takes_over_and_leads_to_the_caseload(clinic, administrator):
    url = reverse("clinic:person", args=[clinic.olga.pk])
    asked = administrator.get(url).text
    assert "Takes over the open clients" in asked
    address = page("transfer", query=f"?all=1&therapist={clinic.olga.pk}")
    assert address.replace("&", "&amp;") in asked
    assert administrator.get(address).text.count('name="episode"') == 1
    leaves = {"name": "Olga", "roles": ["therapist"]}
    refused = save(administrator, url, **leaves)
    assert refused.status_code == 422
    assert "whom nobody would see" in refused.text
    assert administrator.post(url, {**leaves, "successor": clinic.olga.pk}).status_code == 422
    assert save(administrator, url, **leaves, successor=clinic.carl.pk).status_code == 302


def test_a_therapist_who_left_is_not_given_an_open_episode_back(clinic):
    actions.close_episode(episode=clinic.olgas, closed_on=TODAY(), ending="planned", by=clinic.olga)
    without_sign_in(clinic.olga)
    for reopen in (
        lambda: actions.reopen_episode(episode=clinic.olgas, by=clinic.adam),
        lambda: actions.open_episode(
            client=clinic.olgas.client, therapist=clinic.olga, opened_on=TODAY(), by=clinic.adam
        ),
    ):
        with pytest.raises(Refused, match="not a therapist who may sign in"):
            reopen()


def test_nobody_is_offered_to_go_to_the_therapist_they_are_with(clinic, sign_in):
    episodes = [*caseload(clinic.olga, 1), *caseload(clinic.carl, 1, "C")]
    form = CaseloadTransferForm(episodes=episodes)
    for episode in episodes:
        offered = [name for _, name in form.fields[f"to_{episode.code}"].choices]
        assert f"Stays with {episode.therapist}" in offered
        assert str(episode.therapist) not in offered
        assert {str(clinic.olga), str(clinic.carl)} - {str(episode.therapist)} <= set(offered)
