"""For `/metrics`: forms that are out, marks that nobody has decided about, flags that are computed again."""

from django.db.models import Min, QuerySet
from django.utils import timezone

from alliance.operations import metrics
from alliance.operations.metrics import age
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.late_marks import LateMarks
from sessions_app.courses.models import SetAsideRating
from sessions_app.courses.responses import QuestionnaireResponse
from sessions_app.flags.recomputations import Recomputation

A_MINUTE = 60.0


def _to_settle() -> dict[str, QuerySet[SetAsideRating] | QuerySet[QuestionnaireResponse]]:
    return {
        metrics.RATING: SetAsideRating.objects.to_settle().order_by(),
        metrics.QUESTIONNAIRE: QuestionnaireResponse.objects.to_settle().order_by(),
    }


def forms_out() -> float:
    return float(RatingGrant.every.awaiting(timezone.now()).count())


def held_marks() -> dict[str, float]:
    return {form: float(rows.count()) for form, rows in _to_settle().items()}


def age_of_held_marks() -> dict[str, float]:
    ages = {
        form: age(rows.aggregate(oldest=Min("received_at"))["oldest"]) for form, rows in _to_settle().items()
    }
    return {form: found for form, found in ages.items() if found is not None}


def age_of_late_marks() -> float | None:
    return age(LateMarks.objects.unseen().aggregate(oldest=Min("arrived_at"))["oldest"])


def age_of_recomputation() -> float | None:
    return age(Recomputation.objects.unfinished().aggregate(oldest=Min("started_at"))["oldest"])


def episodes_to_recompute() -> float:
    return float(sum(max(0, one.episodes - one.done) for one in Recomputation.objects.unfinished()))


def register() -> None:
    measure = metrics.measure
    # Looked at over all forms there ever were, and so not at each question.
    measure("alliance_forms_out", "Forms that may still come in.", forms_out, keep_for=A_MINUTE)
    measure("alliance_held_marks", "Marks to be decided about.", held_marks, by="form", keep_for=A_MINUTE)
    measure(
        "alliance_held_marks_age_seconds",
        "Since the oldest of them arrived.",
        age_of_held_marks,
        by="form",
        keep_for=A_MINUTE,
    )
    measure(
        "alliance_late_marks_age_seconds",
        "Since the oldest marks arrived after an end that nobody has seen.",
        age_of_late_marks,
        keep_for=A_MINUTE,
    )
    measure("alliance_recomputation_age_seconds", "Since it was begun.", age_of_recomputation)
    measure(
        "alliance_recomputation_episodes", "Courses that it has not looked at yet.", episodes_to_recompute
    )
