"""What the tests of the sealed log share."""

from tests.alliance.sealed_lines import few_lines_a_seal, found, ids, verify  # noqa: F401
