"""The files of the proxies that compose and the guide use: their words, and what nginx and Caddy do with them."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.alliance.operations.test_slow_visitors import free_port
from tests.guide.blocks import block_with

TEMPLATE = Path(__file__).resolve().parents[3] / "deploy" / "nginx" / "alliance.conf.template"


def installed(proxy):
    """Debian keeps them where only root's PATH leads. Where CI=true they are installed, or their tests fail."""
    found = shutil.which(proxy, path=f"{os.environ['PATH']}:/usr/sbin")
    return [found or proxy] if found or os.environ.get("CI") == "true" else []


NGINX, CADDY = installed("nginx"), installed("caddy")
SITE = "alliance.clinic.example"


def certificate(folder):
    made = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", *made]
    subprocess.run(new, check=True, capture_output=True)


def filled(folder, names=SITE, upstream=8000, https=8443, http=8080):
    text = TEMPLATE.read_text("utf-8").replace("${SITE}", names)
    text = text.replace("${UPSTREAM}", f"127.0.0.1:{upstream}").replace("/etc/ssl/alliance", str(folder))
    return text.replace("listen 443", f"listen 127.0.0.1:{https}").replace(
        "listen 80;", f"listen 127.0.0.1:{http};"
    )


def written(folder, site):
    """The file of nginx that takes in the site's, as Debian's own does."""
    (folder / "site.conf").write_text(site)
    kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{name}_temp_path {folder}/{name};" for name in kept)
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log stderr; worker_processes 1; events {{}}\n"
        f"http {{ access_log {folder}/access.log; {folders} include {folder}/site.conf; }}\n"
    )
    return folder / "nginx.conf"


@pytest.mark.parametrize("nginx", NGINX)
@pytest.mark.parametrize("names", [SITE, f"{SITE},feedback.clinic.example"])
def test_nginx_of_a_stable_debian_starts_with_it(nginx, names, tmp_path):
    """It did not where `http2 on;` stood in the guide: nginx 1.22 knows no such line."""
    certificate(tmp_path)

    def said(site):
        tried = [nginx, "-t", "-c", written(tmp_path, site)]
        return subprocess.run(tried, capture_output=True, text=True, check=False)

    site = filled(tmp_path, names)
    assert said(site).returncode == 0, said(site).stderr
    assert "unknown directive" in said(site.replace("server_tokens off;", "http9 on;")).stderr, "the control"


def test_it_buffers_whole_requests_and_passes_on_what_the_site_reads():
    text = TEMPLATE.read_text("utf-8")
    for line in (
        *(
            "proxy_request_buffering on;",
            "client_body_timeout 20s;",
            "client_header_timeout 10s;",
            "access_log off;",
        ),
        *("proxy_set_header Host $http_host;", "proxy_set_header X-Forwarded-For $remote_addr;"),
    ):
        assert line in text
    assert text.count("proxy_pass") == text.count("X-Forwarded-Proto https;") == 2


# --- What it does --------------------------------------------------------------------------------


class Upstream:
    """In the site's place: keeps what it is sent, and answers each connection once."""

    def __init__(self):
        self.asked = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                visitor, _ = self._door.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(1)
                self.asked.append(visitor.recv(65536))
                visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def close(self):
        self._door.close()


@contextmanager
def running(command, *ports):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for port in ports:
            until = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < until, "it did not start"
                    assert process.poll() is None, "it ended"
                    time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


class Proxy:
    def __init__(self, upstream, http, https, folder):
        self.upstream, self.http, self.https, self.folder = upstream, http, https, folder


@pytest.fixture
def proxy(request, tmp_path):
    certificate(tmp_path)
    with ExitStack() as held:
        upstream = Upstream()
        held.callback(upstream.close)
        http, https = free_port(), free_port()
        settings = written(tmp_path, filled(tmp_path, upstream=upstream.port, http=http, https=https))
        held.enter_context(running([request.param, "-c", settings, "-g", "daemon off;"], http, https))
        yield Proxy(upstream, http, https, tmp_path)


