"""Sees to maintenance: announces it, holds alerts back while it lasts, and has the checks run at its end.

What is silent stands in the store from the announcement on, so a restart announces nothing twice, and a maintenance
that ended while nobody was there is seen to afterwards.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from monitor.deeds import journalled
from monitor.maintenance import RUNBOOK
from monitor.model import (
    DOWN,
    AlertKey,
    CheckId,
    EventKind,
    Notification,
    Page,
    Severity,
    stable_id,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from monitor.clock import Clock
    from monitor.maintenance import Maintenance, Occurrence
    from monitor.model import Silence
    from monitor.pipeline import Pipeline
    from monitor.plan import Plan

TICK = timedelta(seconds=1)
MAINTENANCE = "maintenance"

log = structlog.get_logger()


class Ended(NamedTuple):
    """A maintenance that is over: what was silent, and the window of the file that it was, if it still stands there."""

    silences: tuple[Silence, ...]
    window: Maintenance | None


class Upkeep:
    """Follows the maintenance of all systems."""

    def __init__(self, clock: Clock, pipeline: Pipeline, run_now: Callable[[CheckId], Awaitable[None]]) -> None:
        """Make one that knows of no maintenance. `run_now` runs a check and returns when its sample was taken."""
        self._clock = clock
        self._pipeline = pipeline
        self._run_now = run_now
        self._windows: Sequence[Maintenance] = ()
        self._plans: Mapping[CheckId, Plan] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._ending: set[str] = set()

    def configure(self, windows: Sequence[Maintenance], plans: Mapping[CheckId, Plan]) -> None:
        """Follow exactly `windows` from now on, over the checks of `plans`."""
        self._windows, self._plans = windows, plans

    async def run(self) -> None:
        """Do what is due until cancelled."""
        try:
            while True:
                await self.tick()
                await self._clock.sleep_until(self._clock.now() + TICK)
        finally:
            looking = self.under_way
            for task in looking:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)

    @property
    def under_way(self) -> Collection[asyncio.Task[None]]:
        """Return the tasks that look at the checks after a maintenance."""
        return tuple(self._looking)

    async def tick(self) -> None:
        """Make known what comes, take back what was taken out of the file, and see to what has ended."""
        now = self._clock.now()
        known = {silence.id: silence for silence in self._pipeline.silences}
        meant: set[str] = set()
        for window in self._windows:
            for occurrence in window.coming(now):
                silences = window.silences(occurrence)
                meant.update(silence.id for silence in silences)
                if any(silence.id not in known for silence in silences):
                    await self._announce(window, occurrence, silences)
        gone = [one for one in known.values() if one.who == RUNBOOK and now < one.until and one.id not in meant]
        await self._take_back(gone)
        self._end([one for one in known.values() if one.maintenance and one.until <= now and not one.over])

    async def _announce(self, window: Maintenance, occurrence: Occurrence, silences: Sequence[Silence]) -> None:
        now = self._clock.now()
        log.info("maintenance_comes", system=window.system, title=window.title, begin=occurrence.begin.isoformat())
        events = [journalled(silence, EventKind.SILENCED, now) for silence in silences]
        text = window.text(occurrence)
        told = self._told(window, Severity.INFO, silences[0].id, text) if now < occurrence.begin else ()
        await self._pipeline.hush(silences, events, told)

    async def _take_back(self, silences: Sequence[Silence]) -> None:
        """End what the file says no more."""
        if silences:
            now = self._clock.now()
            ended = [replace(silence, until=max(now, silence.since), over=True) for silence in silences]
            await self._pipeline.hush(ended, [journalled(silence, EventKind.LIFTED, now) for silence in ended])

    def _end(self, silences: Sequence[Silence]) -> None:
        """Begin to see to what is over, each once; only when its checks were run is it noted that it is."""
        new = [one for one in silences if one.id not in self._ending]
        self._ending.update(one.id for one in new)
        for window in self._windows:
            if own := tuple(one for one in new if _belongs(one, window)):
                self._start(Ended(own, window))
        if loose := tuple(one for one in new if not any(_belongs(one, window) for window in self._windows)):
            self._start(Ended(loose, None))

    def _start(self, ended: Ended) -> None:
        task = asyncio.create_task(self._look(ended), name="after maintenance")
        self._looking.add(task)
        task.add_done_callback(self._looked)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("upkeep_crashed", task=task.get_name(), exc_info=error)

    async def _look(self, ended: Ended) -> None:
        """Run every check that was silent, all at once, then note the end, and say how it went, in one."""
        checks = [check for check in self._plans if any(_covers(silence, check) for silence in ended.silences)]
        await asyncio.gather(*(self._run_now(check) for check in checks))
        down = {alert.key.check for alert in self._pipeline.alerts if alert.key.name == DOWN and alert.levels}
        failing = [self._plans[check].title for check in checks if check in down]
        log.info("looked_after_maintenance", checks=len(checks), failing=len(failing))
        now = self._clock.now()
        over = [replace(silence, over=True) for silence in ended.silences]
        events = [journalled(silence, EventKind.LIFTED, now) for silence in over]
        await self._pipeline.hush(over, events, self._outcome(ended, len(checks), failing))

    def _outcome(self, ended: Ended, count: int, failing: Sequence[str]) -> tuple[Notification, ...]:
        """Return what is said of how a maintenance went."""
        if ended.window is None:
            return ()
        found = f"{len(failing)} of {count} checks fail: {', '.join(failing)}." if failing else "No check fails."
        severity = Severity.WARNING if failing else Severity.INFO
        text = f"{ended.window.title} is over. {found}"
        return self._told(ended.window, severity, f"{ended.silences[0].id} over", text)

    def _told(self, window: Maintenance, severity: Severity, topic: str, text: str) -> tuple[Notification, ...]:
        """Return the same message for each channel that hears of the maintenance."""
        now, check = self._clock.now(), CheckId(window.system, MAINTENANCE)
        title = f"{window.system_title}: {window.title}"
        page = Page(title, text, window.system, MAINTENANCE, MAINTENANCE)
        channels: Iterable[str] = window.announcement.notify if window.announcement else ()
        identity, key = stable_id(topic), AlertKey(check, MAINTENANCE)
        return tuple(
            Notification(stable_id(identity, name), name, identity, key, EventKind.ANNOUNCED, severity, now, page)
            for name in channels
        )


def _belongs(silence: Silence, window: Maintenance) -> bool:
    same = silence.who == RUNBOOK and silence.why == window.title and silence.scope.system == window.system
    return same and silence.scope.check in (window.checks or ("",))


def _covers(silence: Silence, check: CheckId) -> bool:
    return silence.scope.system in {"", check.system} and silence.scope.check in {"", check.check}
