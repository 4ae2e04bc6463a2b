"""The administrator's pages on which a clinic moves in: a file, how it is understood, what it would do, done."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from alliance.access import StaffRequest, page
from alliance.ask_again import ask_again, asked_first
from alliance.csv_file import BEGINS_A_FILE, as_rows
from alliance.form_pages import form_page, posted, written
from alliance.models import Role, User
from alliance.refused import Refused
from sessions_app.moving_in import import_actions, preview
from sessions_app.moving_in.columns import SHEETS, Kind
from sessions_app.moving_in.csv_file import Unreadable
from sessions_app.moving_in.forms import ColumnsForm, FileForm, LayoutForm
from sessions_app.moving_in.models import ImportRun
from sessions_app.moving_in.streamed_page import Step, streamed
from sessions_app.moving_in.walk import REMARKS_SHOWN, Tally, importer_of, walk

PER_PAGE = 20


@require_safe
@page(Role.ADMINISTRATOR)
def listing(request: StaffRequest) -> HttpResponse:
    runs = Paginator(ImportRun.objects.select_related("made_by", "imported_by"), PER_PAGE)
    context = {"sheets": SHEETS.values(), "runs": runs.get_page(request.GET.get("page"))}
    return render(request, "import/list.html", context)


@require_safe
@page(Role.ADMINISTRATOR)
def example(request: StaffRequest) -> HttpResponse:
    """A file with the headings and two rows of invented people."""
    kind = request.GET.get("kind", "")
    if kind not in {one.value for one in Kind}:
        raise Http404
    sheet = SHEETS[Kind(kind)]
    rows = as_rows([[column.label for column in sheet.columns], *sheet.example])
    headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"'}
    return HttpResponse([BEGINS_A_FILE, *rows], content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)
def load(request: StaffRequest) -> HttpResponse:
    """Asked before the file is chosen: a file cannot be kept while it is asked who is there."""
    if question := asked_first(request):
        return question
    kind = request.GET.get("kind", "")
    form = FileForm(posted(request), request.FILES or None, initial={"kind": kind})
    if form.is_valid():
        import_actions.remove_past()
        file = form.cleaned_data["file"]
        try:
            run = import_actions.load_file(
                kind=form.cleaned_data["kind"], file=file.file, name=file.name, by=request.user
            )
            return redirect("import:run", run.code)
        except Refused as refusal:
            form.add_error("file", str(refusal))
    return form_page(request, "import/load.html", form)


@require_safe
@page(Role.ADMINISTRATOR)
def run(request: StaffRequest, code: UUID) -> HttpResponse:
    """Where one file stands: its columns, what the check found, or what was imported."""
    one = get_object_or_404(ImportRun.objects.select_related("made_by", "imported_by"), code=code)
    if one.is_imported or not one.has_file:
        return render(request, "import/over.html", {"run": one})
    if one.is_checked:
        return render(request, "import/checked.html", {"run": one, "shown": REMARKS_SHOWN})
    return redirect("import:columns", one.code)


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.ADMINISTRATOR)  # type: ignore[arg-type]  # a stream is an answer too
def columns(request: StaffRequest, code: UUID) -> HttpResponseBase:
    """How the file is understood; the check follows at once."""
    one = get_object_or_404(ImportRun, code=code)
    if one.is_imported or not one.has_file:
        return redirect("import:run", one.code)
    try:
        shown = preview.read(one)
    except Unreadable as error:
        shown = preview.Preview([], [])
        messages.error(request, str(error))
    form = ColumnsForm(posted(request), run=one, header=shown.header)
    if chosen := written(form, import_actions.choose_columns, run=one):
        return _checking(request, chosen)
    context = {"run": one, "preview": shown, "layout": LayoutForm(run=one)}
    return form_page(request, "import/columns.html", form, **context)


@require_POST
@page(Role.ADMINISTRATOR)
def layout(request: StaffRequest, code: UUID) -> HttpResponse:
    """Read the file otherwise than it was found out."""
    one = get_object_or_404(ImportRun, code=code)
    form = LayoutForm(request.POST, run=one)
    if not written(form, import_actions.read_otherwise, run=one):
        for sentences in form.errors.values():
            messages.error(request, " ".join(map(str, sentences)))
    return redirect("import:columns", one.code)


@require_POST
@page(Role.ADMINISTRATOR)  # type: ignore[arg-type]  # a stream is an answer too
def check(request: StaffRequest, code: UUID) -> HttpResponseBase:
    return _checking(request, get_object_or_404(ImportRun, code=code))


def _checking(request: StaffRequest, one: ImportRun) -> StreamingHttpResponse:
    steps = (
        Step(tally.rows, one.lines, f"{_rows(tally)} looked at")
        for tally in import_actions.check(run=one, by=request.user)
    )
    context = {"run": one, "title": "Checking the file", "says": "Nothing is imported yet."}
    return streamed(request, "import/working.html", context, steps, reverse("import:run", args=[one.code]))


@require_POST
@page(Role.ADMINISTRATOR)
@ask_again  # type: ignore[arg-type]  # a stream is an answer too
def confirm(request: StaffRequest, code: UUID) -> HttpResponseBase:
    """Import everything, or nothing."""
    one = get_object_or_404(ImportRun, code=code)

    def steps() -> Iterator[Step]:
        for step in import_actions.import_file(run=one, by=request.user):
            rows = _rows(step.tally)
            words = f"{rows} written. Working out the courses" if step.tally.finishing else f"{rows} written"
            yield Step(step.tally.rows, one.lines, words)

    context = {
        "run": one,
        "title": "Importing",
        "says": "All of it is stored, or nothing. Keep this page open until it is done: leaving it ends the import.",
    }
    return streamed(request, "import/working.html", context, steps(), reverse("import:run", args=[one.code]))


def _rows(tally: Tally) -> str:
    return f"{tally.rows:,} row{pluralize(tally.rows)}"


@require_safe
@page(Role.ADMINISTRATOR)  # type: ignore[arg-type]  # a stream is an answer too
def remarks(request: StaffRequest, code: UUID) -> HttpResponseBase:
    """All that is wrong, as a file: the check once more, for only the first remarks are kept."""
    one = get_object_or_404(ImportRun, code=code)
    if not one.is_checked:
        return redirect("import:run", one.code)
    headers = {"Content-Disposition": f'attachment; filename="rows-to-put-right-{one.kind}.csv"'}
    return StreamingHttpResponse(
        _as_csv(one, request.user), content_type="text/csv; charset=utf-8", headers=headers
    )


def _as_csv(one: ImportRun, by: User) -> Iterator[str]:
    source = import_actions.source_of(one)
    importer = importer_of(source, import_actions.context_of(one, source, by))
    yield BEGINS_A_FILE
    yield from as_rows([("Row", "Column", "What to put right")])
    try:
        for tally in walk(source, importer, writes=False):
            yield from as_rows((found.row, found.column, found.sentence) for found in tally.latest)
    except Unreadable as error:  # the head is sent: what can still be said stands where the rows would
        yield from as_rows([("", "", str(error))])


@require_POST
@page(Role.ADMINISTRATOR)
def remove(request: StaffRequest, code: UUID) -> HttpResponse:
    one = get_object_or_404(ImportRun, code=code)
    try:
        import_actions.remove_file(run=one, by=request.user)
        messages.success(request, f"{one.file_name} is removed. Nothing of it was imported.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("import:list")
