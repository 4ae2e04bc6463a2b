"""The number of the request on pages about errors: asked of the thread, so that it needs no context of a page."""

from django import template

from alliance.operations import request_number

register = template.Library()
register.simple_tag(request_number.number, name="request_number")
