"""Seals a delivery as the client's page does (static/rate/seal.js), with another library."""

import json
import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alliance import sealing

P256 = ec.SECP256R1()


def seal(content: bytes, *, bound_to: str, to: tuple[str, str] | None = None) -> dict[str, str]:
    """`to`: name and public key of the server, as its form pages give them."""
    name, public = to or sealing.public_key()
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(P256, sealing.as_bytes(public))
    ours, nonce = ec.generate_private_key(P256), secrets.token_bytes(12)
    shared = ours.exchange(ec.ECDH(), theirs)
    info = b"session alliance: sealed marks"
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=bytes(32), info=info).derive(shared)
    sender = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sealed = AESGCM(key).encrypt(nonce, content, bound_to.encode())
    return {
        "key": name,
        "sender": sealing.as_text(sender),
        "nonce": sealing.as_text(nonce),
        "sealed": sealing.as_text(sealed),
    }


def parcel(
    token: str, marks: dict[str, Any] | str, *, delivery: str | None = None, at: Any = 0, **options: Any
) -> dict[str, str]:
    """A whole delivery; `marks` as the form's fields, or as the text that stands for them."""
    delivery = delivery or str(uuid4())
    body = marks if isinstance(marks, str) else urlencode(marks)
    content = json.dumps({"token": token, "marks": body, "at": at}).encode()
    return {"delivery": delivery, **seal(content, bound_to=delivery, **options)}
