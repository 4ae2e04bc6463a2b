"""What every page with a form does: write, or say on the form why not."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from alliance import stale_forms
from alliance.access import StaffRequest
from alliance.refused import Refused


def posted(request: StaffRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def written(form: forms.BaseForm, action: Callable[..., Any], **more: Any) -> Any:
    """What `action` made of the form; None where the form is empty or invalid, or the action refused."""
    if not form.is_valid():
        return None
    try:
        return action(**form.cleaned_data, **more)
    except stale_forms.Stale as stale:
        stale_forms.show_both(form, stale)
    except Refused as refusal:
        form.add_error(None, str(refusal))
    return None


def form_page(request: StaffRequest, template: str, form: forms.BaseForm, **context: Any) -> HttpResponse:
    """The page with the form: 422 where something has to be put right, 409 where it is another meanwhile.

    With all that was typed.
    """
    status = 200
    if form.is_bound and form.errors:
        status = 409 if hasattr(form, "versions") else 422
    return render(request, template, {"form": form, **context}, status=status)
