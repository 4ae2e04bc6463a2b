"""Short ways to erase Olga's client in a test, and to look for what is left."""

from django.db import connection

from alliance.encrypted_field import encrypted_fields
from alliance.key_rotation import models_with_words
from alliance.models import BrowserSession
from alliance.session_store import SessionStore
from sessions_app.records import erasure_actions


def asked(clinic, **fields):
    given = {"client": clinic.olgas.client, "reason": "asked", "note": "", "by": clinic.adam, **fields}
    return erasure_actions.ask(**given)


def erase(clinic, **fields):
    return erasure_actions.confirm(erasure=asked(clinic, **fields), by=clinic.olga)


def everything():
    """Every table of the database, as text; sealed words, and what the server keeps for browsers, are read."""
    found = []
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found += [f"{table}: {row!r}" for row in cursor.fetchall()]
    for row in models_with_words():
        names = [one.name for one in encrypted_fields(row)]
        rows = row._base_manager.order_by("pk").values_list(*names)
        found += [f"{row._meta.db_table}, read: {list(map(str, words))!r}" for words in rows]
    store = SessionStore()
    found += [f"session: {store.decode(row.session_data)!r}" for row in BrowserSession.objects.all()]
    return "\n".join(found)
