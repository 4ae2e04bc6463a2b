"""What the gallery shows the flags with: every rule, then every state, all invented."""

from typing import NamedTuple


class ShownFlag(NamedTuple):
    """One flag in the words of `components/_flag.html`, in the order in which the gallery unpacks it."""

    rule: str
    word: str
    state: str
    sentence: str
    question: str = ""
    note: str = ""


FLAGS = [
    ShownFlag(
        "A",
        "Below the cutoff",
        "open",
        "Today's total is below the level at which it is usual to ask about the session (34.5; level 36).",
        question="What would have made it a little better?",
    ),
    ShownFlag(
        "B",
        "Low line",
        "open",
        "One line is lower than the rest: goals and topics 8.2.",
        question="Is there something you would have liked to talk about more?",
    ),
    ShownFlag(
        "C",
        "Sudden fall",
        "open",
        "4.5 points lower than last time. In our model, falls of 4.0 points or more happen by chance in about "
        "9 of 100 sessions; ask before you interpret.",
        question="What was different today?",
    ),
    ShownFlag(
        "D", "Decline", "open", "Each of the last four ratings is lower than the one before (38.6 to 35.9)."
    ),
    ShownFlag(
        "E",
        "Below the usual range",
        "open",
        "Below this client's own usual range (36.2 to 40, from 6 earlier ratings).",
    ),
    ShownFlag(
        "F",
        "Flat at the top",
        "open",
        "Four ratings at the top of the scale. It may simply be good; say that critical remarks are welcome.",
    ),
    ShownFlag(
        "G", "Missing ratings", "open", "No rating for 2 of the last 3 sessions. A gap is not a low score."
    ),
    ShownFlag(
        "A", "Below the cutoff", "continuing", "The total has been below the level for three sessions."
    ),
    ShownFlag(
        "C",
        "Sudden fall",
        "discussed",
        "4.5 points lower than last time.",
        note="Discussed on 3 March: less homework, more time at the end.",
    ),
    ShownFlag(
        "C",
        "Sudden fall",
        "repaired",
        "4.5 points lower than last time; back in the usual range two sessions later.",
    ),
    ShownFlag("D", "Decline", "withdrawn", "The rating of session 7 was corrected."),
]
