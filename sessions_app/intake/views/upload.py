"""Where devices deliver sealed marks. The permission inside the seal is all the authority there is.

No cookie is read, so no cookie can be abused: this is the one view without a CSRF token. What it takes,
it can only write. The reply tells the device whether it may forget its copy: only `"stored": true` does.
"""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alliance.access import PUBLIC, page
from alliance.operations import metrics
from alliance.refused import Gone
from sessions_app.courses.models import SetAsideRating
from sessions_app.intake import deliveries, sealed_upload
from sessions_app.intake.rate_forms import RatingForm
from sessions_app.intake.record_rating import NotStored, TooManySetAside
from sessions_app.intake.sealed_upload import Delivery

REASONS = SetAsideRating.Reason
NOWHERE = (
    "erased"  # in place of the hash of what is stored; old pages forget only where something stands there
)
# The reply table of docs/adr/0009: every other status means "keep it and try again".
# Signed by us, and of a client who was erased since: the device is to forget what nobody may have any more.
ERASED = 410
TOO_MANY = 429
STATUS = {REASONS.DISPUTED: 409, REASONS.WITHDRAWN: 410, REASONS.LATE: 410, REASONS.INVALID: 422}


@csrf_exempt
@require_POST
@page(PUBLIC)
def upload(request: HttpRequest) -> JsonResponse:
    if not _from_our_own_page(request):
        return _keep(403, "This did not come from a page of this site.")
    try:
        delivery = sealed_upload.read(request.body)
        with translation.override("en"):
            return _stored(delivery)
    except RequestDataTooBig:
        return _keep(413, "This is too large to be a rating.")
    except sealed_upload.CannotOpen:
        return _keep(401, "This cannot be opened here.")
    except sealed_upload.Unreadable as error:
        return _keep(400, str(error))
    except TooManySetAside:
        return _keep(TOO_MANY, "Too many different marks arrived for this session.")


def _from_our_own_page(request: HttpRequest) -> bool:
    """Browsers name where a POST began. One too old for Sec-Fetch-Site names the origin at least."""
    ours = f"{request.scheme}://{request.get_host()}"
    return (
        request.headers.get("Origin") == ours
        and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    )


def _stored(delivery: Delivery) -> JsonResponse:
    grant = sealed_upload.grant_of(delivery.token)
    if grant is None and sealed_upload.is_of_an_erased_client(delivery.token):
        return _forget(ERASED, NOWHERE, delivery)
    if grant is None:
        return _keep(401, "No form was handed over with this token.")
    came: dict[str, Any] = {"delivery": delivery.id, "claimed_at": delivery.claimed_at}
    form = RatingForm(delivery.as_posted(), grant=grant, whole=True)
    try:
        if not form.is_valid():
            deliveries.keep_invalid(grant=grant, raw=delivery.marks, **came)
        rating = deliveries.record(grant=grant, **form.as_rating(), **came)
    except Gone:
        return _forget(ERASED, NOWHERE, delivery)
    except NotStored as kept:
        return _forget(STATUS[kept.reason], kept.sha256, delivery)
    return _forget(200 if rating.came_before else 201, rating.sha256, delivery)


def _forget(status: int, sha256: str, delivery: Delivery) -> JsonResponse:
    """`delivery` comes back so that a reply to another one, held up somewhere, frees nothing."""
    return JsonResponse({"stored": True, "sha256": sha256, "delivery": str(delivery.id)}, status=status)


def _keep(status: int, reason: str) -> JsonResponse:
    if status != TOO_MANY:  # counted where it was refused
        metrics.marks_refused(metrics.UNKNOWN)
    return JsonResponse({"stored": False, "reason": reason}, status=status)
