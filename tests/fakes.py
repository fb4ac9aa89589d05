"""Stand-ins for the narrow seams: a clock that is moved by hand, and one that waits in no time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.clock import Clock

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MOST_ROUNDS, IDLE_ROUNDS = 50, 5
"""Five: what one task writes to a socket of the loopback another reads a round or two later."""


class FakeClock:
    """A clock that stands still until `advance` moves it, waking each sleeper at its own moment, in order."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def wall(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        if moment <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), woken))
        await woken

    async def advance(self, by: timedelta) -> None:
        """Move time forward by `by`, letting everything that becomes due run in between."""
        until = self._now + by
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            moment, _, woken = heapq.heappop(self._sleepers)
            if woken.cancelled():
                continue
            self._now = max(self._now, moment)
            woken.set_result(None)
            await self.settle()
        self._now = until
        await self.settle()

    def skip(self, by: timedelta) -> None:
        """Let so much time have passed, without waking anybody: whoever looks at the clock next sees it."""
        self._now += by

    async def settle(self) -> None:
        """Let every task that can run do so, without time passing: until the loop came round often with nobody else.

        A loop that does not tell who is ready, as uvloop, comes round as often as takes any task to its end.
        """
        ready = getattr(asyncio.get_running_loop(), "_ready", True)
        idle = 0
        for _ in range(MOST_ROUNDS):
            await asyncio.sleep(0)
            idle = 0 if ready else idle + 1
            if idle == IDLE_ROUNDS:
                break


class ImpatientClock:
    """A clock that goes with another, but takes no time to wait: it goes ahead instead. `waited`: how far."""

    def __init__(self, clock: Clock) -> None:
        self.waited = timedelta()
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now() + self.waited

    def wall(self) -> datetime:
        return self._clock.wall() + self.waited

    async def sleep_until(self, moment: datetime) -> None:
        self.waited += max(moment - self.now(), timedelta())
