"""Every action that writes about a course, each once; and those that touch none."""

from datetime import timedelta

from django.utils import timezone

from alliance.measurement import instruments
from clients import actions as episode_actions
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.grants import Channel
from sessions_app.courses.models import Attendance
from sessions_app.courses.raters import Rater
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.conclude import conclude
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from sessions_app.groups import group_actions, round_actions
from sessions_app.groups import session_actions as group_session_actions
from sessions_app.intake import (
    guess_actions,
    hand_over_actions,
    paper_entry,
    questionnaire_entry,
    session_actions,
    staff_answer_actions,
)
from sessions_app.moving_in.columns import Kind
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.records import erasure_actions
from tests import cast
from tests.sessions_app import answered
from tests.sessions_app.corrections.marks import disputed, use, withdrawn
from tests.sessions_app.moving_in import files
from tests.sessions_app.questionnaires import answering

WEEK = timedelta(weeks=1)


def put_off(clinic):
    return deferral_actions.defer(
        episode=clinic.olgas, flags=answered.calling(), kind=Deferral.Kind.LATER, why="x", by=clinic.olga
    )


def talk(clinic, agreed="Less homework"):
    return discussion_actions.discuss(flags=answered.calling(), said="x", agreed=agreed, by=clinic.olga)


def talk_about_the_low_point(clinic):
    """Another talk, after a rating that is no better than the one that was talked about."""
    talk(clinic)
    session = cast.therapy_session(clinic.olgas, ago=timedelta(minutes=30))
    cast.rating(session, 330)
    return discussion_actions.discuss_low_point(session=session, said="y", agreed="", by=clinic.olga)


# --- Every write ---------------------------------------------------------------------------------


def _hand_over(clinic, last):
    hand_over_actions.hand_over(session=planned(clinic), by=clinic.olga)


def _own_form_answered(clinic, last):
    cast.inventory(clinic.adam, "wai-sr-therapist")
    form = instruments.get("wai-sr-therapist")
    staff_answer_actions.answer_own_form(
        session=last, instrument=form, answers={item.id: 10 for item in form.items}, by=clinic.olga
    )


def planned(clinic, episode=None):
    return cast.therapy_session(
        episode or clinic.olgas, held_at=timezone.now() - timedelta(minutes=1), attendance=Attendance.PLANNED
    )


def _declined(clinic, last):
    grant, _ = hand_over_actions.hand_over(session=planned(clinic), by=clinic.olga)
    hand_over_actions.decline(grant=grant)


def _marks_that_were_withdrawn_are_used(clinic, last):
    use(withdrawn(planned(clinic)))


def _marks_used_are_taken_out(clinic, last):
    decide.put_back(rating=use(disputed(last, 250)), by=clinic.olga)


def _changed(clinic, last):
    session = cast.therapy_session(clinic.olgas)
    session_actions.change_session(
        session=session,
        held_at=session.held_at - 30 * WEEK,
        modality="phone",
        attendance=Attendance.ATTENDED,
        by=clinic.olga,
    )


def _corrected(clinic, last):
    session = cast.therapy_session(clinic.olgas)
    rating = paper_entry.enter_rating(
        session=session, answers=cast.answers(300), channel=Channel.PAPER, by=clinic.olga
    )
    decide.correct(
        rating=rating, answers=cast.answers(390), channel=Channel.PAPER, why="slip", by=clinic.olga
    )


def _erased(clinic, last):
    request = erasure_actions.ask(client=clinic.olgas.client, reason="asked", note="", by=clinic.adam)
    erasure_actions.confirm(erasure=request, by=clinic.olga)


def _followed_up(clinic, last):
    discussion = talk(clinic)
    Discussion.objects.update(discussed_at=timezone.now() - WEEK)
    cast.rated_course(clinic.olgas, [390])
    follow_up_actions.undo(
        follow_up=follow_up_actions.note(discussion=discussion, answer="helped", by=clinic.olga),
        by=clinic.olga,
    )
    conclude(episode=clinic.olgas)  # the moment of the talk was changed past the action


