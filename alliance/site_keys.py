"""The keys of this site, each drawn from SECRET_KEY, or from a former one, for one purpose."""

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NAMES = b"session alliance: name of a key"


def secrets() -> list[str]:
    """SECRET_KEY, with which everything new is sealed, and after it the former ones, which open alone."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


@lru_cache(maxsize=512)
def derived(secret: str, purpose: bytes, length: int = 32) -> bytes:
    """A key for one purpose: who has it learns neither the secret nor the key of another purpose (HKDF)."""
    derive: Any = HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose)
    found: bytes = derive.derive(secret.encode())
    return found


def name_of(secret: str) -> str:
    """Eight letters that stand before what is sealed with it, and say which key opens it; they tell nothing else."""
    return derived(secret, _NAMES, 4).hex()
