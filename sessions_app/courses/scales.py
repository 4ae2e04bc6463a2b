"""Which forms stand in for each other, and which ratings may be compared."""

from alliance.measurement import instruments

# The scales of which a session has one rating at most, whichever the clinic uses.
SESSION_SCALES = instruments.session_scale_ids()


def rivals_of(instrument: str) -> tuple[str, ...]:
    """The instruments of which a session has one rating together: all alliance scales, or just this one."""
    return tuple(SESSION_SCALES) if instrument in SESSION_SCALES else (instrument,)


def series_of(instrument: str, version: str, edition: str | None) -> str:
    """Which ratings may be compared with each other (`CourseSession.series`); edition: of the wording, if any."""
    return f"{instrument}/{version}/{edition or ''}"