def _voided(clinic, session):
    """With what was said and decided about its flags, and about those of the sessions before."""
    talk(clinic)
    put_off_all(clinic)
    return session_actions.void_session(session=session, why="entered twice", by=clinic.olga).session


def put_off_all(clinic):
    cast.rating(cast.therapy_session(clinic.olgas, ago=timedelta(hours=1)), 250)
    put_off(clinic)


def _put_back(clinic, last):
    session_actions.put_session_back(session=_voided(clinic, last), by=clinic.olga)


WRITES = {
    "begin_session": lambda c, last: _group_session(c),
    "note_attendance": lambda c, last: _absent_after_all(c),
    "group session voided": lambda c, last: group_session_actions.void_session(
        group_session=_group_session(c), why="x", by=c.olga
    ),
    "group session put back": lambda c, last: group_session_actions.put_back(
        group_session=group_session_actions.void_session(group_session=_group_session(c), why="x", by=c.olga),
        by=c.olga,
    ),
    "begin_round": lambda c, last: round_actions.begin_round(group_session=_group_session(c), by=c.olga),
    "group rated": lambda c, last: cast.rating(_group_session(c).attendances.get().session, 210),
    "hand_over": _hand_over,
    "hand_over_now": lambda c, last: hand_over_actions.hand_over_now(episode=c.olgas, by=c.olga),
    "take_back": lambda c, last: hand_over_actions.take_back(
        grant=hand_over_actions.hand_over(session=planned(c), by=c.olga)[0], by=c.olga
    ),
    "decline": _declined,
    "guess_now": lambda c, last: guess_actions.guess_now(
        episode=c.olgas, answers=cast.answers(300), by=guess_actions.choose_guessing(on=True, by=c.olga)
    ),
    "guess": lambda c, last: guess_actions.guess(
        session=planned(c), answers=cast.answers(300), by=guess_actions.choose_guessing(on=True, by=c.olga)
    ),
    "answer_own_form": lambda c, last: _own_form_answered(c, last),
    "choose_language": lambda c, last: hand_over_actions.choose_language(
        grant=hand_over_actions.hand_over(session=planned(c), by=c.olga)[0], language="de"
    ),
    "enter_rating": lambda c, last: paper_entry.enter_rating(
        session=planned(c), answers=cast.answers(210), channel=Channel.PAPER, by=c.olga
    ),
    "enter_response": lambda c, last: questionnaire_entry.enter_response(
        session=planned(c),
        paper=answering.on_paper("life-lines"),
        answers={"people": 10},
        rater=Rater.CLIENT,
        channel=Channel.PAPER,
        by=c.olga,
    ),
    "record_rating": lambda c, last: cast.rating(planned(c), 300),
    "add_session": lambda c, last: session_actions.add_session(
        episode=c.olgas, held_at=timezone.now() - WEEK / 2, attendance=Attendance.ATTENDED, by=c.olga
    ),
    "session_now": lambda c, last: session_actions.session_now(episode=c.olgas, by=c.olga),
    "change_session": _changed,
    "void_session": lambda c, last: _voided(c, last),
    "a session of the middle voided": lambda c, last: _voided(c, c.olgas.sessions.get(number=2)),
    "put_session_back": _put_back,
    "enter_rating_of_new_session": lambda c, last: paper_entry.enter_rating_of_new_session(
        episode=c.olgas, answers=cast.answers(210), channel=Channel.PAPER, by=c.olga, form_key=None
    ),
    "make_link": lambda c, last: cast.link(planned(c), by=c.olga),
    "discuss": lambda c, last: talk(c),
    "discuss_low_point": lambda c, last: talk_about_the_low_point(c),
    "withdraw_discussion": lambda c, last: discussion_actions.withdraw_discussion(
        discussion=talk(c), by=c.olga
    ),
    "edit_discussion": lambda c, last: discussion_actions.edit_discussion(
        discussion=talk(c), version=1, said="y", agreed="", why="x", by=c.olga
    ),
    "undo_discussion": lambda c, last: discussion_actions.undo_discussion(discussion=talk(c), by=c.olga),
    "put_back_discussion": lambda c, last: discussion_actions.put_back_discussion(
        discussion=discussion_actions.withdraw_discussion(discussion=talk(c), by=c.olga), by=c.olga
    ),
    "take_back_deferral": lambda c, last: deferral_actions.take_back_deferral(
        deferral=put_off(c), why="x", by=c.olga
    ),
    "defer": lambda c, last: put_off(c),
    "undo": lambda c, last: deferral_actions.undo(deferral=put_off(c), by=c.olga),
    "note": _followed_up,
    "use": lambda c, last: use(disputed(last, 250)),
    "leave": lambda c, last: decide.leave(aside=disputed(last, 250), by=c.olga),
    "take_up_again": lambda c, last: _taken_up(c, last),
    "correct": _corrected,
    "put_back": _marks_used_are_taken_out,
    "import_file": lambda c, last: _imported(c),
    "end_course": lambda c, last: _ended(c),
    "take_up_course": lambda c, last: episode_actions.reopen_episode(episode=_ended(c), by=c.olga),
    "confirm": _erased,
    "withdrawn marks used": _marks_that_were_withdrawn_are_used,
    "take_back_of": lambda c, last: hand_over_actions.take_back_of(session=_handed_over(c), by=c.olga),
    "set_aside": lambda c, last: misfiling_actions.set_aside(rating=last.ratings.get(), why="x", by=c.olga),
    "move": lambda c, last: _moved(c, last),
    "misfile_arrived": lambda c, last: _arrived_marks_moved(c, last),
    "take_up_misfiled": lambda c, last: misfiling_actions.take_up_misfiled(
        aside=_arrived_marks_moved(c, last).set_aside, by=c.olga
    ),
    "misfiled marks put back": lambda c, last: misfiling_actions.put_back(
        misfiling=_moved(c, last), by=c.olga
    ),
    "asked again": lambda c, last: cast.rating(_partly_rated(c), 210),
    "lines added": lambda c, last: paper_entry.enter_rating(
        session=(session := _partly_rated(c)),
        answers={"goals": 20},
        channel=Channel.VERBAL,
        seen=session.ratings.get().code,
        by=c.olga,
    ),
    "cancelled after all": lambda c, last: session_actions.change_session(
        session=(session := _partly_rated(c)),
        held_at=session.held_at,
        modality="video",
        attendance=Attendance.CANCELLED,
        by=c.olga,
    ),
}


