"""A course that is over is read and not written: every write of a person, and what is left open on purpose."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

import sessions_app
from alliance.refused import Refused
from clients import actions
from clients.models import Ending, Episode
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import actions as decide
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Attendance, Rating
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from sessions_app.intake import hand_over_actions, paper_entry, sending_actions, session_actions
from tests import cast
from tests.built_once import copy_of, kept_open
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import disputed

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)
ROOMS_THAT_WRITE = ("flags", "conversations", "questionnaires", "intake", "corrections")
# What a write looks at behind the lock, one of these: whether the course is over.
LOOKS = {
    *("lock_open_episode", "lock_for_decision", "is_open", "_refuse_if_closed"),
    *("refuse_unless_ratable", "refuse_unless_open", "_refuse_unless_open"),
}
STILL_POSSIBLE = {
    # The client's own acts, and the device's: a form that is out stays good until its time.
    "record_rating": "the last rating is not lost; who is named is told (`late_marks`)",
    "keep_invalid": "the same",
    "decline": "the client gives the tablet back",
    "choose_language": "the client reads on in another language",
    "open_in_room": "a tablet that holds the form already",
    "take_back": "it keeps marks from counting, and loses none",
    "take_back_of": "the same",
    # Marks of somebody else do not stay in a record because it is over.
    "set_aside": "marks in the wrong record leave it",
    "move": "the same",
    "put_back": "its undo",
    "misfile_arrived": "the same, of marks that were set aside",
    "take_up_misfiled": "its undo",
    "acknowledge": "answers about self-harm arrive late too, and somebody has to look",
    "end_course": "is the end",
    "take_up_course": "is its undo",
}
# They write through another action that looks, or nothing of a course at all.
NOT_ALONE = {
    *("hand_over", "hand_over_now", "make_link", "send", "session_now", "enter_rating_of_new_session"),
    *(
        "withdraw_what_is_out",
        "refuse_before_its_day",
        "refuse_if_settled",
        "it_took_place",
        "hash_of_answers",
    ),
    *("conclude", "rated_since", "there_already", "note_seen", "ask_to_be_paired", "pair", "revoke"),
    *(
        "add_question",
        "take_out_question",
        "put_back_question",
        "standing",
        "made_by",
    ),
    "choose_guessing",  # a setting of one's own
    "open_on_phone",  # through `_refuse_unless_it_can_be_opened`
}


def actions_with_their_names():
    """(name of an action, every name in it and in the functions of its file that it calls)."""
    root = Path(sessions_app.__file__).parent
    for room in ROOMS_THAT_WRITE:
        for path in (root / room).glob("*.py"):
            if path.stem.endswith("actions") or path.stem in {
                "paper_entry",
                "questionnaire_entry",
                "record_rating",
            }:
                body = ast.parse(path.read_text("utf-8")).body
                names = {node.name: names_in(node) for node in body if isinstance(node, ast.FunctionDef)}
                yield from ((name, reached(name, names)) for name in names if not name.startswith("_"))


def names_in(node):
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def reached(name, names):
    found, waiting = set(), [name]
    while waiting:
        for one in names[waiting.pop()] - found:
            found.add(one)
            if one in names:
                waiting.append(one)
    return found


def test_every_action_looks_whether_the_course_is_over_or_says_why_not():
    """A new action fails here until it does one of the two."""
    found = list(actions_with_their_names())
    blind = {name for name, names in found if not names & LOOKS}
    assert blind - STILL_POSSIBLE.keys() - NOT_ALONE == set()
    assert {*STILL_POSSIBLE} <= {name for name, _ in found}


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        yield full_course(cast.clinic())


@pytest.fixture
def course(built):
    return copy_of(built)


def full_course(clinic):
    """Everything that can be written about, in a course that goes on."""
    first, second, last = cast.rated_course(clinic.olgas, [380, 384, 330], last_ago=timedelta(days=2))
    clinic.first, clinic.last = first, last
    clinic.planned = cast.therapy_session(
        clinic.olgas, held_at=timezone.now() - timedelta(hours=2), attendance=Attendance.PLANNED
    )
    clinic.aside = disputed(second, 250)
    clinic.left = disputed(first, 240)
    decide.leave(aside=clinic.left, by=clinic.olga)
    clinic.paper = paper_entry.enter_rating(
        session=cast.therapy_session(clinic.olgas),
        answers=cast.answers(200),
        channel=Channel.PAPER,
        by=clinic.olga,
    )
    clinic.talk = discussion_actions.discuss(
        flags=last.flags.all(), said="x", agreed="Less homework", by=clinic.olga
    )
    Discussion.objects.update(discussed_at=timezone.now() - WEEK)
    clinic.deferral = deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.NOT_NEEDED, why="x", by=clinic.olga
    )
    return clinic


WRITES = {
    "discuss": lambda c: discussion_actions.discuss(flags=c.last.flags.all(), said="y", agreed="", by=c.olga),
    "defer": lambda c: deferral_actions.defer(
        episode=c.olgas, flags=c.last.flags.all(), kind="later", why="x", by=c.olga
    ),
    "undo a deferral": lambda c: deferral_actions.undo(deferral=c.deferral, by=c.olga),
    "note whether it helped": lambda c: follow_up_actions.note(discussion=c.talk, answer="helped", by=c.olga),
    "correct": lambda c: decide.correct(
        rating=c.paper, answers=cast.answers(390), channel=Channel.PAPER, why="x", by=c.olga
    ),
    "add a session": lambda c: session_actions.add_session(
        episode=c.olgas, held_at=timezone.now(), by=c.olga
    ),
    "change a session": lambda c: session_actions.change_session(
        session=c.planned, held_at=c.planned.held_at, modality="phone", attendance="attended", by=c.olga
    ),
    "void a session": lambda c: session_actions.void_session(session=c.planned, why="x", by=c.olga),
    "hand over": lambda c: hand_over_actions.hand_over(session=c.planned, by=c.olga),
    "hand over now": lambda c: hand_over_actions.hand_over_now(episode=c.olgas, by=c.olga),
    "make a link": lambda c: sending_actions.make_link(episode=c.olgas, session=c.planned, by=c.olga),
    "enter from paper": lambda c: paper_entry.enter_rating(
        session=c.planned, answers=cast.answers(300), channel=Channel.PAPER, by=c.olga
    ),
}
DECISIONS = {
    "use": lambda c: decide.use(
        aside=c.aside, seen=Rating.objects.standing().get(session=c.aside.session).code, by=c.olga
    ),
    "leave": lambda c: decide.leave(aside=c.aside, by=c.olga),
    "take up again": lambda c: decide.take_up_again(aside=c.left, by=c.olga),
}


def end(clinic, how):
    today = timezone.localdate()
    if how == Ending.TRANSFERRED:
        cast.transfer(episode=clinic.olgas, therapist=clinic.carl, on=today, by=clinic.adam)
    else:
        actions.close_episode(episode=clinic.olgas, closed_on=today, ending=how, by=clinic.olga)
    # As a page that was opened before has it.
    clinic.olgas = Episode.objects.get(pk=clinic.olgas.pk)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("how", [Ending.PLANNED, Ending.TRANSFERRED])
def test_after_the_end_the_former_therapist_writes_nothing(course, how, write):
    end(course, how)
    with pytest.raises(Refused, match=r"closed|only read"):
        write(course)


@pytest.mark.parametrize("write", [*WRITES.values(), *DECISIONS.values()], ids=[*WRITES, *DECISIONS])
def test_control_as_long_as_it_goes_on_each_of_them_is_written(course, write):
    try:
        write(course)
    except Refused as refusal:
        assert not {"closed", "transferred"} & set(str(refusal).split())  # noqa: PT017 - what it says matters


@pytest.mark.parametrize("write", DECISIONS.values(), ids=DECISIONS)
def test_decisions_about_marks_that_arrived_are_made_after_the_end_and_not_after_a_transfer(course, write):
    end(course, Ending.PLANNED)
    write(course)
    actions.reopen_episode(episode=course.olgas, by=course.olga)
    end(course, Ending.TRANSFERRED)
    with pytest.raises(Refused, match="was transferred"):
        write(course)
