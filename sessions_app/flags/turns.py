"""Whose turn it is among the questions: how often a rule and line were asked about before."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from alliance.measurement.standing import FlagKey
from sessions_app.flags.expected_flags import ExpectedFlag
from sessions_app.flags.facts import CourseFacts


def turns(facts: CourseFacts, expected: Mapping[FlagKey, ExpectedFlag] | None = None) -> dict[FlagKey, int]:
    """{flag: how many of its rule and line were raised before it}; withdrawn ones count, for they were asked about."""
    number = {session.pk: session.number for session in facts.sessions}
    evidence = {key: flag.evidence for key, flag in facts.flags.items()}
    evidence |= {key: dict(flag.evidence) for key, flag in (expected or {}).items()}
    seen: Counter[tuple[str, Any]] = Counter()
    turns: dict[FlagKey, int] = {}
    by_session: dict[int, list[FlagKey]] = defaultdict(list)
    for key in evidence:
        by_session[number[key.session]].append(key)
    for _, keys in sorted(by_session.items()):
        for key in keys:
            turns[key] = seen[key.rule, evidence[key].get("line")]
        for key in keys:
            seen[key.rule, evidence[key].get("line")] += 1
    return turns
