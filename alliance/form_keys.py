"""The key of a form that adds something: sent twice by whatever the browser does, it adds one row.

The page makes the key when it is drawn, and the row that is added keeps it, unique. A second press, a reload of the
answer, Back and another press bring the same key, and the action returns what it made the first time. The same form
opened again has another key: whether that is the same thing once more, a person is asked.
"""

import base64
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from django import forms
from django.http import QueryDict
from django.utils.crypto import salted_hmac

FORM_KEY = "form_key"


class FormKeyField(forms.UUIDField):
    """A hidden key, which each drawn page makes anew, and which a page that is shown again with errors keeps."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=uuid4)


def key_of(posted: QueryDict) -> UUID | None:
    """The key that a form without a `FormKeyField` brings along."""
    try:
        return UUID(posted.get(FORM_KEY, ""))
    except ValueError:
        return None


def key_of_press(form_key: UUID | None, *press: object) -> UUID | None:
    """The key of one press on a form with several buttons: another button, or another choice, is not a repetition."""
    if form_key is None:
        return None
    return uuid5(NAMESPACE_OID, " ".join([form_key.hex, *map(str, press)]))


def secret_of(key: UUID, purpose: str) -> str:
    """256 bits, always the same for this key, which nobody can tell who has the key and not the site's own secret.

    So a repeated press is shown the same link, and still only its hash is stored.
    """
    digest = salted_hmac(f"form key: {purpose}", key.hex, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
