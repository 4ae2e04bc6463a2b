"""A client with something in every table, for the tests of files and erasure."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.measurement import instruments
from clients.covers import Cover
from clients.episode_changes import CaseloadTransfer, DayCorrection, EpisodeClosing, EpisodeTransfer
from clients.models import Supervision
from sessions_app.conversations import follow_up_actions
from sessions_app.corrections import actions as decide
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.grants import Channel
from sessions_app.courses.late_marks import LateMarks
from sessions_app.courses.models import Mode, SetAsideRating
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.looks_before import LookBefore
from sessions_app.flags.models import Flag
from sessions_app.groups.models import Group, GroupAttendance, GroupMember, GroupSession
from sessions_app.intake import hand_over_actions
from sessions_app.intake.paper_entry import enter_rating
from sessions_app.intake.record_rating import NotStored, keep_invalid, record_rating
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.plans import choice_actions
from sessions_app.questionnaires import decision_actions, risk_actions, risk_confirmations
from sessions_app.questionnaires.guesses import Guess
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange
from tests import cast
from tests.sessions_app.questionnaires.answering import answer, confirm

IN_SUPERVISION = "in-supervision"
WEEK = timedelta(weeks=1)


def words(tag):
    """Unique texts, by where they stand."""
    places = (
        "label",
        "comment",
        "shared",
        "aside",
        "raw",
        "said",
        "agreed",
        "later",
        "correction",
        "settled",
        "misfiled",
        "earlier",
        "edited",
        "day",
        "answered",
        "decided",
        "looked",
        "switched_off",
    )
    return {place: f"{place}-{tag}" for place in places}


def full_course(episode, tag="canary"):
    """Something in every table that goes with a client; the texts, by where they stand."""
    said, by = words(tag), episode.therapist
    episode.client.label = said["label"]
    episode.client.save()
    first, second, _ = cast.rated_course(episode, [380, 375, 384], last_ago=5 * WEEK)
    low = cast.therapy_session(episode, ago=4 * WEEK)
    cast.rating(low, 250, comment=said["comment"])
    talk = discussion_actions.discuss(flags=low.flags.all(), said=said["earlier"], agreed="", by=by)
    changed = {"said": said["said"], "agreed": said["agreed"], "why": said["edited"]}
    discussion_actions.edit_discussion(discussion=talk, version=1, **changed, by=by)
    type(talk).objects.update(discussed_at=low.ends_at)
    shared = cast.therapy_session(episode, ago=3 * WEEK)
    grant, _ = hand_over_actions.hand_over(session=shared, by=by)
    record_rating(
        grant=grant, answers=cast.answers(382), mode=Mode.LINE, comment=said["shared"], share_comment=True
    )
    follow_up_actions.note(discussion=talk, answer="helped", by=by)
    aside = set_aside(first, said["aside"])
    decide.use(aside=aside, seen=first.ratings.get().code, why=said["settled"], by=by)
    with pytest.raises(NotStored):
        keep_invalid(
            grant=second.ratings.get().grant,
            raw=said["raw"],
            delivery="11111111-1111-4111-8111-111111111111",
            claimed_at=None,
        )
    wrong = cast.therapy_session(episode, ago=2.5 * WEEK)
    misfiling_actions.set_aside(rating=cast.rating(wrong, 383), why=said["misfiled"], by=by)
    paper = cast.therapy_session(episode, ago=2 * WEEK)
    typed = enter_rating(session=paper, answers=cast.answers(280), channel=Channel.PAPER, by=by)
    decide.correct(
        rating=typed, answers=cast.answers(384), channel=Channel.PAPER, why=said["correction"], by=by
    )
    fall = cast.therapy_session(episode, ago=WEEK)
    cast.rating(fall, 200)
    flags = Flag.objects.standing().filter(session=fall)
    deferral_actions.defer(episode=episode, flags=flags, kind="later", why=said["later"], by=by)
    _questionnaires(fall, said)
    _in_a_group(fall)
    _by_the_office(episode, fall, said["day"])
    _in_supervision(episode, fall, f"{IN_SUPERVISION}-{tag}")
    return said


def _questionnaires(session, said):
    """Answers with one at which somebody had to look, and what was written and decided about them."""
    by = session.episode.therapist
    if not risk_confirmations.is_confirmed(instruments.get("phq-9")):
        confirm("phq-9", looks=by, by=by)
    answers = {f"item-{n}": 20 for n in range(1, 10)}
    response = answer(session, "phq-9", answers, comment=said["answered"], share_comment=True)
    (found,) = response.risk_answers.all()
    risk_actions.acknowledge(answer=found, note=said["looked"], by=by)
    decision_actions.decide(response=response, counts=False, why=said["decided"], by=by)
    Guess.objects.create(
        session=session, therapist=by, instrument="session-rating", instrument_version="2", answers={}
    )
    choice_actions.switch_off(
        episode=session.episode, named=instruments.get("gad-7"), why=said["switched_off"], by=by
    )


def _in_a_group(session):
    """A group of one, with one session: what is of this client alone goes with them."""
    by = session.episode.therapist
    group = Group.objects.create(name=f"Group {by.name}", leader=by)
    member = GroupMember.objects.create(group=group, episode=session.episode, number=1)
    held = {"held_at": session.held_at, "ends_at": session.ends_at}
    together = GroupSession.objects.create(group=group, begun_by=by, **held)
    GroupAttendance.objects.create(group_session=together, member=member, session=session)


def _in_supervision(episode, session, words):
    """What therapist and supervisor said; in no file, so not among the words that files are searched for."""
    by, today = episode.therapist, timezone.localdate()
    answered = {"answer": words, "answered_by": by, "answered_at": timezone.now()}
    question = SupervisionQuestion.objects.create(episode=episode, words=words, asked_by=by, **answered)
    question_change = {"version": 1, "kind": "asked otherwise", "words": words, "changed_by": by}
    SupervisionQuestionChange.objects.create(question=question, **question_change)
    talk = SupervisionTalk.objects.create(episode=episode, held_on=today, agreed=words, noted_by=by)
    talk_change = {"version": 1, "kind": "edited", "held_on": today, "agreed": words, "changed_by": by}
    SupervisionTalkChange.objects.create(talk=talk, **talk_change)
    supervisor = (
        Supervision.objects.exclude(therapist=by).values_list("supervisor", flat=True).first() or by.pk
    )
    if supervisor != by.pk:
        agenda, _ = Agenda.objects.get_or_create(supervisor_id=supervisor, therapist=by, held_on=today)
        AgendaItem.objects.create(
            agenda=agenda, place=agenda.items.count(), episode=episode, why="added", text=words, added_by=by
        )
    LookBefore.objects.update_or_create(
        session=session, defaults={"held_at": session.held_at, "looked": True}
    )


def _by_the_office(episode, session, why):
    """How the course ended, went on and was seen by others: rows that need no course of their own."""
    by, today = episode.therapist, timezone.localdate()
    for kind, row in (("client", episode.client), ("episode", episode), ("session", session)):
        ImportedNumber.objects.create(kind=kind, number=f"{why}, {kind}", **{kind: row})
    DayCorrection.objects.create(
        episode=episode, of="opened", was=today, becomes=episode.opened_on, why=why, corrected_by=by
    )
    EpisodeClosing.objects.create(episode=episode, closed_by=by, undone_at=timezone.now(), undone_by=by)
    transfer = CaseloadTransfer.objects.create(on=today, made_by=by)
    EpisodeTransfer.objects.create(transfer=transfer, episode=episode, therapist=by)
    LateMarks.objects.create(session=session)
    Cover.objects.create(
        **{"episode": episode, "colleague": by, "made_by": by, "made_together": uuid4()},
        **{"starts_on": today - WEEK, "ends_on": today - WEEK},
    )


def set_aside(session, comment):
    grant = session.ratings.get().grant
    with pytest.raises(NotStored):
        record_rating(grant=grant, answers=cast.answers(200), mode=Mode.LINE, comment=comment)
    return SetAsideRating.objects.get(session=session)
