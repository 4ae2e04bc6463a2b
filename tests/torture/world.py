"""The clinic of the runs: its server, its key, its therapist, and a clock that moves by making everything older."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Model
from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import Browser, Error, Playwright

from alliance import device_lock
from alliance.models import BrowserSession, User
from alliance.session_store import SessionStore
from clients.models import Client, Episode
from sessions_app.courses.grants import RatingGrant
from sessions_app.courses.models import Attendance, TherapySession
from sessions_app.intake import hand_over_actions
from tests.torture.device import FLAGS, Device, DeviceOfItsOwn, chromium
from tests.torture.site import Server, Site

LONG_AGO = timedelta(days=90)
# Runs that share a browser. One that is driven through dozens of closed tabs may answer no more.
TO_A_BROWSER = 8
TO_CLOSE = 10.0  # seconds that a device may take to be put away


class World:
    def __init__(self, playwright: Playwright) -> None:
        self.playwright = playwright
        self._browser: Browser | None = None
        self._process = 0  # the number of the browser's own
        self._devices = 0
        self.site = Site()
        self.server = Server(self.site)
        self.rotations = 0
        self.earlier: list[bytes] = []  # what the run before delivered
        self.seen: dict[type[Model], int] = {}  # the last row of each kind that was judged

    def device(self, *, of_its_own: bool, worker: bool) -> Device:
        if of_its_own:
            return DeviceOfItsOwn(self.playwright, self.server.url)
        return Device(self._a_browser(), self.server.url, worker=worker)

    def put_away(self, device: Device) -> None:
        """After the run is judged. A tab now and then never says that it is closed."""
        with self._killed_where_late():
            device.end()

    def _a_browser(self) -> Browser:
        if self._browser is None or not self._browser.is_connected() or self._devices % TO_A_BROWSER == 0:
            self._close()
            self._browser = self.playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            told = self._browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
            self._process = next(one["id"] for one in told if one["type"] == "browser")
        self._devices += 1
        return self._browser

    def _close(self) -> None:
        if self._browser is not None:
            with self._killed_where_late(), suppress(Error):
                self._browser.close()

    @contextmanager
    def _killed_where_late(self) -> Iterator[None]:
        """Whoever waits for an answer of a browser that was killed is told so."""
        late = threading.Timer(TO_CLOSE, self._kill)
        late.start()
        try:
            yield
        finally:
            late.cancel()

    def _kill(self) -> None:
        if self._process:  # 0 would be ourselves
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)

    def new_session(self) -> TherapySession:
        """A client of whom the clinic knows nothing else, and their first session, an hour ago."""
        therapist, _ = User.objects.get_or_create(
            email="therapist@torture.example", defaults={"name": "Therapist", "is_therapist": True}
        )
        client = Client.objects.create(label=f"T-{Client.objects.count() + 1}", language="en")
        now = timezone.now()
        episode = Episode.objects.create(
            client=client, therapist=therapist, opened_on=timezone.localdate(now - LONG_AGO)
        )
        held_at = now - timedelta(hours=1)
        return TherapySession.objects.create(
            episode=episode,
            number=1,
            held_at=held_at,
            ends_at=held_at + timedelta(minutes=50),
            attendance=Attendance.ATTENDED,
        )

    def hand_over(self, session: TherapySession) -> str:
        """The key of the session that the client's browser holds from now on."""
        _, token = hand_over_actions.hand_over(session=session, by=session.episode.therapist)
        store = SessionStore()
        store[device_lock._LOCK] = {"token": token, "return_to": ""}
        store.create()
        return str(store.session_key)

    def age(self, session: TherapySession, by: timedelta) -> None:
        """So much time passes for this client: everything of theirs, and every cookie, is older by it."""
        TherapySession.objects.filter(pk=session.pk).update(
            held_at=F("held_at") - by, ends_at=F("ends_at") - by
        )
        clocks = ("made_at", "open_until", "accept_until", "withdrawn_at")
        RatingGrant.objects.filter(session=session).update(**{name: F(name) - by for name in clocks})
        BrowserSession.objects.update(expire_date=F("expire_date") - by)

    def rotate_key(self) -> None:
        self.rotations += 1
        old = settings.SECRET_KEY
        settings.SECRET_KEY = f"rotated-{self.rotations}-".ljust(60, "k")
        settings.SECRET_KEY_FALLBACKS = [old, *settings.SECRET_KEY_FALLBACKS][:20]

    def end(self) -> None:
        self.site.heal()
        self.server.end()
        self._close()


@contextmanager
def opened(playwright: Playwright) -> Iterator[World]:
    """A world on the database that is configured, with a browser of its own."""
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": "tests.torture.site.Releases"}}
    keys = {"SECRET_KEY": settings.SECRET_KEY, "SECRET_KEY_FALLBACKS": settings.SECRET_KEY_FALLBACKS}
    with override_settings(STORAGES=storages, **keys):
        world = World(playwright)
        loggers = [logging.getLogger(name) for name in ("django", "django.server")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)  # the server's errors are made on purpose
        world.site.release()
        try:
            yield world
        finally:
            world.end()
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
