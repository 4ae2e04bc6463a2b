"""Two tabs change one note at once: with real threads and real connections, on both databases."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError

from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.models import TherapySession
from sessions_app.flags import discussion_actions
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.models import Discussion
from tests import cast
from tests.sessions_app.intake.test_races import MEET_WITHIN, at_once, unexpected

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def noted(clinic):
    low = cast.therapy_session(clinic.olgas)
    cast.rating(low, 200)
    return discussion_actions.discuss(flags=low.flags.all(), said="Too fast.", agreed="", by=clinic.olga)


def editing(note, said, by):
    """As a request does it: with a row of its own."""
    return lambda: discussion_actions.edit_discussion(
        discussion=Discussion.objects.select_related("session").get(pk=note.pk),
        version=1,
        said=said,
        agreed="",
        why="x",
        by=by,
    )


def taking_back(note, by):
    return lambda: discussion_actions.withdraw_discussion(
        discussion=Discussion.objects.select_related("session").get(pk=note.pk), version=1, why="x", by=by
    )


def test_of_two_tabs_that_edit_one_note_one_is_told_and_no_word_is_lost(clinic):
    for _ in range(ROUNDS):
        note = noted(clinic)
        outcomes = at_once(*(editing(note, said, clinic.olga) for said in ("One.", "Two.")))
        assert unexpected(outcomes, Refused) == []
        assert sorted(type(one).__name__ for one in outcomes) == ["Discussion", "Refused"]
        assert note.changes.get().said == "Too fast."
        assert Discussion.objects.get(pk=note.pk).version == 2


def test_edited_and_taken_back_at_once_it_is_one_of_both(clinic):
    for _ in range(ROUNDS):
        note = noted(clinic)
        outcomes = at_once(editing(note, "One.", clinic.olga), taking_back(note, clinic.olga))
        assert unexpected(outcomes, Refused) == []
        (change,) = note.changes.all()
        note.refresh_from_db()
        assert (note.withdrawn_at is None, note.said) == (
            (True, "One.") if change.kind == "edited" else (False, "Too fast.")
        )


def staying_low(clinic):
    """The last session of a course that fell, was talked about, and was rated no better since."""
    *_, fell = cast.rated_course(clinic.olgas, [380, 380, 380, 300], last_ago=timedelta(days=7))
    discussion_actions.discuss(
        flags=fell.flags.filter(on_work_list=True), said="Too fast.", agreed="", by=clinic.olga
    )
    session = cast.therapy_session(clinic.olgas)
    cast.rating(session, 300)
    return session


def talking_again(session, said, by):
    return lambda: discussion_actions.discuss_low_point(
        session=TherapySession.objects.get(pk=session.pk), said=said, agreed="", by=by
    )


def test_of_two_tabs_that_note_another_talk_at_a_low_point_one_is_told(clinic):
    session = staying_low(clinic)
    outcomes = at_once(*(talking_again(session, said, clinic.olga) for said in ("One.", "Two.")))
    assert unexpected(outcomes, Refused) == []
    assert sorted(type(one).__name__ for one in outcomes) == ["Discussion", "Refused"]
    assert Discussion.objects.filter(session=session).count() == 1


@pytest.mark.postgresql
def test_control_without_the_lock_both_tabs_note_a_talk_at_the_low_point(clinic, monkeypatch):
    session = staying_low(clinic)
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    note = discussion_actions._note

    def notes_once_both_have_looked(*args, **words):
        looked.wait()
        return note(*args, **words)

    monkeypatch.setattr(discussion_actions, "lock_open_episode", lambda pk: Episode.objects.get(pk=pk))
    monkeypatch.setattr(discussion_actions, "_note", notes_once_both_have_looked)
    outcomes = at_once(*(talking_again(session, said, clinic.olga) for said in ("One.", "Two.")))
    assert [type(one) for one in outcomes] == [Discussion, Discussion]


@pytest.mark.postgresql
def test_control_without_the_lock_the_second_tab_meets_the_constraint_instead_of_a_sentence(
    clinic, monkeypatch
):
    """Both look before either writes. The database still keeps one change of each version."""
    note = noted(clinic)
    looked = threading.Barrier(2, timeout=MEET_WITHIN)
    keep = discussion_actions._keep

    def keeps_once_both_have_looked(*args):
        looked.wait()
        keep(*args)

    monkeypatch.setattr(discussion_actions, "lock_open_episode", lambda pk: Episode.objects.get(pk=pk))
    monkeypatch.setattr(discussion_actions, "_keep", keeps_once_both_have_looked)
    outcomes = at_once(*(editing(note, said, clinic.olga) for said in ("One.", "Two.")))
    assert [type(one) for one in unexpected(outcomes, Refused)] == [IntegrityError]
    assert DiscussionChange.objects.count() == 1
