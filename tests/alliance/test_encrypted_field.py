"""Free words are sealed in the database, open where they belong, and say so where they do not."""

import copy
import pickle

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, transaction
from django.db.models import F

from alliance.encrypted_field import (
    IS_DAMAGED,
    KEY_IS_MISSING,
    EncryptedCharField,
    Sealed,
    Unreadable,
    encrypted_fields,
    has_words,
    opened,
    sealed,
)
from alliance.key_rotation import models_with_words
from alliance.refused import Refused
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.flags.models import Discussion
from tests import cast

pytestmark = pytest.mark.django_db
ANOTHER = "another-" + "1" * 50
WORDS = [
    *("0", " ", "'; DROP TABLE", "naïve — “quoted”", "نعم، كان سريعًا", "\u202bRTL\u202c", "e\u0301 and é"),
    *("👩🏽\u200d⚕️" * 100, "enc1.00000000.AAAA", "line\r\nline\ttab", "None", "x" * 500),
]


@pytest.fixture
def note(clinic):
    session = cast.therapy_session(clinic.olgas)
    return Discussion.objects.create(session=session, said="Too fast.", agreed="", discussed_by=clinic.olga)


def raw(row, column):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608
        return cursor.fetchone()[0]


def put(row, column, value):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s", [value, row.pk])  # noqa: S608


def again(row):
    return type(row).objects.get(pk=row.pk)


@pytest.mark.parametrize("words", WORDS)
def test_words_come_back_as_they_were_and_the_database_has_none_of_them(note, words):
    note.said = words
    note.save()
    assert again(note).said == words
    assert raw(note, "said").startswith("enc1.")
    assert len(words) < 5 or words not in raw(note, "said").removeprefix("enc1.")
    Discussion.objects.update(said=words)
    assert again(note).said == words
    Discussion.objects.bulk_update([note], ["said"])
    assert again(note).said == words
    assert list(map(str, Discussion.objects.values_list("said", flat=True))) == [words]


def test_a_zero_is_no_nothing(note):
    """Other packages store 0 and "" as null."""
    note.said = 0
    note.save()
    assert again(note).said == "0"


def test_empty_and_null_stay_and_are_told_apart(clinic, note):
    assert raw(note, "agreed") == again(note).agreed == ""
    rating = cast.rating(note.session, 330)
    common = {"grant": rating.grant, "session": note.session, "answers": {}, "language": "en", "mode": "line"}
    rows = [
        SetAsideRating.objects.create(reason="invalid", sha256=str(place), raw=value, **common)
        for place, value in enumerate((None, "", "x"))
    ]
    assert [raw(row, "raw") for row in rows[:2]] == [None, ""]
    assert [again(row).raw for row in rows] == [None, "", "x"]
    assert list(SetAsideRating.objects.filter(raw__isnull=True)) == rows[:1]
    assert list(SetAsideRating.objects.filter(raw="")) == rows[1:2]


def test_the_same_words_twice_are_stored_otherwise(note):
    assert sealed("x", "a.b") != sealed("x", "a.b")


def test_the_database_is_asked_for_nothing_but_whether_there_are_words(note):
    for how in (
        {"said": "Too fast."},
        {"said__icontains": "fast"},
        {"said__in": ["x"]},
        {"said": F("agreed")},
    ):
        with pytest.raises(FieldError, match="compare in Python"):
            list(Discussion.objects.filter(**how))
    with pytest.raises(FieldError, match="compare in Python"):
        list(Discussion.objects.filter(said__length__gt=3))
    assert list(Discussion.objects.exclude(said="")) == [note]


def test_a_limit_is_of_the_words_and_not_of_what_is_stored(note):
    note.said = "x" * 500
    field = Discussion._meta.get_field("said")
    assert field.clean(note.said, note) == note.said
    note.save()
    assert len(raw(note, "said")) > 500
    with pytest.raises(ValidationError, match="500"):
        field.clean("x" * 501, note)
    with pytest.raises(ValidationError, match="2000"):
        Rating(comment="x" * 2001).clean_fields(exclude=["grant", "session"])


