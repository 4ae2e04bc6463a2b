"""Name each image of the compose file and the Dockerfile by its content too: nginx:1.28@sha256:...

    python3 scripts/pin_images.py           ask the registries, and write what the tags stand for today
    python3 scripts/pin_images.py --check   only say which images are named by a tag alone

A tag may stand for another image tomorrow; an image that is named by its content is that one, or is refused. It needs
the network, and skopeo or docker with buildx. Where one image cannot be asked for, nothing is written. Run it before
each release, and again for a newer image: a pinned one gets no repairs by itself.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("docker-compose.yml", "Dockerfile")
# What stands before the name, the name with its tag, the digest if there is one.
IMAGE = re.compile(
    r"^(\s*image:\s*|FROM\s+)([a-z0-9][\w./-]*:[\w.-]+)(?:@(sha256:[0-9a-f]{64}))?(?=\s|$)", re.MULTILINE
)
# Also those that IMAGE does not read: none may pass for pinned.
ANY_IMAGE = re.compile(r"^\s*(?:image:|FROM\b|COPY\s+--from=(?![\w-]+\s))", re.MULTILINE)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SECONDS = 60


class NotAsked(Exception):
    """Why a registry could not be asked, in a sentence."""


def images(root: Path) -> dict[str, str]:
    """{name with tag: digest, or ""} of both files."""
    found: dict[str, str] = {}
    for name in FILES:
        text = (root / name).read_text("utf-8")
        matches = list(IMAGE.finditer(text))
        if len(matches) != len(ANY_IMAGE.findall(text)):
            raise NotAsked(
                f"{name} names an image in a way that this script does not know: name:tag is what it reads."
            )
        for match in matches:
            # Named several times, it is pinned where each of them is.
            found[match[2]] = (match[3] or "") if found.get(match[2], match[3]) else ""
    return found


def asking() -> list[str]:
    """The command that prints the digest of the image whose address follows it."""
    if shutil.which("skopeo"):
        return ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}"]
    if shutil.which("docker") and _has_buildx():
        return ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"]
    raise NotAsked("Neither skopeo nor docker with buildx is installed here: install one of them.")


def _has_buildx() -> bool:
    try:
        return _run(["docker", "buildx", "version"]).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def digest_of(image: str, command: list[str]) -> str:
    # docker knows where a name without a registry lies; skopeo wants it in full.
    address = f"docker://{image}" if command[0] == "skopeo" else image
    try:
        done = _run([*command, address])
    except subprocess.TimeoutExpired:
        raise NotAsked(f"The registry of {image} did not answer within {SECONDS} seconds.") from None
    found = DIGEST.fullmatch(done.stdout.strip())
    if done.returncode or not found:
        said = " ".join((done.stderr or done.stdout).split())
        raise NotAsked(f"The registry of {image} could not be asked ({said or 'no answer'}).")
    return found[0]


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def write(root: Path, digests: dict[str, str]) -> None:
    for name in FILES:
        text = (root / name).read_text("utf-8")
        pinned = IMAGE.sub(lambda match: f"{match[1]}{match[2]}@{digests[match[2]]}", text)
        (root / name).write_text(pinned, "utf-8")


def main(root: Path, arguments: list[str]) -> int:
    try:
        named = images(root)
    except NotAsked as why:
        print(why, file=sys.stderr)
        return 2
    if "--check" in arguments:
        by_tag = [image for image, digest in named.items() if not digest]
        for image in by_tag:
            print(f"{image} is named by a tag alone: python3 scripts/pin_images.py", file=sys.stderr)
        return 1 if by_tag else 0
    try:
        command = asking()
        digests = {image: digest_of(image, command) for image in named}
    except NotAsked as why:
        print(f"{why} Nothing was written: the images are named as before.", file=sys.stderr)
        return 2
    write(root, digests)
    for image, digest in digests.items():
        print(f"{image}@{digest}" + (" (as before)" if named[image] == digest else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT, sys.argv[1:]))
