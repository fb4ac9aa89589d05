"""What the overview of 1,000 checks costs: `python -m benchmarks.page`.

In one process: the server as the daemon has it, 1,000 checks in five systems, and a browser in a thread of its own that
accepts gzip. The stall is what somebody feels who asks for a turn all the time, in CPU time of the thread, so that what
else the machine does is on nobody's bill; the first byte is what somebody waits for, on the wall.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.push import Turns
from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.web import Door, Tokens, Web
from monitor.web.page import Shell, pages
from tests.web.page.scene import Scene
from tests.web.page.stage import Stage, many

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.view import CheckView, Overview

ROUNDS = 9
CHECKS = 1_000
KIB = 1_024


class Look(NamedTuple):
    """One look at the page: seconds to its first byte and to its last, the longest stall meanwhile, and its bytes."""

    first: float
    last: float
    stall: float
    size: int


def later(view: CheckView) -> CheckView:
    """Return how a check stands after another run."""
    return replace(view, at=view.at and view.at + timedelta(seconds=15))


def ran(seen: Overview, every: int) -> Overview:
    """Return the same after every so many checks ran once more."""
    systems = (
        replace(one, checks=tuple(later(view) if at % every == 0 else view for at, view in enumerate(one.checks)))
        for one in seen.systems
    )
    return replace(seen, systems=tuple(systems))


def fetch(port: int) -> tuple[float, float, int]:
    """Return the seconds to the first byte of the overview and to the last, and its size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    began = time.perf_counter()
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    head = answer.read(1)
    first = time.perf_counter() - began
    size = len(head) + len(answer.read())
    last = time.perf_counter() - began
    connection.close()
    return first, last, size


async def look(port: int) -> Look:
    """Look once, while somebody asks for a turn all the time."""
    turns = Turns()
    asking = asyncio.create_task(turns.ask())
    await asyncio.sleep(0.01)
    turns.longest = 0.0
    first, last, size = await asyncio.to_thread(fetch, port)
    stall = turns.longest
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    return Look(first, last, stall, size)


async def looks(change: Callable[[Overview], Overview], *, afresh: bool = False) -> Look:
    """Return the medians of several looks, before each of which `change` happens; `afresh`: with a new server each."""
    stage, clock = Stage(many(CHECKS)), SystemClock()
    found = []
    site = await serving(stage, clock)
    await look(site.port)
    for _ in range(ROUNDS):
        if afresh:
            await site.stop()
            site = await serving(stage, clock)
        stage.seen = change(stage.seen)
        found.append(await look(site.port))
    await site.stop()
    return Look(*(median(each) for each in zip(*found, strict=True)))


async def serving(stage: Stage, clock: SystemClock) -> Web:
    """Return a server of the pages that listens."""
    metrics = Metrics()
    shell = Shell(Door(Tokens(), clock, metrics.daemon.refused), clock)
    site = Web(shell.door, metrics, healthy=list, ready=list, more=pages(shell, stage, Scene(), clock))
    await site.start("127.0.0.1", 0)
    return site


async def measure() -> None:
    """Measure and print."""
    gc.collect()
    gc.freeze()
    cases = {
        "the first look after the start": await looks(lambda seen: seen, afresh=True),
        "all have run since": await looks(lambda seen: ran(seen, 1)),
        "one in three has run since": await looks(lambda seen: ran(seen, 3)),
        "nothing has changed": await looks(lambda seen: seen),
    }
    print(f"the overview of {CHECKS:,} checks, medians of {ROUNDS} looks, gzip")
    for name, one in cases.items():
        figures = (
            f"first byte {one.first * 1e3:5.1f} ms   whole {one.last * 1e3:6.1f} ms   stall {one.stall * 1e3:4.1f} ms"
        )
        print(f"{name:<32} {figures}   {one.size / KIB:.0f} KiB")
    made, kept = cases["all have run since"].last, cases["nothing has changed"].last
    print(f"rows that are kept: {kept / made:.2f} of the time")


if __name__ == "__main__":
    asyncio.run(measure())
