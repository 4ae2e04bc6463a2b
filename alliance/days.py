"""Days as people read them: with the year where it is another one than this year's."""

from datetime import date, datetime, time

from django.contrib.humanize.templatetags.humanize import naturalday
from django.utils import timezone
from django.utils.formats import date_format


def with_year(style: str, when: date, today: date | None = None) -> str:
    """The format `style`, which names day and month, with the year behind the month where `when` is of another one."""
    if "Y" in style or _day_of(when).year == (today or timezone.localdate()).year:
        return style
    place = max(style.rfind(month) for month in "FMmn")
    return f"{style[: place + 1]} Y{style[place + 1 :]}"


def day(when: date | None, style: str = "j M", today: date | None = None) -> str:
    """`when` as `style` writes it ("j F, H:i" has the time too), in the clinic's time zone."""
    if not when:
        return ""
    local = timezone.localtime(when) if isinstance(when, datetime) else when
    return date_format(local, with_year(style, local, today))


def near_day(when: date | None, style: str = "j M") -> str:
    """The same, but "today", "yesterday" or "tomorrow" where it is one of these."""
    if not when:
        return ""
    # Of a moment with its zone: without one, `naturalday` asks which day it is in the zone of the server.
    local = timezone.make_aware(datetime.combine(_day_of(when), time.min))
    return str(naturalday(local, with_year(style, when)) or "")


def _day_of(when: date) -> date:
    return timezone.localdate(when) if isinstance(when, datetime) else when
