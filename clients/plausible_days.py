"""Which days a person may write down: one rule for every date of the product."""

from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format

from alliance.refused import Refused

# Before any course that a clinic can still have in hand. The database holds to it too.
FIRST_DAY = date(1990, 1, 1)
# Further ahead than this, the year is more likely to be a slip than a plan.
A_YEAR = timedelta(days=366)
# For what is signed once for many years, as a licence.
FIFTY_YEARS = timedelta(days=50 * 365)
NOT_AHEAD = timedelta(0)


def implausible(day: date, *, ahead: timedelta = A_YEAR) -> str:
    """What is not plausible about this day, to follow on its name; empty where nothing is."""
    today = timezone.localdate()
    if day < FIRST_DAY:
        return f"is before {FIRST_DAY.year}. Look at the year."
    if ahead == NOT_AHEAD and day > today:
        return "is still to come."
    if day > today + ahead:
        far = "a year" if ahead == A_YEAR else f"{ahead.days // 365} years"
        return f"is more than {far} ahead. Look at the year."
    return ""


def refuse_implausible(day: date, *, ahead: timedelta = A_YEAR) -> None:
    """For actions: whoever calls one past a form is held to the same."""
    if why := implausible(day, ahead=ahead):
        raise Refused(f"{said(day)} {why}")


class PlausibleDay:
    """The validator of a form's field, for a day or for a moment."""

    def __init__(self, ahead: timedelta = A_YEAR) -> None:
        self.ahead = ahead

    def __call__(self, value: date | datetime) -> None:
        day = timezone.localdate(value) if isinstance(value, datetime) else value
        if why := implausible(day, ahead=self.ahead):
            raise ValidationError(f"This day {why}")


def said(day: date) -> str:
    """A day as sentences say it, always with its year."""
    return date_format(day, "j F Y")
