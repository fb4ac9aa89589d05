"""A staged world and the demo's configuration for it, on a clock that is moved by hand."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.cli.showing import FILE
from monitor.config import load
from monitor.demo.stage import staged
from monitor.demo.world import World
from monitor.model import DOWN, Severity, State
from monitor.outside import reach_outside
from monitor.probes.base import observe
from monitor.secrets import Redactor
from monitor.units import Unit
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.config import Config
    from monitor.demo.stage import Stage
    from monitor.model import CheckId, Sample
    from monitor.outside import Outside
    from monitor.plan import Plan

SECOND = timedelta(seconds=1)


@dataclass
class Watched:
    """The demo as it runs, without a daemon."""

    world: World
    stage: Stage
    config: Config
    clock: FakeClock
    outside: Outside

    async def look(self, check: CheckId) -> Sample:
        """Run one check once."""
        resources = self.outside.for_probes(Redactor(()))
        return await observe(check, self.config.plans[check].check, resources, self.clock)

    async def found(self) -> dict[tuple[CheckId, str], Severity]:
        """Return each alert that every check would open if it went on as it is now, and its severity.

        Heartbeats are left out: there is no daemon that a job could report to.
        """
        plans = {check: plan for check, plan in self.config.plans.items() if plan.check.kind != "heartbeat"}
        for check in plans:
            await self.look(check)
        self.clock.skip(SECOND)
        return {
            (check, name): severity
            for check, plan in plans.items()
            for name, severity in _alerts(plan, await self.look(check)).items()
        }


def _alerts(plan: Plan, sample: Sample) -> dict[str, Severity]:
    if sample.state is State.DOWN:
        return {DOWN: max(plan.down)}
    crossed: dict[str, Severity] = {}
    for threshold in plan.thresholds:
        for measure in sample.measures:
            if measure.name == threshold.watch.measure:
                left = sample.at.timestamp() if threshold.unit is Unit.TIMESTAMP else 0.0
                worst = [figure.severity for figure in threshold.figures if figure.crossed(measure.value - left)]
                crossed |= {threshold.name: max(worst)} if worst else {}
    return crossed


@asynccontextmanager
async def watched(*, by_hand: bool = True, fills: bool = False, **environ: str) -> AsyncIterator[Watched]:
    """Stage a world, and read the demo's file for it; with `fills` it fills the servers of `environ` by itself.

    Certificates end by the real clock, so it begins there.
    """
    clock = FakeClock(datetime.now(UTC))
    world = World(clock, by_hand=by_hand)
    async with staged(world, "127.0.0.1", 0, environ if fills else {}) as stage, reach_outside() as outside:
        yield Watched(world, stage, load(FILE, {**stage.environ, **environ}), clock, outside)
