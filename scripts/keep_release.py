"""Keep a dump of this version's database for each engine, with invented data: tests/upgrades/<version>/.

`make release` runs it, just before the tag. Every later version is tested to upgrade from it. It may be run again while
the version is not tagged, and has to be where a migration was made anew.
"""

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.upgrades.restored import POSTGRESQL, SQLITE, pg_dump  # noqa: E402

with (ROOT / "pyproject.toml").open("rb") as _file:
    VERSION = tomllib.load(_file)["project"]["version"]
FOLDER = ROOT / "tests" / "upgrades" / VERSION
TRY_OUT = {"DEMO": "on", "DEMO_ON_POSTGRESQL": "on"}


def filled(url: str) -> None:
    """A database of this version, with the people and marks of the demo."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, **TRY_OUT}
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "demo", "--only-prepare"], env=environment, check=True
    )


def keep(name: str, sql: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    data = gzip.compress(sql.encode(), 9, mtime=0)
    (FOLDER / name).write_bytes(data)
    print(f"{FOLDER.relative_to(ROOT) / name}: {len(data) // 1024} kB")


def main() -> int:
    if "THROW_AWAY_DATABASE" not in os.environ:
        print("Run it with `make release`: it fills a database that is thrown away.", file=sys.stderr)
        return 2
    tag = ["git", "rev-parse", "-q", "--verify", f"refs/tags/{VERSION}"]
    if subprocess.run(tag, cwd=ROOT, check=False, capture_output=True).returncode == 0:
        print(
            f"{VERSION} is tagged: what was released stays as it was. Raise the version first.",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "release.sqlite3")
        filled(f"sqlite:///{path}")
        with sqlite3.connect(path) as database:
            keep(SQLITE, "\n".join(database.iterdump()) + "\n")
        database.close()
    filled(os.environ["DATABASE_URL"])
    keep(POSTGRESQL, pg_dump(os.environ["DATABASE_URL"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
