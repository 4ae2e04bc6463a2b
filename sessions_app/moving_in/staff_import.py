"""People and supervision from a file. There are few of them: each goes through the action of its page."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.models import Role, User
from clients import approved_staff, approved_supervision, sight
from clients.models import Episode, Supervision
from sessions_app.moving_in.rows import PersonRow, SupervisionRow
from sessions_app.moving_in.verdicts import Context, OnceOnly, Outcome, Verdict

ROLES_OF_FILES = (Role.THERAPIST, Role.SUPERVISOR)


def people_by_email(emails: Iterable[str]) -> dict[str, User]:
    return {person.email.lower(): person for person in User.objects.filter(email__in=set(emails) - {""})}


class PeopleImport:
    """An address that is here already is the same person.

    Roles are added and never taken away: who has open clients leaves them to somebody first, on the person's page.
    Administrators are made there too.
    """

    def __init__(self, context: Context) -> None:
        self.context, self.once = context, OnceOnly()
        self.episodes: set[int] = set()

    def judge(self, rows: Sequence[PersonRow]) -> list[Verdict]:
        here = people_by_email(row.email for row in rows)
        return [self._judged(row, here.get(row.email)) for row in rows]

    def _judged(self, row: PersonRow, person: User | None) -> Verdict:
        verdict = Verdict(row, found=person)
        if self.once.is_again(row.email):
            return verdict.wrong("E-mail address", f"{row.email} stands in the file twice.")
        if person is None:
            return verdict
        differs = [
            *([f"the name is “{person.name}” here"] if person.name != row.name else []),
            *([f"the roles are {_named(person)} here"] if row.roles - _held(person) else []),
        ]
        verdict.outcome = Outcome.CHANGED if differs else Outcome.SAME
        if differs and not self.context.update:
            verdict.wrong("", f"{row.email} is here already, and {' and '.join(differs)}.")
        return verdict

    def write(self, verdicts: Iterable[Verdict]) -> None:
        by = self.context.by
        for verdict in verdicts:
            row, person = verdict.row, verdict.found
            if verdict.outcome == Outcome.NEW:
                approved_staff.add_person(email=row.email, name=row.name, roles=set(row.roles), by=by)
            elif verdict.outcome == Outcome.CHANGED:
                approved_staff.change_person(
                    person=person,
                    name=row.name,
                    roles={*person.roles, *row.roles},
                    is_active=person.is_active,
                    by=by,
                )

    def finish(self) -> Iterator[None]:
        yield from ()


def _held(person: User) -> frozenset[Role]:
    return frozenset(role for role in person.roles if role in ROLES_OF_FILES)


def _named(person: User) -> str:
    return " and ".join(sorted(role.value for role in _held(person))) or "none"


class SupervisionImport:
    """The same two people from the same day are the same supervision."""

    def __init__(self, context: Context) -> None:
        self.context, self.once = context, OnceOnly()
        self.episodes: set[int] = set()
        self.of_file: dict[tuple[str, str], list[SupervisionRow]] = {}

    def judge(self, rows: Sequence[SupervisionRow]) -> list[Verdict]:
        people = people_by_email(email for row in rows for email in (row.supervisor, row.therapist))
        here: dict[tuple[str, str], list[Supervision]] = {}
        stored = Supervision.objects.filter(therapist__in=people.values()).select_related(
            "supervisor", "therapist"
        )
        for one in stored:
            here.setdefault((one.supervisor.email.lower(), one.therapist.email.lower()), []).append(one)
        return [self._judged(row, people, here.get((row.supervisor, row.therapist), [])) for row in rows]

    def _judged(self, row: SupervisionRow, people: dict[str, User], here: list[Supervision]) -> Verdict:
        verdict = Verdict(row, found=people)
        for column, email in (("Supervisor", row.supervisor), ("Therapist", row.therapist)):
            if email not in people:
                return verdict.wrong(
                    column, f"{email} is not on the list of people. Import the people first."
                )
        if not people[row.supervisor].is_supervisor:
            verdict.wrong("Supervisor", f"{row.supervisor} is not a supervisor.")
        if not people[row.therapist].is_therapist:
            verdict.wrong("Therapist", f"{row.therapist} is not a therapist.")
        if self.once.is_again(row.supervisor, row.therapist, row.starts_on):
            return verdict.wrong("", "This supervision stands in the file twice.")
        same = next((one for one in here if one.starts_on == row.starts_on), None)
        if same is not None:
            verdict.outcome = Outcome.SAME if verdict.outcome == Outcome.NEW else verdict.outcome
            if same.ends_on != row.ends_on:
                until = f"until {same.ends_on:%-d %B %Y}" if same.ends_on else "in force without a last day"
                verdict.wrong("To", f"This supervision is here {until}. Change it on its page.")
            return verdict
        others = self.of_file.setdefault((row.supervisor, row.therapist), [])
        if any(_overlap(row, one) for one in here) or any(_overlap(row, one) for one in others):
            verdict.wrong(
                "From", f"{row.supervisor} supervises {row.therapist} already on some of these days."
            )
        others.append(row)
        return verdict

    def write(self, verdicts: Iterable[Verdict]) -> None:
        """Past `start_supervision`, which begins none for a supervisor who has left; earlier years may have them."""
        for verdict in verdicts:
            if verdict.outcome != Outcome.NEW:
                continue
            row, people = verdict.row, verdict.found
            if self._opens(row, people[row.supervisor], people[row.therapist]):
                approved_supervision.start_supervision(
                    supervisor=people[row.supervisor],
                    therapist=people[row.therapist],
                    starts_on=row.starts_on,
                    ends_on=row.ends_on,
                    by=self.context.by,
                )
                continue
            made = Supervision.objects.create(
                supervisor=people[row.supervisor],
                therapist=people[row.therapist],
                starts_on=row.starts_on,
                ends_on=row.ends_on,
            )
            by = self.context.by
            about = {"supervisor": str(made.supervisor_id), "therapist": str(made.therapist_id)}
            audit.record(
                LogEvent.SUPERVISION_STARTED, made, by=by, client=None, **about, **self.context.of_run
            )
            if made.ends_on:
                about["last_day"] = made.ends_on.isoformat()
                audit.record(
                    LogEvent.SUPERVISION_ENDED, made, by=by, client=None, **about, **self.context.of_run
                )

    def _opens(self, row: SupervisionRow, supervisor: User, therapist: User) -> bool:
        """Whether it is in force now or to come, for somebody who may sign in, over a therapist with marks."""
        is_past = row.ends_on is not None and row.ends_on < timezone.localdate()
        if is_past or not supervisor.is_active:
            return False
        return bool(sight.whose(Episode.objects.filter(therapist=therapist), but=[self.context.by]))

    def finish(self) -> Iterator[None]:
        yield from ()


def _overlap(row: SupervisionRow, other: SupervisionRow | Supervision) -> bool:
    far = row.starts_on.max - timedelta(days=1)
    return row.starts_on <= (other.ends_on or far) and other.starts_on <= (row.ends_on or far)
