"""The site on a real HTTP server, with trouble that can be switched on between it and the device."""

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from sessions_app.intake.views import offline

UPLOAD = "/rate/upload/"
PATIENCE = 30  # seconds that a gate holds a request: a run that forgot to open it must not hang
Environ = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    status: str
    headers: list[tuple[str, str]]
    body: bytes
    cut_at: int | None = None  # the connection ends after so many bytes of the body


# What becomes of a request. It may let the site answer, once or more; None: the connection is cut.
Trouble = Callable[[Callable[[], Reply]], Reply | None]


class Gate:
    """Holds requests where they are, so that a fault can strike at exactly this moment."""

    def __init__(self) -> None:
        self._reached, self._open = threading.Event(), threading.Event()
        self._open.set()

    def close(self) -> None:
        self._reached.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def go_through(self) -> None:
        self._reached.set()
        self._open.wait(PATIENCE)

    def wait_for_somebody(self) -> bool:
        return self._reached.wait(PATIENCE)


class Releases(StaticFilesStorage):
    """Addresses that change with every release, as hashed names do; those of the release before are gone."""

    current = 1

    @property
    def manifest_hash(self) -> str:
        """As that of Django's manifest: kept pages are told apart by it (`alliance.kept_pieces`)."""
        return f"r{Releases.current}"

    def url(self, name: str | None, *args: Any, **kwargs: Any) -> str:
        return f"{self.base_url}r{self.current}/{name}"


@dataclass
class Site:
    """The WSGI application. `trouble` strikes every request, or those of the upload alone."""

    trouble: Trouble | None = None
    is_away: bool = False  # every connection is cut
    on_uploads_only: bool = False
    files: dict[str, str] = field(default_factory=dict)  # of a control: what stands there instead
    uploads: list[bytes] = field(default_factory=list)  # bodies as they came
    requests: int = 0

    def __post_init__(self) -> None:
        self.app = get_wsgi_application()
        self.arrived, self.committed = Gate(), Gate()
        self.healed = threading.Event()
        self._read: dict[str, Reply] = {}

    def strike(self, trouble: Trouble, *, on_uploads_only: bool = False) -> None:
        self.healed.clear()
        self.trouble, self.on_uploads_only = trouble, on_uploads_only

    def heal(self) -> None:
        self.trouble, self.is_away = None, False
        self.healed.set()
        self.arrived.open()
        self.committed.open()

    def release(self) -> None:
        """An upgrade: other addresses of every file, and so another worker."""
        Releases.current += 1
        offline.static_files.cache_clear()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests += 1
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        is_upload = environ["PATH_INFO"] == UPLOAD
        if is_upload:
            self.uploads.append(body)
            self.arrived.go_through()
        before = self._trouble(is_upload)
        reply = before(lambda: self._answer(environ, body)) if before else self._answer(environ, body)
        if is_upload and reply is not None:
            self.committed.go_through()
            after = self._trouble(is_upload)
            if after and after is not before:
                reply = _spoilt(after, reply)
        return _sent(reply, environ["torture.connection"], start_response)

    def _trouble(self, is_upload: bool) -> Trouble | None:
        if self.is_away:
            return cut
        return self.trouble if is_upload or not self.on_uploads_only else None

    def _answer(self, environ: Environ, body: bytes) -> Reply:
        path = environ["PATH_INFO"]
        if path.startswith("/static/"):
            release, _, name = path.removeprefix("/static/").partition("/")
            if release != f"r{Releases.current}":
                return Reply("404 Not Found", [("Content-Type", "text/plain")], b"Gone with its release.")
            if name in self.files:
                return Reply("200 OK", [("Content-Type", "text/javascript")], self.files[name].encode())
            return self._file(environ, f"/static/{name}")
        return self._asked({**environ, "wsgi.input": io.BytesIO(body)})

    def _file(self, environ: Environ, path: str) -> Reply:
        """Kept by the browser as under a hashed name, and asked for once: its content is not what is tried."""
        if path not in self._read:
            plain = {name: value for name, value in environ.items() if not name.startswith("HTTP_IF")}
            reply = self._asked({**plain, "PATH_INFO": path, "HTTP_ACCEPT_ENCODING": ""})
            headers = [pair for pair in reply.headers if pair[0].lower() != "cache-control"]
            self._read[path] = replace(
                reply, headers=[*headers, ("Cache-Control", "max-age=86400, immutable")]
            )
        return self._read[path]

    def _asked(self, environ: Environ) -> Reply:
        began: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[..., Any]:
            began.extend((status, headers))
            return began.append  # nobody writes to it

        answer = self.app(environ, start)
        body = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        return Reply(began[0], began[1], body)


