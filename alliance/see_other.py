"""Where a page leads: the answer to a POST that is asked for with GET, whatever the browser."""

from django.http import HttpResponse
from django.shortcuts import redirect


def see_other(name: str) -> HttpResponse:
    response = redirect(name)
    response.status_code = 303
    return response
