"""What to ask at a flag, for the person who reads it: in their language, ours and the clinic's own in turn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alliance.measurement.questions import Way, ways_to_ask
from alliance.models import User
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.flags.models import Flag


@dataclass(frozen=True)
class Asking:
    """own: the clinic's questions in `language`, by rule and line."""

    language: str
    own: Mapping[tuple[str, str], Sequence[str]]

    @property
    def key(self) -> tuple[object, ...]:
        """Everything on which the answers depend beside the flag."""
        return self.language, *((of, *texts) for of, texts in sorted(self.own.items()))

    def prepare(self, flags: Iterable[Flag]) -> None:
        """Give each flag its `ways` to ask."""
        for flag in flags:
            flag.ways = flag.ways_to_ask(self.language, self._own(flag.rule, flag.evidence.get("line")))

    def ways(self, rule: str, line: str | None, *, turn: int) -> tuple[Way, ...]:
        """Ways to ask about a line where no flag is open."""
        return ways_to_ask(rule, line, turn=turn, language=self.language, own=self._own(rule, line))

    def _own(self, rule: str, line: str | None) -> list[str]:
        # Those without a line are about the session as a whole: they suit whichever line fell.
        of_line = self.own.get((rule, line), ()) if line else ()
        return [*of_line, *self.own.get((rule, ""), ())]


def of(viewer: User) -> Asking:
    """What can be asked in the language of this person; one query."""
    return Asking(viewer.question_language, OwnQuestion.objects.in_language(viewer.question_language))


def prepare(flags: Iterable[Flag], viewer: User) -> None:
    """Give each flag its `ways` to ask for `viewer`; one query, however many flags there are."""
    of(viewer).prepare(flags)
