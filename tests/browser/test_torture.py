"""Every fault once, and every moment: the short way of `make torture`. And whether its judge sees at all."""

import pytest
from playwright.sync_api import expect

from torture import controls, plan, walk, world
from torture.faults import FAULTS, Moment
from torture.scene import Scene
from torture.walk import Cell

SEED = 2026
SHORT = plan.short(SEED)


@pytest.fixture
def clinic(playwright, browser, transactional_db):
    with world.opened(playwright, browser) as opened:
        yield opened


def fault(name):
    return next(one for one in FAULTS if one.name == name)


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


@pytest.mark.parametrize("cell", SHORT, ids=str)
def test_nothing_is_lost_doubled_or_altered(clinic, cell):
    verdict = walk.run(clinic, cell, SEED)
    assert verdict.is_clean, str(verdict)
    late = cell.moment == Moment.AFTER_8_DAYS and cell.fault.name != "storage cleared"
    assert (verdict.outcome == "kept aside") == late


@pytest.mark.parametrize(
    ("control", "name", "moment", "counted"),
    [
        ("forgets", "503", Moment.AT_SUBMIT, "lost"),
        ("pretends", "key rotated", Moment.AT_SUBMIT, "lost"),
        ("takes each for another", "answer lost", Moment.IN_FLIGHT, "doubled"),
        ("changes", "app upgraded", Moment.IN_FLIGHT, "altered"),
        ("mixes up", "tab closed", Moment.IN_FLIGHT, "strange"),
    ],
)
def test_without_this_protection_the_runs_do_not_end_in_zeros(clinic, control, name, moment, counted):
    cell = Cell(fault(name), moment)
    if control == "mixes up":
        assert walk.run(clinic, Cell(fault("500"), moment), SEED).is_clean  # somebody to be taken for
    with controls.taken_away(clinic, control):
        verdict = walk.run(clinic, cell, SEED)
    assert getattr(verdict, counted) > 0, str(verdict)


def test_marks_that_were_wiped_before_they_were_sent_are_noticed(clinic):
    """The one way to lose marks: the therapist sees a session that waits for its rating."""
    verdict = walk.run(clinic, Cell(fault("storage cleared"), Moment.AFTER_6_DAYS), SEED)
    assert (verdict.outcome, verdict.is_clean) == ("never came", True)


@pytest.fixture
def scene(clinic):
    """A client with a tablet of which the test says itself what happens to it."""
    device = clinic.device(of_its_own=False, worker=True)
    one = Scene(clinic, device, walk.Random(SEED), clinic.new_session(), walk.draw(walk.Random(SEED)))
    one.begin()
    yield one
    device.end()


def test_a_clock_put_right_by_years_does_not_end_the_trying(scene, clinic):
    """What waits is tried again by the page's own time, in a page that nobody touches."""
    fault("clock at 2099").strike(scene)
    ready = scene.fill(scene.open_form(), scene.marks)
    clinic.site.is_away = True
    scene.press(ready)
    expect(ready.page.locator("#kept")).to_be_visible(timeout=10_000)
    fault("clock put right").strike(scene)
    clinic.site.is_away = False
    ready.page.wait_for_url("**/rate/done/", timeout=10_000)
    assert scene.waiting() == 0
