"""What other flag rules would do to the clinic's own last twelve months, before they are saved.

Computed by the code that raises the flags. It is for administrators, who see no ratings: counts alone leave
this module, rounded, and only where they are of several clients. ADR 13 says against whom that helps.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from alliance.measurement.flag_rules import Finding
from alliance.measurement.handbook import RULES
from alliance.measurement.instruments import SESSION_RATING, Instrument
from alliance.measurement.standing import FlagKey, flag_standings
from alliance.measurement.work_list_figures import talked_about
from clients.models import Episode
from sessions_app.courses.models import Rating
from sessions_app.flags import facts, standing
from sessions_app.flags.expected_flags import (
    ExpectedFlag,
    HeldSession,
    expected_flags,
    findings_of,
    held_sessions,
)
from sessions_app.flags.facts import CourseFacts
from sessions_app.instruments.rule_settings import EVERY_LANGUAGE, RuleSettings
from sessions_app.rulebook.rule_fields import is_touched, letters_of

FROM_CLIENTS = 10  # as `process.RATE_FROM`
FEW = 5
MOST_EPISODES = 2000  # two seconds; from more a sample is drawn, always the same
CHUNK = 200
FEWER, AS_NOW, NO_CHANGE = "fewer than 5", "about as now", "no change"


@dataclass(frozen=True)
class RuleRow:
    """One rule, as said on the page. Per 100 rated sessions; flags that come and that go."""

    name: str
    now: str
    then: str
    come: str
    go: str


@dataclass(frozen=True)
class ImpactPreview:
    """is_enough False: there are too few clients to say anything, and everything else is empty."""

    until: datetime  # twelve whole months end here
    clients: int
    rated: int
    drawn_from: int  # episodes, where only a part of them was looked at; else 0
    is_enough: bool
    rules: tuple[RuleRow, ...] = ()
    sentence: str = ""  # what it comes to
    calling: str = ""  # of 100 rated sessions, those that call, if each call is talked about
    calling_later: str = ""  # the same without first ratings
    waiting: str = ""  # clients on the work list today


def look(instrument: Instrument, before: RuleSettings, after: RuleSettings, now: datetime) -> ImpactPreview:
    """What `after` would do in place of `before` to ratings on this instrument, and to today's work list."""
    period = _twelve_months(now)
    episodes, languages = _episodes(instrument, period), _languages_of_several(instrument, period)
    both = [_only_for(languages, rules, instrument) for rules in (before, after)]
    counts = _counted(instrument, episodes, both, period, now)
    drawn_from = episodes.of if episodes.of > len(episodes.clients) else 0
    found = ImpactPreview(
        period[1], len(counts.rated.clients), counts.rated.times, drawn_from, is_enough=False
    )
    if found.clients < FROM_CLIENTS:
        return found
    scale = episodes.of / len(episodes.clients)
    return replace(
        found,
        is_enough=True,
        rules=tuple(_rule_rows(counts, instrument, before, after, scale)),
        sentence=_sentence(counts),
        calling=_in_a_line(counts.calling, lambda one: _of_hundred(one, counts.rated)),
        calling_later=_in_a_line(counts.calling_later, lambda one: _of_hundred(one, counts.rated_later)),
        waiting=_in_a_line(counts.waiting, lambda one: _about(_Count(len(one.clients), one.clients), scale)),
    )


# --- Of what, and of whom ------------------------------------------------------------------------

Period = tuple[datetime, datetime]


def _twelve_months(now: datetime) -> Period:
    """Up to the first of this month: a look before and one after a single rating would show that rating."""
    until = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    naive = until.replace(tzinfo=None)
    return timezone.make_aware(naive.replace(year=naive.year - 1)), timezone.make_aware(naive)


def _rated(instrument: Instrument, period: Period) -> QuerySet[Rating]:
    since, until = period
    rows = Rating.objects.standing().filter(instrument=instrument.id)
    return rows.filter(session__held_at__gte=since, session__held_at__lt=until).order_by()


def _languages_of_several(instrument: Instrument, period: Period) -> set[str]:
    """Those in which several clients were rated; only they may have rules of their own here."""
    by_language = _rated(instrument, period).values_list("language")
    of_several = by_language.annotate(clients=Count("session__episode__client", distinct=True))
    return {tag for tag, _ in of_several.filter(clients__gte=FEW)}


