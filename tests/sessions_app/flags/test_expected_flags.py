"""Many episodes at once: the same conclusions as one by one, in a number of statements that does not grow."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.courses.models import Attendance
from sessions_app.flags import facts
from sessions_app.flags.conclude import conclude, conclude_many
from sessions_app.flags.models import Flag
from sessions_app.instruments.rule_settings import RuleSettings
from tests import cast
from tests.sessions_app.flags.both_readings import as_batches_see_it, as_pages_see_it, sorted_text


@pytest.mark.django_db
class TestWithTheCast:
    def test_forms_that_are_mixed_corrected_and_missing(self, clinic):
        cast.rated_course(clinic.olgas, [380, None, 330, 300], last_ago=timedelta(days=3))
        cast.wording(clinic.adam)
        cast.choose(clinic.adam, instrument="srs")
        cast.rated_course(clinic.olgas, [380, 330])
        cast.therapy_session(clinic.olgas, attendance=Attendance.CANCELLED)
        rules = RuleSettings(1, {"srs": {"": {"cutoff": 320}}})
        now = timezone.now()
        read = facts.read([clinic.olgas.pk])[clinic.olgas.pk]
        expected = as_pages_see_it(clinic.olgas, now, rules)
        assert as_batches_see_it(read, now, rules) == expected
        assert {rule for _, rule, *_ in expected} >= {"A", "C"}

    def test_partial_ratings_that_are_certain(self, clinic):
        cast.rated_course(clinic.olgas, [380, 385, 380], last_ago=timedelta(days=3))
        for marks in ({"relationship": 50, "goals": 60, "approach": 70}, {"relationship": 40, "goals": 60}):
            cast.rating(cast.therapy_session(clinic.olgas), None, **marks)
        now = timezone.now()
        read = facts.read([clinic.olgas.pk])[clinic.olgas.pk]
        expected = as_pages_see_it(clinic.olgas, now, RuleSettings())
        assert as_batches_see_it(read, now, RuleSettings()) == expected
        stored = {(flag.session_id, flag.rule, flag.is_new, flag.on_work_list, sorted_text(flag.evidence))
                  for flag in Flag.objects.standing()}  # fmt: skip
        assert stored == expected
        fall, *_ = Flag.objects.standing().filter(rule="C", on_work_list=True)
        assert fall.sentence.startswith("At most 28.0 whatever was left out")
        assert {rule for _, rule, *_ in expected} >= {"A", "C", "J", "L"}
        assert not [flag for flag in Flag.objects.filter(rule__in="ACJ") if "total" in flag.evidence]

    def test_the_number_of_statements_does_not_grow(self, clinic, django_assert_max_num_queries):
        counts = []
        for many in (3, 30):
            episodes = [cast.episode(clinic.carl, f"{many}-{number}") for number in range(many)]
            for episode in episodes:
                cast.rated_course(episode, [380, 330])
            pks = [episode.pk for episode in episodes]
            Flag.objects.filter(session__episode__in=pks, rule="C").delete()
            Flag.objects.filter(session__episode__in=pks, rule="A").update(is_new=False)
            with django_assert_max_num_queries(14) as queries:
                assert conclude_many(episodes=pks) == 2 * many
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_nothing_to_do_writes_nothing(self, clinic, django_assert_num_queries):
        cast.rated_course(clinic.olgas, [380, 330])
        before = list(Flag.objects.values())
        assert conclude_many(episodes=[clinic.olgas.pk, clinic.carls.pk]) == 0
        assert conclude_many(episodes=[]) == 0
        assert list(Flag.objects.values()) == before

    def test_a_flag_that_is_said_otherwise_keeps_its_row_its_code_and_its_first_moment(self, clinic):
        *_, last = cast.rated_course(clinic.olgas, [380, 330])
        Flag.objects.filter(rule="A").update(evidence={"total": 1}, settings_version="version-9")
        before = last.flags.get(rule="A")
        conclude(episode=clinic.olgas)
        after = last.flags.get(rule="A")
        assert (after.pk, after.code, after.raised_at) == (before.pk, before.code, before.raised_at)
        assert after.evidence["total"] == 330
        assert after.settings_version == "defaults-1"
