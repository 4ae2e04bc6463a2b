"""Tablets and people that hand something in over HTTP, keep trying, and remember what they were told."""

import http.client
import json
import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode
from uuid import uuid4

from tests.bench import sealed
from tests.bench.browsers import form_of
from tests.chaos.tickets import FORM, SEALED, Ticket

# Seconds for an answer: of a page's script (static/rate/delivery.js), and of a browser that waits for a page.
PATIENCE, OF_A_BROWSER = 15.0, 60.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 4.0  # the script doubles up to minutes; here somebody waits for the end
# Whatever says so must be right: it is what people go by.
NOTHING_SAVED = re.compile(
    rb"nothing (?:of what you sent )?was (?:saved|stored)|was not saved", re.IGNORECASE
)
STORED, UNKNOWN, NOTHING = "stored", "unknown", "nothing"


@dataclass(frozen=True)
class Answer:
    status: int  # 0: there was none
    location: str
    body: bytes
    cookies: dict[str, str]


@dataclass
class Told:
    """What one ticket was told in the end."""

    name: str
    said: str = ""
    attempts: int = 0  # of handing in
    failed: int = 0  # requests with an error of the server for an answer, or none
    longest: float = 0.0  # seconds that one request waited
    last: str = ""  # the answer that came last, for whoever looks why one waits


class Device(threading.Thread):
    """Opens the form, hands in, and goes on until it is told that this is stored, or that nothing was."""

    def __init__(self, ticket: Ticket, ports: Sequence[int], is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.ticket, self.told = ticket, Told(ticket.name)
        self._ports, self._is_over = ports, is_over
        self._cookies = dict([ticket.cookie])
        self._random = random.Random(ticket.name)
        self._port = self._random.choice(ports)
        self._patience = PATIENCE if ticket.door == SEALED else OF_A_BROWSER
        self._path = "/clients/new/" if ticket.label else "/rate/"

    def run(self) -> None:
        wait = FIRST_WAIT
        while not self._is_over.is_set():
            page = self._send("GET", self._path)
            if page.status == 200:
                break
            wait = self._rest(wait)
        else:
            return
        body, headers, path = self._filled_in(page.body.decode())
        wait = FIRST_WAIT
        while not self._is_over.is_set():
            self.told.attempts += 1
            answer = self._send("POST", path, body, headers)
            said = self._understood(answer, body)
            # After an attempt that nobody knows of, "nothing of what you sent was saved" is about the last one alone.
            if said == STORED or (said == NOTHING and self.told.attempts == 1):
                self.told.said = said
                return
            wait = self._rest(wait)

    def _rest(self, wait: float) -> float:
        """As the script does; and on several servers the proxy would lead to another one."""
        self._is_over.wait(wait * self._random.uniform(0.75, 1.25))
        self._port = self._random.choice(self._ports)
        return min(2 * wait, LONGEST_WAIT)

    # --- What is sent ----------------------------------------------------------------------------

    def _filled_in(self, page: str) -> tuple[str, dict[str, str], str]:
        """Body, headers and path of what is handed in: the same at every attempt."""
        marks = {name: str(mark) for name, mark in self.ticket.marks.items()}
        if self.ticket.door == SEALED:
            told = form_of(page)
            fields = {**marks, "mode": "line", "comment": ""}
            parcel = sealed.parcel(
                told["token"], fields, delivery=str(uuid4()), to=(told["key"], told["public-key"])
            )
            return json.dumps(parcel), {"Content-Type": "application/json"}, told["upload"]
        fields = _Hidden.of(page)
        if self.ticket.door == FORM:
            fields |= {**marks, "mode": "line", "comment": "", "step": "hand-in"}
        else:
            today = re.search(r'name="opened_on" value="([^"]+)"', page)
            opened_on = today.group(1) if today else ""
            new = {"label": self.ticket.label, "language": "en", "age_band": "adult"}
            fields |= {**new, "opened_on": opened_on}
        return urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}, self._path

    def _send(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Answer:
        port = self._port
        sent = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}", **(headers or {})}
        if not path.endswith("/upload/"):
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=self._patience)
        try:
            connection.request(method, path, body or None, sent)
            response = connection.getresponse()
            answer = Answer(
                response.status,
                response.headers.get("Location", ""),
                response.read(),
                _cookies_of(response),
            )
        except (OSError, http.client.HTTPException):
            answer = Answer(0, "", b"", {})
        finally:
            connection.close()
        self.told.longest = max(self.told.longest, time.monotonic() - began)
        self.told.failed += answer.status == 0 or answer.status >= 500
        self._cookies |= answer.cookies
        self.told.last = f"{method} {path} {answer.status} {answer.location}".strip()
        return answer

    # --- What was answered -----------------------------------------------------------------------

    def _understood(self, answer: Answer, body: str) -> str:
        if self.ticket.door == SEALED:
            try:
                said = json.loads(answer.body)
            except ValueError:
                said = {}
            if not isinstance(said, dict) or "stored" not in said:
                return NOTHING if NOTHING_SAVED.search(answer.body) else UNKNOWN
            if said["stored"] is True:
                mine = said.get("delivery") == json.loads(body)["delivery"] and said.get("sha256")
                return STORED if mine else UNKNOWN
            return NOTHING
        if answer.status in {302, 303}:
            wanted = "/rate/done/" if self.ticket.door == FORM else "/dashboard/clients/"
            return STORED if answer.location.startswith(wanted) else UNKNOWN
        return NOTHING if NOTHING_SAVED.search(answer.body) else UNKNOWN


def _cookies_of(response: http.client.HTTPResponse) -> dict[str, str]:
    found: SimpleCookie = SimpleCookie()
    for value in response.headers.get_all("Set-Cookie") or []:
        found.load(value)
    return {name: one.value for name, one in found.items() if one.value}


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        fields = dict(attributes)
        if tag == "input" and fields.get("type") == "hidden" and (name := fields.get("name")):
            self.found.setdefault(name, fields.get("value") or "")

    @classmethod
    def of(cls, page: str) -> dict[str, str]:
        parser = cls()
        parser.feed(page)
        return parser.found


class Load:
    """Tickets that come one after the other, so many a second, whether earlier ones were answered or not."""

    def __init__(self, tickets: Sequence[Ticket], ports: Sequence[int], a_second: float) -> None:
        self._is_over, self._no_more = threading.Event(), threading.Event()
        self._devices: list[Device] = []
        self._coming = threading.Thread(target=self._come, args=(tickets, ports, 1 / a_second), daemon=True)
        self.ran_out = False

    def start(self) -> None:
        self._coming.start()

    def _come(self, tickets: Sequence[Ticket], ports: Sequence[int], pause: float) -> None:
        for ticket in tickets:
            if self._no_more.wait(pause):
                return
            device = Device(ticket, ports, self._is_over)
            self._devices.append(device)
            device.start()
        self.ran_out = True

    def stored(self) -> int:
        return sum(one.told.said == STORED for one in list(self._devices))

    def end(self, seconds: float) -> list[tuple[Ticket, Told]]:
        """Nobody else comes; whoever is there has so long to be told. What each was told."""
        self._no_more.set()
        self._coming.join()
        until = time.monotonic() + seconds
        for device in self._devices:
            device.join(max(0.0, until - time.monotonic()))
        self._is_over.set()
        for device in self._devices:
            device.join(OF_A_BROWSER + 5)
        return [(one.ticket, one.told) for one in self._devices]
