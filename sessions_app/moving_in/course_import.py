"""Sessions and earlier ratings from a file."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime

from django.db.models import Max
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.refused import Refused
from clients.models import Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import SESSION_LENGTH, Attendance, Rating, TherapySession
from sessions_app.flags.conclude import conclude_many
from sessions_app.intake.imported_rating import imported_rating
from sessions_app.intake.session_numbers import number_many_by_date
from sessions_app.moving_in import known_rows
from sessions_app.moving_in.client_import import EPISODES_AT_ONCE, MEANWHILE
from sessions_app.moving_in.known_rows import Known, KnownEpisode, KnownSession, is_on
from sessions_app.moving_in.models import ImportedNumber
from sessions_app.moving_in.rows import Marks, RatingRow, SessionRow
from sessions_app.moving_in.verdicts import Context, OnceOnly, Outcome, Verdict

Of = ImportedNumber.Of
MOST_SESSIONS = 16_000  # of one episode: a number is a small one, and numbering anew needs twice as many
HAS_MARKS = (
    "This session has a rating already, given here. Take the marks out of this row: no import changes it."
)
OTHER_MARKS = "This session was imported with other marks before. No import changes a rating."
STILL_OUT = "A form for this session is out, and its rating may still come. Take it back first, or wait."


def _judge_marks(verdict: Verdict, session: KnownSession, marks: Marks, known: Known) -> bool:
    """Whether the marks are new to a session that is here; what speaks against them is noted."""
    if session.pk in known.imported:
        if known.imported[session.pk] != marks:
            verdict.wrong("", OTHER_MARKS)
        return False
    if session.pk in known.native:
        verdict.wrong("", HAS_MARKS)
    elif session.is_voided:
        verdict.wrong("", "This session was voided here. Its therapist can put it back.")
    elif session.attendance != Attendance.ATTENDED:
        verdict.wrong("", "This session did not take place here. Say first on its page that it did.")
    elif session.pk in known.awaited:
        verdict.wrong("", STILL_OUT)
    return True


class _CourseImport:
    """What both kinds do: store marks, number, conclude and log by episode."""

    def __init__(self, context: Context) -> None:
        self.context, self.once = context, OnceOnly()
        self.episodes: set[int] = set()

    def _take(self, episode: int) -> None:
        """The episode is written to: its lock must have been taken before the first row, in one order with others'."""
        if self.context.locked is not None and episode not in self.context.locked:
            raise Refused(MEANWHILE)
        self.episodes.add(episode)

    def _store_marks(self, of_sessions: Sequence[tuple[TherapySession, Marks, str]]) -> None:
        """(session, marks, language) each."""
        made = [
            imported_rating(
                session=session,
                instrument=self.context.instrument,
                version=self.context.instrument_version,
                answers=marks.answers,
                total=marks.total,
                language=self.context.wording.language if self.context.wording else language,
                wording=self.context.wording,
                by=self.context.by,
                now=self.context.now,
            )
            for session, marks, language in of_sessions
        ]
        RatingGrant.objects.bulk_create(grant for grant, _rating in made)
        for grant, rating in made:
            rating.grant = grant  # it has its row number now
        Rating.objects.bulk_create(rating for _grant, rating in made)

    def finish(self) -> Iterator[None]:
        episodes = sorted(self.episodes)
        for start in range(0, len(episodes), EPISODES_AT_ONCE):
            batch = episodes[start : start + EPISODES_AT_ONCE]
            number_many_by_date(batch)
            conclude_many(episodes=batch, now=self.context.now)
            by, of_run = self.context.by, self.context.of_run
            audit.write(
                audit.line(LogEvent.COURSE_IMPORTED, one, by=by, client=one.client_code, **of_run)
                for one in Episode.objects.filter(pk__in=batch).select_related("client").order_by("pk")
            )
            yield


