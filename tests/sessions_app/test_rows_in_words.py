"""A row in words, as a shell or an error page prints it: the session and the kind, never a mark and never a label."""

import pytest
from django.apps import apps
from django.utils import timezone

from clients import merge_actions
from clients.models import EarlierCourseConsent
from sessions_app.corrections import actions as decide
from sessions_app.courses.decisions import Settlement
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Rating
from sessions_app.flags import deferral_actions, recompute
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.models import Flag
from sessions_app.flags.process_days import ProcessDay
from sessions_app.records import erasure_actions
from sessions_app.records.field_table import going_with_the_client
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import disputed
from tests.sessions_app.records.courses import full_course

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(clinic):
    *_, last = cast.rated_course(clinic.olgas, [380, 310])
    aside = disputed(last, 250)
    decide.leave(aside=aside, by=clinic.olga)
    deferral = deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind="later", why="x", by=clinic.olga
    )
    run = recompute.begin(by=None)
    return {
        "flag": Flag.objects.get(rule="C"),
        "deferral": deferral,
        "standing": EpisodeStanding.objects.get(episode=clinic.olgas),
        "day": ProcessDay.objects.first(),
        "run": run,
        "aside": aside,
        "settlement": Settlement.objects.get(),
        "rating": Rating.objects.last(),
        "grant": RatingGrant.objects.last(),
    }


def test_every_row_has_words_that_hold_no_mark_and_no_label(rows):
    said = {name: str(row) for name, row in rows.items()}
    assert all(said.values())
    assert len(set(said.values())) == len(said)
    for text in said.values():
        assert "K-1" not in text
        assert "31.0" not in text


def test_a_flag_and_what_hangs_on_it_name_their_session(rows):
    for name in ("flag", "deferral", "rating"):
        assert "Session 2" in str(rows[name])
    assert rows["flag"].client_code == rows["deferral"].client_code == rows["aside"].client_code
    assert rows["settlement"].client_code == rows["rating"].client_code


def test_a_row_of_a_merge_a_move_or_a_transfer_says_which_records_it_is_about(clinic):
    again, third = cast.episode(clinic.carl, "K-1b"), cast.episode(clinic.carl, "K-3")
    kept, by = clinic.olgas.client, {"by": clinic.adam}
    seen = {again.code, clinic.olgas.code}
    merge = merge_actions.merge_clients(kept=kept, merged=again.client, seen=seen, **by)
    told = merge_actions.tell_apart(one=third.client, other=kept, **by)
    cast.transfer(episode=third, therapist=clinic.olga, on=timezone.localdate(), by=clinic.adam)
    consent = EarlierCourseConsent(earlier=clinic.olgas, episode=third)
    rows = (merge, merge.moves.get(), told, third.transfers.get(), third.closings.get(), consent)
    assert [str(row) for row in rows] == [
        "K-1b into K-1",
        "K-1 with Carl from K-1b",
        "K-1 is not K-3",
        "K-3 with Carl to Olga",
        "End of K-3 with Carl",
        "Consent to show K-1 with Olga",
    ]


def test_no_row_of_a_client_in_words_holds_what_anybody_wrote_or_marked(clinic):
    """A log or an error page may hold these words. Numbers of a system of before are the clinic's own labels."""
    texts = full_course(clinic.olgas)
    written = {words for place, words in texts.items() if place not in {"label", "day"}}
    found = {}
    for table in going_with_the_client():
        if apps.get_model(table.model)._meta.auto_created:
            continue  # which flags a talk was about, and nothing else
        for row in table.rows():
            found.setdefault(table.model, []).append(str(row))
    assert len(found) > 20
    for model, said in found.items():
        for text in said:
            assert text, model
            assert " object (" not in text, model
            assert not [one for one in written if one in text], model
            assert not [mark for mark in ("25.0", "28.0", "38.4", "250", "280", "384") if mark in text], model


def test_what_stays_of_an_erased_client_says_a_code_and_no_more(clinic):
    cast.rating(cast.therapy_session(clinic.olgas))
    asked = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=asked, by=clinic.olga)
    grant = ErasedGrant.objects.get()
    assert [str(asked), str(grant)] == [f"Erasure of {asked.client}", str(grant.code)]
