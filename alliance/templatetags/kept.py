from django import template

from alliance import kept_pieces

register = template.Library()
register.simple_tag(kept_pieces.kept)
