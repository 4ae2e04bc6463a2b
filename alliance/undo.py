"""*Undo*: a button in the message right after an act, and nowhere else.

Later the way back has a name that says what it does, a page that says what follows, and a line why.
"""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from alliance.refused import Refused

# As long as somebody may still look at the message; a page that stayed open since yesterday undoes nothing.
WITHIN = timedelta(minutes=10)


def say_done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """A message of success for the next page; `undo`: the address that takes the act back, with POST."""
    messages.success(request, text, extra_tags=undo)


def refuse_if_late(acted_at: datetime, instead: str) -> None:
    """`instead`: where to go now, as a sentence."""
    if timezone.now() - acted_at > WITHIN:
        minutes = int(WITHIN.total_seconds()) // 60
        raise Refused(f"Undo works for {minutes} minutes, and nothing was changed now. {instead}")
