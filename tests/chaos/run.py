"""One run: a site is built, ratings begin to come, the fault strikes and ends, and the rest is delivered."""

import time
from contextlib import ExitStack

from tests.chaos.devices import Load
from tests.chaos.faults import Fault
from tests.chaos.scene import (
    A_SECOND,
    AFTER,
    BEFORE,
    Result,
    Scene,
    Site,
    Template,
    folder_of_its_own,
    told_of,
)


def run(of: Template, fault: Fault) -> Result:
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of_its_own())
        site = Site(of.site.engine, folder, of.site.secret_key)
        scene = Scene(site, of.tickets, dict(fault.settings), replicas=fault.replicas)
        stack.callback(scene.end)
        fault.build(scene, of)
        if not scene.webs:
            scene.serve()
        return struck(scene, fault, began)


def struck(scene: Scene, fault: Fault, began: float) -> Result:
    load = Load(scene.tickets, [web.port for web in scene.webs], A_SECOND)
    load.start()
    time.sleep(BEFORE)
    fault.strike(scene)
    time.sleep(AFTER)
    handed_in, counts = told_of(scene, load)
    failed = sum(told.failed for _, told in handed_in)
    longest = max((told.longest for _, told in handed_in), default=0.0)
    last = sorted({told.last for _, told in handed_in if not told.said})
    scene.notice(last, f"Those who wait were last answered: {'; '.join(last[:3])}")
    scene.notice(not counts.acknowledged, "Nothing was acknowledged: the run proves nothing.")
    if fault.longest is not None:
        scene.notice(
            longest > fault.longest, f"A request waited {longest:.1f} s; {fault.longest:.0f} s are allowed."
        )
    return Result(
        fault.name,
        scene.site.engine,
        counts,
        failed,
        longest,
        round(time.monotonic() - began, 1),
        scene.problems,
    )