def _group_session(clinic):
    group = group_actions.make_group(
        name="x", kind="group", leader=clinic.olga, co_leader=None, by=clinic.olga
    )
    member = group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga).member
    return group_session_actions.begin_session(
        group=group,
        held_at=timezone.now() - timedelta(minutes=2),
        present=[str(member.code)],
        by=clinic.olga,
    )


def _absent_after_all(clinic):
    held = _group_session(clinic)
    group_session_actions.note_attendance(
        group_session=held, member=held.attendances.get().member, present=False, by=clinic.olga
    )


def _imported(clinic):
    """Sessions with earlier ratings, before those that are here."""
    number = ImportedNumber.objects.create(kind="client", number="4711", client=clinic.olgas.client)
    start = clinic.olgas.opened_on
    rows = files.weeks(f"{start}", [380, None, 330], number.number)
    files.imported(Kind.SESSIONS, files.sessions(*rows), clinic.adam)


def _ended(clinic):
    cast.therapy_session(clinic.olgas, ago=-WEEK, attendance=Attendance.PLANNED)
    today = timezone.localdate()
    return episode_actions.close_episode(
        episode=clinic.olgas, closed_on=today, ending="planned", by=clinic.olga
    )


def _handed_over(clinic):
    session = planned(clinic)
    hand_over_actions.hand_over(session=session, by=clinic.olga)
    return session


