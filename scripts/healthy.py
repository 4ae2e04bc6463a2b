"""Exit with 0 when the service in this container works: `healthy.py web` or `healthy.py clock`."""

import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

QUARTERS_OF_AN_HOUR = 900


def web():
    # The site answers to its own name alone, also to this question from inside.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip() or "127.0.0.1"
    url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz"
    request = urllib.request.Request(url, headers={"Host": host})
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - http on 127.0.0.1
        return answer.status == 200


def clock():
    ticked = Path(tempfile.gettempdir(), "clock")
    return time.time() - ticked.stat().st_mtime < 2.5 * QUARTERS_OF_AN_HOUR


if __name__ == "__main__":
    try:
        sys.exit(0 if {"web": web, "clock": clock}[sys.argv[1]]() else 1)
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
