"""What pushing the metrics of 1,000 checks costs the loop: `python -m benchmarks.push`.

In one process: 1,000 checks that have all run since the push before, the pusher as the daemon has it, and a receiver
that takes everything at once. The stall is what somebody feels who asks for a turn all the time, in CPU time of the
thread, so that what else the machine does is on nobody's bill.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.model import CheckId, Measure, Sample, State, labels
from monitor.plan import Plan
from monitor.probes.http import HttpCheck
from monitor.push import REASONS, Pace, Pusher

if TYPE_CHECKING:
    from monitor.push.receiver import Refusal

CHECKS = 1_000
PUSHES = 20
SENT = 0.05
"""Seconds after which all requests of a push are with the receiver."""
PHASES = ("dns", "connect", "tls", "processing", "transfer")


@dataclass
class Counted:
    """A receiver that takes everything."""

    requests: int = 0
    size: int = 0

    async def send(self, body: bytes) -> Refusal | None:
        """Count a request."""
        self.requests += 1
        self.size += len(body)
        return None


class Turns:
    """Asks for a turn all the time, and keeps the longest time without one, in seconds of CPU."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.thread_time()

    async def ask(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, self._last = max(self.longest, now - self._last), now

    def forget(self) -> None:
        """Begin anew."""
        self.longest, self._last = 0.0, time.thread_time()


class Bench:
    """Metrics of many checks, and what pushes them."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.metrics = Metrics()
        self.remote = Counted()
        check = HttpCheck.model_validate({"kind": "http", "url": "https://shop.example.com/"})
        self._plans = [Plan(CheckId("bench", f"check-{number}"), check) for number in range(CHECKS)]
        for plan in self._plans:
            self.metrics.watch(plan)
        pace = Pace(timedelta(days=1), random.random)
        tally = self.metrics.remote_write(REASONS)
        self.pusher = Pusher(self.metrics, "bench", self.remote, self._clock, tally, pace)

    def run(self) -> None:
        """Let each check have run once."""
        for plan in self._plans:
            phases = [Measure("phase", random.random(), labels({"phase": phase})) for phase in PHASES]  # noqa: S311 - no secret
            took = timedelta(seconds=sum(phase.value for phase in phases))
            found = (Measure("duration", took.total_seconds()), *phases, Measure("status", 200.0))
            self.metrics.sample(Sample(plan.id, self._clock.now(), took, State.UP, measures=found))

    async def pushed(self, turns: Turns) -> float:
        """Push what each check's next run has changed; return the CPU seconds that this took."""
        self.run()
        turns.forget()
        self.remote.requests = self.remote.size = 0
        began = time.thread_time()
        await self.pusher.push()
        await asyncio.sleep(SENT)
        return time.thread_time() - began


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


async def main() -> None:
    """Measure and print."""
    bench, turns = Bench(), Turns()
    bench.run()
    series = sum(not line.startswith(b"#") for line in bench.metrics.page().splitlines())
    gc.collect()
    gc.freeze()
    before = resident()
    asking = asyncio.create_task(turns.ask())
    await asyncio.sleep(0)
    turns.forget()
    pushing = asyncio.create_task(bench.pusher.run())
    while not bench.remote.requests:  # noqa: ASYNC110 - its server tells nobody
        await asyncio.sleep(0)
    await asyncio.sleep(1)
    first, stalls = turns.longest, []
    for _ in range(PUSHES):
        await bench.pushed(turns)
        stalls.append(turns.longest)
    asking.cancel()
    costs = [await bench.pushed(turns) for _ in range(PUSHES)]
    grown = resident() - before
    pushing.cancel()
    cost, remote = median(costs), bench.remote
    print(f"{CHECKS:,} checks, {series:,} series: {remote.requests} requests of {remote.size:,} bytes in all")
    print(f"  stall    {median(stalls) * 1e3:6.1f} ms median, {max(stalls) * 1e3:.1f} at most (wanted: under 5 ms)")
    print(f"  first    {first * 1e3:6.1f} ms: nothing is known of any series yet")
    print(f"  CPU      {cost * 1e3:6.1f} ms a push, rendering included: {cost / 15:.2%} of a core at one each 15 s")
    print(f"  memory   {grown:6.1f} MiB more than before the first push")


if __name__ == "__main__":
    asyncio.run(main())
