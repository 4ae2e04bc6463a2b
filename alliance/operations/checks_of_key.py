"""Whether SECRET_KEY opens what was sealed with it: second factors and files; words are in `checks_of_words`.

The site serves without: nobody is helped by a clinic that cannot start, and a key that is lost for good is a case of
its own in docs/deployment.md. So the start only says so, and `manage.py doctor` and the page call it a failure.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken

from alliance.operations.findings import PAGE, START, Finding, State, check, failed, ok

# {what is sealed, in words: whether each piece opens}; other apps add what they keep.
Sealed = Callable[[], Iterator[bool]]
SEALED: dict[str, Sealed] = {}


def second_factors() -> Iterator[bool]:
    """Of each app with one-time codes and each set of recovery codes; passkeys need no key of ours."""
    rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
    for data in rows.values_list("data", flat=True).iterator(chunk_size=500):
        for name in ("secret", "seed"):
            if name in data:
                yield _opens(data[name])


def _opens(sealed: str) -> bool:
    try:
        get_adapter().decrypt(sealed)
    except InvalidToken:
        return False
    return True


SEALED["second factors (apps with one-time codes, recovery codes)"] = second_factors


@check("key", at=PAGE)
def key() -> Iterator[Finding]:
    closed = 0
    for what, each in SEALED.items():
        opens = list(each())
        shut = opens.count(False)
        closed += shut
        if shut:
            yield failed(
                "key",
                f"SECRET_KEY is another one than before: {shut} of {len(opens)} {what} cannot be opened with it.",
                "Put the former key back, or into SECRET_KEY_FALLBACKS. Where it is lost, each of these people has to "
                "set up the second factor anew: docs/deployment.md, 'When the key is lost'.",
            )
    if not closed:
        yield ok("key", f"SECRET_KEY opens {' and '.join(SEALED)}.")


@check("key_at_start", at=START)
def key_at_start() -> Iterator[Finding]:
    for finding in key():
        yield replace(finding, state=min(finding.state, State.WARNING))
