"""Clients and episodes from a file."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Q

from alliance import audit
from alliance.labels import look_alike_key, search_key
from alliance.log_events import LogEvent
from alliance.models import AuditEvent, Role, User
from alliance.refused import Refused
from clients.closing import courses
from clients.models import AgeBand, Client, Episode
from sessions_app.flags.conclude import conclude_many
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.moving_in.rows import ClientRow, EpisodeRow
from sessions_app.moving_in.staff_import import people_by_email
from sessions_app.moving_in.verdicts import Context, OnceOnly, Outcome, Verdict

EPISODES_AT_ONCE = 100
MEANWHILE = "Something was changed meanwhile by somebody else. Nothing was imported: check the file again."
Of = ImportedNumber.Of
FIELDS = {"label": "label", "language": "language of the form", "age_band": "age"}


def clients_by_number(numbers: Iterable[str]) -> dict[str, Client]:
    rows = ImportedNumber.objects.filter(kind=Of.CLIENT, number__in=set(numbers) - {""})
    return {row.number: row.client for row in rows.select_related("client") if row.client}


def labels_here(labels: Iterable[str], made: Collection[int] = ()) -> dict[str, str]:
    """{label: one that a client has already and that a person may take for it}. made: clients who do not count."""
    keys = {label: (search_key(label), look_alike_key(label)) for label in labels}
    by_key, by_look = ({pair[place] for pair in keys.values()} for place in (0, 1))
    alike = Q(label_key__in=by_key) | Q(label_look__in=by_look)
    here: dict[str, str] = {}
    for pk, label, *found in Client.objects.filter(alike, merged_into__isnull=True).values_list(
        "pk", "label", "label_key", "label_look"
    ):
        if pk not in made:
            here |= dict.fromkeys(found, label)
    return {
        label: here.get(key) or here[look]
        for label, (key, look) in keys.items()
        if key in here or look in here
    }


def conclude_new(episodes: Sequence[int]) -> Iterator[None]:
    """The first standing of each, which `bulk_create` sends no signal for."""
    for start in range(0, len(episodes), EPISODES_AT_ONCE):
        conclude_many(episodes=episodes[start : start + EPISODES_AT_ONCE])
        yield


@dataclass(frozen=True)
class _FirstEpisode:
    """What a row of the clients' file says of an episode: the rest it does not say."""

    row: int
    therapist: str
    opened_on: date
    closed_on: date | None = None


class ClientImport:
    """A number that is here already is the same client.

    Two rows with one label are two clients, as their numbers say: those of earlier batches do not count as here.
    """

    def __init__(self, context: Context) -> None:
        self.context, self.once = context, OnceOnly()
        self.episodes: set[int] = set()
        self.opened: list[int] = []
        self.made: set[int] = set()

    def judge(self, rows: Sequence[ClientRow]) -> list[Verdict]:
        here = clients_by_number(row.number for row in rows)
        therapists = people_by_email(row.therapist for row in rows)
        labels = labels_here((row.label for row in rows if row.number not in here), self.made)
        opened = _episodes_of([_kept(client) for client in here.values()])
        return [self._judged(row, here.get(row.number), therapists, labels, opened) for row in rows]

    def _judged(
        self,
        row: ClientRow,
        client: Client | None,
        therapists: dict[str, User],
        labels: Mapping[str, str],
        opened: dict[int, list[Episode]],
    ) -> Verdict:
        verdict = Verdict(row, found=(client, therapists.get(row.therapist)))
        if self.once.is_again(row.number):
            return verdict.wrong("Number", f"The number {row.number} stands in the file twice.")
        if client is None:
            if row.label in labels and not self.context.same_label:
                verdict.wrong("Label", f"A client {labels[row.label]} is here already, without this number.")
        elif client.merged_into_id:  # the details that count are those of the record it was merged with
            verdict.outcome = Outcome.SAME
        elif differs := _differences(row, client):
            verdict.outcome = Outcome.CHANGED
            if not self.context.update:
                verdict.wrong("", f"Client {row.number} is here already, and {' and '.join(differs)}.")
        else:
            verdict.outcome = Outcome.SAME
        if row.therapist and row.opened_on:
            first = _FirstEpisode(row.row, row.therapist, row.opened_on)
            theirs = opened.get(_kept(client), []) if client else []
            is_new = _judge_episode(verdict, first, therapists, theirs)
            if is_new and client is not None and verdict.outcome != Outcome.WRONG:
                verdict.wrong(
                    "Therapist", f"Client {row.number} is here without this episode. Import it apart."
                )
        return verdict

    def write(self, verdicts: Iterable[Verdict]) -> None:
        verdicts = list(verdicts)
        self._change([verdict for verdict in verdicts if verdict.outcome == Outcome.CHANGED])
        new = [verdict for verdict in verdicts if verdict.outcome == Outcome.NEW]
        made = Client.objects.bulk_create(
            Client(
                label=one.row.label,
                language=one.row.language or settings.LANGUAGE_CODE,
                age_band=one.row.age_band or AgeBand.ADULT,
                registered_at=self.context.now,
            )
            for one in new
        )
        self.made |= {client.pk for client in made}
        ImportedNumber.objects.bulk_create(
            ImportedNumber(kind=Of.CLIENT, number=one.row.number, client=client)
            for one, client in zip(new, made, strict=True)
        )
        by, of_run = self.context.by, self.context.of_run
        audit.write(
            audit.line(LogEvent.CLIENT_IMPORTED, one, by=by, client=one.code, **of_run) for one in made
        )
        first = [
            Episode(client=client, therapist=one.found[1], opened_on=one.row.opened_on)
            for one, client in zip(new, made, strict=True)
            if one.found[1] is not None
        ]
        self.opened += _store_episodes(first, self.context)

    def _change(self, changed: Sequence[Verdict]) -> None:
        for verdict in changed:
            client, row = verdict.found[0], verdict.row
            client.label, client.language = row.label, row.language or client.language
            client.age_band = row.age_band or client.age_band
        clients = [verdict.found[0] for verdict in changed]
        for client in clients:
            client.save(update_fields=["label", "language", "age_band"])
        by, of_run = self.context.by, self.context.of_run
        audit.write(
            audit.line(LogEvent.CLIENT_CHANGED, one, by=by, client=one.code, **of_run) for one in clients
        )

    def finish(self) -> Iterator[None]:
        yield from conclude_new(self.opened)


