"""What a device sends when it delivers marks: a sealed envelope, read here and nowhere else.

{"delivery": UUID made by the page, "key": name of the server's key, "sender", "nonce", "sealed": base64url}
Inside the seal: {"token": permission to deliver for one grant, "marks": as the form would send them, "at":
milliseconds of the device's clock}. The delivery's UUID is bound to the seal, so that no copy
passes for another delivery.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID

from django.core.exceptions import TooManyFieldsSent
from django.core.signing import BadSignature, Signer
from django.http import QueryDict

from alliance import sealing
from alliance.sealing import CannotOpen, Envelope, as_bytes
from sessions_app.courses.erased_grants import is_erased
from sessions_app.courses.grants import RatingGrant

__all__ = ["CannotOpen", "Delivery", "Unreadable", "claim", "grant_of", "read", "token_for"]


# Signed and not stored: a tablet that fetched its form again holds another browser token by then, and
# marks from before must still find their grant. It delivers, and opens no page.
_SALT = "delivery of marks"
# Far from the ends of the calendar: a moment near them has no date in some zones, and breaks the page.
_CLAIMS_FROM, _CLAIMS_UNTIL = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def token_for(grant: RatingGrant) -> str:
    return Signer(salt=_SALT).sign_object(grant.code.hex)


def grant_of(token: str) -> RatingGrant | None:
    code = _code_in(token)
    if code is None:
        return None
    return RatingGrant.every.filter(code=code).select_related("session__episode__client", "wording").first()


def is_of_an_erased_client(token: str) -> bool:
    code = _code_in(token)
    return code is not None and is_erased(code)


def _code_in(token: str) -> UUID | None:
    try:
        return UUID(Signer(salt=_SALT).unsign_object(token))
    except (BadSignature, ValueError):
        return None


class Unreadable(ValueError):
    """This is no delivery: nobody's page sends it."""


@dataclass(frozen=True)
class Delivery:
    """Marks on their way. `claimed_at` is what the device's clock said: kept as claimed, trusted in nothing."""

    id: UUID
    token: str
    marks: str
    claimed_at: datetime | None

    def as_posted(self) -> QueryDict:
        try:
            return QueryDict(self.marks)
        except TooManyFieldsSent as error:
            raise Unreadable("Too many fields.") from error


def read(body: bytes) -> Delivery:
    """Raises Unreadable, or CannotOpen where the seal does not open."""
    outside = _object(body)
    try:
        delivery = UUID(_text(outside, "delivery"))
        sender, nonce, sealed = (as_bytes(_text(outside, name)) for name in ("sender", "nonce", "sealed"))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    envelope = Envelope(_text(outside, "key"), sender, nonce, sealed)
    inside = _object(sealing.opened(envelope, bound_to=str(delivery)))
    return Delivery(delivery, _text(inside, "token"), _text(inside, "marks"), _moment(inside.get("at")))


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(found, dict):
        raise Unreadable("This is no object.")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name stands there twice.")
    return found


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is missing.")
    try:
        value.encode()  # JSON can hold half a character, which no database takes
    except UnicodeEncodeError as error:
        raise Unreadable(f"{name} is no text.") from error
    return value


def _moment(milliseconds: Any) -> datetime | None:
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    try:
        return claim(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def claim(moment: datetime | None) -> datetime | None:
    """A clock of 1970 is a claim too, and one of 2099; one that nobody's clock can show is none."""
    return moment if moment and _CLAIMS_FROM <= moment < _CLAIMS_UNTIL else None
