"""Notices of errors to a service that speaks as Sentry does (SENTRY_DSN): what the log has of them, and nothing else.

sentry-sdk is here the sender alone. Its integrations, which read requests, queries, local variables and the process,
are all off; what is sent is put together below, and `_only_that` drops whatever a new release should add.
"""

import logging
from typing import Any

from django.conf import settings

from alliance.operations.log_lines import Fields, fields_of

_MAY_BE_SENT = frozenset(
    {
        "event_id",
        "timestamp",
        "platform",
        "level",
        "logger",
        "message",
        "exception",
        "tags",
        "sdk",
        "fingerprint",
    }
)


def begin(transport: Any = None) -> Any:
    """The client, bound to nothing of this process."""
    import sentry_sdk  # only where it is asked for

    class OnlyThere(sentry_sdk.HttpTransport):
        """The package's own, but a notice goes to the address of the setting or nowhere."""

        def _request(self, method: str, endpoint_type: Any, body: Any, headers: Any) -> Any:
            address = self._auth.get_api_url(endpoint_type)
            return self._pool.request(method, address, body=body, headers=headers, redirect=False)

    return sentry_sdk.Client(
        dsn=settings.SENTRY_DSN,
        transport=transport or OnlyThere,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[],
        # No `send_default_pii`: left out it is off, and naming it is deprecated. A test looks that it stays so.
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        attach_stacktrace=False,
        traces_sample_rate=None,
        profiles_sample_rate=None,
        auto_session_tracking=False,
        send_client_reports=False,
        propagate_traces=False,
        server_name="",
        release="",  # else it asks git
        enable_metrics=False,
        before_send=_only_that,
    )


class ToSentry(logging.Handler):
    def __init__(self, transport: Any = None) -> None:
        super().__init__(logging.ERROR)
        self._transport = transport
        self._client: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(("sentry_sdk", "urllib3")):
            return
        try:
            if self._client is None:
                self._client = begin(self._transport)
            self._client.capture_event(event_of(fields_of(record)))
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging calls it so
        """Never Python's own, which prints the record with all its values."""

    def close(self) -> None:
        if self._client is not None:
            self._client.close(timeout=2.0)
        super().close()


def event_of(fields: Fields) -> dict[str, Any]:
    event: dict[str, Any] = {
        "platform": "python",
        "level": fields["level"],
        "logger": fields["logger"],
        "message": fields["message"],
        "tags": {name: fields[name] for name in ("number", "route") if name in fields},
    }
    if error := fields.get("error"):
        # The oldest first, as Sentry has them.
        chain = [*reversed(error.get("came_from", [])), error]
        event["exception"] = {"values": [_value(one) for one in chain]}
    return event


def _value(error: Fields) -> dict[str, Any]:
    names = {name: error[name] for name in error if name not in ("type", "stack", "came_from")}
    return {
        "type": error["type"],
        "value": " ".join(f"{name}={value}" for name, value in names.items()),
        "stacktrace": {"frames": [_frame(line) for line in error["stack"]]},
    }


def _frame(line: str) -> dict[str, Any]:
    """Out of a line of the stack: "alliance/mail.py:12 in sent: the source"."""
    place, _, rest = line.partition(" in ")
    file, _, number = place.rpartition(":")
    function, _, source = rest.partition(": ")
    frame: dict[str, Any] = {
        "filename": file,
        "function": function,
        "context_line": source,
        "in_app": "/" in file,
    }
    return {**frame, "lineno": int(number)} if number.isdigit() else frame


def _only_that(event: Any, _hint: Any) -> Any:
    return {name: event[name] for name in event if name in _MAY_BE_SENT}
