"""The code of the release before, out of the repository's history."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

from tests.chaos.servers import ROOT

# Another commit in its place: to try an upgrade from somewhere else.
NAMED_IN = "CHAOS_BEFORE"


def before() -> str:
    """The newest tag of a release that is not this commit, or what CHAOS_BEFORE names; empty where there is none."""
    if named := os.environ.get(NAMED_IN):
        return named
    this = _git("rev-parse", "HEAD")
    tags = _git("tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").split()
    return next((tag for tag in tags if _git("rev-parse", f"{tag}^{{commit}}") != this), "")


def lacking() -> str:
    if before():
        return ""
    return f"No earlier release is tagged in this clone; {NAMED_IN}=<commit> tries it from any other commit."


def unpack(commit: str, folder: Path) -> Path:
    """The code of `commit` in a new folder; the packages are those of today. Raises CalledProcessError."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=True
    )
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
