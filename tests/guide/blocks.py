"""The blocks of code of the guide to running the site, with what stands before each."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *("deployment.md", "without-containers.md", "several-servers.md", "when-something-happens.md"),
    *("backups.md", "keys.md"),
)
MARK = "ot executed by a test"


class Block(NamedTuple):
    page: str
    heading: str
    before: str  # the paragraph above it
    text: str

    @property
    def is_marked(self) -> bool:
        """Whether the guide says that no test runs it."""
        return MARK in self.before

    @property
    def commands(self) -> list[str]:
        """Each with what is continued on the next line, and without its comment."""
        joined = self.text.replace("\\\n", " ")
        lines = [re.sub(r"\s+#.*", "", line) for line in joined.splitlines()]
        return [re.sub(r"\s+", " ", line).strip() for line in lines if line.strip()]


def text_of(page: str) -> str:
    return (ROOT / "docs" / page).read_text("utf-8")


def blocks(page: str) -> Iterator[Block]:
    heading = ""
    pieces = re.split(r"^```\w*\n(.*?)^```$", text_of(page), flags=re.M | re.S)
    for prose, code in zip(pieces[::2], pieces[1::2], strict=False):
        heading = (re.findall(r"^#+ (.+)$", prose, re.M) or [heading])[-1]
        yield Block(page, heading, prose.strip().split("\n\n")[-1], code)


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]


def block_with(page: str, words: str) -> Block:
    """The one block of that page in which these words stand."""
    (found,) = [block for block in blocks(page) if words in block.text]
    return found
