"""PostgreSQL: dumped from one exported snapshot, restored into a database beside, which then takes the other's name."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql as words
from psycopg.conninfo import make_conninfo

from alliance.operations.databases import FORGOTTEN_AFTER_HOURS
from alliance.operations.failed import Failed
from alliance.operations.postgresql_tools import environment, parameters, tool

READ_AT_ONCE = 1024 * 1024
STAMP = "%Y%m%dt%H%M%S"
# From where databases are made and renamed: nobody can rename the one they are in.
MAINTENANCE = ("postgres", "template1")
LONGEST_NAME = 63


class PostgreSQL:
    engine = "postgresql"

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self.connecting = parameters(found)
        self.name = self.connecting["dbname"]

    def version(self) -> str:
        with self._at_the_server() as server:
            return f"{server.info.server_version // 10000}.{server.info.server_version % 10000}"

    def major(self) -> int:
        with self._at_the_server() as server:
            return server.info.server_version // 10000

    def find_tools(self) -> None:
        """Raises `Failed` where pg_dump or pg_restore is missing or too old."""
        for name in ("pg_dump", "pg_restore"):
            tool(name, self.major())

    @contextmanager
    def snapshot(self) -> Iterator["PostgreSQLSnapshot"]:
        dumping = tool("pg_dump", self.major())
        with self.connected(self.name) as connected:
            connected.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
            connected.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            exported = _only(connected.execute("SELECT pg_export_snapshot()"))
            yield PostgreSQLSnapshot(connected, str(exported), dumping, environment(self.connecting))

    @contextmanager
    def new_copy(self) -> Iterator["PostgreSQLCopy"]:
        restoring = tool("pg_restore", self.major())
        now = datetime.now(UTC)
        name = f"{self.name[: LONGEST_NAME - 24]}_copy_{now:{STAMP}}"
        with self._at_the_server() as server:
            self._drop_forgotten(server, now)
            try:
                server.execute(self._new_database(server, name))
            except psycopg.errors.InsufficientPrivilege as error:
                raise Failed(
                    f"The role {self.connecting.get('user', '')} of PostgreSQL may not make a database beside the "
                    "site's: let its superuser say ALTER ROLE ... CREATEDB."
                ) from error
        copy = PostgreSQLCopy(name, self, restoring)
        try:
            yield copy
        finally:
            if not copy.in_place:
                with self._at_the_server() as server:
                    server.execute(
                        words.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(words.Identifier(name))
                    )

    def has_rows(self) -> bool:
        try:
            return self.ask("SELECT to_regclass('django_migrations')") != [(None,)]
        except psycopg.OperationalError as error:
            if f'database "{self.name}" does not exist' in str(error):
                return False
            raise Failed(f"PostgreSQL does not let us in: {error}") from error

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connected(self.name) as connected:
            return _asked(connected, sql)

    def refuse_if_in_use(self) -> None:
        with self._at_the_server() as server:
            others = server.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
                [self.name],
            )
            if count := _only(others):
                raise Failed(
                    f"{count} connections to the database {self.name} are open: stop the site first, and its clock "
                    "(the services web and clock), and start them again afterwards."
                )

    @contextmanager
    def connected(self, name: str) -> Iterator["psycopg.Connection[Any]"]:
        with psycopg.connect(self._address_of(name), autocommit=True) as found:
            yield found

    @contextmanager
    def _at_the_server(self) -> Iterator["psycopg.Connection[Any]"]:
        problem: Exception | None = None
        for name in MAINTENANCE:
            try:
                found = psycopg.connect(self._address_of(name), autocommit=True)
            except psycopg.OperationalError as error:
                problem = error
                continue
            with found:
                yield found
            return
        raise Failed(f"PostgreSQL does not let us in: {problem}") from problem

    def _address_of(self, name: str) -> str:
        return make_conninfo(**{**self.connecting, "dbname": name, "connect_timeout": "10"})

    def url(self, name: str, *, of: Mapping[str, str]) -> str:
        others = {
            key: value
            for key, value in of.items()
            if key not in ("host", "port", "user", "password", "dbname")
        }
        address = (
            f"{quote(of.get('host', ''), safe='')}:{of['port']}" if of.get("port") else of.get("host", "")
        )
        asked = f"?{urlencode(others)}" if others else ""
        who = f"{quote(of.get('user', ''), safe='')}:{quote(of.get('password', ''), safe='')}"
        return f"postgres://{who}@{address}/{quote(name, safe='')}{asked}"

    def swap(self, copy: str) -> str:
        """`copy` takes the name of the site's database. How that one is called now."""
        ours, theirs = words.Identifier(self.name), words.Identifier(copy)
        kept = f"{self.name[: LONGEST_NAME - 25]}_before_{datetime.now(UTC):{STAMP}}"
        with self._at_the_server() as server:
            there = _asked(server, "SELECT datname FROM pg_database")
            if (self.name,) not in there:
                server.execute(words.SQL("ALTER DATABASE {} RENAME TO {}").format(theirs, ours))
                return ""
            self._give_the_same_rights(server, copy)
            server.execute(words.SQL("ALTER DATABASE {} RENAME TO {}").format(ours, words.Identifier(kept)))
            try:
                server.execute(words.SQL("ALTER DATABASE {} RENAME TO {}").format(theirs, ours))
            except psycopg.Error:
                server.execute(
                    words.SQL("ALTER DATABASE {} RENAME TO {}").format(words.Identifier(kept), ours)
                )
                raise
        return kept

    def _give_the_same_rights(self, server: "psycopg.Connection[Any]", copy: str) -> None:
        """Who may connect: these rights are of the database itself, and no dump carries them."""
        found = server.execute(
            "SELECT privilege_type, CASE grantee WHEN 0 THEN '' ELSE pg_get_userbyid(grantee) END "
            "FROM pg_database, aclexplode(datacl) WHERE datname = %s AND datacl IS NOT NULL",
            [self.name],
        ).fetchall()
        if not found:
            return  # as PostgreSQL makes every database
        named = words.Identifier(copy)
        server.execute(words.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(named))
        for right, role in found:
            server.execute(
                words.SQL("GRANT {} ON DATABASE {} TO {}").format(
                    words.SQL(right), named, words.Identifier(role) if role else words.SQL("PUBLIC")
                )
            )

    def _new_database(self, server: "psycopg.Connection[Any]", name: str) -> words.Composed:
        """Sorted and compared as the one of the site, where there is one."""
        made = words.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
            words.Identifier(name)
        )
        found = server.execute(
            "SELECT datcollate, datctype FROM pg_database WHERE datname = %s AND datlocprovider = 'c'",
            [self.name],
        ).fetchone()
        if found is None:
            return made
        return made + words.SQL(" LC_COLLATE {} LC_CTYPE {}").format(*map(words.Literal, found))

    def _drop_forgotten(self, server: "psycopg.Connection[Any]", now: datetime) -> None:
        begins = f"{self.name[: LONGEST_NAME - 24]}_copy_"
        before = f"{begins}{now - timedelta(hours=FORGOTTEN_AFTER_HOURS):{STAMP}}"
        found = server.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) AND datname < %s",
            [begins, before],
        )
        for (name,) in found.fetchall():
            server.execute(
                words.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(words.Identifier(name))
            )