class EpisodeImport:
    """The same client and therapist from the same day are the same episode, whatever its number."""

    def __init__(self, context: Context) -> None:
        self.context, self.once = context, OnceOnly()
        self.episodes: set[int] = set()
        self.opened: list[int] = []

    def judge(self, rows: Sequence[EpisodeRow]) -> list[Verdict]:
        clients = clients_by_number(row.client for row in rows)
        therapists = people_by_email(row.therapist for row in rows)
        theirs = _episodes_of([_kept(client) for client in clients.values()])
        numbers = ImportedNumber.objects.filter(
            kind=Of.EPISODE, number__in={row.number for row in rows} - {""}
        )
        taken = dict(numbers.values_list("number", "episode_id"))
        of_them = Episode.objects.filter(client__in=[_kept(client) for client in clients.values()]).order_by()
        with_marks = frozenset(courses().with_marks(of_them).values_list("pk", flat=True))
        return [self._judged(row, clients, therapists, theirs, taken, with_marks) for row in rows]

    def _judged(
        self,
        row: EpisodeRow,
        clients: dict[str, Client],
        therapists: dict[str, User],
        opened: dict[int, list[Episode]],
        taken: Mapping[str, int | None],
        with_marks: frozenset[int],
    ) -> Verdict:
        client = clients.get(row.client)
        verdict = Verdict(row, found=(client, therapists.get(row.therapist)))
        if client is None:
            return verdict.wrong("Client", f"No client with the number {row.client} was imported.")
        if row.number and self.once.is_again("number", row.number):
            return verdict.wrong("Episode id", f"{row.number} stands in the file twice.")
        kept = _kept(client)  # two numbers can be of one client, whose records were merged
        if self.once.is_again(kept, row.therapist, row.opened_on):
            return verdict.wrong("", "This episode stands in the file twice.")
        theirs = opened.get(kept, [])
        is_new = _judge_episode(verdict, row, therapists, theirs)
        if row.number in taken and not any(
            one.pk == taken[row.number] for one in _the_same(theirs, verdict, row)
        ):
            return verdict.wrong("Episode id", f"{row.number} is the number of another episode here.")
        if not is_new:
            return verdict
        if any(one.pk in with_marks and one.therapist != verdict.found[1] for one in theirs):
            return verdict.wrong(
                "Therapist",
                f"Client {row.client} has been in therapy with somebody else here, who has ratings of them. Open this "
                "episode on the client’s page: a second person confirms it.",
            )
        if row.closed_on is None and self.once.is_again("open", kept, row.therapist):
            return verdict.wrong(
                "Closed on", "The file has two open episodes of this client with this therapist."
            )
        return verdict

    def write(self, verdicts: Iterable[Verdict]) -> None:
        new = [verdict for verdict in verdicts if verdict.outcome == Outcome.NEW]
        clients = _locked({_kept(verdict.found[0]) for verdict in new})
        made = [
            Episode(
                client=clients[_kept(one.found[0])],
                therapist=one.found[1],
                opened_on=one.row.opened_on,
                closed_on=one.row.closed_on,
                ending=one.row.ending,
            )
            for one in new
        ]
        self.opened += _store_episodes(made, self.context)
        ImportedNumber.objects.bulk_create(
            ImportedNumber(kind=Of.EPISODE, number=one.row.number, episode=episode)
            for one, episode in zip(new, made, strict=True)
            if one.row.number
        )

    def finish(self) -> Iterator[None]:
        yield from conclude_new(self.opened)


