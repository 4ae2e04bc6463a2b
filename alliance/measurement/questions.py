"""Questions a therapist can ask at a flag, matched to the rule and to the line that fell. Our own words."""

from collections.abc import Mapping

_BELOW = {
    "relationship": "What could I do a little differently, so that you feel more at ease with me?",
    "goals": "What would you have liked us to spend more time on today?",
    "approach": "What is one thing about how we work that you would change a little?",
    "overall": "What would have made today a little better for you?",
}
_LOW_LINE = {
    "relationship": "You marked how we get on a little lower. What was that like for you today?",
    "goals": "You marked our topics a little lower. What did we miss?",
    "approach": "You marked the way we work a little lower. Which part suits you least?",
    "overall": "You marked today as a whole a little lower. What was missing?",
}
_SUDDEN_FALL = {
    "relationship": "Something between us felt different today. Did I say something that did not sit well?",
    "goals": "Last time we were closer to what matters to you. Where did we leave it today?",
    "approach": "Last time the way we worked suited you better. What was different today?",
    "overall": "Today was harder than last time. It may have nothing to do with us: what do you make of it?",
}
_DECLINE = {
    "relationship": "Lately your marks for how we get on have come down. Since when has it felt different?",
    "goals": "Lately we may have drifted from what you came for. What should we come back to?",
    "approach": "Lately the way we work seems to suit you less. What did we do earlier that helped more?",
    "overall": "Lately your marks have slowly come down. What would you like us to change first?",
}
_OWN_RANGE = {
    "relationship": "For you, this is an unusual mark for how we get on. What should I know about today?",
    "goals": "For you, this is an unusual mark for our topics. What would you rather have talked about?",
    "approach": "For you, this is an unusual mark for the way we work. What felt off about it today?",
    "overall": "Today looks different from your usual marks. What was different for you?",
}
_FLAT_TOP = (
    "I am glad about these marks. What should we keep? And if you had to change one small thing, "
    "what would it be? Critical remarks are welcome here."
)
_MISSING = "We did not get to the marks lately. How is it to fill them in, and what would make it easier?"

# By rule, then by line. The line "overall" also serves where no line is known: it asks about the whole.
QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "A": _BELOW,
    "B": _LOW_LINE,
    "C": _SUDDEN_FALL,
    "D": _DECLINE,
    "E": _OWN_RANGE,
    "F": {"overall": _FLAT_TOP},
    "G": {"overall": _MISSING},
    "H": _DECLINE,
}


def question_for(letter: str, item_id: str | None) -> str:
    """The question for this rule and line; for a line without its own, the question about the whole."""
    by_line = QUESTIONS[letter]
    return by_line.get(item_id or "overall", by_line["overall"])
