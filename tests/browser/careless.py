"""The same pages with one protection taken away: for the controls, which must see the leak."""

import gzip
from collections.abc import Callable
from typing import Any

import brotli
from playwright.sync_api import BrowserContext, Route

from alliance import device_lock, middleware
from tests.canaries import CANARIES

KEEPABLE = "private, max-age=600"
# Chromium kept the page in 12 of 20 tries while the cookie stayed the same: once in eight is enough.
PATIENCE = 8
CARE_OF_THE_FORM = (
    ('addEventListener("pagehide", forget);', ""),
    ("if (event.persisted) location.reload();", ""),
    ("  forget();\n  location.replace(", "  location.assign("),
    ("\n  tellTaken(ours);", ""),
)
CARE_OF_THE_ROOM = (
    ("location.replace(url);", "location.assign(url);"),
    ("if (event.persisted) location.reload();", ""),
    ("else tellTaken();", ""),
)


def without_script(context: BrowserContext, name: str) -> None:
    context.route(f"**/{name}", lambda route: route.fulfill(body="", content_type="text/javascript"))


def without_the_scripts_care(context: BrowserContext) -> None:
    """The scripts as they must not be: they leave an entry in the history and forget nothing.

    The message to other tabs goes too: Chromium drops a kept page that hears one.
    """
    context.route("**/rate/form.js", _changed(CARE_OF_THE_FORM))
    context.route("**/room/room.js", _changed(CARE_OF_THE_ROOM))
    without_script(context, "rate/done.js")


def _changed(changes: tuple[tuple[str, str], ...]) -> Callable[[Route], None]:
    def careless(route: Route) -> None:
        text = route.fetch().text()
        for care, none in changes:
            assert care in text
            text = text.replace(care, none)
        route.fulfill(body=text, content_type="text/javascript")

    return careless


def keep_cookie(request: Any, **_: object) -> None:
    """`device_lock.hand_in` as it must not be: the grant goes, the cookie stays."""
    request.session["device_lock"] = {**request.session["device_lock"], "token": "", "return_to": ""}


# What is taken out of a page, by the name of the protection it is.
PROTECTIONS = {
    "no-store": (),
    "titles": ((b"<title>", b"<title>" + CANARIES.words["label"].encode() + b" "),),
    "autocomplete": ((b'autocomplete="off"', b""),),
    "search in place": ((b"hx-get=", b"data-hx-get="),),
    "shield": ((b"shield.", b"no-shield."),),
    "form script": ((b"rate/form.", b"rate/no-form."),),
    "no history in htmx": ((b'"historyCacheSize": 0', b'"historyCacheSize": 10'),),
}


def server_without(monkeypatch: Any, *protections: str) -> None:
    """The live server's pages without these, from now on: changed where every answer passes."""
    kept = middleware.patch_vary_headers

    def careless(response: Any, names: list[str]) -> None:
        kept(response, names)
        if "no-store" in protections:
            response.headers["Cache-Control"] = KEEPABLE
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = as_it_was(response)
            for care, none in (change for name in protections for change in PROTECTIONS[name]):
                response.content = response.content.replace(care, none)
            response.headers["Content-Length"] = str(len(response.content))

    monkeypatch.setattr(middleware, "patch_vary_headers", careless)


def as_it_was(response: Any) -> bytes:
    """The page before it was compressed, whose header goes."""
    way = response.headers.get("Content-Encoding")
    if way is None:
        return response.content
    del response.headers["Content-Encoding"]
    return {"br": brotli.decompress, "gzip": gzip.decompress}[way](response.content)


def neither_rotates_nor_forbids_to_keep(monkeypatch: Any) -> None:
    monkeypatch.setattr(device_lock, "hand_in", keep_cookie)
    server_without(monkeypatch, "no-store")
