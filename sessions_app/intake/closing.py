"""The closing moment: whether the client's own marks of today are shown once, to be looked at together.

Marks and nothing else: no total, no flag, no earlier session. They stand in the one answer in which the
grant leaves the browser, so that nothing of them has to be kept anywhere; every later answer is thanks.
"""

from datetime import timedelta

from django.utils import timezone

from alliance.device_lock import PAIRED, TABLET, DeviceLock
from sessions_app.courses.grants import RatingGrant
from sessions_app.instruments.clinic_settings import ClinicSettings, Closing

SECONDS = 120  # then the page leaves by itself, with scripts and without
JUST_NOW = timedelta(minutes=2)  # by the server's clock; later somebody else may hold the tablet
ON_DEVICES_OF_THE_CLINIC = (TABLET, PAIRED)


def shows_marks(lock: DeviceLock, grant: RatingGrant, *, delivery: str) -> bool:
    """`lock`: the browser as it came. Marks that were kept aside are no rating, and are not shown as one.

    `delivery`: which one the page says it made, empty where it says none. The address alone shows nothing
    to whoever types it, and soon nothing to whoever opens it again.
    """
    if lock.channel not in ON_DEVICES_OF_THE_CLINIC:
        return False
    if not hasattr(grant, "rating") or grant.rating.is_blank:
        return False
    rating = grant.rating
    is_its_client = lock.just_now or (rating.delivery is not None and delivery == str(rating.delivery))
    if not is_its_client or timezone.now() >= rating.received_at + JUST_NOW:
        return False
    return ClinicSettings.objects.in_force().closing == Closing.MARKS
