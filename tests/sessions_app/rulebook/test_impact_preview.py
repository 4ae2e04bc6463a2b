"""What other rules would do: the same figures as if they were saved, and nobody to be found in them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from alliance.measurement import instruments
from alliance.measurement.handbook import RULES
from sessions_app.courses.models import TherapySession
from sessions_app.flags import conclude, discussion_actions, recompute
from sessions_app.flags.deferrals import Deferral
from sessions_app.flags.models import Flag
from sessions_app.instruments.rule_settings import RuleSettings
from sessions_app.rulebook import impact_preview
from sessions_app.rulebook.impact_preview import AS_NOW, FEWER, NO_CHANGE
from tests import cast
from tests.built_once import OnACopy, kept_open, under_the_former_list
from tests.sessions_app import answered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("former_list")]
OURS = instruments.get("session-rating")


def rules(**values):
    return RuleSettings(1, {"session-rating": {"": values}} if values else {})


def look(after, before=None, instrument=OURS, now=None):
    """Seen from next month: what is rated today counts then."""
    next_month = timezone.now().replace(day=1) + timedelta(days=40)
    return impact_preview.look(instrument, before or rules(), after, now or next_month)


def row(found, letter):
    return next(one for one in found.rules if one.name == RULES[letter].name)


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    with kept_open(django_db_blocker):
        with under_the_former_list():
            clinic = cast.clinic()
            episodes = fifteen_clients(clinic)
        yield clinic, episodes


class WithClients(OnACopy):
    """Ten clients of Olga's at 39.0 and then 35.0, five of Carl's at 39.0 throughout, for every test of the class."""

    @pytest.fixture
    def clients(self, copied):
        return copied[1]


def fifteen_clients(clinic):
    episodes = [cast.episode(clinic.olga, f"L-{number}") for number in range(10)]
    for episode in episodes:
        cast.rated_course(episode, [390, 352])
    for number in range(5):
        cast.rated_course(cast.episode(clinic.carl, f"H-{number}"), [390, 390])
    return episodes


class TestFigures(WithClients):
    def test_flags_sessions_and_the_work_list_now_and_then(self, clients):
        found = look(rules(cutoff=340, enabled={"C": False}))
        assert (found.clients, found.rated, found.is_enough, found.drawn_from) == (15, 30, True, 0)
        below = row(found, "A")
        assert (below.now, below.then, below.come, below.go) == ("33.3", "few", FEWER, "about 10")
        assert (row(found, "C").then, row(found, "L").now, row(found, "L").come) == ("off", "few", NO_CHANGE)
        # Nobody is below any more, so the low line speaks where it was silent.
        assert row(found, "B").come == "about 10"
        assert (found.calling, found.waiting) == (
            "33 of 100 now, few after",
            "about 10 now, fewer than 5 after",
        )

    def test_they_are_those_of_the_flags_once_they_are_saved(self, clinic, clients):
        after = rules(cutoff=355, sudden_fall=39)
        found = look(after)
        cast.choose_rules(clinic.adam, cutoff=355, sudden_fall=39)
        conclude.conclude_many(episodes=[one.pk for one in clients])
        for letter in "ABC":
            stored = Flag.objects.standing().filter(rule=letter).count()
            said = row(found, letter).then
            assert said in (AS_NOW, "few") or float(said) == pytest.approx(
                100 * stored / found.rated, abs=0.05
            )

    def test_a_rule_whose_settings_are_not_touched_says_so_however_few_they_are(self, clients):
        found = look(rules(sudden_fall=50))
        assert (row(found, "E").come, row(found, "E").go) == (NO_CHANGE, NO_CHANGE)
        assert row(found, "C").go == FEWER
        assert row(look(rules(cutoff=300)), "B").come != NO_CHANGE  # it is silent where A speaks

    def test_what_was_talked_about_does_not_come_back_on_the_work_list(self, clinic, clients):
        for episode in clients:
            (last,) = episode.sessions.filter(number=2)
            discussion_actions.discuss(flags=last.flags.all(), said="x", agreed="", by=clinic.olga)
        # The flags of the first session would be new, but somebody talked about a later one.
        found = look(rules(cutoff=395))
        assert found.waiting == "fewer than 5 now, about 5 after"

    def test_a_client_who_would_come_on_the_work_list_is_counted(self, clients):
        assert look(rules(cutoff=395)).waiting == "about 10 now, about 15 after"

    def test_what_is_older_than_a_year_is_not_counted(self, clinic, clients):
        old = cast.episode(clinic.olga, "old")
        cast.rated_course(old, [390, 352], last_ago=timedelta(days=366))
        assert look(rules(cutoff=340)).clients == 15

    def test_another_instrument_is_another_matter(self, clinic, clients):
        srs = instruments.get("srs")
        found = look(rules(), instrument=srs)
        assert (found.clients, found.is_enough) == (0, False)

    def test_of_a_large_clinic_a_part_is_looked_at_and_the_page_says_so(self, clients, monkeypatch):
        monkeypatch.setattr(impact_preview, "MOST_EPISODES", 12)
        found = look(rules(cutoff=340))
        assert (found.clients, found.drawn_from) == (12, 15)
        assert found == look(rules(cutoff=340))

    def test_nothing_is_written(self, clients):
        before = list(Flag.objects.values())
        look(rules(cutoff=340))
        assert list(Flag.objects.values()) == before

    def test_the_number_of_queries_does_not_grow(self, clinic, clients, django_assert_max_num_queries):
        counts = []
        for more in (0, 20):
            for number in range(more):
                cast.rated_course(cast.episode(clinic.carl, f"Q-{number}"), [390, 352])
            with django_assert_max_num_queries(12) as queries:
                look(rules(cutoff=340))
            counts.append(len(queries))
        assert counts[0] == counts[1]


def test_the_work_list_is_the_one_that_comes_after_saving(clinic, monkeypatch):
    """Talks, talks that were found needless, and the same fall once more, as the list itself counts them."""
    monkeypatch.setattr(impact_preview, "FEW", 0)
    monkeypatch.setattr(impact_preview, "_rounded", int)
    courses = [
        [390, 352],
        [352, 349],
        [390, 352, 360, 341],
        [390, 330, 372, 331],
        [375, 350, 352, 351, 352],
        [390, 352, 372, 365],
        [390, 352, 372, 366],
        [352, 341, 385, 351],
    ]
    for number in range(24):
        totals = courses[number % 8]
        episode = cast.episode(clinic.olga, f"W-{number}")
        sessions = cast.rated_course(episode, totals[:2])
        flags = list(sessions[-1].flags.all())
        if number % 3 == 1 and flags:
            discussion_actions.discuss(flags=flags, said="x", agreed="", by=clinic.olga)
        if number % 3 == 2 and flags:
            Deferral.objects.create(
                session=sessions[-1], kind="not_needed", why="x", deferred_by=clinic.olga
            ).flags.set(flags)
        for total in totals[2:]:
            cast.rating(cast.therapy_session(episode, ago=timedelta(0)), total)
    for values in (
        *({"cutoff": cutoff} for cutoff in (300, 340, 353, 370, 395)),
        {"badge_fall": 5},
        {"badge_fall": 45, "sudden_fall": 35},
        {"cutoff": 395, "sudden_fall": 60},
    ):
        with transaction.atomic():  # the courses take seconds to make: each tries its settings on the same
            foretold = look(rules(**values)).waiting
            now = answered.calling().values("session__episode").distinct().count()
            cast.choose_rules(clinic.adam, **values)
            list(recompute.go_on())
            then = answered.calling().values("session__episode").distinct().count()
            assert foretold == f"about {now} now, about {then} after", values
            transaction.set_rollback(True)


class TestNobodyIsFound(WithClients):
    """An administrator sees no ratings. Trying cutoffs must not be a way to read one client's total."""

    @pytest.mark.parametrize("is_protected", [True, False], ids=["as it is", "control: exact counts"])
    def test_one_client_on_either_side_of_a_cutoff_looks_the_same(
        self, clinic, clients, monkeypatch, is_protected
    ):
        """Whether the one client below the others had 33.3 or 31.1, every cutoff gives the same answer."""
        if not is_protected:
            monkeypatch.setattr(impact_preview, "FEW", 1)
            monkeypatch.setattr(impact_preview, "_rounded", int)
        tried = (310, 320, 330, 332, 334, 340)
        one = cast.episode(clinic.carl, "one")
        cast.rated_course(one, [390, 333])
        answers = [look(rules(cutoff=cutoff)) for cutoff in tried]
        out_of_sight(one)
        cast.rated_course(cast.episode(clinic.carl, "other"), [390, 311])
        is_same = [look(rules(cutoff=cutoff)) for cutoff in tried] == answers
        assert is_same == is_protected

    def test_a_language_of_one_client_is_no_way_to_that_client(self, clinic, clients):
        clients[0].client.language = "ar"
        clients[0].client.save()
        cast.rating(cast.therapy_session(clients[0]), 352)
        answers = [
            look(RuleSettings(1, {"session-rating": {"ar": {"cutoff": cutoff}}}))
            for cutoff in (300, 351, 353, 390)
        ]
        assert answers == answers[:1] * 4

    @pytest.mark.parametrize("is_protected", [True, False], ids=["as it is", "control: every language"])
    def test_nor_is_one_that_was_saved_and_then_the_cutoff_of_all_tried(
        self, clinic, clients, monkeypatch, is_protected
    ):
        """The others' count stands just below a rounding; the one client's sessions would push it over."""
        if not is_protected:
            monkeypatch.setattr(impact_preview, "_languages_of_several", lambda *about: {"ar"})
        for number in range(2):
            cast.rated_course(cast.episode(clinic.carl, f"two-{number}"), [390, 352])
        one = cast.episode(clinic.carl, "one")
        one.client.language = "ar"
        one.client.save()
        cast.rating(cast.therapy_session(one), 300)
        answers = [
            look(
                *(
                    RuleSettings(1, {"session-rating": {"": {"cutoff": cutoff}, "ar": own}})
                    for cutoff in (360, 340)
                )
            )
            for own in ({"cutoff": 299}, {"cutoff": 301})
        ]
        assert (answers[0] == answers[1]) == is_protected

    @pytest.mark.parametrize("is_protected", [True, False], ids=["as it is", "control: up to now"])
    def test_a_look_before_and_one_after_a_rating_are_the_same(
        self, clinic, clients, monkeypatch, is_protected
    ):
        now = timezone.now()
        for session in TherapySession.objects.all():
            then = session.held_at - timedelta(days=40)
            TherapySession.objects.filter(pk=session.pk).update(
                held_at=then, ends_at=then + timedelta(minutes=50)
            )
        if not is_protected:
            monkeypatch.setattr(
                impact_preview, "_twelve_months", lambda now: (now - timedelta(days=365), now)
            )
        before = look(rules(cutoff=340), now=now)
        cast.rating(cast.therapy_session(clients[0], ago=timedelta(minutes=1)), 390)
        after = look(rules(cutoff=340), now=now + timedelta(minutes=1))
        assert [one.rated for one in (before, after)] == ([30, 30] if is_protected else [30, 31])
        assert (before.rules == after.rules) == is_protected