def _spoilt(trouble: Trouble, reply: Reply) -> Reply | None:
    """What was answered already goes through the trouble too: the site itself is not asked again."""
    return trouble(lambda: reply)


def _sent(
    reply: Reply | None, connection: socket.socket, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    if reply is None:
        _cut(connection)
    length = [("Content-Length", str(len(reply.body)))]
    start_response(
        reply.status, [pair for pair in reply.headers if pair[0].lower() != "content-length"] + length
    )
    return [reply.body] if reply.cut_at is None else _half(reply, connection)


def _half(reply: Reply, connection: socket.socket) -> Iterator[bytes]:
    yield reply.body[: reply.cut_at]
    _cut(connection)


def _cut(connection: socket.socket) -> NoReturn:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    # What the server takes for a device that went away, and says nothing about.
    raise ConnectionAbortedError


class _Handler(WSGIRequestHandler):
    def get_environ(self) -> Environ:
        return {**super().get_environ(), "torture.connection": self.connection}

    def log_message(self, *args: Any) -> None:
        pass


class Server:
    """Serves the site on 127.0.0.1, on a free port, in threads of this process."""

    def __init__(self, site: Site) -> None:
        self._server = ThreadedWSGIServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.set_app(site)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def deliver(self, body: bytes) -> int:
        """Bring a body again, as a proxy or a browser might that keeps trying; the status of the answer."""
        headers = {"Origin": self.url, "Content-Type": "application/json"}
        request = Request(self.url + UPLOAD, body, headers)  # noqa: S310 - http on 127.0.0.1
        try:
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return int(answer.status)
        except HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


# --- Kinds of trouble ----------------------------------------------------------------------------

PORTAL = "<h1>Sign in to the network</h1>"
HTML = [("Content-Type", "text/html; charset=utf-8")]


def says(status: str, page: str = "<h1>Trouble</h1>", **headers: str) -> Trouble:
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return lambda ask: Reply(status, HTML + more, page.encode())


def of_another_delivery(ask: Callable[[], Reply]) -> Reply:
    body = b'{"stored": true, "sha256": "0000", "delivery": "00000000-0000-4000-8000-000000000000"}'
    return Reply("201 Created", [("Content-Type", "application/json")], body)


def cut(ask: Callable[[], Reply]) -> None:
    """The connection ends before the site hears of the request."""


def lost(ask: Callable[[], Reply]) -> None:
    """The site did what it was asked to, and its answer never arrives."""
    ask()


def half(ask: Callable[[], Reply]) -> Reply:
    reply = ask()
    return replace(reply, cut_at=len(reply.body) // 2)


def twice(ask: Callable[[], Reply]) -> Reply:
    """Two copies at once, as from a proxy that repeats; the answer to either."""
    answers: list[Reply] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers[0]


def portal_as_the_worker_fills() -> Trouble:
    """The network wants a sign-in from when the worker asks for the files that it keeps, one of which no page loads."""
    page, state = says("200 OK", PORTAL), {"began": False}
    only_kept = (offline.ROOT / "rate/offline.js").read_bytes()

    def trouble(ask: Callable[[], Reply]) -> Reply | None:
        if state["began"]:
            return page(ask)
        reply = ask()
        state["began"] = reply.body == only_kept
        return page(ask) if state["began"] else reply

    return trouble
