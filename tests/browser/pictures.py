"""Pictures for the README and the handbook, made by the tests that walk the same pages: `make pictures`."""

import os

from playwright.sync_api import Page


def picture(page: Page, name: str) -> None:
    """Kept only where PICTURES names a folder; a test run leaves the files alone."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")
