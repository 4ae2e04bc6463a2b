"""The whole record of one client, by the therapist who treats them."""

from uuid import UUID

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from alliance.access import StaffRequest, page
from alliance.ask_again import asked_first
from alliance.erasures import Erasure
from alliance.models import Role
from clients.models import Client, Episode
from sessions_app.records import client_record, export_actions

SHAPES = {"page", "json"}


@require_http_methods(["GET", "HEAD", "POST"])
@page(Role.THERAPIST)
def client(request: StaffRequest, code: UUID) -> HttpResponse:
    """The page that makes it; its answer is the record to print, or the file."""
    episodes = Episode.objects.own(request.user)
    one = Client.objects.filter(episodes__in=episodes, code=code).distinct().first()
    if one is None:
        raise Http404
    shape = request.POST.get("shape")
    if request.method != "POST" or shape not in SHAPES:
        erasure = Erasure.objects.open().filter(client=code).first()
        return render(request, "records/client.html", {"client": one, "erasure": erasure})
    if question := asked_first(request):
        return question
    export_actions.note_record(client=one, what=shape, by=request.user)
    record = client_record.read(one, request.user)
    if shape == "page":
        return render(request, "records/record.html", {"client": one, "record": record})
    name = f"record-{timezone.localdate()}.json"
    return JsonResponse(
        record.as_json(),
        json_dumps_params={"ensure_ascii": False, "indent": 1},
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
