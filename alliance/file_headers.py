"""What the browser is told beside a file of ours. The settings import it: WhiteNoise wants the function itself."""

from typing import Any


def only_for_our_pages(headers: Any, path: str, url: str) -> None:
    """No other site may show or run it."""
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
