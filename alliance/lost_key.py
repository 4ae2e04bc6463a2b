"""What was sealed with a SECRET_KEY that this site no longer has.

Whoever starts the site with another key, and without the former one in SECRET_KEY_FALLBACKS, takes every one-time code
and recovery code away. Nobody is let in for that: an administrator, or create_administrator, takes the factor away.
"""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cryptography.fernet import InvalidToken

SET_UP_ANEW = (
    "This site has another key than before and cannot check your codes any more, neither those of the app nor "
    "recovery codes. Ask an administrator to remove your second factor; then sign in and set up your second factor "
    "anew. A passkey still works."
)


class CannotBeOpened(InvalidToken):
    """The middleware answers it with a page that says what to do (`PageRules`)."""


_passed_over: ContextVar[list[str] | None] = ContextVar("passed_over", default=None)


@contextmanager
def passing_over() -> Iterator[list[str]]:
    """Within this, a secret that cannot be opened is noted here and fits no code, so that another may still do."""
    noted: list[str] = []
    token = _passed_over.set(noted)
    try:
        yield noted
    finally:
        _passed_over.reset(token)


def in_place_of(sealed: str) -> str:
    """A secret that nobody knows, good for this one comparison; elsewhere CannotBeOpened."""
    noted = _passed_over.get()
    if noted is None:
        raise CannotBeOpened
    noted.append(sealed)
    return base64.b32encode(secrets.token_bytes(20)).decode()
