"""Which days process figures are of, as an address says it, and the days before to compare them with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from alliance.models import User
from clients.forms import searched_day
from clients.plausible_days import FIRST_DAY

WEEKS, QUARTER, YEAR, OWN = "weeks", "quarter", "year", "own"
LENGTHS = {WEEKS: 28, QUARTER: 91, YEAR: 364}  # whole weeks: else one has a Monday more than the one before
NAMES = {WEEKS: "4 weeks", QUARTER: "13 weeks", YEAR: "52 weeks"}
LONGEST = timedelta(days=5 * 366)
CHOICES = (
    (WEEKS, "Last 4 weeks"),
    (QUARTER, "Last quarter (13 weeks)"),
    (YEAR, "Last year (52 weeks)"),
    (OWN, "From one day to another"),
)
NOT_A_PERIOD = "This address asks for a period that there is not. Choose one of the list."
NOT_YOURS = "This address names nobody whom you supervise today. Choose one of the list."
BOTH_DAYS = "For a period of your own, say both days."
TURNED = "The first day is after the last one. Say them the other way round."
NOT_OVER = "Figures go up to yesterday: the sessions of today can still be rated. Choose an earlier last day."
TOO_LONG = "That is more than five years. Choose a shorter period."
TOO_EARLY = f"That is before {FIRST_DAY.year}. Look at the year."


@dataclass(frozen=True)
class Period:
    """Days, both included, and as many directly before them. name: of its length."""

    first: date
    last: date
    name: str

    @property
    def before(self) -> "Period":
        end = self.first - timedelta(days=1)
        return Period(end - (self.last - self.first), end, self.name)

    @property
    def days(self) -> str:
        return f"{_day(self.first)} to {_day(self.last)}"


def _day(day: date) -> str:
    return date_format(day, "j F Y")


def last(kind: str, now: datetime) -> Period:
    """The one that ended yesterday: a session counts from the day after its rating would be overdue."""
    yesterday = timezone.localdate(now) - timedelta(days=1)
    return Period(yesterday - timedelta(days=LENGTHS[kind] - 1), yesterday, NAMES[kind])


class PeriodForm(forms.Form):
    """What an address asks for; one that asks for nothing asks for the last four weeks of everybody.

    people: among whom it may choose one; without them it asks for no person.
    """

    therapist = forms.ChoiceField(
        label="Supervisee", required=False, error_messages={"invalid_choice": NOT_YOURS}
    )
    period = forms.ChoiceField(
        label="Period", choices=CHOICES, required=False, error_messages={"invalid_choice": NOT_A_PERIOD}
    )
    since = searched_day(label="From", required=False)
    until = searched_day(label="To and including", required=False)

    def __init__(self, data: Any, *, now: datetime, people: Iterable[User] | None = None) -> None:
        filled = data.copy()
        filled.setdefault("period", WEEKS)
        super().__init__(filled)
        self.now = now
        self.people = {str(person.pk): person for person in people or ()}
        if people is None:
            del self.fields["therapist"]
        else:
            choices = [("", "All"), *((code, str(person)) for code, person in self.people.items())]
            self.fields["therapist"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("period") == OWN and not self.errors:
            self._look_at_the_days(found["since"], found["until"])
        return found

    def _look_at_the_days(self, since: date | None, until: date | None) -> None:
        if since is None or until is None:
            self.add_error("until" if since else "since", BOTH_DAYS)
        elif since > until:
            self.add_error("since", TURNED)
        elif until >= timezone.localdate(self.now):
            self.add_error("until", NOT_OVER)
        elif since < FIRST_DAY:
            self.add_error("since", TOO_EARLY)
        elif until - since > LONGEST:
            self.add_error("since", TOO_LONG)

    @property
    def chosen(self) -> list[User]:
        """Whose figures; of a valid form."""
        one = self.people.get(self.cleaned_data.get("therapist", ""))
        return [one] if one else list(self.people.values())

    @property
    def asked(self) -> Period:
        """Of a valid form."""
        kind = self.cleaned_data["period"] or WEEKS
        if kind != OWN:
            return last(kind, self.now)
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        days = (until - since).days + 1
        return Period(since, until, f"{days} days" if days > 1 else "day")
