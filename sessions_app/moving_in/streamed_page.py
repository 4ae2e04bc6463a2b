"""A page that is sent while the work goes on: its head, a line for each step, and its end.

So no time limit between two bytes cuts a long import short, whichever worker or proxy is in between, and no
script is needed. Each step hides the one before it by a rule of the style sheet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import OperationalError
from django.http import StreamingHttpResponse
from django.template.loader import render_to_string

from alliance import audit
from alliance.access import StaffRequest
from alliance.operations.time_limits import is_busy
from alliance.refused import Refused

_HERE = "<!-- the steps -->"
BUSY = "The database is busy with another long write. Nothing was changed by this one: try again in a minute."

UNKNOWN = "The database stopped answering. Look whether the import is there before you start it again."


@dataclass(frozen=True)
class Step:
    """done: of `whole`, for the bar; words say the same."""

    done: int
    whole: int
    words: str


def streamed(
    request: StaffRequest, template: str, context: dict[str, object], steps: Iterable[Step], then: str
) -> StreamingHttpResponse:
    """The template, with the steps in place of its comment. then: the address where it goes on."""
    head, _, end = render_to_string(template, context, request).partition(_HERE)
    address = audit.address_of_request.get()

    def parts() -> Iterator[str]:
        audit.address_of_request.set(address)  # the request is over when the rest is sent
        yield head
        try:
            for step in steps:
                yield render_to_string("import/_step.html", {"step": step})
            refusal = ""
        except Refused as refused:
            refusal = str(refused)
        except OperationalError as error:
            refusal = BUSY if is_busy(error) else UNKNOWN
        yield render_to_string("import/_done.html", {"then": then, "refusal": refusal})
        yield end

    # Proxies that collect an answer before they pass it on would show no progress.
    return StreamingHttpResponse(parts(), headers={"X-Accel-Buffering": "no"})
