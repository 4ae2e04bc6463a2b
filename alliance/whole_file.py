"""A file that is sent once all of it was read.

A stream that breaks half-way ends as if it were complete: the status was 200 long before, and the server ends the
answer in good order. Of a CSV nobody would notice. So it is read to its end first; what breaks is an error page.
"""

from collections.abc import Iterable
from tempfile import TemporaryFile

from django.http import FileResponse


def whole_file(parts: Iterable[str], *, name: str, content_type: str) -> FileResponse:
    """On the disk meanwhile, without a name: it goes when it was sent."""
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    try:
        for part in parts:
            file.write(part.encode())
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
