"""`python -m benchmarks.application`: for how long a scrape of a large page of metrics keeps others from their turn.

The check runs as in the daemon, on uvloop, and the page comes from another process on another core. Beside it stands
what the official parser takes for the whole page, in the loop and in a thread. A stall is CPU time of the loop's
thread, as a machine that is busy with other work has no part in that; for a thread it is the time that passed, as the
interpreter's lock makes it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import uvloop
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.process import await_port, free_port, running
from monitor.app import GARBAGE
from monitor.clock import SystemClock
from monitor.databases import Databases
from monitor.model import CheckId, State
from monitor.network import Resolver, TlsContexts
from monitor.probes import load_kind
from monitor.probes.base import Resources, observe
from monitor.secrets import Redactor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CHECK = CheckId("bench", "application")
SIZE = 5 * 10**6
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")
VALUES = {
    "requests": {"rate": "wanted_seconds_count", "by": "path"},
    "errors": {"ratio": 'wanted_seconds_count{path=~"/things/1.*"}', "of": "wanted_seconds_count"},
    "p95": {"quantile": 0.95, "histogram": "wanted_seconds", "by": "path"},
}


class Cost(NamedTuple):
    """Seconds: the longest time in which nobody else had a turn, CPU, and how long it took."""

    stall: float
    cpu: float
    took: float

    def __str__(self) -> str:
        return f"{self.stall * 1e3:8.1f} ms {self.cpu * 1e3:8.0f} ms {self.took * 1e3:8.0f} ms"


def page(paths: int) -> str:
    """Return a page of 5 MB with the histograms of so many paths, and for the rest what nobody looks for."""
    lines = [
        f'wanted_seconds_bucket{{method="GET",path="/things/{n}",le="{b}"}} {n}' for n in range(paths) for b in BOUNDS
    ]
    lines += [f'wanted_seconds_count{{method="GET",path="/things/{n}"}} {n}' for n in range(paths)]
    size, number = sum(map(len, lines)), 0
    while size < SIZE:
        lines.append(f'other_seconds_bucket{{method="GET",path="/things/{number}",le="0.5"}} {number}')
        size += len(lines[-1]) + 1
        number += 1
    return "\n".join(lines) + "\n"


async def costing(work: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.thread_time) -> Cost:
    """Do `work` beside somebody who wants a turn all the time, and return what it cost besides."""
    longest, working = 0.0, True

    async def turn() -> None:
        nonlocal longest
        last = clock()
        while working:
            await asyncio.sleep(0)
            now = clock()
            longest, last = max(longest, now - last), now

    other = asyncio.create_task(turn())
    await asyncio.sleep(0)
    began, cpu = time.perf_counter(), time.process_time()
    await work()
    cost = time.process_time() - cpu, time.perf_counter() - began
    working = False
    await other
    return Cost(longest, *cost)


async def ours(url: str, rounds: int) -> tuple[Cost, Cost]:
    """Return what the first scrape costs, when all is new, and what a later one does."""
    resolver = Resolver()
    resources = Resources(resolver, TlsContexts(), Databases(resolver), Redactor())
    check = load_kind("metrics").model_validate({"kind": "metrics", "url": url, "timeout": "60s", "values": VALUES})

    async def scrape() -> None:
        sample = await observe(CHECK, check, resources, SystemClock())
        assert sample.state is State.UP, sample.detail  # noqa: S101 - a benchmark of failures would be fast

    costs = [await costing(scrape) for _ in range(rounds + 1)]
    await resolver.close()
    return costs[0], _median(costs[1:])


async def official(text: str, *, thread: bool) -> Cost:
    """Return what the official parser costs, in the loop or in a thread."""

    def parse() -> int:
        return sum(len(family.samples) for family in text_string_to_metric_families(text))

    async def work() -> None:
        await (asyncio.to_thread(parse) if thread else asyncio.sleep(0, parse()))

    return await costing(work, time.perf_counter if thread else time.thread_time)


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(median(column) for column in zip(*costs, strict=True)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.application", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    print(f"{'a page of 5 MB':44} {'stall':>11} {'CPU':>11} {'in all':>11}")
    text = ""
    for paths in (100, 1_500):
        with tempfile.TemporaryDirectory() as name:
            folder, port = Path(name), free_port()
            text = page(paths)
            (folder / "metrics").write_text(text)
            command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", name]
            log = folder / "log"
            with running(command, cores[-1], log) as process:
                await_port(port, process, log)
                first, later = uvloop.run(ours(f"http://127.0.0.1:{port}/metrics", given.rounds))
        print(f"{f'{paths * 11:,} series looked at, first scrape':44} {first}")
        print(f"{f'{paths * 11:,} series looked at, later ones':44} {later}")
    for thread in (False, True):
        where = "in a thread" if thread else "in the loop"
        print(f"{f'official parser, all of it, {where}':44} {uvloop.run(official(text, thread=thread))}")


if __name__ == "__main__":
    main()
