"""What the requests of one page cost in PostgreSQL: statements, their time, and the CPU of its processes."""

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg

NEEDED = "-c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_planning=on"


@dataclass(frozen=True)
class Spent:
    """In one database so far. statements: without BEGIN and COMMIT; ms: planned and executed."""

    statements: int
    ms: float
    cpu_seconds: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.statements + other.statements,
            self.ms + other.ms,
            self.cpu_seconds + other.cpu_seconds,
        )

    def since(self, before: "Spent") -> "Spent":
        return Spent(
            self.statements - before.statements,
            self.ms - before.ms,
            self.cpu_seconds - before.cpu_seconds,
        )


class Server:
    """The throw-away PostgreSQL, seen from a database of its own that no page uses."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = psycopg.connect(url, autocommit=True)
        if self._one("SHOW shared_preload_libraries") != "pg_stat_statements":
            raise SystemExit(f"PostgreSQL was started without {NEEDED}")
        self._connection.execute("CREATE EXTENSION pg_stat_statements")
        # Planning counts, and utility statements (BEGIN, COMMIT) do not. Autovacuum would work beside some pages only.
        for setting in ("pg_stat_statements.track_utility = off", "autovacuum = off"):
            self._connection.execute(f"ALTER SYSTEM SET {setting}")
        self._connection.execute("SELECT pg_reload_conf()")

    def add_database(self, name: str) -> str:
        """A new database; its address."""
        self._connection.execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        return f"{self._url.rpartition('/')[0]}/{name}"

    def version(self) -> str:
        return str(self._one("SHOW server_version")).split()[0]

    def spent(self, database: str) -> Spent:
        row = self._connection.execute(
            "SELECT coalesce(sum(calls), 0), coalesce(sum(total_plan_time + total_exec_time), 0) "
            "FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid WHERE datname = %s",
            [database],
        ).fetchone()
        assert row is not None
        return Spent(int(row[0]), float(row[1]), self._cpu_seconds(database))

    def slowest(self, database: str, most: int = 6) -> list[tuple[float, float, str]]:
        """The statements of this database that took longest: ms to plan and to execute, first and last words."""
        rows = self._connection.execute(
            "SELECT total_plan_time / calls, total_exec_time / calls, regexp_replace(query, '\\s+', ' ', 'g') "
            "FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid WHERE datname = %s AND calls > 5 "
            "ORDER BY (total_plan_time + total_exec_time) / calls DESC LIMIT %s",
            [database, most],
        )
        return [(float(plan), float(run), f"{text[:150]} ... {text[-150:]}") for plan, run, text in rows]

    def forget(self) -> None:
        """What filling has cost is nobody's concern."""
        self._connection.execute("SELECT pg_stat_statements_reset()")

    def _cpu_seconds(self, database: str) -> float:
        """Of the processes that serve this database, and of all that ended. Linux alone tells; NaN elsewhere."""
        pids = self._connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type LIKE '%%backend'",
            [database],
        ).fetchall()
        try:
            parent = _fields(_fields(self._one("SELECT pg_backend_pid()"))[1])
            ticks = sum(map(int, parent[13:15]))  # of children that ended, proc(5)
            ticks += sum(sum(map(int, _fields(pid)[11:13])) for (pid,) in pids)
        except OSError:
            return float("nan")
        return ticks / os.sysconf("SC_CLK_TCK")

    def _one(self, statement: str) -> object:
        row = self._connection.execute(statement).fetchone()
        assert row is not None
        return row[0]


def _fields(pid: object) -> list[str]:
    """The fields of proc(5) from the state on; the parent is the second."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
