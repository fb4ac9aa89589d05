"""One sweep over many checks now: each is run once, and told of in the order of the file."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.history import History
from monitor.model import Outcome, Sample, State
from monitor.probes.base import observe
from monitor.thresholds import judge
from monitor.units import show
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from monitor.clock import Clock
    from monitor.plan import Plan
    from monitor.probes.base import Resources

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run found, and the figures without a window that it crosses, in words."""

    plan: Plan
    sample: Sample
    crossed: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Return whether the check is up, or was left out; a figure that is crossed does not make it fail."""
        return self.sample.state is State.UP or self.sample.left_out


async def sweep(
    plans: Sequence[Plan], resources: Resources, clock: Clock, *, writes: bool = False
) -> AsyncIterator[Finding]:
    """Run `plans`, some at once, and yield what each found, in their order, as soon as it can be told.

    Unless it `writes`, what would change something outside is left out: a part of a run, or all of it.
    """
    slots = asyncio.Semaphore(AT_ONCE)
    turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(plan: Plan) -> Finding:
        turn = turns[plan.check.alone] if plan.check.alone else nullcontext()
        async with turn, slots:
            sample = await _observe(plan, resources, clock, writes=writes)
        return Finding(plan, sample, tuple(_crossed(plan, sample)))

    runs = [asyncio.create_task(run(plan)) for plan in plans]
    try:
        for finding in runs:
            yield await finding
    finally:
        for finding in runs:
            finding.cancel()
        await asyncio.gather(*runs, return_exceptions=True)


async def _observe(plan: Plan, resources: Resources, clock: Clock, *, writes: bool) -> Sample:
    check = plan.check
    if check.writes and not writes:
        check = check.model_copy(update={"writes": False})
    if check.changes and not writes:
        detail = f"it would change something outside ({check.changes}), which takes --writes"
        return Sample(plan.id, clock.now(), timedelta(), State.UNKNOWN, detail=detail)
    return await observe(plan.id, check, resources, clock)


def _crossed(plan: Plan, sample: Sample) -> Iterator[str]:
    now = [threshold for threshold in plan.thresholds if threshold.watch.function is Function.LAST]
    history = History(threshold.watch for threshold in now)
    history.add(sample)
    for threshold in now:
        for verdict in judge(sample.check, threshold, history, sample, ()):
            worst = max((level for level, seen in verdict.outcomes.items() if seen is Outcome.BREACH), default=None)
            if worst is not None and verdict.value is not None:
                figure = next(figure.text for figure in threshold.figures if figure.severity is worst)
                remark = sample.remarks.get(threshold.watch.measure, "")
                said = f"{worst}: {threshold.name} is {show(verdict.value, threshold.unit)} ({figure})"
                yield f"{said}: {remark}" if remark else said
