"""The writes about marks in a record that they are not of: set aside, moved to the right session, put back.

A move writes in two records at once: one transaction, and the locks of both episodes in the order of their
numbers. What it did hangs on one row (`Misfiling`), so that one way back undoes both halves, or neither.
"""

from django.db import transaction
from django.utils import timezone

from alliance import audit
from alliance.log_events import LogEvent
from alliance.measurement.session_times import still_to_come
from alliance.models import User
from alliance.refused import Refused
from clients.lock import lock_episodes
from clients.models import Episode
from sessions_app.corrections import families
from sessions_app.corrections.actions import MEANWHILE, UNREADABLE, it_took_place, refuse_if_settled
from sessions_app.courses.decisions import Correction, Misfiling, Settlement
from sessions_app.courses.models import Attendance, Rating, SetAsideRating, TherapySession
from sessions_app.flags.conclude import conclude_many
from sessions_app.intake import session_actions
from sessions_app.intake.hand_over_actions import withdraw_what_is_out
from sessions_app.intake.replacements import counted, counted_again, explain, no_marks
from sessions_app.intake.session_facts import given_at

NOTHING_THERE = "There are no marks to set aside."
ALREADY = "Somebody set these marks aside already, perhaps you in another tab."
UNDONE = "These marks are put back already."
CHANGED_THERE = (
    "The marks were changed at the session they were moved to. Put that right there, then put these back."
)


@transaction.atomic
def set_aside(*, rating: Rating, why: str, by: User) -> Misfiling:
    """Take these marks out of the record they are in, because they are not of this client or session."""
    lock_episodes([rating.session.episode_id])
    left = _taken_from_its_session(rating, why=why, by=by)
    misfiling = Misfiling.objects.create(rating=rating, left=left, why=why, set_aside_by=by)
    audit.record(LogEvent.MARKS_SET_ASIDE, misfiling, by=by, client=misfiling.client_code)
    _conclude(rating.session)
    return misfiling


@transaction.atomic
def move(*, rating: Rating, to: TherapySession | Episode, why: str, by: User) -> Misfiling:
    """The same, and let them count at the session they are of; `to` an episode: at a new session of the same time."""
    source = rating.session
    lock_episodes({source.episode_id, to.pk if isinstance(to, Episode) else to.episode_id})
    if isinstance(to, Episode):
        to = _new_session(to, like=source, by=by)
    last = _free_for(rating, to)
    left = _taken_from_its_session(rating, why=why, by=by)
    moved = _counted_at(to, rating, instead_of=last, by=by)
    misfiling = Misfiling.objects.create(rating=rating, left=left, moved_to=moved, why=why, set_aside_by=by)
    audit.record(LogEvent.MARKS_MOVED_AWAY, misfiling, by=by, client=source.client_code)
    _conclude(source, to)
    return misfiling


@transaction.atomic
def put_back(*, misfiling: Misfiling, by: User) -> Misfiling:
    """Undo of `set_aside` and of both halves of `move`: the marks count again where they came in."""
    rating, moved = misfiling.rating, misfiling.moved_to
    sessions = [rating.session, *([moved.session] if moved else [])]
    lock_episodes({session.episode_id for session in sessions})
    undone = (
        Misfiling.objects.standing().filter(pk=misfiling.pk).update(undone_at=timezone.now(), undone_by=by)
    )
    if not undone:
        raise Refused(UNDONE)
    # The right session first: within one record, what is left there decides nothing about where they go back to.
    if moved is not None:
        _moved_back(moved, by=by)
    if misfiling.left is not None:
        last = Rating.objects.last_of(rating.session)
        if last is None or not (last.is_taken_out or families.is_again(last, misfiling.left)):
            raise Refused(_other_marks(rating.session, last))
        withdraw_what_is_out(rating.session, by)
        counted_again(rating, by=by, instead_of=last, why="The marks were put back.")
    audit.record(LogEvent.MARKS_PUT_BACK, misfiling, by=by, client=misfiling.client_code)
    _conclude(*sessions)
    return misfiling


@transaction.atomic
def misfile_arrived(
    *, aside: SetAsideRating, to: TherapySession | Episode | None, why: str, by: User
) -> Settlement:
    """Settle that marks which were set aside on arrival are not of this session; `to`: let them count there."""
    lock_episodes(
        {aside.session.episode_id, *([to.pk if isinstance(to, Episode) else to.episode_id] if to else [])}
    )
    refuse_if_settled(aside)
    moved = _moved_from_arrival(aside, to, by=by) if to else None
    settlement = Settlement.objects.create(
        set_aside=aside, outcome=Settlement.Outcome.MISFILED, rating=moved, why=why, settled_by=by
    )
    event = LogEvent.MARKS_MOVED_AWAY if moved else LogEvent.MARKS_SET_ASIDE
    audit.record(event, aside, by=by, client=aside.client_code)
    return settlement


