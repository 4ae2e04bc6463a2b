"""The rows of every room, for Django, which asks here. Code imports from the rooms."""

from sessions_app.conversations.follow_ups import FollowUp
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.courses.decisions import Correction, Misfiling, Settlement
from sessions_app.courses.erased_grants import ErasedGrant
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import LateMarks
from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from sessions_app.courses.responses import QuestionnaireResponse, ResponseDecision
from sessions_app.courses.tablets import PairedTablet
from sessions_app.flags.chance_returns import ChanceReturns
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.discussion_changes import DiscussionChange
from sessions_app.flags.episode_standing import EpisodeStanding
from sessions_app.flags.looks_before import LookBefore
from sessions_app.flags.models import Discussion, Flag
from sessions_app.flags.process_days import ProcessDay
from sessions_app.flags.recomputations import Recomputation
from sessions_app.groups.models import Group, GroupAttendance, GroupMember, GroupSession, TabletRound
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.clinic_wording import ClinicWording, Licence
from sessions_app.instruments.packs import InstrumentPack
from sessions_app.instruments.promises import Promise
from sessions_app.moving_in.models import ImportedNumber, ImportPart, ImportRun
from sessions_app.plans.models import PlannedForm
from sessions_app.questionnaires.guesses import Guess
from sessions_app.questionnaires.risk_answers import RiskAnswer, RiskNote
from sessions_app.questionnaires.risk_confirmations import RiskConfirmation
from sessions_app.records.retention_rule import RetentionRule
from sessions_app.supervision.agendas import Agenda, AgendaItem
from sessions_app.supervision.questions import SupervisionQuestion, SupervisionQuestionChange
from sessions_app.supervision.talks import SupervisionTalk, SupervisionTalkChange

__all__ = [
    "Agenda",
    "AgendaItem",
    "ChanceReturns",
    "ClinicSettings",
    "ClinicWording",
    "Correction",
    "Deferral",
    "Discussion",
    "DiscussionChange",
    "EpisodeStanding",
    "ErasedGrant",
    "Flag",
    "FollowUp",
    "Group",
    "GroupAttendance",
    "GroupMember",
    "GroupSession",
    "Guess",
    "ImportPart",
    "ImportRun",
    "ImportedNumber",
    "InstrumentPack",
    "LateMarks",
    "Licence",
    "LookBefore",
    "Misfiling",
    "OwnQuestion",
    "PairedTablet",
    "PlannedForm",
    "ProcessDay",
    "Promise",
    "QuestionnaireResponse",
    "Rating",
    "RatingGrant",
    "Recomputation",
    "ResponseDecision",
    "RetentionRule",
    "RiskAnswer",
    "RiskConfirmation",
    "RiskNote",
    "SetAsideRating",
    "Settlement",
    "SupervisionQuestion",
    "SupervisionQuestionChange",
    "SupervisionTalk",
    "SupervisionTalkChange",
    "TabletRound",
    "TherapySession",
]
