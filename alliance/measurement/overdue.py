"""When a rating is overdue: 24 hours after its session, for flag rule G and for every page."""

from datetime import datetime, timedelta

OVERDUE_AFTER = timedelta(hours=24)  # clinical.md section 2, rule G


def overdue_from(ends_at: datetime) -> datetime:
    """The moment from which a rating of a session that ended then is overdue."""
    return ends_at + OVERDUE_AFTER
