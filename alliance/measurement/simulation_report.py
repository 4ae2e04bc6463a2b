"""What `simulate_flags` and `list_figures` print: the figures in plain text, shares as per cent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alliance.measurement.real_courses import FileFigures
from alliance.measurement.returns import Returns
from alliance.measurement.work_list_figures import ListFigures, SimulatedList


@dataclass(frozen=True, slots=True)
class Simulated:
    """One variant: the figures of each work list, the tables of simulate, and what becomes of low points."""

    lists: Mapping[str, SimulatedList]
    false_alarms: Mapping[str, Mapping[str, float]]
    detection: Mapping[str, Mapping[str, tuple[float, float]]]
    returns: Mapping[str, Returns]


CHANGES = {"fall": "fall of 5.0 for 3 sessions", "slide": "slide of 1.0 per session over 6"}


def simulation_report(simulated: Mapping[str, Simulated], clients: int) -> str:
    """One block per variant, of the list first: it is what a therapist reads."""
    blocks = [
        f"{clients} clients with 12 sessions each. Stable: nothing happens but chance and a little growth."
    ]
    for variant, one in simulated.items():
        blocks += ["\n".join(_lists(variant, one.lists))]
        blocks += [_false_alarms(variant, one), _detection(variant, one), _returns(variant, one)]
    return "\n\n".join(blocks)


def file_report(name: str, figures: FileFigures) -> str:
    """The same kind of figures, of the courses of one file."""
    lines = [
        f"{name}: {figures.courses} courses, {figures.rated} complete ratings, {figures.partial} partial ones",
        f"{'falls of 4.0 or more, of steps':<44}{figures.falls:>7.1%}",
        f"{'back within one point of the median in 3':<44}{figures.back:>7.1%}",
    ]
    for kind, one in figures.lists.items():
        lines += [f"{name}, work list {kind}, every call talked about", *_calls("ratings", one)]
        lines += _changes(one)
    return "\n".join(lines)


def _lists(variant: str, lists: Mapping[str, SimulatedList]) -> Iterator[str]:
    for kind, one in lists.items():
        yield f"{variant}: work list {kind}, every call talked about"
        yield from _calls("sessions", one.figures)
        yield from _calls("sessions, courses of 5.8 on average", one.short)
        yield from _changes(one.figures)


def _calls(of: str, figures: ListFigures) -> Iterator[str]:
    yield f"  {f'calls per 100 {of}':<50}{figures.with_first:>7.1f}"
    yield f"  {'the same without first ratings':<50}{figures.without_first:>7.1f}"


def _changes(figures: ListFigures) -> Iterator[str]:
    if figures.changes:
        yield f"  {'':<18}{'found':>9}{'by chance':>11}{'delay':>7}"
    for change, one in figures.changes.items():
        yield f"  {change:<18}{one.found:>9.1%}{one.by_chance:>11.1%}{one.delay or '-':>7}"


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
