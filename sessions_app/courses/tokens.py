"""Keys that are given away once: whoever reads the database learns none of them."""

import hashlib
import secrets


def hash_of_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 bits. Only its hash is stored."""
    return secrets.token_urlsafe(32)
