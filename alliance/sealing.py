"""Envelopes that only the server opens.

A device in a client's hands keeps marks it could not send yet. They are sealed to the server's public key,
so that the device, and whoever holds it, cannot read its own queue: ECDH on P-256 with a key made for
one envelope, HKDF with SHA-256, AES-GCM with 256 bits. All three are in every browser's own WebCrypto.

The private key is drawn from SECRET_KEY, and older ones from SECRET_KEY_FALLBACKS: whoever changes the
key keeps the old one there until the last grant made under it is past (7 days).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alliance import site_keys

CURVE = ec.SECP256R1()
# The order of the curve's group (FIPS 186-4, D.1.2.3): a private key is a number from 1 to it less one.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FOR_KEYS = b"session alliance: key for sealed marks"
FOR_ENVELOPES = b"session alliance: sealed marks"


class CannotOpen(Exception):
    """The envelope is damaged, or sealed to a key this server does not hold."""


@dataclass(frozen=True)
class Envelope:
    """What travels. `key_id` names the key it is sealed to, `sender` is the public half of the other one."""

    key_id: str
    sender: bytes
    nonce: bytes
    sealed: bytes


def public_key() -> tuple[str, str]:
    """Name and public key (an uncompressed point, base64url) to seal to now."""
    return public_key_of(site_keys.secrets()[0])


def public_key_of(secret: str) -> tuple[str, str]:
    """The same of another SECRET_KEY."""
    private = _private_key(secret)
    return _name_of(private), as_text(_point(private))


def opened(envelope: Envelope, bound_to: str) -> bytes:
    """The content. `bound_to`: what it was sealed together with; other text there opens nothing."""
    try:
        sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, envelope.sender)
        shared = _held(envelope.key_id).exchange(ec.ECDH(), sender)
        key = _derived(shared, 32, FOR_ENVELOPES)
        return AESGCM(key).decrypt(envelope.nonce, envelope.sealed, bound_to.encode())
    except (ValueError, InvalidTag) as error:
        raise CannotOpen(str(error)) from error


def as_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def as_bytes(text: str) -> bytes:
    """Raises ValueError where `text` is no base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("This is no base64url.") from error


def _held(key_id: str) -> ec.EllipticCurvePrivateKey:
    for secret in site_keys.secrets():
        if _name_of(_private_key(secret)) == key_id:
            return _private_key(secret)
    raise CannotOpen("It is sealed to a key that this server does not hold.")


@cache
def _private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    # 128 bits more than needed make the remainder even (FIPS 186-4, B.4.1).
    drawn = int.from_bytes(site_keys.derived(secret, FOR_KEYS, 48))
    return ec.derive_private_key(drawn % (ORDER - 1) + 1, CURVE)


def _derived(shared: bytes, length: int, purpose: bytes) -> bytes:
    derive: Any = HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose)
    derived: bytes = derive.derive(shared)
    return derived


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _name_of(private: ec.EllipticCurvePrivateKey) -> str:
    return hashlib.sha256(_point(private)).hexdigest()[:16]
