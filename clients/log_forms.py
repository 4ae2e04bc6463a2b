"""What can be asked of the access log."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django import forms
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from alliance.log_by_client import FEW, NamesAny
from alliance.log_events import ALIKE, LogEvent
from alliance.models import AuditEvent
from alliance.quick_select import QuickSelect
from clients import access_log
from clients.forms import StaffField, searched_day
from clients.merges import codes_of_records
from clients.models import Client

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)
EVERYTHING = "everything"
WRITINGS = "writings"


class _OfDays(forms.Form):
    @property
    def first_day(self) -> date | None:
        """The first day that is asked for."""
        found: date | None = self.cleaned_data["since"] if self.is_valid() else None
        return found


class LogSearch(_OfDays):
    person = StaffField(label="Done by", empty_label="Anybody", required=False)
    client = forms.CharField(label="Client", required=False, widget=forms.TextInput({"type": "search"}))
    action = forms.ChoiceField(
        label="What",
        choices=[
            ("", "Everything but looks at lists"),
            (EVERYTHING, "Everything"),
            (WRITINGS, "Wrote in the record"),
            *((event.value, event.capitalize()) for event in sorted(access_log.asked_for())),
        ],
        required=False,
        widget=QuickSelect,
    )
    since = searched_day(label="From", required=False)
    until = searched_day(label="To and including", required=False)

    def found(self) -> QuerySet[AuditEvent]:
        if not self.is_valid():
            return AuditEvent.objects.none()
        person, client, action, since, until = (self.cleaned_data[name] for name in self.fields)
        rows = access_log.told()
        if person:
            rows = rows.filter(actor=person.pk)
        if client:
            rows = rows.filter(NamesAny(self.about))
            # Of a few clients by an expression: PostgreSQL must not read the log backwards until it has met fifty such
            # lines. Of many there is one among the next ones, and to look through all took 14 s for two million lines.
            if len(self.about) <= FEW:
                rows = rows.order_by((F("pk") + 0).desc())
        if action == WRITINGS:
            rows = rows.filter(action__in=ALIKE)
        elif action and action != EVERYTHING:
            rows = rows.filter(action=action)
        # Under the looks at lists everything else would drown. Whoever asks about one client wants to know
        # of those too.
        if not action and not client:
            rows = rows.exclude(action=LogEvent.LISTED)
        return _in_days(rows, since, until)

    @cached_property
    def about(self) -> frozenset[UUID]:
        """The codes of the clients whose label has what was asked for in it; none where nothing was asked.

        Of a record that was merged with another, the codes of both: it is one person's log.
        """
        label = self.cleaned_data.get("client") if self.is_valid() else None
        return codes_of_records(Client.objects.with_label_like(label)) if label else frozenset()

    def in_codes(self) -> dict[str, str]:
        """What was asked for, as the log may keep it: a client's label is left out."""
        asked = {name: value for name, value in self.cleaned_data.items() if value and name != "client"}
        return {name: str(value.pk if name == "person" else value) for name, value in asked.items()}


class DaysSearch(_OfDays):
    """Which days of who looked at a client."""

    since = searched_day(label="From", required=False)
    until = searched_day(label="To and including", required=False)

    def found_in(self, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        if not self.is_valid():
            return rows.none()
        return _in_days(rows, self.cleaned_data["since"], self.cleaned_data["until"])


def _in_days(rows: QuerySet[AuditEvent], since: date | None, until: date | None) -> QuerySet[AuditEvent]:
    if since:
        rows = rows.filter(at__gte=midnight(since))
    if until:
        rows = rows.filter(at__lt=midnight(min(until, LAST_DAY) + timedelta(days=1)))
    return rows


def midnight(day: date) -> datetime:
    # A year off either end of the calendar has no midnight in every zone.
    return timezone.make_aware(datetime.combine(min(max(day, FIRST_DAY), LAST_DAY), time.min))
