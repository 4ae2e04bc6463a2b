"""The access log, for the administrator: proof of who saw and did what."""

from datetime import timedelta

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance import audit, log_archives
from alliance.access import StaffRequest, page
from alliance.ask_again import asked_first
from alliance.log_events import LogEvent
from alliance.long_list import LongList
from alliance.models import Role
from alliance.whole_file import whole_file
from clients import staff_actions
from clients.access_log import as_csv, by_day, lines
from clients.log_forms import LogSearch
from clients.views.clinic import PER_PAGE

# Who opens the log wants to know of the last days; older lines are asked for by their dates.
DAYS_AT_FIRST = 30


@require_safe
@page(Role.ADMINISTRATOR)
def log(request: StaffRequest) -> HttpResponse:
    search = _search(request.GET)
    events = LongList(search.found(), PER_PAGE).page(request.GET.get("page"))
    told = lines(events, search.about)
    context = {"search": search, "events": events, "lines": told, "days": by_day(told)}
    context["archive"] = log_archives.reached(search.first_day)
    # After the reading: the first line is not one's own look.
    audit.log_read(
        LogEvent.LOG_OPENED,
        asked=search.in_codes(),
        about=search.about,
        page=str(events.number),
        by=request.user,
    )
    return render(request, "clinic/log.html", context, status=422 if search.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)  # type: ignore[arg-type]  # a stream is an answer too
def export_log(request: StaffRequest) -> HttpResponseBase:
    search = _search(request.GET)
    events = search.found()
    if request.method != "POST" or search.errors:
        return render(request, "clinic/export_log.html", {"search": search, "count": events.count()})
    if question := asked_first(request):
        return question
    staff_actions.note_export(asked=search.in_codes(), about=search.about, by=request.user)
    name = f"access-log-{timezone.localdate()}.csv"
    return whole_file(as_csv(events, search.about), name=name, content_type="text/csv; charset=utf-8")


def _search(asked: QueryDict) -> LogSearch:
    first_day = (timezone.localdate() - timedelta(days=DAYS_AT_FIRST)).isoformat()
    return LogSearch({"since": first_day, **asked.dict()})
