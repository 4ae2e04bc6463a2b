"""What the rules find where something is wrong."""

import pytest

from alliance.measurement import simulate
from alliance.measurement.false_alarms import DETECTION
from alliance.measurement.parameters import Parameters
from alliance.measurement.simulate import (
    CHANGES,
    DETECTING,
    VARIANTS,
    detection_table,
)

# The specification's figures, in per cent: with the change and without. Its model read marks a little
# differently: ours are up to two points higher for A. E holds earlier low ratings now, which it did not there.
SPECIFIED = {
    "fall": {"A": (87, 49), "C": (64, 24), "D": (37, 11), "E": (60, 12)},
    "slide": {"A": (95, 61), "C": (72, 39), "D": (55, 20), "E": (77, 24)},
}
EVERY_FIGURE = [(change, rule) for change, rules in SPECIFIED.items() for rule in rules]


@pytest.fixture(scope="module")
def sample():
    return {variant: detection_table(variant, clients=1000, seed=5) for variant in VARIANTS}


@pytest.mark.parametrize(("change", "rule"), EVERY_FIGURE)
def test_published_figures_are_those_of_the_specification(change, rule):
    found = [100 * share for share in DETECTION["standard"][change][rule]]
    assert found == pytest.approx(SPECIFIED[change][rule], abs=2.0)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rule", DETECTING)
def test_a_smaller_sample_agrees_with_the_published_figures(sample, variant, change, rule):
    # 1,000 clients and another seed: one standard error is at most 1.6 percentage points; three of them.
    assert sample[variant][change][rule] == pytest.approx(DETECTION[variant][change][rule], abs=0.048)


def test_the_table_depends_on_the_seed_alone(monkeypatch):
    monkeypatch.setattr(simulate, "_CHUNK", 50)
    one, two = (detection_table(clients=120, processes=n) for n in (1, 2))
    assert one == two != detection_table(clients=120, seed=1)


def test_the_tables_follow_the_settings():
    strict = Parameters(sudden_fall=80, cutoff=300)
    found = detection_table(clients=300, parameters=strict)
    usual = detection_table(clients=300)
    assert found["fall"]["A"][0] < usual["fall"]["A"][0]
    assert found["fall"]["C"][0] < usual["fall"]["C"][0]
    assert found["fall"]["E"] == usual["fall"]["E"]


def test_the_change_is_what_it_says():
    fall, slide = CHANGES["fall"], CHANGES["slide"]
    assert [fall[0].shift(number) for number in range(6, 11)] == [0, -5, -5, -5, 0]
    assert [slide[0].shift(number) for number in range(5, 13)] == [0, -1, -2, -3, -4, -5, -6, -7]
    assert (fall[1], slide[1]) == (range(7, 10), range(7, 13))


def test_a_change_is_found_more_often_than_none(sample):
    pairs = [pair for changes in sample.values() for rules in changes.values() for pair in rules.values()]
    assert all(by_chance < found for found, by_chance in pairs)
