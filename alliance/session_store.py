"""The sessions of browsers: Django's database engine, with the person of a session fetched along with it.

Every request of staff needs three things: the session, who it belongs to, and whether they have a second
factor. They come in one query here, and are read anew at each request, so that whatever is taken away
from a person is gone at their next one.

Reading the table is not signing in (docs/adr/0069): a row has the hash of its key, and what it keeps is sealed with
a key of the site. There is the token of a form that is open on a tablet, the secret of a second factor that is being
set up, and the label of the client in "K-1 is registered".
"""

import base64
import json
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from alliance.approvals import ApprovalNotice, ApprovalRequest
from alliance.models import BrowserSession, User
from alliance.session_keys import stored_key

# A clock that was a day ahead for a moment signed everybody out, and tablets could not hand in the form they showed.
KEPT_AFTER_ITS_END = timedelta(days=7)


class SessionStore(db.SessionStore):
    """`person`: whom the row named when it was read. Not yet proof of a sign-in: see `signed_in`."""

    person: User | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def encode(self, session_dict: dict[str, Any]) -> str:
        return _box().encrypt(json.dumps(session_dict).encode()).decode()

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        """Empty where it was sealed with a key that this site does not hold: one signs in again."""
        try:
            held: dict[str, Any] = json.loads(_box().decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}
        return held

    def load(self) -> dict[str, Any]:
        # Written out: Django takes longer to put this query together than the database to answer it.
        now = timezone.now()
        key = str(stored_key(self.session_key or ""))
        row = next(iter(User.objects.raw(_session_and_person(), [now, key, now])), None)
        if row is None:
            self._session_key = None
            return {}
        self.person = row if row.pk else None
        row.holds_second_factor = bool(row.holds_second_factor)
        row.approvals_are_due = bool(row.approvals_are_due)
        held: dict[str, Any] = self.decode(row.session_data)
        return held

    @classmethod
    def clear_expired(cls) -> None:
        """Only what ended long ago: what a wrong clock deletes does not come back when it is right."""
        cls.get_model_class().objects.filter(expire_date__lt=timezone.now() - KEPT_AFTER_ITS_END).delete()

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        row = super().create_model_instance(data)
        assert isinstance(row, BrowserSession)
        named = data.get(auth.SESSION_KEY)
        row.person_id = UUID(named) if named else None
        return row


def _box() -> MultiFernet:
    return _box_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _box_of(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    derive: Any = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"session alliance: sessions")
    return base64.urlsafe_b64encode(derive.derive(secret.encode()))


@cache
def _session_and_person() -> str:
    person, factor = User._meta, Authenticator._meta
    request, notice = ApprovalRequest._meta.db_table, ApprovalNotice._meta.db_table
    columns = ", ".join(f"person.{field.column}" for field in person.concrete_fields)
    return (
        f"SELECT {columns}, held.session_data, EXISTS("  # noqa: S608 - names of our own tables alone
        f"SELECT 1 FROM {factor.db_table} factor WHERE factor.user_id = person.id) AS holds_second_factor, "
        f"EXISTS(SELECT 1 FROM {request} due WHERE due.outcome = '' AND due.waits_until <= %s) AS approvals_are_due, "
        f"(SELECT COUNT(*) FROM {request} waiting WHERE waiting.outcome = '') AS approvals_waiting, "
        f"(SELECT COUNT(*) FROM {notice} notice WHERE notice.person_id = person.id AND notice.seen_at IS NULL) "
        "AS approvals_untold "
        f"FROM {BrowserSession._meta.db_table} held LEFT JOIN {person.db_table} person ON person.id = held.person_id "
        "WHERE held.session_key = %s AND held.expire_date > %s"
    )


def signed_in(request: HttpRequest) -> User | AnonymousUser:
    """Who is signed in on this browser: the person of its session, where everything that Django asks holds.

    Where anything does not (another key of the site, another password, a person who may not sign in any
    more), Django itself looks and decides.
    """
    held: Any = request.session
    backend = held.get(auth.BACKEND_SESSION_KEY)  # now the row is read
    person: User | None = held.person
    if (
        person is not None
        and person.is_active
        and backend in settings.AUTHENTICATION_BACKENDS
        and held.get(auth.SESSION_KEY) == str(person.pk)
        and constant_time_compare(held.get(auth.HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    ):
        return person
    found: User | AnonymousUser = auth.get_user(request)
    return found
