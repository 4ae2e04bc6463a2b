"""The site as an ASGI application that waits for whole requests before a thread works on one.

A WSGI server lets the thread that answers read the body too, and granian's sets it no time: 24 visitors who sent a
byte every few seconds held every thread of the site, without signing in. Whoever reads a large file slowly did the
same. Here the event loop waits for both; a thread is busy only while the site itself works.

A body must come within `Limits.seconds`, and a large one at `Limits.bytes_a_second` at least: the rule of Apache's
mod_reqtimeout. The time for the head of a request is granian's (`--http1-header-read-timeout` in scripts/start.sh).
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import unquote_to_bytes

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Site = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_IN_MEMORY = 256 * 1024
_BLOCK = 64 * 1024
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long a body may take and how large it may be, and all unfinished ones of a worker together."""

    seconds: float = 20
    bytes_a_second: int = 16 * 1024
    bytes_of_one: int = 64 * 1024 * 1024  # a file to import
    bytes_of_all: int = 256 * 1024 * 1024
    # A large page of somebody who is signed in holds a thread while it is sent; not for whoever stops reading.
    seconds_to_take: float = 30


class _Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class _Gone(Exception):
    """The browser has ended the connection; nobody waits for an answer."""


class _File:
    """What Django gives to the server where a page is a file (`wsgi.file_wrapper` of PEP 3333)."""

    def __init__(self, file: IO[bytes], block_size: int = _BLOCK) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(_BLOCK), b"")

    def close(self) -> None:
        self.file.close()


class WholeRequests:
    """The site on `threads` threads of this process."""

    def __init__(self, site: Site, *, threads: int, limits: Limits | None = None) -> None:
        self.site, self.limits = site, limits or Limits()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="site")
        self._unfinished = 0  # bytes; changed by the event loop alone

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError("This site speaks HTTP alone.")
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                size = await self._arrived(receive, body)
            except _Gone:
                return
            except _Refused as refused:
                await _say(send, refused)
                return
            environ = _environ(scope, body, size)
            loop = asyncio.get_running_loop()
            answer = _Answer(self.site, environ, loop, send, self.limits.seconds_to_take)
            file = await loop.run_in_executor(self._threads, answer.run)
            if answer.whole is not None:
                await send(answer.start)
                await send({"type": "http.response.body", "body": answer.whole})
            elif file is not None:
                await self._send_file(answer.start, file, send)

    async def _arrived(self, receive: Receive, body: IO[bytes]) -> int:
        """How large the body is, once it is here as a whole."""
        limits, loop, size = self.limits, asyncio.get_running_loop(), 0
        began = loop.time()
        try:
            async with asyncio.timeout_at(began + limits.seconds) as until:
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _Gone
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    self._unfinished += len(part)
                    if size > limits.bytes_of_one:
                        raise _Refused(413, "What was sent is too large.")
                    if self._unfinished > limits.bytes_of_all and size > _IN_MEMORY:
                        raise _Refused(
                            503, "Too many files are sent at this moment. Try again in some minutes."
                        )
                    body.write(part)
                    until.reschedule(began + limits.seconds + size / limits.bytes_a_second)
        except TimeoutError:
            raise _Refused(408, "What was sent did not arrive in time. Nothing of it was read.") from None
        finally:
            self._unfinished -= size
        body.seek(0)
        return size

    async def _send_file(self, start: Message, file: _File, send: Send) -> None:
        loop = asyncio.get_running_loop()
        try:
            await send(start)
            # Of the disk, and short: but no thread of the site waits while a visitor takes it.
            while block := await loop.run_in_executor(None, file.file.read, _BLOCK):
                await send({"type": "http.response.body", "body": block, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await loop.run_in_executor(self._threads, file.close)


class _Answer:
    """One call of the site, in a thread. `whole`: the page, where it is not sent piece by piece."""

    def __init__(
        self,
        site: Site,
        environ: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        send: Send,
        patience: float,
    ) -> None:
        self.site, self.environ, self.loop = site, environ, loop
        self.send, self.patience = send, patience
        self.start: Message = {}
        self.whole: bytes | None = None

    def run(self) -> _File | None:
        """The file, where the answer is one. A page that grows while it is sent is sent here."""
        try:
            result = self.site(self.environ, self._start_response)
        except Exception:  # Django answers its own errors
            _LOG.exception("The site gave no answer.")
            self._start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            self.whole = b""
            return None
        if isinstance(result, _File):
            return result
        try:
            if getattr(result, "streaming", False):
                self._send_growing(result)
            else:
                self.whole = b"".join(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        return None

    def _send_growing(self, parts: Iterable[bytes]) -> None:
        self._hand_over(self.start)
        for part in parts:
            self._hand_over({"type": "http.response.body", "body": part, "more_body": True})
        self._hand_over({"type": "http.response.body", "body": b""})

    def _hand_over(self, message: Message) -> None:
        asyncio.run_coroutine_threadsafe(self._sent(message), self.loop).result(self.patience)

    async def _sent(self, message: Message) -> None:
        await self.send(message)

    def _start_response(self, status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        self.start = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }


def _environ(scope: Message, body: IO[bytes], size: int) -> dict[str, Any]:
    """A request in the words of PEP 3333, and nothing of the process."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.get("raw_path") or scope["path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0] if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": _File,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").upper(), raw_value.decode("latin-1")
        if "_" in name:
            continue  # it would pass for the one with a dash, such as X-Forwarded-For: nginx leaves it out too
        key = "CONTENT_TYPE" if name == "CONTENT-TYPE" else f"HTTP_{name.replace('-', '_')}"
        joint = "; " if name == "COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # it is whole
    environ["CONTENT_LENGTH"] = str(size) if size or scope["method"] in {"POST", "PUT", "PATCH"} else ""
    return environ


async def _say(send: Send, refused: _Refused) -> None:
    """An answer of the server itself: the site never saw the request."""
    body = refused.words.encode()
    headers: Headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
