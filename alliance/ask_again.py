"""Password or second factor once more, before what must not be done at an open screen."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse
from django.shortcuts import redirect

from alliance import refused_pages
from alliance.access import PageRule, StaffRequest, View


def ask_again(view: View) -> View:
    """Before a POST, ask for password or second factor again where it was last given over five minutes ago.

    A look at the page asks nothing. What was typed is kept in the session while it is asked, and then sent by
    allauth itself: it calls the view past the page rules. Whoever lost the role meanwhile is therefore refused
    here once more.
    """
    return _asking(view, lambda request: request.method == "POST")


def ask_again_to(step: str) -> Callable[[View], View]:
    """As `ask_again`, on a page whose other steps store nothing: only the button `step` asks.

    A file cannot be kept while it is asked; the step that stores has its content as text.
    """
    return lambda view: _asking(
        view, lambda request: request.method == "POST" and request.POST.get("step") == step
    )


def _asking(view: View, matters: Callable[[StaffRequest], bool]) -> View:
    asking = reauthentication_required(view)

    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rule: PageRule = guarded.page_rule  # type: ignore[attr-defined]  # declared above this
        if rule.roles and not request.user.has_any_role(rule.roles):
            return refused_pages.for_others(request, rule.roles)
        answer: HttpResponse = (asking if matters(request) else view)(request, *args, **kwargs)
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
