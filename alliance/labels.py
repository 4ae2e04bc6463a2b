"""What a label is: the names that people type for clients, colleagues and rooms, and when two of them are the same.

A label that holds something nobody sees, or that turns the words around it, is refused: two records that read
alike would be told apart by the database alone. Searches and questions about the same label compare keys, which
are worked out here: SQLite and PostgreSQL fold letters differently.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from django.core.exceptions import ValidationError

from alliance.look_alikes import LOOK_ALIKES

# Letters and marks that show nothing, though their class does not say so.
_SHOWS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# How a picture is drawn, in colour or not: phones put it behind each; it is no part of the label.
_STYLE_OF_PICTURES = dict.fromkeys(map(ord, "\ufe0e\ufe0f"))
_TURNS_WORDS = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"])
_TURNS_WORDS_TOO = frozenset("\u061c\u200e\u200f")
# More than these on one letter are drawn over the lines above and below (UTS #39, 5.4).
MOST_MARKS = 4
LONGEST_SEARCH = 200

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_QUOTES = "\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4`"
# What phones and word processors put for a sign of the keyboard, and letters that carry a stroke, not an accent.
_SAME = str.maketrans(
    {
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_QUOTES, "'"),
        **{"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "Ŧ": "T"},
        **{"ŧ": "t", "ı": "i", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Þ": "TH", "þ": "th", "ð": "d"},
        "Ð": "D",
    }
)
_FIRST_ACCENT = 10  # the classes below are marks that make another letter: nukta, the voicing of kana
_SEPARATORS = re.compile(r"[\W_]+")
_SHOWN_AS = {sign: shown for shown, signs in LOOK_ALIKES.items() for sign in signs}
_ONE_AND_NOUGHT = str.maketrans({**dict.fromkeys("1Il|", "1"), **dict.fromkeys("0Oo", "0")})


def clean_label(text: str) -> str:
    """The label as it is stored; a ValidationError with a sentence where it holds what nobody could see."""
    label = " ".join(unicodedata.normalize("NFC", text).translate(_STYLE_OF_PICTURES).split())
    for place, sign in enumerate(label):
        if kind := _refused(sign):
            raise ValidationError(_sentence(kind, sign, label[:place]), code="unseen")
    for is_mark, signs in groupby(label, _is_mark):
        if is_mark and len(together := "".join(signs)) > MOST_MARKS:
            raise ValidationError(
                f"One letter carries more than {MOST_MARKS} accents (\u25cc{together}). Leave some out.",
                code="marks",
            )
    if label and _is_mark(label[0]):
        raise ValidationError(
            "This begins with an accent that stands on no letter. Type the letter too.", code="marks"
        )
    return label


def search_key(text: str) -> str:
    """What is stored beside a label and compared in a search: whatever the case, the accents and the keyboard."""
    key = text
    # Until nothing changes: what folding makes of a letter can be one that folds again.
    while (folded := " ".join(_plain(key).casefold().split())) != key:
        key = folded
    return key


def key_asked_for(asked: str) -> str:
    """The key of what somebody looks for: of a text longer than any label or name, its beginning.

    SQLite refuses to look for 50,000 signs, and the page would say that the database is away.
    """
    return search_key(asked[:LONGEST_SEARCH])


def look_alike_key(text: str) -> str:
    """The same for two labels that a person may take for the same: other scripts, I for 1, O for 0, A.B. for A B."""
    plain = "".join(map(_shown, _plain(text))).translate(_ONE_AND_NOUGHT)
    key = search_key(plain)
    return _SEPARATORS.sub("-", key).strip("-") or key


# --- Letters -------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Without accents, without what nobody sees, with the digits and signs of one keyboard."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text.translate(_SAME)))
    return "".join(_parts_seen(parts)).translate(_SAME)


def _parts_seen(parts: str) -> Iterator[str]:
    for sign in parts:
        if sign.isspace():
            yield " "
        elif sign == "\u0345":
            yield "ι"  # the one accent that is a letter of its own in capitals
        elif unicodedata.combining(sign) < _FIRST_ACCENT and not _refused(sign):
            yield str(unicodedata.decimal(sign, sign))


def _shown(sign: str) -> str:
    """The ASCII letter that a sign looks like, as it is or else as a capital; itself where there is none."""
    return sign if sign.isascii() else _SHOWN_AS.get(sign) or _SHOWN_AS.get(sign.upper()) or sign


# --- What is refused -----------------------------------------------------------------------------


def _refused(sign: str) -> str:
    """The kind of a character that no label may hold; empty where it may."""
    category = unicodedata.category(sign)
    if sign in _TURNS_WORDS_TOO or unicodedata.bidirectional(sign) in _TURNS_WORDS:
        return "a character that changes the direction of writing"
    if sign in _SHOWS_NOTHING or unicodedata.name(sign, "").startswith("VARIATION SELECTOR"):
        return "a character that cannot be seen"
    if (
        category == "Cf" and unicodedata.bidirectional(sign) != "AN"
    ):  # the signs before Arabic numbers are seen
        return "a character that cannot be seen"
    if category == "Cc":
        return "a control character, which cannot be seen"
    if category in {"Co", "Cs", "Cn"}:
        return "a character that is not the same on every device"
    return ""


def _sentence(kind: str, sign: str, before: str) -> str:
    name = unicodedata.name(sign, f"U+{ord(sign):04X}").lower()
    place = f"after “{before[-10:]}”" if before else "at the beginning"
    return f"This holds {kind}, {place} ({name}). Delete it, or type the whole by hand."


def _is_mark(sign: str) -> bool:
    return unicodedata.category(sign) in {"Mn", "Me"}
