"""Who reads the database without the key reads no words of a client; without the key the pages say so and go on."""

import pytest
from django.db import connection
from django.urls import reverse

from alliance.encrypted_field import KEY_IS_MISSING
from sessions_app.records import export_file
from sessions_app.records.sheets import Part, Scope
from tests import cast
from tests.canaries import CANARIES, planted
from tests.sessions_app.records.courses import IN_SUPERVISION, full_course

pytestmark = pytest.mark.django_db

# Labels are searched and ordered by the database (docs/adr/0072); numbers of another system find what was imported
# before; a clinic's own question is about no client.
IN_CLEAR = {
    ("clients_client", "label"),
    ("clients_client", "label_key"),
    ("clients_client", "label_look"),
    ("sessions_app_importednumber", "number"),
    ("sessions_app_ownquestion", "text"),
}


def where_it_stands(words):
    """{(table, column): the words found there}, over every column of the database, read as text."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            for column in connection.introspection.get_table_description(cursor, table):
                name = column.name
                cursor.execute(f'SELECT CAST("{name}" AS text) FROM "{table}" WHERE "{name}" IS NOT NULL')  # noqa: S608
                text = "\n".join(str(value) for (value,) in cursor.fetchall()).casefold()
                if held := {word for word in words if word.casefold() in text}:
                    found[table, name] = held
    return found


def test_no_words_of_a_client_stand_in_the_database_in_clear(clinic, sign_in):
    said = full_course(clinic.olgas)
    planted(clinic)
    sign_in(clinic.olga).get(f"/dashboard/clients/{clinic.olgas.code}/")
    words = {*said.values(), f"{IN_SUPERVISION}-canary", *CANARIES.words.values()} - {
        CANARIES.words["therapist"]
    }
    found = where_it_stands(words)
    assert set(found) - IN_CLEAR == set()
    assert ("clients_client", "label") in found, "the search finds what is in clear"


def test_control_words_written_past_the_field_are_found(clinic):
    said = full_course(clinic.olgas)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sessions_app_discussion SET said = %s", [said["said"]])
    assert ("sessions_app_discussion", "said") in where_it_stands(said.values())


# --- The key is lost -----------------------------------------------------------------------------


@pytest.fixture
def lost(settings):
    def lose():
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-" + "1" * 50, []

    return lose


def test_without_the_key_pages_say_so_in_a_sentence_and_all_else_works(clinic, sign_in, lost):
    said = full_course(clinic.olgas)
    planted(clinic)
    lost()
    browser = sign_in(clinic.olga)
    page = browser.get(f"/dashboard/clients/{clinic.olgas.code}/")
    assert (page.status_code, KEY_IS_MISSING in page.text) == (200, True)
    assert CANARIES.words["label"] in page.text
    for address in (reverse("dashboard:work_list"), "/dashboard/"):
        assert browser.get(address, follow=True).status_code == 200
    for text in (page.text, browser.get(reverse("dashboard:work_list")).text):
        assert "enc1." not in text
        assert not [word for place, word in said.items() if place != "label" and word in text]


def test_without_the_key_exports_say_so_and_have_every_row(clinic, lost):
    full_course(clinic.olgas)
    before = files(clinic)
    lost()
    after = files(clinic)
    assert KEY_IS_MISSING in after
    assert "enc1." not in after
    assert before.count("\n") == after.count("\n")


def files(clinic):
    return "".join(export_file.as_json(Scope(clinic.olga, Part.OWN)))


def test_without_the_key_a_rating_is_stored_and_read(clinic, lost):
    full_course(clinic.olgas)
    lost()
    rating = cast.rating(cast.therapy_session(clinic.olgas), 300, comment="Under the new key.")
    rating.refresh_from_db()
    assert rating.comment == "Under the new key."
