"""Labels that read alike: found by every search, asked about when they are typed, listed for the administrator."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alliance.log_events import LogEvent
from alliance.models import AuditEvent, User
from clients import duplicates, merge_actions
from clients.forms import ClientSearch, PersonSearch
from clients.log_forms import LogSearch
from clients.models import Client, DifferentClients
from clients.staff_actions import add_person
from sessions_app.courses.tablets import PairedTablet
from tests import cast
from tests.opened import save

pytestmark = pytest.mark.django_db
NEW = {"language": "en", "age_band": "adult", "opened_on": "2026-01-08"}


def pairs():
    return [(pair.one.label, pair.other.label, pair.same) for pair in duplicates.possible_duplicates()]


# --- Search --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("ägir", "Ägir 7"),
        ("agir", "Ägir 7"),
        ("a\u0308gir", "Ägir 7"),
        ("ÉLODIE", "Élodie B."),
        ("жанна", "Жанна К."),
    ],
)
def test_search_finds_a_label_with_accents_or_in_cyrillic_in_any_spelling(clinic, asked, label):
    for one in ("Ägir 7", "Élodie B.", "Жанна К."):
        cast.episode(clinic.olga, one)
    assert [client.label for client in ClientSearch({"q": asked}).found_for(clinic.olga)] == [label]
    assert LogSearch({"client": asked}).about == {Client.objects.get(label=label).code}
    add_person(email="a@clinic.example", name=label, roles=set(), by=clinic.adam)
    assert [person.name for person in PersonSearch({"q": asked}).found()] == [label]


def test_a_person_is_found_by_a_part_of_the_address_in_any_case(clinic):
    assert clinic.olga in PersonSearch({"q": "OLGA@CLIN"}).found()


# --- Every write keeps the keys ------------------------------------------------------------------


def by_save(row, label):
    row.label = label
    row.save()


def by_save_of_the_label(row, label):
    row.label = label
    row.save(update_fields=["label"])


def by_update(row, label):
    Client.objects.filter(pk=row.pk).update(label=label)


def by_bulk_update(row, label):
    row.label = label
    Client.objects.bulk_update([row], ["label"])


def by_update_or_create(row, label):
    Client.objects.update_or_create(pk=row.pk, defaults={"label": label})


def by_upsert(row, label):
    row.label = label
    Client.objects.bulk_create([row], update_conflicts=True, unique_fields=["id"], update_fields=["label"])


def anew(row, label):
    Client.objects.filter(pk=row.pk).delete()
    Client.objects.create(pk=row.pk, label=label)


def in_bulk(row, label):
    Client.objects.filter(pk=row.pk).delete()
    Client.objects.bulk_create([Client(pk=row.pk, label=label)])


WRITES = [
    *(by_save, by_save_of_the_label, by_update, by_bulk_update, by_update_or_create, by_upsert, anew, in_bulk)
]


@pytest.mark.parametrize("write", WRITES)
def test_the_keys_follow_the_label_through_every_write(db, write):
    row = Client.objects.create(label="K-1")
    write(row, " Ｋ\u00a0A\u0308gir ")
    stored = Client.objects.get(pk=row.pk)
    assert (stored.label, stored.label_key, stored.label_look) == ("Ｋ Ägir", "k agir", "k-agir")
    with pytest.raises(Exception, match="cannot be seen"):
        write(row, "K\u200b")


def test_a_label_that_the_database_works_out_is_refused(db):
    Client.objects.create(label="K-1")
    with pytest.raises(TypeError, match="write label as a text"):
        Client.objects.update(label=F("language"))
    assert Client.objects.get().label == "K-1"


def test_people_and_rooms_have_the_same_field(clinic):
    User.objects.filter(pk=clinic.olga.pk).update(name="Ólga")
    clinic.carl.name = "Cárl"
    clinic.carl.save(update_fields=["name"])
    assert set(User.objects.filter(name_key__in=["olga", "carl"]).values_list("name", flat=True)) == {
        "Ólga",
        "Cárl",
    }
    assert PairedTablet._meta.get_field("name_key").of == "name"


# --- The question about the same label -----------------------------------------------------------


def asked_about(browser, label, **more):
    return browser.post(reverse("clients:register"), {**NEW, "label": label, **more})


def test_the_same_label_in_another_spelling_is_asked_about(clinic, sign_in):
    browser = sign_in(clinic.olga)
    cast.episode(clinic.olga, "Ägir 7")
    for label in ("ägir 7", "AGIR  7", "a\u0308gir 7"):
        answer = asked_about(browser, label)
        assert "There is a client with this label" in answer.text, label
    assert asked_about(browser, "ägir 7", same_label="on").status_code == 302


def test_a_look_alike_is_asked_about_and_named(clinic, sign_in):
    browser = sign_in(clinic.olga)
    for label in ("К-1", "K-l", "K 1"):
        answer = asked_about(browser, label)
        assert "looks like this one: K-1" in answer.text, label
    assert asked_about(browser, "K-11").status_code == 302


def test_zero_width_and_turning_characters_are_refused_and_what_was_typed_stays(clinic, sign_in):
    browser = sign_in(clinic.olga)
    for label, said in (("K-1\u200b", "cannot be seen"), ("\u202eK-1", "direction of writing")):
        answer = asked_about(browser, label)
        assert answer.status_code == 422
        assert said in answer.text
        assert answer.context["form"]["label"].value() == label
    assert Client.objects.count() == 2


def test_a_look_alike_of_a_colleagues_client_is_not_given_away_and_the_administrator_is_asked(
    clinic, sign_in
):
    assert asked_about(sign_in(clinic.olga), "К-2").status_code == 302
    assert asked_about(sign_in(clinic.adam), "K-2", therapist=clinic.carl.pk).status_code == 422


def test_a_label_that_does_not_change_is_not_asked_about_again(clinic, sign_in):
    cast.episode(clinic.olga, "k-1")
    address = reverse("clients:change", args=[clinic.olgas.client.code])
    details = {"language": "de", "age_band": "adult"}
    assert save(sign_in(clinic.olga), address, **details, label="K-1").status_code == 302
    assert save(sign_in(clinic.olga), address, **details, label="k-1").status_code == 422


# --- The page ------------------------------------------------------------------------------------


def test_two_records_of_one_person_are_noticed_across_therapists(clinic, sign_in):
    cast.episode(clinic.carl, "К-1")
    cast.episode(clinic.carl, "ägir 7")
    cast.episode(clinic.olga, "Ägir 7")
    assert pairs() == [("ägir 7", "Ägir 7", True), ("K-1", "К-1", False)]
    shown = sign_in(clinic.adam).get(reverse("clinic:duplicates")).text
    assert "Olga" in shown
    assert "Carl" in shown
    assert "2 pairs of records may be of one person" in sign_in(clinic.adam).get(reverse("clients:list")).text
    assert "may be of one person" not in sign_in(clinic.olga).get(reverse("clients:list")).text


def test_the_page_shows_nothing_clinical(clinic, sign_in):
    cast.rating(cast.therapy_session(clinic.olgas), 287, comment="canary of the client")
    cast.episode(clinic.carl, "k-1")
    shown = sign_in(clinic.adam).get(reverse("clinic:duplicates")).text
    assert "K-1" in shown
    for clinical in ("28.7", "canary", "flag-mark", "rating"):
        assert clinical not in shown


def test_two_people_are_noted_as_two_and_compared_again(clinic, sign_in):
    other = cast.episode(clinic.carl, "k-1").client
    browser, one = sign_in(clinic.adam), clinic.olgas.client
    address = f"{reverse('clients:tell_apart', args=[other.code])}?other={one.code}"
    assert "two people?" in browser.get(address).text
    assert "noted as two people" in browser.post(address, follow=True).text
    browser.post(address)
    told = DifferentClients.objects.get()
    assert pairs() == []
    assert "No two labels read alike" in browser.get(reverse("clinic:duplicates")).text
    undo = reverse("clients:undo_telling_apart", args=[told.code])
    assert "Compare K-1 and k-1 again?" in browser.get(undo).text
    browser.post(undo)
    assert len(pairs()) == 1


def test_a_record_is_not_told_apart_from_itself(clinic, sign_in):
    browser, one = sign_in(clinic.adam), clinic.olgas.client
    answer = browser.post(f"{reverse('clients:tell_apart', args=[one.code])}?other={one.code}")
    assert (answer.status_code, "This is one record" in answer.text) == (422, True)
    assert not DifferentClients.objects.exists()


def test_telling_apart_and_its_undo_are_logged_once_however_often_they_are_pressed(clinic):
    one, other = clinic.olgas.client, cast.episode(clinic.carl, "k-1").client
    told = [
        merge_actions.tell_apart(one=first, other=second, by=clinic.adam)
        for first, second in ((one, other), (other, one))
    ]
    assert told[0] == told[1]
    for _ in range(2):
        merge_actions.undo_telling_apart(told=told[0], by=clinic.adam)
    events = AuditEvent.objects.filter(
        action__in=[LogEvent.CLIENTS_TOLD_APART, LogEvent.TELLING_APART_UNDONE]
    )
    assert [event.action for event in events.order_by("pk")] == [
        LogEvent.CLIENTS_TOLD_APART,
        LogEvent.TELLING_APART_UNDONE,
    ]


def test_a_merged_record_is_no_duplicate_any_more(clinic, sign_in):
    other = cast.episode(clinic.carl, "k-1")
    kept = clinic.olgas.client
    merge_actions.merge_clients(
        kept=kept, merged=other.client, seen=[other.code, clinic.olgas.code], by=clinic.adam
    )
    assert pairs() == []
    assert "Merged in the last 30 days" in sign_in(clinic.adam).get(reverse("clinic:duplicates")).text


def test_a_label_that_many_share_makes_no_endless_page(clinic, monkeypatch):
    monkeypatch.setattr(duplicates, "MOST", 10)
    for _ in range(6):
        cast.episode(clinic.olga, "A. B.")
    assert len(pairs()) == duplicates.how_many() == 10


def queries_of(browser, address, **asked):
    browser.get(address, asked)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address, asked).status_code == 200
    return len(queries)


def test_thirty_pairs_and_thirty_episodes_cost_no_more_queries_than_three(clinic, sign_in):
    browser, kept = sign_in(clinic.adam), clinic.olgas.client
    other = cast.episode(clinic.carl, "k-1").client
    asked = {
        "listing": (reverse("clinic:duplicates"), {}),
        "clients": (reverse("clients:list"), {}),
        "choice": (reverse("clients:merge", args=[kept.code]), {"q": "k"}),
        "preview": (reverse("clients:merge", args=[kept.code]), {"other": other.code}),
        "client": (reverse("clients:client", args=[kept.code]), {}),
    }

    def grow(numbers):
        for number in numbers:
            person = cast.person(f"Nora {number}".replace(" ", ""), "therapist")
            cast.episode(person, f"L {number}")
            cast.episode(clinic.carl, f"l-{number}")
            moved = cast.episode(person, f"M {number}").client
            episode = moved.episodes.get()
            merge_actions.merge_clients(
                kept=kept,
                merged=moved,
                seen=[episode.code, *kept.episodes.values_list("code", flat=True)],
                by=clinic.adam,
            )

    grow(range(3))
    few = {name: queries_of(browser, *of[:1], **of[1]) for name, of in asked.items()}
    grow(range(3, 30))
    assert {name: queries_of(browser, *of[:1], **of[1]) for name, of in asked.items()} == few


# --- Colleagues and rooms ------------------------------------------------------------------------


@pytest.fixture
def office(clinic, sign_in):
    browser = sign_in(clinic.adam)
    browser.post(reverse("account_reauthenticate"), {"password": cast.PASSWORD})
    return browser


def test_a_second_person_of_one_name_is_asked_about_and_told_apart_where_one_is_chosen(clinic, office):
    asked = {"name": "Оlga", "email": "olga.k@clinic.example", "roles": ["therapist"]}
    refused = office.post(reverse("clinic:add_person"), asked)
    assert refused.status_code == 422
    assert "Olga (olga@clinic.example) has this name, or one that looks like it" in refused.text
    assert office.post(reverse("clinic:add_person"), {**asked, "same_name": "on"}).status_code == 200
    choices = office.get(reverse("clients:register")).text
    for choice in ("Olga, olga@clinic.example", "Оlga, olga.k@clinic.example", ">Carl<"):
        assert choice in choices
    carl = {"roles": ["therapist"], "is_active": "on"}
    address = reverse("clinic:person", args=[clinic.carl.pk])
    assert office.post(address, {**carl, "name": "ólga"}).status_code == 422
    assert save(office, address, **carl, name="Carl").status_code == 302


def test_two_tablets_in_use_have_no_names_that_look_the_same(clinic):
    def paired(name):
        now = timezone.now()
        return PairedTablet.objects.create(
            name=name, key_hash=name, paired_at=now, paired_by=clinic.adam, pairing_until=now
        )

    paired("Room L")
    for name in ("room l", "Rööm L", "Rооm L"):
        with pytest.raises(IntegrityError), transaction.atomic():
            paired(name)
    paired("Room 2")
