"""How long a form takes, as the client reads it before it is opened; from its definition.

The page that a link opens does not know which form it leads to: what would tell it stands in the fragment, which no
browser sends. So the link says the minutes, and nothing else of the form.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from alliance import languages
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from sessions_app.courses.grants import RatingGrant

MOST_MINUTES = 99


def of_link(grant: RatingGrant) -> str:
    """What the link to this form, and to all that are given with it, says of their length."""
    given = RatingGrant.every.of_the_set(grant).order_by("place_in_set")
    forms = given.values_list("instrument", "instrument_version")
    return address_part([instruments.get(*form) for form in forms])


def address_part(forms: Sequence[Instrument]) -> str:
    """What a link to these forms, one after the other, says of their length; empty where a session is rated alone."""
    if [form.use for form in forms] == ["session_alliance"]:
        return ""
    return "?" + urlencode({"minutes": sum(form.minutes for form in forms)})


def sentence(said: str) -> str:
    """How long it takes, by what the link says: nothing of a session rating, whose lines are known."""
    if said.isascii() and said.isdigit() and len(said) <= len(str(MOST_MINUTES)) and int(said):
        return about_minutes(int(said))
    ours = instruments.get(instruments.SESSION_RATING)
    if (len(ours.items), ours.minutes) == (4, 1):
        return _("Four lines, about one minute.")
    return about_minutes(ours.minutes)


def about_minutes(minutes: int) -> str:
    if minutes == 1:
        return _("About one minute.")
    return _("About %(minutes)s minutes.") % {"minutes": languages.digits(minutes)}