def _partly_rated(clinic):
    session = planned(clinic)
    cast.rating(session, 390, goals=None)
    return session


def _arrived_marks_moved(clinic, last):
    other = cast.rated_course(cast.episode(clinic.olga, "K-106"), [390, 395])[0].episode
    return misfiling_actions.misfile_arrived(
        aside=disputed(last, 250), to=planned(clinic, other), why="x", by=clinic.olga
    )


def _moved(clinic, last):
    other = cast.rated_course(cast.episode(clinic.olga, "K-106"), [390, 395])[0].episode
    return misfiling_actions.move(
        rating=last.ratings.get(), to=planned(clinic, other), why="x", by=clinic.olga
    )


def _taken_up(clinic, last):
    aside = disputed(last, 250)
    decide.leave(aside=aside, by=clinic.olga)
    decide.take_up_again(aside=aside, by=clinic.olga)


# Actions that touch no course of a client, or only through one that is walked above.
WITHOUT_A_COURSE = {
    "ask",  # hand_over, make_link and send call it
    "withdraw_what_is_out",
    "choose_guessing",
    "standing",
    "there_already",
    "made_by",
    "refuse_before_its_day",
    "refuse_unless_ratable",
    "keep_invalid",  # marks beside the rating: they count for nothing
    "send",  # as make_link: `ask`, walked in test_paired_tablets
    "open_on_phone",
    "why_it_opens_nothing",  # it writes nothing
    "open_in_room",
    "ask_to_be_paired",
    "pair",
    "revoke",
    "note_seen",
    "hash_of_answers",
    # Who belongs to a group is no part of a course; an episode that is opened has its standing from the first.
    "lock_group",
    "lock_standing_group",
    "make_group",
    "change_group",
    "change_leaders",
    "add_member",
    "take_out",
    "end_group",
    "take_up_group",
    "would_count_nowhere",
    "open_form",  # as open_in_room
    "it_took_place",  # use and move call it
    "refuse_if_settled",
    "conclude",
    "add_question",
    "take_out_question",
    "put_back_question",
    "rated_since",
    "load_file",
    "name_file",
    "understood",
    "read_otherwise",
    "choose_columns",
    "source_of",
    "check",
    "context_of",
    "remove_file",
    "remove_past",
    "forget",
    "change_follow_up",  # an answer to "did it help?" is no part of the standing
    "take_back_follow_up",
    # What is said in supervision is no part of the standing.
    "ask_otherwise",
    "take_back_question",
    "answer_question",
    "take_back_answer",
    "note_supervision",
    "change_supervision_note",
    "take_back_supervision_note",
    "put_back_supervision_note",
    "make_agenda",
    "fill_agenda",
    "add_item",
    "move_item",
    "tick_item",
    "remove_item",
    "put_back_item",
    "call_off",
    "may_confirm",
    "change_rule",
    "ask_for_all_due",
    "confirm_batch",  # of `confirm`, each alone
    "call_off_batch",
    "replay",  # as `confirm`: walked in records/test_erased_files.py
    "note_export",
    "note_record",
    "note_list_of_erasures",
    # No flag rule reads the answers to a questionnaire.
    "decide",
    "acknowledge",
    # Which forms are asked for says nothing of the marks that came.
    "plan_form",
    "change_planned",
    "end_planned",
    "successor",
    "as_it_stands_now",
    "not_stored",
    "add",
    "end",
    "give_in_course",
    "switch_off",
    "by_the_plan",
    "when_and_why",
    "scale_and_why",
    "in_words",
}
ROOMS_THAT_WRITE = (
    *("flags", "conversations", "supervision", "questionnaires", "plans", "intake", "corrections"),
    *("groups", "moving_in", "records"),
)
