"""Django's LOGGING: one line for each record, to where the service's own output goes."""

import logging
from typing import Any

# Our log lines name no thread and no process, so Python need not look them up.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
LINES = {"json": "JsonLines", "plain": "PlainLines"}


def logging_of(lines: str, *, notices: bool, sentry: bool) -> dict[str, Any]:
    handlers: dict[str, dict[str, Any]] = {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["said elsewhere"]},
        # The list of erasures that outlives the database is read again as it stands: `manage.py replay_erasures`.
        "list": {"class": "logging.StreamHandler"},
    }
    if notices:
        handlers["notices"] = {"class": "alliance.operations.error_notices.ByMail", "level": "ERROR"}
    if sentry:
        handlers["sentry"] = {"class": "alliance.operations.sentry_notices.ToSentry", "level": "ERROR"}
    everywhere = [name for name in handlers if name != "list"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"alliance.operations.log_lines.{LINES[lines]}"}},
        "filters": {"said elsewhere": {"()": "alliance.operations.log_lines.SaidElsewhere"}},
        "handlers": handlers,
        "root": {"handlers": everywhere, "level": "WARNING"},
        "loggers": {
            "alliance.requests": {"level": "INFO"},
            "alliance.erasures": {"handlers": ["list"]},
            # Django's own handlers would show errors with all values, and mail them.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
