"""The plan as it stands for some courses: which rows hold for each, read in one query, or two."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alliance.prepared import Prepared
from clients.models import Episode, Supervision
from sessions_app.plans.models import ForWhom, PlannedForm, PlannedFormQuerySet

NOT_STORED_YET = 2**63  # a row that is only looked at: it would be the newest


@dataclass(frozen=True)
class Plan:
    """Rows that stand, those of the clinic and those of single courses; teams: {therapist: who supervises them}."""

    rows: Sequence[PlannedForm]
    teams: dict[str, set[str]]

    def questionnaires(self, episode: Episode) -> list[PlannedForm]:
        """What is given in this course beside the session rating: its own rows in the place of the clinic's."""
        return [row for row in self.of(episode) if not row.is_rating and not row.is_off]

    def of(self, episode: Episode) -> list[PlannedForm]:
        """All rows that hold for this course; those which say that a form is switched off are among them."""
        meant = [row for row in self.rows if self._is_meant(row, episode)]
        own = {row.instrument for row in meant if row.episode_id and not row.is_rating}
        return [row for row in meant if row.episode_id or row.is_rating or row.instrument not in own]

    def left_out(self, episode: Episode) -> list[PlannedForm]:
        """Rows of the clinic that would hold, and in whose place the course has one of its own."""
        holding = {row.pk for row in self.of(episode)}
        return [row for row in self.rows if self._is_meant(row, episode) and row.pk not in holding]

    def scale(self, episode: Episode) -> PlannedForm | None:
        """On which scale this course is rated: the closest row, then the newest. None: on that of the clinic."""
        meant = [row for row in self.rows if row.is_rating and self._is_meant(row, episode)]
        return max(meant, key=lambda row: (row.whose.place, row.pk or NOT_STORED_YET), default=None)

    def _is_meant(self, row: PlannedForm, episode: Episode) -> bool:
        therapist = str(episode.therapist_id)
        # Asked of the client only where it matters: the row of the episode may have come without.
        age_band = episode.client.age_band if row.age_band else ""
        return row.whose.has(episode.pk, therapist, self.teams.get(therapist, set()), age_band)


def of_rows(rows: Iterable[PlannedForm]) -> Plan:
    """One query more where a row is about a team."""
    rows = list(rows)
    return Plan(rows, _teams() if any(row.for_whom == ForWhom.TEAM for row in rows) else {})


def standing(episodes: Iterable[int]) -> Plan:
    """The plan of today for these courses; one query where nothing is planned."""
    return of_rows(PlannedForm.objects.standing().about(list(episodes)))


def _standing_for(episode: int) -> PlannedFormQuerySet:
    return PlannedForm.objects.standing().about([episode])


_STANDING_FOR = Prepared(_standing_for, episode=int)


def standing_for(episode: int) -> Plan:
    """As `standing`, for one course."""
    return of_rows(_STANDING_FOR.rows(episode=episode))


def is_used(episode: Episode) -> bool:
    """Whether anything is planned at all: a clinic that plans nothing is shown nothing of it."""
    return PlannedForm.objects.standing().about([episode.pk]).exists()


def _teams() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for therapist, supervisor in Supervision.objects.today().values_list("therapist", "supervisor"):
        found[str(therapist)].add(str(supervisor))
    return dict(found)
