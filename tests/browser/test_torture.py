"""Every fault once, and every moment: the short way of `make torture`. And whether its judge sees at all.

In processes of their own, as `make torture` runs them: a browser that answers no more is ended from there.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from alliance.models import User
from tests.browser.conftest import chromium
from tests.torture import plan
from tests.torture.faults import FAULTS, Moment

SEED = 2026
SHORT = plan.short(SEED)


def torture(folder, *words, database=None):
    """Its exit code, its last line and every run; on this database, or on one of its own for each process."""
    file = folder / "runs.json"
    command = [sys.executable, "-m", "tests.torture", *words, "--json", str(file)]
    environment = {**os.environ, "CHROMIUM": chromium()}
    if database:
        environment |= {"DATABASE_URL": f"sqlite:///{database}", "THROW_AWAY_DATABASE": "yes"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert file.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    # Begun again on the same database it would take its own rows of the time before for strange ones.
    assert not database or "is started again" not in done.stdout, done.stdout
    return done.returncode, done.stdout.strip().splitlines()[-1], json.loads(file.read_text())


@pytest.fixture(scope="module")
def on_a_copy(tmp_path_factory, django_db_setup, django_db_blocker):
    """`torture` for a run or two, on a copy of an empty database: to make one takes longer than such runs."""
    empty = tmp_path_factory.mktemp("empty") / "empty.sqlite3"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        assert not User.objects.exists()
        cursor.execute("VACUUM INTO %s", [str(empty)])
    return lambda folder, *words: torture(folder, *words, database=shutil.copy(empty, folder))


class TestThePlan:
    def test_the_short_way_has_every_fault_and_every_moment(self):
        assert {cell.fault for cell in SHORT} == set(FAULTS)
        assert {cell.moment for cell in SHORT} == set(Moment)

    def test_the_whole_has_every_cell_as_often_as_asked(self):
        cells = plan.whole(runs=2)
        assert len(set(map(str, cells))) == len(cells) == 2 * len(FAULTS) * len(Moment)

    def test_its_parts_are_the_whole(self):
        cells = plan.whole(runs=1)
        parts = [plan.chosen(cells, [], [], f"{place}/3") for place in range(3)]
        assert sorted(str(cell) for part in parts for cell in part) == sorted(map(str, cells))

    def test_a_name_that_is_none(self):
        assert {cell.fault.name for cell in plan.chosen(SHORT, ["413"], [], "0/1")} == {"413"}
        with pytest.raises(SystemExit, match="Not known: floods"):
            plan.chosen(SHORT, ["floods"], [], "0/1")


def test_nothing_is_lost_doubled_or_altered(tmp_path):
    code, said, runs = torture(tmp_path, "--short", "--seed", str(SEED), "--jobs", "2")
    assert [one for one in runs if one["outcome"].startswith("broken")] == []
    assert said == (
        f"runs {len(FAULTS)}, lost 0, doubled 0, altered 0, strange 0, unnoticed 0, stuck 0, broken 0"
    )
    assert code == 0
    late = {one["fault"] for one in runs if one["moment"] == Moment.AFTER_8_DAYS} - {"storage cleared"}
    assert {one["fault"] for one in runs if one["outcome"] == "kept aside"} == late


CONTROLS = {
    "forgets": ("503", Moment.AT_SUBMIT, "lost"),
    "pretends": ("key rotated", Moment.AT_SUBMIT, "lost"),
    "takes each for another": ("answer lost", Moment.IN_FLIGHT, "doubled"),
    "changes": ("app upgraded", Moment.IN_FLIGHT, "altered"),
    "mixes up": ("tab closed", Moment.IN_FLIGHT, "strange"),
}


@pytest.fixture(scope="module")
def controlled(tmp_path_factory, on_a_copy):
    """{control: what its runs ended with, to be waited for}: two at a time, for they wait most of theirs."""

    def run(control: str, folder):
        fault, moment, _counted = CONTROLS[control]
        words = ("--control", control, "--fault", fault, "--moment", moment.value)
        # Somebody to be taken for another has to be there first.
        runs = "2" if control == "mixes up" else "1"
        return on_a_copy(folder, *words, "--runs", runs)

    with ThreadPoolExecutor(max_workers=2) as pool:
        # The longest first.
        yield {
            control: pool.submit(run, control, tmp_path_factory.mktemp("control"))
            for control in reversed(CONTROLS)
        }


@pytest.mark.parametrize("control", CONTROLS)
def test_without_this_protection_the_runs_do_not_end_in_zeros(controlled, control):
    code, _said, runs = controlled[control].result()
    assert sum(one[CONTROLS[control][2]] for one in runs) > 0
    assert code == 1


def test_marks_that_were_wiped_before_they_were_sent_are_noticed(tmp_path, on_a_copy):
    """The one way to lose marks: the therapist sees a session that waits for its rating."""
    words = ("--fault", "storage cleared", "--moment", Moment.AFTER_6_DAYS.value, "--runs", "1")
    code, _said, runs = on_a_copy(tmp_path, *words)
    assert ([one["outcome"] for one in runs], code) == (["never came"], 0)
