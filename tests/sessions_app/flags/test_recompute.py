"""Flags computed again under other rules: nothing is lost, whoever runs it and wherever it stops."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from alliance.models import AuditEvent
from alliance.stale_forms import Opened, Stale
from sessions_app.flags import conclude, recompute
from sessions_app.flags.models import Flag
from sessions_app.flags.recomputations import Recomputation
from sessions_app.management.commands import recompute_flags
from sessions_app.rulebook import settings_actions
from tests import cast
from tests.built_once import copy_of, kept_open


def run_all(**options):
    out = StringIO()
    call_command("recompute_flags", stdout=out, **options)
    return out.getvalue()


@pytest.fixture(scope="class")
def built(django_db_setup, django_db_blocker):
    """Seven episodes: two of the cast, five more; all total 35.0 in their last session."""
    with kept_open(django_db_blocker):
        clinic = cast.clinic()
        more = [cast.episode(clinic.carl, f"M-{number}") for number in range(5)]
        courses = [clinic.olgas, clinic.carls, *more]
        for episode in courses:
            cast.rated_course(episode, [380, 350])
        yield clinic, courses


@pytest.mark.django_db
class TestRuns:
    @pytest.fixture(autouse=True)
    def copied(self, built):
        return copy_of(built)

    @pytest.fixture
    def clinic(self, copied):
        return copied[0]

    @pytest.fixture
    def courses(self, copied):
        return copied[1]

    def below(self):
        return Flag.objects.standing().filter(rule="A").count()

    def test_a_change_of_the_rules_begins_one(self, clinic):
        cast.choose_rules(clinic.adam, cutoff=340)
        run = Recomputation.objects.get()
        assert (run.settings_version, run.episodes, run.done) == ("version-1", 7, 0)
        assert (run.started_by, run.finished_at) == (clinic.adam, None)
        assert self.below() == 7

    def test_a_change_of_the_form_or_of_nothing_begins_none(self, clinic):
        cast.choose(clinic.adam, closing="marks")
        cast.choose_rules(clinic.adam)
        assert not Recomputation.objects.exists()

    def test_what_was_chosen_stays_when_the_form_is_changed(self, clinic):
        cast.choose_rules(clinic.adam, cutoff=340)
        assert cast.choose(clinic.adam, closing="marks").rules == {"session-rating": {"": {"cutoff": 340}}}

    def test_it_goes_on_where_it_stopped_and_counts_nobody_twice(self, clinic):
        cast.choose_rules(clinic.adam, cutoff=340)
        steps = recompute.go_on(size=2)
        assert [next(steps).done, next(steps).done] == [2, 4]
        steps.close()  # whoever ran it is gone
        assert self.below() == 3
        assert [run.done for run in recompute.go_on(size=2)] == [6, 7, 7]
        run = Recomputation.objects.get()
        assert (run.done, run.episodes, run.changed) == (7, 7, 14)  # A goes, and B speaks where A was
        assert run.finished_at is not None
        assert self.below() == 0

    def test_a_crash_after_a_batch_and_before_its_note_does_the_batch_again(self, clinic, monkeypatch):
        cast.choose_rules(clinic.adam, cutoff=340)
        with monkeypatch.context() as patch:
            patch.setattr(recompute, "_note", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                list(recompute.go_on(size=3))
        assert (self.below(), Recomputation.objects.get().done) == (4, 0)
        assert [run.done for run in recompute.go_on(size=3)][-1] == 7
        assert self.below() == 0

    def test_a_crash_within_a_batch_leaves_it_undone_and_whole(self, clinic, monkeypatch):
        cast.choose_rules(clinic.adam, cutoff=340)
        log = conclude.audit.write

        def fails(lines):
            log(lines)
            raise RuntimeError("the power is gone")

        with monkeypatch.context() as patch:
            patch.setattr(conclude.audit, "write", fails)
            with pytest.raises(RuntimeError):
                list(recompute.go_on(size=3))
        assert (self.below(), Recomputation.objects.get().done) == (7, 0)
        assert not AuditEvent.objects.filter(action="flags refreshed", client=None).exists()

    def test_new_settings_end_the_old_run_and_begin_another(self, clinic):
        cast.choose_rules(clinic.adam, cutoff=340)
        steps = recompute.go_on(size=3)
        next(steps)
        cast.choose_rules(clinic.adam, cutoff=330)
        runs = list(steps)
        old, new = Recomputation.objects.order_by("pk")
        assert (old.finished_at is not None, old.done) == (True, 3)
        assert (new.settings_version, new.done, runs[-1].pk) == ("version-2", 7, new.pk)
        assert self.below() == 0

    def test_an_episode_that_was_opened_meanwhile_is_counted_too(self, clinic):
        cast.choose_rules(clinic.adam, cutoff=340)
        steps = recompute.go_on(size=4)
        next(steps)
        cast.rated_course(cast.episode(clinic.olga, "late"), [350])
        assert [(run.done, run.episodes) for run in steps][-1] == (8, 8)

    def test_a_rating_that_arrives_meanwhile_is_judged_by_the_newest(self, clinic, courses):
        cast.choose_rules(clinic.adam, cutoff=340)
        session = cast.therapy_session(courses[-1])
        cast.rating(session, 350)
        assert not session.flags.standing().filter(rule="A").exists()

    def test_several_at_a_time_come_to_the_same(self, clinic):
        """In threads here: processes of their own would look into another database than the test's."""
        cast.choose_rules(clinic.adam, cutoff=340)

        class InTurn(ThreadPoolExecutor):
            def submit(self, fn, /, *args, **kwargs):
                return recompute._Here().submit(fn, *args, **kwargs)

        with InTurn(1) as pool:
            assert [run.done for run in recompute.go_on(size=2, pool=pool, ahead=3)] == [2, 4, 6, 7, 7]
        assert self.below() == 0

    def test_only_what_changed_names_the_new_version(self, clinic):
        *_, last = cast.rated_course(clinic.olgas, [350, 300])
        cast.choose_rules(clinic.adam, enabled={"C": False})
        run_all(pending=True)
        assert last.flags.get(rule="C").withdrawn_at is not None
        assert last.flags.get(rule="A").settings_version == "defaults-1"
        cast.choose_rules(clinic.adam)
        run_all(pending=True)
        assert last.flags.get(rule="C").settings_version == "version-2"

    def test_a_bounded_moment(self, clinic):
        assert recompute.go_on_for(0) is None
        cast.choose_rules(clinic.adam, cutoff=340)
        assert recompute.go_on_for(0).done == 7  # one piece is the least
        assert recompute.go_on_for(5).finished_at is not None
        assert recompute.go_on_for(5).finished_at is not None