class PostgreSQLSnapshot:
    def __init__(
        self, connected: "psycopg.Connection[Any]", exported: str, dumping: str, around: dict[str, str]
    ) -> None:
        self._connected, self._exported, self._dumping, self._around = connected, exported, dumping, around

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return _asked(self._connected, sql)

    def content(self) -> Iterator[bytes]:
        """What pg_dump says, of the same moment as what `ask` is told."""
        # Owners and rights are those of the place where it is restored. Pressed lightly: it keeps pace with disks.
        asked = [
            "--format=custom",
            "--compress=1",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={self._exported}",
        ]
        with tempfile.TemporaryFile() as complaints:
            with subprocess.Popen(  # noqa: S603
                [self._dumping, *asked], stdout=subprocess.PIPE, stderr=complaints, env=self._around
            ) as dump:
                assert dump.stdout is not None
                try:
                    while some := dump.stdout.read(READ_AT_ONCE):
                        yield some
                except BaseException:
                    dump.kill()
                    raise
            if dump.returncode:
                raise Failed(self._why(_last_words(complaints)))

    def _why(self, said: str) -> str:
        if "permission denied" not in said:
            return f"pg_dump failed: {said}"
        return (
            f"The role {self._around.get('PGUSER', '')} of PostgreSQL may not read everything: name one that may in "
            "BACKUP_DATABASE_URL (deploy/postgresql/roles.sh makes one)."
        )


class PostgreSQLCopy:
    def __init__(self, name: str, site: PostgreSQL, restoring: str) -> None:
        self.name, self._site, self._restoring = name, site, restoring
        self.in_place = False

    @property
    def environment(self) -> Mapping[str, str]:
        return {"DATABASE_URL": self._site.url(self.name, of=self._site.connecting)}

    def load(self, content: Iterable[bytes]) -> None:
        asked = ["--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={self.name}"]
        around = environment({**self._site.connecting, "dbname": self.name})
        with tempfile.TemporaryFile() as complaints:
            restore = subprocess.Popen(  # noqa: S603
                [self._restoring, *asked],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=around,
            )
            try:
                _feed(restore, content)
            except BaseException:
                restore.kill()
                raise
            finally:
                with contextlib.suppress(BrokenPipeError):
                    restore.stdin.close()  # type: ignore[union-attr]
                restore.wait()
            if restore.returncode:
                raise Failed(f"pg_restore failed: {_last_words(complaints)}")
        with self._site.connected(self.name) as connected:
            connected.execute("ANALYZE")  # else the first plans are guesses

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self._site.connected(self.name) as connected:
            return _asked(connected, sql)

    def put_in_place(self) -> str:
        self._site.refuse_if_in_use()
        before = self._site.swap(self.name)
        self.in_place = True
        return before


def _asked(connected: "psycopg.Connection[Any]", sql: str) -> list[tuple[Any, ...]]:
    return connected.execute(sql.encode()).fetchall()


def _feed(process: "subprocess.Popen[bytes]", content: Iterable[bytes]) -> None:
    """All of `content`, also where the process has ended before: only at its end is known whether it was whole."""
    assert process.stdin is not None
    pipe: Any = process.stdin
    for some in content:
        try:
            if pipe:
                pipe.write(some)
        except BrokenPipeError:
            pipe = None


def _only(cursor: "psycopg.Cursor[Any]") -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _last_words(complaints: Any) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return " ".join(lines[-2:]) or "it did not say why."
