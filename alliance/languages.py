"""The languages of the client's form. Pages of staff are English, whatever a browser asks for."""

from django.utils.translation import get_language, get_language_info

# Where a language addresses a child otherwise than an adult. The tag is one that browsers and gettext take
# (RFC 5646: "x" begins a private part); its catalogue, locale/de_X-child, holds what differs.
SAID_OTHERWISE_TO_A_CHILD = frozenset({"de", "es", "fr"})
_TO_A_CHILD = "-x-child"
_DIGITS = {"ar": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}


def own_name(language: str) -> str:
    """What its readers call a language: a person who cannot read this page still finds theirs."""
    name = str(get_language_info(language)["name_local"])
    return name[0].upper() + name[1:]


def to_a_child(language: str) -> str:
    """The language in which a child is spoken to: the same one where it addresses all alike."""
    return f"{language}{_TO_A_CHILD}" if language in SAID_OTHERWISE_TO_A_CHILD else language


def digits(number: int | str) -> str:
    """A number, or the numbers of a date, as the language of the page writes it. For the eye only: ASCII is sent."""
    return str(number).translate(_DIGITS.get(get_language() or "", {}))
