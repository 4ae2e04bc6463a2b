"""Which kinds of people fill forms in at this clinic."""

from sessions_app.courses.grants import RatingGrant
from sessions_app.plans.models import PlannedForm


def in_use() -> set[str]:
    """By whom a form is planned, or to whom one was given, and so all who answered one; one query."""
    found = RatingGrant.every.order_by().values_list("rater")
    planned = PlannedForm.objects.standing().order_by().values_list("rater")
    return {rater for (rater,) in found.union(planned)}
