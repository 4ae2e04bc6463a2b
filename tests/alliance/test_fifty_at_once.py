"""Fifty presses of one button at the same moment add one row, and no answer is an error of ours.

Check-then-insert made eight clients, fifty sessions, four notes and two questions of one press, and kept twelve marks
aside where ten are the limit. On PostgreSQL: SQLite lets one writer in at a time.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from alliance.erasures import Erasure
from alliance.models import User
from alliance.refused import Refused
from clients import actions, cover_actions, earlier_courses, merge_actions, staff_actions, supervision_actions
from clients.models import Client, Cover, DifferentClients, EarlierCourseConsent, Episode, Supervision
from sessions_app.conversations import follow_up_actions
from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.corrections import misfiling_actions
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import SetAsideRating, TherapySession
from sessions_app.courses.tablets import PairedTablet
from sessions_app.flags import deferral_actions, discussion_actions
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Discussion
from sessions_app.groups import group_actions
from sessions_app.groups import session_actions as group_session_actions
from sessions_app.groups.models import Group, GroupMember, GroupSession
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.intake import hand_over_actions, sending_actions, session_actions, short_codes
from sessions_app.intake.record_rating import SET_ASIDE_A_GRANT, NotStored, TooManySetAside, record_rating
from sessions_app.plans import choice_actions, plan_actions
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from sessions_app.records import erasure_actions
from sessions_app.supervision import agenda_actions, talk_actions
from sessions_app.supervision import question_actions as supervision_questions
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion
from sessions_app.supervision.talks import SupervisionTalk
from tests import cast
from tests.alliance.page_table import a_consent
from tests.sessions_app.intake.test_races import at_once, unexpected
from tests.sessions_app.questionnaires.answering import confirm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
PRESSES = 50


@dataclass(frozen=True)
class Press:
    """made: of which row one more is there; ready: what has to be there before, for `press`, which runs in threads."""

    made: Any
    press: Callable[..., Any]
    ready: Callable[..., Any] = lambda clinic: None
    rows: int = 1


KEY = uuid4()
TODAY = timezone.localdate


def a_rated_session(clinic):
    return cast.rated_course(clinic.olgas, [380, 250])[-1]


def flags_of(session):
    return session.flags.all()


def an_agenda(clinic):
    return agenda_actions.make_agenda(therapist=clinic.olga, held_on=TODAY(), proposals=[], by=clinic.sina)


def a_group(clinic):
    return group_actions.make_group(
        name="Group", kind="group", leader=clinic.olga, co_leader=None, by=clinic.olga
    )


def a_group_of_one(clinic):
    group = a_group(clinic)
    member = group_actions.add_member(group=group, client=clinic.olgas.client, by=clinic.olga).member
    return group, member


def asking_tablet(clinic):
    return short_codes.pairing_code(sending_actions.ask_to_be_paired())


def a_talk(clinic):
    session = cast.rated_course(clinic.olgas, [380, 250])[-1]
    talk = discussion_actions.discuss(flags=flags_of(session), said="x", agreed="y", by=clinic.olga)
    cast.rating(cast.therapy_session(clinic.olgas), 370)
    return talk


def with_eligible_earlier_course(clinic):
    consent = a_consent(clinic)
    earlier_courses.withdraw_consent(consent=consent, by=clinic.olga)
    return consent


PRESSED = {
    "a client": Press(
        Client,
        lambda c, _: actions.register_client(
            label="K-9",
            language="en",
            age_band="",
            therapist=c.olga,
            opened_on=TODAY(),
            by=c.olga,
            form_key=KEY,
        ),
    ),
    "an episode": Press(
        Episode,
        lambda c, _: actions.open_episode(
            client=c.olgas.client, therapist=c.carl, opened_on=TODAY(), by=c.adam
        ),
    ),
    "a person": Press(
        User,
        lambda c, _: staff_actions.add_person(
            email="new@clinic.example", name="New", roles={"therapist"}, by=c.adam, form_key=KEY
        ),
    ),
    "a person, by several forms": Press(
        User,
        lambda c, _: staff_actions.add_person(
            email="new@clinic.example", name="New", roles={"therapist"}, by=c.adam, form_key=uuid4()
        ),
    ),
    "a supervision": Press(
        Supervision,
        lambda c, _: supervision_actions.start_supervision(
            supervisor=c.stefan, therapist=c.olga, starts_on=TODAY(), by=c.adam
        ),
    ),
    "a cover": Press(
        Cover,
        lambda c, _: cover_actions.start(
            episodes=[c.olgas], colleague=c.carl, starts_on=TODAY(), ends_on=TODAY(), by=c.olga
        ),
    ),
    "a consent": Press(
        EarlierCourseConsent,
        lambda c, consent: earlier_courses.record_consent(
            earlier=consent.earlier, episode=consent.episode, given_on=TODAY(), by=c.olga
        ),
        with_eligible_earlier_course,
    ),
    "two clients told apart": Press(
        DifferentClients,
        lambda c, _: merge_actions.tell_apart(one=c.olgas.client, other=c.carls.client, by=c.adam),
    ),
    "a session": Press(
        TherapySession,
        lambda c, at: session_actions.add_session(episode=c.olgas, held_at=at, by=c.olga, form_key=KEY),
        lambda c: timezone.now(),
    ),
    "a session, by several forms": Press(
        TherapySession,
        lambda c, at: session_actions.add_session(episode=c.olgas, held_at=at, by=c.olga, form_key=uuid4()),
        lambda c: timezone.now(),
    ),
    "a link for a phone": Press(
        RatingGrant,
        lambda c, session: sending_actions.make_link(
            episode=c.olgas, session=session, by=c.olga, form_key=KEY
        ),
        lambda c: cast.therapy_session(c.olgas),
    ),
    "a note of a talk": Press(
        Discussion,
        lambda c, session: discussion_actions.discuss(
            flags=flags_of(session), said="x", agreed="y", by=c.olga
        ),
        a_rated_session,
    ),
    "a putting-off": Press(
        Deferral,
        lambda c, session: deferral_actions.defer(
            episode=c.olgas, flags=flags_of(session), kind="later", why="x", by=c.olga
        ),
        a_rated_session,
    ),
    "whether it helped": Press(
        FollowUp,
        lambda c, talk: follow_up_actions.note(discussion=talk, answer="helped", by=c.olga),
        a_talk,
    ),
    "marks set aside as misfiled": Press(
        SetAsideRating,
        lambda c, rating: misfiling_actions.set_aside(rating=rating, why="x", by=c.olga),
        lambda c: cast.rating(cast.therapy_session(c.olgas)),
        rows=0,
    ),
    "a question of the clinic": Press(OwnQuestion, lambda c, _: cast.question(c.adam)),
    "a licence": Press(Licence, lambda c, _: cast.licence(c.adam)),
    "a wording": Press(ClinicWording, lambda c, _: cast.wording(c.adam, on=False)),
    "a confirmation about self-harm": Press(RiskConfirmation, lambda c, _: confirm(looks=c.sina, by=c.adam)),
    "a version of the settings": Press(ClinicSettings, lambda c, _: cast.choose(c.adam, closing="marks")),
    "a form of the plan": Press(
        PlannedForm,
        lambda c, _: plan_actions.plan_form(
            **{"instrument": "life-lines", "moment": "start", "frequency": "each", "every": None},
            **{"numbers": "", "for_whom": "clinic", "age_band": "", "therapists": [], "supervisor": ""},
            by=c.adam,
            form_key=KEY,
        ),
    ),
    "a form switched off for a client": Press(
        PlannedForm,
        lambda c, named: choice_actions.switch_off(episode=c.olgas, named=named, why="x", by=c.olga),
        lambda c: cast.instruments.get("gad-7"),
    ),
    "a question of a supervisor": Press(
        SupervisionQuestion,
        lambda c, _: supervision_questions.ask(episode=c.olgas, words="x", by=c.sina, form_key=KEY),
    ),
    "a note of supervision": Press(
        SupervisionTalk,
        lambda c, _: talk_actions.note_supervision(
            episode=c.olgas, held_on=TODAY(), agreed="z", by=c.sina, form_key=KEY
        ),
    ),
    "an agenda": Press(Agenda, lambda c, _: an_agenda(c)),
    "a line of an agenda": Press(
        AgendaItem,
        lambda c, agenda: agenda_actions.add_item(agenda=agenda, text="x", by=c.sina, form_key=KEY),
        an_agenda,
    ),
    "a group": Press(
        Group,
        lambda c, _: group_actions.make_group(
            name="Group", kind="group", leader=c.olga, co_leader=None, by=c.olga, form_key=KEY
        ),
    ),
    "a member of a group": Press(
        GroupMember,
        lambda c, group: group_actions.add_member(group=group, client=c.olgas.client, by=c.olga),
        a_group,
    ),
    "a session of a group": Press(
        GroupSession,
        lambda c, of: group_session_actions.begin_session(
            group=of[0], held_at=cast.an_hour_ago(), present=[str(of[1].code)], by=c.olga, form_key=KEY
        ),
        a_group_of_one,
    ),
    "the pairing of a tablet": Press(
        PairedTablet,
        lambda c, code: sending_actions.pair(pairing_code=code, name="Room 3", by=c.adam),
        asking_tablet,
        rows=0,
    ),
    "an erasure": Press(
        Erasure,
        lambda c, _: erasure_actions.ask(client=c.olgas.client, reason="asked", note="", by=c.adam),
    ),
}


def pressed(clinic, one: Press) -> tuple[int, list[Any]]:
    """How many rows more there are, and what no person can be told."""
    ready = one.ready(clinic)
    before = one.made._base_manager.count()
    outcomes = at_once(*[lambda: one.press(clinic, ready)] * PRESSES)
    return one.made._base_manager.count() - before, unexpected(outcomes, Refused)


@pytest.mark.parametrize("name", PRESSED)
def test_fifty_presses_at_once_add_one_row(clinic, name):
    added, errors = pressed(clinic, PRESSED[name])
    assert (added, errors[:1]) == (PRESSED[name].rows, [])


def test_control_without_the_lock_of_the_course_one_press_adds_several_sessions(clinic, monkeypatch):
    """The table above would see it."""
    unlocked = lambda episode_id: Episode.objects.get(pk=episode_id)  # noqa: E731
    monkeypatch.setattr(session_actions, "lock_episode", unlocked)
    monkeypatch.setattr(session_actions, "number_by_date", lambda episode: None)
    monkeypatch.setattr(session_actions, "conclude", lambda **_: None)
    monkeypatch.setattr(session_actions, "_next_number", lambda episode: next(numbers))
    numbers = itertools.count(100)
    added, _ = pressed(clinic, PRESSED["a session, by several forms"])
    assert added > 1


def test_fifty_different_deliveries_at_once_keep_no_more_aside_than_the_limit(clinic):
    session = cast.therapy_session(clinic.olgas)
    grant, _ = hand_over_actions.hand_over(session=session, by=clinic.olga)
    record_rating(grant=grant, answers=cast.answers(380), mode="line")

    def deliver(total):
        return lambda: record_rating(
            grant=RatingGrant.objects.get(pk=grant.pk), answers=cast.answers(total), mode="line"
        )

    outcomes = at_once(*(deliver(total) for total in range(200, 200 + PRESSES)))
    assert unexpected(outcomes, NotStored, TooManySetAside) == []
    assert session.set_aside.count() == SET_ASIDE_A_GRANT
    assert session.ratings.count() == 1


def test_fifty_presses_on_invite_are_fifty_pages_and_none_an_error(clinic):
    person = User.objects.create_user(email="new@clinic.example", name="New")
    outcomes = at_once(
        *[lambda: staff_actions.invite(person=User.objects.get(pk=person.pk), by=clinic.adam)] * PRESSES
    )
    assert unexpected(outcomes, Refused) == []
    assert User.objects.filter(email="new@clinic.example").count() == 1
