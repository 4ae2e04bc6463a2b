"""Where the web server listens, and on how much: read from the environment and from .env, without the rest of the site.

The start script, `scripts/healthy.py` and `manage.py demo` ask here, so that one file is right for all three.
"""

from dataclasses import dataclass
from pathlib import Path

from alliance.environment import Environment, SettingError

WAITING = 12
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Listening:
    host: str
    port: int
    workers: int
    # Of each worker: more than its connections to the database. Whoever waits for one waits here and is told after
    # some seconds; a file, a probe and a refusal need none, and are answered while all connections wait for a lock.
    threads: int


def listening(env: Environment | None = None) -> Listening:
    env = env or Environment(ROOT / ".env")
    port = env.whole("PORT", 8000, least=1)
    if port > 65535:
        raise SettingError(f"PORT is {port}; write a number such as 8000.")
    return Listening(
        host=env.text("BIND", "127.0.0.1"),
        port=port,
        workers=env.whole("WORKERS", 2, least=1),
        threads=env.whole("DATABASE_POOL", 4, least=1) + WAITING,
    )
