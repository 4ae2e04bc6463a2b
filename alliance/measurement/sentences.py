"""What a finding says to the therapist: neutral, in our own words, with figures in points."""

from collections.abc import Callable, Mapping

from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import points, points_apart

EvidenceValue = int | str | list[int] | list[str]
Evidence = dict[str, EvidenceValue]
_Seen = Mapping[str, EvidenceValue]


def sentence_for(letter: str, evidence: _Seen, instrument: Instrument) -> str:
    """The sentence of one rule, from the evidence (tenths) its finding carries."""
    return _SENTENCES[letter](evidence, instrument)


def _figure(evidence: _Seen, key: str) -> str:
    return points(_whole(evidence, key))


def _whole(evidence: _Seen, key: str) -> int:
    value = evidence[key]
    assert isinstance(value, int)
    return value


_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def _number_word(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _say_below_cutoff(evidence: _Seen, _: Instrument) -> str:
    where = "at or below" if evidence["operator"] == "<=" else "below"
    if "at_most" in evidence:
        return (
            f"{_at_most(evidence)}: {where} the level at which it is usual to ask about the session "
            f"({_figure(evidence, 'cutoff')}). Ask what would have made it a little better."
        )
    if "called_at" in evidence:
        further = points_apart(_whole(evidence, "called_at") - _whole(evidence, "total"))
        return (
            f"Still {where} the level, and {further} lower than when this was last raised "
            f"({_figure(evidence, 'total')} after {_figure(evidence, 'called_at')}; "
            f"level {_figure(evidence, 'cutoff')}). Ask what has made it harder since."
        )
    lower = _whole(evidence, "fall_since_new") if "fall_since_new" in evidence else 0
    began = f"; {points(_whole(evidence, 'total') + lower)} when this began" if lower > 0 else ""
    return (
        f"Today's total is {where} the level at which it is usual to ask about the session "
        f"({_figure(evidence, 'total')}; level {_figure(evidence, 'cutoff')}{began}). "
        "Ask what would have made it a little better."
    )


def _say_low_line(evidence: _Seen, instrument: Instrument) -> str:
    lines, values = evidence["lines"], evidence["values"]
    assert isinstance(lines, list)
    assert isinstance(values, list)
    pairs = zip(map(str, lines), map(int, values), strict=True)
    named = ", ".join(f"{instrument.item(line).label} {points(value)}" for line, value in pairs)
    if len(lines) == _whole(evidence, "answered"):
        return f"Each line answered is below {_figure(evidence, 'item_cutoff')}: {named}."
    if len(lines) == 1:
        return f"One line is lower than the rest: {named}."
    return f"{_number_word(len(lines))} lines are lower than the rest: {named}."


def _at_most(evidence: _Seen) -> str:
    """Of a rating without a total. What is missing is not filled in: this holds however it had been marked."""
    return f"At most {_figure(evidence, 'at_most')} whatever was left out"


# How often the total of a stable client falls by at least so many tenths from one session to the next, in our model
# (clinical.md section 2.J, "How rare is a fall": 9.0, 4.1, 1.9, 0.45 and 0.09 %), the largest first.
HOW_RARE = ((170, "1 of 1,000"), (120, "5 of 1,000"), (80, "2 of 100"), (60, "4 of 100"), (40, "9 of 100"))
RATED_TO = 400  # tenths: the model is of forms with this range


def how_rare(fall: int, instrument: Instrument) -> str:
    """How often chance alone brings a fall of at least so many tenths, as a sentence; that it may, where unknown."""
    if instrument.total_maximum == RATED_TO:
        for least, share in HOW_RARE:
            if fall >= least:
                size = points_apart(least)
                return f"In our model, falls of {size} or more happen by chance in about {share} sessions"
    return "It may be chance"


def _say_sudden_fall(evidence: _Seen, instrument: Instrument) -> str:
    fall = _whole(evidence, "fall")
    lower = f"{points_apart(fall)} lower than last time. "
    if "at_most" in evidence:
        lower = f"{_at_most(evidence)}, so at least {lower}"
    return f"{lower}{how_rare(fall, instrument)}; ask before you interpret."


def _say_decline(evidence: _Seen, _: Instrument) -> str:
    if evidence["window"] == 4:
        first, last = _figure(evidence, "first"), _figure(evidence, "last")
        return f"Over the last four ratings, each is lower than the one before ({first} to {last})."
    return "The last five ratings have mostly fallen."


def _say_below_own_range(evidence: _Seen, _: Instrument) -> str:
    lower, upper = _figure(evidence, "lower"), _figure(evidence, "upper")
    earlier = evidence["earlier"]
    return f"Below this client's own usual range ({lower} to {upper}, from {earlier} earlier ratings)."


def _say_flat_top(evidence: _Seen, _: Instrument) -> str:
    sessions = _number_word(_whole(evidence, "sessions"))
    return (
        f"{sessions} ratings at the top of the scale. It may simply be good; "
        "say that critical remarks are welcome and ask for the smallest thing to change."
    )


def _say_lasting_fall(evidence: _Seen, _: Instrument) -> str:
    latest, earlier = _number_word(_whole(evidence, "ratings")), _whole(evidence, "earlier")
    of = (
        "the one before them was"
        if earlier == 1
        else f"the {_number_word(earlier).lower()} before them averaged"
    )
    said = (
        f"Lower for a while: the last {latest.lower()} ratings average {_figure(evidence, 'recent')}, with the latest "
        f"counting most; {of} {_figure(evidence, 'before')}."
    )
    if "at_most" in evidence:
        said = f"{_at_most(evidence)}. {said[:-1]}. What was left out is counted at its most favourable."
    return (
        f"{said} It called for a talk earlier, and the total has not fallen much further since."
        if "quiet" in evidence
        else said
    )


def _say_left_out(evidence: _Seen, instrument: Instrument) -> str:
    lines = evidence["lines"]
    assert isinstance(lines, list)
    named = " and ".join(instrument.item(str(line)).label for line in lines)
    return (
        f"Left out twice in a row: {named}. This is not a low mark; ask whether the line is hard to answer."
    )


def _say_missing(evidence: _Seen, _: Instrument) -> str:
    missing, of = evidence["missing"], evidence["of"]
    return f"No rating for {missing} of the last {of} sessions. A gap is not a low score."


_SENTENCES: Mapping[str, Callable[[_Seen, Instrument], str]] = {
    "A": _say_below_cutoff,
    "B": _say_low_line,
    "C": _say_sudden_fall,
    "D": _say_decline,
    "E": _say_below_own_range,
    "F": _say_flat_top,
    "G": _say_missing,
    "J": _say_lasting_fall,
    "L": _say_left_out,
}
