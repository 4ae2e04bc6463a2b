"""What to ask at a flag, for the person who reads it: in their language, ours and the clinic's own in turn."""

from collections.abc import Iterable

from alliance.models import User
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.flags.models import Flag


def prepare(flags: Iterable[Flag], viewer: User) -> None:
    """Give each flag its `ways` to ask for `viewer`; one query, however many flags there are."""
    language = viewer.question_language
    own = OwnQuestion.objects.in_language(language)
    for flag in flags:
        line = flag.evidence.get("line")
        # Those without a line are about the session as a whole: they suit whichever line fell.
        of_line = own.get((flag.rule, line), ()) if line else ()
        flag.ways = flag.ways_to_ask(language, [*of_line, *own.get((flag.rule, ""), ())])
