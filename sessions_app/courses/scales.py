"""Which answers may be compared with each other."""


def series_of(instrument: str, version: str, edition: str | None) -> str:
    """Which ratings may be compared with each other (`CourseSession.series`); edition: of the wording, if any."""
    return f"{instrument}/{version}/{edition or ''}"
