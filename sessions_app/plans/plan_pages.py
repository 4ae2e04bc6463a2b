"""What the pages about the plan show: sentences, what stands in their way, who said so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from alliance.measurement.form_plan import Moment
from alliance.measurement.instruments import Instrument
from clients.models import AgeBand, Episode
from sessions_app.plans import can_be_given, plan_words, the_plan
from sessions_app.plans.models import PlannedForm
from sessions_app.plans.which_forms import length

YEARS = {
    AgeBand.ADULT: (18, 120),
    AgeBand.ADOLESCENT: (13, 17),
    AgeBand.CHILD: (6, 12),
    AgeBand.YOUNG_CHILD: (0, 5),
}
GROUPS = (
    ("Session rating", (Moment.RATING,)),
    ("Before or at the first session", (Moment.INTAKE,)),
    ("At the start of a session", (Moment.START,)),
    ("At the end of a session", (Moment.END,)),
    ("When the course ends", (Moment.ENDING,)),
)
FORMER_AT_ONCE = 20


@dataclass(frozen=True)
class Line:
    """One row of the plan in words; cautions: why it cannot be given today, or is not made for these clients."""

    row: PlannedForm
    sentence: str
    cautions: list[str]


def lines(rows: Iterable[PlannedForm], today: date) -> list[Line]:
    """One query each for all names, ages and invented words, and at most two for each form that is not ours."""
    rows = list(rows)
    people = plan_words.people_in(rows)
    ages = _ages_of_therapists() if any(not row.age_band for row in rows) else {}
    teams = the_plan.of_rows(rows).teams
    licensed = any(row.form.licence == "licensed" for row in rows)
    invented = can_be_given.in_invented_words() if licensed else set()
    known: dict[str, str] = {}
    found = []
    for row in rows:
        if row.instrument not in known:
            known[row.instrument] = can_be_given.obstacle(row.form, today)
        said = cautions(row, known[row.instrument])
        if row.instrument in invented:
            said.append(f"The words of {row.form.name} are invented, for a try-out: give them to no client.")
        if not (row.age_band or row.is_off or row.is_rating or row.ended_at):
            said += _of_other_ages(row, ages, teams)
        found.append(Line(row, plan_words.sentence(row, people), said))
    return found


Ages = dict[str, set[str]]  # {therapist: the ages of the clients who are in therapy with them}


def _ages_of_therapists() -> Ages:
    found: Ages = {}
    rows = Episode.objects.filter(closed_on__isnull=True).order_by().distinct()
    for therapist, age_band in rows.values_list("therapist", "client__age_band"):
        found.setdefault(str(therapist), set()).add(age_band)
    return found


def _of_other_ages(row: PlannedForm, ages: Ages, teams: dict[str, set[str]]) -> list[str]:
    """A plan for any age asks those too for whom the form is not made."""
    meant = {
        band
        for therapist, bands in ages.items()
        for band in bands
        if row.whose.has(row.episode_id or 0, therapist, teams.get(therapist, set()), band)
    }
    others = [band for band in YEARS if band in meant and not is_made_for(row.form, band)]
    if not others:
        return []
    who = plan_words.listed([str(AgeBand(band).label) for band in others])
    return [
        f"{row.form.name} is made for ages {row.form.ages}, and this asks clients of {who} too. Choose an age."
    ]


def cautions(row: PlannedForm, obstacle: str) -> list[str]:
    found = []
    if obstacle:
        found.append(f"{obstacle} Until then it is not asked for on a device.")
    if row.age_band and not is_made_for(row.form, row.age_band):
        found.append(f"{row.form.name} is made for ages {row.form.ages}.")
    return found


def is_made_for(instrument: Instrument, age_band: str) -> bool:
    low, high = YEARS[AgeBand(age_band)]
    return (instrument.age_from or 0) <= high and low <= (instrument.age_to or 120)


def groups(found: list[Line]) -> list[tuple[str, list[Line]]]:
    """The lines under the moment of each, short forms first; empty groups are left out."""
    in_order = sorted(found, key=lambda line: (length(line.row.form), line.sentence))
    named = [(name, [line for line in in_order if line.row.moment in moments]) for name, moments in GROUPS]
    return [(name, inside) for name, inside in named if inside]


@dataclass(frozen=True)
class FormOfCourse:
    """One form of a client: by the plan, given otherwise, or not given. planned: what the clinic says of it."""

    instrument: Instrument
    rows: list[PlannedForm]
    planned: list[PlannedForm]

    @property
    def chosen(self) -> PlannedForm | None:
        """The row of this course, where it has one of its own."""
        return next((row for row in self.rows if row.episode_id), None)

    @property
    def is_off(self) -> bool:
        return any(row.is_off for row in self.rows)

    @property
    def when(self) -> str:
        return plan_words.listed([plan_words.when(row.timing) for row in self.rows if not row.is_off])

    @property
    def would_be(self) -> str:
        """What the clinic plans instead; empty where it plans nothing of this form."""
        return plan_words.listed([plan_words.when(row.timing) for row in self.planned])


def forms_of_course(episode: Episode) -> list[FormOfCourse]:
    """Every questionnaire that is planned for this client, or was and is not given; two queries at most."""
    plan = the_plan.standing([episode.pk])
    holding = [row for row in plan.of(episode) if not row.is_rating]
    left_out = plan.left_out(episode)
    forms = sorted({row.instrument: row.form for row in holding}.values(), key=length)
    return [
        FormOfCourse(
            form,
            [row for row in holding if row.instrument == form.id],
            [row for row in left_out if row.instrument == form.id],
        )
        for form in forms
    ]


def scale_of_course(episode: Episode) -> PlannedForm | None:
    return the_plan.standing([episode.pk]).scale(episode)


def former_of_course(episode: Episode) -> list[PlannedForm]:
    """What was chosen in this course and holds no longer, the newest first."""
    rows = PlannedForm.objects.filter(episode=episode, ended_at__isnull=False)
    return list(rows.select_related("added_by", "ended_by").order_by("-ended_at", "-pk"))


def former_of_clinic() -> list[PlannedForm]:
    rows = PlannedForm.objects.of_the_clinic().filter(ended_at__isnull=False)
    rows = rows.select_related("added_by", "ended_by").order_by("-ended_at", "-pk")
    return list(rows[:FORMER_AT_ONCE])
