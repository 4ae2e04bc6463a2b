"""Passwords that are long and easy to guess all the same: repeated, in a row, common words with a year."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

# Of five, 0 to 4: "safely unguessable" by 10^8 guesses and more (Wheeler 2016, the paper of zxcvbn).
ENOUGH = 3
# Its time grows with the square of the length and more; what comes after that makes no password weaker.
LOOKED_AT = 64
OF_THE_SITE = ["session", "alliance", "session alliance"]
SENTENCE = (
    "This password is easy to guess: it repeats itself, runs in a row, or is made of common words or of your name. "
    "Take a few words that do not belong together."
)


class NotGuessable:
    """A validator for AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: Any = None) -> None:
        found = zxcvbn(password[:LOOKED_AT], user_inputs=[*OF_THE_SITE, *_of(user)])
        if found["score"] < ENOUGH:
            raise ValidationError(SENTENCE, code="password_is_guessable")

    def get_help_text(self) -> str:
        return "A few words that do not belong together are easy to remember and hard to guess."


def _of(user: Any) -> list[str]:
    """The words of the person's name and address, each alone."""
    known = [str(getattr(user, name, "") or "")[:200] for name in ("name", "email")]
    words = [word for text in known for word in re.split(r"\W+", text) if len(word) > 1]
    return [*(text for text in known if text), *words]
