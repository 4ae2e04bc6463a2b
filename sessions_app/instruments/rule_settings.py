"""The clinic's own parameters of the flag rules, for every place where they matter.

What a clinic chose lies over what an instrument ships, and what it chose for one language of the form
over that. Only differences are stored, so that a default put right by a new release reaches the clinic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args, get_type_hints

from django.db.models import Case, Q, Subquery, When

from alliance.measurement.instruments import SESSION_RATING, Instrument, get, session_scales
from alliance.measurement.parameters import ALL_RULES, Parameters, WorkList
from sessions_app.instruments.clinic_settings import ClinicSettings

# {parameter: value}; "enabled" is {letter: on or off}, so that a rule of a later release is not switched off.
Values = Mapping[str, Any]
Rules = Mapping[str, Mapping[str, Values]]  # {instrument: {language, or "" for all: values}}

EVERY_LANGUAGE = ""
# What the instrument is, not what a clinic may choose.
FIXED = frozenset({"total_minimum", "total_maximum", "compare_lines"})
SETTABLE = tuple(one.name for one in fields(Parameters) if one.name not in FIXED)
OPTIONAL = frozenset(
    name for name, kind in get_type_hints(Parameters).items() if type(None) in get_args(kind)
)


@dataclass(frozen=True)
class RuleSettings:
    """One version of the clinic's flag rules; version 0 is what is shipped."""

    version: int = 0
    rules: Rules = field(default_factory=dict)
    _known: dict[tuple[str, str, str], Parameters] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What a flag keeps of the settings that raised it."""
        return f"version-{self.version}" if self.version else "defaults-1"

    def parameters(self, instrument: Instrument, language: str = EVERY_LANGUAGE) -> Parameters:
        """What is in force for ratings on this instrument in this language. It never raises.

        A stored value that a later release does not know, or no longer takes, is as shipped.
        """
        key = (instrument.id, instrument.version, language)
        if key not in self._known:
            self._known[key] = self._laid(instrument, language)
        return self._known[key]

    def _laid(self, instrument: Instrument, language: str) -> Parameters:
        parameters = instrument.parameters
        for layer in dict.fromkeys((EVERY_LANGUAGE, language)):
            parameters = _as_far_as_possible(parameters, self.values(instrument.id, layer))
        return parameters

    def values(self, instrument_id: str, language: str = EVERY_LANGUAGE) -> Values:
        """What the clinic chose otherwise than what lies below; empty where nothing."""
        found = self.rules.get(instrument_id) if isinstance(self.rules, Mapping) else None
        values = found.get(language) if isinstance(found, Mapping) else None
        return values if isinstance(values, Mapping) else {}

    def below(self, instrument: Instrument, language: str) -> Parameters:
        """What holds where the clinic chooses nothing: as shipped, or for a language as for all of them."""
        return self.parameters(instrument) if language else instrument.parameters

    def languages(self, instrument_id: str) -> list[str]:
        """The languages with parameters of their own."""
        found = self.rules.get(instrument_id) if isinstance(self.rules, Mapping) else None
        return sorted(tag for tag in found if tag) if isinstance(found, Mapping) else []

    def with_values(self, instrument: Instrument, language: str, parameters: Parameters) -> "RuleSettings":
        """The same settings with these parameters chosen; not stored. Its version is still the old one."""
        values = differences(self.below(instrument, language), parameters)
        of_instrument = {**self.rules.get(instrument.id, {}), language: values}
        kept = {tag: chosen for tag, chosen in of_instrument.items() if chosen}
        rules = {**self.rules, instrument.id: kept}
        return RuleSettings(self.version, {name: chosen for name, chosen in rules.items() if chosen})

    def with_work_list(self, work_list: WorkList) -> "RuleSettings":
        """The same settings with this list for every form: a clinic has one."""
        rules = self
        for instrument in session_scales():
            chosen = replace(rules.parameters(instrument), work_list=work_list)
            rules = rules.with_values(instrument, EVERY_LANGUAGE, chosen)
        return rules

    @property
    def work_list(self) -> WorkList:
        """What calls for a talk in this clinic."""
        return self.parameters(get(SESSION_RATING)).work_list


def in_force() -> RuleSettings:
    """The clinic's rules as they are now; one query. Not kept: another process may change them at any moment."""
    newest = ClinicSettings.objects.order_by("-version").values_list("version", "rules").first()
    return RuleSettings(*_read(newest)) if newest else RuleSettings()


def beside(rows: Q) -> dict[str, Case]:
    """Columns that bring the rules in force along with another query, in those of its rows that `rows` chooses.

    Not in every row: a clinic may have chosen much, and a course may have hundreds. `of_columns` reads them.
    """
    newest = ClinicSettings.objects.order_by("-version")
    return {
        f"settings_{name}": Case(When(rows, then=Subquery(newest.values(name)[:1])))
        for name in ("version", "rules")
    }


def of_columns(version: int | None, rules: Any) -> RuleSettings:
    """version: None where the clinic has chosen nothing yet."""
    return RuleSettings() if version is None else RuleSettings(*_read((version, rules)))


def of(row: ClinicSettings) -> RuleSettings:
    return RuleSettings(*_read((row.version, row.rules)))


def _read(stored: tuple[int, Any]) -> tuple[int, Rules]:
    version, rules = stored
    return version, rules if isinstance(rules, Mapping) else {}


def laid_over(below: Parameters, values: Values) -> Parameters:
    """`below` with these values. Raises ValueError with a sentence where they make no sense."""
    for name, value in values.items():
        if not _is_known(name, value):
            raise ValueError(f"“{name}” cannot be set to {value!r}.")
    chosen = dict(values)
    if "enabled" in chosen:
        switched = chosen.pop("enabled")
        off = {letter for letter, is_on in switched.items() if not is_on}
        chosen["enabled"] = (below.enabled | set(switched)) - off
    return replace(below, **chosen)


def differences(below: Parameters, parameters: Parameters) -> dict[str, Any]:
    """What has to be stored so that `laid_over(below, ...)` gives `parameters`."""
    values = {
        name: getattr(parameters, name)
        for name in SETTABLE
        if name != "enabled" and getattr(parameters, name) != getattr(below, name)
    }
    switched = sorted(parameters.enabled ^ below.enabled)
    return {**values, "enabled": {x: x in parameters.enabled for x in switched}} if switched else values


def _as_far_as_possible(below: Parameters, values: Values) -> Parameters:
    known = {name: value for name, value in values.items() if _is_known(name, value)}
    if isinstance(switched := values.get("enabled"), Mapping):
        known["enabled"] = {x: on for x, on in switched.items() if x in ALL_RULES and isinstance(on, bool)}
    try:
        return laid_over(below, known)
    except ValueError:
        return below


def _is_known(name: str, value: Any) -> bool:
    if name == "enabled":
        return isinstance(value, Mapping) and all(
            letter in ALL_RULES and isinstance(is_on, bool) for letter, is_on in value.items()
        )
    if name == "cutoff_operator":
        return value in ("<", "<=")
    if name == "work_list":
        return value in get_args(WorkList)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return name in SETTABLE and (is_whole or (value is None and name in OPTIONAL))
