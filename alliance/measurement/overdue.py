"""When a rating is overdue: 24 hours after its session, for flag rule G and every page; and when it is not rated."""

from datetime import datetime, timedelta

OVERDUE_AFTER = timedelta(hours=24)  # clinical.md section 2, rule G
# Memory of a session fades: after a week nobody marks four lines about it as they would have then. What the client
# wrote down or says can still be entered.
NOT_RATED_AFTER = timedelta(days=7)
STAYS_OVERDUE = NOT_RATED_AFTER - OVERDUE_AFTER


def overdue_from(ends_at: datetime) -> datetime:
    """The moment from which a rating of a session that ended then is overdue."""
    return ends_at + OVERDUE_AFTER


def not_rated_from(ends_at: datetime) -> datetime:
    """The moment from which that session is not rated: no page waits for its rating, and no form is handed over for it.

    Rule G and the process measures know only `overdue_from`: a gap stays a gap.
    """
    return ends_at + NOT_RATED_AFTER
