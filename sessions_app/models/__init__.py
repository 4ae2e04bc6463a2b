"""What happened, what it means, what was said: the rows that hang on an episode."""

from sessions_app.models.flags import Discussion, DiscussionQuerySet, Flag, FlagQuerySet
from sessions_app.models.sessions import (
    OVERDUE_AFTER,
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

__all__ = [
    "OVERDUE_AFTER",
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