def test_no_model_orders_by_sealed_words_or_has_a_key_of_them():
    rows = models_with_words()
    assert {Rating, Discussion, TherapySession} < set(rows)
    assert [error for row in rows for one in encrypted_fields(row) for error in one.check()] == []
    bad = EncryptedCharField(max_length=5, unique=True)
    bad.set_attributes_from_name("said")
    bad.model = Discussion
    assert [error.id for error in bad.check()] == ["alliance.E001"]


# --- Opened when they are read -------------------------------------------------------------------


def test_a_page_opens_only_what_it_shows(note, monkeypatch):
    times = []
    monkeypatch.setattr(
        "alliance.encrypted_field.opened", lambda *given: times.append(given) or opened(*given)
    )
    row = again(note)
    assert has_words(row, "said")
    assert not has_words(row, "agreed")
    assert bool(Discussion.objects.values_list("said", flat=True).get())
    row.version = 2
    row.save()
    assert times == []
    assert (row.said, row.said) == ("Too fast.", "Too fast.")
    assert len(times) == 1


def test_what_was_not_read_is_saved_as_it_is(note):
    before = raw(note, "said")
    again(note).save()
    assert raw(note, "said") == before


def test_a_value_of_a_list_is_text_wherever_it_is_used(note):
    (value,) = Discussion.objects.values_list("said", flat=True)
    assert isinstance(value, Sealed)
    assert (f"{value}", value == "Too fast.", {value}) == ("Too fast.", True, {"Too fast."})
    assert "fast" not in repr(value)
    for same in (copy.deepcopy(again(note)), pickle.loads(pickle.dumps(again(note)))):  # noqa: S301
        assert same.said == "Too fast."


# --- Without the key -----------------------------------------------------------------------------


def test_without_the_key_it_says_so_and_what_is_stored_stays(note, settings):
    stored, former = raw(note, "said"), settings.SECRET_KEY
    settings.SECRET_KEY = ANOTHER
    row = again(note)
    assert (row.said, type(row.said)) == (KEY_IS_MISSING, Unreadable)
    assert row.said == again(note).said != Unreadable(KEY_IS_MISSING, "enc1.of.others", row.said.bound_to)
    row.version = 3
    row.save()
    Discussion.objects.bulk_update([row], ["said", "version"])
    assert raw(note, "said") == stored
    settings.SECRET_KEY_FALLBACKS = [former]
    assert (again(note).said, again(note).version) == ("Too fast.", 3)


def test_the_sentence_is_never_stored_as_somebodys_words(note, settings):
    settings.SECRET_KEY = ANOTHER
    row = again(note)
    for words in (str(row.said), f"{row.said} And more."):
        row.said = words
        with pytest.raises(Refused, match="stay as they are"), transaction.atomic():
            row.save()
    row = again(note)
    row.agreed = again(note).said
    with pytest.raises(Refused, match="stay as they are"), transaction.atomic():
        row.save()


def test_other_words_are_written_under_the_new_key(note, settings):
    settings.SECRET_KEY = ANOTHER
    row = again(note)
    row.said, row.agreed = "Anew.", "Slower."
    row.save()
    assert (again(note).said, again(note).agreed) == ("Anew.", "Slower.")


@pytest.mark.parametrize("forged", ["Too slow.", "enc1.{name}.AAAA", "enc1.{name}.é"])
def test_what_the_site_did_not_write_is_not_shown(note, forged):
    put(note, "said", forged.format(name=raw(note, "said").split(".")[1]))
    assert again(note).said == IS_DAMAGED


def test_words_copied_to_another_column_do_not_open(note):
    put(note, "agreed", raw(note, "said"))
    assert (again(note).said, again(note).agreed) == ("Too fast.", IS_DAMAGED)
    with transaction.atomic():
        Discussion.objects.update(agreed=F("said"))
    assert again(note).agreed == IS_DAMAGED
    control = opened(raw(note, "agreed"), "sessions_app_discussion.said")
    assert control == "Too fast.", "it is the column that refuses, not the copy"


def test_a_bit_that_was_changed_does_not_open(note):
    stored = raw(note, "said")
    put(note, "said", stored[:-6] + ("A" if stored[-6] != "A" else "B") + stored[-5:])
    assert again(note).said == IS_DAMAGED