def _moved_from_arrival(aside: SetAsideRating, to: TherapySession | Episode, *, by: User) -> Rating:
    if not aside.answers:
        raise Refused(UNREADABLE)
    if isinstance(to, Episode):
        to = _new_session(to, like=aside.session, by=by)
    moved = _counted_at(to, aside, instead_of=_free_for(aside, to), by=by)
    _conclude(to)
    return moved


@transaction.atomic
def take_up_misfiled(*, aside: SetAsideRating, by: User) -> None:
    """Undo of `misfile_arrived`: the marks wait for a decision where they arrived, and count nowhere."""
    settlement = (
        Settlement.objects.standing()
        .filter(set_aside=aside, outcome=Settlement.Outcome.MISFILED)
        .select_related("rating__session__episode__client", "rating__grant")
        .first()
    )
    moved = settlement.rating if settlement else None
    lock_episodes({aside.session.episode_id, *([moved.session.episode_id] if moved else [])})
    undone = Settlement.objects.standing().filter(pk=settlement.pk if settlement else None)
    if not undone.update(undone_at=timezone.now(), undone_by=by):
        raise Refused(UNDONE)
    if moved is not None:
        _moved_back(moved, by=by)
        _conclude(moved.session)
    audit.record(LogEvent.SET_ASIDE_MARKS_TAKEN_UP, aside, by=by, client=aside.client_code)


def _counted_at(
    to: TherapySession, marks: Rating | SetAsideRating, *, instead_of: Rating | None, by: User
) -> Rating:
    """A row with these marks in the session they are of, which took place and waits for no other any more."""
    moved = counted(marks, marks.answers, marks.grant, session=to, by=by, instead_of=instead_of)
    if instead_of is not None:
        explain(moved, Correction.Kind.MOVED_HERE, "Marks of another record were moved here.", by)
    it_took_place(to)
    withdraw_what_is_out(to, by)
    audit.record(LogEvent.MARKS_MOVED_HERE, moved, by=by, client=to.client_code)
    return moved


def _moved_back(moved: Rating, *, by: User) -> None:
    """What stood in the right session before the marks were moved there stands there again."""
    there = Rating.objects.last_of(moved.session)
    if there is None or not families.is_again(there, moved):
        raise Refused(CHANGED_THERE)
    withdraw_what_is_out(moved.session, by)
    _in_place_of(there, why="The marks were moved back.", by=by)
    audit.record(LogEvent.MARKS_MOVED_BACK, moved, by=by, client=moved.client_code)


def _taken_from_its_session(rating: Rating, *, why: str, by: User) -> Rating | None:
    """The row that stands now in place of `rating`; None where it did not stand any more."""
    if rating.is_taken_out or rating.is_blank:
        raise Refused(NOTHING_THERE)
    rows = families.rows_of(rating.session_id)
    if rating.pk in families.hidden(rows, families.misfilings_in([rating.session_id])):
        raise Refused(ALREADY)
    last = Rating.objects.last_of(rating.session)
    if last == rating:
        withdraw_what_is_out(rating.session, by)
        return _in_place_of(rating, why=why, by=by)
    of = families.families(rows)
    if last is not None and of[last.pk] == of[rating.pk]:
        # They were corrected or put back meanwhile, and what stands holds them too.
        raise Refused(MEANWHILE)
    return None


def _in_place_of(rating: Rating, *, why: str, by: User) -> Rating:
    """What stood before these marks counts again; else a row without marks."""
    rows = families.rows_of(rating.session_id)
    not_here = families.hidden(rows, families.misfilings_in([rating.session_id]))
    if earlier := families.before(rating.pk, rows, not_here):
        return counted_again(earlier, by=by, instead_of=rating, why=why)
    return no_marks(rating, by=by, kind=Correction.Kind.MISFILED, why=why)


def _free_for(marks: Rating | SetAsideRating, to: TherapySession) -> Rating | None:
    """What the marks will replace at `to`: None, or a row on which a line is missing, or none was left."""
    if to.pk == marks.session_id:
        raise Refused("This is the session where the marks are. Choose the one they are of.")
    if still_to_come(to.held_at, marks.received_at, given_at(to)):
        raise Refused(f"Session {to.number} was still to come when the marks came. Correct its time first.")
    last = Rating.objects.last_of(to)
    if last is not None and last.total is not None:
        raise Refused(_other_marks(to, last))
    return last


def _other_marks(session: TherapySession, last: Rating | None) -> str:
    came = f", which came {last.came}" if last else ""
    return (
        f"Session {session.number} of {session.episode.client.label} has other marks now{came}. "
        "Set those aside first if they are not of that session."
    )


def _new_session(episode: Episode, *, like: TherapySession, by: User) -> TherapySession:
    return session_actions.add_session(
        episode=episode,
        held_at=like.held_at,
        length=like.ends_at - like.held_at,
        modality=like.modality,
        attendance=Attendance.ATTENDED,
        by=by,
    )


def _conclude(*sessions: TherapySession) -> None:
    conclude_many(episodes=sorted({session.episode_id for session in sessions}))
