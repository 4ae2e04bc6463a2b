"""Questions a therapist can ask at a flag, matched to the rule and to the line that fell. Our own words.

The words are data, one file a language: by rule, then by line. The line "overall" also serves where no line is
known: it asks about the whole.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

WRITTEN_IN = "en"
WHOLE = "overall"
TODAY = {"en": "today", "de": "heut", "es": "hoy", "fr": "aujourd", "ar": "اليوم"}
LONGEST = 300  # characters: longer is not said, it is read out

Questions = Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask, in a language (BCP 47 tag). is_own: the clinic added it to ours."""

    text: str
    language: str
    is_own: bool = False

    @property
    def says_today(self) -> bool:
        """Asked at a later session, it would ask about that one. True where nobody can tell."""
        return TODAY.get(self.language, "") in self.text.lower()


@cache
def questions(language: str) -> Questions:
    """{rule: {line: questions}} in one language; raises KeyError where there is no file of it.

    Raises ValueError, with the place, for a question that is empty, too long, or there twice.
    """
    if language not in languages():
        raise KeyError(language)
    text = resources.files(__name__).joinpath(f"{language}.toml").read_text("utf-8")
    found = {
        rule: MappingProxyType({line: tuple(asked) for line, asked in lines.items()})
        for rule, lines in tomllib.loads(text).items()
    }
    _refuse_faults(found, language)
    return MappingProxyType(found)


@cache
def languages() -> frozenset[str]:
    """The languages in which there are questions."""
    names = [file.name for file in resources.files(__name__).iterdir()]
    return frozenset(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def ways_to_ask(
    letter: str, item: str | None, *, turn: int = 0, language: str = WRITTEN_IN, own: Sequence[str] = ()
) -> tuple[Way, ...]:
    """Every question for this rule and line, ours and then the clinic's `own`, from the one whose turn it is.

    turn: any whole number; the next one asks the next question, and after the last the first. A line without
    questions of its own gets those about the whole; a language without a file gets English.
    """
    written = language if language in languages() else WRITTEN_IN
    by_line = questions(written)[letter]
    ours = [Way(text, written) for text in by_line.get(item or WHOLE, by_line[WHOLE])]
    ways = [*ours, *(Way(text, language, is_own=True) for text in own)]
    start = turn % len(ways)
    return (*ways[start:], *ways[:start])


def question_for(
    letter: str,
    item: str | None,
    *,
    turn: int = 0,
    language: str = WRITTEN_IN,
    own: Sequence[str] = (),
) -> str:
    """The question for this rule and line whose turn it is; see `ways_to_ask`."""
    return ways_to_ask(letter, item, turn=turn, language=language, own=own)[0].text


def _refuse_faults(found: Questions, language: str) -> None:
    seen: set[str] = set()
    for rule, lines in found.items():
        for line, asked in lines.items():
            for text in asked:
                if text in seen or text != text.strip() or not 0 < len(text) <= LONGEST:
                    raise ValueError(f"{language}, {rule}, {line}: empty, too long or there twice: “{text}”")
                seen.add(text)
