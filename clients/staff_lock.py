"""The lock of people, which a write takes before that of an episode."""

from typing import Any

from alliance.models import User


def lock_staff(*people: User) -> dict[Any, User]:
    """{pk: this person as stored now}, held until the end of the transaction; taken before the lock of an episode.

    The weaker lock, which lets others write rows that name these people.
    """
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk for person in people])
    return {row.pk: row for row in rows.order_by("pk")}
