"""The lock of an episode, which every write about it takes first."""

from collections.abc import Collection

from alliance.refused import ERASED, Gone, Refused
from clients.models import Ending, Episode

TRANSFERRED = "This client was transferred, so this course is only read. The marks stay as they are."
OVER = "This episode is closed, so it is only read. Reopen it to write in it, or ask your administrator."


def lock_episode(episode_id: int) -> Episode:
    """Wait until no other write about this episode is under way; the episode as it is now.

    Raises `Gone` where the client was erased meanwhile.
    """
    try:
        return Episode.objects.select_for_update().get(pk=episode_id)
    except Episode.DoesNotExist as gone:
        raise Gone(ERASED) from gone


def lock_open_episode(episode_id: int) -> Episode:
    """The same for whatever a person writes about a course: one that is over is read and not written."""
    episode = lock_episode(episode_id)
    if not episode.is_open:
        raise Refused(OVER)
    return episode


def lock_for_decision(episode_id: int) -> Episode:
    """The same for decisions about marks that arrived: they may come after the end, and somebody has to decide.

    Not after a transfer: the client is in therapy with somebody else.
    """
    episode = lock_episode(episode_id)
    if episode.ending == Ending.TRANSFERRED:
        raise Refused(TRANSFERRED)
    return episode


def lock_episodes(episodes: Collection[int]) -> None:
    """The same for several, in the order of their row numbers: with two orders, two could wait for each other."""
    rows = Episode.objects.select_for_update().filter(pk__in=episodes).order_by("pk")
    list(rows.values_list("pk"))
