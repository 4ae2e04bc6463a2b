"""What is true of a form as a whole: how long it is, which of several it is, how long its page waits."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from alliance import languages
from alliance.device_lock import PHONE
from alliance.measurement import instruments
from alliance.measurement.instruments import Instrument
from sessions_app.courses.grants import Purpose, RatingGrant
from sessions_app.courses.raters import Rater
from sessions_app.instruments.clinic_wording import ClinicWording
from sessions_app.intake.form_length import about_minutes

CAREGIVERS = "caregiver-session-rating"
OLDEST_CHILD = 12
IDLE_SECONDS, IDLE_AT_MOST = 300, 900
IDLE_ON_A_PHONE = 1800  # a device that nobody else is given, where a long form may wait for a while


def idle_seconds(instrument: Instrument, channel: str) -> int:
    """After how many seconds without a touch what was marked is cleared, so that the next person reads nothing."""
    if instrument.minutes > 1 and channel == PHONE:
        return IDLE_ON_A_PHONE
    return min(IDLE_SECONDS + 60 * (instrument.minutes - 1), IDLE_AT_MOST)


def questionnaires_are_used() -> bool:
    """Whether this clinic gives any; where it does not, no page speaks of them."""
    if RatingGrant.every.filter(purpose=Purpose.QUESTIONNAIRE).exists():
        return True
    named = [one.id for one in instruments.questionnaires()]
    return ClinicWording.objects.switched_on().filter(instrument__in=named).exists()


def is_for_a_child(instrument: Instrument) -> bool:
    """Whether a child fills it in: then all that stands around the questions is said as to a child."""
    return (
        instrument.age_to is not None
        and instrument.age_to <= OLDEST_CHILD
        and instrument.raters[0] == Rater.CLIENT
    )


def cleared_after_said(seconds: int) -> str:
    minutes = {"minutes": languages.digits(seconds // 60)}
    return _("After %(minutes)s minutes without a touch they are cleared.") % minutes


def has_comment(instrument: Instrument) -> bool:
    """Whether a sentence of one's own is asked for: after a session, not in somebody's questionnaire.

    A caregiver, who is not in the session, is asked for one on our own lines about the last weeks.
    """
    return instrument.use == "session_alliance" or instrument.id == CAREGIVERS


def length_said(instrument: Instrument) -> str:
    count = _("Questions: %(count)s.") % {"count": languages.digits(len(instrument.items))}
    return f"{count} {about_minutes(instrument.minutes)}"


def place_of(grant: RatingGrant) -> tuple[int, int]:
    """Which of how many forms that are given together this is; those that were taken back are none."""
    place, count = getattr(grant, "place_together", None), getattr(grant, "given_together", None)
    if place is None or count is None:
        places: Sequence[int] = RatingGrant.every.of_the_set(grant).still_given().places()
        place, count = sum(one <= grant.place_in_set for one in places), len(places)
    # Taken back itself, it is shown as a form that is no part of a set.
    return (place, count) if place else (1, 1)


def place_said(place: tuple[int, int]) -> str:
    """Which form this is, where several are given; else empty."""
    number, count = place
    if count == 1:
        return ""
    said = {"number": languages.digits(number), "last": languages.digits(count)}
    return _("Form %(number)s of %(last)s.") % said


def following_said(place: tuple[int, int]) -> str:
    """How many forms come after this one; empty where none does."""
    number, count = place
    if number == count:
        return ""
    if count - number == 1:
        return _("One more form follows.")
    return _("More forms follow: %(count)s.") % {"count": languages.digits(count - number)}
