"""The constraint of a pair of columns that say when something was done, and by whom."""

from django.db.models import CheckConstraint, Q


def at_and_by(done: str, *, name: str) -> CheckConstraint:
    """`{done}_at` and `{done}_by` are both set, or neither."""
    at, by = f"{done}_at__isnull", f"{done}_by__isnull"
    return CheckConstraint(condition=Q(**{at: True, by: True}) | Q(**{at: False, by: False}), name=name)
