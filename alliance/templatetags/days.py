from django import template

from alliance import days

register = template.Library()
register.filter(days.day)
register.filter(days.near_day)
