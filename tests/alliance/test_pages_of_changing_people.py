"""Pages with a client's data, and people whose right began, ended, is for a while, or comes from one of two roles.

Which rows they see is tested condition by condition in `test_rules_deleted`; which role opens which page in
`test_access_matrix`. Here both meet: one request of each person for each sort of page.
"""

import pytest
from django.urls import reverse
from django.utils import timezone

from alliance.models import Role
from clients.models import Episode
from sessions_app.flags import discussion_actions
from tests import cast
from tests.alliance.page_table import browser_of
from tests.alliance.whole_cast import whole_cast
from tests.built_once import built_once, copy_of

pytestmark = pytest.mark.django_db
WORDS, MARKS = "canary-3e9a", "31.7"
# Who treats Olga's client, today or in her place, and who supervises her today.
TREAT = {"olga", "covers", "covers in an emergency"}
SUPERVISE = {"sina", "supervisor of today alone", "supervisor in an emergency"}
OFFICE = {"adam", "office and therapist", "office and supervisor"}
# Of Olga's course: {page: who reads it}. "client": the code is the client's.
PAGES = {
    "dashboard:client": TREAT,
    "together:choose": TREAT,
    "caseload:client": SUPERVISE,
    "questionnaires:panels": TREAT | SUPERVISE,
    "clients:who_looked": TREAT | SUPERVISE,
    "supervision:ask": SUPERVISE,
    "records:client": TREAT,
    "clients:client": {"olga"} | OFFICE,
}
OF_CLIENTS = {"records:client", "clients:client"}
SHOW_MARKS = {"dashboard:client", "together:choose", "caseload:client"}
LISTS = {
    "dashboard:work_list": TREAT,
    "caseload:overview": SUPERVISE,
    "clients:list": {"olga"} | OFFICE,
}


def with_everybody():
    clinic = cast.clinic()
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 317, comment=WORDS)
    discussion_actions.discuss(flags=session.flags.all(), said=WORDS, agreed=WORDS, by=clinic.olga)
    people = whole_cast(clinic)
    people["office and therapist"] = cast.person("Office.t", Role.ADMINISTRATOR, Role.THERAPIST)
    people["office and supervisor"] = cast.person("Office.s", Role.ADMINISTRATOR, Role.SUPERVISOR)
    clinic.people = people
    return clinic


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, with_everybody) as made:
        yield made


@pytest.fixture
def world(built, db):
    return copy_of(built)


def text_of(answer):
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.text


def opened(world, person, pages, episode):
    """{page: what is read there} of the pages of this course that open for this person."""
    world.someone, found = person, {}
    browser = browser_of(world, "someone")
    for name in pages:
        answer = browser.get(reverse(name, args=[(episode.client if name in OF_CLIENTS else episode).code]))
        text = text_of(answer)
        if answer.status_code == 200:
            found[name] = text
        else:
            assert answer.status_code in {302, 403, 404}, (person.name, name)
            assert not says(text), f"{person.name} is refused at {name} and reads it all the same"
    return found


def says(text):
    return WORDS in text or MARKS in text


def test_a_right_that_began_ended_or_lasts_for_a_while_opens_each_sort_of_page_or_none(world):
    wrong = []
    for who, person in world.people.items():
        read = opened(world, person, PAGES, world.olgas)
        expected = {name for name, readers in PAGES.items() if who in readers}
        if set(read) != expected:
            wrong.append(f"{who}: {sorted(set(read) ^ expected)}")
        if who in OFFICE and any(says(text) for text in read.values()):
            wrong.append(f"{who} is of the office and reads marks")
        wrong += [f"{who}: {name}" for name in SHOW_MARKS & set(read) if not says(read[name])]
    assert wrong == []


def test_no_list_names_a_client_to_somebody_whose_right_is_over_or_has_not_begun(world):
    world.olgas.client.label = "canary-label"
    world.olgas.client.save()
    wrong = []
    for who, person in world.people.items():
        world.someone = person
        browser = browser_of(world, "someone")
        for name, readers in LISTS.items():
            named = "canary-label" in text_of(browser.get(reverse(name)))
            if named != (who in readers):
                wrong.append(f"{who}: {name}")
    assert wrong == []


def test_of_two_roles_each_opens_its_own_pages_and_lends_the_other_nothing(world):
    both, office = world.people["both"], world.people["office and therapist"]
    own = Episode.objects.get(therapist=both)
    of_office = cast.episode(office, "of office")
    for one in (own, of_office, world.carls):
        cast.rating(cast.therapy_session(one), 317, comment=WORDS)
    treats = {name for name, readers in PAGES.items() if "olga" in readers}
    supervises = {name for name, readers in PAGES.items() if "sina" in readers}
    # Therapist, and supervisor of Carl: who treats one client does not supervise that course, and the other way round.
    assert set(opened(world, both, PAGES, own)) == treats
    assert set(opened(world, both, PAGES, world.carls)) == supervises
    # Therapist and administrator: the marks of the own client, of others what the office sees.
    read = opened(world, office, PAGES, of_office)
    assert set(read) == treats
    assert says(read["dashboard:client"])
    read = opened(world, office, PAGES, world.carls)
    assert set(read) == {"clients:client"}
    assert not says(read["clients:client"])


def test_after_a_transfer_each_therapist_opens_their_own_part_alone(world):
    before = cast.episode(cast.person("Gave", Role.THERAPIST), "transferred")
    after = cast.person("Took", Role.THERAPIST)
    cast.rating(cast.therapy_session(before), 317, comment=WORDS)
    new = cast.transfer(episode=before, therapist=after, on=timezone.localdate(), by=world.adam)
    pages = ["dashboard:client", "together:choose", "questionnaires:panels", "clients:who_looked"]
    before.refresh_from_db()
    assert set(opened(world, before.therapist, pages, before)) == {*pages}
    assert opened(world, before.therapist, pages, new) == {}
    assert opened(world, after, pages, before) == {}
    read = opened(world, after, pages, new)
    assert set(read) == {*pages}
    assert not any(says(text) for text in read.values())
