"""Who reads what is said between a therapist and whoever supervises them."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from alliance.models import User
from clients.models import Episode, EpisodeQuerySet

WORDS = 500  # characters, as the note of a conversation


class BetweenTwo(models.QuerySet[Any]):
    """Rows about an episode for its own therapist and whoever supervises them today, and nobody else.

    Narrower than other rows of an episode: a colleague who covers does not read them. `to_episode` is the way there.
    """

    to_episode = "episode"

    def visible_to(self, user: User) -> Self:
        return self.filter(self._of(treats(user)) | self._of(Episode.objects.supervised_by(user)))

    def own(self, user: User) -> Self:
        """Those about the clients whom this person treats."""
        return self.filter(self._of(treats(user)))

    def _of(self, episodes: "models.QuerySet[Episode]") -> Q:
        return Q(**{f"{self.to_episode}__in": episodes})


def treats(user: User) -> EpisodeQuerySet:
    """The courses that this person reads as their therapist, without those of colleagues whom they cover."""
    return Episode.objects.own(user).filter(therapist=user)


def supervises(user: User, episode: Episode) -> bool:
    return Episode.objects.supervised_by(user).filter(pk=episode.pk).exists()
