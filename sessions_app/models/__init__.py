"""What happened, what it means, what was said: the rows that hang on an episode."""

from sessions_app.models.flags import Discussion, DiscussionQuerySet, Flag, FlagQuerySet
from sessions_app.models.sessions import (
    OVERDUE_AFTER,
    SENT,
    SESSION_LENGTH,
    Attendance,
    Channel,
    EpisodeRows,
    Modality,
    Mode,
    Rating,
    RatingGrant,
    RatingGrantQuerySet,
    RatingQuerySet,
    SetAsideRating,
    TherapySession,
    TherapySessionQuerySet,
    hash_of_token,
    new_token,
)
from sessions_app.models.tablets import PairedTablet, PairedTabletQuerySet

__all__ = [
    "OVERDUE_AFTER",
    "SENT",
    "SESSION_LENGTH",
    "Attendance",
    "Channel",
    "Discussion",
    "DiscussionQuerySet",
    "EpisodeRows",
    "Flag",
    "FlagQuerySet",
    "Modality",
    "Mode",
    "PairedTablet",
    "PairedTabletQuerySet",
    "Rating",
    "RatingGrant",
    "RatingGrantQuerySet",
    "RatingQuerySet",
    "SetAsideRating",
    "TherapySession",
    "TherapySessionQuerySet",
    "hash_of_token",
    "new_token",
]
