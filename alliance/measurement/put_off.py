"""When a client who was put off comes back to the work list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alliance.measurement.standing import Deferral, Visit

# Whoever has no further session must not be forgotten: a client is put off for four weeks at most.
LONGEST_PUT_OFF = timedelta(days=28)


def put_off_until(deferral: Deferral, visits: Iterable[Visit]) -> datetime:
    """The day of the next session on a later day than the decision, four weeks at most.

    A planned session counts, so that the client is on the list again while the therapist prepares.
    """
    days = [visit.day_begins for visit in visits if visit.comes and visit.day > deferral.day]
    return min([deferral.at + LONGEST_PUT_OFF, *days])
