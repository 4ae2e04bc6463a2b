"""What became of the marks, from the database alone. A run that proves nothing is no success."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sessions_app.courses.models import Rating, SetAsideRating, TherapySession
from tests.torture.marks import ITEMS, Marks
from tests.torture.scene import Scene
from tests.torture.watch import COUNTS


@dataclass
class Verdict:
    """
    lost: handed in and neither the rating nor kept aside, with no excuse
    doubled: a second first rating, or the same marks in two rows
    altered: a row of this session that holds what nobody marked
    strange: a row of another session, made by this run
    unnoticed: nothing came, and the therapist would not see that the session still waits for its rating
    stuck: the device did not stop sending
    broken: the run itself did not get to its end, and so proves nothing
    """

    outcome: str
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    strange: int = 0
    unnoticed: int = 0
    stuck: int = 0
    broken: int = 0

    def __str__(self) -> str:
        counts = [f"{name} {getattr(self, name)}" for name in COUNTS if getattr(self, name)]
        return ", ".join([self.outcome, *counts])

    @property
    def is_clean(self) -> bool:
        return not any(getattr(self, name) for name in COUNTS)


def judge(scene: Scene, *, drained: bool, may_leave: bool) -> Verdict:
    """`may_leave`: the page was taken away while it still asked not to be left. Nobody could keep that."""
    ours, strange = _new_rows(scene)
    ratings = [row for row in ours if isinstance(row, Rating)]
    found = Counter(_marks(row) for row in ours)
    marked = {one.marks for one in scene.handed_in}
    promised = {one.marks for one in scene.handed_in if scene.is_promised(one)}
    excused = scene.is_wiped or (may_leave and not promised)
    lost = promised - set(found)
    return Verdict(
        outcome="the rating" if ratings else "kept aside" if ours else "never came",
        lost=0 if excused else len(lost) or int(not ours),
        doubled=max(0, len(ratings) - 1) + sum(count - 1 for count in found.values()),
        altered=sum(count for marks, count in found.items() if marks not in marked),
        strange=strange,
        unnoticed=int(not ours and not _is_noticed(scene.session)),
        stuck=int(not drained),
    )


def _new_rows(scene: Scene) -> tuple[list[Rating | SetAsideRating], int]:
    """Those of this client's session, and how many the run made elsewhere."""
    ours: list[Rating | SetAsideRating] = []
    strange = 0
    for model in (Rating, SetAsideRating):
        seen = scene.world.seen.get(model, 0)
        for row in model.objects.filter(pk__gt=seen).select_related("grant").order_by("pk"):
            scene.world.seen[model] = row.pk
            if row.session_id == row.grant.session_id == scene.session.pk:
                ours.append(row)
            else:
                strange += 1
    return ours, strange


def _marks(row: Rating | SetAsideRating) -> Any:
    """As `Marks`; what could not be read as marks is like none."""
    if set(row.answers) != set(ITEMS):
        return row.pk
    answers = tuple(row.answers[item] for item in ITEMS)
    return Marks(answers, row.comment, row.share_comment, row.mode)


def _is_noticed(session: TherapySession) -> bool:
    return TherapySession.objects.overdue(timezone.now() + timedelta(days=2)).filter(pk=session.pk).exists()
