"""What can go wrong, as data. Each fault can strike at each moment; `heal` is when the world is put right."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from unittest import mock

from sessions_app.intake import record_rating
from tests.torture import page as said
from tests.torture import site
from tests.torture.scene import Scene
from tests.torture.site import Trouble, says


class Moment(StrEnum):
    BEFORE_OPEN = "before open"
    WHILE_ANSWERING = "while answering"
    AT_SUBMIT = "at submit"
    IN_FLIGHT = "in flight"
    AFTER_COMMIT = "after commit"
    ON_REPLAY = "on replay"
    AFTER_6_DAYS = "after 6 days"
    AFTER_8_DAYS = "after 8 days"


WAITING = {Moment.ON_REPLAY: 0, Moment.AFTER_6_DAYS: 6, Moment.AFTER_8_DAYS: 8}  # days that passed since
Deed = Callable[[Scene], Any]


def nothing(scene: Scene) -> None:
    """The fault is over by itself, or stays."""


@dataclass(frozen=True)
class Fault:
    """`leaves`: the page goes away, so at submit it strikes just after the press."""

    name: str
    strike: Deed
    heal: Deed = nothing
    prepare: Deed = nothing
    leaves: bool = False
    needs_own_browser: bool = False
    needs_worker: bool = False


# --- The network and the server --------------------------------------------------------------------


def _trouble(trouble: Trouble, *, on_uploads_only: bool = False) -> Deed:
    return lambda scene: scene.world.site.strike(trouble, on_uploads_only=on_uploads_only)


def _heal(scene: Scene) -> None:
    scene.world.site.heal()


def _drop(scene: Scene) -> None:
    scene.device.offline(True)
    scene.world.site.strike(site.cut)  # also what a service worker asks for


def _network_back(scene: Scene) -> None:
    scene.world.site.heal()
    scene.device.offline(False)


def _hang(scene: Scene) -> None:
    healed = scene.world.site.healed

    def silent(ask: Callable[[], site.Reply]) -> None:
        healed.wait(site.PATIENCE)

    scene.world.site.strike(silent, on_uploads_only=True)


def _twice(scene: Scene) -> None:
    scene.world.site.strike(site.twice, on_uploads_only=True)
    _deliver(scene, scene.uploads)


def _again_in_another_order(scene: Scene) -> None:
    """Whatever was delivered so far, by this client and by the one before."""
    bodies = [*scene.world.earlier, *scene.uploads]
    scene.rng.shuffle(bodies)
    _deliver(scene, bodies)


def _deliver(scene: Scene, bodies: list[bytes]) -> None:
    """Past a closed gate they would wait for whoever brings them to open it."""
    scene.world.site.arrived.open()
    scene.world.site.committed.open()
    for body in bodies:
        scene.world.server.deliver(body)


def _upgrade_into_a_portal(scene: Scene) -> None:
    """The browser fetches the new worker, and everything the worker fetches is the network's own page."""
    scene.world.site.release()
    scene.world.site.strike(site.portal_as_the_worker_fills())


def _fail_half_way(scene: Scene) -> None:
    """The row is written, and then something in the same transaction fails."""
    broken = mock.patch.object(record_rating, "conclude_locked", side_effect=RuntimeError("made on purpose"))
    scene.undo = broken.stop  # type: ignore[attr-defined]
    broken.start()


def _undo(scene: Scene) -> None:
    if undo := scene.__dict__.pop("undo", None):
        undo()


# --- The device --------------------------------------------------------------------------------------


def _close(scene: Scene) -> None:
    scene.device.close_tabs()


def _reload(scene: Scene) -> None:
    for page in scene.device.tabs:
        scene.device.go(page, "/rate/")


def _kill(scene: Scene) -> None:
    scene.device.kill()


def _restart(scene: Scene) -> None:
    scene.device.restart()


def _storage_full(scene: Scene) -> None:
    scene.device.fill_storage()
    scene.world.site.strike(says("503 Service Unavailable"), on_uploads_only=True)


def _storage_cleared(scene: Scene) -> None:
    scene.is_wiped = scene.is_pressed
    scene.device.clear_storage()


def _clock(year: int) -> Deed:
    return lambda scene: scene.device.set_clock(datetime(year, 1, 1, 0, 1, tzinfo=UTC).timestamp())


def _clock_put_right(scene: Scene) -> None:
    scene.device.set_clock(time.time())


def _impatient(scene: Scene) -> None:
    scene.device.context.add_init_script(said.HURRY)


FAULTS = (
    Fault("network drop", _drop, _network_back),
    Fault("no answer", _hang, _heal, prepare=_impatient),
    Fault("captive portal page", _trouble(says("200 OK", site.PORTAL)), _heal),
    Fault("captive portal redirect", _trouble(says("302 Found", "", Location="/portal/")), _heal),
    Fault("500", _trouble(says("500 Internal Server Error")), _heal),
    Fault("502", _trouble(says("502 Bad Gateway")), _heal),
    Fault("503", _trouble(says("503 Service Unavailable", Retry_After="120")), _heal),
    Fault("429", _trouble(says("429 Too Many Requests", Retry_After="120")), _heal),
    Fault("413", _trouble(says("413 Content Too Large")), _heal),
    Fault("connection cut", _trouble(site.cut), _heal),
    Fault("answer lost", _trouble(site.lost), _heal),
    Fault("half an answer", _trouble(site.half), _heal),
    Fault("another delivery's answer", _trouble(site.of_another_delivery, on_uploads_only=True), _heal),
    Fault("server fails half-way", _fail_half_way, _undo),
    Fault("delivered twice", _twice, _heal),
    Fault("delivered again in another order", _again_in_another_order),
    Fault("second tab, same marks", lambda scene: scene.open_second_tab(same=True)),
    Fault("second tab, other marks", lambda scene: scene.open_second_tab(same=False)),
    Fault("tab closed", _close, leaves=True),
    Fault("page reloaded", _reload, leaves=True),
    Fault("browser killed", _kill, _restart, leaves=True, needs_own_browser=True),
    Fault("storage full", _storage_full, _heal),
    Fault("storage cleared", _storage_cleared),
    Fault("key rotated", lambda scene: scene.world.rotate_key()),
    Fault("app upgraded", lambda scene: scene.world.site.release(), needs_worker=True),
    Fault("upgraded into a captive portal", _upgrade_into_a_portal, _heal, needs_worker=True),
    Fault("clock at 1970", _clock(1970)),
    Fault("clock at 2099", _clock(2099)),
    Fault("clock put right", _clock_put_right, prepare=_clock(2099)),
)
