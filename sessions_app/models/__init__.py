"""What happened, what it means, what was said: the rows that hang on an episode."""

from sessions_app.models.clinic_settings import ClinicSettings, Closing
from sessions_app.models.deferrals import Deferral, DeferralQuerySet
from sessions_app.models.flags import Discussion, DiscussionQuerySet, Flag, FlagQuerySet
from sessions_app.models.follow_ups import FollowUp, FollowUpQuerySet
from sessions_app.models.grants import (
    SENT,
    TIME_TO_FINISH,
    Channel,
    RatingGrant,
    RatingGrantQuerySet,
)
from sessions_app.models.own_questions import QUESTION_LENGTH, OwnQuestion
from sessions_app.models.recomputations import Recomputation
from sessions_app.models.sessions import (
    OVERDUE_AFTER,
    SESSION_LENGTH,
    SESSION_SCALES,
    Attendance,
    EpisodeRows,
    Modality,
    Mode,
    Rating,
    RatingQuerySet,
    SetAsideQuerySet,
    SetAsideRating,
    TherapySession,
    TherapySessionQuerySet,
    rivals_of,
    series_of,
)
from sessions_app.models.settled import Correction, Settlement
from sessions_app.models.tablets import PairedTablet, PairedTabletQuerySet
from sessions_app.models.tokens import hash_of_token, new_token
from sessions_app.models.wordings import ClinicWording, Licence, Medium

__all__ = [
    "OVERDUE_AFTER",
    "QUESTION_LENGTH",
    "SENT",
    "SESSION_LENGTH",
    "SESSION_SCALES",
    "TIME_TO_FINISH",
    "Attendance",
    "Channel",
    "ClinicSettings",
    "ClinicWording",
    "Closing",
    "Correction",
    "Deferral",
    "DeferralQuerySet",
    "Discussion",
    "DiscussionQuerySet",
    "EpisodeRows",
    "Flag",
    "FlagQuerySet",
    "FollowUp",
    "FollowUpQuerySet",
    "Licence",
    "Medium",
    "Modality",
    "Mode",
    "OwnQuestion",
    "PairedTablet",
    "PairedTabletQuerySet",
    "Rating",
    "RatingGrant",
    "RatingGrantQuerySet",
    "RatingQuerySet",
    "Recomputation",
    "SetAsideQuerySet",
    "SetAsideRating",
    "Settlement",
    "TherapySession",
    "TherapySessionQuerySet",
    "hash_of_token",
    "new_token",
    "rivals_of",
    "series_of",
]
