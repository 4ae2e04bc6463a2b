"""What a browser still holds: dumps to look for somebody's words in.

Each function returns everything of one kind as one text, so that a test only asks whether a word is in it.
"""

import json
import os
import re
import signal
import time
import zlib
from contextlib import suppress
from email import message_from_string
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

A_MOMENT = 80  # milliseconds
# What a client writes on the form in these tests.
CLIENTS_WORDS = "Capybarawords: we never talk about my brother."


# --- One page --------------------------------------------------------------------------------------

SHOWN = """() => [
  document.title, document.documentElement.outerHTML, document.documentElement.innerText, location.href,
  ...[...document.querySelectorAll("input, textarea, select")].map((one) => one.value),
  ...[...document.querySelectorAll("template")].map((one) => one.innerHTML),
].join("\\n")"""


WHERE = """() => document.readyState === "complete"
  && [`${performance.timeOrigin} ${location.href}`, performance.now() > 1000 ? 5 : 2]"""
TEXT = "() => document.documentElement.innerText"


def shown(page: Page) -> str:
    """Text, document, title, address and what stands in the fields, once the page has come to rest."""
    return at_rest(page, SHOWN)


def at_rest(page: Page, look: str = TEXT) -> str:
    """What `look` sees once the same page has stood there for a few moments.

    Back from a cache is no navigation that Playwright sees; such a page is old, and may be about to load
    itself again.
    """
    stood, before = 0, None
    for _ in range(100):
        page.wait_for_timeout(A_MOMENT)
        try:
            now, moments = page.evaluate(WHERE) or (None, 0)
            stood = stood + 1 if now and now == before else 1
            if now and stood >= moments:
                return str(page.evaluate(look) or "")
        except Error:  # it went on to another page meanwhile
            now = None
        before = now
    raise AssertionError("The page does not come to rest.")


def entries(page: Page) -> list[dict[str, Any]]:
    """What a long press on the Back button lists: address and title of each entry of this tab."""
    cdp = page.context.new_cdp_session(page)
    found = cdp.send("Page.getNavigationHistory")["entries"]
    cdp.detach()
    return list(found)


def step(page: Page, by: int) -> None:
    """Back or forward through the DevTools protocol: a page without scripts cannot go by itself."""
    cdp = page.context.new_cdp_session(page)
    history = cdp.send("Page.getNavigationHistory")
    place = history["currentIndex"] + by
    if 0 < place < len(history["entries"]):
        cdp.send("Page.navigateToHistoryEntry", {"entryId": history["entries"][place]["id"]})
        with suppress(Error):  # the cache put another page in this one's place
            for _ in range(40):
                page.wait_for_timeout(25)
                if cdp.send("Page.getNavigationHistory")["currentIndex"] == place:
                    break
    with suppress(Error):
        cdp.detach()


def printed(page: Page) -> str:
    """The words that printing this page, or saving it as PDF, puts on paper."""
    return pdf_text(page.pdf())


def saved(page: Page) -> str:
    """The page as "Save as" keeps it, one file with everything in it, decoded."""
    cdp = page.context.new_cdp_session(page)
    parts = message_from_string(cdp.send("Page.captureSnapshot")["data"], policy=mail_policy)
    cdp.detach()
    texts = [part.get_content() for part in parts.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in parts.items()), *texts])


STORED = """async () => {
  const found = [document.cookie, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  found.push(JSON.stringify(history.state), window.name);
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((done, failed) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
    for (const store of base.objectStoreNames) {
      const rows = await new Promise((done) => {
        const asked = base.transaction(store).objectStore(store).getAll();
        asked.onsuccess = () => done(asked.result);
      });
      found.push(name, store, JSON.stringify(rows));
    }
    base.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      found.push(name, request.url, await (await cache.match(request)).text());
    }
  }
  for (const worker of await navigator.serviceWorker?.getRegistrations() ?? []) found.push(worker.scope);
  return found.join("\\n");
}"""


def stored(page: Page) -> str:
    """Everything a script of this site finds: storages, databases, caches, workers."""
    return str(page.evaluate(STORED))


def everything_in(page: Page) -> str:
    """All of the above of one open page, and its tab's history."""
    titles = json.dumps(entries(page), ensure_ascii=False)
    return "\n".join([shown(page), titles, stored(page), saved(page), printed(page)])


# --- A PDF, as far as Chromium writes it -----------------------------------------------------------


def pdf_text(pdf: bytes) -> str:
    """The words of a PDF of Chromium's: glyph numbers, translated by the tables that stand beside the fonts."""
    streams = [_inflated(raw) for raw in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)]
    letters: dict[str, str] = {}
    for one in streams:
        letters.update(_letters(one))
    runs = [run for one in streams if "BT" in one for run in re.findall(r"<([0-9A-Fa-f]+)> ?Tj", one)]
    words = [
        "".join(letters.get(run[at : at + 4].upper(), "") for at in range(0, len(run), 4)) for run in runs
    ]
    return pdf.decode("latin-1") + "\n" + "".join(words)


def _inflated(raw: bytes) -> str:
    try:
        return zlib.decompress(raw).decode("latin-1")
    except zlib.error:
        return ""


def _letters(table: str) -> dict[str, str]:
    found = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.S):
        for glyph, letter in re.findall(r"<(\w{4})> <(\w{4})>", block):
            found[glyph.upper()] = chr(int(letter, 16))
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, re.S):
        for first, last, letter in re.findall(r"<(\w{4})> <(\w{4})> <(\w{4})>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[f"{int(first, 16) + step:04X}"] = chr(int(letter, 16) + step)
    return found


# --- A whole profile -------------------------------------------------------------------------------


def profile_text(profile: Path) -> str:
    """Everything a browser's profile holds on disk, each byte as it is and once more as two-byte text."""
    found = []
    for path in sorted([profile, *profile.rglob("*")]):
        if path.is_file() and not path.is_symlink():
            raw = path.read_bytes()
            found += [str(path.relative_to(profile)), raw.decode("utf-8", "replace"), _wide(raw)]
    return "\n".join(found)


def _wide(raw: bytes) -> str:
    """Chromium keeps titles and form fields as two-byte characters, at odd and even places alike."""
    return raw.replace(b"\x00", b"").decode("utf-8", "replace")


def kill(profile: Path) -> None:
    """End the browser that runs on this profile as a power cut does, with every process of it."""
    for process in processes_on(profile):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    wait_until_gone(profile)
    for link in profile.glob("Singleton*"):
        link.unlink()


def wait_until_gone(profile: Path, *, seconds: float = 20) -> None:
    """A browser that was closed may still be writing: nothing else may open its profile before it is gone."""
    until = time.monotonic() + seconds
    while processes_on(profile):
        assert time.monotonic() < until, f"Still running on the profile: {processes_on(profile)}"
        time.sleep(0.05)


def processes_on(profile: Path) -> list[int]:
    """Those that were started with this profile in their command line and are not merely waiting to be reaped."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(profile) in command.read_bytes():
                found.append(int(command.parent.name))
    return found