class SessionImport(_CourseImport):
    """The same number, or else the same moment (without a time: day) of the same episode, is the same session."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.last_number: dict[int, int] = {}
        self.timed, self.untimed = OnceOnly(), OnceOnly()  # days of an episode, with and without a time

    def judge(self, rows: Sequence[SessionRow]) -> list[Verdict]:
        known = known_rows.read(
            clients=[row.client for row in rows],
            episodes=[row.episode for row in rows],
            sessions=[row.number for row in rows],
            moments=[row.held_at for row in rows],
            now=self.context.now,
        )
        return [self._judged(row, known) for row in rows]

    def _judged(self, row: SessionRow, known: Known) -> Verdict:
        verdict = Verdict(row)
        episode = _episode_of(row, verdict, known)
        if episode is None:
            return verdict
        if row.number and self.once.is_again("number", row.number):
            return verdict.wrong("Session id", f"{row.number} stands in the file twice.")
        if self._is_again(row, episode):
            return verdict.wrong("Date", "The file has another session of this client at this time.")
        here = known.numbered.get(row.number)
        if here and not (here.episode == episode.pk and is_on(here, row.held_at, has_time=row.has_time)):
            when = timezone.localtime(here.held_at)
            is_here = f"{row.number} is here on {when:%-d %B %Y, %H:%M}, or of another client"
            return verdict.wrong("Session id", f"{is_here}. Sessions are changed on their pages.")
        theirs = known.sessions.get(episode.pk, [])
        here = here or next((one for one in theirs if is_on(one, row.held_at, has_time=row.has_time)), None)
        verdict.found = (episode, here)
        if here is None:
            _judge_attendance(verdict, self.context.now)
        elif (
            not (row.marks and _judge_marks(verdict, here, row.marks, known))
            and verdict.outcome == Outcome.NEW
        ):
            verdict.outcome = Outcome.SAME
        if verdict.outcome == Outcome.NEW:
            self._take(episode.pk)
        return verdict

    def _is_again(self, row: SessionRow, episode: KnownEpisode) -> bool:
        """Without a time there is one session a day: a second one could not be told from it."""
        day = (episode.pk, timezone.localdate(row.held_at))
        if not row.has_time:
            return self.untimed.is_again(*day) or self.timed.has(*day)
        self.timed.is_again(*day)
        return self.once.is_again(episode.pk, row.held_at) or self.untimed.has(*day)

    def write(self, verdicts: Iterable[Verdict]) -> None:
        new = [verdict for verdict in verdicts if verdict.outcome == Outcome.NEW]
        added = [verdict for verdict in new if verdict.found[1] is None]
        self._read_last_numbers({verdict.found[0].pk for verdict in added})
        made = TherapySession.objects.bulk_create(self._session(verdict) for verdict in added)
        sessions = {verdict.row.row: session for verdict, session in zip(added, made, strict=True)}
        ImportedNumber.objects.bulk_create(
            ImportedNumber(kind=Of.SESSION, number=verdict.row.number, session=sessions[verdict.row.row])
            for verdict in added
            if verdict.row.number
        )
        for verdict in new:
            episode, here = verdict.found
            if here is not None:
                sessions[verdict.row.row] = TherapySession(pk=here.pk, episode_id=episode.pk)
        self._store_marks(
            [
                (sessions[verdict.row.row], verdict.row.marks, verdict.found[0].language)
                for verdict in new
                if verdict.row.marks is not None
            ]
        )

    def _read_last_numbers(self, episodes: Collection[int]) -> None:
        unread = [pk for pk in episodes if pk not in self.last_number]
        self.last_number |= dict.fromkeys(unread, 0)
        rows = TherapySession.objects.filter(episode__in=unread).order_by()
        self.last_number |= dict(rows.values_list("episode").annotate(last=Max("number")))

    def _session(self, verdict: Verdict) -> TherapySession:
        row, (episode, _here) = verdict.row, verdict.found
        self.last_number[episode.pk] += 1  # for now: `finish` numbers by date
        if self.last_number[episode.pk] > MOST_SESSIONS:
            whose = f"Client {row.client}" if row.client else f"Episode {row.episode}"
            raise Refused(f"{whose} would have more than {MOST_SESSIONS:,} sessions in one episode.")
        return TherapySession(
            episode_id=episode.pk,
            number=self.last_number[episode.pk],
            held_at=row.held_at,
            ends_at=row.held_at + SESSION_LENGTH,
            modality=row.modality,
            attendance=row.attendance or _attendance_by_date(row.held_at, self.context.now),
        )


class RatingImport(_CourseImport):
    """The marks of a session that is here; each session once."""

    def judge(self, rows: Sequence[RatingRow]) -> list[Verdict]:
        known = known_rows.read(
            clients=[row.client for row in rows],
            episodes=(),
            sessions=[row.session for row in rows],
            moments=[row.held_at for row in rows if row.held_at],
            now=self.context.now,
        )
        return [self._judged(row, known) for row in rows]

    def _judged(self, row: RatingRow, known: Known) -> Verdict:
        verdict = Verdict(row)
        session = _session_of(row, verdict, known)
        if session is None:
            return verdict
        if self.once.is_again(session.pk):
            return verdict.wrong("", "The file has another rating of this session.")
        verdict.found = (known.episodes[session.episode], session)
        if not _judge_marks(verdict, session, row.marks, known) and verdict.outcome == Outcome.NEW:
            verdict.outcome = Outcome.SAME
        if verdict.outcome == Outcome.NEW:
            self._take(session.episode)
        return verdict

    def write(self, verdicts: Iterable[Verdict]) -> None:
        self._store_marks(
            [
                (
                    TherapySession(pk=verdict.found[1].pk, episode_id=verdict.found[0].pk),
                    verdict.row.marks,
                    verdict.found[0].language,
                )
                for verdict in verdicts
                if verdict.outcome == Outcome.NEW
            ]
        )


def _episode_of(row: SessionRow, verdict: Verdict, known: Known) -> KnownEpisode | None:
    """The episode that a row means: by its number, else the one of the client that was open on that day."""
    day = timezone.localdate(row.held_at)
    if row.episode:
        pk = known.of_number.get(row.episode)
        if pk is None:
            verdict.wrong("Episode id", f"No episode with the number {row.episode} was imported.")
            return None
        episode = known.episodes[pk]
        if row.client and episode not in known.of_client.get(row.client, []):
            verdict.wrong("Client", f"Episode {row.episode} is not one of client {row.client}.")
            return None
        theirs = [episode]
    else:
        if row.client not in known.of_client:
            verdict.wrong("Client", f"No client with the number {row.client} was imported.")
            return None
        theirs = known.of_client[row.client]
    open_then = [one for one in theirs if _was_open(one.episode, day)]
    if len(open_then) == 1:
        return open_then[0]
    if open_then:
        verdict.wrong(
            "Episode id", f"Client {row.client} has more than one episode on {day:%-d %B %Y}: name the one."
        )
    else:
        spans = "; ".join(_span(one.episode) for one in theirs) or "none"
        verdict.wrong("Date", f"{day:%-d %B %Y} is in no episode of this client. Their episodes: {spans}.")
    return None


def _was_open(episode: Episode, day: date) -> bool:
    return episode.opened_on <= day and (episode.closed_on is None or day <= episode.closed_on)


def _span(episode: Episode) -> str:
    since = f"since {episode.opened_on:%-d %B %Y}"
    return f"{since} until {episode.closed_on:%-d %B %Y}" if episode.closed_on else since


def _session_of(row: RatingRow, verdict: Verdict, known: Known) -> KnownSession | None:
    if row.session:
        session = known.numbered.get(row.session)
        if session is None:
            verdict.wrong("Session id", f"No session {row.session} was imported. Import the sessions first.")
            return None
        _judge_whose_and_when(row, verdict, session, known)
        return session
    if row.client not in known.of_client:
        verdict.wrong("Client", f"No client with the number {row.client} was imported.")
        return None
    assert row.held_at is not None  # the reader asks for the date where no session is named
    found = [
        session
        for episode in known.of_client[row.client]
        for session in known.sessions.get(episode.pk, [])
        if is_on(session, row.held_at, has_time=row.has_time)
    ]
    if len(found) == 1:
        return found[0]
    day = f"{timezone.localtime(row.held_at):%-d %B %Y}"
    verdict.wrong(
        "Date of the session",
        f"Client {row.client} has more than one session on {day}: give the time."
        if found
        else f"Client {row.client} has no session on {day}. Import the sessions first, or put the day right.",
    )
    return None


def _judge_whose_and_when(row: RatingRow, verdict: Verdict, session: KnownSession, known: Known) -> None:
    """What the row says beside the session's number must be so: else the marks may be another client's."""
    if row.client and all(one.pk != session.episode for one in known.of_client.get(row.client, [])):
        verdict.wrong("Client", f"Session {row.session} is not one of client {row.client}.")
    elif row.held_at and not is_on(session, row.held_at, has_time=False):
        day = f"{timezone.localtime(session.held_at):%-d %B %Y}"
        verdict.wrong("Date of the session", f"Session {row.session} is here on {day}.")


def _judge_attendance(verdict: Verdict, now: datetime) -> None:
    row = verdict.row
    is_ahead = row.held_at > now
    if is_ahead and row.marks:
        verdict.wrong("Date", "This session is still to come, and there are marks in its row.")
    elif is_ahead and row.attendance in {Attendance.ATTENDED, Attendance.DID_NOT_ATTEND}:
        verdict.wrong("Attendance", "This session is still to come: leave it planned.")


def _attendance_by_date(held_at: datetime, now: datetime) -> str:
    return Attendance.PLANNED if held_at > now else Attendance.ATTENDED
