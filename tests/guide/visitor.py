"""Somebody with a browser in front of the proxy: cookies, forms, a certificate that is looked at."""

import http.client
import re
import socket
import ssl
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

NAME = "alliance.clinic.example"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def leads_to(self) -> str:
        return urlsplit(self.headers.get("location", "")).path


class _To(http.client.HTTPSConnection):
    """To this machine, under the name of the site."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._trusted = ssl.create_default_context(cafile=str(certificate))
        super().__init__(NAME, port, timeout=60, context=self._trusted)

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=NAME)


class Visitor:
    def __init__(self, port: int, certificate: Path) -> None:
        self._port, self._certificate = port, certificate
        self._cookies: dict[str, str] = {}
        self._site = f"https://{NAME}:{port}"

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, page: Answer | None = None, **fields: str | list[str]) -> Answer:
        """The form on that page, with what it brings along."""
        page = page or self.get(path)
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page.text))
        given = {name: unescape(value) for name, value in hidden.items() if name != "next"}
        return self._ask("POST", path, urlencode({**given, **fields}, doseq=True))

    def follow(self, answer: Answer) -> Answer:
        assert answer.status == 302, answer.text[:2000]
        return self.get(answer.leads_to)

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {"Host": f"{NAME}:{self._port}", "Referer": f"{self._site}{path}", "Origin": self._site}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = _To(self._port, self._certificate)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            for line in answer.headers.get_all("Set-Cookie") or ():
                self._cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, text)
        finally:
            connection.close()
