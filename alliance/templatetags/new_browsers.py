"""Where a person signed in on a browser that was new to them, for their list of sessions."""

from typing import Any

from django import template

from alliance.new_browsers import lately

register = template.Library()


@register.inclusion_tag("account/_new_browsers.html", takes_context=True)
def new_browsers(context: dict[str, Any]) -> dict[str, Any]:
    return {"new_browsers": lately(context["user"])}
