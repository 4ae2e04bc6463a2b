"""What a page says of the range of a form, in points: from its definition, and never written into a page."""

from django import template

from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from alliance.measurement.scoring import scale_end

register = template.Library()


@register.simple_tag
def session_scale() -> Instrument:
    """The session rating: whatever rates a session has its lines on its range (`instruments.session_scales`)."""
    return instruments.get(instruments.SESSION_RATING)


@register.filter
def lowest_total(instrument: Instrument) -> str:
    return scale_end(instrument.total_minimum)


@register.filter
def highest_total(instrument: Instrument) -> str:
    return scale_end(instrument.total_maximum)


@register.filter
def lowest_mark(instrument: Instrument) -> str:
    return scale_end(min(item.minimum for item in instrument.items))


@register.filter
def highest_mark(instrument: Instrument) -> str:
    return scale_end(max(item.maximum for item in instrument.items))
