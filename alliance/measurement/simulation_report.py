"""What `simulate_flags` prints: the simulated figures in plain text, shares as per cent."""

from collections.abc import Mapping
from dataclasses import dataclass

from alliance.measurement.returns import Returns


@dataclass(frozen=True, slots=True)
class Simulated:
    """One variant: the tables of simulate.false_alarm_table and detection_table, and of returns.returns_table."""

    false_alarms: Mapping[str, Mapping[str, float]]
    detection: Mapping[str, Mapping[str, tuple[float, float]]]
    returns: Mapping[str, Returns]


CHANGES = {"fall": "fall of 5.0 for 3 sessions", "slide": "slide of 1.0 per session over 6"}


def simulation_report(simulated: Mapping[str, Simulated], clients: int) -> str:
    """One block per variant."""
    blocks = [
        f"{clients} clients with 12 sessions each. Stable: nothing happens but chance and a little growth."
    ]
    for variant, one in simulated.items():
        blocks += [_false_alarms(variant, one), _detection(variant, one), _returns(variant, one)]
    return "\n\n".join(blocks)


def _false_alarms(variant: str, one: Simulated) -> str:
    lines = [f"{variant}: stable clients' sessions with a flag, and clients with one in ten sessions"]
    lines += [f"{'':<18}{'per session':>13}{'in ten':>9}"]
    lines += [f"{k:<18}{s['per_session']:>13.1%}{s['in_ten']:>9.1%}" for k, s in one.false_alarms.items()]
    return "\n".join(lines)


def _detection(variant: str, one: Simulated) -> str:
    lines = [f"{variant}: clients flagged within the window of a change, and within the same without it"]
    for change, rules in one.detection.items():
        lines += [f"{CHANGES[change]:<18}"]
        lines += [f"{rule:<18}{found:>13.1%}{chance:>9.1%}" for rule, (found, chance) in rules.items()]
    return "\n".join(lines)


WHAT_HAPPENS = {
    "stable": "nothing",
    "fall": "fall of 5.0 that stays",
    "half": "fall of 8.0, half comes back",
    "slide": "slide of 1.0 per session",
}


def _returns(variant: str, one: Simulated) -> str:
    lines = [f"{variant}: low points with three ratings since, and what became of them within these"]
    lines += [f"{'':<30}{'back once':>11}{'recovered':>11}{'not back':>10}{'of these half way':>19}"]
    for what, word in WHAT_HAPPENS.items():
        found = one.returns[what]
        lines += [
            f"{word:<30}{found.back:>11.1%}{found.recovered:>11.1%}{found.not_back:>10.1%}{found.recovering:>19.1%}"
        ]
    stable = one.returns["stable"]
    lines += [f"not back after three ratings with nothing wrong: {stable.per_session:.1%} of sessions"]
    return "\n".join(lines)
