"""What tells marks that came twice from marks that differ."""

import hashlib
import json
from collections.abc import Mapping


def hash_of_answers(answers: Mapping[str, int | None], comment: str, *, share_comment: bool = False) -> str:
    """SHA-256 of the canonical marks: tells a delivery that came twice from one that differs.

    Who may read the comment is part of it: the same words under another promise are not the same.
    """
    marks = {"answers": dict(answers), "comment": comment, "share_comment": share_comment}
    canonical = json.dumps(marks, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
