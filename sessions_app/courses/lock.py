"""The lock of an episode, which every write about it takes first."""

from collections.abc import Collection

from alliance.refused import ERASED, Gone
from clients.models import Episode


def lock_episode(episode_id: int) -> Episode:
    """Wait until no other write about this episode is under way; the episode as it is now.

    Raises `Gone` where the client was erased meanwhile.
    """
    try:
        return Episode.objects.select_for_update().get(pk=episode_id)
    except Episode.DoesNotExist as gone:
        raise Gone(ERASED) from gone


def lock_episodes(episodes: Collection[int]) -> None:
    """The same for several, in the order of their row numbers: with two orders, two could wait for each other."""
    rows = Episode.objects.select_for_update().filter(pk__in=episodes).order_by("pk")
    list(rows.values_list("pk"))
