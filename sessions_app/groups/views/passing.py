"""The page between two people where a tablet goes round. It knows nobody: no name, no group, not how many.

It looks the same for whoever comes next, and after the last; only the first person is not asked to pass it on. Whoever
types a number finds the form that waits for it, or one sentence that says the same of every other number.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from alliance import device_lock
from alliance.access import CLIENT, page
from alliance.see_other import see_other
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.tokens import hash_of_token
from sessions_app.groups import round_actions
from sessions_app.groups.models import TabletRound
from sessions_app.instruments import client_form

WRONG = "wrong_numbers"
MOST_WRONG = 10  # of one person: then a leader has to look


@require_http_methods(["GET", "HEAD", "POST"])
@page(CLIENT)
def next_person(request: HttpRequest) -> HttpResponse:
    lock = device_lock.lock_of(request)
    if lock is None or not lock.passed:
        return see_other("rate:form")
    if _is_being_marked(lock.token):
        return see_other("rate:form")
    with translation.override(translation.get_language_from_request(request)):
        of = TabletRound.objects.filter(code=UUID(lock.passed), open_until__gt=timezone.now()).first()
        if of is None or request.session.get(WRONG, 0) >= MOST_WRONG:
            return render(request, "pass/over.html", status=410)
        # Whoever has just handed in reads it here: no other page comes between.
        context = {"urgent_help": client_form.in_force().urgent_help(translation.get_language() or "")}
        if request.method != "POST":
            return render(request, "pass/next.html", context)
        typed = "".join(request.POST.get("number", "").split())
        number = int(typed) if typed.isdecimal() and len(typed) <= 4 else 0
        if token := round_actions.open_form(of=of, number=number):
            device_lock.pass_on(request, token=token)
            return see_other("rate:form")
        request.session[WRONG] = request.session.get(WRONG, 0) + 1
        error = _("No form waits for this number. Look at your number again, or ask your therapist.")
        return render(request, "pass/next.html", {**context, "error": error}, status=422)


def _is_being_marked(token: str) -> bool:
    """Whether somebody has their form open on this browser: it goes on, and is not left for the next person."""
    if not token:
        return False
    grant = RatingGrant.every.filter(token_hash=hash_of_token(token)).first()
    return grant is not None and grant.can_be_finished(timezone.now())
