"""The permission to seal stored words anew, where rows are append-only."""

from django.db import models
from django.db.models import Q

PERMIT_TABLE = "alliance_rotationpermit"


class RotationPermit(models.Model):
    """Inside one transaction: sealed words of append-only rows may be replaced by sealed words, and nothing else.

    No transaction can leave it behind: `never` refers to a row that cannot be, as `ErasurePermit` does.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    never = models.ForeignKey("self", models.DO_NOTHING, related_name="+", default=2)

    class Meta:
        db_table = PERMIT_TABLE
        constraints = (
            models.CheckConstraint(condition=Q(id=1), name="one_rotation_permit_at_a_time"),
            models.CheckConstraint(condition=Q(never=2), name="rotation_permit_never_stays"),
        )

    def __str__(self) -> str:
        return "Permit to seal anew"
