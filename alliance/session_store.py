"""The sessions of browsers: Django's database engine, with the person of a session fetched along with it.

Every request of staff needs three things: the session, who it belongs to, and whether they have a second
factor. They come in one query here, and are read anew at each request, so that whatever is taken away
from a person is gone at their next one.
"""

from functools import cache
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from alliance.models import BrowserSession, User


class SessionStore(db.SessionStore):
    """`person`: whom the row named when it was read. Not yet proof of a sign-in: see `signed_in`."""

    person: User | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def load(self) -> dict[str, Any]:
        # Written out: Django takes longer to put this query together than the database to answer it.
        row = next(iter(User.objects.raw(_session_and_person(), [self.session_key, timezone.now()])), None)
        if row is None:
            self._session_key = None
            return {}
        self.person = row if row.pk else None
        row.holds_second_factor = bool(row.holds_second_factor)
        held: dict[str, Any] = self.decode(row.session_data)
        return held

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        row = super().create_model_instance(data)
        assert isinstance(row, BrowserSession)
        named = data.get(auth.SESSION_KEY)
        row.person_id = UUID(named) if named else None
        return row


@cache
def _session_and_person() -> str:
    person, factor = User._meta, Authenticator._meta
    columns = ", ".join(f"person.{field.column}" for field in person.concrete_fields)
    return (
        f"SELECT {columns}, held.session_data, EXISTS("  # noqa: S608 - names of our own tables alone
        f"SELECT 1 FROM {factor.db_table} factor WHERE factor.user_id = person.id) AS holds_second_factor "
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
