"""The clinic's settings as the administrator reads them: what differs from what is shipped, and every version."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from django.conf import settings

from alliance.measurement import instruments, simulate
from alliance.measurement.handbook import RULES
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.instruments.rule_settings import EVERY_LANGUAGE, RuleSettings
from sessions_app.rulebook import client_form_fields, list_words
from sessions_app.rulebook.list_words import Side
from sessions_app.rulebook.rule_fields import changes, list_change
from sessions_app.rulebook.rule_pages import EVENTS
from sessions_app.rulebook.unused_parts import UnusedParts

LANGUAGES = {tag: str(name) for tag, name in settings.LANGUAGES}
VERSIONS_SHOWN = 200
# One to two seconds for a step. Drawn again twelve times, shares of clients moved by up to 1.7 of 100 (standard
# deviation), shares of sessions by up to 0.9; so they are right to 3 and to 2 of 100.
SIMULATED_CLIENTS = 1000


# --- What is set ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """One instrument with what the clinic set otherwise than shipped, in words; empty where nothing."""

    instrument: Instrument
    is_chosen: bool
    differs: list[str]

    @property
    def is_spare(self) -> bool:
        """One of our further forms that this clinic has not touched: its page does not speak of it unasked."""
        is_further = self.instrument.licence == "ours" and self.instrument.id != instruments.SESSION_RATING
        return is_further and not self.is_chosen and not self.differs


def scales(chosen: str, rules: RuleSettings, unused: UnusedParts) -> list[Scale]:
    """Every alliance scale that this clinic uses or may choose, the one in use first."""
    rows = [Scale(one, one.id == chosen, _differs(one, rules)) for one in instruments.session_scales()]
    shown = [row for row in rows if row.differs or not unused.leaves_out(row.instrument, chosen)]
    return sorted(shown, key=lambda row: not row.is_chosen)


def _differs(instrument: Instrument, rules: RuleSettings) -> list[str]:
    said = changes(instrument.parameters, rules.parameters(instrument))
    for tag in rules.languages(instrument.id):
        of_language = changes(rules.parameters(instrument), rules.parameters(instrument, tag))
        said += [f"In {LANGUAGES.get(tag, tag)}: {sentence}" for sentence in of_language]
    return said


# --- Versions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    row: ClinicSettings
    changed: list[str]
    is_in_force: bool


def versions() -> list[Version]:
    """The newest first, each with what it changed; one query."""
    rows = list(ClinicSettings.objects.select_related("made_by")[: VERSIONS_SHOWN + 1])
    first = [ClinicSettings(version=0)] if len(rows) <= VERSIONS_SHOWN else []
    pairs = pairwise([*rows, *first])
    return [Version(row, changed(before, row), row is rows[0]) for row, before in pairs]


def changed(before: ClinicSettings, after: ClinicSettings) -> list[str]:
    """What differs between two versions, in words."""
    said = []
    if before.instrument != after.instrument:
        said.append(f"Form of every session: {after.form.name} (was {before.form.name})")
    if before.closing != after.closing:
        said.append(f"After a rating the client sees: {after.get_closing_display()}")
    said += client_form_fields.changes(before, after)
    return said + list(rules_changed(rule_settings.of(before), rule_settings.of(after)))


def rules_changed(before: RuleSettings, after: RuleSettings) -> Iterator[str]:
    ours = instruments.get(instruments.SESSION_RATING)
    if before.work_list != after.work_list:
        yield list_change(before.parameters(ours), after.parameters(ours))
        after = after.with_work_list(before.work_list)
    for instrument in instruments.session_scales():
        tags = {EVERY_LANGUAGE, *before.languages(instrument.id), *after.languages(instrument.id)}
        for tag in sorted(tags):
            if before.values(instrument.id, tag) != after.values(instrument.id, tag):
                of = f"{instrument.name} in {LANGUAGES.get(tag, tag)}" if tag else instrument.name
                for sentence in changes(
                    before.parameters(instrument, tag), after.parameters(instrument, tag)
                ):
                    yield f"{of}: {sentence}"


# --- What a simulation says ----------------------------------------------------------------------


@dataclass(frozen=True)
class FalseAlarms:
    """One rule among stable clients, now and then."""

    name: str
    per_session: tuple[str, str]
    in_ten: tuple[str, str]


@dataclass(frozen=True)
class Found:
    """One rule where something happens: of the clients, how many it finds, and how many by chance alone."""

    name: str
    now: tuple[str, str]
    then: tuple[str, str]


class Step(StrEnum):
    """What is simulated one after the other, the answer first: a page shows each as soon as it is there."""

    WORK_LIST = "list"
    FALSE_ALARMS = "alarms"
    FOUND = "found"

    @property
    def number(self) -> int:
        return list(Step).index(self) + 1

    @property
    def next(self) -> "Step | None":
        """None after the last."""
        return next((step for step in Step if step.number == self.number + 1), None)

    @property
    def in_words(self) -> str:
        return {
            Step.WORK_LIST: "the work list as a whole",
            Step.FALSE_ALARMS: "each rule where nothing is wrong",
            Step.FOUND: "each rule where something happens",
        }[self]


@dataclass
class Simulated:
    """What was simulated; empty what was not asked for."""

    clients: int
    sentence: str = ""
    sides: list[Side] = field(default_factory=list)  # of the work list, now and then
    false_alarms: list[FalseAlarms] = field(default_factory=list)
    found: dict[str, list[Found]] = field(default_factory=dict)  # {what happens: rules}


def simulated(before: Parameters, after: Parameters, steps: Iterable[Step] = tuple(Step)) -> Simulated:
    """What the rules do to invented clients, with whom nothing is wrong and with whom something is."""
    shown = Simulated(SIMULATED_CLIENTS)
    for step in steps:
        if step == Step.WORK_LIST:
            shown.sides = list_words.simulated_sides({"Now": before, "After": after})
            shown.sentence = list_words.comparison(*shown.sides)
        elif step == Step.FALSE_ALARMS:
            shown.false_alarms = _false_alarms(before, after)
        else:
            shown.found = {EVENTS[event]: _found(event, before, after) for event in EVENTS}
    return shown


def _false_alarms(before: Parameters, after: Parameters) -> list[FalseAlarms]:
    now, then = _false_alarm_table(before), _false_alarm_table(after)
    a = RULES["A"].name
    names = {"A": a, "A_new": f"{a}, newly"}
    names |= {letter: rule.name for letter, rule in RULES.items() if letter != "A"}
    return [
        FalseAlarms(
            name,
            (_per_cent(now[key]["per_session"], 1), _per_cent(then[key]["per_session"], 1)),
            (_per_cent(now[key]["in_ten"]), _per_cent(then[key]["in_ten"])),
        )
        for key, name in names.items()
        if key in now and (now[key]["in_ten"] or then[key]["in_ten"])
    ]


def _found(event: str, before: Parameters, after: Parameters) -> list[Found]:
    now, then = _detection_table(before)[event], _detection_table(after)[event]
    return [
        Found(
            RULES[letter].name,
            (_per_cent(now[letter][0]), _per_cent(now[letter][1])),
            (_per_cent(then[letter][0]), _per_cent(then[letter][1])),
        )
        for letter in now
        if any((*now[letter], *then[letter]))
    ]


def _per_cent(share: float, decimals: int = 0) -> str:
    return f"{100 * share:.{decimals}f} %"


# Of parameters alone, so never stale.
@lru_cache(maxsize=32)
def _false_alarm_table(parameters: Parameters) -> dict[str, dict[str, float]]:
    return simulate.false_alarm_table("standard", SIMULATED_CLIENTS, parameters=parameters)


@lru_cache(maxsize=32)
def _detection_table(parameters: Parameters) -> dict[str, dict[str, tuple[float, float]]]:
    return simulate.detection_table("standard", SIMULATED_CLIENTS, parameters=parameters)
