"""A file system with hardly any room, in memory, made by root; or CHAOS_SMALL_DISK, a folder on one that is there."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.chaos.scene import Site

MEGABYTE = 1024 * 1024
ROOM = 60 * MEGABYTE  # beside the data: for the log of the database, until the ballast comes
VARIABLE = "CHAOS_SMALL_DISK"


def lacking() -> str:
    """What is missing here, as a sentence."""
    if os.environ.get(VARIABLE) or (os.getuid() == 0 and shutil.which("mount") and _can_mount()):
        return ""
    return (
        f"It needs a small file system: run it as root, who may mount one, or set {VARIABLE} to an empty folder on one "
        "of 150 MB to 1 GB."
    )


def _can_mount() -> bool:
    """A container's root often may not."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective, 16) & 1 << 21)  # CAP_SYS_ADMIN, capability.h


def needed(site: Site) -> int:
    where = site.server.data if site.cluster else site.file
    files = [where] if where.is_file() else [one for one in where.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files) + ROOM


def made(folder: Path, size: int) -> Path:
    if given := os.environ.get(VARIABLE):
        return Path(given)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)], check=True)
    return folder


def removed(folder: Path) -> None:
    if os.environ.get(VARIABLE):
        for one in folder.iterdir():
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink()
        return
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """The file that took all the room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    return ballast
