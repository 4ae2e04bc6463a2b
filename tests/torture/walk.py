"""One run: the walk of a client through the moments, with a fault at one of them."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from playwright.sync_api import Error

from tests.torture import page
from tests.torture.faults import WAITING, Fault, Moment
from tests.torture.judge import Verdict, judge
from tests.torture.marks import draw
from tests.torture.scene import LONG, HandedIn, Scene
from tests.torture.site import Gate
from tests.torture.world import World

WORKERS = 1 / 3  # of the runs have a service worker
A_WINK = 0.06  # seconds within which the page goes away after the press


@dataclass(frozen=True)
class Cell:
    fault: Fault
    moment: Moment
    run: int = 0

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.moment}, run {self.run}"


def run(world: World, cell: Cell, seed: int) -> Verdict:
    fault = cell.fault
    rng = Random(f"{seed} {cell}")
    worker = rng.random() < WORKERS or fault.needs_worker
    device = world.device(of_its_own=fault.needs_own_browser, worker=worker)
    scene = Scene(world, device, rng, world.new_session(), draw(rng))
    try:
        _walk(scene, fault, cell.moment)
        return judge(scene, drained=scene.drain(), may_leave=fault.leaves and cell.moment == Moment.AT_SUBMIT)
    except (Error, RuntimeError) as error:
        return Verdict(f"broken: {error}", broken=1)
    finally:
        fault.heal(scene)
        world.site.heal()
        world.earlier = scene.uploads
        world.put_away(device)


def _walk(scene: Scene, fault: Fault, moment: Moment) -> None:
    """Until the world is put right again."""
    fault.prepare(scene)
    scene.begin()
    if moment == Moment.BEFORE_OPEN:
        fault.strike(scene)
        scene.try_to_open()
        fault.heal(scene)
    scene.mark_half(scene.open_form())
    if moment == Moment.WHILE_ANSWERING:
        fault.strike(scene)
        if fault.leaves:
            fault.heal(scene)
    ready = scene.fill(scene.open_form(), scene.marks)
    if moment in WAITING:
        _strike_what_waits(scene, fault, ready, days=WAITING[moment])
    elif moment in {Moment.IN_FLIGHT, Moment.AFTER_COMMIT}:
        site = scene.world.site
        _strike_at(site.arrived if moment == Moment.IN_FLIGHT else site.committed, scene, fault, ready)
    else:
        _press(scene, fault if moment == Moment.AT_SUBMIT else None, ready)
    scene.stay_while_unsettled()
    fault.heal(scene)
    scene.world.site.heal()


def _press(scene: Scene, fault: Fault | None, ready: HandedIn) -> None:
    """A fault that takes the page away comes just after the press; another is there already."""
    if fault and not fault.leaves:
        fault.strike(scene)
    scene.press(ready)
    if fault and fault.leaves:
        scene.pause(scene.rng.random() * A_WINK)
        fault.strike(scene)


def _strike_at(gate: Gate, scene: Scene, fault: Fault, ready: HandedIn) -> None:
    gate.close()
    scene.press(ready)
    if not gate.wait_for_somebody():
        raise RuntimeError("Nothing was sent.")
    fault.strike(scene)
    gate.open()


def _strike_what_waits(scene: Scene, fault: Fault, ready: HandedIn, *, days: int) -> None:
    site = scene.world.site
    site.is_away = True
    scene.press(ready)
    if not scene.until(lambda: scene.says(ready.page, page.IS_KEPT), LONG):
        raise RuntimeError("Nothing was kept.")
    scene.world.age(scene.session, timedelta(days=days))
    fault.strike(scene)
    site.is_away = False
    scene.try_again()