def _kept(client: Client) -> int:
    """The record that counts: another one where it was merged."""
    return client.merged_into_id or client.pk


def _locked(clients: Collection[int]) -> dict[int, Client]:
    """A merge that is under way would leave a new episode behind in a record that is in no list."""
    rows = Client.objects.select_for_update().filter(pk__in=clients).order_by("pk")
    locked = {client.pk: client for client in rows}
    if len(locked) < len(clients) or any(client.merged_into_id for client in locked.values()):
        raise Refused(MEANWHILE)
    return locked


def _differences(row: ClientRow, client: Client) -> list[str]:
    """In words; what the file leaves empty it does not contradict."""
    return [
        f"the {said} is “{getattr(client, name)}” here"
        for name, said in FIELDS.items()
        if getattr(row, name) and getattr(row, name) != getattr(client, name)
    ]


def _episodes_of(clients: Collection[int]) -> dict[int, list[Episode]]:
    found: dict[int, list[Episode]] = {}
    for episode in Episode.objects.filter(client__in=clients).order_by("opened_on"):
        found.setdefault(episode.client_id, []).append(episode)
    return found


def _the_same(theirs: Iterable[Episode], verdict: Verdict, row: EpisodeRow | _FirstEpisode) -> list[Episode]:
    therapist = verdict.found[1]
    return [
        one
        for one in theirs
        if therapist and one.therapist_id == therapist.pk and one.opened_on == row.opened_on
    ]


def _judge_episode(
    verdict: Verdict,
    row: EpisodeRow | _FirstEpisode,
    therapists: dict[str, User],
    theirs: Sequence[Episode],
) -> bool:
    """Whether it would be a new one; what is wrong with it is noted."""
    therapist = therapists.get(row.therapist)
    if therapist is None:
        verdict.wrong("Therapist", f"{row.therapist} is not on the list of people. Import the people first.")
        return True
    if not therapist.is_therapist:
        verdict.wrong("Therapist", f"{row.therapist} is not a therapist.")
        return True
    if same := _the_same(theirs, verdict, row):
        if isinstance(row, EpisodeRow):
            verdict.outcome = Outcome.SAME
            if (same[0].closed_on, same[0].ending) != (row.closed_on, row.ending):
                state = f"closed on {same[0].closed_on:%-d %B %Y}" if same[0].closed_on else "open"
                verdict.wrong("Closed on", f"This episode is {state} here. Change it on the client’s page.")
        return False
    if row.closed_on is None and not therapist.has_any_role(frozenset({Role.THERAPIST})):
        verdict.wrong("Therapist", f"{row.therapist} may not sign in, so the episode cannot be open.")
    if row.closed_on is None and any(one.is_open and one.therapist_id == therapist.pk for one in theirs):
        verdict.wrong("Opened on", f"An episode with {row.therapist} is open already, from another day.")
    return True


def _store_episodes(episodes: list[Episode], context: Context) -> list[int]:
    """Store new ones with their lines of the log; their row numbers."""
    made = Episode.objects.bulk_create(episodes)
    audit.write(line for episode in made for line in _lines(episode, context))
    return [episode.pk for episode in made]


def _lines(episode: Episode, context: Context) -> Iterator[AuditEvent]:
    client, by, of_run = episode.client_code, context.by, context.of_run
    therapist = str(episode.therapist_id)
    yield audit.line(LogEvent.EPISODE_OPENED, episode, by=by, client=client, therapist=therapist, **of_run)
    if episode.closed_on:
        yield audit.line(
            LogEvent.EPISODE_CLOSED, episode, by=by, client=client, ending=episode.ending, **of_run
        )
