"""What pages, batches and the rule about standings say of the same rows, each in a form that can be compared."""

import json

from alliance.measurement.standing import flag_standings
from sessions_app.flags import course, expected_flags, facts


def sorted_text(evidence):
    """PostgreSQL keeps the keys of JSON in an order of its own."""
    return json.dumps(evidence, sort_keys=True)


def as_pages_see_it(episode, now, rules):
    return {
        (one.session.pk, finding.rule, finding.is_new, finding.on_work_list, sorted_text(evidence))
        for one in course.read(episode, now, rules)
        for finding in one.findings
        for evidence in [course.evidence_of(finding, one.instrument, one.parameters)]
    }


def as_batches_see_it(found, now, rules):
    held = expected_flags.held_sessions(found, now)
    return {
        (flag.key.session, flag.key.rule, flag.is_new, flag.on_work_list, sorted_text(flag.evidence))
        for flag in expected_flags.expected_flags(held, rules)
    }


def by_the_rule(episodes, now):
    found = {}
    for one in facts.read([episode.pk for episode in episodes]).values():
        pk_of = {key: flag.pk for key, flag in one.flags.items()}
        for flag in flag_standings(one.events()):
            said = (flag.is_settled, flag.is_not_needed, flag.is_put_off(now), flag.is_same_fall)
            found[pk_of[flag.flag.key]] = (*said, flag.calls(now))
    return found
