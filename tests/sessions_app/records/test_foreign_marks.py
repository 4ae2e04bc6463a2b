"""Marks in the wrong record: in no file of that record, and gone with the client they are of."""

import json

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from alliance.erasures import Erasure, ErasurePermit
from clients import merge_actions
from clients.models import Client, Episode
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.decisions import Misfiling, Settlement
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.flags import checks
from sessions_app.intake import session_actions
from sessions_app.records import client_record, erasure_actions, export_file
from sessions_app.records.sheets import Part, Scope
from tests import cast
from tests.sessions_app.records.courses import full_course, set_aside
from tests.sessions_app.records.erased import everything

pytestmark = pytest.mark.django_db
WORDS = "I did not feel heard, canary-7c1f"
WHY = "The tablet was K-1's."


@pytest.fixture
def others(clinic):
    """The client K-9 of Olga, whose marks came in under K-1."""
    return cast.episode(clinic.olga, "K-9")


def moved(clinic, others):
    cast.rated_course(clinic.olgas, [380, 375])
    session = cast.therapy_session(clinic.olgas)
    rating = cast.rating(session, 250, comment=WORDS)
    return misfiling_actions.move(rating=rating, to=others, why=WHY, by=clinic.olga)


def record_of(episode):
    return json.dumps(client_record.read(episode.client, episode.therapist).as_json(), ensure_ascii=False)


def exported(person, part=Part.OWN):
    return json.loads("".join(export_file.as_json(Scope(person, part))))["sheets"]


def erase(clinic, episode):
    one = erasure_actions.ask(client=episode.client, reason="asked", note="", by=clinic.adam)
    return erasure_actions.confirm(erasure=one, by=episode.therapist)


def all_stands(clinic):
    episodes = list(Episode.objects.values_list("pk", flat=True))
    return not list(checks.differing(episodes)) and not list(checks.differing_days())


# --- Files ---------------------------------------------------------------------------------------


def test_marks_that_were_moved_are_in_the_record_of_whom_they_are_of_alone(clinic, others):
    misfiling = moved(clinic, others)
    assert WORDS not in record_of(clinic.olgas)
    assert WHY in record_of(clinic.olgas)
    assert WORDS in record_of(others)
    for person, part in ((clinic.olga, Part.OWN), (clinic.sina, Part.SUPERVISED)):
        ratings = exported(person, part)["ratings"]
        assert {row["client_label"] for row in ratings if row["total_tenths"] == 250} == {"K-9"}
    assert str(misfiling.moved_to.code) not in record_of(clinic.olgas)
    assert "K-9" not in record_of(clinic.olgas)
    misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
    assert WORDS in record_of(clinic.olgas)
    assert WORDS not in record_of(others)


def test_the_figures_behind_a_withdrawn_flag_may_be_somebody_elses_and_are_in_no_file(clinic, others):
    moved(clinic, others)
    flags = [row for row in exported(clinic.olga)["flags"] if row["client_label"] == "K-1"]
    assert any(row["withdrawn_at"] for row in flags)
    assert all(
        (row["evidence"] is None) == (row["sentence"] is None) == bool(row["withdrawn_at"]) for row in flags
    )


def test_marks_that_were_set_aside_on_arrival_as_somebody_elses_are_in_no_file_of_this_record(clinic, others):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 380)
    aside = set_aside(session, WORDS)
    assert WORDS in record_of(clinic.olgas)
    misfiling_actions.misfile_arrived(aside=aside, to=others, why=WHY, by=clinic.olga)
    assert WORDS not in record_of(clinic.olgas)
    assert WORDS in record_of(others)


def test_a_voided_session_is_in_the_files_and_counts_nowhere(clinic):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 380, comment=WORDS)
    session_actions.void_session(session=session, why="It was on another day.", by=clinic.olga)
    assert WORDS in record_of(clinic.olgas)
    sheets = exported(clinic.olga)
    assert [(row["counts"], row["total_tenths"]) for row in sheets["ratings"]] == [(False, 380)]
    (row,) = sheets["sessions"]
    assert (row["voided_by"], row["void_reason"]) == ("Olga", "It was on another day.")
    office = exported(clinic.adam, Part.CLINIC)["sessions"][0]
    assert office["voided_at"]
    assert "void_reason" not in office
    erase(clinic, clinic.olgas)
    assert not TherapySession.every.exists()
    assert WORDS not in everything()


# --- Erasure -------------------------------------------------------------------------------------


