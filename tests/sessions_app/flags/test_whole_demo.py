"""The whole demo clinic, written once: under another cutoff and back, and as every reading of its rows sees it."""

from collections import defaultdict
from io import StringIO

import pytest
from django.core.management import call_command

from alliance.measurement.parameters import ANY_CHANGE, LASTING_FALLS
from alliance.models import AuditEvent, User
from clients.models import Episode
from sessions_app.courses.models import Rating
from sessions_app.flags import checks, facts
from sessions_app.flags.models import Discussion, Flag
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.rulebook import settings_actions
from tests import cast
from tests.sessions_app.flags.both_readings import as_batches_see_it, as_pages_see_it, by_the_rule
from tests.sessions_app.flags.standing_reference import states


def run_all(**options):
    out = StringIO()
    call_command("recompute_flags", stdout=out, **options)
    return out.getvalue()


def standing():
    return set(Flag.objects.standing().values_list("code", "rule", "is_new", "on_work_list"))


def written_by_people():
    """What no recomputation may touch."""
    return (
        list(Rating.objects.order_by("pk").values()),
        list(Discussion.objects.order_by("pk").values()),
        sorted(Discussion.flags.through.objects.values_list("discussion", "flag")),
    )


def test_another_cutoff_and_back_keeps_every_conversation(seeded):
    adam = User.objects.get(is_administrator=True)
    run_all()
    before, untouched = standing(), written_by_people()
    below = Flag.objects.standing().filter(rule="A").count()

    cast.choose_rules(adam, cutoff=340)
    run_all(pending=True)
    lower = Flag.objects.standing().filter(rule="A")
    assert lower.count() < below * 0.8
    assert {flag.evidence["cutoff"] for flag in lower} == {340}
    assert written_by_people() == untouched
    withdrawn = Flag.objects.filter(rule="A", withdrawn_at__isnull=False)
    assert withdrawn.filter(discussions__isnull=False).exists()

    cast.choose_rules(adam, cutoff=360)
    run_all(pending=True)
    assert standing() == before
    assert written_by_people() == untouched


def test_the_former_list_and_back_keeps_every_conversation(seeded):
    adam = User.objects.get(is_administrator=True)
    run_all()
    before, untouched = standing(), written_by_people()
    calling = Flag.objects.standing().filter(on_work_list=True)
    shipped = calling.values("session").distinct().count()

    settings_actions.change_work_list(work_list=ANY_CHANGE, by=adam)
    run_all(pending=True)
    assert calling.values("session").distinct().count() > 1.3 * shipped
    assert list(checks.differing(Episode.objects.values_list("pk", flat=True), seeded)) == []
    assert written_by_people() == untouched

    settings_actions.change_work_list(work_list=LASTING_FALLS, by=adam)
    run_all(pending=True)
    assert standing() == before
    assert list(checks.differing(Episode.objects.values_list("pk", flat=True), seeded)) == []
    assert written_by_people() == untouched


def test_at_most_ten_of_a_hundred_rated_sessions_of_the_demo_call(seeded):
    """First ratings apart: a client who begins low is told once."""
    calls = Flag.objects.standing().filter(on_work_list=True, rating__total__isnull=False)
    later = calls.exclude(rule="A").values("session").distinct().count()
    rated = Rating.objects.standing().filter(total__isnull=False)
    first = rated.values("session__episode").distinct().count()
    assert later <= 0.10 * (rated.count() - first)


def test_one_line_in_the_log_for_each_client_whose_flags_changed(seeded):
    adam = User.objects.get(is_administrator=True)
    run_all()
    before, old = flags_of_each(), AuditEvent.objects.filter(action="flags refreshed").count()
    cast.choose_rules(adam, cutoff=355)
    run_all(pending=True)
    after = flags_of_each()
    changed = sorted(code for code in before | after if before.get(code) != after.get(code))
    lines = (
        AuditEvent.objects.filter(action="flags refreshed").order_by("pk").values_list("entity_code")[old:]
    )
    assert sorted(code for (code,) in lines) == changed
    assert 0 < len(changed) < Episode.objects.count()


def flags_of_each():
    """{episode: its flags}."""
    found = defaultdict(list)
    for code, *flag in Flag.objects.order_by("pk").values_list(
        "session__episode__code", "pk", "evidence", "withdrawn_at", "is_new"
    ):
        found[code].append(flag)
    return found


# --- Readings of the same rows ---------------------------------------------------------------------


RULES = {
    "as shipped": RuleSettings(),
    "another cutoff": RuleSettings(1, {"session-rating": {"": {"cutoff": 340, "cutoff_operator": "<="}}}),
    "by language": RuleSettings(
        2, {"session-rating": {"": {"enabled": {"A": False}}, "en": {"enabled": {"A": True}, "cutoff": 300}}}
    ),
    "the former list": RuleSettings().with_work_list(ANY_CHANGE),
    "lasting falls": RuleSettings(4, {"session-rating": {"": {"lasting_limit": 90, "calls_from_fall": 45}}}),
    "badge and gaps": RuleSettings(3, {"session-rating": {"": {"badge_fall": 5, "missing_of": 2}}}),
}


@pytest.mark.parametrize("name", RULES)
def test_batches_and_pages_conclude_the_same_of_the_whole_demo(seeded, name):
    """Two readings of the same rows, one for each purpose."""
    rules = RULES[name]
    episodes = list(Episode.objects.all())
    read = facts.read([episode.pk for episode in episodes])
    found = 0
    for episode in episodes:
        expected = as_pages_see_it(episode, seeded, rules)
        assert as_batches_see_it(read[episode.pk], seeded, rules) == expected
        found += len(expected)
    assert found > 300


def test_both_say_the_same_of_the_whole_demo(seeded):
    expected, found = states(seeded), by_the_rule(list(Episode.objects.all()), seeded)
    assert found == expected
    assert len(expected) > 300
