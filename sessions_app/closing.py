"""The closing moment: whether the client's own marks of today are shown once, to be looked at together.

Marks and nothing else: no total, no flag, no earlier session. They stand in the one answer in which the
grant leaves the browser, so that nothing of them has to be kept anywhere; every later answer is thanks.
"""

from alliance.tablet import PAIRED, TABLET, Lock
from sessions_app.models import ClinicSettings, Closing, RatingGrant

SECONDS = 120  # then the page leaves by itself, with scripts and without
ON_DEVICES_OF_THE_CLINIC = (TABLET, PAIRED)


def shows_marks(lock: Lock, grant: RatingGrant, *, just_now: bool) -> bool:
    """`lock`: the browser as it came. Marks that were kept aside are no rating, and are not shown as one.

    just_now: the client handed in a moment ago. Marks that waited for a connection arrive when somebody
    else may hold the tablet.
    """
    if not just_now or lock.channel not in ON_DEVICES_OF_THE_CLINIC:
        return False
    if not hasattr(grant, "rating") or grant.rating.is_blank:
        return False
    return ClinicSettings.objects.in_force().closing == Closing.MARKS