def _only_for(languages: set[str], rules: RuleSettings, instrument: Instrument) -> RuleSettings:
    """The same, and in every other language as for all.

    Else a saved rule for a language of one client would move the count of all by this client's sessions alone.
    """
    own = {
        tag: rules.values(instrument.id, tag) for tag in rules.languages(instrument.id) if tag in languages
    }
    everybody = {EVERY_LANGUAGE: rules.values(instrument.id)}
    return RuleSettings(rules.version, {**rules.rules, instrument.id: everybody | own})


# --- Counting ------------------------------------------------------------------------------------


@dataclass
class _Count:
    """How often something happened, and to which clients."""

    times: int = 0
    clients: set[int] = field(default_factory=set)

    def add(self, client: int, times: int = 1) -> None:
        if times:
            self.times += times
            self.clients.add(client)


@dataclass
class _Pair:
    """The same count now and then, and the clients for whom it differs."""

    now: _Count = field(default_factory=_Count)
    then: _Count = field(default_factory=_Count)
    come: _Count = field(default_factory=_Count)
    go: _Count = field(default_factory=_Count)

    def add(self, client: int, now: Set[Any], then: Set[Any]) -> None:
        self.now.add(client, len(now))
        self.then.add(client, len(then))
        self.come.add(client, len(then - now))
        self.go.add(client, len(now - then))

    @property
    def is_few(self) -> bool:
        return len(self.come.clients | self.go.clients) < FEW


@dataclass
class _Counts:
    rated: _Count = field(default_factory=_Count)  # sessions with a complete rating on the instrument
    flags: dict[str, _Pair] = field(default_factory=lambda: defaultdict(_Pair))
    rated_later: _Count = field(default_factory=_Count)  # of those, all but the first of a client on a form
    calling: _Pair = field(default_factory=_Pair)
    calling_later: _Pair = field(default_factory=_Pair)
    waiting: _Pair = field(default_factory=_Pair)


@dataclass(frozen=True)
class _Episodes:
    clients: dict[int, int]  # {episode: client}
    open: frozenset[int]
    of: int  # how many there are, where only a part was drawn


def _episodes(instrument: Instrument, period: Period) -> _Episodes:
    rated = _rated(instrument, period)
    found = Episode.objects.filter(pk__in=rated.values("session__episode")).order_by("pk")
    rows = list(found.values_list("pk", "client_id", "closed_on"))
    drawn = Random(SESSION_RATING).sample(rows, MOST_EPISODES) if len(rows) > MOST_EPISODES else rows
    clients = {pk: client for pk, client, _ in drawn}
    return _Episodes(clients, frozenset(pk for pk, _, closed_on in drawn if closed_on is None), len(rows))


def _counted(
    instrument: Instrument,
    episodes: _Episodes,
    both: list[RuleSettings],
    period: Period,
    now: datetime,
) -> _Counts:
    (since, until), counts, ordered = period, _Counts(), sorted(episodes.clients)
    for start in range(0, len(ordered), CHUNK):
        for episode, found in facts.read(ordered[start : start + CHUNK]).items():
            held = held_sessions(found, now)
            of_it = (one for one in held if one.instrument.id == instrument.id)
            lately = {one.pk for one in of_it if since <= one.held_at < until}
            rated = {one.pk for one in held if one.pk in lately and one.session.total is not None}
            said = [findings_of(held, rules) for rules in both]
            sides = [
                {flag.key: flag for flag in expected_flags(held, rules, one)}
                for rules, one in zip(both, said, strict=True)
            ]
            called = [_called(held, rules, one) & rated for rules, one in zip(both, said, strict=True)]
            later = rated - _first_ratings(held)
            client = episodes.clients[episode]
            counts.rated.add(client, len(rated))
            for letter in letters_of(instrument, ""):
                counts.flags[letter].add(client, *(_raised(side, letter, lately) for side in sides))
            counts.rated_later.add(client, len(later))
            counts.calling.add(client, *called)
            counts.calling_later.add(client, *(one & later for one in called))
            if episode in episodes.open:
                waits = [{client} if _waits(found, side, now) else set() for side in sides]
                counts.waiting.add(client, *waits)
    return counts


