"""python -m tests.chaos: every fault of the servers while ratings arrive, and what became of them."""

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.chaos import cluster, faults
from tests.chaos.faults import Fault
from tests.chaos.run import run
from tests.chaos.scene import POSTGRESQL, SQLITE, Result, Template, folder_of_its_own, template

COLUMNS = ("acknowledged", "lost", "doubled", "half", "untrue", "waiting")


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then too
    chosen = faults.named(asked.fault)
    results: list[Result] = []
    began = time.monotonic()
    for engine in [asked.engine] if asked.engine else [SQLITE, POSTGRESQL]:
        of_engine = [one for one in chosen if engine in one.engines]
        if engine == POSTGRESQL and not cluster.is_there():
            print("Left out: PostgreSQL is not installed on this machine.", flush=True)
        elif of_engine:
            with folder_of_its_own() as folder:
                results += _on(template(engine, folder), of_engine)
    if asked.json:
        Path(asked.json).write_text(json.dumps([asdict(one) for one in results], indent=1))
    print(f"\n{len(results)} runs, {time.monotonic() - began:.0f} s")
    return int(not results or not all(one.is_clean for one in results))


def _on(of: Template, chosen: list[Fault]) -> list[Result]:
    print(
        f"\n{of.site.engine:<22}" + "".join(f"{name:>13}" for name in (*COLUMNS, "failed", "longest")),
        flush=True,
    )
    results = []
    for fault in chosen:
        if lacks := fault.lacking():
            print(f"{fault.name:<22} left out. {lacks}", flush=True)
            continue
        result = run(of, fault)
        results.append(result)
        counted = "".join(f"{getattr(result.counts, name):>13}" for name in COLUMNS)
        print(f"{fault.name:<22}{counted}{result.failed:>13}{result.longest:>11.1f} s", flush=True)
        for problem in result.problems:
            print(f"  {problem}", flush=True)
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--fault", default="", help="this one alone")
    parser.add_argument("--engine", choices=[SQLITE, POSTGRESQL], default="")
    parser.add_argument("--json", help="write every run to this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
