"""What is read from the store when somebody looks at one check: its newest runs, and a measure over time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.chronicle import deploy_line
from monitor.model import DRILL
from monitor.showing import Drawn, draw
from monitor.uptime import AN_HOUR
from monitor.view import Mark
from monitor.viewing.past import ENDS, FIRES, MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitor.config import Config
    from monitor.model import CheckId, Event, Labels, Sample
    from monitor.plan import Plan
    from monitor.probes.base import MeasureSpec
    from monitor.store import Store
    from monitor.view import Plot

PHASE = "phase"
NEWEST = 30
"""Runs that the page of a check lists."""
MOST_HOURS = 10
"""Of a check that runs seldom, the newest hours with a run in which these are looked for."""
MOST_OF_ONE = 10_000
"""Runs of one check that are drawn one by one: 24 h of a check that runs every 9 s."""
MOST_PASSED = 2_000_000
"""Runs of all checks in the time of a plot that an SQLite file may have to pass over for those: about a second."""
NOT_SUMMED = timedelta(hours=2, minutes=15)
"""So much of the past may not be summed up yet."""
MOST_MARKS = 200
MOST_EVENTS = 5_000


async def newest_samples(store: Store, check: CheckId, now: datetime) -> list[Sample]:
    """Return the newest runs of a check, newest first. Raises `StoreUnavailable`.

    Those of a check that seldom runs are looked for where the store knows of some, since it may have to pass over the
    runs of all other checks.
    """
    known = now - NOT_SUMMED
    found = await store.samples(check, known, NEWEST)
    hours = [hour.at async for hour in store.replay_hours(check, now - timedelta(days=400), ())]
    for at in [at for at in reversed(hours) if at < known][:MOST_HOURS]:
        if len(found) >= NEWEST:
            break
        found = [
            *await store.samples(check, at - MOMENT, NEWEST - len(found), min(at + AN_HOUR - MOMENT, known)),
            *found,
        ]
    return found[::-1]


def phases(samples: Iterable[Sample]) -> dict[str, float]:
    """Return the parts of the newest exchange that was measured, in seconds, in order; `samples` are newest first."""
    for sample in samples:
        parts = {_phase(measure.labels): measure.value for measure in sample.measures if measure.name == PHASE}
        if parts:
            return parts
    return {}


def _phase(labels: Labels) -> str:
    """Return what a part is called: of an exchange of several steps, with its step before it."""
    steps = [value for name, value in labels if name != PHASE]
    return " ".join((*steps, *(value for name, value in labels if name == PHASE)))


async def read_plot(
    store: Store, config: Config, plan: Plan, spec: MeasureSpec, since: datetime, until: datetime
) -> Plot:
    """Return the plot of a measure. Raises `StoreUnavailable`.

    Single runs are read of as much of the time, up to its end, as is quickly read; of what was before, its hours.
    """
    check = plan.id
    begin = max(since, until - _span(config, plan))
    samples = await store.samples(check, begin, MOST_OF_ONE, until)
    hours = [hour async for hour in store.replay_hours(check, since - AN_HOUR, {spec.name})]
    deploys = [deploy for deploy in await store.deploys(since) if deploy.system == check.system and deploy.at <= until]
    events = [event for event in await store.journal(since, limit=MOST_EVENTS) if event.key.check == check]
    marks = [Mark(deploy.at, "deploy", deploy_line(deploy)) for deploy in deploys]
    marks += _of_alerts(event for event in events if event.at <= until)
    newest = sorted(marks, key=lambda mark: mark.at)[-MOST_MARKS:]
    return await asyncio.to_thread(draw, plan, spec, Drawn(since, until, hours, samples, newest))


def _span(config: Config, plan: Plan) -> timedelta:
    """Return of how much time single runs are read."""
    pace = sum(1 / other.check.every.total_seconds() for other in config.plans.values())
    seconds = min(MOST_PASSED / pace if pace else MOST_PASSED, MOST_OF_ONE * plan.check.every.total_seconds())
    return max(NOT_SUMMED, min(timedelta(seconds=seconds), config.retention.samples))


def _of_alerts(events: Iterable[Event]) -> Iterator[Mark]:
    for event in events:
        key = event.key
        if key.name != DRILL and event.kind in FIRES | ENDS:
            name = " ".join((key.name, *(value for _, value in key.labels)))
            yield Mark(event.at, "alert", f"{name}: {event.kind}", event.severity if event.kind in FIRES else None)
