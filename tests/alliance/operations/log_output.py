"""The log as it leaves the process: through the formatter and the filter that the settings name."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.module_loading import import_string

from alliance.operations.logging_setting import logging_of


class Output:
    def __init__(self) -> None:
        self._stream = io.StringIO()

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of_requests(self) -> list[dict]:
        return [line for line in self.lines if line["logger"] == "alliance.requests"]


@contextmanager
def output(lines: str) -> Iterator[Output]:
    setting = logging_of(lines, notices=False, sentry=False)
    output = Output()
    handler = logging.StreamHandler(output._stream)
    handler.setFormatter(import_string(setting["formatters"]["line"]["()"])())
    handler.addFilter(import_string(setting["filters"]["said elsewhere"]["()"])())
    logging.getLogger().addHandler(handler)
    try:
        yield output
    finally:
        logging.getLogger().removeHandler(handler)
