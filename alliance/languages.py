"""The languages of the client's form. Pages of staff are English, whatever a browser asks for."""

from django.utils.translation import get_language, get_language_info

_DIGITS = {"ar": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}


def own_name(language: str) -> str:
    """What its readers call a language: a person who cannot read this page still finds theirs."""
    name = str(get_language_info(language)["name_local"])
    return name[0].upper() + name[1:]


def digits(number: int | str) -> str:
    """A number, or the numbers of a date, as the language of the page writes it. For the eye only: ASCII is sent."""
    return str(number).translate(_DIGITS.get(get_language() or "", {}))
