"""What somebody has to be told of, at the top of their first page."""

from typing import Any

from django import template

from clients import approval_pages

register = template.Library()


@register.inclusion_tag("approvals/_notices.html", takes_context=True)
def approval_notices(context: dict[str, Any]) -> dict[str, Any]:
    return {"notices": approval_pages.untold(context["user"])}
