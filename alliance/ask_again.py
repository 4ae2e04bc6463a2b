"""Password or second factor once more, before what must not be done at an open screen."""

from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse
from django.shortcuts import redirect, render

from alliance.access import PageRule, StaffRequest, View


def ask_again(view: View) -> View:
    """Ask for password or second factor again where it was last asked again over five minutes ago.

    The sign-in does not count for allauth: the first such page of a session always asks. It resumes what
    it interrupted by calling the view itself, past the page rules. Whoever lost the role meanwhile is
    therefore refused here once more.
    """
    asking = reauthentication_required(view)

    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rule: PageRule = guarded.page_rule  # type: ignore[attr-defined]  # declared above this
        if rule.roles and not request.user.has_any_role(rule.roles):
            roles = sorted(role.label.lower() for role in rule.roles)
            return render(request, "403.html", {"for_roles": roles}, status=403)
        answer: HttpResponse = asking(request, *args, **kwargs)
        return answer

    return guarded


def asked_first(request: StaffRequest) -> HttpResponse | None:
    """Where the answer to a POST is a file: the question, then the page again. None where nothing is to be asked.

    Sent by allauth after the question, the file would come while the browser still shows the question.
    """
    try:
        reauthentication_required(lambda request: None)(request)
    except ReauthenticationRequired:
        first = get_adapter().get_reauthentication_methods(request.user)[0]
        return redirect(f"{first['url']}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")
    return None
