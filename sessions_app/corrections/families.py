"""Which rows of one session hold the marks of the same hand-in, and which of them no page may show.

The rows of a session form a chain: each replaces the one before it. A correction and lines that were added hold
the marks of the row they replace; a row that restores marks holds those. Together they are one family. Where one
of them turns out to be somebody else's, all of them are.
"""

from collections.abc import Collection, Mapping

from django.db.models import Q

from sessions_app.courses.decisions import SAME_MARKS, Correction, Misfiling, Settlement, SettlementQuerySet
from sessions_app.courses.models import TYPED, Rating

# What a person decided and can undo at the session itself. What was set aside or moved has a way back of its own.
UNDONE_HERE = frozenset({*SAME_MARKS, Correction.Kind.USED, Correction.Kind.RESTORED})


def rows_of(session: int) -> list[Rating]:
    """Every row of a session in the order in which they were written."""
    rows = Rating.objects.filter(session=session).select_related(
        "correction", "grant", "session", "settlement"
    )
    return list(rows.order_by("pk"))


def families(rows: Collection[Rating]) -> dict[int, int]:
    """{row: the first row of its family}; `rows` in the order in which they were written."""
    first: dict[int, int] = {}
    for row in rows:
        same = _holds_the_marks_of(row)
        first[row.pk] = first.get(same, row.pk) if same else row.pk
    return first


def _holds_the_marks_of(row: Rating) -> int | None:
    correction: Correction | None = getattr(row, "correction", None)
    if correction is None:
        return None
    return row.replaces_id if correction.kind in SAME_MARKS else correction.restores_id


def is_again(row: Rating | None, earlier: Rating) -> bool:
    """Whether `row` is `earlier`, or nothing but its marks once more."""
    while row is not None and row != earlier:
        correction: Correction | None = (
            Correction.objects.filter(rating=row).select_related("restores").first()
        )
        row = correction.restores if correction else None
    return row is not None


def misfilings_in(sessions: Collection[int]) -> list[Misfiling]:
    """Of marks that left these sessions or were moved to them, undone ones too."""
    inside = Q(rating__session__in=sessions) | Q(moved_to__session__in=sessions)
    return list(Misfiling.objects.filter(inside).select_related("rating", "moved_to"))


def hidden(rows: Collection[Rating], misfilings: Collection[Misfiling]) -> set[int]:
    """The rows whose marks are not of this session: set aside, moved away, or moved here and back again."""
    first = families(rows)
    left = {one.rating_id for one in misfilings if one.undone_at is None}
    back = {one.moved_to_id for one in misfilings if one.undone_at is not None}
    back |= {row.pk for row in rows if _was_moved_back(row)}
    somebody_elses = {first[pk] for pk in (left | back) if pk in first}
    return {pk for pk, of in first.items() if of in somebody_elses}


def _was_moved_back(row: Rating) -> bool:
    settlement: Settlement | None = getattr(row, "settlement", None)
    if settlement is None or settlement.undone_at is None:
        return False
    return settlement.outcome == Settlement.Outcome.MISFILED


def before(rating: int, rows: Collection[Rating], not_here: Collection[int]) -> Rating | None:
    """The marks that stood before those of this family did; None where none did, or none that may be shown."""
    by_pk: Mapping[int, Rating] = {row.pk: row for row in rows}
    first = families(rows)
    found: Rating | None = by_pk[rating]
    while found is not None and first[found.pk] == first[rating]:
        found = by_pk.get(found.replaces_id or 0)
    return found if found and not found.is_taken_out and found.pk not in not_here else None


def can_count_again(rating: int, rows: Collection[Rating], not_here: Collection[int]) -> Rating | None:
    """The row that `rating` replaced, where a decision did it that can be undone at the session.

    Marks that the client gave when asked again are no decision, and marks of somebody else never come back so.
    """
    by_pk: Mapping[int, Rating] = {row.pk: row for row in rows}
    row = by_pk[rating]
    correction: Correction | None = getattr(row, "correction", None)
    earlier = by_pk.get(row.replaces_id or 0)
    if correction is None or correction.kind not in UNDONE_HERE or earlier is None:
        return None
    return None if earlier.is_taken_out or earlier.pk in not_here else earlier


def replaced_by_decision(rating: Rating) -> Rating | None:
    """The same, of one rating."""
    rows = rows_of(rating.session_id)
    return can_count_again(rating.pk, rows, hidden(rows, misfilings_in([rating.session_id])))


def use_of(rating: Rating) -> SettlementQuerySet:
    """The decision by which `rating` was made of marks that had been set aside on arrival, if it was."""
    return Settlement.objects.standing().filter(rating=rating, outcome=Settlement.Outcome.USED)


def marked_by_the_client(rating: Rating) -> dict[str, int]:
    """The lines of a rating that the client marked on a device; somebody may have typed the others."""
    if rating.mode not in TYPED:
        return rating.given
    correction = Correction.objects.filter(rating=rating).select_related("restores").first()
    moved = Misfiling.objects.filter(moved_to=rating).select_related("rating").first()
    if moved:
        return marked_by_the_client(moved.rating)
    if correction and correction.restores:
        return marked_by_the_client(correction.restores)
    if correction and correction.kind in SAME_MARKS and rating.replaces:
        return marked_by_the_client(rating.replaces)
    return {}
