"""A connection of one's own with short time-outs, for whoever asks whether the database answers at all.

Those of the pool have none that is short enough, and a pool with all of its connections taken is not a database that
is silent.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def bounded_connection(seconds: int) -> Iterator[None]:
    """Within this, all code of this thread has a new connection that waits `seconds` at most for each answer.

    Where the caller has a transaction open it keeps its own connection: another would not see what is written.
    """
    usual = connections[DEFAULT_DB_ALIAS]
    if usual.in_atomic_block:
        yield
        return
    own = usual.copy()
    options = own.settings_dict["OPTIONS"] = {**own.settings_dict["OPTIONS"]}
    if own.vendor == "postgresql":
        options.pop("pool", None)
        options["connect_timeout"] = max(seconds, 2)  # libpq knows nothing shorter
        options["tcp_user_timeout"] = seconds * 1000
        own.settings_dict["CONN_HEALTH_CHECKS"] = False
        waits = f"-c statement_timeout={seconds * 1000} -c lock_timeout={seconds * 1000}"
        options["options"] = f"{options.get('options', '')} {waits}".strip()
    else:
        options["timeout"] = seconds
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = usual
        own.close()