Expected = dict[FlagKey, ExpectedFlag]


def _raised(expected: Expected, letter: str, sessions: set[int]) -> set[int]:
    return {key.session for key in expected if key.rule == letter and key.session in sessions}


def _called(held: list[HeldSession], rules: RuleSettings, found: list[tuple[Finding, ...]]) -> set[int]:
    """The sessions at which the list calls, if each call is talked about: that is the same for either side."""
    own = [rules.parameters(one.instrument, one.language) for one in held]
    called = talked_about([one.session for one in held], found, own)
    return {one.pk for one, calls in zip(held, called, strict=True) if calls}


def _first_ratings(held: list[HeldSession]) -> set[int]:
    first: dict[str, int] = {}
    for one in held:
        if one.session.total is not None:
            first.setdefault(one.session.series, one.pk)
    return set(first.values())


def _waits(found: CourseFacts, expected: Expected, now: datetime) -> bool:
    """Whether the client would be on the work list today, by the rule that fills it, once these flags stand."""
    events = found.events(standing.raised_flags(found, expected, now))
    return any(one.calls(now) for one in flag_standings(events))


# --- In words, with nobody in them ---------------------------------------------------------------


def _rule_rows(
    counts: _Counts, instrument: Instrument, before: RuleSettings, after: RuleSettings, scale: float
) -> Iterator[RuleRow]:
    for letter in letters_of(instrument, ""):
        pair = counts.flags[letter]
        now, then = _before_and_after(pair, lambda one: _per_hundred(one, counts.rated))
        now, then = _unless_off(now, letter, instrument, before), _unless_off(then, letter, instrument, after)
        come, go = _about(pair.come, scale), _about(pair.go, scale)
        if _is_untouched(letter, instrument, before, after):
            then, come, go = now, NO_CHANGE, NO_CHANGE
        yield RuleRow(RULES[letter].name, now, then, come, go)


def _unless_off(said: str, letter: str, instrument: Instrument, rules: RuleSettings) -> str:
    tags = ("", *rules.languages(instrument.id))
    return said if any(letter in rules.parameters(instrument, tag).enabled for tag in tags) else "off"


def _is_untouched(letter: str, instrument: Instrument, before: RuleSettings, after: RuleSettings) -> bool:
    """The settings alone tell it: it may be said however few the clients are."""
    tags = {"", *before.languages(instrument.id), *after.languages(instrument.id)}
    return not any(
        is_touched(letter, before.parameters(instrument, tag), after.parameters(instrument, tag))
        for tag in tags
    )


def _before_and_after(pair: _Pair, said: Callable[[_Count], str]) -> tuple[str, str]:
    """Where few clients make the difference, there is none to be seen: else one could be found by trying."""
    return said(pair.now), AS_NOW if pair.is_few else said(pair.then)


def _in_a_line(pair: _Pair, said: Callable[[_Count], str]) -> str:
    now, then = _before_and_after(pair, said)
    return f"{now} now, {then} after" if then != AS_NOW else f"{now} now, about as many after"


def _rounded(count: float) -> int:
    """To fives."""
    return 5 * round(count / 5)


def _about(one: _Count, scale: float) -> str:
    return FEWER if len(one.clients) < FEW else f"about {_rounded(one.times * scale):,}"


def _per_hundred(one: _Count, of: _Count) -> str:
    return "few" if len(one.clients) < FEW else f"{100 * _rounded(one.times) / of.times:.1f}"


def _of_hundred(one: _Count, of: _Count) -> str:
    return "few" if len(one.clients) < FEW else f"{100 * _rounded(one.times) / of.times:.0f} of 100"


def _sentence(counts: _Counts) -> str:
    now, then = _before_and_after(counts.calling_later, lambda one: _of_hundred(one, counts.rated_later))
    now = now if now != "few" else "hardly any"
    if then == AS_NOW:
        return (
            f"About as many rated sessions as now would call for a talk, not counting first ratings: {now}."
        )
    if then == "few":
        return f"Hardly any rated session would call for a talk, not counting first ratings; now {now} do."
    then = then.replace("of 100", "of 100 rated sessions")
    return f"{then} would call for a talk, not counting first ratings; now {now} do."
