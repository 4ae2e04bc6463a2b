"""What one cell of a file says, or a plain sentence why it says nothing.

A sentence repeats what stands in the cell only where the office may read it: never marks.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from alliance import languages
from alliance.labels import clean_label
from alliance.measurement.scoring import AnswerError, scale_end, tenths_from_text
from alliance.models import Role
from clients.models import AgeBand, Ending
from clients.plausible_days import A_YEAR, FIRST_DAY, NOT_AHEAD, implausible
from sessions_app.courses.models import Attendance, Modality

NOON = time(12)
MOST_SIGNS_TOLD = 40
MOST_OF_EMAIL = 254  # as the database keeps it

Value = TypeVar("Value")


class CellError(ValueError):
    """The text is a sentence."""


# --- Words ---------------------------------------------------------------------------------------


def told(text: str) -> str:
    short = text if len(text) <= MOST_SIGNS_TOLD else text[:MOST_SIGNS_TOLD] + "…"
    return f"“{short}”"


def line_of(text: str, most: int) -> str:
    """A label, a name or a number: one line, without what nobody sees."""
    try:
        line = clean_label(text)
    except ValidationError as error:
        raise CellError(" ".join(error.messages)) from None
    if len(line) > most:
        raise CellError(f"{told(line)} is longer than {most} characters.")
    return line


def email_of(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise CellError(f"{told(text)} is no e-mail address.") from None
    if len(text) > MOST_OF_EMAIL:
        raise CellError(f"{told(text)} is longer than {MOST_OF_EMAIL} characters.")
    return text.lower()


def _word(text: str, known: Mapping[str, Value], what: str, choices: str) -> Value:
    found = known.get(" ".join(re.sub(r"[\W_]+", " ", text.casefold()).split()))
    if found is None:
        raise CellError(f"{told(text)} is no {what} this site knows. Write {choices}.")
    return found


ROLES = {
    "therapist": Role.THERAPIST,
    "clinician": Role.THERAPIST,
    "therapeut": Role.THERAPIST,
    "therapeutin": Role.THERAPIST,
    "supervisor": Role.SUPERVISOR,
    "supervisorin": Role.SUPERVISOR,
}


def roles_of(text: str) -> frozenset[Role]:
    parts = [part for part in re.split(r"[,;/+&|]|\band\b|\bund\b", text) if part.strip()]
    return frozenset(
        _word(part, ROLES, "role", "therapist, supervisor, or both with a comma") for part in parts or [text]
    )


AGES = {
    **{band.value.replace("_", " "): band for band in AgeBand},
    **{str(band.label).casefold(): band for band in AgeBand},
    "erwachsen": AgeBand.ADULT,
    "erwachsene": AgeBand.ADULT,
    "erwachsener": AgeBand.ADULT,
    "jugendlich": AgeBand.ADOLESCENT,
    "jugendliche": AgeBand.ADOLESCENT,
    "jugendlicher": AgeBand.ADOLESCENT,
    "kind": AgeBand.CHILD,
    "kleinkind": AgeBand.YOUNG_CHILD,
}


def age_band_of(text: str) -> AgeBand:
    return _word(text, AGES, "age", "adult, adolescent, child or young child")


@cache
def _languages() -> dict[str, str]:
    known: dict[str, str] = {}
    for tag, name in settings.LANGUAGES:
        known |= dict.fromkeys((tag, str(name).casefold(), languages.own_name(tag).casefold()), tag)
    german = {"englisch": "en", "deutsch": "de", "spanisch": "es", "französisch": "fr", "arabisch": "ar"}
    return known | german


def language_of(text: str) -> str:
    tags = ", ".join(tag for tag, _name in settings.LANGUAGES)
    return _word(text, _languages(), "language of the form", f"one of {tags}")


ENDINGS = {
    **{ending.value: ending for ending in Ending},
    **{str(ending.label).casefold(): ending for ending in Ending},
    "as planned": Ending.PLANNED,
    "not as planned": Ending.UNPLANNED,
    "regulaer": Ending.PLANNED,
    "regulär": Ending.PLANNED,
    "geplant": Ending.PLANNED,
    "planmäßig": Ending.PLANNED,
    "ungeplant": Ending.UNPLANNED,
    "abbruch": Ending.UNPLANNED,
    "abgebrochen": Ending.UNPLANNED,
    "übergabe": Ending.TRANSFERRED,
    "abgegeben": Ending.TRANSFERRED,
}


def ending_of(text: str) -> Ending:
    return _word(text, ENDINGS, "kind of ending", "planned, unplanned or transferred")


ATTENDANCES = {
    **{one.value.replace("_", " "): one for one in Attendance},
    **{str(one.label).casefold(): one for one in Attendance},
    **dict.fromkeys(("yes", "y", "1", "true", "took place", "present", "held", "show"), Attendance.ATTENDED),
    **dict.fromkeys(
        ("ja", "j", "erschienen", "anwesend", "stattgefunden", "wahrgenommen"), Attendance.ATTENDED
    ),
    **dict.fromkeys(("no", "n", "0", "false", "no show", "absent", "missed"), Attendance.DID_NOT_ATTEND),
    **dict.fromkeys(("nein", "nicht erschienen", "abwesend", "versäumt"), Attendance.DID_NOT_ATTEND),
    **dict.fromkeys(("canceled", "cancelled", "abgesagt", "ausgefallen", "storniert"), Attendance.CANCELLED),
    **dict.fromkeys(("scheduled", "geplant"), Attendance.PLANNED),
}


def attendance_of(text: str) -> Attendance:
    return _word(text, ATTENDANCES, "attendance", "attended, did not attend, cancelled or planned")


MODALITIES = {
    **{one.value.replace("_", " "): one for one in Modality},
    **{str(one.label).casefold(): one for one in Modality},
    **dict.fromkeys(("face to face", "room", "office", "praxis", "vor ort", "präsenz"), Modality.IN_PERSON),
    **dict.fromkeys(("online", "video call", "videositzung"), Modality.VIDEO),
    **dict.fromkeys(("telephone", "telefon", "telefonisch", "call"), Modality.PHONE),
}


def modality_of(text: str) -> Modality:
    return _word(text, MODALITIES, "way to meet", "in person, video or phone")


# --- Days and times ------------------------------------------------------------------------------

_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_WITH_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_WITH_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_TIME = re.compile(
    r"(\d{1,2})(?::|\.|h)(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:uhr)?\s*([ap]\.?m\.?)?", re.IGNORECASE
)
_MOMENT = re.compile(
    r"(?P<day>\S+?(?:\.\s\d+\.\s?\d{4})?)"
    r"(?:[T\s]+(?P<time>[\d:.h]+\s*(?:[ap]\.?m\.?|uhr)?)\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_TWO_DIGITS = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}")


@lru_cache(maxsize=8192)
def day_of(text: str, *, month_first: bool = False) -> date:
    """month_first: how a day with slashes is read; with dots the day of the month is always first."""
    if found := _ISO.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _WITH_DOTS.fullmatch(text):
        day, month, year = map(int, found.groups())
    elif found := _WITH_SLASHES.fullmatch(text):
        first, second, year = map(int, found.groups())
        day, month = (second, first) if month_first else (first, second)
    elif _TWO_DIGITS.fullmatch(text):
        raise CellError(f"{told(text)}: write the year with four digits.")
    else:
        raise CellError(f"{told(text)} is no day. Write it as year, month, day: 2025-03-31.")
    try:
        found_day = date(year, month, day)
    except ValueError:
        raise CellError(f"{told(text)} is no day of the calendar.") from None
    if found_day < FIRST_DAY:
        raise CellError(f"{told(text)} {implausible(found_day)}")
    return found_day


def only_day_of(text: str, *, month_first: bool = False) -> date:
    """A day; a midnight that a spreadsheet wrote behind it says nothing."""
    day, at = _divided(text, month_first=month_first)[:2]
    if at is not None and at != time():
        raise CellError(f"{told(text)} has a time. Write the day alone.")
    return day


def day_not_ahead(text: str, *, month_first: bool = False) -> date:
    return _plausible(text, NOT_AHEAD, month_first=month_first)


def day_not_far_ahead(text: str, *, month_first: bool = False) -> date:
    return _plausible(text, A_YEAR, month_first=month_first)


def _plausible(text: str, ahead: timedelta, *, month_first: bool) -> date:
    day = only_day_of(text, month_first=month_first)
    if why := implausible(day, ahead=ahead):
        raise CellError(f"{told(text)} {why}")
    return day


def moment_of(text: str, time_apart: str = "", *, month_first: bool = False) -> tuple[datetime, bool]:
    """When a session began, and whether the file has the time; without one, noon of that day at the clinic.

    A time without an offset is the clinic's own. One that was there twice, when clocks went back, is the first of the
    two; one that was left out when they went forward is refused. So is a day too far ahead, before anything counts
    from it: other systems write 9999-12-31 for "never", and no day follows on that one.
    """
    day, at, offset = _divided(text, month_first=month_first)
    if why := implausible(day):
        raise CellError(f"{told(text)} {why}")
    if time_apart:
        if at not in (None, time()):
            raise CellError(
                f"{told(text)} has a time, and the column of times has one too. Leave one of them out."
            )
        at = time_of(time_apart)
    if at is None or (at == time() and not time_apart):
        return _at_the_clinic(day, NOON), False
    if offset is not None:
        return datetime.combine(day, at, tzinfo=offset.tzinfo).astimezone(UTC), True
    return _at_the_clinic(day, at), True


def time_of(text: str) -> time:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise CellError(f"{told(text)} is no time. Write it as hours and minutes: 14:30.")
    hour, minute, half = int(found[1]), int(found[2]), (found[4] or "").replace(".", "").lower()
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, minute)
    except ValueError:
        raise CellError(f"{told(text)} is no time of the day.") from None


@lru_cache(maxsize=8192)
def _divided(text: str, *, month_first: bool) -> tuple[date, time | None, datetime | None]:
    """Day, time and offset of what stands in one cell; the offset as any moment that has it."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return day_of(text, month_first=month_first), None, None
    at = time_of(found["time"]) if found["time"] else None
    offset = None
    if found["offset"] and at is not None:
        try:
            offset = datetime.fromisoformat(f"2000-01-01T00:00{found['offset'].upper()}")
        except ValueError:
            raise CellError(f"{told(text)} has an offset that no clock has. Write it as in +01:00.") from None
    return day_of(found["day"], month_first=month_first), at, offset


def _at_the_clinic(day: date, at: time) -> datetime:
    zone = timezone.get_default_timezone()
    moment = datetime.combine(day, at, tzinfo=zone)
    universal = moment.astimezone(UTC)
    shown = universal.astimezone(zone)
    if shown.replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise CellError(
            f"{at:%H:%M} did not exist on {day:%-d %B %Y}: the clocks of the clinic went forward. "
            "Write the time they showed, or add the offset, as in +01:00."
        )
    # Python takes a time that was there twice for equal to no time of another zone.
    return universal


# --- Marks ---------------------------------------------------------------------------------------

_TRAILING_NOUGHTS = re.compile(r"([.,]\d)0+")


def tenths_of(text: str, minimum: int, maximum: int) -> int | None:
    """In points, with a decimal comma or point; None where nothing stands there. The sentence repeats nothing."""
    try:
        return tenths_from_text(_TRAILING_NOUGHTS.sub(r"\1", text), minimum=minimum, maximum=maximum)
    except AnswerError as error:
        if "one decimal" in error.sentence:
            raise CellError(
                "This has more than one decimal. Round it in the file, if that is what you want."
            ) from None
        raise CellError(f"This is no number from {scale_end(minimum)} to {scale_end(maximum)}.") from None