class TestNobodyIsFoundAmongFew:
    def test_of_nine_clients_nothing_is_said(self, clinic):
        for number in range(9):
            cast.rated_course(cast.episode(clinic.olga, f"N-{number}"), [390, 300])
        found = look(rules(cutoff=200))
        assert not found.is_enough
        assert (found.rules, found.calling, found.waiting) == ((), "", "")

    def test_four_who_change_are_as_none(self, clinic):
        for number in range(11):
            cast.rated_course(cast.episode(clinic.olga, f"F-{number}"), [390, 330 if number < 4 else 300])
        found = look(rules(cutoff=320))
        below = row(found, "A")
        assert (below.then, below.come, below.go) == (AS_NOW, FEWER, FEWER)
        assert found.waiting.endswith("about as many after")
        assert row(look(rules(cutoff=290)), "A").go == "about 10"


def test_the_months_are_whole_and_begin_in_the_clinic_s_own_time():
    moment = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # in Berlin it is April already
    with timezone.override("Europe/Berlin"):
        since, until = impact_preview._twelve_months(moment)
        assert [str(timezone.localtime(one)) for one in (since, until)] == [
            "2025-04-01 00:00:00+02:00",
            "2026-04-01 00:00:00+02:00",
        ]


def out_of_sight(episode):
    """Long ago, so that it is not counted."""
    then = timezone.now() - timedelta(days=500)
    episode.sessions.update(held_at=then, ends_at=then + timedelta(minutes=50))
