"""Short codes that a person reads aloud or types."""

import secrets

from django.utils.crypto import salted_hmac

# The alphabet of Open Location Codes: no letter that looks like a digit, and no vowel, so no words.
ALPHABET = "23456789CFGHJMPQRVWX"
# So long that guessing is bounded without a limit by which one could keep others out (ADR 70).
SHORT_CODE_LENGTH = 10
PAIRING_CODE_LENGTH = 6


def new_short_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(SHORT_CODE_LENGTH))


def drawn_from(secret: str) -> str:
    """The short code that is always the same for this secret."""
    return _drawn("short code of a press", secret, SHORT_CODE_LENGTH)


def pairing_code(key: str) -> str:
    """The code a tablet shows while it holds `key`: drawn from the key, so that nothing has to keep it."""
    return _drawn("pairing code", key, PAIRING_CODE_LENGTH)


def _drawn(purpose: str, key: str, length: int) -> str:
    drawn = int.from_bytes(salted_hmac(purpose, key, algorithm="sha256").digest())
    places = [len(ALPHABET) ** place for place in range(length)]
    return "".join(ALPHABET[drawn // place % len(ALPHABET)] for place in places)


def in_groups(code: str) -> str:
    """In two halves, as one reads it aloud."""
    half = len(code) // 2
    return f"{code[:half]} {code[half:]}"


def cleaned(typed: str) -> str:
    return "".join(typed.split()).replace("-", "").upper()


def hash_of_code(code: str) -> str:
    """Keyed: a bare hash of so few characters is undone in seconds by whoever reads a backup."""
    return salted_hmac("short code", code, algorithm="sha256").hexdigest()
