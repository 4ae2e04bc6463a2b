"""Exit with 0 when the service works: `healthy.py web` or `healthy.py clock`. Settings as the site reads them.

It reads settings and asks the database, but loads nothing else of the site: it runs once a minute for ever.
"""

import os
import sys
import urllib.request
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")

from django.conf import settings
from django.db import connection, connections

from alliance.operations.listening import listening

# The clock that leads says every few seconds that it lives.
AWAY = timedelta(minutes=2)


def web():
    # The site answers to its own name alone, also to this question from inside.
    host = settings.ALLOWED_HOSTS[0]
    request = urllib.request.Request(f"http://127.0.0.1:{listening().port}/healthz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - http on 127.0.0.1
        return answer.status == 200


def clock():
    warnings.filterwarnings("ignore", message="Accessing the database during app initialization")
    connections.settings["default"]["OPTIONS"].pop("pool", None)  # one question, one connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT beat_at FROM alliance_clockbeat")
        row = cursor.fetchone()
    if row is None:
        return False
    # SQLite has no moments of its own: Django writes them in UTC.
    beat_at = datetime.fromisoformat(f"{row[0]}+00:00") if isinstance(row[0], str) else row[0]
    return datetime.now(UTC) - beat_at < AWAY


if __name__ == "__main__":
    service = sys.argv[1]
    try:
        sys.exit(0 if {"web": web, "clock": clock}[service]() else f"{service}: it gives no sign of life.")
    except Exception as error:  # whatever it is: one line for the log of the supervisor
        sys.exit(f"{service}: {type(error).__name__}: {error}")
