"""pg_dump and pg_restore: where they are, and how they connect. No password stands in a list of processes."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from alliance.operations.failed import Failed

# Debian keeps those of each release apart; what is on PATH may be older.
APART = Path("/usr/lib/postgresql")
# Of libpq's own: what it calls each setting, and the variable of the environment.
_VARIABLES = {
    one.keyword.decode(): one.envvar.decode() for one in psycopg.pq.Conninfo.get_defaults() if one.envvar
}


def parameters(found: Mapping[str, Any]) -> dict[str, str]:
    """How to connect, from Django's settings of a database; without what is meant for the site's requests alone."""
    told = {
        "host": found["HOST"],
        "port": found["PORT"],
        "user": found["USER"],
        "password": found["PASSWORD"],
        "dbname": found["NAME"],
        **{name: value for name, value in found.get("OPTIONS", {}).items() if name in _VARIABLES},
    }
    # "options" would bring the short time-outs of requests along.
    return {name: str(value) for name, value in told.items() if value and name != "options"}


def environment(connecting: Mapping[str, str]) -> dict[str, str]:
    """The environment of a tool that connects so."""
    others = {name: value for name, value in os.environ.items() if name not in _VARIABLES.values()}
    return {
        **others,
        **{_VARIABLES[name]: value for name, value in connecting.items()},
        "PGCONNECT_TIMEOUT": "10",
    }


def tool(name: str, server: int) -> str:
    """The path of pg_dump or pg_restore that can read a server of this major version. Raises `Failed` without one."""
    on_path = shutil.which(name)
    apart = sorted(
        APART.glob(f"*/bin/{name}"), key=lambda path: _number(path.parent.parent.name), reverse=True
    )
    oldest = 0
    for path in [*([on_path] if on_path else []), *map(str, apart)]:
        version = _version(path)
        if version >= server:
            return path
        oldest = max(oldest, version)
    install = f"install the package postgresql-client-{server} (Debian, Ubuntu) and start this again."
    if not oldest:
        raise Failed(f"{name} is not on this machine: {install}")
    raise Failed(
        f"{name} is of PostgreSQL {oldest} and the server of {server}, which it cannot read: {install}"
    )


def _version(path: str) -> int:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
