"""Password or second factor once more, before what must not be done at an open screen."""

from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse

from alliance import refused_pages
from alliance.access import StaffRequest, View
from alliance.models import Role


def ask_again(view: View) -> View:
    """Ask for password or second factor again where it was last asked again over five minutes ago.

    The sign-in does not count for allauth: the first such page of a session always asks. It resumes what
    it interrupted by calling the view itself, past the page rules. An administrator who lost that role
    meanwhile is therefore refused here once more.
    """
    asking = reauthentication_required(view)

    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_any_role(frozenset({Role.ADMINISTRATOR})):
            return refused_pages.for_others(request, [Role.ADMINISTRATOR])
        answer: HttpResponse = asking(request, *args, **kwargs)
        return answer

    return guarded
