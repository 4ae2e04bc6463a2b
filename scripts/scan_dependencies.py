"""Ask whether anything pinned has a known weakness; `make scan` runs it.

    python scripts/scan_dependencies.py PIP_AUDIT

Packages of Python by pip-audit, files in static/vendor by npm. Both say "nothing found" where they could ask nobody,
so that their reports are read and not their last words. Exit status: 1 where something was found; 0 where nothing was,
also where nobody could be asked, which is said.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PINNED = ("requirements.txt", "requirements-dev.txt", "requirements-scan.txt")
WITHIN = 300  # seconds


class Scan(NamedTuple):
    """asked: of how many packages an answer came. unasked: of how many none did."""

    what: str
    asked: int
    unasked: int
    found: list[str]


def of_python(what: str, report: dict[str, Any]) -> Scan:
    """report: what `pip-audit --format json` writes."""
    packages = report["dependencies"]
    found = [
        f"{one['name']} {one['version']}: {weak['id']}, mended in {', '.join(weak['fix_versions']) or 'no version yet'}"
        for one in packages
        for weak in one.get("vulns", ())
    ]
    unasked = sum("skip_reason" in one for one in packages)
    return Scan(what, len(packages) - unasked, unasked, found)


def of_npm(report: dict[str, Any], packages: int) -> Scan:
    """report: what `npm audit --json` writes; an error has no list of weaknesses."""
    weak = report.get("vulnerabilities")
    if weak is None:
        return Scan("static/vendor", 0, packages, [])
    found = [f"{name}: {one['severity']}, {_advice(one)}" for name, one in sorted(weak.items())]
    return Scan("static/vendor", packages, 0, found)


def _advice(weak: dict[str, Any]) -> str:
    titles = [via["title"] for via in weak["via"] if isinstance(via, dict)]
    return "; ".join(titles) or f"through {', '.join(map(str, weak['via']))}"


def sentences(scan: Scan) -> list[str]:
    if not scan.asked and not scan.found:
        return [f"{scan.what}: not scanned. Nobody who knows of weaknesses could be asked from here."]
    left = f"; of {scan.unasked} nothing is known there" if scan.unasked else ""
    if not scan.found:
        return [f"{scan.what}: no known weakness in {scan.asked} packages{left}."]
    return [
        f"{scan.what}: {len(scan.found)} known in {scan.asked} packages{left}.",
        *(f"  {one}" for one in scan.found),
    ]


def _answer(command: list[str], folder: Path) -> str:
    """What the tool printed; nothing where it waits in vain, as behind a firewall that drops what is sent."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=WITHIN)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def _python(pip_audit: str, file: str) -> Scan:
    command = [
        pip_audit,
        "-r",
        file,
        "--require-hashes",
        "--disable-pip",
        "--progress-spinner",
        "off",
        "-f",
        "json",
    ]
    try:
        return of_python(file, json.loads(_answer(command, ROOT)))
    except ValueError:
        return Scan(file, 0, 1, [])


def _npm() -> Scan:
    vendored = tomllib.loads((ROOT / "static/vendor/versions.toml").read_text("utf-8"))
    wanted = {one["package"]: one["version"] for one in vendored.values()}
    if shutil.which("npm") is None:
        return Scan("static/vendor", 0, len(wanted), [])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "package.json").write_text(
            json.dumps({"private": True, "dependencies": wanted}), "utf-8"
        )
        said = "{}"
        for command in (["npm", "install", "--package-lock-only", "--silent"], ["npm", "audit", "--json"]):
            said = _answer(command, Path(folder))
    try:
        return of_npm(json.loads(said), len(wanted))
    except ValueError:
        return Scan("static/vendor", 0, len(wanted), [])


def main(pip_audit: str) -> int:
    scans = [*(_python(pip_audit, file) for file in PINNED), _npm()]
    for scan in scans:
        print(*sentences(scan), sep="\n")
    return 1 if any(scan.found for scan in scans) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