def answered(stream, sent):
    """All that comes back until the other side has nothing more to say."""
    stream.settimeout(2)
    stream.sendall(sent)
    parts = []
    try:
        while part := stream.recv(65536):
            parts.append(part)
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    return b"".join(parts)


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def in_clear(port, method, address, host=SITE):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
        head = (
            f"{method} {address} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )
        answer = answered(stream, head.encode())
    lines = answer.decode("latin-1").split("\r\n")
    leads = [line.partition(": ")[2] for line in lines if line.lower().startswith("location:")]
    return status_of(answer), leads


# What programs ask, and every form, also one that a script or a device sends.
PROGRAMS = [
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics/"),
    ("GET", "/%6detrics"),
]
SENT = [("POST", "/rate/upload/"), ("POST", "/accounts/login/"), ("PUT", "/anything/")]
PEOPLE = [("GET", "/"), ("HEAD", "/"), ("GET", "/clients/?q=K-1"), ("GET", "/metrics-of-a-client/")]


@pytest.mark.parametrize("proxy", NGINX, indirect=True)
def test_people_are_led_to_https_and_programs_are_refused(proxy):
    for method, address in PEOPLE:
        assert in_clear(proxy.http, method, address) == (301, [f"https://{SITE}{address}"])
    for method, address in (*PROGRAMS, *SENT):
        assert in_clear(proxy.http, method, address) == (403, []), address
    assert proxy.upstream.asked == []
    # What was searched for in clear is kept nowhere either.
    log = proxy.folder / "access.log"
    assert not log.exists() or "K-1" not in log.read_text()


@pytest.mark.parametrize("caddy", CADDY)
def test_the_lines_for_caddy_do_so_too(caddy, tmp_path):
    http, https = free_port(), free_port()
    (tmp_path / "Caddyfile").write_text(
        f"{{\nadmin off\nhttp_port {http}\nhttps_port {https}\nstorage file_system {tmp_path}\nskip_install_trust\n"
        "local_certs\n}\n" + block_with("without-containers.md", "reverse_proxy").text
    )
    command = [caddy, "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
    with running(command, http, https):
        for method, address in PEOPLE:
            assert in_clear(http, method, address) == (301, [f"https://{SITE}{address}"])
        for method, address in (*PROGRAMS, *SENT):
            assert in_clear(http, method, address) == (403, []), address
        assert strong_ones_of(https) == {"ECDHE-ECDSA-AES128-GCM-SHA256"}


WEAK = [
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-ECDSA-AES128-SHA",
]
STRONG = ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]


def shaken(port, ciphers):
    """Which suite of TLS 1.2 the proxy takes of these, or None."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=SITE) as stream,
        ):
            return stream.cipher()[0]
    except (ssl.SSLError, ConnectionError):
        return None


def strong_ones_of(port):
    assert [suite for suite in WEAK if shaken(port, suite)] == []
    return {suite for suite in STRONG if shaken(port, suite)}


@pytest.mark.parametrize("proxy", NGINX, indirect=True)
def test_only_cipher_suites_with_forward_secrecy_are_taken_and_the_strongest_first(proxy):
    assert strong_ones_of(proxy.https) == {
        one for one in STRONG if "RSA" in one
    }  # of this certificate's kind
    assert shaken(proxy.https, ":".join(reversed(STRONG))) == "ECDHE-RSA-AES256-GCM-SHA384"


# --- Two requests in one -------------------------------------------------------------------------

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
CONTRADICTIONS = {
    "two lengths": b"Content-Length: 3\r\nContent-Length: %d\r\n\r\n" % (3 + len(HIDDEN)) + b"a=b" + HIDDEN,
    "a length and chunks": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    % (5 + len(HIDDEN))
    + HIDDEN,
    "chunks and a length": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks in disguise": b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks after a vertical tab": b"Content-Length: 5\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a length with a sign": b"Content-Length: +3\r\n\r\na=b" + HIDDEN,
    "a length that is none": b"Content-Length: 3, 3\r\n\r\na=b" + HIDDEN,
}


def contradicted(stream, contradiction):
    return answered(stream, b"POST / HTTP/1.1\r\nHost: localhost\r\n" + CONTRADICTIONS[contradiction])


TWO = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b" + HIDDEN


@pytest.mark.parametrize("proxy", NGINX, indirect=True)
def test_the_proxy_passes_no_request_on_whose_length_is_contradictory(proxy):
    context = ssl.create_default_context(cafile=proxy.folder / "fullchain.pem")
    for contradiction in CONTRADICTIONS:
        with (
            socket.create_connection(("127.0.0.1", proxy.https), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as stream,
        ):
            answer = contradicted(stream, contradiction)
        assert answer.count(b"HTTP/1.1 ") == 1, contradiction
        assert status_of(answer) in {400, 501}, contradiction
    assert proxy.upstream.asked == []


def test_the_site_itself_hears_one_request_of_it_and_ends_the_connection():
    """RFC 9112, 6.3: refused, or read by its chunks alone; what follows is no request in either case."""
    port = free_port()
    command = [Path(sys.executable).with_name("granian"), "--interface", "asginl", "--no-ws", "--http", "1"]
    command += ["--port", str(port), "--log-level", "error", "--workers-kill-timeout", "1"]
    with running([*command, "tests.alliance.operations.slow_site:protected"], port):
        for contradiction in CONTRADICTIONS:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
                answer = contradicted(stream, contradiction)
            assert answer.count(b"HTTP/1.1 ") == 1, contradiction
            assert b"connection: close" in answer, contradiction
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            assert answered(stream, TWO).count(b"HTTP/1.1 200") == 2, (
                "the control: two whole requests are two"
            )
