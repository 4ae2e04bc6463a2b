"""The rows of the plan as sentences that anybody in the office understands."""

from collections.abc import Iterable, Mapping, Sequence

from alliance.measurement.form_plan import Frequency, Moment, Timing
from alliance.models import User
from clients.models import AgeBand
from sessions_app.courses.raters import Rater
from sessions_app.plans.models import ForWhom, PlannedForm
from sessions_app.plans.which_forms import DueForm, FormsOfSession

AGES = {
    "": "client",
    AgeBand.ADULT: "adult client",
    AgeBand.ADOLESCENT: "client from 13 to 17",
    AgeBand.CHILD: "child from 6 to 12",
    AgeBand.YOUNG_CHILD: "child up to 5",
}
RATERS = {Rater.THERAPIST: "the therapist", Rater.CAREGIVER: "a caregiver", Rater.OBSERVER: "an observer"}


def sentence(row: PlannedForm, people: Mapping[str, str]) -> str:
    """As "Every adult client: Life lines at the start of each session." people: {code: name} of who is named."""
    return f"{whom(row, people)}: {what(row)}."


def whom(row: PlannedForm, people: Mapping[str, str]) -> str:
    if row.for_whom == ForWhom.COURSE:
        return "This client"
    of = ""
    if row.for_whom == ForWhom.THERAPISTS:
        of = f" of {listed([people.get(one, 'somebody no longer listed') for one in row.therapists])}"
    elif row.for_whom == ForWhom.TEAM:
        of = f" in the team of {people.get(str(row.supervisor_id), 'somebody no longer listed')}"
    return f"Every {AGES[row.age_band]}{of}"


def what(row: PlannedForm) -> str:
    """As "Life lines at the start of each session"."""
    name = row.form.name
    if row.is_off:
        return f"{name} is not given"
    if row.is_rating:
        return f"sessions are rated on {name}"
    by = RATERS.get(Rater(row.rater), "")
    filled_in = f", filled in by {by}," if by else ""
    return f"{name}{filled_in} {when(row.timing)}"


def when(timing: Timing) -> str:
    """As "at the end of sessions 3 and 9"."""
    if timing.moment == Moment.INTAKE:
        return "once, before or at the first session"
    if timing.moment == Moment.ENDING:
        return "at the last session, when the course ends"
    at = f"at the {'start' if timing.moment == Moment.START else 'end'} of"
    match timing.frequency:
        case Frequency.SESSIONS:
            return f"{at} every {nth(timing.every)} session"
        case Frequency.WEEKS:
            every = "every week" if timing.every == 1 else f"every {timing.every} weeks"
            return f"{every}, {at} a session"
        case Frequency.CHOSEN:
            numbers = listed([str(one) for one in timing.numbers])
            return f"{at} session{'s' if len(timing.numbers) > 1 else ''} {numbers}"
        case Frequency.ONCE:
            return f"once, {at} the next session"
    return f"{at} each session"


def asked_for(forms: FormsOfSession, *, rating: bool = False) -> str:
    """As "start: Life lines; end: session rating, GAD-7; due: WAI-SR (since session 3)". rating: that is to come."""
    at_the_end = [_named(one) for one in forms.at_the_end]
    if rating and at_the_end:
        at_the_end.insert(0, "session rating")
    parts = {
        "start": [_named(one) for one in forms.at_the_start],
        "end": at_the_end,
        "due": [f"{_named(one)} (since session {one.since})" for one in forms.late],
    }
    return "; ".join(f"{when}: {', '.join(names)}" for when, names in parts.items() if names)


def _named(one: DueForm) -> str:
    name = one.instrument.name + (" (invented words)" if one.is_invented else "")
    if one.is_out:
        return f"{name} (given out)"
    return f"{name} (cannot be given: {one.obstacle.rstrip('.')})" if one.obstacle else name


def nth(number: int) -> str:
    """As "second", "third", "4th", "21st"."""
    words = {2: "second", 3: "third"}
    if number in words:
        return words[number]
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def listed(names: Sequence[str]) -> str:
    """As "a", "a and b", "a, b and c"."""
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def people_in(rows: Iterable[PlannedForm]) -> dict[str, str]:
    """{code: name} of everybody the rows name; one query, or none where they name nobody."""
    rows = list(rows)
    codes = {code for row in rows for code in row.therapists}
    codes |= {str(row.supervisor_id) for row in rows if row.supervisor_id}
    if not codes:
        return {}
    return {str(person.pk): str(person) for person in User.objects.filter(pk__in=codes)}
