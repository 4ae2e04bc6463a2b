"""Where things stand in the picture of a course; the chart on the page and the drawing for paper share it."""

from datetime import datetime

from alliance.measurement.scoring import points, scale_end
from sessions_app.dashboards.course_picture import CoursePicture, Stop, Tick

# Under the scale, in fortieths of it: a row each for low points, sessions without a rating, and talks; above it one
# for the words about the own level. The same for every client, so that two pictures can be compared.
LOW_POINTS, NOT_RATED, TALKS = -3.0, -6.5, -10.0
FLOOR, CEILING, WORDS_AT = -12.0, 47.5, 41.0
# Shares of the height, from below: up to here the lines, each with a strip for its name; above them the total.
LINES_UP_TO, TOTAL_FROM, NAME = 0.43, 0.45, 0.036
MANY = 60  # ratings from which points are small


def domain(place: int, of: int) -> tuple[float, float]:
    """Between which shares of the height the line at `place`, from 0, is drawn."""
    height = LINES_UP_TO / of
    top = LINES_UP_TO - place * height
    return round(top - height + 0.004, 4), round(top - NAME, 4)


def ticks_of_totals(course: CoursePicture) -> dict[float, str]:
    """{height in points: text} of the whole scale, always; the names of the rows, and of the cutoff, beside it."""
    top = course.instrument.total_maximum / 10
    ticks = {top * part / 4: scale_end(round(top * part * 10 / 4)) for part in range(5)}
    if course.cutoff is not None:
        cutoff = course.cutoff / 10
        ticks = {at: text for at, text in ticks.items() if abs(at - cutoff) > 2.4 * course.scale}
        ticks[cutoff] = f"cutoff {points(course.cutoff)}"
    rows = (
        (LOW_POINTS, "low point", bool(course.stretches)),
        (NOT_RATED, "no rating", any(stop.total is None for stop in course.stops)),
        (TALKS, "talks", bool(course.ticks)),
    )
    return ticks | {at * course.scale: text for at, text, is_there in rows if is_there}


def last_values(course: CoursePicture) -> list[tuple[int, int]]:
    """The last value, in tenths, of the total (1) and of each line (from 2 on), as far as there is one."""
    found = [(1, stop.total) for stop in course.rated[-1:] if stop.total is not None]
    for place, (line, _) in enumerate(course.lines, start=2):
        values = (stop.marks.get(line) for stop in reversed(course.stops))
        value = next((one for one in values if one is not None), None)
        found += [] if value is None else [(place, value)]
    return found


def changes(course: CoursePicture) -> list[tuple[datetime, str]]:
    """Where another form begins, half-way from the session before, and its name."""
    pairs = zip(course.stops, course.stops[1:], strict=False)
    return [
        (one.at + (other.at - one.at) / 2, other.begins_form) for one, other in pairs if other.begins_form
    ]


def share(course: CoursePicture, at: datetime) -> float:
    """How far along the time axis a moment is, from 0 to 1."""
    return (at - course.first) / (course.last - course.first)


def usual_label(course: CoursePicture) -> Stop | None:
    """At which session the words "usual range" begin, under its lower end: the first at which they hide nothing."""
    words = [(stop, stop.total - 45) for stop in course.labelled() if stop.total is not None]
    things = [*((stop, stop.total) for stop in course.rated if stop.total is not None), *words]
    for stop in course.stops:
        if stop.usual is None or stop.usual.lower <= 60 or share(course, stop.at) > 0.85:
            continue
        place, height = share(course, stop.at), stop.usual.lower - 20
        near = [at for other, at in things if -0.09 < share(course, other.at) - place < 0.16]
        if all(abs(at - height) > 32 for at in near):
            return stop
    return None


def talk_groups(course: CoursePicture, width: float, apart: float) -> list[tuple[datetime, str]]:
    """When and with which number each talk is drawn; those that would lie over each other as one: "4–6"."""
    groups: list[list[Tick]] = []
    for tick in course.ticks:
        if groups and (share(course, tick.at) - share(course, groups[-1][0].at)) * width < apart:
            groups[-1].append(tick)
        else:
            groups.append([tick])
    return [(one[0].at, _numbers(one)) for one in groups]


def _numbers(ticks: list[Tick]) -> str:
    first, last = ticks[0].number, ticks[-1].number
    return str(first) if first == last else f"{first}–{last}"


def side(course: CoursePicture, at: datetime) -> str:
    """On which side of a word its place is, so that the word stays inside."""
    along = share(course, at)
    return "left" if along < 0.2 else "right" if along > 0.8 else "center"
