"""Whether sealed words open, and under which key they are: read from how they begin, nothing is opened."""

from collections.abc import Iterator
from dataclasses import replace

from alliance import key_rotation
from alliance.operations.findings import PAGE, START, Finding, State, check, failed, ok, warning


@check("words", at=PAGE)
def words() -> Iterator[Finding]:
    found = key_rotation.count_words()
    factors = key_rotation.count_second_factors()
    if found.closed:
        yield failed(
            "words.key",
            f"{found.closed:,} of {found.total:,} comments, notes and reasons cannot be read: the site does not have "
            "the key with which they were sealed.",
            "Put the former key back, or into SECRET_KEY_FALLBACKS, and start the site anew. All else works meanwhile: "
            "docs/deployment.md, 'When the key is lost'.",
        )
    older = found.older + factors.older
    if older:
        yield warning(
            "words.older",
            f"Values under an older key: {older:,}.",
            "Run manage.py rotate_keys while the site runs. Until it is through, the former key must stay in "
            "SECRET_KEY_FALLBACKS.",
        )
    if not found.closed and not older:
        yield ok("words", f"Values under an older key: 0. {found.newest:,} are sealed under the newest.")


@check("words_at_start", at=START)
def words_at_start() -> Iterator[Finding]:
    """A clinic that cannot start is helped by nobody: it is only said."""
    for finding in words():
        yield replace(finding, state=min(finding.state, State.WARNING))
