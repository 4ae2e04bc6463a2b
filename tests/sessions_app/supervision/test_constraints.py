"""What the database itself refuses of questions, notes and agendas, whatever the code above it believes."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from sessions_app.supervision import agenda_actions, question_actions, talk_actions
from sessions_app.supervision.agenda_actions import Proposal
from sessions_app.supervision.agendas import AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange

pytestmark = pytest.mark.django_db


def refused(write):
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_a_question_without_words_and_a_change_of_no_known_kind(clinic):
    question = question_actions.ask(episode=clinic.olgas, words="What fell?", by=clinic.sina)
    rows = SupervisionQuestion.objects.filter(pk=question.pk)
    refused(lambda: rows.update(words=""))
    change = {"question": question, "words": "x", "changed_by": clinic.sina}
    refused(lambda: SupervisionQuestionChange.objects.create(version=8, kind="forgotten", **change))
    for version, kind in enumerate(SupervisionQuestionChange.Kind.values, start=8):
        SupervisionQuestionChange.objects.create(version=version, kind=kind, **change)


def test_a_note_without_words_and_a_change_of_no_known_kind(clinic):
    today = timezone.localdate()
    talk = talk_actions.note_supervision(episode=clinic.olgas, held_on=today, agreed="Slower", by=clinic.olga)
    rows = SupervisionTalk.objects.filter(pk=talk.pk)
    refused(lambda: rows.update(agreed=""))
    change = {"talk": talk, "held_on": today, "agreed": "x", "changed_by": clinic.sina}
    refused(lambda: SupervisionTalkChange.objects.create(version=8, kind="forgotten", **change))
    for version, kind in enumerate(SupervisionTalkChange.Kind.values, start=8):
        SupervisionTalkChange.objects.create(version=version, kind=kind, **change)


def test_a_line_of_an_agenda_that_says_nothing_or_stands_there_for_no_known_reason(clinic):
    agenda = agenda_actions.make_agenda(
        therapist=clinic.olga,
        held_on=timezone.localdate(),
        proposals=[Proposal(clinic.olgas, AgendaItem.Why.TALK)],
        by=clinic.sina,
    )
    rows = AgendaItem.objects.filter(agenda=agenda)
    refused(lambda: rows.update(why="forgotten"))
    refused(lambda: rows.update(episode=None))
    for why in AgendaItem.Why.values:
        rows.update(why=why)
    rows.update(episode=None, text="Fees")