@pytest.mark.django_db
class TestTheCommand:
    def test_says_how_far_it_came(self, clinic):
        cast.rated_course(clinic.olgas, [380, 350])
        Flag.objects.update(withdrawn_at=timezone.now())
        assert run_all() == "2 of 2 episodes. 1 flags changed.\n"

    def test_draws_a_bar_on_a_terminal(self, clinic):
        class Terminal(StringIO):
            def isatty(self):
                return True

        out = Terminal()
        call_command("recompute_flags", stdout=out)
        assert f"\r[{'#' * 40}] 2 of 2 episodes." in out.getvalue()

    def test_writes_a_line_now_and_then_where_nobody_watches(self, clinic, monkeypatch):
        """What runs at night is read in a file: a bar would fill it, and silence would look like a stop."""
        monkeypatch.setattr(recompute_flags, "SECONDS_A_LINE", 0)
        monkeypatch.setattr(recompute.go_on, "__kwdefaults__", {**recompute.go_on.__kwdefaults__, "size": 1})
        lines = run_all().splitlines()
        assert lines[:2] == ["1 of 2 episodes.", "2 of 2 episodes."]
        assert lines[-1] == "2 of 2 episodes. 0 flags changed."

    def test_says_nothing_where_another_one_ended_the_run_first(self, clinic, monkeypatch):
        recompute.begin(by=None)
        go_on = recompute.go_on

        def later(**options):
            list(go_on())  # the clock, between the look and the first batch
            return go_on(**options)

        monkeypatch.setattr(recompute, "go_on", later)
        assert run_all(pending=True) == ""
        assert Recomputation.objects.get().finished_at is not None

    def test_pending_does_nothing_where_nothing_is(self, clinic):
        assert run_all(pending=True) == ""
        assert not Recomputation.objects.exists()

    def test_an_empty_clinic(self, db):
        assert run_all() == "0 of 0 episodes. 0 flags changed.\n"

    def test_refuses_no_processes(self, db):
        with pytest.raises(CommandError, match="1 or more"):
            run_all(processes=0)


def test_each_process_of_several_begins_anew(monkeypatch):
    """A copy of this one would write on its connection to the database. It would also have what is set here."""
    whole = Recomputation(episodes=2, done=2)
    monkeypatch.setattr(recompute_flags, "WIDTH", 3)
    assert recompute_flags.bar(whole) == "[###] 2 of 2 episodes."
    with recompute_flags._pool(2) as pool:
        assert pool.submit(recompute_flags.bar, whole).result() == f"[{'#' * 40}] 2 of 2 episodes."
    with recompute_flags._pool(1) as pool:
        assert pool is None


@pytest.mark.django_db
class TestVersions:
    def test_an_earlier_one_is_used_again_as_a_new_one(self, clinic):
        first = cast.choose_rules(clinic.adam, cutoff=340)
        cast.choose_rules(clinic.adam, cutoff=330)
        again = settings_actions.use_again(earlier=first, by=clinic.adam)
        assert (again.version, again.says) == (3, first.says)
        assert Recomputation.objects.unfinished().get().settings_version == "version-3"
        assert settings_actions.use_again(earlier=first, by=clinic.adam) == again

    def test_whoever_has_not_seen_the_newest_changes_nothing(self, clinic):
        first, _ = (cast.choose_rules(clinic.adam, cutoff=cutoff) for cutoff in (340, 330))
        seen = Opened({"Version in force": "1"}, {})
        with pytest.raises(Stale):
            settings_actions.use_again(earlier=first, by=clinic.adam, opened_with=seen)
        assert Recomputation.objects.count() == 2
