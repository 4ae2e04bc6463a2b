"""The locks that a write takes first: of people, then of episodes, then of clients.

Each in the order of its row numbers: with two orders, two writes could wait for each other.
"""

from collections.abc import Collection
from typing import Any

from alliance.models import User
from alliance.refused import ERASED, Gone, Refused
from clients.models import Client, Ending, Episode

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
    """The same for several."""
    rows = Episode.objects.select_for_update().filter(pk__in=episodes).order_by("pk")
    list(rows.values_list("pk"))


def lock_client(client: Client) -> Client:
    """The client as stored now, held until the end of the transaction. Raises `Gone` where they were erased."""
    try:
        return Client.objects.select_for_update().get(pk=client.pk)
    except Client.DoesNotExist as gone:
        raise Gone(ERASED) from gone


def lock_staff(*people: User) -> dict[Any, User]:
    """{pk: this person as stored now}, held until the end of the transaction; taken before the lock of an episode.

    The weaker lock, which lets others write rows that name these people.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk for person in people])
    return {row.pk: row for row in rows.order_by("pk")}
