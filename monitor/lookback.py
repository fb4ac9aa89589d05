"""Reads the past hours of the checks that are held against them: soon after the start, and then once an hour.

It reads beside everything else, one check after another and one hour at a time, so that no probe waits; only checks
whose thresholds use `usual`, `drift` or `unseen` are read at all. While the store is away these are blind, or go on
with what they know, and it is tried again every minute.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.store import StoreUnavailable, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from monitor.baseline import Baseline
    from monitor.clock import Clock
    from monitor.model import CheckId
    from monitor.pipeline import Pipeline
    from monitor.store import Store

PACE = timedelta(minutes=1)
"""How often it is looked for checks that nothing is known of, as after a reload."""
HOUR = timedelta(hours=1)
SETTLED = timedelta(minutes=15)
"""So long after its end an hour is read: by then the store has summed it up."""

log = structlog.get_logger()


class Lookback:
    """Gives the pipeline what it compares with."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pipeline: Pipeline,
        show: Callable[[CheckId, Mapping[str, timedelta]], None],
    ) -> None:
        """Make one; `show` is told how much of the past each watch of a check can look back on."""
        self._store = store
        self._clock = clock
        self._pipeline = pipeline
        self._show = show
        self._troubles: dict[CheckId, str] = {}

    async def run(self) -> None:
        """Read until cancelled. Raises `LeaseLost` as the store does."""
        while True:
            await self.refresh()
            await self._clock.sleep_until(self._clock.now() + PACE)

    async def refresh(self) -> None:
        """Read what is due."""
        for check, past in self._pipeline.pasts().items():
            now = self._clock.now()
            if past.read_at is not None and _turn(past.read_at) == _turn(now):
                continue
            try:
                known = await self._read(check, past, now)
            except (StoreUnavailable, StoreUnusable) as error:
                self._tell(check, str(error))
                continue
            self._pipeline.look_back(check, past, known)
            self._show(check, known.depths())
            full = known.full()
            self._tell(check, f"more label values than can be remembered: {', '.join(full)}" if full else "")

    async def _read(self, check: CheckId, past: Baseline, now: datetime) -> Baseline:
        """Return `past` with all that is new; what was never read is filled apart, so that no half of it is used."""
        known = past.emptied() if past.read_at is None else past
        async for hour in self._store.replay_hours(check, known.begins(now), known.measures):
            if hour.at <= now:
                known.add(hour)
        known.read_at = now
        return known

    def _tell(self, check: CheckId, trouble: str) -> None:
        """Log what keeps a check from its past, when that changes; empty: nothing does."""
        if trouble and self._troubles.get(check) != trouble:
            log.warning("past_not_known", check=str(check), why=trouble)
        self._troubles[check] = trouble


def _turn(at: datetime) -> datetime:
    """Return the same for all moments at which the same hours can be read."""
    settled = at - SETTLED
    return settled - timedelta(minutes=settled.minute, seconds=settled.second, microseconds=settled.microsecond)
