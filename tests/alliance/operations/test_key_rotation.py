"""Another key without downtime: everything is sealed anew, nothing else changes, and the former key may go."""

from threading import Event, Thread

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from alliance import key_rotation
from alliance.encrypted_field import KEY_IS_MISSING, encrypted_fields, newest_mark, sealed
from alliance.key_rotation import count_second_factors, count_words, models_with_words
from alliance.models import AuditEvent
from alliance.operations.checks_of_words import words
from alliance.rotation_permit import RotationPermit
from sessions_app.courses.models import Rating, SetAsideRating
from sessions_app.flags import checks
from sessions_app.flags.models import Discussion
from tests import cast
from tests.alliance.sign_in import give_an_app
from tests.sessions_app.records.courses import full_course

NEW = "new-" + "1" * 60


@pytest.fixture
def change_key(settings):
    def change(to=NEW, *, keep=True):
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keep else []
        settings.SECRET_KEY = to

    return change


def words_of_all():
    found = []
    for row in models_with_words():
        names = [one.name for one in encrypted_fields(row)]
        found += [
            (row.__name__, pk, *(value and str(value) for value in values))
            for pk, *values in row._base_manager.order_by("pk").values_list("pk", *names)
        ]
    return found


def rotate():
    call_command("rotate_keys")


@pytest.mark.django_db
class TestRotation:
    def test_seals_everything_anew_so_that_the_former_key_may_go(self, clinic, change_key, settings, capsys):
        full_course(clinic.olgas)
        give_an_app(clinic.olga)
        before, count = words_of_all(), count_words().newest
        assert count > 20
        change_key()
        assert (count_words().older, count_second_factors().older) == (count, 1)
        assert [one.sentence for one in words()] == [f"Values under an older key: {count + 1}."]
        rotate()
        settings.SECRET_KEY_FALLBACKS = []
        assert words_of_all() == before
        assert (count_words().newest, count_words().total) == (count, count)
        assert get_adapter().decrypt(Authenticator.objects.get().data["secret"])
        assert [one.key for one in words()] == ["words"]
        out = capsys.readouterr().out
        assert f"All {count + 1} values are under the newest key." in out
        assert "may be taken out of SECRET_KEY_FALLBACKS from" in out
        assert AuditEvent.objects.latest("pk").detail == {"values": count + 1}

    def test_changes_nothing_that_is_watched(self, clinic, change_key):
        full_course(clinic.olgas)
        call_command("audit_verify")
        change_key()
        rotate()
        call_command("audit_verify")
        assert list(checks.differing([clinic.olgas.pk])) == []

    def test_called_again_has_nothing_to_do(self, clinic, change_key, capsys):
        full_course(clinic.olgas)
        change_key()
        rotate()
        lines = AuditEvent.objects.count()
        rotate()
        assert "0 values are under a former key" in capsys.readouterr().out
        assert AuditEvent.objects.count() == lines

    def test_goes_on_where_it_was_stopped(self, clinic, change_key):
        for each in range(5):
            cast.rating(cast.therapy_session(clinic.olgas), 380, comment=f"Number {each}.")
        change_key()
        pieces = key_rotation.rotate_words(Rating, piece=2)
        assert next(pieces) == 2
        pieces.close()
        assert (count_words().newest, count_words().older) == (2, 3)
        rotate()
        assert (count_words().newest, count_words().older) == (5, 0)

    def test_both_keys_open_while_it_runs(self, clinic, change_key, settings):
        """What the new process wrote is read by one that still writes under the former key, and the other way."""
        former = settings.SECRET_KEY
        rating = cast.rating(cast.therapy_session(clinic.olgas), 380, comment="Before.")
        change_key()
        later = cast.rating(cast.therapy_session(clinic.olgas), 380, comment="After.")
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = former, [NEW]
        assert {Rating.objects.get(pk=one.pk).comment for one in (rating, later)} == {"Before.", "After."}

    def test_leaves_what_it_cannot_open_and_says_so(self, clinic, change_key, capsys):
        rating = cast.rating(cast.therapy_session(clinic.olgas), 380, comment="Lost.")
        change_key(keep=False)
        (finding,) = words()
        assert (finding.key, "1 of 1 comments, notes and reasons cannot be read" in finding.sentence) == (
            "words.key",
            True,
        )
        with pytest.raises(CommandError):
            rotate()
        assert "1 values are under a key that the site does not have" in capsys.readouterr().out
        assert Rating.objects.get(pk=rating.pk).comment == KEY_IS_MISSING


# --- Append-only stays append-only ---------------------------------------------------------------


def run(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values or None)


COLUMN = "sessions_app_rating.comment"
SET = "UPDATE sessions_app_rating SET comment = %s"


