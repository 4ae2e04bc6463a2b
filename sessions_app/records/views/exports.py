"""What a person may see, as files."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import asked_first
from alliance.form_pages import form_page, posted
from alliance.models import Role
from sessions_app.records import export_actions, export_file, sheets
from sessions_app.records.export_file import CONTENT_TYPES, Format
from sessions_app.records.forms import PARTS, ExportForm
from sessions_app.records.sheets import Part, Scope

CHOSEN = "export_chosen"  # in the session, while it is asked whether it is still you


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)  # type: ignore[arg-type]  # a stream is an answer too
def export(request: StaffRequest) -> HttpResponseBase:
    form = ExportForm(posted(request), user=request.user, initial=request.session.pop(CHOSEN, {}))
    if not form.is_valid():
        return form_page(request, "exports/export.html", form)
    if question := asked_first(request):
        request.session[CHOSEN] = form.cleaned_data
        return question
    return _file(Scope(request.user, Part(form.cleaned_data["part"])), **form.cleaned_data)


@require_safe
@page(Role.THERAPIST, Role.SUPERVISOR, Role.ADMINISTRATOR)
def columns(request: StaffRequest) -> HttpResponse:
    """What each column of the files says."""
    user = request.user
    parts = [(PARTS[part], sheets.named(Scope(user, part))) for part in sheets.parts_of(user)]
    return render(request, "exports/columns.html", {"parts": parts, "says": export_file.SAYS})


def _file(scope: Scope, *, what: str, separator: str, **_: Any) -> StreamingHttpResponse:
    export_actions.note_export(scope=scope, what=what)
    found = [one for one in sheets.sheets(scope.part) if what in (*Format, one.name)]
    kind = Format.JSON if what == Format.JSON else Format.ZIP
    content = (
        export_file.as_json(scope) if kind == Format.JSON else export_file.as_zip(scope, found, separator)
    )
    name = f"{'records' if what in list(Format) else what}-{scope.part}-{timezone.localdate()}.{kind}"
    rows = sum(scope.rows(one.table).count() for one in found)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Rows": str(rows)}
    return StreamingHttpResponse(content, content_type=CONTENT_TYPES[kind], headers=headers)
