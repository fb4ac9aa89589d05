"""`python -m benchmarks.viewing`: what an overview of 1,000 checks costs, and a plot of a day of one that runs often.

An overview is made beside one that remembers nothing, for the ratio. A plot is read from an SQLite file; meanwhile a
task that only sleeps sees how much of the loop's own CPU went by without a turn for others.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from monitor.config import Config, System
from monitor.model import Change, CheckId, Measure, Patience, Sample, Severity, State, labels
from monitor.plan import Plan
from monitor.probes.http import HttpCheck
from monitor.showing import Picture, Strip
from monitor.situation import Situation
from monitor.store import open_store
from monitor.thresholds import Threshold
from monitor.units import Unit
from monitor.viewing.past import read_past
from monitor.viewing.reading import read_plot
from monitor.watch import parse_figure, parse_watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.store import Store

SYSTEMS, CHECKS = 5, 200
EVERY = timedelta(seconds=10)
ROUNDS = 7
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OTHERS = 20
"""Checks whose samples stand beside those that are drawn."""
STEP = 5_000
GARBAGE = 5_000
"""As the daemon spares the collector."""
PHASES = [labels({"phase": name}) for name in ("dns", "connect", "tls", "processing", "transfer")]


def threshold(text: str) -> Threshold:
    """Return a threshold that is never crossed."""
    levels = {Severity.WARNING: "> 10s", Severity.CRITICAL: "> 20s"}
    figures = tuple(parse_figure(severity, figure, Unit.SECONDS) for severity, figure in levels.items())
    return Threshold(text, parse_watch(text), Unit.SECONDS, figures, dict.fromkeys(levels, Patience()))


def plan(check: CheckId) -> Plan:
    """Return a check with three thresholds."""
    watches = ("duration", "p95(duration, 5m)", 'phase{phase="tls"}')
    fields = HttpCheck(kind="http", url="https://shop.example.com/", every=EVERY)
    return Plan(check, fields, tuple(map(threshold, watches)), title=check.check, system_title=check.system)


def sample(check: CheckId, number: int) -> Sample:
    """Return the run of that number."""
    took = 0.1 + number % 50 / 1_000
    measures = (Measure("duration", took), *(Measure("phase", took / 5, phase) for phase in PHASES))
    return Sample(check, START + number * EVERY, EVERY / 100, State.UP, measures=measures)


class Everything:
    """A configuration of 1,000 checks, and what is remembered of them."""

    def __init__(self) -> None:
        names = [f"system-{number}" for number in range(SYSTEMS)]
        checks = [CheckId(system, f"check-{number}") for system in names for number in range(CHECKS)]
        self.config = Config({check: plan(check) for check in checks}, {name: System(name, name) for name in names})
        self.situation = Situation()
        self.situation.configure(self.config.plans, (), START)
        self.picture = Picture(self.situation)
        self.number = 0
        self.now = START
        for _ in range(60):
            self.run()

    def run(self, step: int = 1) -> None:
        """Let every check run once."""
        self.number += step
        for check in self.config.plans:
            one = sample(check, self.number)
            self.situation.watched[check].see(one)
            self.picture.strip(check).add(one)
            self.now = one.at

    def overview(self) -> float:
        """Return the seconds of CPU that an overview takes."""
        began = time.process_time()
        self.picture.systems(self.config, self.now)
        return time.process_time() - began

    def rounds(self, step: int) -> Iterator[float]:
        """Yield what overviews take, each after so many runs of every check."""
        for _ in range(ROUNDS):
            if step:
                self.run(step)
            yield self.overview()


class Turns:
    """Sees how much CPU the loop spends between two turns."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.thread_time() - began)


async def fill(store: Store, checks: list[CheckId]) -> None:
    """Write a day of runs of each check."""
    for begin in range(0, DAY // EVERY, STEP // len(checks)):
        numbers = range(begin, min(begin + STEP // len(checks), DAY // EVERY))
        await store.write([Change(samples=tuple(sample(check, number) for number in numbers for check in checks))])


async def plot(store: Store, config: Config, check: CheckId) -> tuple[float, float]:
    """Return the seconds of CPU that a plot of a day takes, and for how many of them nobody else had a turn."""
    one, turns = config.plans[check], Turns()
    spec = next(spec for spec in one.check.declared() if spec.name == "duration")
    watching = asyncio.create_task(turns.watch())
    await asyncio.sleep(0)
    began = time.process_time()
    drawn = await read_plot(store, config, one, spec, START, START + DAY)
    took = time.process_time() - began
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    if not drawn.series:
        raise SystemExit("nothing was drawn")
    return took, turns.longest


async def past(store: Store, config: Config) -> float:
    """Return the seconds of CPU that it takes to read the strips of a day."""
    began = time.process_time()
    await read_past(store, {check: Strip(check) for check in config.plans}, START + DAY)
    return time.process_time() - began


async def reading() -> None:
    """Measure what is read from a store."""
    for others in (0, OTHERS):
        checks = [CheckId("shop", f"check-{number}") for number in range(1 + others)]
        config = Config({check: plan(check) for check in checks})
        with tempfile.TemporaryDirectory() as folder:
            store = await open_store(Path(folder) / "monitor.db")
            await store.lead()
            await fill(store, checks)
            found = [await plot(store, config, checks[0]) for _ in range(ROUNDS)]
            took, stalled = (median(column) for column in zip(*found, strict=True))
            single = await past(store, config)
            await store.tidy(START + DAY)
            summed = await past(store, config)
            await store.close()
        print(f"beside {others} others: {took * 1e3:6.0f} ms, {stalled * 1e3:5.1f} ms of no turn for others", end="")
        print(f"; strips after a restart {single * 1e3:6.0f} ms, {summed * 1e3:5.0f} ms once hours are summed up")


def main() -> None:
    """Measure and print."""
    everything = Everything()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    first = everything.overview()
    print(f"CPU of an overview of {SYSTEMS * CHECKS:,} checks with three thresholds each, median of {ROUNDS} rounds")
    print(f"nothing remembered    {first * 1e3:6.1f} ms")
    for name, step in (("nothing changed", 0), ("every check ran", 1), ("another hour", 360)):
        cost = median(everything.rounds(step))
        print(f"{name:21} {cost * 1e3:6.1f} ms   ratio {cost / first:.2f}")
    print(f"\na plot of {DAY // EVERY:,} runs, from an SQLite file")
    asyncio.run(reading())


if __name__ == "__main__":
    main()
