"""A command of the site run on a copy of its database, in a process of its own: `manage.py work_on_copy`.

A process, because a connection, a cache and a registry of this one belong to the database of the site: nothing that
is tried on a copy may reach the other one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from alliance.operations.databases import Copy
from alliance.operations.failed import Failed

# The name of the copy: without it, and on another database, the command refuses.
COPY_IS = "COPY_OF_THE_DATABASE"
# Nothing that happens on a copy is anybody's concern outside.
SILENT = {"BACKUP_DATABASE_URL": "", "EMAIL_URL": "dummymail://", "SENTRY_DSN": "", "ERROR_NOTICES": ""}


def work_on(copy: Copy, *, what: str, **told: Any) -> dict[str, Any]:
    """What `manage.py work_on_copy` answers. Raises `Failed` where it fails, with its last line."""
    around: Mapping[str, str] = {**os.environ, "DATABASE_OWNER_URL": "", **SILENT, **copy.environment}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "django", "work_on_copy", what],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        env={
            **around,
            COPY_IS: copy.name,
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "PYTHONPATH": os.pathsep.join([str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]),
        },
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "it did not say why").splitlines()
        raise Failed(f"The restored copy could not be worked on: {lines[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
