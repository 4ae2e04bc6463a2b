"""The flag rules as their pages show them: in words, with the settings in force, and how often they are wrong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString

from alliance.languages import own_name
from alliance.measurement import instruments, rule_words
from alliance.measurement.examples import Example, example
from alliance.measurement.false_alarms import DETECTION, IN_TEN, PER_SESSION
from alliance.measurement.handbook import RULES, Rule
from alliance.measurement.instruments import Instrument
from alliance.measurement.parameters import Parameters
from alliance.measurement.questions import WHOLE, Way, languages, questions
from alliance.measurement.sentences import sentence_for
from sessions_app.conversations.own_questions import OwnQuestion
from sessions_app.instruments import rule_settings
from sessions_app.instruments.clinic_settings import ClinicSettings
from sessions_app.rulebook import rule_drawings

# "Clients who mark ..."; the keys are those of false_alarms.
POPULATIONS = {
    "standard": "as most do in our model",
    "low": "lower in general",
    "high": "higher in general",
    "growth": "higher from session to session",
}
# What the simulation lets happen, {event: in words}, and how often each rule then says so.
EVENTS = {
    "fall": "the total falls by 5 for three sessions",
    "slide": "the total falls by 1 at every session, six times",
}


@dataclass(frozen=True)
class Rates:
    """False alarms among clients for whom nothing is wrong, as counts of a hundred."""

    who: str
    sessions: str  # of 100 sessions
    clients: str  # of 100 clients in ten sessions
    new: str = ""  # of the 100 sessions: those at which a level is new; empty for other rules
    woken: str = ""  # of the 100 sessions: those at which it continues and has fallen further


@dataclass(frozen=True)
class Detection:
    """Of 100 clients with whom something happens, and of 100 with whom nothing does in the same sessions."""

    what: str
    found: str
    without: str


@dataclass(frozen=True)
class RuleLine:
    """One rule in the list."""

    rule: Rule
    definition: str
    calls: str  # when it puts the client on the work list; empty where never
    is_on: bool
    sessions: str  # empty where nothing was simulated


@dataclass(frozen=True)
class RulePage:
    rule: Rule
    instrument: Instrument
    definition: str
    calls: str  # when it puts the client on the work list; empty where never
    is_on: bool
    rates: Sequence[Rates]  # empty where nothing was simulated
    detections: Sequence[Detection]  # empty where none were simulated
    dots: SafeString
    as_simulated: bool
    drawing: SafeString
    in_words: str
    said: str  # the sentence a therapist would read at the example
    as_shipped: bool  # the example is drawn with the settings as shipped: those in force allow none


def form_in_use() -> Instrument:
    return ClinicSettings.objects.in_force().form


def parameters_in_force(instrument: Instrument) -> Parameters:
    """The settings of the rules for this form, as the clinic chose them."""
    return rule_settings.in_force().parameters(instrument)


def listing(p: Parameters) -> list[RuleLine]:
    return [
        RuleLine(
            rule=rule,
            definition=rule_words.definition(rule, p),
            calls=rule_words.calls(rule.letter, p),
            is_on=rule_words.is_on(rule.letter, p),
            sessions=of_a_hundred(rule.per_session) if rule.is_simulated else "",
        )
        for rule in RULES.values()
    ]


def build(rule: Rule) -> RulePage:
    """Everything the page of one rule shows. It is about the clinic, never about a client."""
    instrument = form_in_use()
    p = parameters_in_force(instrument)
    own = example(rule.letter, p)
    shown = own or example(rule.letter, Parameters())
    return RulePage(
        rule=rule,
        instrument=instrument,
        definition=rule_words.definition(rule, p),
        calls=rule_words.calls(rule.letter, p),
        is_on=rule_words.is_on(rule.letter, p),
        rates=[_rates(rule.letter, population) for population in POPULATIONS] if rule.is_simulated else [],
        detections=_detections(rule.letter),
        dots=rule_drawings.a_hundred(round(rule.per_session * 100)),
        as_simulated=rule_words.is_as_simulated(rule.letter, p),
        drawing=rule_drawings.drawing(shown, instrument) if shown else SafeString(""),
        in_words=rule_drawings.in_words(shown, instrument) if shown else "",
        said=_said(shown, instrument) if shown else "",
        as_shipped=own is None,
    )


def of_a_hundred(share: float) -> str:
    """A share (0..1) as a count: "34", or "fewer than 1"."""
    count = round(share * 100)
    return str(count) if count else "fewer than 1"


def _rates(letter: str, population: str) -> Rates:
    per_session = PER_SESSION[population]
    return Rates(
        who=POPULATIONS[population],
        sessions=of_a_hundred(per_session[letter]),
        clients=of_a_hundred(IN_TEN[population][letter]),
        new=_if_known(per_session.get(f"{letter}_new")),
        woken=_if_known(per_session.get(f"{letter}_woken")),
    )


def _if_known(share: float | None) -> str:
    return "" if share is None else of_a_hundred(share)


def _detections(letter: str) -> list[Detection]:
    simulated = DETECTION["standard"]
    return [
        Detection(words, *(of_a_hundred(share) for share in simulated[kind][letter]))
        for kind, words in EVENTS.items()
        if letter in simulated[kind]
    ]


def _said(shown: Example, instrument: Instrument) -> str:
    return sentence_for(shown.letter, shown.finding.evidence, instrument)


# --- The questions -----------------------------------------------------------------------------------


@dataclass
class LineOfQuestions:
    """What can be asked about one line, or about the session as a whole."""

    label: str
    ways: list[Way] = field(default_factory=list)


@dataclass
class RuleOfQuestions:
    rule: Rule
    lines: list[LineOfQuestions]

    @property
    def count(self) -> int:
        return sum(len(line.ways) for line in self.lines)


def ours(language: str) -> list[RuleOfQuestions]:
    """Every question we ship, in one language."""
    words = questions(language)
    return [
        RuleOfQuestions(rule, _lines_of(words[rule.letter], language))
        for rule in RULES.values()
        if rule.letter in words
    ]


def _lines_of(words: Mapping[str, tuple[str, ...]], language: str) -> list[LineOfQuestions]:
    return [
        LineOfQuestions(line_label(line), [Way(text, language) for text in asked])
        for line, asked in words.items()
    ]


def line_label(line: str) -> str:
    """The heading of a line; the line about everything also serves where no line is known."""
    if line in ("", WHOLE):
        return "The session as a whole"
    label = instruments.get(instruments.SESSION_RATING).item(line).label
    return label[:1].upper() + label[1:]


def languages_by_name() -> list[tuple[str, str]]:
    """(tag, name its readers give it) of each language with questions, English first."""
    others = sorted(languages() - {"en"}, key=own_name)
    return [(tag, own_name(tag)) for tag in ("en", *others)]


def of_the_clinic(*, taken_out: bool = False) -> dict[Rule, list[OwnQuestion]]:
    """The clinic's own questions by rule, in the order of the rules; one query."""
    rows = OwnQuestion.objects.taken_out() if taken_out else OwnQuestion.objects.in_use()
    found: dict[str, list[OwnQuestion]] = defaultdict(list)
    for row in rows.select_related("added_by", "removed_by"):
        found[row.rule].append(row)
    return {rule: found[rule.letter] for rule in RULES.values() if rule.letter in found}
