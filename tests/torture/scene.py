"""One client with one tablet: what they do, and what is remembered of it."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playwright.sync_api import Error, Page

from tests.torture import page as said
from tests.torture.device import Device
from tests.torture.marks import ITEMS, Marks, draw
from tests.torture.world import World

A_MOMENT = 3.0  # seconds
OWN_TIME = 1.5  # within which a page tries again that was refused once
LONG = 25.0
PLACES = ("/rate/", "/accounts/login/", "/room/", "/rate/help/")


@dataclass
class HandedIn:
    """Marks that a page was told to hand in. They are promised once that page does not ask to be left open."""

    page: Page
    marks: Marks


@dataclass
class Scene:
    world: World
    device: Device
    rng: Random
    session: Any
    marks: Marks
    handed_in: list[HandedIn] = field(default_factory=list)
    beside: list[HandedIn] = field(default_factory=list)  # ready in another tab, to be pressed at once
    is_pressed: bool = False
    is_wiped: bool = False  # the device's storage was cleared while marks waited there alone
    form: Page | None = None

    def __post_init__(self) -> None:
        self.first_upload = len(self.world.site.uploads)
        self.way = self.rng.choice(("by itself", "online", "a new page"))

    @property
    def uploads(self) -> list[bytes]:
        return self.world.site.uploads[self.first_upload :]

    # --- The client ------------------------------------------------------------------------------

    def begin(self) -> None:
        self.device.give_session(self.world.hand_over(self.session))

    def try_to_open(self) -> None:
        if self.form is None or self.form.is_closed():
            with suppress(Error):
                self.form = self.device.new_tab()
        if self.form:
            self.device.go(self.form, "/rate/")

    def open_form(self) -> Page:
        """The form, whatever happened before: where the browser knows nothing any more, it is handed over anew."""
        if self.form and self.says(self.form, said.IS_FORM):
            return self.form
        for _ in range(3):
            if self.form is None or self.form.is_closed():
                self.form = self.device.new_tab()
            self.device.go(self.form, "/rate/")
            if self.says(self.form, said.IS_FORM):
                self.form.wait_for_function(said.IS_READY)
                return self.form
            self.begin()
        raise RuntimeError("The form does not open.")

    def mark_half(self, page: Page) -> None:
        given = self.marks.for_page()
        page.evaluate(said.MARK, {**given, "answers": {item: given["answers"][item] for item in ITEMS[:2]}})

    def fill(self, page: Page, marks: Marks) -> HandedIn:
        """Up to the review: the next press hands in."""
        page.evaluate(said.MARK, marks.for_page())
        page.evaluate(said.PRESS, "review")
        return HandedIn(page, marks)

    def press(self, one: HandedIn) -> None:
        """Hand in, here and where another tab is ready."""
        both = [one, *self.beside]
        self.rng.shuffle(both)
        self.is_pressed = True
        for ready in both:
            with suppress(Error):
                ready.page.evaluate(said.PRESS, "hand-in")
                self.handed_in.append(ready)

    def open_second_tab(self, *, same: bool) -> None:
        page = self.device.open("/rate/")
        if not self.says(page, said.IS_FORM):
            return
        with suppress(Error):
            page.wait_for_function(said.IS_READY)
            ready = self.fill(page, self.marks if same else draw(self.rng))
            self.beside.append(ready)
            if self.is_pressed:
                page.evaluate(said.PRESS, "hand-in")
                self.handed_in.append(ready)

    # --- Looks -----------------------------------------------------------------------------------

    def says(self, page: Page, script: str) -> bool:
        with suppress(Error):
            return bool(page.evaluate(script))
        return False

    def is_promised(self, one: HandedIn) -> bool:
        return one.page in self.device.promised

    def waiting(self) -> int:
        """Deliveries that this device keeps; one where nobody can look just now."""
        for page in self.device.tabs:
            with suppress(Error):
                return int(page.evaluate(said.WAITING))
        return 1

    def pause(self, seconds: float) -> None:
        """Playwright hears what the browser says in the meantime."""
        for page in self.device.tabs[:1]:
            with suppress(Error):
                page.wait_for_timeout(seconds * 1000)
                return
        time.sleep(seconds)

    def until(self, condition: Any, patience: float) -> bool:
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                return False
            self.pause(0.02)
        return True

    def stay_while_unsettled(self) -> None:
        """Until each page that handed in says so, says that it cannot, or is gone."""
        self.until(lambda: all(map(self._is_settled, self.handed_in)), A_MOMENT)

    def _is_settled(self, one: HandedIn) -> bool:
        return one.page.is_closed() or self.is_promised(one) or self.says(one.page, said.SAYS_UNSENT)

    def is_under_way(self, one: HandedIn) -> bool:
        """The page has marks that only its memory holds."""
        return not one.page.is_closed() and self.says(one.page, said.IS_SENDING)

    # --- What waits goes out -----------------------------------------------------------------------

    def try_again(self) -> None:
        """The device tries while the fault is still there."""
        before = self.world.site.requests
        if self.device.tabs:
            self._wake()
            self.until(lambda: self.world.site.requests > before, OWN_TIME)

    def drain(self) -> bool:
        """Whether nothing waits on the device in the end."""
        self._wake()
        if self.until(self._is_drained, A_MOMENT):
            return True
        if not self.device.shows_the_site:  # a page that failed is known as one a moment later only
            self.device.open(self.rng.choice(PLACES))
        return self.until(self._is_drained, LONG)

    def _wake(self) -> None:
        """Whatever lets this device try: its own time, the network that is back, any page of the site.

        Where no page of the site is open, there is only the last. (Chromium with its window loads a page that
        failed again by itself, other browsers do not.)
        """
        if self.way == "a new page" or not self.device.shows_the_site:
            self.device.open(self.rng.choice(PLACES))
        elif self.way == "online":
            with suppress(Error):
                self.device.tabs[0].evaluate("() => dispatchEvent(new Event('online'))")

    def _is_drained(self) -> bool:
        return not any(map(self.is_under_way, self.handed_in)) and self.waiting() == 0