def test_erasing_whom_moved_marks_are_of_empties_them_where_they_came_in(clinic, others):
    misfiling = moved(clinic, others)
    before = list(Rating.objects.filter(session__episode=clinic.olgas).values_list("pk", flat=True))
    erase(clinic, others)
    assert WORDS not in everything()
    misfiling.refresh_from_db()
    assert misfiling.moved_to is None
    assert list(Rating.objects.filter(session__episode=clinic.olgas).values_list("pk", flat=True)) == before
    assert Rating.objects.get(pk=misfiling.rating_id).answers == {}
    assert [
        one.total for one in Rating.objects.standing().filter(session__episode=clinic.olgas).order_by("pk")
    ] == [
        380,
        375,
    ]
    assert all_stands(clinic)
    assert WHY in record_of(clinic.olgas)  # whose marks they were it does not say


def test_erasing_the_client_in_whose_record_they_came_in_leaves_them_where_they_are_of(clinic, others):
    moved(clinic, others)
    erase(clinic, clinic.olgas)
    assert not Misfiling.objects.exists()
    assert WORDS in record_of(others)
    assert all_stands(clinic)


def test_marks_that_went_and_came_back_are_emptied_where_they_had_been(clinic, others):
    misfiling = moved(clinic, others)
    misfiling_actions.put_back(misfiling=misfiling, by=clinic.olga)
    there = misfiling.moved_to
    erase(clinic, clinic.olgas)
    assert WORDS not in everything()
    assert Rating.objects.get(pk=there.pk).answers == {}
    assert all_stands(clinic)


def test_every_version_of_the_same_marks_is_emptied(clinic, others):
    """Moved, put back, moved again: K-1 has them in two rows."""
    first = moved(clinic, others)
    misfiling_actions.put_back(misfiling=first, by=clinic.olga)
    again = Rating.objects.standing().get(session=first.rating.session)
    misfiling_actions.move(rating=again, to=first.moved_to.session, why=WHY, by=clinic.olga)
    erase(clinic, others)
    assert WORDS not in everything()
    assert Rating.objects.filter(answers={}).count() >= 2
    assert all_stands(clinic)


def test_marks_that_arrived_for_another_are_emptied_with_whom_they_are_of(clinic, others):
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 380)
    aside = set_aside(session, WORDS)
    misfiling_actions.misfile_arrived(aside=aside, to=others, why=WHY, by=clinic.olga)
    erase(clinic, others)
    assert WORDS not in everything()
    row = SetAsideRating.objects.get(pk=aside.pk)
    assert (row.answers, row.sha256) == ({}, f"erased {row.pk}")
    assert Settlement.objects.standing().get().rating is None  # nobody is asked to decide about nothing
    assert all_stands(clinic)


def test_under_a_permit_a_row_of_another_can_be_emptied_and_not_changed(clinic, others):
    cast.rating(cast.therapy_session(clinic.olgas), 380, comment=WORDS)
    one = Erasure.objects.create(
        **{"client": others.client.code, "reason": "asked", "asked_by": clinic.adam.pk},
        **{"confirmed_at": timezone.now(), "confirmed_by": clinic.olga.pk},
    )
    emptied = {"answers": {}, "total": None, "comment": "", "mode": "none", "sha256": "erased"}
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Rating.objects.update(**emptied)
    with transaction.atomic():
        permit = ErasurePermit.objects.create(erasure=one)
        for wrong in ({"comment": "I felt heard"}, {"total": 400}, {"language": "de"}, {"session": None}):
            with pytest.raises(DatabaseError), transaction.atomic():
                Rating.objects.update(**{**emptied, **wrong})
        Rating.objects.update(**emptied)
        permit.delete()
    assert Rating.objects.get().comment == ""


# --- Merged records ------------------------------------------------------------------------------


def merged(clinic, others):
    seen = [clinic.olgas.code, others.code]
    cast.rated_course(others, [380])
    others.therapist = clinic.carl
    others.save()
    merge_actions.merge_clients(kept=clinic.olgas.client, merged=others.client, seen=seen, by=clinic.adam)
    return Client.objects.get(label="K-9")


def test_records_that_were_merged_go_as_one(clinic, others):
    full_course(clinic.olgas)
    gone = merged(clinic, others)
    with pytest.raises(Exception, match="was merged with another record"):
        erasure_actions.ask(client=gone, reason="asked", note="", by=clinic.adam)
    done = erase(clinic, clinic.olgas)
    assert done.also == [gone.code.hex]
    after = everything()
    assert "canary" not in after
    assert "K-9" not in after


def test_a_backup_from_before_the_merge_is_erased_again_too(clinic, others, tmp_path):
    gone = merged(clinic, others)
    done = erase(clinic, clinic.olgas)
    from sessions_app.records.erasure import as_line

    line = as_line(done)
    for code, label in ((done.client, "K-1"), (gone.code, "K-9")):
        back = Client.objects.create(code=code, label=label)
        episode = Episode.objects.create(client=back, therapist=clinic.olga, opened_on=cast.STARTED)
        cast.rated_course(episode, [380])
    assert erasure_actions.replay(line=line)
    assert set(Client.objects.values_list("label", flat=True)) == {"K-2"}
    assert not erasure_actions.replay(line=line)