@pytest.mark.django_db
class TestPermit:
    @pytest.fixture
    def rating(self, clinic):
        return cast.rating(cast.therapy_session(clinic.olgas), 380, comment="Mine.")

    def test_lets_sealed_words_be_replaced_by_sealed_words(self, rating):
        with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
            run(SET, sealed("Mine.", COLUMN))
        with transaction.atomic():
            permit = RotationPermit.objects.create()
            run(SET, sealed("Mine.", COLUMN))
            permit.delete()
        assert Rating.objects.get().comment == "Mine."

    @pytest.mark.parametrize(
        "change",
        [
            f"{SET}, total = 400",
            f"{SET}, answers = '{{}}'",
            f"{SET}, share_comment = NOT share_comment",
            "UPDATE sessions_app_rating SET comment = ''",
            "UPDATE sessions_app_rating SET comment = 'In clear.'",
            "UPDATE sessions_app_rating SET total = 400",
            "DELETE FROM sessions_app_rating",
        ],
    )
    def test_lets_nothing_else_through(self, rating, change):
        with transaction.atomic():
            permit = RotationPermit.objects.create()
            with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
                run(change, *([sealed("Mine.", COLUMN)] if "%s" in change else []))
            permit.delete()

    def test_puts_no_words_where_there_were_none(self, clinic):
        cast.rating(cast.therapy_session(clinic.olgas), 380)
        with transaction.atomic():
            permit = RotationPermit.objects.create()
            with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
                run(SET, sealed("Not mine.", COLUMN))
            permit.delete()

    def test_no_null_lets_a_change_through(self, clinic):
        """In SQL, NOT (null) is no reason to refuse."""
        rating = cast.rating(cast.therapy_session(clinic.olgas), 380)
        aside = "sessions_app_setasiderating"
        common = {"grant": rating.grant, "session": rating.session, "language": "en", "mode": "line"}
        SetAsideRating.objects.create(reason="invalid", sha256="0", answers={}, raw=None, **common)
        SetAsideRating.objects.create(reason="invalid", sha256="1", answers={}, raw="x", **common)
        with transaction.atomic():
            permit = RotationPermit.objects.create()
            for change in ("raw = NULL", "raw = 'x'", "raw = '', comment = 'x'"):
                with pytest.raises(DatabaseError, match=r"append-only|permission denied"):
                    run(f"UPDATE {aside} SET {change}")  # noqa: S608
            permit.delete()


@pytest.mark.django_db(transaction=True)
def test_a_permit_cannot_be_left_behind():
    with pytest.raises(IntegrityError), transaction.atomic():
        RotationPermit.objects.create()
    for wrong in ({"id": 2, "never_id": 2}, {"id": 1, "never_id": 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RotationPermit.objects.create(**wrong)
    assert not RotationPermit.objects.exists()


# --- While the site is used ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_rotation_under_writes_loses_and_doubles_nothing(clinic, change_key, settings):
    """Somebody changes notes and gives ratings while everything is sealed anew."""
    notes = []
    for each in range(12):
        session = cast.therapy_session(clinic.olgas)
        notes.append(
            Discussion.objects.create(
                session=session, said=f"Said {each}.", agreed="", discussed_by=clinic.olga
            )
        )
    change_key()
    expected = {note.pk: note.said for note in notes}

    def write():
        try:
            for each, note in enumerate(notes):
                expected[note.pk] = f"Changed {each}."
                Discussion.objects.filter(pk=note.pk).update(said=expected[note.pk])
        finally:
            connection.close()

    writer = Thread(target=write)
    writer.start()
    for _ in key_rotation.rotate_words(Discussion, piece=2):
        pass
    writer.join()
    for _ in key_rotation.rotate_words(Discussion, piece=2):
        pass
    settings.SECRET_KEY_FALLBACKS = []
    assert {note.pk: note.said for note in Discussion.objects.all()} == expected
    with connection.cursor() as cursor:
        cursor.execute("SELECT said FROM sessions_app_discussion")
        assert all(stored.startswith(newest_mark()) for (stored,) in cursor.fetchall())


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_is_writing_is_passed_over_and_done_later(clinic, change_key):
    """Else the words from before the change would be sealed anew over the changed ones."""
    session = cast.therapy_session(clinic.olgas)
    given = {"session": session, "agreed": "", "discussed_by": clinic.olga}
    held, _ = (Discussion.objects.create(said=said, **given) for said in ("Held.", "Free."))
    change_key()
    is_writing, may_end = Event(), Event()

    def write():
        try:
            with transaction.atomic():
                Discussion.objects.filter(pk=held.pk).update(agreed="Changed.")
                is_writing.set()
                may_end.wait(20)
        finally:
            connection.close()

    writer = Thread(target=write)
    writer.start()
    assert is_writing.wait(20)
    assert key_rotation._rotate_piece(Discussion, 0, 10) == (None, 1)
    may_end.set()
    writer.join()
    assert key_rotation._rotate_piece(Discussion, 0, 10) == (None, 1)
    assert [(one.said, one.agreed) for one in Discussion.objects.order_by("pk")] == [
        ("Held.", "Changed."),
        ("Free.", ""),
    ]
