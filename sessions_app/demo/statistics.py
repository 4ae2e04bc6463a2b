"""What PostgreSQL knows of the rows that the demo has just written."""

from django.apps import apps
from django.db import connection

OUR_APPS = ("alliance", "clients", "sessions_app")


def renew() -> None:
    """Tell PostgreSQL's planner how many rows there are; nothing on SQLite.

    Without it, it plans for empty tables: a course of a thousand ratings took a second to read, and the conversations
    of the demo took more than five minutes to write. The tables are named: ANALYZE alone also locks what all databases
    of a server share, until we commit.
    """
    if connection.vendor != "postgresql":
        return
    ours = [app.get_models(include_auto_created=True) for app in map(apps.get_app_config, OUR_APPS)]
    tables = [connection.ops.quote_name(model._meta.db_table) for models in ours for model in models]
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")
