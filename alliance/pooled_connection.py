"""A connection of the pool that is looked at, and not asked, whether it still works.

The pool asks each connection before every request, so that none is dead after a restart of PostgreSQL: one
journey to the database and back, as much as a small query. A server that ends a connection says so or closes
it, and then the socket can be read: only in that case is the question sent. A host that vanished without a
word is noticed by neither: the question would wait as long as the first query does.
"""

import select
from typing import Any

import psycopg

THE_POOLS_QUESTION = ""  # psycopg_pool.ConnectionPool.check_connection


class PooledConnection(psycopg.Connection[Any]):
    def execute(self, query: Any, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        if query == THE_POOLS_QUESTION and not self.closed and not self._was_told_something():
            return self.cursor()
        return super().execute(query, *args, **options)

    def _was_told_something(self) -> bool:
        waiting = select.poll()
        waiting.register(self.fileno(), select.POLLIN)
        return bool(waiting.poll(0))
