"""One process: the daemon's parts, joined as `monitor/app.py` joins them, on the seams of a `World`."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.leadership import Leadership
from monitor.metrics import Metrics
from monitor.model import EventKind, Patience, Severity
from monitor.outbox import Outbox
from monitor.owed import GIVE_UP_AFTER
from monitor.pipeline import Pipeline
from monitor.plan import Plan
from monitor.routing import Route
from monitor.schedule import Limits, Scheduler
from monitor.store import StoreUnavailable, Writer
from monitor.store.late import LateStore
from monitor.trend import SPAN
from tests.plans import Scripted, threshold
from tests.soak.loop import Coarse, VirtualClock
from tests.soak.script import CHANNELS, CHECKS, FALLBACK, NEEDS, SYSTEMS, TIMED
from tests.soak.world import (
    EVERY,
    FAILURES,
    HOLD,
    SLOW_FIGURE,
    SLOWER_FIGURE,
    SUCCESSES,
    TIMED_NAME,
    TIMEOUT,
    Disk,
    Outside,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from monitor.channels.base import SendResult
    from monitor.model import CheckId, Delivery, Notification
    from monitor.store import Store
    from tests.soak.world import World

TICK, TIDY = timedelta(seconds=1), timedelta(minutes=10)
LAST_SENDS = timedelta(seconds=10)
REPEAT = timedelta(hours=4)
CRITICAL, WARNING = frozenset({Severity.CRITICAL}), frozenset({Severity.WARNING})
ROUTES = (
    Route(("ops", "hook"), CRITICAL, frozenset({"shop"}), REPEAT),
    Route(("ops", "phone", "hook"), CRITICAL, frozenset(SYSTEMS) - {"shop"}, REPEAT),
    Route(("ops", "hook"), WARNING, frozenset(), REPEAT),
)


def plan_of(check: CheckId) -> Plan:
    """Return the plan of a check: down after three failures, and most with two figures for their duration."""
    slow = threshold(TIMED_NAME, hold=HOLD, warning=f"> {SLOW_FIGURE:g}s", critical=f"> {SLOWER_FIGURE:g}s")
    return Plan(
        id=check,
        check=Scripted(every=EVERY, timeout=TIMEOUT),
        thresholds=(slow,) if check in TIMED else (),
        down={Severity.CRITICAL: Patience(breaches=FAILURES, clears=SUCCESSES)},
        needs=NEEDS.get(check, ()),
        title=check.check.title(),
        system_title=check.system.title(),
        remedy=("Look at the latest deploy.",),
        fingerprint=str(check),
    )


class Process:
    """The daemon from its start to its end. `without`: what its configuration does not hold."""

    def __init__(self, world: World, path: Path, number: int, without: frozenset[CheckId]) -> None:
        self.world = world
        self.without = without
        self.clock = clock = VirtualClock(world.loop, world.wrong)
        self.outside = outside = Outside(world, number, clock)
        self.disk: Disk | None = None
        self._path = path
        self._store = LateStore(self._open, self._remember)
        self._leadership = Leadership(self._store, clock)
        self._writer = Writer(self._store, clock)
        self.metrics = Metrics()
        self._pipeline = Pipeline(clock, self._writer, self.metrics, self._owe, self._run_now)
        self._outbox = Outbox(
            Coarse(clock),
            self._writer,
            self.metrics.outbox,
            fall_back=self._pipeline.fall_back,
            last_resort=outside.last_resort,
            jitter=random.Random(number).random,
        )
        self._scheduler = Scheduler(clock, outside.observe, self._pipeline.take, Limits(), self.metrics.schedule)
        self._writing: asyncio.Task[None] | None = None
        self._parts: list[asyncio.Task[None]] = []
        self.configure(without)

    def configure(self, without: frozenset[CheckId]) -> None:
        """Watch all but `without` from now on."""
        plans = {check: plan_of(check) for check in CHECKS if check not in without}
        for plan in plans.values():
            self.metrics.watch(plan)
        for check in without:
            self.metrics.forget(check)
        self.without = without
        self._pipeline.configure(plans, ROUTES)
        self._outbox.configure({name: self._sender(name) for name in CHANNELS}, FALLBACK)
        self._scheduler.replace(plans)
        self._hurry()
        self._note_removed()

    async def run(self) -> None:
        """Work until one of the parts ends, which is an error, or until cancelled."""
        await self._leadership.gain()
        self._writing = asyncio.create_task(self._writer.run())
        self._pipeline.begin()
        self._hurry()
        work = (self._leadership.keep(), self._scheduler.run(), self._outbox.run(), self._ticking(), self._tidying())
        self._parts = [asyncio.create_task(part) for part in work]
        ended, _ = await asyncio.wait({*self._parts, self._writing}, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()

    async def stop(self) -> None:
        """End as at SIGTERM."""
        for task in self._parts:
            task.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
        await self._outbox.drain(LAST_SENDS)
        if self._writing:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            await self._writer.close()
        self.outside.excuse()
        self.outside.dead = True
        await self.close()

    async def close(self) -> None:
        """Let go of the file."""
        if self.disk:
            await self.disk.close()

    async def _open(self) -> Store:
        self.disk = await Disk.open(self._path, self.outside)
        return self.disk

    async def _remember(self, store: Store) -> None:
        now = self.clock.now()
        async for sample in store.replay(now - SPAN):
            self._pipeline.recall(sample)
        self._pipeline.restore_silences(await store.silences(now))
        self._pipeline.restore(await store.alerts())
        if not self.outside.dead:
            self.outside.remembers = True
            for belief in self.world.beliefs.values():
                belief.remember(self.world.now)
            self._note_removed()
        events = await store.journal(now - GIVE_UP_AFTER, limit=100_000)
        fell_back = {event.detail.split(" ")[0] for event in events if event.kind is EventKind.FELL_BACK}
        self._outbox.restore(await store.owed(), fell_back)

    def _note_removed(self) -> None:
        for belief in self.world.of(self.without):
            belief.close(self.world.now)

    def _hurry(self) -> None:
        for check in self._pipeline.unsettled():
            self._scheduler.hurry(check)

    def _owe(self, owed: Sequence[Notification], uncertain: bool) -> None:
        self.outside.owe(owed)
        self._outbox.owe(owed, uncertain)

    async def _run_now(self, check: CheckId) -> None:
        await self._scheduler.run_now(check)

    def _sender(self, channel: str) -> Callable[[Delivery], Awaitable[SendResult]]:
        return lambda delivery: self.outside.send(channel, delivery)

    async def _ticking(self) -> None:
        while True:
            await self._pipeline.tick()
            await self.clock.sleep_until(self.clock.now() + TICK)

    async def _tidying(self) -> None:
        while True:
            await self.clock.sleep_until(self.clock.now() + TIDY)
            try:
                await self._store.tidy(self.clock.now())
            except StoreUnavailable:
                continue
