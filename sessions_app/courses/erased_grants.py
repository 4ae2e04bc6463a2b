"""Grants whose client was erased: what a device still brings for one of them, it is told to forget."""

from uuid import UUID

from django.db import models

from alliance.erasures import Erasure


class ErasedGrant(models.Model):
    """The code of a grant that is no more. It is random, and nothing else here says what it was for."""

    code = models.UUIDField(primary_key=True)
    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="grants")

    def __str__(self) -> str:
        return str(self.code)


def is_erased(code: UUID) -> bool:
    return ErasedGrant.objects.filter(code=code).exists()
