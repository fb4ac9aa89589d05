"""How soon somebody is told at the pace of the defaults: real schedule, pipeline and outbox, a clock moved by hand."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import Delivered
from monitor.config import load
from monitor.metrics import Metrics
from monitor.model import CheckId, EventKind, Reason, Sample, State
from monitor.outbox import Outbox
from monitor.pipeline import Pipeline
from monitor.schedule import TICK, Grid, Limits, Scheduler
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from monitor.channels.base import SendResult
    from monitor.model import Change, Delivery, Notification
    from monitor.plan import Plan

SECOND = timedelta(seconds=1)
EVERY, TIMEOUT, RETRY = 30 * SECOND, 10 * SECOND, 10 * SECOND
NAMES = [f"shop{number}" for number in range(30)]
"""As many checks, each with a grid of its own: an outage of all of them meets every phase."""


@dataclass
class Fault:
    """An outage of everything, from `begins` until `ends`: a 502 at once, or no answer."""

    begins: datetime
    ends: datetime
    silent: bool

    def meets(self, moment: datetime) -> bool:
        return self.begins <= moment < self.ends


class Writer:
    """A store without a fault."""

    available = True
    overtaken = False
    committed_at: datetime | None = None

    def post(self, change: Change) -> None:
        """Take it."""

    def keep(self, sample: Sample) -> None:
        """Take it."""

    async def commit(self, _change: Change) -> bool:
        return True


@dataclass
class World:
    """The daemon's middle: checks are scheduled, judged, told of. Only probe, store and channel are stand-ins."""

    clock: FakeClock
    plans: dict[CheckId, Plan]
    fault: Fault = field(default_factory=lambda: Fault(START, START, silent=False))
    failed: dict[CheckId, list[Sample]] = field(default_factory=dict)
    decided: dict[CheckId, datetime] = field(default_factory=dict)
    told: dict[CheckId, datetime] = field(default_factory=dict)

    async def observe(self, plan: Plan) -> Sample:
        begun, state = self.clock.now(), State.UP
        if self.fault.meets(begun):
            state = State.DOWN
            if self.fault.silent:
                await self.clock.sleep_until(begun + plan.check.timeout)
        reason = Reason.STATUS if state is State.DOWN else None
        sample = Sample(plan.id, self.clock.now(), self.clock.now() - begun, state, reason)
        if state is State.DOWN:
            self.failed.setdefault(plan.id, []).append(sample)
        return sample

    async def send(self, delivery: Delivery) -> SendResult:
        for note in delivery.notifications:
            self.told.setdefault(note.key.check, self.clock.now())
        return Delivered()

    def opened(self, notifications: Sequence[Notification]) -> None:
        for note in notifications:
            if note.kind is EventKind.OPENED:
                self.decided.setdefault(note.key.check, note.at)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[World]:
    """Run the shortest file, with one address for each of `NAMES`."""
    checks = "".join(f"      {name}: https://{name}.example.com/\n" for name in NAMES)
    file = folder / "monitor.yaml"
    file.write_text(f"channels: {{ops: 'https://hook.example.com/'}}\nsystems:\n  shops:\n    checks:\n{checks}")
    config = load(file, {})
    world, metrics, writer = World(FakeClock(), dict(config.plans)), Metrics(), Writer()

    def owe(notifications: Sequence[Notification], uncertain: bool) -> None:
        world.opened(notifications)
        outbox.owe(notifications, uncertain)

    async def unheard(_text: str) -> None:
        raise AssertionError

    async def ask_again(check: CheckId) -> None:
        await scheduler.run_now(check)

    pipeline = Pipeline(world.clock, writer, metrics, owe, ask_again)
    outbox = Outbox(
        world.clock,
        writer,
        metrics.outbox,
        fall_back=pipeline.fall_back,
        last_resort=unheard,
        jitter=lambda: 0.5,
    )
    scheduler = Scheduler(world.clock, world.observe, pipeline.take, Limits(), metrics.schedule)
    pipeline.configure(config.plans, config.routes)
    outbox.configure(dict.fromkeys(config.channels, world.send), {})
    scheduler.replace(config.plans)
    parts = [asyncio.create_task(part) for part in (scheduler.run(), outbox.run())]
    try:
        yield world
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)


def first_run_after(moment: datetime, check: CheckId) -> datetime:
    """Return when `check` runs for the first time at `moment` or later."""
    return Grid.of(check, EVERY).after(moment - timedelta(microseconds=1))


@pytest.mark.parametrize("silent", [False, True])
async def test_twenty_seconds_of_trouble_during_a_restart_page_nobody(tmp_path: Path, silent: bool) -> None:
    """Whatever the phase, and also when the trouble begins exactly with a run."""
    async with running(tmp_path) as world:
        begins = first_run_after(START + 40 * SECOND, CheckId("shops", "shop0"))
        world.fault = Fault(begins, begins + 20 * SECOND, silent)
        await world.clock.advance(timedelta(minutes=3))
    met = {check for check in world.plans if first_run_after(begins, check) < begins + 20 * SECOND - TICK}
    assert met <= world.failed.keys()
    assert len(met) >= 15
    assert {len(samples) for samples in world.failed.values()} <= {1, 2}
    assert world.decided == world.told == {}


@pytest.mark.parametrize(("silent", "third"), [(False, 2 * RETRY), (True, 2 * (RETRY + TIMEOUT))])
async def test_a_lasting_fault_pages_within_45_s_of_the_first_failed_run(
    tmp_path: Path, silent: bool, third: timedelta
) -> None:
    """The third failure, each retry 10 s after the end of the one before, decides; the page leaves within 2 s of it."""
    async with running(tmp_path) as world:
        begins = first_run_after(START + 40 * SECOND, CheckId("shops", "shop0"))
        world.fault = Fault(begins, begins + timedelta(days=1), silent)
        await world.clock.advance(timedelta(minutes=3))
    assert world.decided.keys() == world.plans.keys()
    for check, decided in world.decided.items():
        first = world.failed[check][0]
        run = first_run_after(begins, check)
        assert timedelta() <= first.at - first.took - run <= TICK
        assert third <= decided - first.at <= third + 2 * TICK
        assert decided - first.at + 2 * SECOND <= 45 * SECOND
    soonest = min(world.decided, key=lambda check: world.decided[check])
    assert world.told[soonest] - world.decided[soonest] <= 2 * SECOND
    assert world.told[soonest] - world.failed[soonest][0].at <= 45 * SECOND
